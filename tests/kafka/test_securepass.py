#!/usr/bin/env -S python3 -B
"""${securepass:...} in Java: the same values, and the same refusals, as propseal's own."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_kafka import jvm  # noqa: E402 (it adds the registry's lib)
from lib_kafka.jvm import values  # noqa: E402
from lib import harness, program, run  # noqa: E402
from lib.check import check, same  # noqa: E402

VECTORS = os.path.join(jvm.ROOT, 'tests', 'conformance', 'vectors')
PROVIDER = {'config.providers': 'securepass',
            'config.providers.securepass.class': 'propseal.connect.SecurePassConfigProvider'}
VARIABLE = 'CONFLUENT_SECURITY_MASTER_KEY'
VALUES = {'a.password': 'plain', 'b.password': 'пароль-密码-🔐', 'c.password': ' blanks and \\ = : ',
          'd.password': 'many words ' * 500, 'e.password': 'odd {$} signs'}
_askers = {}


def asker(**env):
    name = json.dumps(env, sort_keys=True)
    if name not in _askers:
        _askers[name] = jvm.Asker(**env)
    return _askers[name]


def propseal(*args, key=None, code=0):
    env = program.environment(**({VARIABLE: key} if key else {}))
    done = subprocess.run([program.PROGRAM, *args], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if code is not None:
        same(done.returncode, code, f'{args}: {done.stderr.decode()}')
    return done


class Sealed:
    """A secrets file that propseal made, with VALUES in it."""

    def __init__(self):
        self.folder = harness.scratch('sealed')
        self.secrets = os.path.join(self.folder, 'secrets.properties')
        self.config = os.path.join(self.folder, 'server.properties')
        generated = propseal('master-key', 'generate', '--local-secrets-file', self.secrets,
                             '--passphrase', 'a passphrase', '-o', 'json')
        self.key = json.loads(generated.stdout)['master_key']
        jvm.properties(self.config, VALUES)
        propseal('file', 'encrypt', '--config-file', self.config, '--local-secrets-file',
                 self.secrets, '--remote-secrets-file', self.secrets, key=self.key)

    def lines(self):
        with open(self.secrets, encoding='utf-8') as f:
            return dict(line.rstrip('\n').split(' = ', 1) for line in f if ' = ' in line)

    def rewrite(self, lines):
        with open(self.secrets, 'w', encoding='utf-8') as f:
            f.writelines(f'{k} = {v}\n' for k, v in lines.items())

    def ask(self, key=None, one=None, env=None, **settings):
        """What Java makes of it, of one entry or of all."""
        names = [one] if one else list(VALUES)
        return ask(self.folder, {n: reference(self.secrets, n) for n in names},
                   env if env is not None else {VARIABLE: key or self.key}, settings)

    def rendered(self, one):
        """What propseal makes of it: (exit status, text)."""
        file = os.path.join(self.folder, 'one.properties')
        with open(file, 'w', encoding='utf-8') as f:
            f.write(f'{one}={reference(self.secrets, one)}\n')
        done = propseal('render', file, key=self.key, code=None)
        return done.returncode, done.stdout.decode()


def reference(secrets, name):
    return '${securepass:%s:server.properties/%s}' % (secrets, name)


def ask(folder, entries, env, settings):
    params = {f'config.providers.securepass.param.{k.replace("_", ".")}': v
              for k, v in settings.items()}
    file = jvm.properties(os.path.join(folder, 'asked.properties'),
                          {**PROVIDER, **params, **entries})
    return asker(**env).ask(file)


def refused(answer, *named):
    return jvm.refused(answer, VALUES.values(), *named)


def s01_same_values_as_were_sealed():
    s = Sealed()
    same(values(s.ask()), VALUES, 'values')


def s02_vectors_of_the_reference():
    for name in sorted(os.listdir(VECTORS)):
        with open(os.path.join(VECTORS, name, 'facts.json'), encoding='utf-8') as f:
            facts = json.load(f)
        folder = harness.scratch('vector')
        secrets = os.path.join(folder, 'secrets.properties')
        shutil.copy(os.path.join(VECTORS, name, 'secrets.properties'), secrets)
        with open(secrets, 'rb') as f:
            text = f.read()
        mixed = b'CBC' in text and b'symmetric_key.0.enc = ENC[AES/GCM' in text
        key = os.path.join(folder, 'key')
        harness.write(key, facts['master_key'] + '\n')
        entries = {n: reference(secrets, n) for n in facts['values']}
        answer = ask(folder, entries, {}, {'master.key.file': key})
        if mixed:    # CBC without a tag beside GCM: as propseal's own
            refused(answer, 'AES-CBC', 'propseal file rotate --data-key')
            answer = ask(folder, entries, {}, {'master.key.file': key, 'legacy.cbc': 'true'})
        same(values(answer), facts['values'], name)


def s03_exchanged_entries_are_refused():
    s = Sealed()
    lines = s.lines()
    a, b = 'server.properties/a.password', 'server.properties/b.password'
    swapped = {**lines, a: lines[b], b: lines[a]}
    both = {**swapped, '_propseal.tag/' + a: lines['_propseal.tag/' + b],
            '_propseal.tag/' + b: lines['_propseal.tag/' + a]}
    copied = {**lines, a: lines[b]}
    gone = {k: v for k, v in copied.items() if k != b}
    for what, lines in (('values', swapped), ('values and tags', both), ('a copy', copied),
                        ('a value whose own entry is gone', gone)):
        s.rewrite(lines)
        check(s.rendered('a.password')[0] != 0, f'propseal refuses {what}')
        refused(s.ask(one='a.password'), 'sealed for another entry', b)
        same(values(s.ask(one='c.password')), {'c.password': VALUES['c.password']}, 'others')


def s04_stale_and_missing_tags():
    s = Sealed()
    lines = s.lines()
    a = 'server.properties/a.password'
    stale = {**lines, '_propseal.tag/' + a: 'AAAAAAAAAAAAAAAAAAAAAA=='}
    none = {k: v for k, v in lines.items() if k != '_propseal.tag/' + a}
    for lines in (stale, none):
        s.rewrite(lines)
        same(s.rendered('a.password')[0], 0, 'propseal opens it')
        same(values(s.ask(one='a.password')), {'a.password': 'plain'}, 'value')
        refused(s.ask(one='a.password', tags='required'), 'tags are required', a)
    s.rewrite({**none, a: none[a].replace('AES/GCM/NoPadding', 'AES/CBC/PKCS5Padding')})
    check(s.rendered('a.password')[0] != 0, 'propseal refuses CBC without a tag')
    refused(s.ask(one='a.password'), 'AES-CBC')


def s05_legacy_files_open_whole_or_not_at_all():
    folder = harness.scratch('legacy')
    source = os.path.join(VECTORS, 'cbc-1000')
    with open(os.path.join(source, 'facts.json'), encoding='utf-8') as f:
        facts = json.load(f)
    secrets = os.path.join(folder, 's')
    with open(os.path.join(source, 'secrets.properties'), encoding='utf-8') as f:
        text = f.read()
    name, other = list(facts['values'])[:2]
    line = next(x for x in text.splitlines() if x.startswith(f'server.properties/{other} '))
    at = line.index('data:') + 5
    broken = line[:at] + ('A' if line[at] != 'A' else 'B') + line[at + 1:]
    env = {VARIABLE: facts['master_key']}
    harness.write(secrets, text.replace(line, broken))
    said = ask(folder, {name: reference(secrets, name)}, env, {})
    # Which bytes break the padding is left to chance: another value may still come out.
    if 'error' in said:
        refused(said, 'not all values')
        check(name not in said['error'].replace(secrets, '') and other not in said['error'],
              'no entry is named', said)
    harness.write(secrets, text.replace(line, line.replace('data:', 'data:AAAA', 1)))
    said = refused(ask(folder, {name: reference(secrets, name)}, env, {}), 'not all values')
    check(other not in said, 'no entry is named', said)
    harness.write(secrets, text)
    same(values(ask(folder, {name: reference(secrets, name)}, env, {})),
         {name: facts['values'][name]}, 'whole')


def s06_where_the_master_key_comes_from():
    s = Sealed()
    file, credentials = os.path.join(s.folder, 'key'), os.path.join(s.folder, 'credentials')
    harness.write(file, s.key + '\n')
    os.mkdir(credentials)
    harness.write(os.path.join(credentials, 'propseal.master-key'), s.key)
    wrong = harness.key_text()
    good = {'a.password': 'plain'}
    same(values(s.ask(one='a.password', env={}, master_key_file=file)), good, 'a file')
    same(values(s.ask(one='a.password', env={'CREDENTIALS_DIRECTORY': credentials})), good,
         'the credential')
    same(values(s.ask(one='a.password', env={VARIABLE: wrong, 'OTHER': s.key},
                      master_key_variable='NONE, OTHER')), good, 'a variable that is named')
    said = refused(s.ask(one='a.password', env={VARIABLE: wrong, 'CREDENTIALS_DIRECTORY': '/none'}),
                   'no master key opens')
    check(wrong not in said and s.key not in said, 'no key in the error', said)
    # The file does not choose the variable.
    lines = s.lines()
    s.rewrite({**lines, '_metadata.symmetric_key.0.envvar': 'OTHER'})
    refused(s.ask(one='a.password', env={'OTHER': s.key}), 'no master key for', VARIABLE)
    said = refused(s.ask(one='a.password', env={VARIABLE: 'not*base64'}), 'not 16, 24 or 32 bytes')
    check('not*base64' not in said, 'no key in the error', said)


def s07_what_is_not_there_or_damaged():
    s = Sealed()
    refused(s.ask(one='no.such.password'), 'has no entry server.properties/no.such.password')
    refused(ask(s.folder, {'x': '${securepass:%s:_metadata.symmetric_key.0.enc}' % s.secrets},
                {VARIABLE: s.key}, {}), 'has no entry')
    refused(ask(s.folder, {'x': '${securepass:/no/such/file:server.properties/x}'},
                {VARIABLE: s.key}, {}), '/no/such/file')
    refused(ask(s.folder, {'x': '${securepass:just-one-part}'}, {VARIABLE: s.key}, {}),
            'names its file')
    lines = s.lines()
    a = 'server.properties/a.password'
    s.rewrite({**lines, a: lines[a].replace('data:', 'data:AAAA')})
    refused(s.ask(one='a.password'), 'does not open')
    s.rewrite({**lines, a: 'in clear'})
    refused(s.ask(one='a.password'), 'is not sealed')
    s.rewrite({k: v for k, v in lines.items() if not k.endswith('.enc')})
    refused(s.ask(one='a.password'), 'has no data key')


def s08_parameters_are_checked():
    s = Sealed()
    refused(s.ask(one='a.password', master_key_fiel='/x'), 'no parameter master.key.fiel',
            'master.key.file')
    refused(s.ask(one='a.password', tags='always'), 'tags has to be')
    refused(s.ask(one='a.password', legacy_cbc='yes'), 'legacy.cbc has to be')
    refused(s.ask(one='a.password', ttl_ms='-1'), 'ttl.ms has to be')


def s09_rotation_is_followed():
    s = Sealed()
    propseal('file', 'rotate', '--data-key', '--local-secrets-file', s.secrets,
             '--passphrase', 'a passphrase', key=s.key)
    same(values(s.ask()), VALUES, 'after the data key changed')
    done = propseal('file', 'rotate', '--master-key', '--local-secrets-file', s.secrets,
                    '--passphrase', 'a passphrase', '--passphrase-new', 'another one', '-o', 'json',
                    key=s.key)
    new = json.loads(done.stdout)['master_key']
    same(values(s.ask(key=new)), VALUES, 'with the new master key')
    refused(s.ask(), 'no master key opens')


def s10_logs_hold_no_value_and_no_key():
    for a in _askers.values():
        said = a.close()
        check('ERROR' not in said, 'no error logged', said)
        for text in VALUES.values():
            check(text not in said, 'no value logged', said)
    _askers.clear()


if __name__ == '__main__':
    run.main(globals())
