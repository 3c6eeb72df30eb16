#!/usr/bin/env python3
"""Compare propseal with what `confluent secret` 4.73 did, case by case.

usage: differential.py PROGRAM

recorded.json holds a case a line: the command line, the files before, and
what the reference left: its exit status, its configuration, and what its
sealed entries open to.  Keys, IVs and layout are not compared: a configuration
is compared as java.util.Properties or JSON reads it, a secrets file by what
the independent envelope.py opens.  Beyond the reference, each line that a
command does not touch stays as it is, and a command that fails changes nothing.
Where the reference loses or leaks something ("defect" names it) the intended
values are sealed, or the command refuses.  DIFFERS has what differs on purpose.
The last line is `N passed, N failed`.
"""
import base64
import json
import os
import re
import subprocess
import sys

import envelope
from judge import HERE, Fail, Folder, need

PROVIDERS = {'config.providers', 'config.providers.securepass.class'}
REFUSES = 'it refuses'
SAME_BASE = 'two configurations of one base name: the second is refused without --replace'
DAMAGE = 'damage is told, and nothing is written'
OPENS = 'Java reads this file, and so does propseal'
FILE = 'a passphrase @FILE and - as the documentation says, not as a literal text'

# NAME: (what else may happen, why)
DIFFERS = {
    'generate--v4-at-sign-is-literal': ('passphrase', FILE),
    'generate--v4-dash-is-literal': ('passphrase', FILE),
    'generate-v3--dash-stdin': ('passphrase', FILE + '; a line\'s last letter stays'),
    'generate-v3--dash-stdin-no-newline': ('passphrase', FILE + '; a line\'s last letter stays'),
    'generate--existing-file-without-dek': (REFUSES, 'a master key that is in use stays'),
    'encrypt-default--filter-rule': ('rule', 'the documented rule: keys that contain "password"'),
    'json--no-config-flag': ('rule', 'the documented rule, in JSON too'),
    'json--array-hash-path': ('each', 'each value of an array is sealed by itself'),
    'decrypt--plain-key-requested': ('more', 'a key that is named is given, sealed or not'),
    'encrypt-config--metadata-like-key': (REFUSES, 'a name that rotation would skip'),
    'defect-exit0--same-base-name-overwrites': (REFUSES, SAME_BASE),
    'defect-exit0--swapped-entries': (REFUSES, DAMAGE),
    'defect-exit0--cbc-bitflip-accepted': (REFUSES, DAMAGE),
    'error--config-circular-expression': ('opens', OPENS),
    'error--config-malformed-expression': ('opens', OPENS),
    'error--config-no-key-line': ('opens', OPENS),
    'error--config-trailing-backslash-eof': ('opens', OPENS),
    'error--secrets-malformed-expression': ('opens', OPENS),
    'error--unsupported-extension-uppercase': ('opens', OPENS),
    'error--master-key-trailing-newline': ('opens', 'a line end behind a key is none of it'),
    'error--rotate-master-key-trailing-newline': ('opens', 'a line end behind a passphrase'),
}


def raw(content):
    return content.encode() if isinstance(content, str) else base64.b64decode(content['base64'])


def flag(argv, name):
    return argv[argv.index(name) + 1] if name in argv else None


def read(name, content):
    """{key: value} of a configuration; blanks in login modules do not count."""
    if name.endswith('.json'):
        found = {}

        def walk(at, value):
            if isinstance(value, (dict, list)):
                for k, x in value.items() if isinstance(value, dict) else enumerate(value):
                    walk((*at, str(k)), x)
            else:
                found[at] = str(value)
        walk((), json.loads(content))
        return {k: v for k, v in found.items() if '${securepass' in v}
    return {k: re.sub(r'\s*=\s*', '=', ' '.join(v.split())) if '${securepass' in v or
            'LoginModule' in v else v for k, v in envelope.properties(content).items()}


def open_entries(content, master):
    if envelope.SYMMETRIC + 'enc' not in envelope.properties(content):
        return {}
    return {k.replace('\\.', '.'): v.decode()
            for k, v in envelope.open_all(content, master).items()}


def key_that_was_made(d, c, secrets, how):
    """The master key on standard output; it must come from the passphrase."""
    found = re.search(rb'[A-Za-z0-9+/]{43}=', d.out)
    need(found, 'no master key on standard output')
    meta = envelope.properties(d.read(secrets))
    passphrase = c.get('passphrase', '').encode()
    if how == 'passphrase':
        given = raw(c['before']['pass.txt']) if 'pass.txt' in c['before'] else \
            c.get('stdin', '').encode()
        passphrase = given.removesuffix(b'\n')
    key = envelope.derive(passphrase, meta[envelope.SALT],
                          int(meta.get(envelope.SYMMETRIC + 'iterations', 10000)),
                          int(meta.get(envelope.SYMMETRIC + 'length', 32)))
    need(envelope.text(key) == found[0].decode(), 'the key is not PBKDF2 of the passphrase')
    return found[0].decode()


def lines_stay(name, before, now, touched):
    """What no command touches stays byte for byte, and in its order."""
    at = 0
    for piece in re.findall(rb'(?:\\\r\n|\\.|[^\\\r\n])*(?:\r\n|\r|\n|$)', before, re.DOTALL):
        keys = set(envelope.properties(piece))
        if not piece or keys & touched or b'\\' in piece and not keys:
            continue
        found = now.find(piece, at)
        need(found >= 0, f'{name}: a line changed that nothing touches: {piece!r}')
        at = found + len(piece)


def compare_configuration(name, c, before, now):
    defect, how = 'defect' in c, DIFFERS.get(c['name'], ('',))[0]
    got, want = read(name, now), read(name, raw(c['after'][name]) if name in c.get('after', {})
                                      else before)
    if not defect and how not in ('rule', 'opens'):
        # A provider is named where something is sealed; the reference always does.
        left = PROVIDERS if not any('${securepass' in v for v in want.values()) else set()
        different = {k for k in set(got) | set(want) if got.get(k) != want.get(k)} - left
        need(not different, f'{name} reads otherwise: {different}')
    if not name.endswith('.json'):
        was = read(name, before)
        touched = {k for k in set(was) | set(got) if was.get(k) != got.get(k)} | PROVIDERS
        lines_stay(name, before, now, touched)


def compare(d, c, status):
    argv, defect = c['argv'], 'defect' in c
    how, why = DIFFERS.get(c['name'], ('', ''))
    before = {name: raw(content) for name, content in c['before'].items()}
    if status != 0:
        need(0 < status < 126, f'exit {status}')
        need(all(d.read(name) == content for name, content in before.items()),
             'failed, and changed a file')
        need(d.err.strip(), 'failed without a word')
        need(c['exit'] != 0 or defect or how == REFUSES, f'exit {status}: {d.err}')
        return
    need(c['exit'] == 0 or defect or how == 'opens', f'exit 0, the reference refuses {why}')
    secrets, master = flag(argv, '--local-secrets-file'), c.get('master')
    if argv[1] == 'generate' or '--master-key' in argv:
        master = key_that_was_made(d, c, secrets, how)
    if argv[1] == 'decrypt':
        output = flag(argv, '--output-file')
        if not defect and how != 'opens':
            got = envelope.properties(d.read(output))
            want = envelope.properties(raw(c['after'][output]))
            need(want.items() <= got.items() if how == 'more' else want == got,
                 'decrypts to something else')
        return
    if secrets in d.names() and master and 'sealed' in c:
        have = open_entries(d.read(secrets), master)
        want = {k.replace('\\.', '.'): v for k, v in c['sealed'].items()}
        if how == 'each':
            want = {k.replace('#', str(i)): x for k, v in want.items()
                    for i, x in enumerate(json.loads(v))}
        need(want.items() <= have.items() if defect or how == 'rule' else want == have,
             f'sealed are {have}, expected {want}')
    for name, content in before.items():
        if name == flag(argv, '--config-file') and name != secrets:
            compare_configuration(name, c, content, d.read(name))


def run(program, c):
    with Folder(program) as d:
        for name, content in c['before'].items():
            d.write(name, raw(content))
        compare(d, c, d.run(*c['argv'], master=c.get('master'),
                            stdin=c.get('stdin', '').encode()))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(os.path.join(HERE, 'recorded.json'), encoding='utf-8') as f:
        cases = json.load(f)
    passed = failed = 0
    missing = set(DIFFERS) - {c['name'] for c in cases}
    for c in cases:
        try:
            need(not missing, f'no such case: {missing}')
            run(sys.argv[1], c)
            passed += 1
        except (Fail, KeyError, ValueError, OSError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f'FAIL {c["name"]}: {problem!r}')
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
