#!/usr/bin/env -S python3 -B
"""One node whose log is a topic, on one broker. The numbers are those of README.md."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import proxy, suite  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import until  # noqa: E402
from lib_kafka.load import Load  # noqa: E402
from lib_kafka.nodes import Node  # noqa: E402
from lib_kafka.suite import cluster, full, topic  # noqa: E402
from lib import program, store  # noqa: E402
from lib.check import check, err, ok, same, secret, status  # noqa: E402
from lib.harness import MARKER, PASSWORDS, basic  # noqa: E402
from lib.rest import P, V, in_parallel, key_url  # noqa: E402
from lib.run import case  # noqa: E402


def node(word, start=True, **more):
    n = Node(cluster(), topic(word), **more)
    return n.start() if start else n


def put(n, path, key, *values):
    for value in values:
        answer = status(n.as_('adm').post(V(path, key), {'secret': value}), 200)
    return answer.json()['version']


def latest(n, path, key):
    return status(n.as_('adm').get(V(path, key) + '/latest'), 200).json()['secret']


def versions(n, path, key):
    return [[s['version'], s['secret']] for s in ok(n.as_('adm').get(key_url(path, key))).json()]


def in_topic(n, committed=True):
    return cluster().hand.records(n.topic, committed)


# --- 1 ---

def n01_create_read_delete_restart():
    n = node('first')
    same(put(n, 'conn-a', 'k', 'one', 'two', MARKER), 3, 'version')
    ok(n.as_('adm').delete(V('conn-a', 'k') + '/2'))
    ok(n.as_('adm').delete(V('conn-a', 'k') + '/1?destroy=true'))
    same(put(n, 'conn-b', 'k', 'other'), 1, 'version')
    kept = versions(n, 'conn-a', 'k')
    same(kept, [[3, MARKER]], 'versions')
    n.restart()
    same(versions(n, 'conn-a', 'k'), kept, 'after a restart')
    status(n.as_('adm').post(V('conn-a', 'k') + '/2/undelete'), 200)
    same(put(n, 'conn-a', 'k', 'four'), 4, 'the next version')
    err(n.as_('adm').get(V('conn-a', 'k') + '/1'), 404)
    # Killed at once, so that the database is behind the topic or just with it.
    put(n, 'conn-a', 'k', 'five')
    n.kill()
    n.start()
    same(versions(n, 'conn-a', 'k'), [[2, 'two'], [3, MARKER], [4, 'four'], [5, 'five']], 'all')


@full
def n01b_the_topic_is_as_it_must_be_and_tells_nothing():
    n = node('shape')
    put(n, 'conn-a', 'k', MARKER)
    d = cluster().hand('describe', topic=n.topic)
    same([d['partitions'], d['settings']['cleanup.policy']], [1, 'compact'], 'the topic')
    records = in_topic(n)
    check(records, 'records')
    for _, key, value in records:
        check(MARKER.encode() not in (key or b'') + (value or b''), 'no value', key)
        check(b'adm' not in (value or b''), 'no name of who wrote it', value)


def n01c_a_fresh_folder_folds_the_same():
    n = node('fresh')
    put(n, 'conn-a', 'k', 'one', 'two', 'three')
    ok(n.as_('adm').delete(V('conn-a', 'k') + '/1'))
    ok(n.as_('adm').delete(V('conn-a', 'k') + '/2?destroy=true'))
    put(n, 'conn-a', 'other', 'x')
    n.stop()
    again = Node(cluster(), n.topic, key=n.key)
    again.start()
    same(versions(again, 'conn-a', 'k'), [[3, 'three']], 'versions')
    same(latest(again, 'conn-a', 'other'), 'x', 'another key')
    err(again.as_('adm').get(V('conn-a', 'k') + '/2'), 404)
    same(put(again, 'conn-a', 'k', 'four'), 4, 'the next version')
    status(again.as_('adm').post(V('conn-a', 'k') + '/1/undelete'), 200)


@full
def n01d_another_master_key_does_not_open_it():
    n = node('locked')
    put(n, 'conn-a', 'k', MARKER)
    n.stop()
    before = len(in_topic(n))
    other = Node(cluster(), n.topic)
    other.launch()
    until(lambda: not other.running() or '503' in str(other_health(other)), 'refused', 60)
    said = other.errors()
    check('key' in said, 'it says so', said)
    other.kill()
    # It made no keyring of its own there, nor anything else that replaces what is there.
    n.start()
    same(latest(n, 'conn-a', 'k'), MARKER, 'the value')
    check(before > 0, 'records')


def other_health(n):
    if 'listening on' not in n.errors():
        return None
    n.wait_listening(1)
    return n.health()


# --- 2: one node's part of it ---

@full
def n02_parallel_writes_on_one_key():
    n = node('many')

    def write(i):
        client = n.new('adm')
        return [status(client.post(V('p', 'k'), {'secret': f'{i}-{j}'}), 200).json()['version']
                for j in range(25)]
    told = sorted(v for one in in_parallel(12, write) for v in one)
    same(told, list(range(1, 301)), 'versions')
    n.restart()
    same([v for v, _ in versions(n, 'p', 'k')], list(range(1, 301)), 'after a restart')


# --- 3 ---

def n03_killed_under_load():
    n = node('kill')
    with Load([n], 'kill', writers=4) as load:
        for _ in range(20 if suite.FULL else 4):
            load.wait_for_more(15)
            n.kill()
            n.start()
        load.wait_for_more(15)
        v = load.verdict(n)
    same(v.faults(), {}, 'faults')
    fresh = Node(cluster(), n.topic, key=n.key)
    n.stop()
    fresh.start()
    check(load.kept(fresh) == load.at_end, 'a fresh node has the same')


# --- 13, 14 ---

@full
def n13_no_broker_at_the_start():
    n = node('absent')
    put(n, 'conn-a', 'k', 'one')
    n.stop()
    p = cluster().proxies[0]
    p.cut()
    try:
        n.launch()
        n.wait_listening(90)
        same(n.health('live')[0], 200, 'live')
        err(n.as_('adm').post(V('conn-a', 'k'), {'secret': 'two'}), 503, 504)
    finally:
        p.mend()
    n.wait_ready(90)
    until(lambda: n.as_('adm').post(V('conn-a', 'k'), {'secret': 'three'}).status == 200,
          'it comes up alone', 90)
    check([v for _, v in versions(n, 'conn-a', 'k')] in (['one', 'three'], ['one', 'two', 'three']),
          'versions', versions(n, 'conn-a', 'k'))


@full
def n13b_a_first_start_without_a_broker():
    n = node('nowhere', start=False, **{'kafkastore.init.timeout.ms': 4000})
    p = cluster().proxies[0]
    p.cut()
    try:
        said = n.refuses_to_start(timeout=60)
    finally:
        p.mend()
    check('kafkastore.bootstrap.servers' in said, 'what to look at', said)
    put(n.start(), 'conn-a', 'k', 'one')


@full
def n14_the_broker_goes_and_comes_back():
    n = node('gone')
    put(n, 'conn-a', 'k', 'one')
    p = cluster().proxies[0]
    p.cut()
    try:
        same(latest(n, 'conn-a', 'k'), 'one', 'reads go on')
        err(n.as_('adm').post(V('conn-a', 'k'), {'secret': 'lost'}), 503, 504)
        same(latest(n, 'conn-a', 'k'), 'one', 'nothing is there that is not in the topic')
        until(lambda: n.health('write')[0] == 503, 'no changes', 60)
        same(n.health('read')[0], 200, '/health/read')
    finally:
        p.mend()
    until(lambda: n.as_('adm').post(V('conn-a', 'other'), {'secret': 'x'}).status == 200,
          'it writes again', 90)
    kept = versions(n, 'conn-a', 'k')
    check(kept in ([[1, 'one']], [[1, 'one'], [2, 'lost']]), 'written or not, but whole', kept)
    n.restart()
    same(versions(n, 'conn-a', 'k'), kept, 'and it stays so')
    same([n.health(h)[0] for h in ('read', 'write')], [200, 200], 'health')


@full
def n14b_reads_end_where_they_would_be_too_stale():
    n = node('stale', **{'read.max.staleness.ms': 3000})
    put(n, 'conn-a', 'k', 'one')
    p = cluster().proxies[0]
    p.cut()
    try:
        until(lambda: n.as_('adm').get(V('conn-a', 'k') + '/latest').status == 503, 'no reads', 60)
        err(n.as_('adm').get(P), 503)
        n.not_ready('read.max.staleness.ms')
        same([n.health(h)[0] for h in ('live', 'read', 'write')], [200, 503, 503], 'health')
    finally:
        p.mend()
    until(lambda: n.health()[0] == 200, 'ready again', 90)
    same(latest(n, 'conn-a', 'k'), 'one', 'reads')


# --- 21, 23, 24, 25, 26 ---

def n21_the_answer_to_a_commit_is_lost():
    n = node('unheard')
    p = cluster().proxies[0]
    put(n, 'conn-a', 'k', 'one')
    for i in range(3):
        was = p.lost
        p.lose_answer(proxy.END_TXN)
        key = [('Idempotency-Key', f'the-{i}')]
        answer = n.as_('adm').post(V('conn-a', 'k'), {'secret': f'again-{i}'}, key)
        check(p.lost == was + 1, 'an answer was lost')
        until(lambda key=key, i=i: n.as_('adm').post(
            V('conn-a', 'k'), {'secret': f'again-{i}'}, key).status == 200, 'settled', 60)
        if answer.status != 200:
            err(answer, 503, 504)
    same(versions(n, 'conn-a', 'k'),
         [[1, 'one'], [2, 'again-0'], [3, 'again-1'], [4, 'again-2']], 'each once')


@full
def n23_a_foreign_writer_takes_our_transactional_id():
    n = node('fenced')
    hand = cluster().hand
    with Load([n], 'fenced', writers=3) as load:
        load.wait_for_more(10)
        hand('init', name=f'propseal-{n.topic}')
        until(lambda: load.codes().get(503, 0) + load.codes().get(504, 0) > 0 or
              n.metric('log_fenced_total') > 0, 'it is told', 60)
        load.stop()
        n.stop()
        n.start()
        v = load.verdict(n)
    same(v.faults(), {}, 'faults')
    put(n, 'conn-a', 'k', 'after a restart')


def n24_foreign_records_win_nothing():
    n = node('foreign')
    hand = cluster().hand
    put(n, 'conn-a', 'k', 'one', 'two')
    own = in_topic(n)
    secrets = [(k, v) for _, k, v in own if b'"SECRET"' in k]
    check(len(secrets) == 2, 'a record for each version', [k for k, _ in secrets])
    one, two = secrets
    # An older value under a newer name, ours again, a changed bit, and nothing at all.
    forged = [(two[0], one[1]), (one[0], two[1]), (two[0], two[1][:-1] + bytes([two[1][-1] ^ 1])),
              (two[0], b''), (two[0], None), (one[0], b'{"m":1}'),
              (one[0].replace(b'"version":1', b'"version":9'), one[1])]
    for key, value in forged:
        hand('produce', topic=n.topic, records=[(key, value)])
    put(n, 'conn-a', 'other', 'x')
    same(versions(n, 'conn-a', 'k'), [[1, 'one'], [2, 'two']], 'versions')
    check(n.metric('log_foreign_total') >= len(forged) - 1, 'they are counted',
          n.metric('log_foreign_total'))
    n.restart()
    same(versions(n, 'conn-a', 'k'), [[1, 'one'], [2, 'two']], 'after a restart')
    n.stop()
    again = Node(cluster(), n.topic, key=n.key).start()
    same(versions(again, 'conn-a', 'k'), [[1, 'one'], [2, 'two']], 'in a fresh folder')


@full
def n24b_what_is_sent_again_is_not_new():
    """Whole old records, as a foreign writer may have kept them."""
    n = node('replay')
    hand = cluster().hand
    put(n, 'conn-a', 'k', 'one')
    old = in_topic(n)
    ok(n.as_('adm').delete(V('conn-a', 'k') + '/1?destroy=true'))
    put(n, 'conn-a', 'k', 'two')
    for _, key, value in old:
        hand('produce', topic=n.topic, records=[(key, value)])
    put(n, 'conn-a', 'other', 'x')
    same(versions(n, 'conn-a', 'k'), [[2, 'two']], 'what was destroyed stays so')
    same(put(n, 'conn-a', 'k', 'three'), 3, 'the next version')
    n.stop()
    again = Node(cluster(), n.topic, key=n.key).start()
    same(versions(again, 'conn-a', 'k'), [[2, 'two'], [3, 'three']], 'in a fresh folder')
    same(put(again, 'conn-a', 'k', 'four'), 4, 'the next version')


@full
def n24c_an_old_claim_sent_again_ends_nobodys_leading():
    n = node('claims')
    hand = cluster().hand
    put(n, 'conn-a', 'k', 'one')
    for again in range(2):
        n.restart()
        if again:
            put(n, 'conn-a', 'k', 'between')
    claims = [(k, v) for _, k, v in in_topic(n) if b'"LEADER"' in k]
    check(len(claims) >= 3, 'a claim each start', [k for k, _ in claims])
    for claim in claims:
        hand('produce', topic=n.topic, records=[claim])
        put(n, 'conn-a', 'k', 'after it')
        check(n.leads(), 'it leads')


@full
def n25_a_foreign_open_transaction():
    n = node('open')
    hand = cluster().hand
    put(n, 'conn-a', 'k', 'one')
    hand('init', name='foreign')
    hand('send', name='foreign', topic=n.topic, records=[(b'foreign', b'x')])
    answer = n.as_('adm').post(V('conn-a', 'k'), {'secret': 'two'})
    err(answer, 503, 504)
    same(latest(n, 'conn-a', 'k'), 'one', 'reads go on')
    hand('abort', name='foreign')
    until(lambda: n.as_('adm').post(V('conn-a', 'other'), {'secret': 'x'}).status == 200,
          'it writes again', 60)
    kept = versions(n, 'conn-a', 'k')
    check(kept in ([[1, 'one'], [2, 'two']],) or answer.status == 503 and kept == [[1, 'one']],
          'what was not known is known', kept)


@full
def n26_garbage_in_the_topic():
    n = node('garbage')
    hand = cluster().hand
    garbage = [(b'\xff\xfe', b'\x00'), (b'{', b'{}'), (b'x', b''), (b'', b''), (None, b'v'),
               (b'{"t":5}', b'{}'), (b'{"t":"SECRET"}', b'v'), (b'{"t":"KEYRING"}', b'{}'),
               (b'{"t":"HEAD"}', b''), (b'{"t":"NEW"}', b'v' * 1000), (b'[' * 3000, b'[' * 3000),
               (b'{"t":"SECRET","path":"p","key":"k","version":-1}', b'v'),
               (b'{"t":"META","path":"p/q","key":"k"}', b'v'), (b'k' * 4096, b'v' * 100000)]
    put(n, 'conn-a', 'k', 'one')
    usable = [(k, v) for k, v in garbage if k is not None]
    hand('produce', topic=n.topic, records=usable)
    put(n, 'conn-a', 'k', 'two')
    n.stop()
    hand('produce', topic=n.topic, records=usable)
    n.start()
    same(versions(n, 'conn-a', 'k'), [[1, 'one'], [2, 'two']], 'versions')
    same(put(n, 'conn-a', 'k', 'three'), 3, 'the next version')
    n.stop()
    again = Node(cluster(), n.topic, key=n.key).start()
    same(len(versions(again, 'conn-a', 'k')), 3, 'in a fresh folder')


# --- 27, 28 ---

def n27_a_topic_that_will_not_do():
    hand = cluster().hand
    for settings, partitions, words in (
            ({}, 4, ['partition']), ({'cleanup_policy': 'delete'}, 1, ['compact']),
            ({'cleanup_policy': 'compact,delete'}, 1, ['compact'])):
        name = topic('wrong')
        hand.create(name, partitions=partitions, **settings)
        n = Node(cluster(), name)
        said = n.refuses_to_start(timeout=90)
        check(name in said and all(w in said for w in words), 'the reason', said)
        same(hand('offsets', topic=name)['end'], 0, 'nothing is written to it')


@full
def n27b_the_policy_is_altered_while_it_runs():
    n = node('policy')
    hand = cluster().hand
    put(n, 'conn-a', 'k', 'one')
    hand('alter', topic=n.topic, settings={'cleanup.policy': 'compact,delete'})
    said = n.not_ready(timeout=60)
    check('policy' in said, 'the reason', said)
    err(n.as_('adm').post(V('conn-a', 'k'), {'secret': 'two'}), 503)
    hand('alter', topic=n.topic, settings={'cleanup.policy': 'compact'})
    n.wait_ready(60)
    put(n, 'conn-a', 'k', 'two')
    same(versions(n, 'conn-a', 'k'), [[1, 'one'], [2, 'two']], 'versions')


def stopped(n):
    """It ends, or is not ready, and says so; and deletes nothing of its own."""
    before = store.rows(n.data)['secret']
    n.launch()
    until(lambda: not n.running() or 'listening on' in n.errors(), 'it starts or ends', 90)
    if n.running():
        n.wait_listening(5)
        said = n.not_ready(timeout=60)
        err(n.as_('adm').post(V('conn-a', 'k'), {'secret': 'into the wrong topic'}), 503, 504)
        n.stop()
    else:
        said = n.errors()
        n.process = None
    check('topic' in said, 'the reason', said)
    check(store.rows(n.data)['secret'] == before, 'what is here stays')


def deleted(n, then, word):
    """Its topic, while it runs under load: it says so, takes nothing and keeps what it has."""
    with Load([n], 'removed', writers=3) as load:
        load.wait_for_more(20)
        cluster().hand.delete(n.topic)
        then()
        check(word in n.not_ready('topic', timeout=60), 'the reason', n.health())
        before = load.acknowledged()
        err(n.new('adm').post(V('p', 'k'), {'secret': 'into nothing'}), 503)
        v = load.verdict(n)
    same((v.faults(), load.acknowledged()), ({}, before), 'faults, and what is acknowledged')
    check(n.running(), 'it runs')
    n.stop()
    stopped(n)
    n.launch()
    check(load.kept(n.wait_listening()) == load.at_end, 'it still has what it had')
    n.stop()


@full
def n28_the_topic_is_deleted_while_it_runs():
    n = node('removed')
    deleted(n, lambda: None, 'gone')
    check(n.topic not in cluster().hand('topics')['topics'], 'it is not made again')


@full
def n28d_the_topic_is_deleted_and_made_again_while_it_runs():
    n = node('anew')
    deleted(n, lambda: cluster().hand.create(n.topic, max_message_bytes=2097152), 'anew')
    check(not [k for _, k, _ in in_topic(n) if b'"KEYRING"' in k], 'no keyring gets into it')


@full
def n28b_the_topic_begins_behind_where_we_are():
    n = node('below')
    put(n, 'conn-a', 'k', *'abcde')
    n.stop()
    hand = cluster().hand
    hand.truncate(n.topic, hand('offsets', topic=n.topic)['end'])
    stopped(n)


@full
def n28c_another_registry_has_our_topics_name():
    n = node('taken')
    put(n, 'conn-a', 'k', 'one', 'two')
    n.stop()
    hand = cluster().hand
    hand.delete(n.topic)
    other = Node(cluster(), n.topic).start()
    put(other, 'conn-b', 'k', *[f'v{i}' for i in range(20)])
    other.stop()
    before = in_topic(n)
    stopped(n)
    check(in_topic(n) == before, 'nothing of ours gets into it')


# --- 30, 33 ---

@full
def n30_compaction_under_deletes():
    name = topic('compacted')
    hand = cluster().hand
    hand.create(name, segment_ms=1000, min_cleanable_dirty_ratio=0.01, delete_retention_ms=1000,
                max_message_bytes=2097152)
    n = Node(cluster(), name).start()
    for i in range(6):
        put(n, 'p', f'k{i % 2}', f'v{i}', f'w{i}')
        ok(n.as_('adm').delete(f'{V("p", f"k{i % 2}")}/{1 + 2 * (i // 2)}?destroy=true'))
    before = hand('offsets', topic=name)['end']
    kept = [versions(n, 'p', 'k0'), versions(n, 'p', 'k1')]

    def cleaned():
        put(n, 'filler', 'k', 'x')
        return len([o for o, _, _ in in_topic(n) if o < before]) < before / 2
    until(cleaned, 'the cleaner has been here', 100)
    n.restart()
    same([versions(n, 'p', 'k0'), versions(n, 'p', 'k1')], kept, 'after a restart')
    n.stop()
    again = Node(cluster(), name, key=n.key).start()
    same([versions(again, 'p', 'k0'), versions(again, 'p', 'k1')], kept, 'in a fresh folder')
    same(put(again, 'p', 'k0', 'next'), 7, 'numbers go on')


def n33_rotation():
    n = node('rotated')
    put(n, 'p', 'k', *[f'v{i}' for i in range(30)])
    first = in_topic(n)
    status(n.as_('adm').post('/secret/admin/rotation'), 202)
    until(lambda: not ok(n.as_('adm').get('/secret/admin/rotation')).json().get('running'),
          'it is done', 60)
    kept = versions(n, 'p', 'k')
    same(len(kept), 30, 'versions')
    again = {k: v for _, k, v in in_topic(n)}
    changed = [k for _, k, v in first if b'"SECRET"' in k and again[k] != v]
    same(len(changed), 30, 'each is sealed anew in the topic')
    n.stop()
    fresh = Node(cluster(), n.topic, key=n.key).start()
    same(versions(fresh, 'p', 'k'), kept, 'in a fresh folder')


# --- 38, 40 ---

def n38_a_delete_of_many_is_whole():
    n = node('whole')

    def write(i):
        client = n.new('adm')
        for j in range(50):
            status(client.post(V('big', f'k{i}-{j}'), {'secret': 'x'}), 200)
    in_parallel(8, write)
    seen = []

    def look(i):
        if i == 0:
            return status(n.new('adm').delete(P + '/big'), 200)
        client = n.new('adm')
        for _ in range(60):
            seen.append(len(status(client.get(P + '/big'), 200).json()))
        return None
    in_parallel(3, look)
    check(set(seen) <= {0, 400}, 'all or nothing', sorted(set(seen)))
    n.kill()
    n.start()
    same(ok(n.as_('adm').get(P + '/big')).json(), [], 'after a kill')


# --- users and roles ---

USERS, TOKENS, BINDINGS = ('/secret/admin/' + w for w in ('users', 'tokens', 'role-bindings'))
DORA = basic('dora', 'the-password-of-dora')


def administer(verb, n, *args, code=0):
    return program.run(verb, *args, '--data', n.data, code=code)


def n41_users_tokens_and_roles_are_records():
    n = node('access').wait_records()
    adm = n.as_('adm')
    until(lambda: adm.get(USERS).status == 200, 'in force', 10)
    status(adm.post(USERS, {'name': 'dora', 'password': 'the-password-of-dora'}), 201)
    err(adm.post(USERS, {'name': 'dora', 'password': 'another-password'}), 409)
    token = status(adm.post(TOKENS, {'principal': 'dora', 'ttl': 3600}), 201).json()
    status(adm.put(BINDINGS, {'role': 'ResourceOwner', 'principal': 'dora', 'path': 'conn-d'}), 204)
    status(adm.delete(USERS + '/own'), 204)
    put(n, 'conn-d', 'k', 'one')

    def holds(n):
        """As each node has it, by whatever dora comes with; who was removed is nobody."""
        for who in (DORA, 'Bearer ' + token['token']):
            answer = n.with_header(who).get(V('conn-d', 'k') + '/latest')
            same(status(answer, 200).json()['secret'], 'one', 'dora reads')
            status(n.with_header(who).get(V('conn-a', 'k') + '/latest'), 403)
        err(n.with_header(basic('own', PASSWORDS['own'])).get(V('conn-d', 'k') + '/latest'), 401)
        names = [u['name'] for u in ok(n.as_('adm').get(USERS)).json()]
        check('dora' in names and 'own' not in names, 'users', names)
    holds(n)
    for _, key, value in in_topic(n):
        check(b'the-password-of-dora' not in value and b'"scrypt"' not in value and
              b'"hash"' not in value, 'no hash of anything in the topic', key)
    # The files are those of the time before, and the command line says so.
    said = administer('user', n, 'list', code=None)
    check(said.returncode != 0 and b'--url' in said.stderr, 'where they are', said)
    said = administer('role', n, 'grant', 'SystemAdmin', '--principal', 'own', code=None)
    check(said.returncode != 0 and b'in its topic' in said.stderr, 'where they are', said)
    n.restart()
    holds(n)
    n.stop()
    again = Node(cluster(), n.topic, key=n.key).start()
    until(lambda: again.with_header(DORA).get(USERS).status == 403, 'it has read them', 30)
    holds(again)
    status(again.as_('adm').delete(f'{TOKENS}/{token["id"]}'), 204)
    err(again.with_header('Bearer ' + token['token']).get(V('conn-d', 'k') + '/latest'), 401)


def n42_the_last_administrator_stays_and_a_copy_has_them_all():
    n = node('copied').wait_records()
    adm = n.as_('adm')
    until(lambda: adm.get(USERS).status == 200, 'in force', 10)
    status(adm.post(USERS, {'name': 'dora', 'password': 'the-password-of-dora'}), 201)
    status(adm.put(BINDINGS, {'role': 'ConnectManager', 'principal': 'dora',
                              'prefix': 'conn-'}), 204)
    put(n, 'conn-d', 'k', 'one')
    admins = [b['principal'] for b in ok(adm.get(BINDINGS)).json()
              if b['role'] in ('SystemAdmin', 'UserAdmin') and 'path' not in b]
    for other in admins:
        if other != 'adm':
            status(adm.delete(f'{BINDINGS}?role=SystemAdmin&principal={other}'), 204, 404)
            status(adm.delete(f'{BINDINGS}?role=UserAdmin&principal={other}'), 204, 404)
    err(adm.delete(f'{BINDINGS}?role=SystemAdmin&principal=adm'), 409)
    n.stop()
    copy = program.run('copy', 'local', '--data', n.data, '--config',
                       os.path.join(n.folder, 'registry.conf'), '--master-key-file', n.key_file)
    check(b'versions' in copy.stdout, 'copied', copy.stdout)
    check(b'dora' in administer('user', n, 'list').stdout, 'files again')
    check(b'ConnectManager' in administer('role', n, 'list').stdout, 'of roles, too')
    administer('user', n, 'disable', 'own')
    n.config.update({'store.log': 'local'})
    for name in [k for k in n.config if k.startswith('kafkastore.')]:
        del n.config[name]
    n.alone = False
    n.start()
    answer = n.with_header(DORA).get(V('conn-d', 'k') + '/latest')
    same(status(answer, 200).json()['secret'], 'one', 'dora reads')


def n43_a_backup_goes_into_a_new_topic():
    """As the refusal to restore it into the one that there is says."""
    n = node('backed-up')
    adm = n.as_('adm')
    put(n, 'conn-a', 'k', 'one')
    ok(adm.post('/secret/admin/backup', {'file': 'b1'}))
    put(n, 'conn-a', 'k', 'two', 'three')
    put(n, 'conn-b', 'k', 'other')
    told = err(adm.post('/secret/admin/restore', {'file': 'b1'}), 409).json()['message']
    restore, copy = [c.split() for c in told.split('`')[1::2]]
    for command in restore, copy:
        same(command[:2], ['propseal', 'registry'], 'a command')
    n.stop()
    n.topic = topic('brought-back')
    n.config['kafkastore.topic'] = n.topic
    n.arguments()
    names = {'DIR': n.data, 'DIR/backups/b1': os.path.join(n.data, 'backups', 'b1'),
             'FILE': os.path.join(n.folder, 'registry.conf')}
    for command in restore, copy:
        program.run(*[names.get(word, word) for word in command[2:]], '--master-key-file',
                    n.key_file)
    n.start()
    same(versions(n, 'conn-a', 'k'), [[1, 'one']], 'as in the backup')
    ok(n.as_('adm').get(V('conn-b', 'k')), [])
    same(put(n, 'conn-a', 'k', 'four'), 4, 'no number again')
    same(put(n, 'conn-b', 'k', 'again'), 2, 'nor of a key that the backup has not')
    n.stop()
    again = Node(cluster(), n.topic, key=n.key).start()
    same(versions(again, 'conn-a', 'k'), [[1, 'one'], [4, 'four']], 'on another node')


@full
def n40_no_value_anywhere():
    n = node('marker')
    put(n, 'conn-a', 'k', MARKER)
    n.stop()
    for _, key, value in in_topic(n, committed=False):
        check(MARKER.encode() not in (key or b'') + (value or b''), 'no value in the topic', key)
    for folder, _, files in os.walk(n.folder):
        for file in files:
            with open(os.path.join(folder, file), 'rb') as f:
                check(MARKER.encode() not in f.read(), 'no value', file)


MANY = int(os.environ.get('KAFKA_RECORDS', 1000000))


def peak_mib(n):
    with open(f'/proc/{n.pid()}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmHWM')) // 1024


@full
@case(limit=2400)
def n40b_many_records_are_read_from_the_start():
    """Some versions, sealed anew until the topic has had MANY records, which a fresh node reads."""
    n = node('many')
    each = 250

    def write(i):
        client = n.new('adm')
        for j in range(each):
            status(client.post(V(f'p{i % 8}', f'k{i}-{j}'), {'secret': f'{MARKER}-{i}-{j}' * 8}), 200)
    began = time.monotonic()
    in_parallel(40, write)
    print(f'{40 * each} versions written in {time.monotonic() - began:.0f} s', flush=True)
    end = 0
    while end < MANY:
        status(n.as_('adm').post('/secret/admin/rotation'), 202)
        until(lambda: not ok(n.as_('adm').get('/secret/admin/rotation')).json().get('running'),
              'it is done', 120)
        end = cluster().hand('offsets', topic=n.topic)['end']
    print(f'{end} records after {time.monotonic() - began:.0f} s', flush=True)
    n.stop()
    fresh = Node(cluster(), n.topic, key=n.key, alone=False)
    began = time.monotonic()
    fresh.launch()
    fresh.wait_listening(300).wait_ready(300)
    print(f'ready after {time.monotonic() - began:.1f} s', flush=True)
    for i, j in ((0, 0), (39, each - 1), (17, 100)):
        same(latest(fresh, f'p{i % 8}', f'k{i}-{j}'), f'{MARKER}-{i}-{j}' * 8, 'a value')
    same(sum(len(ok(fresh.as_('adm').get(P + f'/p{i}')).json()) for i in range(8)), 40 * each, 'keys')
    check(peak_mib(fresh) < 128, 'memory at its peak', f'{peak_mib(fresh)} MiB')
    print(f'{peak_mib(fresh)} MiB at its peak', flush=True)


if __name__ == '__main__':
    suite.main(globals(), limit=240)
