#!/usr/bin/env python3
"""Make the secrets files in vectors/ without propseal.

usage: make_vectors.py FOLDER

Each folder in it: secrets.properties, server.properties that refers to every
entry, and facts.json with the passphrase, the master key and the plaintexts.
All that would be random is derived from the name, so that the files come out
the same every time (and are of no use for anything but tests).
"""
import hashlib
import json
import os
import sys

import envelope as e

REMOTE = '/mnt/secrets/secrets.properties'
PASSPHRASE = 'correct horse battery'
CREATED = '2026-11-21 22:53:24.600000001 +0000 UTC m=+0.005000001'

COMMON = {
    'ssl.keystore.password': 'keystore-S3cret!',
    'ssl.truststore.password': 'пароль-密码-🔐-ñ',
    'ssl.key.password': '',
    'one.block.password': '0123456789abcdef',
    'block.less.one.password': '0123456789abcde',
    'block.and.one.password': '0123456789abcdefg',
}
ODD = {
    'controls.password': 'tab\tline\nreturn\rfeed\fbell\x07',
    'backslash.password': 'C:\\new\\u0041\\',
    'blanks.password': '  both ends  ',
    'separators.password': '=:#!, ${x:y}z "quoted" \'single\'',
    'long.password': 'long ' * 2000,
    'key with = and : password': 'x',
    'clé.password': 'é',
}


class Vector:
    def __init__(self, name, iterations=10000, length=32, cipher=e.GCM, wrap=e.GCM,
                 metadata=True, values=None, passphrase=PASSPHRASE, newline='\n', mixed=False):
        self.__dict__.update(locals())
        self.values = values or COMMON

    def noise(self, label, n):
        """What takes the place of random bytes."""
        return hashlib.shake_256(f'{self.name}/{label}'.encode()).digest(n)

    def iv(self, label, cipher):
        return self.noise(label, 12 if cipher == e.GCM else 16)

    def escape(self, s, is_key):
        out = ''
        for i, c in enumerate(s):
            if c in '\\' or (is_key and c in ' =:#!') or (not is_key and i == 0 and c == ' '):
                out += '\\' + c
            else:
                out += {'\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f'}.get(c, c)
        return out

    def lines(self):
        salt = e.text(self.noise('master salt', 32))
        master = e.derive(self.passphrase.encode(), salt, self.iterations, self.length)
        data_key = self.noise('data key', self.length)
        yield e.SALT, salt
        yield e.SYMMETRIC + 'created_at', CREATED
        yield e.SYMMETRIC + 'envvar', 'CONFLUENT_SECURITY_MASTER_KEY'
        if self.metadata:
            yield e.SYMMETRIC + 'length', str(self.length)
            yield e.SYMMETRIC + 'iterations', str(self.iterations)
        yield e.SYMMETRIC + 'salt', e.text(self.noise('salt', 32))
        yield e.SYMMETRIC + 'enc', e.seal(master, e.text(data_key).encode(),
                                          self.iv('wrap', self.wrap), self.wrap)
        for i, (key, value) in enumerate(self.values.items()):
            cipher = e.CBC if self.mixed and i % 2 else self.cipher
            yield (f'server.properties/{key}',
                   e.seal(data_key, value.encode(), self.iv(key, cipher), cipher))
        self.master = e.text(master)

    def write(self, folder):
        folder = os.path.join(folder, self.name)
        os.makedirs(folder, exist_ok=True)

        def put(name, pairs):
            with open(os.path.join(folder, name), 'w', newline='') as f:
                for key, value in pairs:
                    f.write(f'{self.escape(key, True)} = {value}{self.newline}')

        put('secrets.properties', self.lines())
        put('server.properties', ((key, f'${{securepass:{REMOTE}:server.properties/'
                                   f'{self.escape(key, False)}}}') for key in self.values))
        with open(os.path.join(folder, 'facts.json'), 'w') as f:
            json.dump({'passphrase': self.passphrase, 'master_key': self.master,
                       'values': self.values}, f, indent=1, ensure_ascii=False)
            f.write('\n')


VECTORS = [
    Vector('gcm-10000'),
    Vector('gcm-220000', iterations=220000),
    Vector('gcm-one-iteration', iterations=1),
    Vector('gcm-aes192', length=24),
    Vector('gcm-aes128', length=16),
    Vector('gcm-no-metadata', metadata=False),
    Vector('gcm-crlf', newline='\r\n'),
    Vector('gcm-odd-values', values=ODD),
    Vector('gcm-passphrase-of-200-bytes', passphrase=PASSPHRASE * 10),
    Vector('gcm-passphrase-with-blanks', passphrase=' пароль \t\r'),
    Vector('cbc-1000', iterations=1000, cipher=e.CBC, wrap=e.CBC),
    Vector('cbc-aes128', iterations=1000, length=16, cipher=e.CBC, wrap=e.CBC),
    Vector('cbc-odd-values', cipher=e.CBC, wrap=e.CBC, values=ODD),
    Vector('cbc-and-gcm', mixed=True),
]

if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for vector in VECTORS:
        vector.write(sys.argv[1])
