#!/usr/bin/env python3
"""Judge propseal by the independent envelope.py.

usage: judge.py PROGRAM

1. Every file of vectors/, made without propseal, opens in propseal.
2. Every case of cases.json leaves exactly the configuration that it names,
   and sealed entries that the independent reader opens to the plaintext.
3. Files that propseal rotated open in the independent reader.
4. Changed, cut and exchanged pieces of sealed entries are refused.
The last line is `N passed, N failed`.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import envelope
import make_vectors

HERE = os.path.dirname(os.path.abspath(__file__))
VARIABLE = 'CONFLUENT_SECURITY_MASTER_KEY'


class Fail(Exception):
    pass


def need(ok, why):
    if not ok:
        raise Fail(why)


class Folder:
    """A scratch folder in which the program is run."""

    def __init__(self, program):
        self.program = os.path.abspath(program)

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix='propseal-conformance-')
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def read(self, name):
        with open(os.path.join(self.path, name), 'rb') as f:
            return f.read()

    def write(self, name, content):
        with open(os.path.join(self.path, name), 'wb') as f:
            f.write(content if isinstance(content, bytes) else content.encode())

    def copy(self, folder):
        for name in os.listdir(folder):
            shutil.copyfile(os.path.join(folder, name), os.path.join(self.path, name))

    def names(self):
        return set(os.listdir(self.path))

    def run(self, *argv, master=None, stdin=b''):
        env = {'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8'}
        # So that a build with sanitizers finds its options.
        env.update({k: v for k, v in os.environ.items() if k.endswith('_OPTIONS')})
        if master:
            env[VARIABLE] = master
        done = subprocess.run([self.program, *argv], cwd=self.path, env=env, input=stdin,
                              capture_output=True, timeout=120, check=False)
        self.out, self.err = done.stdout, done.stderr.decode(errors='replace')
        return done.returncode


FILES = ['--config-file', 'server.properties', '--local-secrets-file', 'secrets.properties']
PROVIDERS = (b'\nconfig.providers=securepass\nconfig.providers.securepass.class='
             b'io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n')


def check_opens(d, facts):
    """decrypt, show and verify give the plaintexts."""
    master = facts['master_key']
    wrap, entries = d.read('secrets.properties').split(b'.0.enc = ', 1)[1].split(b'\n', 1)
    cbc = ['--legacy-cbc'] if b'AES/CBC' in entries else []
    # What is in CBC opens without a word only in a file that is so as a whole.
    legacy = cbc if b'AES/GCM' in wrap else []
    for refused, command in (legacy, ['decrypt', *FILES, '--output-file', 'out']), \
            (cbc, ['show', 'server.properties', *FILES[2:], '--reveal']):
        need(not refused or d.run('file', *command, master=master) != 0, 'CBC opens')
    need(d.run('file', 'decrypt', *FILES, '--output-file', 'out', *legacy, master=master) == 0,
         d.err)
    need(envelope.properties(d.read('out')) == facts['values'], 'decrypt gives other values')
    need(d.run('file', 'show', 'server.properties', '--local-secrets-file',
               'secrets.properties', '--reveal', '-o', 'json', *cbc, master=master) == 0, d.err)
    shown = {x['key']: x['value'] for x in json.loads(d.out)['entries']}
    need(all(shown[k] == v for k, v in facts['values'].items()), 'show gives other values')
    # A service would take the references for the values, without these.
    verify = ['file', 'verify', 'server.properties', '--local-secrets-file',
              'secrets.properties', *legacy]
    need(b'securepass.class' in d.read('server.properties') or
         d.run(*verify, master=master) == 3, 'a provider that is missing is not found')
    d.write('server.properties', d.read('server.properties') + PROVIDERS)
    need(d.run(*verify, master=master) == 0, d.out.decode() + d.err)


def vector(program, folder, facts):
    with Folder(program) as d:
        d.copy(folder)
        check_opens(d, facts)


def rotated(program, folder, facts):
    """Both rotations keep every plaintext, by either reading."""
    with Folder(program) as d:
        d.copy(folder)
        d.write('pass', facts['passphrase'] + '\n')
        d.write('new', 'another one\n')
        want = {f'server.properties/{k}': v.encode() for k, v in facts['values'].items()}
        need(d.run('file', 'rotate', '--data-key', '--local-secrets-file', 'secrets.properties',
                   '--passphrase', '@pass', master=facts['master_key']) == 0, d.err)
        raw = d.read('secrets.properties')
        need(b'AES/CBC' not in raw.split(b'.0.enc = ', 1)[1], 'an entry is still CBC')
        need(envelope.open_all(raw, facts['master_key']) == want, 'other values, data key')
        need(d.run('file', 'rotate', '--master-key', '--local-secrets-file',
                   'secrets.properties', '--passphrase', '@pass', '--passphrase-new', '@new',
                   '-o', 'json', master=facts['master_key']) == 0, d.err)
        master = json.loads(d.out)['master_key']
        raw = d.read('secrets.properties')
        meta = envelope.properties(raw)
        derived = envelope.derive(b'another one', meta[envelope.SALT],
                                  int(meta[envelope.SYMMETRIC + 'iterations']),
                                  int(meta[envelope.SYMMETRIC + 'length']))
        need(envelope.text(derived) == master, 'the key is not PBKDF2 of the passphrase')
        need(envelope.open_all(raw, master) == want, 'other values, master key')
        check_opens(d, {**facts, 'master_key': master})


def case(program, c):
    with Folder(program) as d:
        facts = json.load(open(f'{HERE}/vectors/{c["vector"]}/facts.json', encoding='utf-8'))
        d.copy(f'{HERE}/vectors/{c["vector"]}')
        for name, content in c.get('before', {}).items():
            d.write(name, content)
        before = {name: d.read(name) for name in d.names()}
        status = d.run(*c['argv'], master=facts['master_key'], stdin=c.get('stdin', '').encode())
        need(status == c['exit'], f'exit {status}: {d.err}')
        need(c.get('stderr', '') in d.err, f'standard error lacks {c.get("stderr")!r}: {d.err}')
        if 'stdout' in c:
            need(d.out.decode() == c['stdout'], f'standard output is {d.out!r}')
        if status != 0:
            now = {name: d.read(name) for name in d.names()}
            need(now == before, 'failed, and changed a file')
            return
        for name, content in c.get('after', {}).items():
            need(d.read(name).decode() == content, f'{name} is {d.read(name).decode()!r}')
        have = envelope.open_all(d.read('secrets.properties'), facts['master_key'])
        want = {f'server.properties/{k}': v for k, v in facts['values'].items()}
        want.update(c.get('sealed', {}))
        want = {k: v.encode() for k, v in want.items() if k not in c.get('gone', [])}
        need(have == want, f'entries {sorted(have)}, expected {sorted(want)}')


def changes(sealed):
    """Ways to damage a sealed entry, each with its name."""
    data = re.search('data:([^,]*)', sealed)[1]
    iv = re.search('iv:([^,]*)', sealed)[1]
    for at in (0, len(data) // 2, len(data) - 6):
        other = 'A' if data[at] != 'A' else 'B'
        yield f'data-byte-{at}', sealed.replace(data, data[:at] + other + data[at + 1:])
    yield 'iv-byte', sealed.replace(iv, ('A' if iv[0] != 'A' else 'B') + iv[1:])
    yield 'iv-short', sealed.replace(f'iv:{iv}', f'iv:{iv[:-4]}')
    yield 'iv-empty', sealed.replace(f'iv:{iv}', 'iv:')
    yield 'iv-missing', sealed.replace(f',iv:{iv}', '')
    yield 'data-cut', sealed.replace(data, data[:-4])
    yield 'data-empty', sealed.replace(f'data:{data}', 'data:')
    yield 'data-not-base64', sealed.replace(data, '*' + data[1:])
    yield 'cut', sealed[:-12]
    yield 'unknown-cipher', sealed.replace('AES/', 'DES/')


def damage(program, label, key, sealed):
    """Nothing is opened, sealed again, or changed."""
    facts = json.load(open(f'{HERE}/vectors/gcm-10000/facts.json', encoding='utf-8'))
    with Folder(program) as d:
        d.copy(f'{HERE}/vectors/gcm-10000')
        raw = d.read('secrets.properties').decode()
        line = re.search(rf'^{re.escape(key)} = (.*)$', raw, re.MULTILINE)
        d.write('secrets.properties', raw.replace(line[1], sealed))
        d.write('pass', facts['passphrase'])
        before = d.read('secrets.properties')
        for argv in (['file', 'decrypt', *FILES, '--output-file', 'out'],
                     ['file', 'verify', '--local-secrets-file', 'secrets.properties'],
                     ['file', 'rotate', '--local-secrets-file', 'secrets.properties',
                      '--passphrase', '@pass']):
            status = d.run(*argv, master=facts['master_key'])
            need(status == 4, f'{label}: {argv[1]} exits {status}: {d.err}')
            need('secrets.properties' in d.err + d.out.decode(), f'{label}: no file named')
        need('out' not in d.names(), f'{label}: an output was written')
        need(d.read('secrets.properties') == before, f'{label}: the file changed')


def vectors_are_as_made(_program):
    """The files in vectors/ are what make_vectors.py makes."""
    with tempfile.TemporaryDirectory(prefix='propseal-conformance-') as folder:
        for v in make_vectors.VECTORS:
            v.write(folder)
            for name in os.listdir(f'{folder}/{v.name}'):
                with open(f'{folder}/{v.name}/{name}', 'rb') as made, \
                        open(f'{HERE}/vectors/{v.name}/{name}', 'rb') as kept:
                    need(made.read() == kept.read(), f'{v.name}/{name} differs')
        need(set(os.listdir(folder)) == set(os.listdir(f'{HERE}/vectors')), 'other folders')


def tests(program):
    yield 'vectors are as made', lambda: vectors_are_as_made(program)
    for name in sorted(os.listdir(f'{HERE}/vectors')):
        folder = f'{HERE}/vectors/{name}'
        facts = json.load(open(f'{folder}/facts.json', encoding='utf-8'))
        yield f'vector {name}', lambda a=folder, b=facts: vector(program, a, b)
        yield f'rotated {name}', lambda a=folder, b=facts: rotated(program, a, b)
    for c in json.load(open(f'{HERE}/cases.json', encoding='utf-8')):
        yield f'case {c["name"]}', lambda c=c: case(program, c)
    with open(f'{HERE}/vectors/gcm-10000/secrets.properties', 'rb') as f:
        entries = envelope.properties(f.read())
    for key in ('server.properties/ssl.keystore.password', envelope.SYMMETRIC + 'enc'):
        for label, sealed in changes(entries[key]):
            yield f'damage {label} of {key}', \
                lambda a=label, b=key, c=sealed: damage(program, a, b, c)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    passed = failed = 0
    for name, test in tests(sys.argv[1]):
        try:
            test()
            passed += 1
        except (Fail, KeyError, ValueError, OSError, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f'FAIL {name}: {why}')
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
