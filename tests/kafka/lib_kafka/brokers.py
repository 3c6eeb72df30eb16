"""Brokers (KRaft, one or three) that can be killed, held and cut off, and a hand in them.

Every broker has a listener for itself and the test, and one for each node under test, whose
advertised address is a proxy's (proxy.py): so a node can be cut off from one broker or all of
them, without being root, while everybody else goes on.
"""
import base64
import json
import os
import random
import select
import signal
import socket
import subprocess

from lib_kafka import jvm
from lib_kafka.cluster import Broker, settings_text, until, write
from lib_kafka.proxy import Proxy
from lib.check import check, fail

NODES = 3


def steady_ports(count):
    """Free ones that the system gives to nobody else: a broker comes back at its own."""
    with open('/proc/sys/net/ipv4/ip_local_port_range', encoding='ascii') as f:
        end = int(f.read().split()[0])
    found = set()
    while len(found) < count:
        port = random.randrange(max(2000, end - 12000), end)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
        found.add(port)
    return list(found)


class OneOf(Broker):
    """A broker of several, which are in each other's settings."""

    def __init__(self, cluster, number, **more):
        self.cluster, self.number = cluster, number
        folder = os.path.join(cluster.folder, str(number))
        os.mkdir(folder)
        self.ports = cluster.ports[number]
        super().__init__(folder, **more)
        self.port = self.ports[0]
        self.address = f'127.0.0.1:{self.port}'
        write(self.file, settings_text({**self.settings(), **more}))

    def settings(self):
        own, control, *doors = self.ports
        count = len(self.cluster.ports)
        names = [f'NODE{i}' for i in range(NODES)]
        here = [f'OWN://127.0.0.1:{own}'] + [
            f'{n}://127.0.0.1:{p}' for n, p in zip(names, doors)]
        there = [f'OWN://127.0.0.1:{own}'] + [
            f'{n}://127.0.0.1:{self.cluster.proxies[i].ports[self.number]}'
            for i, n in enumerate(names)]
        return {
            **super().settings(),
            'node.id': self.number,
            'controller.quorum.voters': ','.join(
                f'{i}@127.0.0.1:{p[1]}' for i, p in self.cluster.ports.items()),
            'listeners': ','.join([*here, f'CONTROLLER://127.0.0.1:{control}']),
            'advertised.listeners': ','.join(there),
            'inter.broker.listener.name': 'OWN',
            'listener.security.protocol.map': ','.join(
                f'{n}:PLAINTEXT' for n in ['OWN', 'CONTROLLER', *names]),
            'default.replication.factor': count, 'min.insync.replicas': 2 if count > 2 else 1,
            'offsets.topic.replication.factor': count,
            'transaction.state.log.replication.factor': count,
            'transaction.state.log.min.isr': 2 if count > 2 else 1,
            'auto.create.topics.enable': 'false', 'log.cleaner.backoff.ms': 500,
            'group.min.session.timeout.ms': 2000, 'background.threads': 2,
            'num.io.threads': 2, 'num.network.threads': 1,
        }

    def format(self):
        done = self.run('kafka.tools.StorageTool', 'format', '-t', self.cluster.id, '-c', self.file)
        if done.wait() != 0:
            raise AssertionError(f'format: {done.said()}')

    def launch(self):
        """Start it; does not wait."""
        self.jvm = self.run('kafka.Kafka', self.file)

    def kill(self):
        self.jvm.stop(signal.SIGKILL)

    def hold(self):
        self.jvm.process.send_signal(signal.SIGSTOP)

    def release(self):
        self.jvm.process.send_signal(signal.SIGCONT)


class Brokers:
    """A cluster. `proxies[i]` lies between node i and all the brokers."""

    def __init__(self, folder, count=1, **more):
        self.folder, self.hand = folder, None
        self.id = base64.urlsafe_b64encode(b'c' + os.urandom(15)).decode().rstrip('=')
        ports = steady_ports(count * (2 + NODES))
        self.ports = {i + 1: ports[i * (2 + NODES):(i + 1) * (2 + NODES)] for i in range(count)}
        self.proxies = [Proxy({i: p[2 + node] for i, p in self.ports.items()})
                        for node in range(NODES)]
        self.brokers = {i: OneOf(self, i, **more) for i in self.ports}

    def start(self):
        for b in self.brokers.values():
            b.format()
        for b in self.brokers.values():
            b.launch()
        self.hand = Hand(','.join(b.address for b in self.brokers.values()))
        self.wait_all()
        return self

    def wait_all(self):
        """All there, and every replica in step with its leader."""
        for b in self.brokers.values():
            b.jvm.wait_for(lambda b=b: 'Kafka Server started' in b.jvm.said(), f'broker {b.number}')
        until(lambda: len(self.hand.may('nodes').get('nodes', ())) == len(self.brokers), 'brokers')
        for topic in self.hand('topics')['topics']:
            self.in_step(topic)

    def in_step(self, topic):
        def all_in():
            d = self.hand.may('describe', topic=topic)
            return 'isr' in d and len(d['isr']) == len(d['replicas'])
        until(all_in, f'the replicas of {topic}')

    def leader(self, topic):
        """The broker that leads the topic's partition."""
        return self.brokers[until(lambda: max(self.hand('describe', topic=topic)['leader'], 0),
                                  'a leader')]

    def coordinator(self, transactional):
        return self.brokers[self.hand('transaction', name=transactional)['coordinator']]

    def for_node(self, node):
        """The bootstrap of a node under test."""
        return ','.join(f'127.0.0.1:{p}' for p in self.proxies[node].ports.values())

    def stop(self):
        for b in self.brokers.values():
            if b.jvm and b.jvm.process.poll() is None:
                b.release()
                b.kill()
        if self.hand:
            self.hand.close()
        for p in self.proxies:
            p.close()


def encoded(records):
    return [{'key': None if k is None else base64.b64encode(k).decode(),
             'value': None if v is None else base64.b64encode(v).decode()} for k, v in records]


class Hand:
    """java/Hand.java: hand('describe', topic='t') and so on."""

    def __init__(self, servers, seconds=30):
        """seconds: how long it tries before it tells an error."""
        self.process = subprocess.Popen(
            ['java', *jvm.OPTIONS, '-Dorg.slf4j.simpleLogger.defaultLogLevel=off', '-cp',
             jvm.class_path(False, jvm.CLASSES), 'Hand', servers, str(seconds)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=jvm.environment())

    def may(self, what, **more):
        """Its answer, which may be {"error","message"}."""
        if 'records' in more:
            more['records'] = encoded(more['records'])
        self.process.stdin.write(json.dumps({'do': what, **more}).encode() + b'\n')
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], 100)[0]:
            fail(f'{what} {more}: no answer within 100 s')
        return json.loads(self.process.stdout.readline())

    def __call__(self, what, **more):
        answer = self.may(what, **more)
        check('error' not in answer, f'{what} {more} is done', answer)
        return answer

    def create(self, topic, partitions=1, replicas=1, **settings):
        self('create', topic=topic, partitions=partitions, replicas=replicas,
             settings={n.replace('_', '.'): str(v) for n, v in
                       {'cleanup_policy': 'compact', **settings}.items()})
        until(lambda: self.may('describe', topic=topic).get('leader', -1) > 0, f'topic {topic}')

        def all_know():
            said = self('known', topic=topic)
            return said['known'] == said['nodes']
        until(all_know, f'each broker knows of {topic}')

    def delete(self, topic):
        """It is gone for each broker, so that nobody is told of it who asks another one."""
        self('delete', topic=topic)
        until(lambda: not self('known', topic=topic)['known'], f'{topic} is gone')

    def truncate(self, topic, before):
        """The start moves; a compacted topic does not allow that."""
        was = self('describe', topic=topic)['settings']['cleanup.policy']
        self('alter', topic=topic, settings={'cleanup.policy': 'compact,delete'})
        until(lambda: 'error' not in self.may('truncate', topic=topic, before=before),
              'truncated')
        self('alter', topic=topic, settings={'cleanup.policy': was})

    def records(self, topic, committed=True):
        """All of the topic: (offset, key, value) each."""
        def decoded(text):
            return None if text is None else base64.b64decode(text)
        return [(r['offset'], decoded(r['key']), decoded(r['value']))
                for r in self('consume', topic=topic, committed=committed)['records']]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
