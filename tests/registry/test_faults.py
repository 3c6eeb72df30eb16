#!/usr/bin/env -S python3 -B
"""Faults of store, clock, network and clients: the cases X of the registry's
contract that one node can have."""
import os
import re
import resource
import selectors
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from lib import audit, harness, program, run, store
from lib.check import check, err, fail, ok, same, secret, status
from lib.harness import MARKER, Registry
from lib.rest import P, V, Closed, Connection, build, in_parallel, key_url, path_url
from lib.run import case
from lib.small_disk import SmallDisk


def put(r, path='conn-a', key='k', *values):
    for value in values or ('value',):
        answer = ok(r.as_('adm').post(V(path, key), {'secret': value}))
    return answer


def counted(r, word):
    """The value of the metric whose name holds this word."""
    for line in status(r.as_('adm').get('/metrics'), 200).body.decode().splitlines():
        if not line.startswith('#') and word in line.split(' ')[0]:
            return float(line.rsplit(' ', 1)[1])
    return fail(f'expected: a metric whose name holds {word}')


SECRET_KEY = '{"t":"SECRET","path":"p","key":"k","version":%d,"claim":"%s"}'
GARBAGE = [
    (b'\xff\xfe garbage', b'\x00\x01\x02'), (b'{', b'{}'), (b'[]', b'[]'), (b'x', b''),
    (b'{"t":"SECRET"}', b'{"m":1}'), (b'{"t":5}', b'{}'),
    ((SECRET_KEY % (1, 'zz')).encode(), b'{}'),
    ((SECRET_KEY % (1, '0' * 32)).encode(), b'not json'),
    ((SECRET_KEY % (-1, '1' * 32)).encode(), b'{"m":1}'),
    ((SECRET_KEY % (1, '2' * 32)).encode(),
     b'{"m":1,"kid":1,"salt":"!","iv":"","ct":"","createdAt":"x"}'),
    (b'{"t":"META","path":"p/q","key":"k"}', b'{"m":1,"high":5}'),
    (b'{"t":"META","path":"p","key":"k2"}', b'{"m":1,"high":"x"}'),
    (b'{"t":"SECRET","path":"p","path":"q","key":"k","version":1}', b'{"m":1}'),
    (b'[' * 3000, b'[' * 3000), (b'k' * 4096, b'v' * 100000),
]


def x08_garbage_at_the_end_of_the_log():
    """Of the first edition, which is taken over."""
    r = Registry().start()
    put(r)
    r.stop()
    store.first_edition(r.data)
    for key, value in GARBAGE:
        store.append_first(r.data, key, value)
    r.start()
    check(counted(r, 'quarantin') >= 1, 'quarantined records are counted')
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 1, 'value')
    secret(put(r, 'conn-a', 'k', 'second'), 'conn-a', 'k', 2, 'second')
    r.restart()
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 2, 'second')
    answer = r.as_('adm').post(V('p', 'k'), {'secret': 'new'})
    secret(answer, 'p', 'k', answer.json()['version'], 'new')


def x09_garbage_as_the_only_record():
    for key, value in GARBAGE[:2]:
        r = Registry().start()
        r.stop()
        store.first_edition(r.data)
        with store.opened(r.data) as db:
            db.execute('DELETE FROM record')
        store.append_first(r.data, key, value)
        for name in os.listdir(r.data):
            # What belongs to the log that was there before.
            if name not in ('users.json', 'tokens.json', 'bindings.json') and \
                    not name.startswith(os.path.basename(store.file_of(r.data))):
                os.unlink(os.path.join(r.data, name))
        r.start()
        ok(r.as_('adm').get(P), [])
        check(counted(r, 'quarantin') == 1, 'counted', counted(r, 'quarantin'))
        put(r)
        r.restart()
        secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 1, 'value')


def x10_records_of_a_newer_release():
    r = Registry().start()
    put(r, 'conn-a', 'k', 'one')
    r.stop()
    foreign = [(b'{"t":"NEWTYPE","x":1}', b'{"m":9,"y":[1,2]}'),
               (b'{"t":"SECRET","path":"n","key":"k","version":1,'
                b'"claim":"00000000000000000000000000000000"}', b'{"m":99,"new":true}')]
    store.first_edition(r.data)
    for key, value in foreign:
        store.append_first(r.data, key, value)
    r.start()
    check(counted(r, 'unknown') >= 1, 'counted as unknown', counted(r, 'unknown'))
    put(r, 'conn-a', 'k', 'two')
    ok(r.as_('adm').delete(V('conn-a', 'k') + '/1'))
    ok(r.as_('adm').post('/secret/admin/rotation', {}), code=202)
    end = time.monotonic() + 10
    while ok(r.as_('adm').get('/secret/admin/rotation')).json()['running']:
        check(time.monotonic() < end, 'the rotation ends')
        time.sleep(0.02)
    r.restart()
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 2, 'two')
    r.stop()
    kept = store.first_records(r.data)
    for key, value in foreign:
        same(kept.get(key), value, f'the record {key}')
    # The number of what is not known here is taken.
    secret(put(r.start(), 'n', 'k', 'mine'), 'n', 'k', 2, 'mine')


def full_store(disk, **config):
    """A registry whose store alone is on the small disk."""
    elsewhere = harness.scratch('elsewhere')
    r = Registry({'audit.file': elsewhere + '/audit.log', **config},
                 data=disk.folder if disk.mounted else None)
    r.start()
    disk.registry = r
    return r


def until_full(r, expected):
    """Write until it is refused; the acknowledged versions."""
    known = {}
    for n in range(2000):
        value = f'{n} ' + 'x' * 8000
        answer = r.as_('adm').post(V('conn-a', 'big'), {'secret': value})
        if answer.status != 200:
            err(answer, *expected)
            return known
        known[answer.json()['version']] = value
    return fail('expected: a refusal once the disk is full')


def x13_store_that_cannot_be_written_for_a_while():
    with SmallDisk(4 << 20) as disk:
        if not disk.mounted:
            return store_without_mount(disk)
        r = full_store(disk)
        put(r, 'conn-a', 'k', 'before')
        disk.fill()
        known = until_full(r, (503, 507))
        # The audit log is on the same disk: what is read is on record, or not read.
        for _ in range(3):
            answer = status(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 200, 503)
            check(answer.status == 200 or b'before' not in answer.body, 'no value', answer.body)
        status(r.as_(None).get('/health/live'), 200)
        disk.clear()
        end = time.monotonic() + 15
        while (answer := r.as_('adm').post(V('conn-a', 'k'), {'secret': 'after'})).status != 200:
            check(time.monotonic() < end, 'writes work again by themselves', answer.status)
            time.sleep(0.1)
        secret(answer, 'conn-a', 'k', answer.json()['version'], 'after')
        check(answer.json()['version'] >= 2, 'a higher number', answer.body)
        same(r.ready(), 200, '/health/ready')
        r.restart()
        secret(r.as_('adm').get(V('conn-a', 'k') + '/1'), 'conn-a', 'k', 1, 'before')
        for version, value in known.items():
            secret(r.as_('adm').get(f'{V("conn-a", "big")}/{version}'), 'conn-a', 'big', version,
                   value)
        r.kill()


def store_without_mount(disk):
    """The same with a limit on the size of files, the audit going elsewhere."""
    sink = os.open('/dev/null', os.O_WRONLY)
    r = Registry({'audit.file': '', 'audit.stdout': True})
    r.stdout = sink
    r.limits = {resource.RLIMIT_FSIZE: (resource.RLIM_INFINITY, resource.RLIM_INFINITY)}
    r.start()
    disk.registry = r
    put(r, 'conn-a', 'k', 'before')
    disk.fill()
    err(r.as_('adm').post(V('conn-a', 'k'), {'secret': 'x'}), 503, 507)
    disk.clear()
    end = time.monotonic() + 15
    while r.as_('adm').post(V('conn-a', 'k'), {'secret': 'after'}).status != 200:
        check(time.monotonic() < end, 'writes work again by themselves')
        time.sleep(0.1)
    r.kill()


def x20b_what_was_not_written_is_not_told():
    """The outcome of a version that could not be stored names none; nor does any
    stand there without the other, as both are written at once."""
    r = Registry().start()
    put(r)
    before = resource.prlimit(r.pid(), resource.RLIMIT_FSIZE)
    resource.prlimit(r.pid(), resource.RLIMIT_FSIZE, (4 << 20, before[1]))
    for n in range(2, 100):
        answer = r.as_('adm').post(V('conn-a', 'k'), {'secret': 250000 * 'x'},
                                   [('X-Request-Id', f'create-{n}')])
        if answer.status != 200:
            break
    err(answer, 503, 507)
    resource.prlimit(r.pid(), resource.RLIMIT_FSIZE, before)
    told = audit.of_request(r, f'create-{n}')
    check([audit.phase(line) for line in told] in ([], ['intent', 'outcome']), 'phases', told)
    for line in told[1:]:
        same(set(audit.data(line, 'result')), {'status', 'message'}, 'members of the outcome')
        check('version=' not in audit.data(line, 'resourceName'), 'what it is about', line)
    r.wait_ready()
    secret(put(r), 'conn-a', 'k', n, 'value')
    r.stop()
    program.audit_verify(r.data, r.key_file)


def x18_ready_only_after_all_was_read():
    r = Registry().start()

    def fill(part):
        client = r.new('adm')
        for i in range(part, 1000, 4):
            ok(client.post(V(f'path-{i % 10}', f'key-{i}'), {'secret': f'value {i}'}))
        client.close()
    in_parallel(4, fill)
    for stop in (r.stop, r.kill):
        stop()
        r.launch()
        r.wait_listening()
        seen = set()
        for i in range(1000):
            answer = r.as_('adm').get(V(f'path-{i % 10}', f'key-{i}') + '/latest')
            if answer.status == 200:
                secret(answer, f'path-{i % 10}', f'key-{i}', 1, f'value {i}')
            else:
                err(answer, 503)
            seen.add(answer.status)
            if answer.status == 503:
                check(r.ready() != 200 or
                      r.as_('adm').get(V(f'path-{i % 10}', f'key-{i}') + '/1').status == 200,
                      'not ready while answering 503')
        check(200 in seen, 'reads that succeed', seen)
        r.wait_ready()
        same(sum(len(ok(r.as_('adm').get(f'{path_url(p)}/keys')).json())
                 for p in ok(r.as_('adm').get(P)).json()), 1000, 'keys')


def x20_disk_full():
    with SmallDisk(2 << 20) as disk:
        if not disk.mounted:
            return store_without_mount(disk)
        r = full_store(disk)
        known = until_full(r, (503, 507))
        check(known, 'writes before the disk was full')
        for version, value in known.items():
            secret(r.as_('adm').get(f'{V("conn-a", "big")}/{version}'), 'conn-a', 'big', version,
                   value)
        listed = ok(r.as_('adm').get(V('conn-a', 'big'))).json()
        same(listed, sorted(known), 'versions')
        # Not even a kill now loses what was acknowledged.
        r.kill()
        disk.clear()
        with open(disk.folder + '/more', 'wb'):
            pass
        subprocess.run(['mount', '-o', 'remount,size=16m', disk.folder], check=True)
        r.start()
        ok(r.as_('adm').get(V('conn-a', 'big')), sorted(known))
        for version, value in known.items():
            secret(r.as_('adm').get(f'{V("conn-a", "big")}/{version}'), 'conn-a', 'big', version,
                   value)
        same(put(r, 'conn-a', 'big').json()['version'] > max(known), True, 'a higher number')
        r.stop()
        same(store.integrity(r.data), ['ok'], 'integrity_check')


def x21_second_process_on_one_folder():
    r = Registry().start()
    put(r)
    second = Registry(data=r.data)
    said = second.refuses_to_start(r.key_file)
    check(re.search('another|in use|busy|locked|already', said), 'the reason', said)
    # Waiting is no way out, and `registry serve` takes no flag for it.
    check('one process alone' in said and '--lock-timeout' not in said, 'the hint', said)
    secret(put(r, 'conn-a', 'k', 'two'), 'conn-a', 'k', 2, 'two')
    # Nor where the lock file was removed.
    os.unlink(os.path.join(r.data, '.registry.db.propseal-lock'))
    said = second.refuses_to_start(r.key_file)
    check(re.search('another|in use|busy|locked|already', said), 'the reason', said)
    # After a kill the folder is free.
    r.kill()
    r.start()
    ok(r.as_('adm').get(V('conn-a', 'k')), [1, 2])


def x21b_file_that_is_not_a_store():
    r = Registry().start()
    put(r)
    r.stop()
    name = store.file_of(r.data)
    with open(name, 'r+b') as f:
        good = f.read()
        f.seek(0)
        f.write(b'SQLite format 3\0' + os.urandom(4080))
    said = r.refuses_to_start()
    check('Traceback' not in said, 'a clear text', said)
    with open(name, 'rb') as f:
        f.seek(4096)
        same(f.read() == good[4096:], True, 'the rest of the file as it was')
    with open(name, 'wb') as f:
        f.write(good)
    r.start()
    ok(r.as_('adm').get(V('conn-a', 'k')), [1])


def preload(r, name, **env):
    """Have the registry run with lib/NAME.c, which is built once."""
    path = os.path.join(harness.work(), name + '.so')
    if not os.path.exists(path):
        subprocess.run([*(os.environ.get('CC') or 'cc').split(), '-D_GNU_SOURCE', '-shared',
                        '-fPIC', '-O1', '-o', path, os.path.join(program.HERE, name + '.c'),
                        '-ldl'], check=True)
    options = os.environ.get('ASAN_OPTIONS')
    r.env = {'LD_PRELOAD': path, **env,
             'ASAN_OPTIONS': (options + ':' if options else '') + 'verify_asan_link_order=0'}


def x22_clock_set_back():
    r = Registry()
    shift = os.path.join(r.folder, 'shift')
    harness.write(shift, '0')
    preload(r, 'clock', CLOCK_SHIFT_FILE=shift)
    r.start()
    put(r, 'conn-a', 'k', 'one', 'two')
    ok(r.as_('adm').post(V('conn-a', 'short'), {'secret': 'x', 'ttl': 1800}))
    harness.write(shift, '-3600')
    secret(put(r, 'conn-a', 'k', 'three'), 'conn-a', 'k', 3, 'three')
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 3, 'three')
    ok(r.as_('adm').get(V('conn-a', 'k')), [1, 2, 3])
    ok(r.as_('adm').get(V('conn-a', 'short')), [1])
    times = [v['createdAt'] for v in
             ok(r.as_('adm').get(key_url('conn-a', 'k') + '/metadata')).json()['versions']]
    same(times, sorted(times), 'createdAt in order')
    r.restart()
    secret(put(r, 'conn-a', 'k', 'four'), 'conn-a', 'k', 4, 'four')
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 4, 'four')
    ok(r.as_('adm').delete(V('conn-a', 'k') + '/4'))
    secret(put(r, 'conn-a', 'k', 'five'), 'conn-a', 'k', 5, 'five')
    # What has ended stays so, wherever the clock goes.
    ok(r.as_('adm').post(V('conn-a', 'brief'), {'secret': 'x', 'ttl': 60}))
    harness.write(shift, '100')
    err(r.as_('adm').get(V('conn-a', 'brief') + '/1'), 404)
    time.sleep(2.5)                             # until it is marked
    harness.write(shift, '-3600')
    err(r.as_('adm').get(V('conn-a', 'brief') + '/1'), 404)
    r.restart()
    err(r.as_('adm').get(V('conn-a', 'brief') + '/latest'), 404)
    # Forward again: what was to live for half an hour is over after an hour.
    harness.write(shift, '3600')
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 5, 'five')
    err(r.as_('adm').get(V('conn-a', 'short') + '/1'), 404)
    r.stop()
    program.audit_verify(r.data, r.key_file)


def x23_client_that_goes_away():
    rounds = 150
    r = Registry().start()
    headers = [('Authorization', r.bearer('adm'))]
    for i in range(rounds):
        connection = Connection(r.address)
        connection.send(build('POST', V(f'path-{i}', 'k'), r.host,
                              [*headers, ('X-Request-Id', f'gone-{i}')], {'secret': f'value {i}'}))
        if i % 3 == 0:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        elif i % 3 == 1:
            time.sleep(0.0005 * (i % 7))
        connection.close()
    time.sleep(0.3)
    put(r)
    r.stop()
    there = {path for path, _, _ in store.secrets(r.data)}
    lines = {}
    for line in audit.events(r):
        lines.setdefault(audit.request_id(line), []).append(line)
    stored = 0
    for i in range(rounds):
        found = lines.get(f'gone-{i}', [])
        phases = [audit.phase(line) for line in found]
        if f'path-{i}' in there:
            stored += 1
            same(phases, ['intent', 'outcome'], f'request {i}, stored: lines')
            same(audit.result(found[1]), 200, f'request {i}: status')
        else:
            check(phases in ([], ['intent', 'outcome']), f'request {i}, not stored: no open intent',
                  phases)
            check(not found or audit.result(found[1]) != 200, f'request {i}: no success told')
    check(stored > 0, 'some that were stored', stored)


SLOW = 500


@case(limit=50)
def x24_slow_clients():
    r = Registry({'http.request.timeout.ms': 4000, 'http.idle.timeout.ms': 5000,
                  'http.max.connections': 2000}).start()
    put(r)
    request = build('GET', P, r.host, [('Authorization', r.bearer('adm')), ('X-Slow', 'a' * 200)])
    resource.setrlimit(resource.RLIMIT_NOFILE, (
        max(2048, resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    slow = [Connection(r.address) for _ in range(SLOW)]
    idle = Connection(r.address)
    over, closed = threading.Event(), set()

    def drip():
        watch = selectors.DefaultSelector()
        for i, connection in enumerate(slow):
            connection.sock.setblocking(False)
            watch.register(connection.sock, selectors.EVENT_READ, i)
        at = 0
        while not over.is_set():
            for i, connection in enumerate(slow):
                if i not in closed:
                    try:
                        connection.sock.send(request[at:at + 1])
                    except OSError:
                        closed.add(i)
            at += 1
            until = time.monotonic() + 1
            while time.monotonic() < until and not over.is_set():
                for key, _ in watch.select(0.05):
                    try:
                        if not key.fileobj.recv(4096):
                            closed.add(key.data)
                            watch.unregister(key.fileobj)
                    except OSError:
                        closed.add(key.data)
                        watch.unregister(key.fileobj)
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        served, end = 0, time.monotonic() + 3
        while time.monotonic() < end:
            fast = r.new('adm')
            secret(fast.get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 1, 'value')
            fast.close()
            served += 1
        check(served > 20, 'others are served meanwhile', served)
        end = time.monotonic() + 12
        while len(closed) < SLOW and time.monotonic() < end:
            time.sleep(0.1)
        same(len(closed), SLOW, 'slow connections that were closed')
        check(idle.is_closed_by_peer(), 'an idle connection is closed')
    finally:
        over.set()
        thread.join()
        for connection in slow:
            connection.close()
    secret(put(r, 'conn-a', 'k', 'two'), 'conn-a', 'k', 2, 'two')


def x24b_connections_beyond_the_limit():
    r = Registry({'http.max.connections': 20}).start()
    held = []
    try:
        for _ in range(60):
            try:
                held.append(Connection(r.address, timeout=5))
            except OSError:
                break
        time.sleep(0.3)
    finally:
        for connection in held:
            connection.close()
    end = time.monotonic() + 5
    while r.ready() != 200:
        check(time.monotonic() < end, 'served again once they are gone')
        time.sleep(0.05)


def x24c_connections_of_one_address():
    """An address with many half-sent requests leaves places to others and to itself."""
    r = Registry({'http.max.connections.per.address': 6, 'http.max.half.open.per.address': 4,
                  'http.threads': 1}).start()
    request = build('GET', '/health/live', r.host)
    far = Connection(r.address, source='127.0.0.77')
    near = [Connection(r.address) for _ in range(30)]

    def asks(connection, data, expected, what):
        connection.send(data)
        answer = connection.answer()
        same(answer.status, expected, what)
        return answer
    try:
        for connection in near:
            try:
                connection.send(request[:-1])
            except OSError:     # it has made room for a later one already
                pass
        asks(far, request, 200, 'another address is served')
        for connection in near[:26]:
            check(connection.is_closed_by_peer(), 'the first had to go')
        for connection in near[27:]:
            asks(connection, request[-1:], 200, 'the last are there still')
        for _ in range(3):      # the oldest half-open one goes
            near.append(Connection(r.address))
            asks(near[-1], request, 200, 'as many as an address may have')
        near.append(Connection(r.address))
        answer = asks(near[-1], b'', 503, 'one more')
        same(answer.json(), {'error_code': 503, 'message': 'Too many connections; try again'},
             'what it is told')
        same((answer.header('retry-after'), answer.header('connection')),
             ('1', 'close'), 'its headers')
    finally:
        for connection in near + [far]:
            connection.close()
    end = time.monotonic() + 5
    while r.ready() != 200:
        check(time.monotonic() < end, 'served again once they are gone')
        time.sleep(0.05)
    check(counted(r, 'connections_refused') >= 1, 'the refused are counted')
    same(int(counted(r, 'connections_shed')), 27, 'those that made room')


def x25_old_master_key_after_a_rotation():
    """One node alone: it does not start, so it answers nothing."""
    r = Registry().start()
    put(r)
    r.stop()
    new = harness.write(os.path.join(r.folder, 'new'), harness.key_text() + '\n')
    with open(r.key_file) as f:
        r.config['master.encryption.old.key'] = f.read().strip()
    r.start(new)
    end = time.monotonic() + 10
    while ok(r.as_('adm').get('/secret/admin/rotation')).json()['running']:
        check(time.monotonic() < end, 'the rotation ends')
        time.sleep(0.02)
    r.stop()
    del r.config['master.encryption.old.key']
    r.refuses_to_start()
    r.start(new)
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 1, 'value')


def x26_end_lets_requests_finish():
    """SIGTERM while writes are under way: what was answered is there."""
    r = Registry().start()
    known, lock, started = {}, threading.Lock(), threading.Event()

    def write(i):
        client = r.new('adm')
        n = 0
        try:
            while True:
                n += 1
                answer = client.post(V(f'path-{i}', 'k'), {'secret': f'{i} {n}'})
                if answer.status != 200:
                    err(answer, 503)
                    return
                with lock:
                    known[(f'path-{i}', answer.json()['version'])] = f'{i} {n}'
                if len(known) > 50:
                    started.set()
        except (Closed, OSError):
            return
    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    check(started.wait(15), 'writes')
    # A watcher does not hold the end up.
    watcher = r.new('adm').open()
    watcher.send(build('GET', f'/secret/watch?since={1 << 40}&wait=30', r.host,
                       [('Authorization', r.bearer('adm'))]))
    start = time.monotonic()
    same(r.stop(), 0, 'exit status')
    check(time.monotonic() - start < 8, 'an end before the time to drain is long over')
    for t in threads:
        t.join()
    r.start()
    for (path, version), value in known.items():
        secret(r.as_('adm').get(f'{V(path, "k")}/{version}'), path, 'k', version, value)


def x27_reload_keeps_serving():
    r = Registry().start()
    put(r)
    over, problems = threading.Event(), []

    def read():
        client = r.new('adm')
        while not over.is_set():
            answer = client.get(V('conn-a', 'k') + '/latest')
            if answer.status != 200:
                problems.append(answer.status)
    threads = [threading.Thread(target=read) for _ in range(3)]
    for t in threads:
        t.start()
    for _ in range(10):
        r.process.send_signal(1)
        time.sleep(0.05)
    # A file that cannot be read leaves the old in force.
    with open(os.path.join(r.data, 'bindings.json')) as f:
        good = f.read()
    with open(os.path.join(r.data, 'bindings.json'), 'w') as f:
        f.write('{"bindings": [')
    r.process.send_signal(1)
    time.sleep(0.3)
    over.set()
    for t in threads:
        t.join()
    same(problems, [], 'problems of readers')
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 1, 'value')
    err(r.as_('nob').get(V('conn-a', 'k') + '/latest'), 403)
    with open(os.path.join(r.data, 'bindings.json'), 'w') as f:
        f.write(good)


def x28_copy_made_online():
    """The backup of a running registry is a registry."""
    r = Registry().start()
    put(r, 'conn-a', 'k', 'one', MARKER)
    ok(r.as_('adm').post('/secret/admin/backup', {'file': 'copy.db'}))
    err(r.as_('adm').post('/secret/admin/backup', {'file': 'copy.db'}), 409)
    for name in ('../copy.db', '/tmp/copy.db', '', '.hidden', 'a/b', 5):
        err(r.as_('adm').post('/secret/admin/backup', {'file': name}), 422)
    err(r.as_('own').post('/secret/admin/backup', {'file': 'other.db'}), 403)
    put(r, 'conn-a', 'k', 'three')
    r.stop()
    copies = [os.path.join(base, name) for base, _, names in os.walk(r.data) for name in names
              if name.endswith('.db') and os.path.join(base, name) != store.file_of(r.data)]
    same(len(copies), 1, 'copies')
    backup = shutil.copy(copies[0], r.folder)
    # By hand, it would give numbers twice: that is noticed, and both ways out are named.
    newest = shutil.copy(store.file_of(r.data), r.folder)
    shutil.copy(backup, store.file_of(r.data))
    said = r.refuses_to_start()
    for word in ('older than its audit log', 'newer registry.db', 'registry restore'):
        check(word in said, word, said)
    shutil.copy(newest, store.file_of(r.data))

    def restore(code=0):
        return program.run('restore', backup, '--data', r.data, '--master-key-file', r.key_file,
                           code=code)
    r.start()
    said = restore(5).stderr
    check(b'stop it first' in said and b'another restore' in said, 'refused while it is served', said)
    r.stop()
    said = restore()
    check(b'1 version' in said.stdout, 'how many are gone', said.stdout)
    check(os.path.exists(store.file_of(r.data) + '.old'), 'the one before is kept')
    r.start()
    ok(r.as_('adm').get(V('conn-a', 'k')), [1, 2])
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 2, MARKER)
    secret(put(r, 'conn-a', 'k', 'four'), 'conn-a', 'k', 4, 'four')
    status(r.as_('adm').post('/secret/admin/audit/verify', {}), 200)
    r.restart()
    ok(r.as_('adm').get(V('conn-a', 'k')), [1, 2, 4])
    r.stop()
    program.audit_verify(r.data, r.key_file)


RESTORE = '/secret/admin/restore'


def x28e_restored_while_it_is_served():
    """All at once, under the keys that are in force now, and no number is given twice."""
    r = Registry().start()
    adm = r.as_('adm')
    idem = [('Idempotency-Key', 'once')]
    put(r, 'conn-a', 'k', 'one', MARKER)
    secret(adm.post(V('conn-a', 'idem'), {'secret': 'x'}, idem), 'conn-a', 'idem', 1, 'x')
    ok(adm.post(V('conn-a', 'ttl'), {'secret': 'y', 'ttl': 3600, 'metadata': {'a': 'b'}}))
    ok(adm.delete(V('conn-a', 'k') + '/1'))
    ok(adm.patch(key_url('conn-a', 'k') + '/metadata', {'max_versions': 5}))
    before = ok(adm.get(f'{path_url("conn-a")}/metadata')).json()
    since = ok(adm.get('/secret/watch?wait=0')).json()['offset']
    ok(adm.post('/secret/admin/backup', {'file': 'b1'}))

    ok(adm.post('/secret/admin/rotation'), code=202)
    end = time.monotonic() + 30
    while ok(adm.get('/secret/admin/rotation')).json()['running']:
        check(time.monotonic() < end, 'the rotation ends')
        time.sleep(0.05)
    put(r, 'conn-a', 'k', 'three', 'four')
    put(r, 'conn-b', 'later', 'x', 'y')
    ok(adm.delete(V('conn-a', 'k') + '/2?destroy=true'))
    ok(adm.patch(key_url('conn-a', 'k') + '/metadata', {'max_versions': 2}))

    for name, code in (('../b1', 422), ('', 422), (5, 422), ('none', 404)):
        err(adm.post(RESTORE, {'file': name}), code)
    for who in ('op', 'own', 'aud'):
        err(r.as_(who).post(RESTORE, {'file': 'b1'}), 403)
    same(ok(adm.post(RESTORE, {'file': 'b1'})).json(), {'file': 'b1', 'versions': 4}, 'restored')

    # Numbers that were given stay given, and so do those of settings.
    next(k for k in before['keys'] if k['key'] == 'k').update(
        highestVersion=4, destroyed=[[3, 4]], cas=2)

    def as_before(r):
        adm = r.as_('adm')
        same(ok(adm.get(f'{path_url("conn-a")}/metadata')).json(), before, 'metadata')
        secret(adm.get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 2, MARKER)
        ok(adm.get(P), ['conn-a'])
    as_before(r)
    err(adm.get(f'/secret/watch?since={since}&wait=0'), 410)
    r.restart()
    as_before(r)
    # The key that the backup's values were under is gone, in every sense.
    adm = r.as_('adm')
    secret(adm.post(V('conn-a', 'idem'), {'secret': 'x'}, idem), 'conn-a', 'idem', 1, 'x')
    status(adm.post(V('conn-a', 'k') + '/1/undelete'), 200)
    secret(adm.get(V('conn-a', 'k') + '/1'), 'conn-a', 'k', 1, 'one')
    secret(put(r, 'conn-a', 'k', 'five'), 'conn-a', 'k', 5, 'five')
    secret(put(r, 'conn-b', 'later', 'z'), 'conn-b', 'later', 3, 'z')
    done = [e for e in audit.events(r) if audit.method(e) == 'RestoreStore' and
            audit.phase(e) == 'outcome' and audit.result(e) == 200]
    same([audit.data(e, 'request', 'count') for e in done], [4], 'outcomes of it that succeeded')
    r.stop()
    program.audit_verify(r.data, r.key_file)


def x28f_what_is_no_backup_of_this_registry_is_not_restored():
    r, other = Registry().start(), Registry().start()
    put(r)
    put(other)
    ok(other.as_('adm').post('/secret/admin/backup', {'file': 'b1'}))
    os.mkdir(os.path.join(r.data, 'backups'), 0o700)
    shutil.copy(os.path.join(other.data, 'backups', 'b1'), os.path.join(r.data, 'backups', 'b1'))
    harness.write(os.path.join(r.data, 'backups', 'b2'), 'no database')
    for name in ('b1', 'b2'):
        err(r.as_('adm').post(RESTORE, {'file': name}), 409)
    ok(r.as_('adm').get(V('conn-a', 'k')), [1])
    # One of its values does not open: nothing of it is taken.
    ok(r.as_('adm').post('/secret/admin/backup', {'file': 'b3'}))
    db = sqlite3.connect(os.path.join(r.data, 'backups', 'b3'))
    db.execute("UPDATE secret SET path='conn-z'")
    db.commit()
    db.close()
    put(r)
    over, others = threading.Event(), []

    def write():
        client = r.new('adm')
        while not over.is_set():
            others.append(client.post(V('conn-b', 'k'), {'secret': 'x'}).status)
    threads = [threading.Thread(target=write) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(8):
        check(r.as_('adm').post(RESTORE, {'file': 'b3'}).status in (500, 503), 'it fails')
    over.set()
    for t in threads:
        t.join()
    same(set(others), {200}, 'answers to what others wrote meanwhile')
    ok(r.as_('adm').get(V('conn-a', 'k')), [1, 2])
    ok(r.as_('adm').get(P), ['conn-a', 'conn-b'])


def x28g_restored_where_an_older_one_was():
    """A backup that is newer than what there is, as the audit log was lost with the disk."""
    r = Registry().start()
    put(r)
    ok(r.as_('adm').post('/secret/admin/backup', {'file': 'b1'}))
    for i in range(20):
        put(r, 'conn-b', f'k{i}')
    ok(r.as_('adm').post('/secret/admin/backup', {'file': 'b2'}))
    r.stop()
    for name in os.listdir(r.data):
        if name.startswith('audit.log'):
            os.unlink(os.path.join(r.data, name))
    program.run('restore', os.path.join(r.data, 'backups', 'b1'), '--data', r.data,
                '--master-key-file', r.key_file)
    r.start()
    same(ok(r.as_('adm').post(RESTORE, {'file': 'b2'})).json()['versions'], 21, 'restored')
    for i in range(20):
        secret(put(r, 'conn-b', f'k{i}', 'new'), 'conn-b', f'k{i}', 2, 'new')


def x28b_database_that_is_missing():
    """Beside what is left of a registry no new one is made."""
    r = Registry().start()
    put(r)
    r.stop()
    os.rename(store.file_of(r.data), r.folder + '/away')
    for gone in (None, 'keyring.json', 'audit.log'):
        if gone:
            os.rename(os.path.join(r.data, gone), os.path.join(r.folder, gone))
        there = sorted(os.listdir(r.data))
        said = r.refuses_to_start()
        check('registry.db' in said and 'missing' in said and 'restore' in said, 'the reason', said)
        same(sorted(os.listdir(r.data)), there, 'files')
    for name in ('keyring.json', 'audit.log'):
        os.rename(os.path.join(r.folder, name), os.path.join(r.data, name))
    os.rename(r.folder + '/away', os.path.join(r.data, 'registry.db'))
    r.start()
    ok(r.as_('adm').get(V('conn-a', 'k')), [1])


def x28c_first_edition_is_taken_over():
    """With all that it held, once; its file is kept."""
    r = Registry().start()
    adm = r.as_('adm')
    put(r, 'conn-a', 'k', 'one', 'two', 'three', 'four')
    idem = [('Idempotency-Key', 'once')]
    ok(adm.post(V('conn-a', 'idem'), {'secret': 'x'}, idem))
    ok(adm.post(V('conn-b', 'ttl'), {'secret': 'y', 'ttl': 3600, 'metadata': {'a': 'b'}}))
    ok(adm.delete(V('conn-a', 'k') + '/2'))
    ok(adm.delete(V('conn-a', 'k') + '/4?destroy=true'))
    ok(adm.patch(key_url('conn-a', 'k') + '/metadata', {'max_versions': 5}))
    before = [ok(adm.get(f'{path_url(p)}/metadata')).json() for p in ('conn-a', 'conn-b')]
    r.stop()
    store.first_edition(r.data)
    # As after the first edition: the chain goes on in its file.
    lines = len(audit.lines(r))
    said = r.start().errors()
    check('first edition' in said and 'registry.db.v1' in said, 'it is told', said)
    adm = r.as_('adm')
    same([ok(adm.get(f'{path_url(p)}/metadata')).json() for p in ('conn-a', 'conn-b')], before,
         'metadata')
    secret(adm.get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 3, 'three')
    ok(adm.post(V('conn-a', 'k') + '/2/undelete'))
    secret(adm.get(V('conn-a', 'k') + '/2'), 'conn-a', 'k', 2, 'two')
    secret(adm.post(V('conn-a', 'idem'), {'secret': 'x'}, idem), 'conn-a', 'idem', 1, 'x')
    secret(put(r, 'conn-a', 'k', 'five'), 'conn-a', 'k', 5, 'five')
    status(adm.post('/secret/admin/audit/verify', {}), 200)
    check('first edition' not in r.restart().errors(), 'it is taken over once')
    check(len(audit.lines(r)) > lines, 'more lines in the same file')
    r.stop()
    program.audit_verify(r.data, r.key_file)
    check(store.first_records(r.data), 'the file of the first edition')


def x28d_takeover_that_was_killed():
    """Between the two renames: the next start ends it."""
    r = Registry().start()
    put(r)
    r.stop()
    name = store.file_of(r.data)
    newest = shutil.copy(name, r.folder)
    store.first_edition(r.data)
    os.rename(name, name + '.v1')
    shutil.copy(newest, name + '.new')
    os.chmod(name + '.new', 0o600)
    r.start()
    ok(r.as_('adm').get(V('conn-a', 'k')), [1])
    check(not os.path.exists(name + '.new'), 'nothing beside it')


def x29_trouble_is_told_once():
    """On standard error, when it begins, changes and ends."""
    r = Registry().start()
    put(r)

    def lines(word):
        return [line for line in r.errors().splitlines() if word in line]

    def wait_for(word, n):
        end = time.monotonic() + 20
        while len(lines(word)) < n:
            check(time.monotonic() < end, f'{n} lines with {word}', r.errors()[-600:])
            time.sleep(0.05)

    def replace(path, text):
        os.replace(harness.write(path + '.new', text), path)
    for name, what in (('users.json', 'users and tokens'), ('tokens.json', 'users and tokens'),
                       ('bindings.json', 'roles')):
        path = os.path.join(r.data, name)
        with open(path, encoding='utf-8') as f:
            good = f.read()
        start, again = len(lines(name)), len(lines('are those of the files again'))
        replace(path, f'{{"{MARKER}"')
        wait_for(name, start + 1)
        check(f'{name}:1: not JSON; the {what} that were read before stay in force'
              in lines(name)[-1], 'what it is', lines(name)[-1])
        # However often it is asked for, it is not told again; but on a reload.
        for _ in range(12):
            err(r.as_(None).get('/health/ready'), 503)
            ok(r.as_('adm').get(V('conn-a', 'k')), [1])
            time.sleep(0.1)
        same(len(lines(name)), start + 1, f'lines about {name}')
        r.process.send_signal(1)
        wait_for(name, start + 2)
        replace(path, good)
        wait_for('are those of the files again', again + 1)
        check(f'the {what} in force' in lines('are those of the files again')[-1],
              'what is well again', lines('again')[-1])
        r.wait_ready()
        same(len(lines(name)), start + 2, f'lines about {name}')
    check(MARKER not in r.errors(), 'nothing of the files', r.errors())


def x30_end_while_the_audit_log_hangs():
    """The end does not wait for ever, and is none by a signal."""
    r = Registry({'audit.required': None, 'audit.deadline.ms': 300})
    hang = os.path.join(r.folder, 'hang')
    preload(r, 'hang', HANG_FILE=os.path.join(r.data, 'audit.log'), HANG_WHEN=hang)
    r.start()
    put(r)
    harness.write(hang, '')
    same(r.stop(), 0, 'exit status')
    r.env = {}
    r.start()
    secret(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 'conn-a', 'k', 1, 'value')
    r.stop()
    program.audit_verify(r.data, r.key_file)


def x30b_reads_while_the_disk_hangs():
    """A single event thread answers others meanwhile, and the reader in the time that there is."""
    r = Registry({'audit.deadline.ms': 300, 'http.threads': 1})
    hang = os.path.join(r.folder, 'hang')
    preload(r, 'hang', HANG_FILE=os.path.join(r.data, 'registry.db-wal'),
            HANG_WHEN=hang)
    r.start()
    put(r)
    for _ in range(10):
        ok(r.as_('adm').get(V('conn-a', 'k') + '/latest'))
    harness.write(hang, '')
    err(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 503)
    status(r.as_(None).get('/health/live'), 200)
    r.process.kill()


def x30c_end_while_the_disk_hangs():
    """It has a bound, which is told, and which a second signal makes shorter."""
    r = Registry({'audit.deadline.ms': 300, 'http.drain.timeout.ms': 300, 'http.threads': 1})
    hang = os.path.join(r.folder, 'hang')
    for again, word in ((False, 'not ended after 5900 ms'), (True, 'told again to end')):
        preload(r, 'hang', HANG_FILE=os.path.join(r.data, 'registry.db-wal'), HANG_WHEN=hang)
        r.start()
        known = put(r).json()['version']
        harness.write(hang, '')
        err(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 503)
        r.drop_clients()
        begun = time.monotonic()
        r.process.send_signal(signal.SIGTERM)
        r.process.send_signal(signal.SIGTERM)  # at once: the same one
        if again:
            time.sleep(1.5)
            check(r.running(), 'it is not ended yet')
            r.process.send_signal(signal.SIGTERM)
        same(r.process.wait(30), 1, 'exit status')
        took = time.monotonic() - begun
        check(took > (1.5 if again else 5.5), 'not before', took)
        check('ending, within 5900 ms' in r.errors() and word in r.errors(), 'told', r.errors())
        r.process = None
        os.unlink(hang)
        r.env = {}
        r.start()
        secret(r.as_('adm').get(f'{V("conn-a", "k")}/{known}'), 'conn-a', 'k', known, 'value')
        r.stop()
        program.audit_verify(r.data, r.key_file)


def x30d_nobody_reads_what_is_told():
    """A pipe that is full keeps nobody: what finds no room is dropped, and counted."""
    r = Registry()
    name = os.path.join(r.folder, 'pipe')
    os.mkfifo(name)
    pipe = os.open(name, os.O_RDWR | os.O_NONBLOCK)
    r.wrap = ['sh', '-c', 'exec "$@" 2>"$0"', name]

    def take(word):
        said, end = b'', time.monotonic() + 20
        while word not in said:
            check(time.monotonic() < end, f'{word} is told', said)
            try:
                said += os.read(pipe, 65536)
            except BlockingIOError:
                time.sleep(0.01)
        return said.decode()

    def fill():
        for n in (4096, 1):
            try:
                while True:
                    os.write(pipe, b'-' * n)
            except BlockingIOError:
                pass
    r.launch()
    harness.write(r.errors_file, take(b'listening on 127.0.0.1:'))
    r.wait_listening().wait_ready()
    users = os.path.join(r.data, 'users.json')
    with open(users, encoding='utf-8') as f:
        good = f.read()
    fill()
    harness.write(users, '{')
    while r.ready() != 503:
        time.sleep(0.05)
    time.sleep(1.5)  # to tell of it
    os.read(pipe, 1 << 20)
    r.process.send_signal(signal.SIGHUP)
    check('1 messages are missing' in take(b'users.json'), 'how many')
    fill()
    harness.write(users, good)
    r.process.send_signal(signal.SIGTERM)
    same(r.process.wait(20), 0, 'exit status')
    r.process = None
    os.close(pipe)


def x30e_systemd_waits_for_the_end():
    """Longer than the unit says, where settings were raised."""
    r = Registry({'audit.deadline.ms': 90000, 'http.drain.timeout.ms': 1000})
    where = os.path.join(r.folder, 'notify')
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(where)
    manager.settimeout(20)
    r.env = {'NOTIFY_SOCKET': where}
    r.start()
    same(r.stop(), 0, 'exit status')
    same(manager.recv(4096).decode().split('\n'),
         ['STOPPING=1', f'EXTEND_TIMEOUT_USEC={(1000 + 2 * 90000 + 5000 + 5000) * 1000}'],
         'what systemd is told')
    manager.close()


def x32_no_room_for_some_of_the_names_that_are_given():
    """A list's values leave when every name is on record, not when the last are."""
    r = Registry({'http.threads': 1})
    full = os.path.join(r.folder, 'full')
    preload(r, 'full', FULL_FILE='-wal', FULL_WHEN=full)
    r.start()
    keys = [f'k{i:03}' + 'x' * 240 for i in range(60)]
    for key in keys:
        put(r, 'conn-a', key)
    for i in range(30):
        harness.write(full, '')
        answer = r.as_('adm').get(path_url('conn-a'), [('X-Request-Id', f'x32-{i}')])
        told = ' '.join(str(audit.data(line, 'result', 'message'))
                        for line in audit.of_request(r, f'x32-{i}'))
        if answer.status == 200:
            same([key for key in keys if key not in told], [], 'names that are not on record')
        else:
            err(answer, 503)
        check(not os.path.exists(full), 'there was no room once')
    ok(r.as_('adm').get(path_url('conn-a')))


@case(config={'quota.bytes': 16000, 'quota.path.bytes': 12000})
def x33_so_much_is_kept_and_no_more(r):
    adm = r.as_('adm')

    def fill(path):
        while (answer := adm.post(V(path, 'k'), {'secret': 'x' * 3000})).status == 200:
            check(answer.json()['version'] < 20, 'it ends')
        return answer.status, answer.json()['message']
    code, said = fill('path-0')
    same(code, 413, 'a path is full')
    check('quota.path.bytes' in said, 'which setting', said)
    code, said = fill('path-1')
    same(code, 507, 'the registry is full')
    check('quota.bytes' in said, 'which setting', said)
    r.restart()
    err(r.as_('adm').post(V('path-0', 'k'), {'secret': 'x' * 3000}), 413, 507)
    ok(r.as_('adm').get(V('path-0', 'k') + '/1'))
    # What is destroyed leaves room.
    status(r.as_('adm').delete(V('path-0', 'k') + '/1?destroy=true'), 200)
    status(r.as_('adm').post(V('path-0', 'k'), {'secret': 'x' * 3000}), 200)


def memory(r):
    with open(f'/proc/{r.pid()}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmRSS')) / 1024


@case(limit=120)
def x34_values_are_not_kept_in_memory():
    """100 MB of them take less than 40 MiB."""
    r = Registry().start()
    put(r)
    before = memory(r)
    for n in range(400):
        status(r.as_('adm').post(V(f'path-{n % 20}', 'k'), {'secret': chr(97 + n % 26) * 262144}),
               200)
    after = memory(r)
    r.restart()
    for n in range(400):
        status(r.as_('adm').get(V(f'path-{n % 20}', 'k') + f'/{1 + n // 20}'), 200)
    if not program.sanitized():
        check(max(after, memory(r)) < before + 40, 'MiB of memory', (before, after, memory(r)))


def x31_more_at_once_than_is_kept():
    """Hundreds of requests on one thread, all of them under way together."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (
        max(2048, resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    r = Registry({'http.threads': 1, 'http.max.connections': 2000,
                  'http.max.connections.per.address': 0}).start()
    many = [Connection(r.address) for _ in range(600)]
    authorized = [('Authorization', r.bearer('adm'))]
    try:
        for n in range(4):
            for i, connection in enumerate(many):
                connection.send(build('POST', V(f'path-{i}', 'k'), r.host, authorized,
                                      {'secret': f'{n}'}))
                connection.send(build('GET', V(f'path-{i}', 'k') + '/latest', r.host, authorized))
            for i, connection in enumerate(many):
                for _ in range(2):
                    secret(connection.answer(), f'path-{i}', 'k', n + 1, f'{n}')
    finally:
        for connection in many:
            connection.close()
    same(r.stop(), 0, 'exit status')


if __name__ == '__main__':
    run.main(globals())
