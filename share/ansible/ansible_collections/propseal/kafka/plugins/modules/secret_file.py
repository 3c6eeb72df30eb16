#!/usr/bin/python
# Copyright: (c) 2026, The propseal authors
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import (absolute_import, division, print_function)

__metaclass__ = type

DOCUMENTATION = r'''
---
module: secret_file
short_description: Seal secrets of Kafka configuration files
description:
  - Seals values of configuration files into a secrets file with C(propseal), and leaves references
    in their place; or sets sealed values.
  - What is sealed already and has the value that is asked for is left as it is, byte for byte.
version_added: 0.1.0
author:
  - The propseal authors (@propseal)
options:
  config_file:
    description: The configuration files, C(.properties) or JSON.
    type: list
    elements: path
    required: true
  secrets_file:
    description: The secrets file on this host. It must exist (C(propseal master-key generate) makes one).
    type: path
    required: true
  remote_secrets_file:
    description: Where services will find the secrets file. It goes into the references.
    type: path
    required: true
  keys:
    description:
      - The keys to seal. Without it and without I(values), every key that contains C(password).
    type: list
    elements: str
  values:
    description:
      - Keys and the values that they shall have, sealed. A key that is not there is added. For one
        I(config_file).
    type: dict
  replace:
    description: Seal a clear-text value over a sealed one that differs, as after a template was written anew.
    type: bool
    default: true
  master_key:
    description: The master key. Without it C(master_key_file), or what propseal finds by itself.
    type: str
  master_key_file:
    description: A file on the host with the master key.
    type: path
  executable:
    description: The program.
    type: str
    default: propseal
attributes:
  check_mode:
    description: Tells what would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows the names of the entries that change, and no value.
    support: full
'''

EXAMPLES = r'''
- name: Seal every password of the broker
  propseal.kafka.secret_file:
    config_file: /etc/kafka/server.properties
    secrets_file: /etc/kafka/secrets.properties
    remote_secrets_file: /etc/kafka/secrets.properties
    master_key: "{{ vaulted_master_key }}"

- name: Set one of them
  propseal.kafka.secret_file:
    config_file: /etc/kafka/server.properties
    secrets_file: /etc/kafka/secrets.properties
    remote_secrets_file: /etc/kafka/secrets.properties
    master_key: "{{ vaulted_master_key }}"
    values:
      ssl.key.password: "{{ vaulted_ssl_key_password }}"
'''

RETURN = r'''
entries:
  description: The entries that changed, or would change, each with file, key and operation.
  returned: always
  type: list
  elements: dict
notes:
  description: What propseal notes, such as keys that may be secrets and stay in clear text.
  returned: always
  type: list
  elements: str
'''

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.propseal.kafka.plugins.module_utils.propseal import PropsealError, propseal


def entries_of(result):
    """Of a change or a plan: (file, operation, key) of each entry."""
    found = []
    for changed in result.get('files', []):
        name = changed.get('file', changed.get('path'))
        for entry in changed.get('entries', changed.get('changes', [])):
            found.append(dict(file=name, op=entry.get('op', 'set'), key=entry.get('key', '')))
    return found


def common(module):
    p = module.params
    arguments = ['--local-secrets-file', p['secrets_file'],
                 '--remote-secrets-file', p['remote_secrets_file']]
    if p['master_key_file']:
        arguments += ['--master-key-file', p['master_key_file']]
    if module.check_mode:
        arguments.append('--dry-run')
    return arguments


def escaped(text):
    """A key or value as a line of .properties holds it."""
    out = text.replace('\\', '\\\\').replace('\n', '\\n').replace('\r', '\\r').replace('\t', '\\t')
    for c in ' :=#!':
        out = out.replace(c, '\\' + c)
    return out


def run(module):
    p = module.params
    files = []
    for name in p['config_file']:
        files += ['--config-file', name]
    if p['values'] is None:
        arguments = ['file', 'encrypt'] + files + common(module)
        if p['keys']:
            arguments += ['--config', '-']
        if p['replace']:
            arguments.append('--replace')
        return propseal(p['executable'], arguments, p['master_key'], ','.join(p['keys'] or []))
    lines = ''.join('%s=%s\n' % (escaped(k), escaped(v if isinstance(v, str) else json.dumps(v)))
                    for k, v in sorted(p['values'].items()))
    return propseal(p['executable'], ['file', 'add'] + files + ['--config', '-'] + common(module),
                    p['master_key'], lines)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            config_file=dict(type='list', elements='path', required=True),
            secrets_file=dict(type='path', required=True),
            remote_secrets_file=dict(type='path', required=True),
            keys=dict(type='list', elements='str', no_log=False),
            values=dict(type='dict', no_log=True),
            replace=dict(type='bool', default=True),
            master_key=dict(type='str', no_log=True),
            master_key_file=dict(type='path'),
            executable=dict(type='str', default='propseal'),
        ),
        mutually_exclusive=[('keys', 'values'), ('master_key', 'master_key_file')],
        supports_check_mode=True,
    )
    if module.params['values'] is not None and len(module.params['config_file']) != 1:
        module.fail_json(msg='values are for one config_file')
    try:
        result = run(module)
    except PropsealError as error:
        module.fail_json(msg=error.message, hint=error.hint, rc=error.status)
    entries = entries_of(result)
    answer = dict(changed=bool(entries) if module.check_mode else result.get('changed', False),
                  entries=entries,
                  notes=[n if isinstance(n, str) else n.get('text', '') for n in result.get('notes', [])])
    if module._diff:
        answer['diff'] = dict(prepared=''.join('%s: %s %s\n' % (e['file'], e['op'], e['key'])
                                               for e in entries))
    module.exit_json(**answer)


if __name__ == '__main__':
    main()
