#!/usr/bin/env -S python3 -B
"""The harness of the tests of the Kafka log, itself under test: by a plain producer and consumer,
and by histories with known faults in them."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import proxy, suite  # noqa: E402 (it adds the registry's lib)
from lib_kafka.brokers import Hand  # noqa: E402
from lib_kafka.cluster import until  # noqa: E402
from lib_kafka.load import Write, judge  # noqa: E402
from lib_kafka.suite import full  # noqa: E402
from lib.check import check, same  # noqa: E402

def brokers():
    return suite.cluster(3)


def some(count, word=b'r'):
    return [(b'%s-%d' % (word, i), b'value %d' % i) for i in range(count)]


def keys_of(records):
    return [key.decode() for _, key, _ in records]


# --- the judge ---

def history(*writes):
    return [Write('p', 'k', text, code, version) for text, code, version in writes]


def h01_a_good_history_has_no_fault():
    found = judge(history(('a', 200, 1), ('b', 503, None), ('c', 200, 2), ('d', 504, None)),
                  {('p', 'k'): {1: 'a', 2: 'c', 3: 'd'}})
    same(found.faults(), {}, 'faults')
    same((found.acknowledged, found.refused, found.unknown, found.landed), (2, 1, 1, 1), 'counts')


def h02_each_fault_is_counted():
    kept = {('p', 'k'): {1: 'a', 2: 'c'}}
    for writes, kind in [
            ((('a', 200, 1), ('c', 200, 2), ('x', 200, 3)), 'lost'),
            ((('a', 200, 1), ('c', 200, 2), ('x', 200, 2)), 'twice'),
            ((('a', 200, 1), ('c', 503, None)), 'refused_but_there'),
            ((('a', 200, 1),), 'of_nobody'),
            ((('a', 200, 1), ('c', 200, 1)), 'twice')]:
        check(judge(history(*writes), kept).faults().get(kind), kind, writes)
    found = judge(history(('a', 200, 1), ('c', 200, 3)), {('p', 'k'): {1: 'a', 3: 'c'}})
    same(found.faults(), {'holes': 1}, 'a hole')
    found = judge(history(('a', 200, 1), ('c', 200, 2)), {('p', 'k'): {1: 'a', 2: 'other'}})
    same(found.faults(), {'false_200': 1, 'of_nobody': 1}, 'another value')


# --- the brokers ---

def h03_a_plain_producer_is_read():
    hand = brokers().hand
    hand.create('plain', replicas=3)
    offsets = hand('produce', topic='plain', records=some(100))['offsets']
    same(offsets, list(range(100)), 'offsets')
    check(hand.records('plain') == [(i, k, v) for i, (k, v) in enumerate(some(100))], 'records')
    d = hand('describe', topic='plain')
    same((d['partitions'], d['settings']['cleanup.policy']), (1, 'compact'), 'the topic')


@full
def h04_the_leader_is_killed_and_comes_back():
    b = brokers()
    b.hand.create('killed', replicas=3)
    b.hand('produce', topic='killed', records=some(10))
    first = b.leader('killed')
    first.kill()
    b.hand('produce', topic='killed', records=some(10, b's'))
    check(b.leader('killed').number != first.number, 'another leads')
    same(len(b.hand.records('killed')), 20, 'records')
    first.launch()
    b.in_step('killed')
    same(len(b.hand('describe', topic='killed')['isr']), 3, 'in step')


@full
def h05_below_the_least_replicas_nothing_is_taken():
    b = brokers()
    # Of two replicas, so that two controllers of three stay a quorum.
    b.hand.create('few', replicas=2, min_insync_replicas=2)
    b.hand('produce', topic='few', records=some(1))
    d = b.hand('describe', topic='few')
    other = b.brokers[next(i for i in d['replicas'] if i != d['leader'])]
    other.kill()
    until(lambda: len(b.hand('describe', topic='few')['isr']) == 1, 'one is out of step')
    own = Hand(b.for_node(2), 6)
    try:
        check('error' in own.may('produce', topic='few', records=some(1)), 'it is not taken')
    finally:
        own.close()
        other.launch()
    b.in_step('few')
    same(len(b.hand.records('few')), 1, 'records')


def h06_transactions():
    hand = brokers().hand
    hand.create('tx', replicas=3)
    hand('init', name='first')
    hand('send', name='first', topic='tx', records=some(2))
    hand('produce', topic='tx', records=some(1, b'plain'))
    o = hand('offsets', topic='tx')
    same((o['stable'], o['end']), (0, 3), 'an open transaction holds the rest')
    same(keys_of(hand.records('tx', committed=False)), ['r-0', 'r-1', 'plain-0'], 'all of it')
    same(hand('transaction', name='first')['state'], 'Ongoing', 'state')
    hand('init', name='first')  # which fences the first, and ends what it began
    until(lambda: hand('offsets', topic='tx')['stable'] == 4, 'it is ended')
    same(keys_of(hand.records('tx')), ['plain-0'], 'records')
    hand('send', name='first', topic='tx', records=some(2))
    hand('commit', name='first')
    same(keys_of(hand.records('tx')), ['plain-0', 'r-0', 'r-1'], 'records')
    same(hand('transaction', name='first')['state'], 'CompleteCommit', 'state')


def h07_topics_that_change():
    hand = brokers().hand
    hand.create('again', replicas=3)
    hand('produce', topic='again', records=some(5))
    hand.truncate('again', 3)
    same(hand('offsets', topic='again')['start'], 3, 'the start')
    was = hand('describe', topic='again')['id']
    hand('alter', topic='again', settings={'cleanup.policy': 'delete'})
    until(lambda: hand('describe', topic='again')['settings']['cleanup.policy'] == 'delete', 'policy')
    hand.delete('again')
    hand.create('again', replicas=3)
    check(hand('describe', topic='again')['id'] != was, 'another topic')
    check('error' in hand.may('describe', topic='none'), 'what is not there is told')


@full
def h08_compaction():
    hand = brokers().hand
    hand.create('compacted', replicas=3, segment_ms=1000, min_cleanable_dirty_ratio=0.01,
                delete_retention_ms=1000)

    def cleaned():
        hand('produce', topic='compacted', records=[(b'k', b'v'), (b'filler', b'')])
        return keys_of(hand.records('compacted')).count('k') < 3
    for i in range(3):
        hand('produce', topic='compacted', records=[(b'k', b'%d' % i)])
    until(cleaned, 'old values go')


# --- what lies between ---

def h09_a_node_is_cut_off_and_nobody_else():
    b = brokers()
    b.hand.create('cut', replicas=3)
    own = Hand(b.for_node(0), 8)
    try:
        own('produce', topic='cut', records=some(3))
        p = b.proxies[0]
        p.cut()
        b.hand('produce', topic='cut', records=some(3, b'other'))
        said = own.may('offsets', topic='cut')
        same(said.get('error'), 'TimeoutException', 'the node that is cut off')
        p.mend()
        same(own('offsets', topic='cut')['end'], 6, 'and after it')
        p.break_all()
        same(own('offsets', topic='cut')['end'], 6, 'over new connections')
    finally:
        own.close()


def h10_an_answer_is_lost_whose_request_was_done():
    b = brokers()
    b.hand.create('unheard', replicas=3)
    own = Hand(b.for_node(1), 20)
    try:
        own('init', name='unheard')
        own('send', name='unheard', topic='unheard', records=some(2))
        b.proxies[1].lose_answer(proxy.END_TXN)
        own('commit', name='unheard')  # again, by the client itself
        same(b.proxies[1].lost, 1, 'answers lost')
        same(len(b.hand.records('unheard')), 2, 'records')
    finally:
        own.close()


if __name__ == '__main__':
    suite.main(globals(), limit=180, needs_log=False)
