#!/usr/bin/env -S python3 -B
"""Three nodes of the registry that forward changes to the one that leads, over mutual TLS."""
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import jvm, nodes, suite  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import until  # noqa: E402
from lib_kafka.load import Load  # noqa: E402
from lib_kafka.nodes import forwarding_nodes, leader, same_on_all  # noqa: E402
from lib_kafka.suite import cluster, full, topic  # noqa: E402
from lib import audit, harness  # noqa: E402
from lib.check import check, err, ok, same, secret, status  # noqa: E402
from lib.rest import V, in_parallel, key_url, path_url  # noqa: E402

_three = []


def three():
    """Three that run, and lead and follow; the cases that hurt none share them."""
    if not _three:
        _three.extend(forwarding_nodes(cluster(), topic('forward')))
        for n in _three:
            n.kept = True
    one = leader(_three)
    return one, [n for n in _three if n is not one]


def lines_of(n, id_, count=0):
    """The audit lines of a request, once there are so many."""
    if count:
        until(lambda: len(audit.of_request(n, id_)) >= count, f'{count} audit lines', 20)
    return audit.of_request(n, id_)


def identity(principal='User', mechanism='TOKEN', client='192.0.2.7'):
    return [('X-Secret-Forwarded',
             f'principal={principal}&mechanism={mechanism}&client={client}')]


# --- 36: what is forwarded ---

def f01_a_change_at_a_follower_is_there_when_it_is_answered():
    one, (two, three_) = three()
    for i in range(200 if suite.FULL else 30):
        answer = secret(two.as_('adm').post(V('f01', 'k'), {'secret': f'v{i}'}), 'f01', 'k', i + 1,
                        f'v{i}')
        secret(two.as_('adm').get(V('f01', 'k') + '/latest'), 'f01', 'k', i + 1, f'v{i}')
        offset = answer.header('X-Secret-Offset')
        check(offset, 'the offset is told')
        secret(three_.as_('adm').get(V('f01', 'k') + '/latest', [('X-Secret-Offset', offset)]),
               'f01', 'k', i + 1, f'v{i}')
    same(answer.header('Location'), two.config['rest.base.url'] + V('f01', 'k') + f'/{i + 1}',
         'its place')
    same([int(n.metric(name)) for n, name in ((two, 'forwarded_total'),
          (two, 'forward_failures_total'), (one, 'forwarded_total'))], [i + 1, 0, 0],
         'changes that were counted as forwarded')
    secret(one.as_('adm').get(V('f01', 'k') + '/1'), 'f01', 'k', 1, 'v0')


def f02_each_kind_of_change():
    _, (n, _) = three()
    adm = n.as_('adm')
    for i in range(3):
        status(adm.post(V('f02', 'k'), {'secret': f'v{i}'}), 200)
    ok(adm.request('DELETE', V('f02', 'k') + '/2', {'a': 'body'}), 2)
    err(adm.get(V('f02', 'k') + '/2'), 404)
    status(adm.post(V('f02', 'k') + '/2/undelete'), 200)
    secret(adm.get(V('f02', 'k') + '/2'), 'f02', 'k', 2, 'v1')
    status(adm.delete(V('f02', 'k') + '/1?destroy=true'), 200)
    err(adm.post(V('f02', 'k') + '/1/undelete'), 409)
    status(adm.request('PATCH', key_url('f02', 'k') + '/metadata', {'cas_required': True}), 200)
    err(adm.post(V('f02', 'k'), {'secret': 'x'}), 422)
    err(adm.post(V('f02', 'k'), {'secret': 'x', 'cas': 1}), 409)
    status(adm.post(V('f02', 'k'), {'secret': 'x', 'cas': 3}), 200)
    err(adm.post(V('f02', 'k'), {'secret': 'y', 'cas': 4}, [('If-Match', '"3"')]), 412)
    ok(adm.delete(key_url('f02', 'k')), [2, 3, 4])
    err(adm.delete(key_url('f02', 'k')), 404)
    status(adm.post(V('f02', 'other'), {'secret': 'x'}), 200)
    status(adm.delete(path_url('f02')), 200)
    same(ok(adm.get(path_url('f02'))).json(), [], 'what is left')
    status(adm.post('/secret/admin/rotation'), 202)
    until(lambda: not ok(leader(_three).as_('adm').get('/secret/admin/rotation')).json()['running'],
          'it ends', 60)


def f03_what_is_wrong_with_a_request_is_told_by_the_leader():
    _, (n, _) = three()
    adm = n.as_('adm')
    err(adm.post(V('f03', 'k'), b'{'), 400)
    err(adm.post(V('f03', 'k'), {'wrong': 1}), 422)
    err(adm.post(V('f03', '0'), {'secret': 'x'}), 422)
    err(adm.post(V('f03', 'k'), {'secret': 'x' * 300000}), 413)
    err(adm.request('POST', V('f03', 'k'), b'x', [('Content-Type', 'text/plain')]), 415)
    err(adm.post(V('f03', 'k'), {'secret': 'x'},
                 [('Idempotency-Key', 'a'), ('Idempotency-Key', 'b')]), 400)
    answer = err(n.as_('adm').post(V('f03', 'k'), {'secret': 'x'}, [('Content-Encoding', 'gzip')]),
                 415)
    same(answer.header('Accept-Encoding'), 'identity', 'Accept-Encoding')
    same(n.as_('adm').get(V('f03', 'k')).json(), [], 'nothing is written')


def f04_a_large_value_and_all_of_unicode():
    _, (n, other) = three()
    for text in ['x' * 262144, 'ä\u2028"\\\U0001f600 \x01' * 1000]:
        answer = status(n.as_('adm').post(V('f04 ü', 'k'), {'secret': text}), 200)
        offset = answer.header('X-Secret-Offset')
        got = status(other.as_('adm').get(V('f04 ü', 'k') + '/latest',
                                          [('X-Secret-Offset', offset)]), 200)
        check(got.json()['secret'] == text, 'the same value')


def f05_the_caller_is_who_asked_and_the_leader_alone_has_the_record():
    one, (n, _) = three()
    answer = status(n.as_('own').post(V('conn-a', 'f05'), {'secret': harness.MARKER}), 200)
    id_ = answer.header('X-Request-Id')
    intent, outcome = lines_of(one, id_, 2)
    same((audit.phase(intent), audit.phase(outcome)), ('intent', 'outcome'), 'phases')
    same((audit.principal(intent), audit.client(intent), audit.result(outcome)),
         ('User:own', '127.0.0.1', 200), 'who, from where, what became of it')
    same(audit.data(intent, 'requestMetadata', 'forwardedBy'), f'registry{n.number}', 'by whom')
    same(audit.data(outcome, 'requestMetadata', 'forwardedBy'), None, 'in the intent alone')
    same(lines_of(n, id_), [], 'lines of the node that forwarded it')
    status(one.as_('adm').post('/secret/admin/audit/verify', {}), 200)
    got = ok(n.as_('adm').get(V('conn-a', 'f05') + '/1?metadata=true')).json()
    same(got['createdBy'], 'own', 'by whom')
    check(harness.MARKER.encode() not in audit.text(one) + audit.text(n), 'no value in a log')


def f06_rights_are_those_of_the_caller():
    one, (n, _) = three()
    answer = err(n.as_('own').post(V('f06', 'k'), {'secret': 'x'}), 403)
    err(n.as_('dr').post(V('conn-a', 'k'), {'secret': 'x'}), 403)
    err(n.as_('nob').delete(path_url('conn-a')), 403)
    until(lambda: lines_of(one, answer.header('X-Request-Id')), 'it is on record there')
    same(lines_of(n, answer.header('X-Request-Id')), [], 'and here not')
    err(n.with_header('Bearer psr_wrong').post(V('conn-a', 'k'), {'secret': 'x'}), 401)
    err(n.new().post(V('conn-a', 'k'), {'secret': 'x'}), 401)


def f07_once_under_a_key_of_its_own_whichever_node_is_asked():
    one, (two, three_) = three()
    key = [('Idempotency-Key', 'f07')]
    for n in (two, three_, one, two):
        secret(n.as_('adm').post(V('f07', 'k'), {'secret': 'once'}, key), 'f07', 'k', 1, 'once')
    err(three_.as_('adm').post(V('f07', 'k'), {'secret': 'other'}, key), 422)
    ok(three_.as_('adm').get(V('f07', 'k')), [1])


def f08_many_at_once_through_followers():
    one, followers = three()
    with Load(followers, 'f08', writers=12) as load:
        load.wait_for_more(300 if suite.FULL else 100)
        v = load.verdict(followers[0])
    same((v.faults(), sorted(load.codes())), ({}, [200]), 'faults and answers')
    same_on_all(load, [one, *followers])


def f09_users_tokens_and_bindings():
    one, (n, other) = three()
    adm, admin = n.as_('adm'), '/secret/admin'
    status(adm.post(f'{admin}/users', {'name': 'f09', 'password': 'a long password'}), 201)
    as_new = n.with_header(harness.basic('f09', 'a long password'))
    err(as_new.post(V('f09', 'k'), {'secret': 'x'}), 403)
    status(adm.request('PUT', f'{admin}/role-bindings', {
        'principal': 'User:f09', 'role': 'ResourceOwner', 'path': 'f09'}), 204)
    status(as_new.post(V('f09', 'k'), {'secret': 'x'}), 200)
    one_more = {'principal': 'f09', 'role': 'DeveloperRead', 'path': 'f09 b'}
    status(adm.request('PUT', f'{admin}/role-bindings', one_more), 204)
    status(adm.request('DELETE', f'{admin}/role-bindings', one_more), 204)
    # What a role allows is a record, too: all nodes have it.
    status(adm.put(f'{admin}/roles/Reader', {'scope': ['path'], 'operations': ['SecretRead']}),
           204)
    for node in _three:
        until(lambda: len(ok(node.as_('adm').get(f'{admin}/roles')).json()['roles']) == 13,
              'the role is everywhere', 20)
    status(adm.delete(f'{admin}/roles/Reader'), 204)
    same(len(ok(adm.get(f'{admin}/roles')).json()['roles']), 12, 'and gone')
    bindings = '/security/1.0/principals/User:f09/roles/DeveloperRead/bindings'
    what = {'scope': {}, 'resourcePatterns': [
        {'resourceType': 'Connector', 'name': 'f09 c', 'patternType': 'LITERAL'}]}
    status(adm.post(bindings, what), 204)
    status(adm.request('DELETE', bindings, what), 204)
    err(adm.request('DELETE', bindings, what), 404)
    made = status(adm.post(f'{admin}/tokens', {'principal': 'f09'}), 201).json()
    by_token = n.with_header('Bearer ' + made['token'])
    status(by_token.get(V('f09', 'k') + '/1'), 200)
    status(adm.delete(f"{admin}/tokens/{made['id']}"), 204)
    err(by_token.get(V('f09', 'k') + '/1'), 401)
    status(adm.request('PATCH', f'{admin}/users/f09', {'disabled': True}), 204)
    err(as_new.get(V('f09', 'k') + '/1'), 401)
    answer = status(adm.delete(f'{admin}/users/f09'), 204)
    until(lambda: len(lines_of(one, answer.header('X-Request-Id'))) == 2, 'on record', 20)
    same(lines_of(n, answer.header('X-Request-Id')), [], 'and not here')
    err(n.as_('own').delete(f'{admin}/users/adm'), 403)
    for node in (one, n, other):
        until(lambda node=node: b'f09' not in ok(node.as_('adm').get(f'{admin}/users')).body,
              'gone on each', 20)


# --- 36: what is believed ---

def f10_nobody_but_a_node_says_who_asks():
    one, (two, _) = three()
    body = {'secret': 'forged'}
    stranger = one.authority.client('stranger')
    for n in (one, two):
        for client in [n.new('own'), n.new(), n.by(stranger), n.by(stranger, n.bearer('adm'))]:
            answer = err(client.post(V('f10', 'k'), body, identity('adm')), 401)
            same(answer.header('WWW-Authenticate'), None, 'it is not asked for a login')
            client.close()
    # A node's word, but not one for what is forwarded.
    good = one.by(two.certificate)
    for wrong in [identity('adm', 'MAGIC'), identity('adm', client='nowhere'), identity(''),
                  identity('a%0ab'), identity('adm') + identity('own'),
                  [('X-Secret-Forwarded', 'adm')], identity('x' * 300),
                  identity('adm') + [('Authorization', one.bearer('adm'))]]:
        err(good.post(V('f10', 'k'), body, wrong), 401)
    err(good.get(V('conn-a', 'k') + '/1', identity('adm')), 401)
    err(good.get('/secret/admin/users', identity('adm')), 401)
    err(good.post('/secret/admin/audit/verify', None, identity('adm')), 401)
    same(one.as_('adm').get(V('f10', 'k')).json(), [], 'nothing is written')
    # And one that is.
    status(good.post(V('f10', 'k'), body, identity('adm')), 200)
    err(good.post(V('f10', 'k'), body, identity('nob')), 403)
    # Its certificate by itself may nothing.
    err(good.post(V('f10', 'k'), body), 403)
    good.close()


def f11_a_forwarded_change_is_not_forwarded_again():
    one, (two, three_) = three()
    client = three_.by(two.certificate)
    answer = err(client.post(V('f11', 'k'), {'secret': 'x'}, identity('adm')), 503)
    check(b'another node leads' in answer.body, 'it says why', answer.body)
    client.close()
    same(one.as_('adm').get(V('f11', 'k')).json(), [], 'nothing is written')


def f12_a_node_that_is_not_listed():
    one, _ = three()
    n = nodes.Forwarding(cluster(), one.topic, 1, one.authority, 'registry0', key=one.key)
    n.certificate = one.authority.node('unknown')
    n.config.update({'ssl.certificate': n.certificate[0], 'ssl.key': n.certificate[1]})
    n.start()
    try:
        answer = err(n.as_('adm').post(V('f12', 'k'), {'secret': 'x'}), 503)
        check(b'node.names' in answer.body, 'the way out', answer.body)
        err(n.as_('nob').post(V('f12', 'k'), {'secret': 'x'}), 403)
        lines_of(n, answer.header('X-Request-Id'), 2)
    finally:
        n.stop()


def f13_who_is_disabled_is_not_let_in_by_a_node_that_has_not_read_that():
    one, (two, _) = three()
    adm, users = one.as_('adm'), '/secret/admin/users'
    status(adm.post(users, {'name': 'f13', 'password': 'a long password'}), 201)
    status(adm.request('PUT', '/secret/admin/role-bindings', {
        'principal': 'f13', 'role': 'ResourceOwner', 'path': 'f13'}), 204)
    node = one.by(two.certificate)
    status(node.post(V('f13', 'k'), {'secret': 'x'}, identity('f13')), 200)
    status(adm.request('PATCH', f'{users}/f13', {'disabled': True}), 204)
    answer = err(node.post(V('f13', 'k'), {'secret': 'y'}, identity('f13')), 403)
    check(b'disabled' in answer.body, 'it says why', answer.body)
    same(audit.result(lines_of(one, answer.header('X-Request-Id'), 2)[1]), 403, 'on record')
    node.close()
    same(ok(adm.get(V('f13', 'k'))).json(), [1], 'versions')


def f14_a_node_that_does_not_read_the_topic_forwards_nothing():
    """Whom it lets in may be shut out since."""
    one, two = forwarding_nodes(cluster(), topic('silent'), 2)
    token = status(two.as_('adm').post('/secret/admin/tokens', {'principal': 'own'}), 201).json()
    owner = two.with_header('Bearer ' + token['token'])
    until(lambda: owner.get(V('conn-a', 'k')).status == 200, 'users are records', 20)
    status(owner.post(V('conn-a', 'k'), {'secret': 'x'}), 200)
    p = cluster().proxies[two.number]
    p.cut()
    try:
        status(one.as_('adm').delete('/secret/admin/tokens/' + token['id']), 204)
        until(lambda: b'does not read the topic' in two.as_('adm').post(
            V('other', 'k'), {'secret': 'x'}).body, 'it forwards nothing', 60)
        err(owner.post(V('conn-a', 'k'), {'secret': 'y'}), 503)
        check(two.metric('forward_failures_total') >= 2, 'it counts what it did not forward')
        same(ok(one.as_('adm').get(V('conn-a', 'k'))).json(), [1], 'versions')
    finally:
        p.mend()
    until(lambda: owner.post(V('conn-a', 'k'), {'secret': 'y'}).status == 401, 'it reads on', 60)
    same(ok(one.as_('adm').get(V('conn-a', 'k'))).json(), [1], 'versions')
    two.stop()
    one.stop()


def f15_a_follower_that_was_restarted_knows_who_leads():
    one, (two, _) = three()
    answers = []

    def is_forwarded():
        """It may read the topic a moment later than it is ready: nothing was written then."""
        answers.append(two.as_('adm').post(V('f15', 'k'), {'secret': 'x'}))
        return answers[-1].status == 200

    for i in range(3):
        until(is_forwarded, 'a change is forwarded')
        secret(answers[-1], 'f15', 'k', i + 1, 'x')
        if i < 2:
            two.restart()
    same(two.health()[1]['leader'], one.config['rest.base.url'], 'who leads')


# --- 18: the leading node cannot be reached ---

def alone_behind_a_door(word, door):
    """One that leads, at another address than it tells; and one that forwards to that."""
    authority = nodes.tls.Authority()
    one = nodes.Forwarding(cluster(), topic(word), 0, authority, 'registry0,registry1')
    one.config['rest.base.url'] = f'https://127.0.0.1:{door}'
    one.start().wait_leads()
    two = nodes.Forwarding(cluster(), one.topic, 1, authority, 'registry0,registry1', key=one.key,
                           **{'node.forward.timeout.ms': 3000})
    two.start()
    return one, two


def f18_the_leading_node_cannot_be_reached_by_the_others():
    one, two = alone_behind_a_door('door', jvm.free_ports(1)[0])
    status(one.as_('adm').post(V('f18', 'k'), {'secret': 'x'}), 200)
    until(lambda: two.as_('adm').get(V('f18', 'k') + '/1').status == 200, 'reads go on')
    began = time.monotonic()
    answer = err(two.as_('adm').post(V('f18', 'k'), {'secret': 'y'}), 503)
    check(time.monotonic() - began > 1, 'another leader is waited for a moment')
    check(answer.header('Retry-After'), 'it may be tried again')
    check(b'cannot be reached' in answer.body, 'it says why', answer.body)
    same([[n.health(h)[0] for h in ('write', 'leader')] for n in (one, two)],
         [[200, 200], [200, 503]], 'who takes changes, as far as they know')
    lines_of(two, answer.header('X-Request-Id'), 2)
    # Of who may not write nothing was to be forwarded.
    err(two.as_('nob').post(V('f18', 'k'), {'secret': 'y'}), 403)
    same(int(two.metric('forward_failures_total')), 1, 'changes that were not forwarded')
    check(one.leads() and not two.leads(), 'nobody else leads')
    same(ok(one.as_('adm').get(V('f18', 'k'))).json(), [1], 'versions')
    two.stop()
    one.stop()


def f19_the_leading_node_does_not_answer():
    """It is not known then; once it can be known, a repetition tells."""
    with socket.create_server(('127.0.0.1', 0)) as deaf:
        one, two = alone_behind_a_door('deaf', deaf.getsockname()[1])
        taken = threading.Thread(target=lambda: swallow(deaf, one.authority.context_of_server(
            one.certificate)), daemon=True)
        taken.start()
        answer = err(two.as_('adm').post(V('f19', 'k'), {'secret': 'x'},
                                         [('Idempotency-Key', 'f19')]), 504)
        check(b'not known' in answer.body, 'it says so', answer.body)
        lines_of(two, answer.header('X-Request-Id'), 2)
        err(two.as_('nob').post(V('f19', 'k'), {'secret': 'x'}), 403)
        began = time.monotonic()
        two.stop()
        check(time.monotonic() - began < 15, 'it ends')
    one.stop()


def swallow(server, context):
    """Take what comes over TLS and never answer."""
    kept = []
    while True:
        try:
            kept.append(context.wrap_socket(server.accept()[0], server_side=True))
        except OSError:
            return


# --- 3, 4: the leading node dies in the middle ---

def with_load(word, hurt, rounds):
    names = forwarding_nodes(cluster(), topic(word), **{'node.forward.timeout.ms': 6000})
    with Load(names, word) as load:
        for _ in range(rounds):
            load.wait_for_more(30)
            one = leader(names)
            hurt(one, names, load)
        load.wait_for_more(30)
        one = leader(names, 90)
        v = load.verdict(one)
        print(load.codes(), flush=True)
        same(v.faults(), {}, f'faults ({v})')
        same_on_all(load, [one, *[n for n in names if n is not one]])
    for n in names:
        n.stop()


def f20_the_leading_node_is_killed_while_others_forward_to_it():
    def hurt(one, names, load):
        one.kill()
        leader([n for n in names if n is not one])
        load.wait_for_more(20)
        one.start()
    with_load('killed', hurt, 5 if suite.FULL else 2)


def f21_the_leading_node_stands_still_while_others_forward_to_it():
    def hurt(one, names, load):
        one.process.send_signal(signal.SIGSTOP)
        try:
            leader([n for n in names if n is not one])
            load.wait_for_more(20)
        finally:
            one.process.send_signal(signal.SIGCONT)
    with_load('held', hurt, 3 if suite.FULL else 1)


@full
def f22_the_leading_node_ends_orderly_while_others_forward_to_it():
    def hurt(one, names, load):
        one.stop()
        leader([n for n in names if n is not one])
        load.wait_for_more(20)
        one.start()
    with_load('ends', hurt, 3)


def f23_a_node_ends_while_it_waits_for_an_answer():
    names = forwarding_nodes(cluster(), topic('waits'), 2)
    one, two = names
    status(two.as_('adm').post(V('f23', 'k'), {'secret': 'x'}), 200)
    one.process.send_signal(signal.SIGSTOP)
    try:
        client = two.new('adm')
        thread = threading.Thread(target=lambda: quietly(
            lambda: client.post(V('f23', 'k'), {'secret': 'y'})), daemon=True)
        thread.start()
        time.sleep(1)
        began = time.monotonic()
        two.stop()
        print(f'it ended after {time.monotonic() - began:.1f} s', flush=True)
    finally:
        one.process.send_signal(signal.SIGCONT)
    one.stop()


def quietly(do):
    try:
        do()
    except Exception:
        pass


def f24_a_late_answer_makes_no_second_token():
    """Only what has an Idempotency-Key that counts is sent twice, and nothing that is late."""
    one, two = forwarding_nodes(cluster(), topic('late'), 2, **{'node.forward.timeout.ms': 1500})
    adm, tokens = two.as_('adm'), '/secret/admin/tokens'
    # So that each thread has a connection that it has used.
    in_parallel(24, lambda i: [status(two.new('adm').post(V('f24', f'k{i}'), {'secret': 'x'}), 200)
                               for _ in range(6)])
    before = len(ok(one.as_('adm').get(tokens)).json())
    p = cluster().proxies[one.number]
    p.slow(2)
    began = time.monotonic()
    answer = adm.post(tokens, {'principal': 'own'}, [('Idempotency-Key', 'f24')])
    took = time.monotonic() - began
    p.mend()
    err(answer, 504)
    check(took < 2.7, 'after the time once', took)
    check(b'Look before' in answer.body, 'what to do', answer.body)
    until(lambda: len(ok(one.as_('adm').get(tokens)).json()) > before, 'it is made', 60)
    time.sleep(3)
    same(len(ok(one.as_('adm').get(tokens)).json()), before + 1, 'tokens')
    two.stop()
    one.stop()


def f25_as_long_as_users_are_files_a_node_that_does_not_lead_changes_none_of_its_own():
    one = nodes.Node(cluster(), topic('early'), 0, alone=False)
    os.remove(os.path.join(one.data, 'bindings.json'))      # so that they stay files
    one.start().wait_leads()
    two = nodes.Node(cluster(), one.topic, 1, key=one.key, alone=False).start()
    users = os.path.join(two.data, 'users.json')
    with open(users, 'rb') as f:
        before = f.read()
    until(lambda: two.health()[0] == 200, 'it has read the topic')
    answer = err(two.as_('adm').post('/secret/admin/users', {
        'name': 'lost', 'password': 'a long password'}), 503)
    check(b'another node leads' in answer.body, 'it says why', answer.body)
    with open(users, 'rb') as f:
        same(f.read(), before, 'its file')
    two.stop()
    one.stop()


# --- settings ---

def f30_settings_that_do_not_fit():
    one, _ = three()
    good = dict(one.config)
    for change, words in [
            ({'ssl.client.ca': None}, ['node.names', 'ssl.client.ca']),
            ({'rest.base.url': 'http://127.0.0.1:1'}, ['node.names', 'rest.base.url']),
            ({'rest.base.url': None}, ['node.names', 'rest.base.url']),
            ({'node.names': None, 'node.ssl.ca': '/x'}, ['node.ssl.ca', 'node.names']),
            ({'node.ssl.ca': '/none'}, ['/none'])]:
        r = nodes.Node(cluster(), one.topic, 2, key=one.key, alone=False)
        r.config = {k: v for k, v in {**good, **change}.items() if v is not None}
        said = r.refuses_to_start()
        check(all(w in said for w in words), f'{words}', said)
    r = harness.Registry({'node.names': 'registry0'})
    said = r.refuses_to_start()
    check('node.names' in said and 'store.log=kafka' in said, 'the way out', said)


if __name__ == '__main__':
    suite.main(globals(), limit=300)
