"""Nodes of the registry whose log is a topic."""
import json
import os
import subprocess

from lib_kafka.cluster import FixedRegistry, until
from lib import program, tls
from lib.check import check, status
from lib.rest import Client


def reason_to_skip():
    """Why the built service has no Kafka log; None where it has."""
    service = program.PROGRAM + '-registryd'
    done = subprocess.run(['ldd', service], capture_output=True, text=True, check=False)
    if 'librdkafka' not in done.stdout:
        return 'built without librdkafka (make KAFKA=)'
    return None


class Node(FixedRegistry):
    """Number i of several, behind its proxy."""

    def __init__(self, brokers, topic, number=0, key=None, data=None, alone=True, **more):
        """alone: there is no other, so that it leads once it has started."""
        count = len(brokers.brokers)
        super().__init__({
            'store.log': 'kafka', 'kafkastore.topic': topic,
            'kafkastore.bootstrap.servers': brokers.for_node(number),
            'kafkastore.topic.replication.factor': min(count, 3), **more}, key=key, data=data)
        self.number, self.topic, self.alone = number, topic, alone
        with open(self.key_file, encoding='ascii') as f:
            self.key = f.read().strip()

    def start(self, key_file=None):
        super().start(key_file)
        return self.wait_leads() if self.alone else self

    def health(self, which='ready'):
        """(status, what it says)"""
        client = self.new()
        try:
            answer = client.get(f'/health/{which}')
            return answer.status, json.loads(answer.body)
        finally:
            client.close()

    def leads(self):
        try:
            return self.running() and self.health('leader')[0] == 200
        except Exception:
            return False

    def metric(self, name):
        """The sum of a metric's values, 0 where there is none."""
        answer = status(self.as_('adm').get('/metrics'), 200)
        return sum(float(line.split()[-1]) for line in answer.body.decode().splitlines()
                   if line.split('{')[0].split(' ')[0] == f'propseal_registry_{name}')

    def wait_leads(self, timeout=60):
        until(self.leads, f'node {self.number} leads', timeout)
        return self

    def wait_records(self):
        """Its users, tokens, bindings and roles are records of the topic."""
        mark = os.path.join(self.data, 'in-topic')
        until(lambda: os.path.exists(mark), 'users are records', 60)
        return self

    def not_ready(self, *words, timeout=60):
        """What /health/ready says once it is 503 and names these words."""
        def said():
            code, body = self.health()
            text = json.dumps(body)
            return code == 503 and all(w in text for w in words) and text
        return until(said, f'not ready, with {words}', timeout)


def forwards(node, authority, number, names):
    """As registry${number}, one of the nodes with these names."""
    node.certificate = authority.node(f'registry{number}')
    node.config.update({
        'rest.base.url': f'https://127.0.0.1:{node.port}', 'node.names': names,
        'ssl.certificate': node.certificate[0], 'ssl.key': node.certificate[1],
        'ssl.client.ca': authority.file})
    node.tls = authority.context


class Forwarding(Node):
    """One that forwards changes to the node that leads, over mutual TLS."""

    def __init__(self, brokers, topic, number, authority, names, **more):
        super().__init__(brokers, topic, number, alone=False, **more)
        self.authority = authority
        forwards(self, authority, number, names)

    def by(self, pair, authorization=None):
        """A client with this certificate."""
        return Client(self, authorization, self.authority.context(pair))


def forwarding_nodes(brokers, topic, count=3, **more):
    """Started, and the first leads."""
    authority = tls.Authority()
    names = ', '.join(f'registry{i}' for i in range(count))
    nodes = []
    for i in range(count):
        nodes.append(Forwarding(brokers, topic, i, authority, names,
                                key=nodes[0].key if nodes else None, **more).start())
        if i == 0:
            nodes[0].wait_leads().wait_records()
    return nodes


def new_nodes(brokers, topic, count, **more):
    """Started, all with one master key; the first leads."""
    nodes = []
    for i in range(count):
        node = Node(brokers, topic, i, key=nodes[0].key if nodes else None, alone=False, **more)
        nodes.append(node.start())
        if i == 0:
            node.wait_leads()
    return nodes


def leader(nodes, timeout=60):
    return until(lambda: next((n for n in nodes if n.leads()), None), 'a leader', timeout)


def same_on_all(load, nodes):
    """What the nodes have is one and the same, once all have read on."""
    first = load.kept(nodes[0])
    for n in nodes[1:]:
        until(lambda n=n: load.kept(n) == first, f'node {n.number} has what node 0 has', 30)
    check(first, 'something was written')
    return first
