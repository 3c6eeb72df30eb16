#!/usr/bin/env -S python3 -B
"""A broker and its clients whose files propseal sealed, with the jar and nothing else."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_kafka import jvm  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import Broker, settings_text, write  # noqa: E402
from lib import harness, program, run  # noqa: E402
from lib.check import check, same  # noqa: E402

VARIABLE = 'CONFLUENT_SECURITY_MASTER_KEY'
LOGIN, STORE, ALICE = 'CANARY-admin', 'CANARY-store', 'CANARY-alice'
PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'


class Site:
    def __init__(self):
        self.folder = harness.scratch('broker')
        self.secrets = self.file('secrets.properties')
        self.ini = write(self.file('propseal.ini'),
                         '[files]\nprovider-class = propseal.connect.SecurePassConfigProvider\n')
        made = self.propseal('master-key', 'generate', '--local-secrets-file', self.secrets,
                             '--passphrase', 'a passphrase', '-o', 'json')
        self.key = json.loads(made)['master_key']
        self.keytool('-genkeypair', '-keyalg', 'EC', '-dname', 'CN=localhost', '-ext',
                     'san=dns:localhost,ip:127.0.0.1', '-keystore', self.file('broker.p12'))
        self.keytool('-exportcert', '-keystore', self.file('broker.p12'), '-file',
                     self.file('broker.der'))
        self.keytool('-importcert', '-noprompt', '-file', self.file('broker.der'), '-keystore',
                     self.file('trust.p12'))
        self.sasl, self.ssl = jvm.free_ports(2)
        self.broker = Broker(self.folder, with_jar=True, env={VARIABLE: self.key}, **{
            'sasl.enabled.mechanisms': 'PLAIN',
            'listener.name.sasl_plaintext.plain.sasl.jaas.config':
                f'{PLAIN} username="admin" password="{LOGIN}" user_alice="{ALICE}";',
            'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': self.file('broker.p12'),
            'ssl.keystore.password': STORE})
        with open(self.broker.file, encoding='utf-8') as f:
            text = f.read()
        text = text.replace('listeners=PLAINTEXT', f'listeners=SASL_PLAINTEXT://127.0.0.1:{self.sasl},'
                            f'SSL://127.0.0.1:{self.ssl},PLAINTEXT')
        write(self.broker.file, text)
        self.seal(self.broker.file)

    @staticmethod
    def keytool(*args):
        subprocess.run(['keytool', *args, '-alias', 'broker', '-storetype', 'PKCS12', '-storepass',
                        STORE], check=True, capture_output=True, timeout=60)

    def file(self, name):
        return os.path.join(self.folder, name)

    def propseal(self, *args):
        env = program.environment(PROPSEAL_CONFIG=self.ini)
        if hasattr(self, 'key'):
            env[VARIABLE] = self.key
        done = subprocess.run([program.PROGRAM, *args], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
        same(done.returncode, 0, f'{args}: {done.stderr.decode()}')
        return done.stdout

    def seal(self, file):
        self.propseal('file', 'encrypt', '--config-file', file, '--local-secrets-file',
                      self.secrets, '--remote-secrets-file', self.secrets)

    def client(self, name, settings):
        file = write(self.file(name), settings_text({
            'default.api.timeout.ms': 20000, 'request.timeout.ms': 10000, **settings}))
        self.seal(file)
        return file

    def login(self, file, **env):
        """What java/Login.java says."""
        env = env or {VARIABLE: self.key}
        p = jvm.Jvm(file + '.log', 'Login', file, with_jar=True, env=env, more=[jvm.CLASSES])
        p.wait()
        said = '\n'.join(line for line in p.said().splitlines() if not line.startswith('\t'))[-1500:]
        check('CANARY' not in p.said(), 'no value in what it prints', said)
        return said


_site = None


def site():
    global _site
    _site = _site or Site()
    return _site


def text_of(file):
    with open(file, encoding='utf-8') as f:
        return f.read()


def k01_nothing_is_left_in_clear_text():
    s = site()
    text = text_of(s.broker.file)
    check('CANARY' not in text and 'CANARY' not in text_of(s.secrets), 'no value', text)
    same(text.count('${securepass:'), 3, 'references')
    check('config.providers.securepass.class=propseal.connect.SecurePassConfigProvider' in
          text.replace(' ', ''), 'the provider is named', text)


def k02_without_the_key_it_does_not_start():
    s = site()
    s.broker.env = {VARIABLE: harness.key_text()}
    try:
        s.broker.format()
    except AssertionError as e:
        check('no master key opens ' + s.secrets in str(e), 'the reason', str(e)[-2000:])
        check('CANARY' not in str(e), 'no value', str(e))
    else:
        check(False, 'the format is refused')
    s.broker.env = {VARIABLE: s.key}


def k03_it_starts_and_lets_its_clients_in():
    s = site()
    s.broker.start()
    good = s.client('alice.properties', {
        'bootstrap.servers': f'127.0.0.1:{s.sasl}', 'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': f'{PLAIN} username="alice" password="{ALICE}";'})
    check('CANARY' not in text_of(good), "the client's file is sealed", text_of(good))
    check('nodes 1' in s.login(good), 'alice logs in', s.login(good))
    said = s.login(good, **{VARIABLE: harness.key_text()})
    check('no master key opens' in said and 'nodes' not in said, 'not without the key', said)
    bad = s.client('mallory.properties', {
        'bootstrap.servers': f'127.0.0.1:{s.sasl}', 'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': f'{PLAIN} username="alice" password="CANARY-wrong";'})
    check('Authentication failed' in s.login(bad), 'not with another password')


def k04_its_key_store_opens():
    s = site()
    client = s.client('tls.properties', {
        'bootstrap.servers': f'127.0.0.1:{s.ssl}', 'security.protocol': 'SSL',
        'ssl.truststore.type': 'PKCS12', 'ssl.truststore.location': s.file('trust.p12'),
        'ssl.truststore.password': STORE})
    check('nodes 1' in s.login(client), 'TLS', s.login(client))


def k05_it_says_no_value():
    s = site()
    s.broker.stop()
    text = text_of(s.file('broker.log'))
    check('CANARY' not in text and s.key not in text, 'no value, no key')


if __name__ == '__main__':
    try:
        run.main(globals(), limit=200)
    finally:
        if _site:
            _site.broker.stop()
