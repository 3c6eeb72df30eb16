# Copyright: (c) 2026, The propseal authors
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import (absolute_import, division, print_function)

__metaclass__ = type

DOCUMENTATION = r'''
name: registry
short_description: A secret of the Secret Registry
description:
  - Fetches secrets from a Secret Registry (C(propseal registry serve)) with C(propseal registry get), on the controller.
version_added: 0.1.0
author:
  - The propseal authors (@propseal)
options:
  _terms:
    description: Each C(PATH:KEY), or C(PATH:KEY:VERSION).
    required: true
    type: list
    elements: str
  url:
    description: Where the registry is. Without it C(PROPSEAL_REGISTRY_URL).
    type: str
  user:
    description: The user who logs in with I(password_file).
    type: str
  password_file:
    description: A file with the password.
    type: path
  token_file:
    description: A file with an API token.
    type: path
  ca:
    description: PEM certificates that sign the registry's.
    type: path
  executable:
    description: The program.
    type: str
    default: propseal
'''

EXAMPLES = r'''
- name: Use what the connector uses
  ansible.builtin.debug:
    msg: "{{ lookup('propseal.kafka.registry', 'orders-jdbc:connection.password', url='https://registry:8082', token_file='token') }}"
'''

RETURN = r'''
_raw:
  description: The values, in the order of the terms.
  type: list
  elements: str
'''

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.propseal.kafka.plugins.module_utils.propseal import PropsealError, propseal


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        flags = []
        for option in ('url', 'user', 'password_file', 'token_file', 'ca'):
            if self.get_option(option):
                flags += ['--' + option.replace('_', '-'), self.get_option(option)]
        values = []
        for term in terms:
            parts = term.split(':')
            if len(parts) not in (2, 3) or not all(parts):
                raise AnsibleError('%s is not PATH:KEY or PATH:KEY:VERSION' % term)
            arguments = ['registry', 'get', parts[0], parts[1]]
            if len(parts) == 3:
                arguments.append(parts[2])
            try:
                values.append(propseal(self.get_option('executable'), arguments + flags)['secret'])
            except PropsealError as error:
                raise AnsibleError('%s: %s' % (term, error.message))
        return values
