#!/usr/bin/python
# Copyright: (c) 2026, The propseal authors
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import (absolute_import, division, print_function)

__metaclass__ = type

DOCUMENTATION = r'''
---
module: rotation
short_description: Give secrets files of Kafka new keys
description:
  - Plans a rotation session with C(propseal), applies it, and verifies that every entry opens with the
    new key and has the value that it had. A session that was interrupted is gone on with.
  - A session of that folder that is verified or finished is left as it is, so a second run changes
    nothing. For another rotation, name another folder.
version_added: 0.1.0
author:
  - The propseal authors (@propseal)
options:
  session:
    description: The folder of the session. It is made, in a folder that exists.
    type: path
    required: true
  paths:
    description: Secrets files, or folders with configuration and secrets files.
    type: list
    elements: path
    required: true
  kind:
    description: Which keys are to be new.
    type: str
    choices: [master-key, data-key, both]
    required: true
  common_master_key:
    description: One new master key for all secrets files.
    type: bool
    default: false
  skip:
    description: Secrets files that stay as they are.
    type: list
    elements: path
    default: []
  master_key_file:
    description: Files with the present master keys, each of which is tried on every secrets file.
    type: list
    elements: path
    default: []
  keys_file:
    description: A file with lines C(secrets file = source of its key) (C(--keys)).
    type: path
  passphrase_file:
    description: A file with the present passphrase.
    type: path
  passphrase_new_file:
    description: A file with the new passphrase. For new master keys.
    type: path
  new_master_key_file:
    description: Where the new master keys go, with mode 0600.
    type: path
  finish:
    description: Finish what is verified. What leads back is wiped then.
    type: bool
    default: false
  executable:
    description: The program.
    type: str
    default: propseal
attributes:
  check_mode:
    description: Plans into a folder that is removed again, and tells what would be done.
    support: full
  diff_mode:
    description: There is none.
    support: none
'''

EXAMPLES = r'''
- name: Give every environment a new master key and a new data key
  propseal.kafka.rotation:
    session: /var/lib/propseal/2026-q4
    paths: /srv/kafka
    kind: both
    keys_file: /root/keys.txt
    passphrase_new_file: /root/new-passphrase
    new_master_key_file: /root/new-keys
'''

RETURN = r'''
state:
  description: What the session is now; in check mode what it is, or C(planned).
  returned: success
  type: str
files:
  description: The secrets files, each with state, entries and error.
  returned: success
  type: list
  elements: dict
entries:
  description: How many there are, were opened by the last command, and are as before.
  returned: success
  type: dict
warnings_of_plan:
  description: What plan had to say.
  returned: success
  type: list
  elements: str
'''

import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.propseal.kafka.plugins.module_utils.propseal import PropsealError, propseal


def keys(p):
    """The flags for keys, which plan and apply share."""
    arguments = []
    for name in p['master_key_file']:
        arguments += ['--master-key-file', name]
    if p['keys_file']:
        arguments += ['--keys', p['keys_file']]
    for name in ('passphrase', 'passphrase_new'):
        if p[name + '_file']:
            arguments += ['--' + name.replace('_', '-'), '@' + p[name + '_file']]
    return arguments


def plan(p, session, variables=None):
    arguments = ['rotation', 'plan'] + p['paths'] + ['--' + p['kind'], '--session', session]
    if p['common_master_key']:
        arguments.append('--common-master-key')
    for name in p['skip']:
        arguments += ['--skip', name]
    return propseal(p['executable'], arguments + keys(p), variables=variables)


def plan_only(p):
    """Plan where nothing is left of it."""
    folder = tempfile.mkdtemp(prefix='propseal-plan.')
    try:
        return plan(p, os.path.join(folder, 'session'), dict(XDG_STATE_HOME=folder))
    finally:
        shutil.rmtree(folder)


def job(p, name, arguments=()):
    return propseal(p['executable'],
                    ['rotation', name, '--session', p['session']] + list(arguments))


def run(module):
    """(changed, what the session is)"""
    p = module.params
    there = os.path.lexists(p['session'])
    if not there and module.check_mode:
        return True, plan_only(p)
    result = job(p, 'status') if there else plan(p, p['session'])
    done = ('finished',) if p['finish'] else ('verified', 'finished')
    if result['state'] in done:
        return not there, result
    if result['state'] == 'rolled-back':
        raise PropsealError('%s: this session was rolled back' % p['session'],
                            'name another folder for a new one')
    if module.check_mode:
        return True, result
    if result['state'] != 'verified':
        made = ['--new-master-key-file', p['new_master_key_file']] if p['new_master_key_file'] else []
        job(p, 'apply', keys(p) + made)
        result = job(p, 'verify', keys(p) + made)
    if p['finish']:
        result = job(p, 'finish', ['--yes'])
    return True, result


def main():
    module = AnsibleModule(
        argument_spec=dict(
            session=dict(type='path', required=True),
            paths=dict(type='list', elements='path', required=True),
            kind=dict(type='str', choices=['master-key', 'data-key', 'both'], required=True),
            common_master_key=dict(type='bool', default=False),
            skip=dict(type='list', elements='path', default=[]),
            master_key_file=dict(type='list', elements='path', default=[], no_log=False),
            keys_file=dict(type='path', no_log=False),
            passphrase_file=dict(type='path', no_log=False),
            passphrase_new_file=dict(type='path', no_log=False),
            new_master_key_file=dict(type='path', no_log=False),
            finish=dict(type='bool', default=False),
            executable=dict(type='str', default='propseal'),
        ),
        required_if=[('kind', 'master-key', ['passphrase_new_file']),
                     ('kind', 'both', ['passphrase_new_file'])],
        supports_check_mode=True,
    )
    # A word alone would be the name of a session of propseal's own folder.
    module.params['session'] = os.path.abspath(module.params['session'])
    try:
        changed, result = run(module)
    except PropsealError as error:
        module.fail_json(msg=error.message, hint=error.hint, rc=error.status)
    module.exit_json(changed=changed, state=result['state'], files=result['files'],
                     entries=result['entries'], warnings_of_plan=result['warnings'])


if __name__ == '__main__':
    main()
