"""The format of secrets files, implemented a second time, to judge propseal by.

Nothing here comes from propseal's code: the key derivation, ciphers and the
reading of .properties are those of hashlib, the cryptography package and the
documentation of java.util.Properties.
"""
import base64
import hashlib
import re

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

META = '_metadata.'
SALT = META + 'master_key.0.salt'
SYMMETRIC = META + 'symmetric_key.0.'
GCM, CBC = 'AES/GCM/NoPadding', 'AES/CBC/PKCS5Padding'


def text(raw):
    return base64.b64encode(raw).decode()


def derive(passphrase, salt, iterations, length):
    """The salt is the base64 text itself, not what it decodes to."""
    return hashlib.pbkdf2_hmac('sha512', passphrase, salt.encode(), iterations, length)


def seal(key, plain, iv, cipher=GCM):
    if cipher == GCM:
        data = AESGCM(key).encrypt(iv, plain, None)
    else:
        pad = padding.PKCS7(128).padder()
        aes = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        data = aes.update(pad.update(plain) + pad.finalize()) + aes.finalize()
    return f'ENC[{cipher},data:{text(data)},iv:{text(iv)},type:str]'


def unseal(key, sealed):
    parts = re.fullmatch(r'ENC\[([^,]+),data:([^,]*),iv:([^,]*),type:str\]', sealed)
    cipher, data, iv = parts[1], base64.b64decode(parts[2]), base64.b64decode(parts[3])
    if cipher == GCM:
        return AESGCM(key).decrypt(iv, data, None)
    aes = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    pad = padding.PKCS7(128).unpadder()
    return pad.update(aes.update(data) + aes.finalize()) + pad.finalize()


def _lines(content):
    """Logical lines of .properties: comments gone, continuations joined."""
    pending = None
    for line in re.split('\r\n|\r|\n', content):
        line = line.lstrip(' \t\f')
        if pending is None and (line == '' or line[0] in '#!'):
            continue
        line = (pending or '') + line
        pending = None
        if (len(line) - len(line.rstrip('\\'))) % 2:
            pending = line[:-1]
        else:
            yield line
    if pending:
        yield pending


def _plain(escaped):
    def one(match):
        if match[1]:
            return chr(int(match[1], 16))
        return {'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}.get(match[2], match[2])
    joined = re.sub(r'\\(?:u([0-9a-fA-F]{4})|(.))', one, escaped, flags=re.DOTALL)
    return joined.encode('utf-16', 'surrogatepass').decode('utf-16')


def properties(raw):
    """A dict of the last value of each key."""
    found = {}
    for line in _lines(raw.decode()):
        key, rest = re.fullmatch(r'((?:\\.|[^\\=: \t\f])*)(.*)', line, re.DOTALL).groups()
        value = re.fullmatch(r'[ \t\f]*[=:]?[ \t\f]*(.*)', rest, re.DOTALL)[1]
        found[_plain(key)] = _plain(value)
    return found


def open_all(raw, master):
    """Every sealed entry of a secrets file, opened, as {name: bytes}."""
    entries = properties(raw)
    data_key = base64.b64decode(unseal(base64.b64decode(master), entries[SYMMETRIC + 'enc']))
    return {name: unseal(data_key, value) for name, value in entries.items()
            if not name.startswith(META) and value.startswith('ENC[')}
