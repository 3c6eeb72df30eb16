#!/usr/bin/env -S python3 -B
"""The leading node of three ends or stands still at a moment of a change that is chosen: before
its commit is with the broker, or before the answer to that is back. The numbers are those of
README.md."""
import concurrent.futures
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import proxy, suite  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import until  # noqa: E402
from lib_kafka.nodes import leader, new_nodes  # noqa: E402
from lib_kafka.suite import cluster, full, topic  # noqa: E402
from lib import audit  # noqa: E402
from lib.check import check, err, ok, same, status  # noqa: E402
from lib.rest import Connection, V, key_url  # noqa: E402

KEY = [('Idempotency-Key', 'the-second')]


def versions(n):
    return [[s['version'], s['secret']] for s in ok(n.new('adm').get(key_url('p', 'k'))).json()]


class Moment:
    """One version is written; the commit of a second is on its way, or its answer."""

    def __init__(self, word, answer):
        self.nodes = new_nodes(cluster(), topic(word), 3)
        self.one = leader(self.nodes)
        self.others = [n for n in self.nodes if n is not self.one]
        self.proxy = cluster().proxies[self.one.number]
        status(self.one.as_('adm').post(V('p', 'k'), {'secret': 'one'}), 200)
        self.proxy.hold(proxy.END_TXN, answer)
        client = self.one.new('adm')
        client.connection = Connection(self.one.address, timeout=60)
        self.told = concurrent.futures.ThreadPoolExecutor(1).submit(
            client.post, V('p', 'k'), {'secret': 'two'}, [*KEY, ('X-Request-Id', 'moment')])
        check(self.proxy.held.wait(20), 'a commit is on its way')

    def another_leads(self):
        return leader(self.others)

    def all_have(self, wanted):
        """Each node, once it has read on; and there is no second that leads."""
        for n in self.nodes:
            until(lambda n=n: versions(n) == wanted, f'node {n.number} has {wanted}', 30)
        until(lambda: sum(n.leads() for n in self.nodes) == 1, 'exactly one leads', 60)
        for n in self.nodes:
            n.stop()


def again(m, version):
    """The same once more, as a client does that was not told, is the same version."""
    def post():
        answer = leader(m.nodes).new('adm').post(V('p', 'k'), {'secret': 'two'}, KEY)
        if answer.status != 200:
            err(answer, 503, 504)  # who stood still is back, and another may come to lead
            return None
        return answer.json()['version']
    same(until(post, 'it is taken', 60), version, 'the version')


# --- 5, 6 ---

def stands_still(word, answer, wanted, codes):
    m = Moment(word, answer)
    m.one.process.send_signal(signal.SIGSTOP)
    try:
        two = m.another_leads()
        same(versions(two), wanted, 'what the next one has')
        status(two.new('adm').post(V('p', 'k'), {'secret': 'between'}), 200)
    finally:
        m.proxy.mend()
        m.one.process.send_signal(signal.SIGCONT)
    told = m.told.result(60)
    check(told.status in codes, f'told {codes}', told.body)
    if told.status == 200:
        same(told.json()['version'], 2, 'its version')
    wanted = [*wanted, [len(wanted) + 1, 'between']]
    if len(wanted) == 2:
        wanted.append([3, 'two'])
    again(m, 3 if codes == (503, 504) else 2)
    m.all_have(wanted)


def m05_it_stands_still_before_its_commit():
    stands_still('before', False, [[1, 'one']], (503, 504))


def m06_it_stands_still_before_the_answer_to_its_commit():
    stands_still('after', True, [[1, 'one'], [2, 'two']], (200, 504))


# --- 37 ---

def is_killed(word, answer, wanted):
    m = Moment(word, answer)
    m.one.kill()
    check(isinstance(m.told.exception(60), Exception), 'nobody is told anything')
    two = m.another_leads()
    m.proxy.mend()
    same(versions(two), wanted, 'what the next one has')
    phases = [audit.phase(line) for line in audit.of_request(m.one, 'moment')]
    same(phases, ['intent'], 'on record when it ended')
    m.one.start()
    check(two.leads(), 'another leads still')
    lines = audit.of_request(m.one, 'moment')
    same([audit.phase(line) for line in lines], ['intent', 'recovered'], 'once it is back')
    same(audit.result(lines[1]), 503, 'nobody knew what became of it')
    again(m, 2)
    m.all_have([[1, 'one'], [2, 'two']])


@full
def m37_it_is_killed_before_its_commit():
    is_killed('killed', False, [[1, 'one']])


@full
def m37b_it_is_killed_before_the_answer_to_its_commit():
    is_killed('killed', True, [[1, 'one'], [2, 'two']])


if __name__ == '__main__':
    suite.main(globals(), limit=180)
