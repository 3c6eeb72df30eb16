#!/usr/bin/env -S python3 -B
"""How a node logs in to its brokers, and what it says where it may not. The numbers are those of
README.md."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import jvm, suite  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import until  # noqa: E402
from lib_kafka.nodes import Node  # noqa: E402
from lib_kafka.suite import full, topic  # noqa: E402
from lib import harness, tls  # noqa: E402
from lib.check import check, err, same, status  # noqa: E402
from lib.rest import V  # noqa: E402

MODULE = 'org.apache.kafka.common.security.{}LoginModule required'
PLAIN, SCRAM = MODULE.format('plain.Plain'), MODULE.format('scram.Scram')
PASSWORD = 'CANARY-\\"of=registry;'
SASL, SASL_TLS, TLS = range(3)  # what a node is to the brokers by its number
PROTOCOLS = ('SASL_PLAINTEXT', 'SASL_SSL', 'SSL')


class Site:
    """A broker where each node's listener wants another login."""

    def __init__(self):
        self.authority = tls.Authority()
        certificate, key = self.authority.server()
        both = harness.write(certificate + '.both', text_of(key) + text_of(certificate))
        of_listeners = {}
        for n in ('node0', 'node1'):
            of_listeners.update({
                f'listener.name.{n}.plain.sasl.jaas.config':
                    f'{PLAIN} user_registry="{as_java(PASSWORD)}";',
                f'listener.name.{n}.scram-sha-256.sasl.jaas.config': f'{SCRAM};',
                f'listener.name.{n}.scram-sha-512.sasl.jaas.config': f'{SCRAM};'})
        self.brokers = suite.cluster(1, **{
            'listener.security.protocol.map': 'OWN:PLAINTEXT,CONTROLLER:PLAINTEXT,' + ','.join(
                f'NODE{i}:{p}' for i, p in enumerate(PROTOCOLS)),
            'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', **of_listeners,
            'ssl.keystore.type': 'PEM', 'ssl.keystore.location': both,
            'ssl.truststore.type': 'PEM', 'ssl.truststore.location': self.authority.file,
            'listener.name.node2.ssl.client.auth': 'required',
            'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
            'super.users': 'User:ANONYMOUS;User:registry;User:CN=registry,O=Test'})

    def scram(self, user, password):
        for mechanism in ('SCRAM-SHA-256', 'SCRAM-SHA-512'):
            self.brokers.hand('scram', user=user, mechanism=mechanism, password=password)

    def node(self, number, name=None, **more):
        settings = {'security.protocol': PROTOCOLS[number], 'init.timeout.ms': 6000}
        if number != SASL:
            settings['ssl.ca.location'] = self.authority.file
        settings.update({k.replace('_', '.'): v for k, v in more.items()})
        return Node(self.brokers, name or topic('login'), number,
                    **{'kafkastore.' + k: v for k, v in settings.items()})

    def mtls(self, name):
        certificate, key = self.authority.client(name)
        return {'ssl_certificate_location': certificate, 'ssl_key_location': key}


_site = None


def site():
    global _site
    _site = _site or Site()
    return _site


def text_of(file):
    with open(file, encoding='ascii') as f:
        return f.read()


def as_java(text):
    """Within quotes, in a line of a properties file."""
    return text.replace('\\', '\\\\').replace('"', '\\"').replace('\\', '\\\\')


def plain(password=PASSWORD):
    return {'sasl_mechanism': 'PLAIN',
            'sasl_jaas_config': f'{PLAIN} username="registry" password="{as_java(password)}";'}


def scram(bits, password=PASSWORD, user='registry'):
    return {'sasl_mechanism': f'SCRAM-SHA-{bits}', 'sasl_username': user,
            'sasl_password': password.replace('\\', '\\\\')}


def written(n, secret='one'):
    return n.new('adm').post(V('p', 'k'), {'secret': secret}).status == 200


def works(n):
    n.start()
    check(written(n), 'it writes')
    n.stop()
    n.start()
    same(status(n.as_('adm').get(V('p', 'k') + '/latest'), 200).json()['secret'], 'one', 'it reads')
    n.stop()
    check('CANARY' not in n.errors(), 'no password in what it says', n.errors())


def refused(n, *words):
    said = n.refuses_to_start(timeout=60)
    check(all(w in said for w in words), f'{words} in what it says', said)
    check('CANARY' not in said, 'no password in what it says', said)


# --- 39 ---

def l39_plain_over_tls():
    works(site().node(SASL_TLS, **plain()))


@full
def l39b_plain():
    works(site().node(SASL, **plain()))


@full
def l39c_a_client_certificate():
    works(site().node(TLS, **site().mtls('registry')))


@full
def l39d_scram():
    site().scram('registry', PASSWORD)
    for bits in (256, 512):
        n = site().node(SASL if bits == 256 else SASL_TLS, **scram(bits))
        if jvm.kafka_version().startswith('4.'):
            refused(n, '2.6.1', 'PLAIN')
        else:
            works(n)


def l39e_a_wrong_password():
    refused(site().node(SASL_TLS, **plain('CANARY-wrong')), 'uthentication failed', 'login')


@full
def l39f_a_wrong_password_of_scram():
    site().scram('registry', PASSWORD)
    refused(site().node(SASL, **scram(512, 'CANARY-wrong')), 'uthentication failed', 'password')


@full
def l39g_an_authority_that_is_not_known():
    other = tls.Authority('Another CA').file
    refused(site().node(SASL_TLS, ssl_ca_location=other, **plain()), 'certificate')
    # The broker does not know who signed ours, or there is none at all.
    pair = tls.Authority('Another CA').client('registry')
    refused(site().node(TLS, ssl_certificate_location=pair[0], ssl_key_location=pair[1]), 'SSL')
    refused(site().node(TLS), 'SSL')


@full
def l39h_the_wrong_protocol():
    refused(site().node(SASL_TLS, security_protocol='SASL_PLAINTEXT', **plain()),
            'kafkastore.security.protocol')
    refused(site().node(SASL, security_protocol='PLAINTEXT'), 'kafkastore.security.protocol')


RIGHTS = [('TOPIC', 'READ'), ('TOPIC', 'WRITE'), ('TOPIC', 'DESCRIBE_CONFIGS'), ('GROUP', 'READ'),
          ('TRANSACTIONAL_ID', 'WRITE'), ('TRANSACTIONAL_ID', 'DESCRIBE')]


def allowed(name, rights, user):
    names = {'TOPIC': name, 'GROUP': 'secret-registry.propseal',
             'TRANSACTIONAL_ID': f'propseal-{name}'}
    for kind, operation in rights:
        site().brokers.hand('allow', user=user, type=kind, name=names[kind], operation=operation)


def poor(rights):
    """A node whose user has these rights on its topic, which is there."""
    name = topic('rights')
    site().brokers.hand.create(name, max_message_bytes=2097152)
    user = f'CN={name},O=Test'
    allowed(name, rights, user)
    return site().node(TLS, name, **site().mtls(name)), user


def l39i_these_rights_do():
    works(poor(RIGHTS)[0])


@full
def l39j_a_right_is_missing():
    for kind, operation in RIGHTS:
        if (kind, operation) == ('TRANSACTIONAL_ID', 'DESCRIBE'):
            continue  # WRITE gives it, too
        n, user = poor([r for r in RIGHTS if r != (kind, operation)])
        if kind != 'GROUP':
            refused(n, 'uthorization failed', "allow the registry's user")
            continue
        # It could follow others.
        n.alone = False
        n.start()
        until(lambda n=n: 'cannot lead' in n.errors(), 'it says so', 30)
        code, body = n.health('leader')
        check(code == 503 and 'Group authorization failed' in body['message'], 'why', body)
        allowed(n.topic, [(kind, operation)], user)
        n.wait_leads(60)
        until(lambda n=n: 'well again' in n.errors(), 'it says so', 30)
        n.stop()


@full
def l39k_the_password_is_changed_and_changed_back():
    if jvm.kafka_version().startswith('4.'):
        return
    site().scram('registry', PASSWORD)
    n = site().node(SASL, **scram(512), timeout_ms=4000)
    n.start()
    check(written(n), 'it writes')
    site().scram('registry', 'another password')
    site().brokers.proxies[SASL].break_all()
    until(lambda: not written(n, 'two'), 'nothing is written', 60)
    same(status(n.as_('adm').get(V('p', 'k') + '/1'), 200).json()['secret'], 'one', 'it reads')
    err(n.new('adm').post(V('p', 'k'), {'secret': 'three'}), 503, 504)
    until(lambda: 'brokers do not answer' in n.errors() and 'uthentication failed' in n.errors(),
          'it says why', 60)
    site().scram('registry', PASSWORD)
    until(lambda: written(n, 'four'), 'it writes again', 90)
    n.stop()


if __name__ == '__main__':
    suite.main(globals(), limit=120)
