#!/usr/bin/env -S python3 -B
"""Three nodes of the registry and three brokers: who leads, and what is written while nodes and
brokers die, stand still or are cut off. The numbers are those of README.md."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import suite  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import until  # noqa: E402
from lib_kafka.load import Load  # noqa: E402
from lib_kafka.nodes import Node, leader, new_nodes, same_on_all  # noqa: E402
from lib_kafka.suite import cluster, full, topic  # noqa: E402
from lib import harness  # noqa: E402
from lib.check import check, err, ok, same, status  # noqa: E402
from lib.harness import basic  # noqa: E402
from lib.rest import P, V, key_url  # noqa: E402

ROUNDS = 5 if suite.FULL else 2


def three(word, **more):
    return new_nodes(cluster(3), topic(word), 3, **more)


def others(nodes, one):
    return [n for n in nodes if n is not one]


def verdict(load, nodes):
    """Nothing is lost or wrong, and every node has the same."""
    one = leader(nodes, 90)
    v = load.verdict(one)
    same(v.faults(), {}, f'faults ({v})')
    check(v.acknowledged > 0, 'something was written')
    same_on_all(load, [one, *others(nodes, one)])


def stop_all(nodes):
    for n in nodes:
        n.stop()


def only_one_leads(nodes):
    until(lambda: sum(n.leads() for n in nodes) == 1, 'exactly one leads', 60)


# --- 2, 3, 4, 7, 8 ---

def t02_one_leads_and_all_have_it():
    nodes = three('three')
    only_one_leads(nodes)
    with Load(nodes, 'three') as load:
        load.wait_for_more(60)
        verdict(load, nodes)
    stop_all(nodes)


def t03_the_leading_node_is_killed_again_and_again():
    nodes = three('killed')
    with Load(nodes, 'killed') as load:
        for _ in range(ROUNDS):
            load.wait_for_more(20)
            one = leader(nodes)
            one.kill()
            check(leader(others(nodes, one)) is not one, 'another leads')
            load.wait_for_more(20)
            one.start()
        verdict(load, nodes)
    stop_all(nodes)


def t04_the_leading_node_stands_still_and_goes_on():
    nodes = three('zombie')
    with Load(nodes, 'zombie') as load:
        load.wait_for_more(20)
        one = leader(nodes)
        one.process.send_signal(signal.SIGSTOP)
        try:
            leader(others(nodes, one))
            load.wait_for_more(20)
        finally:
            one.process.send_signal(signal.SIGCONT)
        only_one_leads(nodes)
        load.wait_for_more(20)
        verdict(load, nodes)
    stop_all(nodes)


@full
def t07_the_leading_node_ends_orderly():
    nodes = three('orderly')
    with Load(nodes, 'orderly') as load:
        for _ in range(3):
            load.wait_for_more(20)
            one = leader(nodes)
            one.stop()
            began = time.monotonic()
            leader(others(nodes, one))
            print(f'another leads after {time.monotonic() - began:.1f} s', flush=True)
            load.wait_for_more(20)
            one.start()
        verdict(load, nodes)
    stop_all(nodes)


@full
def t08_nodes_that_join_and_return_stop_no_write():
    nodes = three('join')
    one = leader(nodes)
    with Load([one], 'join') as load:
        load.wait_for_more(20)
        for n in others(nodes, one):
            n.stop()
            load.wait_for_more(10)
            n.start()
            load.wait_for_more(10)
        load.stop()
        same(sorted(load.codes()), [200], 'what writers were told')
        verdict(load, nodes)
    check(one.leads(), 'the same leads')
    stop_all(nodes)


@full
def t08b_a_new_node_takes_everything_while_others_write():
    name = topic('new')
    nodes = new_nodes(cluster(3), name, 2)
    with Load(nodes, 'new') as load:
        load.wait_for_more(20)
        nodes.append(Node(cluster(), name, 2, key=nodes[0].key, alone=False).start())
        load.wait_for_more(10)
        verdict(load, nodes)
    stop_all(nodes)


# --- 9, 10, 11, 12, 15 ---

def with_a_broker(word, choose, hurt):
    """What happens to the broker that choose(nodes) names, under load."""
    nodes = three(word)
    with Load(nodes, word) as load:
        load.wait_for_more(20)
        broker = choose(nodes)
        hurt(broker)
        load.wait_for_more(30, timeout=150)
        broker.release()
        if broker.jvm.process.poll() is not None:
            broker.launch()
        cluster().wait_all()
        load.wait_for_more(20, timeout=150)
        verdict(load, nodes)
    stop_all(nodes)


def t09_the_broker_that_leads_the_topic_is_killed():
    with_a_broker('leader', lambda nodes: cluster().leader(nodes[0].topic), lambda b: b.kill())


@full
def t10_the_coordinator_of_transactions_is_killed():
    with_a_broker('coordinator', lambda nodes: cluster().coordinator(f'propseal-{nodes[0].topic}'),
                  lambda b: b.kill())


@full
def t11_the_coordinator_of_the_group_is_killed():
    def group_of(_):
        group = cluster().hand('group', name='secret-registry.propseal')
        check(group['members'] > 0, 'nodes are in the group', group)
        return cluster().brokers[group['coordinator']]
    with_a_broker('group', group_of, lambda b: b.kill())


@full
def t12_each_broker_stands_still():
    nodes = three('still')
    with Load(nodes, 'still') as load:
        for b in cluster().brokers.values():
            load.wait_for_more(20, timeout=150)
            b.hold()
            time.sleep(20)
            b.release()
            cluster().wait_all()
        load.wait_for_more(20, timeout=150)
        verdict(load, nodes)
    stop_all(nodes)


@full
def t15_brokers_are_restarted_one_after_the_other():
    nodes = three('rolling')
    with Load(nodes, 'rolling') as load:
        for b in cluster().brokers.values():
            load.wait_for_more(20, timeout=150)
            b.stop()
            b.launch()
            cluster().wait_all()
        load.wait_for_more(20, timeout=150)
        verdict(load, nodes)
    stop_all(nodes)


# --- 16 ---

@full
def t16_too_few_replicas():
    name, hand = topic('few'), cluster(3).hand
    hand.create(name, replicas=2, min_insync_replicas=2, max_message_bytes=2097152)
    n = Node(cluster(), name, **{'kafkastore.topic.replication.factor': 2}).start().wait_leads()
    with Load([n], name, writers=2) as load:
        load.wait_for_more(10)
        d = hand('describe', topic=name)
        other = cluster().brokers[next(i for i in d['replicas'] if i != d['leader'])]
        other.kill()
        until(lambda: len(hand('describe', topic=name)['isr']) == 1, 'one is out of step')
        before = load.acknowledged()
        until(lambda: load.codes().get(503, 0) + load.codes().get(504, 0) > 0, 'it is told', 90)
        check(load.acknowledged() <= before + 2, 'nothing more is acknowledged')
        other.launch()
        cluster().wait_all()
        load.wait_for_more(20, timeout=150)
        verdict(load, [n])
    n.stop()


# --- 17, 19, 20 ---

def cut_off(word, **ways):
    nodes = three(word)
    with Load(nodes, word) as load:
        load.wait_for_more(20)
        one = leader(nodes)
        p = cluster().proxies[one.number]
        p.cut(**ways)
        try:
            leader(others(nodes, one), 90)
            load.wait_for_more(30, timeout=150)
            check(one.running(), 'it runs on')
        finally:
            p.mend()
        only_one_leads(nodes)
        load.wait_for_more(20)
        verdict(load, nodes)
    stop_all(nodes)


def t17_the_leading_node_is_cut_off_from_the_brokers():
    cut_off('cut')


@full
def t19_only_what_it_sends_is_lost():
    cut_off('deaf', from_broker=False)


@full
def t19b_only_what_it_is_sent_is_lost():
    cut_off('dumb', to_broker=False)


@full
def t20_a_slow_network():
    nodes = three('slow')
    one = leader(nodes)
    for p in cluster().proxies:
        p.slow(0.2)
    try:
        with Load(nodes, 'slow', writers=3) as load:
            until(lambda: load.acknowledged() > 60, 'writes go on', 150)
            check(one.leads(), 'the same leads')
            verdict(load, nodes)
    finally:
        for p in cluster().proxies:
            p.mend()
    stop_all(nodes)


# --- 23 ---

@full
def t23_somebody_takes_our_transactional_id_in_a_loop():
    nodes = three('taken')
    name = f'propseal-{nodes[0].topic}'
    with Load(nodes, 'taken') as load:
        load.wait_for_more(10)
        for _ in range(6):
            cluster().hand('init', name=name)
            time.sleep(1)
        load.wait_for_more(20, timeout=150)
        verdict(load, nodes)
    stop_all(nodes)


# --- 29 ---

@full
def t29_an_unclean_election_loses_what_was_written():
    """The topic's brokers may, by its settings; the node does not go on as if nothing were."""
    name, hand = topic('unclean'), cluster(3).hand
    hand.create(name, replicas=2, min_insync_replicas=1, max_message_bytes=2097152,
                unclean_leader_election_enable='true')
    n = Node(cluster(), name, **{'kafkastore.topic.replication.factor': 2}).start().wait_leads()
    adm = n.as_('adm')
    status(adm.post(V('p', 'k'), {'secret': 'kept'}), 200)
    d = hand('describe', topic=name)
    first = cluster().brokers[d['leader']]
    other = cluster().brokers[next(i for i in d['replicas'] if i != d['leader'])]
    other.kill()
    until(lambda: len(hand('describe', topic=name)['isr']) == 1, 'one is out of step')
    for i in range(5):
        until(lambda i=i: adm.post(V('p', 'k'), {'secret': f'lost {i}'}).status == 200, 'written')
    first.kill()
    other.launch()
    until(lambda: hand.may('describe', topic=name).get('leader') == other.number,
          'the one that lacks it leads', 90)
    said = n.not_ready(timeout=120)
    check('topic' in said, 'the reason', said)
    answer = n.new('adm').post(V('p', 'k'), {'secret': 'on top of it'})
    check(answer.status in (503, 504), 'nothing is written', answer.body)
    check(n.running(), 'it runs')
    n.stop()
    first.launch()
    cluster().wait_all()


# --- 33 ---

def rotating(n):
    return ok(n.as_('adm').get('/secret/admin/rotation')).json()


@full
def t33_the_leading_node_is_killed_while_keys_are_rotated():
    nodes = three('rotation')
    one = leader(nodes)
    for i in range(60):
        status(one.as_('adm').post(V('p', f'k{i % 6}'), {'secret': f'v{i}'}), 200)
    before = {i: ok(one.as_('adm').get(key_url('p', f'k{i}'))).json() for i in range(6)}
    for _ in range(3):
        one = leader(nodes)
        status(one.as_('adm').post('/secret/admin/rotation'), 202, 409)
        one.kill()
        leader(others(nodes, one))
        one.start()
    one = leader(nodes)
    until(lambda: not rotating(one).get('running'), 'it ends', 90)
    for n in nodes:
        until(lambda n=n: {i: ok(n.as_('adm').get(key_url('p', f'k{i}'))).json()
                           for i in range(6)} == before, 'every value opens on every node', 60)
    stop_all(nodes)


# --- 34 ---

def given(n, key):
    harness.write(n.key_file, key + '\n')
    n.process.send_signal(signal.SIGHUP)


@full
def t34_a_new_master_secret_on_the_leading_node_alone():
    nodes = three('master')
    one = leader(nodes)
    rest = others(nodes, one)
    status(one.as_('adm').post(V('p', 'k'), {'secret': 'before'}), 200)
    for n in rest:
        until(lambda n=n: n.as_('adm').get(V('p', 'k') + '/1').status == 200, 'it is there', 30)
    key = harness.key_text()
    given(one, key)
    for n in rest:
        n.not_ready('master secret', timeout=60)
    until(lambda: not rotating(one).get('running'), 'it ends', 60)
    status(one.as_('adm').post(V('p', 'k'), {'secret': 'after'}), 200)
    for n in rest:
        # Not 404: it cannot know.
        err(n.as_('adm').get(V('p', 'k') + '/2'), 503)
        err(n.as_('adm').post(V('p', 'k'), {'secret': 'x'}), 503)
    check(one.leads(), 'the same leads')
    for n in rest:
        given(n, key)
    for n in rest:
        n.wait_ready(60)
        until(lambda n=n: n.as_('adm').get(V('p', 'k') + '/2').status == 200, 'it reads on', 30)
        same([s['secret'] for s in ok(n.as_('adm').get(key_url('p', 'k'))).json()],
             ['before', 'after'], f'what node {n.number} has')
    one.kill()
    status(leader(rest).as_('adm').post(V('p', 'k'), {'secret': 'third'}), 200)
    stop_all(rest)


# --- users and roles ---

def t08c_a_node_ends_well_at_any_moment_of_its_start():
    """Also between joining the group and being told of what is assigned to it."""
    nodes = three('ends')
    one = leader(nodes)
    other = others(nodes, one)[0]
    for i in range(ROUNDS * 5):
        other.stop()
        other.launch()
        other.wait_listening()
        time.sleep(0.08 * i)
    stop_all(nodes)


def t41_a_user_made_on_one_node_is_one_on_all():
    nodes = three('access')
    for n in nodes:
        n.wait_records()
    one = leader(nodes)
    dora = basic('dora', 'the-password-of-dora')
    until(lambda: one.as_('adm').post('/secret/admin/users', {
        'name': 'dora', 'password': 'the-password-of-dora'}).status == 201, 'made', 30)
    status(one.as_('adm').put('/secret/admin/role-bindings', {
        'role': 'ResourceOwner', 'principal': 'dora', 'path': 'conn-d'}), 204)
    for n in nodes:
        until(lambda n=n: n.with_header(dora).get(P + '/conn-d/keys').status == 200,
              f'node {n.number} knows dora', 30)
    one.kill()
    two = leader(others(nodes, one))
    until(lambda: two.as_('adm').delete('/secret/admin/users/dora').status == 204, 'removed', 30)
    for n in others(nodes, one):
        until(lambda n=n: n.with_header(dora).get(P + '/conn-d/keys').status == 401,
              f'node {n.number} knows dora no more', 30)
    one.start()
    until(lambda: one.with_header(dora).get(P + '/conn-d/keys').status == 401,
          'nor does the one that was away', 30)
    stop_all(nodes)


if __name__ == '__main__':
    suite.main(globals(), limit=400)
