# Copyright: (c) 2026, The propseal authors
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import (absolute_import, division, print_function)

__metaclass__ = type

DOCUMENTATION = r'''
name: sealed
short_description: The opened value of a key of a configuration file
description:
  - Opens values that C(propseal) or C(confluent secret) sealed, on the controller.
version_added: 0.1.0
author:
  - The propseal authors (@propseal)
options:
  _terms:
    description: The keys.
    required: true
    type: list
    elements: str
  config_file:
    description: The configuration file that holds the references.
    required: true
    type: path
  secrets_file:
    description: The secrets file. Without it, the references say where it is.
    type: path
  master_key_file:
    description: A file with the master key. Without it, what propseal finds by itself.
    type: path
  executable:
    description: The program.
    type: str
    default: propseal
'''

EXAMPLES = r'''
- name: Ask the broker as its administrator
  ansible.builtin.command:
    cmd: kafka-topics --list
  environment:
    ADMIN_PASSWORD: "{{ lookup('propseal.kafka.sealed', 'admin.password', config_file='admin.properties') }}"
'''

RETURN = r'''
_raw:
  description: The values, in the order of the keys.
  type: list
  elements: str
'''

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.propseal.kafka.plugins.module_utils.propseal import PropsealError, propseal


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        arguments = ['render', self.get_option('config_file'), '--config', '-', '--format', 'json']
        for option, flag in (('secrets_file', '--local-secrets-file'),
                             ('master_key_file', '--master-key-file')):
            if self.get_option(option):
                arguments += [flag, self.get_option(option)]
        try:
            values = propseal(self.get_option('executable'), arguments, text=','.join(terms))
        except PropsealError as error:
            raise AnsibleError('%s%s' % (error.message, ' (%s)' % error.hint if error.hint else ''))
        missing = [term for term in terms if term not in values]
        if missing:
            raise AnsibleError('%s has no %s' % (self.get_option('config_file'), ', '.join(missing)))
        return [values[term] for term in terms]
