# Copyright: (c) 2026, The propseal authors
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

"""Run propseal and read what it says (propseal(1), Results as JSON)."""

from __future__ import (absolute_import, division, print_function)

__metaclass__ = type

import json
import os
import subprocess

KEY_VARIABLE = 'CONFLUENT_SECURITY_MASTER_KEY'


class PropsealError(Exception):
    """It failed: what it said, its hint, its exit status."""

    def __init__(self, message, hint=None, status=1):
        super(PropsealError, self).__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


def propseal(program, arguments, master_key=None, text=None, statuses=(0,), variables=None):
    """The object that `propseal ARGUMENTS -o json` prints.

    The key goes by the environment, values by standard input: nothing secret
    stands in an argument.
    """
    environment = dict(os.environ, LC_ALL='C.UTF-8', **(variables or {}))
    if master_key is not None:
        environment[KEY_VARIABLE] = master_key
    try:
        process = subprocess.Popen([program] + arguments + ['-o', 'json'], env=environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
    except OSError as error:
        raise PropsealError('%s: %s' % (program, error.strerror),
                            'install propseal on the host, or give `executable`')
    out, said = process.communicate((text or '').encode('utf-8'))
    if process.returncode not in statuses:
        raise failure(said.decode('utf-8', 'replace'), process.returncode)
    return json.loads(out.decode('utf-8')) if out.strip() else {}


def failure(said, status):
    """The error among the lines of standard error, each an object."""
    for line in reversed(said.splitlines()):
        try:
            error = json.loads(line)['error']
        except (KeyError, TypeError, ValueError):
            continue
        return PropsealError(error.get('message') or error.get('text') or said,
                             error.get('hint'), status)
    return PropsealError(said.strip() or 'propseal ended with status %d' % status, None, status)
