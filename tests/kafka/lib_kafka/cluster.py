"""A broker (KRaft, one node) and Connect workers, on the loopback interface."""
import json
import os
import time
import urllib.error
import urllib.request

from lib_kafka import jvm
from lib.harness import Registry


def settings_text(settings):
    return ''.join(f'{k}={v}\n' for k, v in settings.items())


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


class FixedRegistry(Registry):
    """One that comes back at the same address."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.port = jvm.free_ports(1)[0]

    def arguments(self, key_file=None):
        return [a if a != '127.0.0.1:0' else f'127.0.0.1:{self.port}'
                for a in super().arguments(key_file)]


class Broker:
    def __init__(self, folder, with_jar=False, env=None, **more):
        self.folder, self.with_jar, self.env = folder, with_jar, env
        self.port, self.controller = jvm.free_ports(2)
        self.address = f'127.0.0.1:{self.port}'
        self.file = os.path.join(folder, 'server.properties')
        write(self.file, settings_text({**self.settings(), **more}))
        self.jvm = None

    def settings(self):
        return {
            'process.roles': 'broker,controller', 'node.id': 1,
            'controller.quorum.voters': f'1@127.0.0.1:{self.controller}',
            'listeners': f'PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self.controller}',
            'advertised.listeners': f'PLAINTEXT://{self.address}',
            'controller.listener.names': 'CONTROLLER',
            'inter.broker.listener.name': 'PLAINTEXT',
            'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,'
                                              'SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL',
            'log.dirs': os.path.join(self.folder, 'data'),
            'offsets.topic.replication.factor': 1, 'offsets.topic.num.partitions': 1,
            'transaction.state.log.replication.factor': 1, 'transaction.state.log.min.isr': 1,
            'transaction.state.log.num.partitions': 1, 'group.initial.rebalance.delay.ms': 0,
            'log.cleaner.dedupe.buffer.size': 16777216,
        }

    def run(self, main, *args):
        return jvm.Jvm(os.path.join(self.folder, 'broker.log'), main, *args,
                       with_jar=self.with_jar, env=self.env)

    def start(self):
        if not os.path.exists(os.path.join(self.folder, 'data')):
            self.format()
        self.jvm = self.run('kafka.Kafka', self.file)
        self.jvm.wait_for(lambda: 'Kafka Server started' in self.jvm.said(), 'the broker')
        return self

    def format(self):
        done = self.run('kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg',
                        '-c', self.file)
        if done.wait() != 0:
            raise AssertionError(f'format: {done.said()}')

    def stop(self):
        if self.jvm:
            self.jvm.stop()


class Worker:
    """A distributed Connect worker."""

    def __init__(self, folder, broker, plugins, provider, **more):
        self.folder = folder
        self.port = jvm.free_ports(1)[0]
        self.file = write(os.path.join(folder, 'worker.properties'), settings_text({
            'bootstrap.servers': broker.address, 'group.id': 'c1',
            'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
            'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
            'config.storage.topic': 'c-config', 'offset.storage.topic': 'c-offset',
            'status.storage.topic': 'c-status', 'config.storage.replication.factor': 1,
            'offset.storage.replication.factor': 1, 'status.storage.replication.factor': 1,
            'offset.storage.partitions': 1, 'status.storage.partitions': 1,
            'offset.flush.interval.ms': 2000, 'listeners': f'http://127.0.0.1:{self.port}',
            'scheduled.rebalance.max.delay.ms': 0, 'plugin.discovery': 'service_load',
            'plugin.path': plugins, **provider, **more}))
        self.jvm = None

    def start(self):
        self.jvm = jvm.Jvm(os.path.join(self.folder, 'worker.log'),
                           'org.apache.kafka.connect.cli.ConnectDistributed', self.file)
        self.jvm.wait_for(self.up, 'the worker')
        return self

    def up(self):
        try:
            return self.ask('GET', '/connectors')[0] in (200, 401)
        except OSError:
            return False

    def stop(self):
        if self.jvm:
            self.jvm.stop()

    def ask(self, method, path, body=None, headers=None):
        """(status, what was answered: JSON or bytes, headers)"""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}{path}', data, method=method,
            headers={'Content-Type': 'application/json', **(headers or {})})
        try:
            answer = urllib.request.urlopen(request, timeout=100)
        except urllib.error.HTTPError as e:
            answer = e
        with answer:
            text = answer.read()
            try:
                return answer.status, json.loads(text), answer.headers
            except ValueError:
                return answer.status, text, answer.headers


def until(done, what, timeout=jvm.WAIT):
    """What done() returns, once that is true."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        got = done()
        if got:
            return got
        time.sleep(0.1)
    raise AssertionError(f'{what}: not within {timeout} s')
