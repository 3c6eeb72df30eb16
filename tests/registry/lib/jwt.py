"""JSON Web Tokens and the key sets that verify them."""
import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, 'big'))


class Rsa:
    algorithm = 'RS256'

    def __init__(self, kid='rsa-1', bits=2048):
        self.kid, self.key = kid, rsa.generate_private_key(65537, bits)

    def jwk(self):
        n = self.key.public_key().public_numbers()
        return {'kty': 'RSA', 'kid': self.kid, 'use': 'sig', 'alg': 'RS256',
                'n': number(n.n), 'e': number(n.e)}

    def sign(self, data):
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def pem(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Ec:
    algorithm = 'ES256'

    def __init__(self, kid='ec-1'):
        self.kid, self.key = kid, ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        n = self.key.public_key().public_numbers()
        return {'kty': 'EC', 'kid': self.kid, 'use': 'sig', 'crv': 'P-256',
                'x': number(n.x, 32), 'y': number(n.y, 32)}

    def der(self, data):
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def sign(self, data):
        r, s = decode_dss_signature(self.der(data))
        return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')


def key_set(*keys):
    return json.dumps({'keys': [key.jwk() for key in keys]})


def claims(subject='adm', **more):
    now = int(time.time())
    found = {'iss': 'https://issuer.test', 'aud': 'registry', 'sub': subject,
             'iat': now, 'nbf': now - 5, 'exp': now + 300, **more}
    return {name: value for name, value in found.items() if value is not None}


def part(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def token(key, payload, header=None):
    head = {'alg': key.algorithm, 'typ': 'JWT', 'kid': key.kid, **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    signed = f'{part(head)}.{part(payload)}'
    return f'{signed}.{b64(key.sign(signed.encode()))}'


def hs256(secret, payload, header=None):
    signed = f'{part({"alg": "HS256", "typ": "JWT", **(header or {})})}.{part(payload)}'
    return f'{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}'
