"""The registry's contract with a topic as the log: the cases of tests/registry about what is
stored, who may, and how it is sealed, where each registry is a node that has a topic of its own;
of one node also logins, the audit log, and the face of Vault.

Left out are suites about what does not reach the log: the protocol (test_http*), the other
dialect (test_mredjem), and a node's own disk (test_faults); and of a follower what is with the node
that leads, or is of TLS (test_audit, test_authentication, test_vault; log/test_forward.py)."""
import functools
import os

from lib_kafka import nodes, suite
from lib_kafka.cluster import FixedRegistry
from lib import harness, run, tls
import test_audit
import test_authentication
import test_authorization
import test_bodies
import test_conditional
import test_create
import test_delete
import test_encryption
import test_lifetime
import test_names
import test_references
import test_vault

FEW = [test_create]
MORE = [test_delete, test_conditional, test_lifetime, test_references, test_bodies, test_names,
        test_authorization, test_encryption]
PREPARED = (test_references, test_authorization)
# Users and roles by the files of the data folder, which are records here; and damage to such a
# file.
BY_FILES = ('r16b_', 'r20b_', 'r33_', 'r33b_', 'r35b_', 'r36_', 'r38b_', 'a09_', 'a09b_', 'a09c_',
            'a11b_', 'a18_', 'a18b_')
_authority = None


class OnTopic(FixedRegistry):
    BUT = ()  # the cases that it has no use for
    ALSO = []  # more suites
    others = ()
    health, leads = nodes.Node.health, nodes.Node.leads

    def all(self):
        return [self, *self.others]

    def put_on(self, topic, number):
        self.config.update({
            'store.log': 'kafka', 'kafkastore.topic': topic,
            'kafkastore.bootstrap.servers': suite.cluster().for_node(number),
            'kafkastore.topic.replication.factor': 1})


class Alone(OnTopic):
    """The only node."""
    # Twenty kills take too long (see n03, t33); a folder that is emptied is filled by the topic;
    # what is in the topic, and not in the database that was killed, is told of (see m37); writes
    # are not as many in so short a time; and a node here has an address of its own.
    BUT = (*BY_FILES, 'e07_', 'e09_', 'u07_', 'u05_', 'a16_')
    ALSO = [test_vault, test_authentication, test_audit]

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.put_on(suite.topic('contract'), 0)
        self.taken = os.path.exists(os.path.join(self.data, 'in-topic'))

    def wait_ready(self, timeout=harness.START_TIMEOUT):
        """And leading, with its users in the topic, as what is written next is to be taken."""
        super().wait_ready(timeout)
        nodes.until(self.leads, 'it leads', timeout)
        if not self.taken:
            nodes.until(lambda: 'are records of' in self.errors(), 'users are records', 60)
        self.taken = True
        return self


class Follower(OnTopic):
    """The last of three: another one leads, as long as a case lets them be."""
    # Nodes have a base URL; keys change, and changes are on record, where a node leads; and
    # some cases count bare connections, where a node's are TLS.
    BUT = (*BY_FILES, 'c22_', 'c22b_', 'e06_', 'e07_', 'e08', 'e09_', 'k13_',
           's11d_', 's11f_')

    def __init__(self, config=None, dialect='confluent', **more):
        super().__init__(config, dialect, **more)
        global _authority
        _authority = _authority or tls.Authority()
        with open(self.key_file, encoding='ascii') as f:
            key = f.read().strip()
        self.others = [OnTopic(config, dialect, key=key) for _ in range(2)]
        topic = suite.topic('follower')
        for i, r in enumerate([*self.others, self]):
            r.put_on(topic, i)
            nodes.forwards(r, _authority, i, 'registry0,registry1,registry2')

    def start(self, key_file=None):
        for r in self.others:
            r.kept = True  # as long as this one
            if not r.running():
                r.start()
                nodes.until(lambda: any(o.leads() for o in self.others), 'another leads')
        return super().start(key_file)


def prepared(module, function):
    """A case after what its suite does before each; of rights, on a registry of its own."""
    function.how['fresh'] |= module is test_authorization

    @functools.wraps(function)
    def case(r):
        # Said once, by the node that led first.
        nodes.until(lambda: any('are records of' in n.errors() for n in r.all()),
                    'users and roles are records', 60)
        module.store(r)
        function(r)
    return case


def main(kind):
    cases = {}
    for module in FEW + (MORE + kind.ALSO if suite.FULL else []):
        for name, function in run.cases_of(vars(module)):
            # A thousand changes one after the other.
            if name.startswith(kind.BUT + (() if suite.FULL else ('c20_',))):
                continue
            # What the dialects differ in does not reach the log.
            function.how = {'fresh': False, **getattr(function, 'how', {}), 'dialects': None}
            if module is test_vault:
                function.how.update(fresh=True, config={**module.CONFIG,
                                                        **function.how.get('config', {})})
            cases[name] = prepared(module, function) if module in PREPARED else function
        if hasattr(module, 'Registry'):
            module.Registry = kind
    harness.Registry = kind
    suite.main(cases, limit=120)
