"""A certification authority and what it signs, for TLS cases."""
import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lib import harness

DAY = datetime.timedelta(days=1)

# What an authority's key is for.
SIGNS = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
    encipher_only=False, decipher_only=False)


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Test'),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    def __init__(self, common_name='Test CA'):
        self.folder = harness.scratch('ca')
        self.name = name(common_name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.sign(self.key.public_key(), self.name, ca=True)
        self.file = self.save('ca.pem', self.certificate)

    def sign(self, public_key, subject, ca=False, client=False, both=False, days=(-1, 30), alt=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY)
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self.key.public_key()), False))
        if ca:
            builder = builder.add_extension(SIGNS, critical=True)
        else:
            usages = [ExtendedKeyUsageOID.CLIENT_AUTH] * (client or both) + \
                [ExtendedKeyUsageOID.SERVER_AUTH] * (both or not client)
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if alt:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(alt)), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def save(self, file, *things):
        text = b''
        for thing in things:
            if isinstance(thing, x509.Certificate):
                text += thing.public_bytes(serialization.Encoding.PEM)
            else:
                text += thing.private_bytes(serialization.Encoding.PEM,
                                            serialization.PrivateFormat.PKCS8,
                                            serialization.NoEncryption())
        return harness.write(os.path.join(self.folder, file), text.decode())

    def issue(self, common_name, **how):
        """(certificate file, key file)"""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.sign(key.public_key(), name(common_name), **how)
        stem = f'{common_name}-{certificate.serial_number:x}'
        return self.save(stem + '.pem', certificate), self.save(stem + '.key', key)

    def server(self):
        return self.issue('localhost', alt=(x509.DNSName('localhost'),
                                            x509.IPAddress(ipaddress.ip_address('127.0.0.1'))))

    def node(self, common_name):
        """Of a registry that is a client of others, too."""
        return self.issue(common_name, both=True, alt=(
            x509.DNSName('localhost'), x509.IPAddress(ipaddress.ip_address('127.0.0.1'))))

    def client(self, common_name, **how):
        return self.issue(common_name, client=True, **how)

    @staticmethod
    def context_of_server(pair):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        return context

    def context(self, pair=None, version=None):
        """For a client that trusts this authority."""
        context = ssl.create_default_context(cafile=self.file)
        # As Python is by itself from 3.13 on.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if version:
            context.minimum_version = context.maximum_version = version
        if pair:
            context.load_cert_chain(*pair)
        return context
