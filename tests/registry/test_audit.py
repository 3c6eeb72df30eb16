#!/usr/bin/env -S python3 -B
"""The audit log: the cases U of the registry's contract."""
import base64
import fcntl
import json
import os
import re
import resource
import signal
import threading
import time

from lib import audit, harness, program, run, store
from lib.check import check, err, fail, ok, same, secret, status
from lib.harness import MARKER, PASSWORDS, Registry, basic
from lib.rest import P, V, Closed, build, in_parallel, key_url, path_url
from lib.run import case
from lib.small_disk import SmallDisk

F_SETPIPE_SZ = 1031


def put(r, path='conn-a', key='k', value=MARKER):
    return ok(r.as_('adm').post(V(path, key), {'secret': value}))


# (what, method, target, body, methodName, operation, who is denied it)
ENDPOINTS = [
    ('create', 'POST', V('conn-a', 'k'), {'secret': MARKER}, 'CreateSecretVersion',
     'SecretWrite', 'dr'),
    ('read', 'GET', V('conn-a', 'k') + '/1', None, 'GetSecretVersion', 'SecretRead', 'dr'),
    ('read latest', 'GET', V('conn-a', 'k') + '/latest', None, 'GetSecretLatest', 'SecretRead',
     'dr'),
    ('list paths', 'GET', P, None, 'ListPaths', None, None),
    ('list keys', 'GET', path_url('conn-a') + '/keys', None, 'ListKeys', 'SecretList', 'nob'),
    ('list versions', 'GET', V('conn-a', 'k'), None, 'ListVersions', 'SecretList', 'nob'),
    ('read a key', 'GET', key_url('conn-a', 'k'), None, 'GetKey', 'SecretRead', 'dr'),
    ('read a path', 'GET', path_url('conn-a'), None, 'GetPath', 'SecretRead', 'dr'),
    ('metadata', 'GET', key_url('conn-a', 'k') + '/metadata', None, None, 'SecretMetadata', 'nob'),
    ('set metadata', 'PATCH', key_url('conn-a', 'k') + '/metadata', {'max_versions': 9}, None,
     None, 'nob'),
    ('delete a version', 'DELETE', V('conn-a', 'k') + '/1', None, 'DeleteVersion', 'SecretDelete',
     'dr'),
    ('undelete', 'POST', V('conn-a', 'k') + '/1/undelete', None, 'UndeleteVersion', None, 'dr'),
    ('destroy', 'DELETE', V('conn-a', 'k') + '/1?destroy=true', None, 'DestroyVersion',
     'SecretDestroy', 'ua'),
    ('delete a key', 'DELETE', key_url('conn-a', 'gone'), None, 'DeleteKey', 'SecretDelete', 'dr'),
    ('delete a path', 'DELETE', path_url('path-gone'), None, 'DeletePath', 'SecretDelete', 'dr'),
    ('validate', 'POST', '/secret/connectors/conn-a/validate', {'name': 'conn-a'},
     'ValidateConfig', None, 'nob'),
    ('resolve', 'POST', '/secret/connectors/conn-a/resolve',
     {'name': 'conn-a', 'x': '${secret:conn-a:k}'}, 'ResolveConfig', None, 'dr'),
    ('audit hash', 'POST', '/secret/admin/audit-hash', {'input': 'x'}, 'AuditHash', 'AuditRead',
     'own'),
    ('grant', 'PUT', '/secret/admin/role-bindings',
     {'role': 'DeveloperRead', 'principal': 'x', 'path': 'conn-a'}, 'AlterBinding', 'AlterAccess',
     'dr'),
    ('rotate', 'POST', '/secret/admin/rotation', {}, 'RotateMasterKey', 'RotateKey', 'own'),
]


# What only repeats other members.
REPEATED = ('subject', 'datacontenttype', 'confluentRouting')


def times(line):
    return line.get('time', '')


def pair(r, id_, what):
    """Exactly an intent and its outcome, in a line each or in one."""
    lines = audit.of_request(r, id_)
    short = r.config.get('audit.compact', True)
    check(len({line['seq'] for line in lines}) == 2 or short, f'{what}: lines', lines)
    same([audit.phase(line) for line in lines], ['intent', 'outcome'], f'{what}: phases')
    for line in lines:
        same(line.get('specversion'), '1.0', f'{what}: specversion')
        check(re.fullmatch(r'io\.confluent\.kafka\.server/(authorization|request)',
                           line.get('type', '')), f'{what}: type', line.get('type'))
        check(line.get('source', '').startswith('crn://'), f'{what}: source', line.get('source'))
        check(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z', times(line)),
              f'{what}: time', times(line))
        same(audit.client(line), '127.0.0.1', f'{what}: address')
        for name in ('id', 'seq', 'prevhash', 'hash', *(() if short else REPEATED)):
            check(name in line, f'{what}: member {name}', line)
    return lines


def u01_each_endpoint_allowed_and_denied():
    each_endpoint(Registry().start())


def each_endpoint(r):
    put(r)
    for i, (what, method, target, body, name, operation, other) in enumerate(ENDPOINTS):
        put(r, 'conn-a', 'gone')
        put(r, 'path-gone', 'k')
        id_ = f'allowed-{i}'
        answer = r.as_('adm').request(method, target, body, [('X-Request-Id', id_)])
        check(200 <= answer.status < 300, f'{what}: success', (answer.status, answer.body))
        intent, outcome = pair(r, id_, what)
        for line in (intent, outcome):
            if name:
                same(audit.method(line), name, f'{what}: methodName')
            same(audit.principal(line), 'User:adm', f'{what}: principal')
            same(audit.data(line, 'authenticationInfo', 'metadata', 'mechanism'), 'TOKEN',
                 f'{what}: mechanism')
        same(audit.granted(intent), True, f'{what}: granted')
        same(audit.result(outcome), answer.status, f'{what}: status')
        same(audit.data(intent, 'authorizationInfo', 'rbacAuthorization', 'role'), 'SystemAdmin',
             f'{what}: role')
        if operation:
            same(audit.data(intent, 'authorizationInfo', 'operation'), operation,
                 f'{what}: operation')
        if '/paths/' in target:
            path = target.split('/')[3]
            same(audit.data(intent, 'authorizationInfo', 'resourceName'), path,
                 f'{what}: resourceName')
            check(f'/secret-path={path}' in audit.data(intent, 'resourceName'),
                  f'{what}: the path in the CRN', audit.data(intent, 'resourceName'))
        if what == 'create':
            same(audit.data(outcome, 'result', 'version'), answer.json()['version'],
                 f'{what}: version')
            same(audit.data(intent, 'request', 'length'), len(MARKER), f'{what}: length')
        if not other:
            continue
        id_ = f'denied-{i}'
        answer = r.as_(other).request(method, target, body, [('X-Request-Id', id_)])
        err(answer, 403)
        intent, outcome = pair(r, id_, f'{what}, denied')
        for line in (intent, outcome):
            if name:
                same(audit.method(line), name, f'{what}, denied: methodName')
            same(audit.principal(line), f'User:{other}', f'{what}, denied: principal')
        same(audit.granted(intent), False, f'{what}, denied: granted')
        same(audit.result(outcome), 403, f'{what}, denied: status')
    # Health, the document and one's own rights are not audited.
    for i, target in enumerate(('/health/live', '/health/ready', '/openapi.json',
                                '/secret/connectors/conn-a/access')):
        r.as_('adm').get(target, [('X-Request-Id', f'quiet-{i}')])
        same(audit.of_request(r, f'quiet-{i}'), [], f'lines of {target}')
    r.stop()
    program.audit_verify(r.data, r.key_file)


def u01b_outcomes_of_what_fails(r):
    put(r)
    cases = [('GET', V('conn-a', 'none') + '/latest', None, 404),
             ('GET', V('conn-a', 'k') + '/abc', None, 422),
             ('POST', V('conn-a', 'k'), {}, 422), ('POST', V('conn-a', 'k'), b'{', 400),
             ('POST', V('conn-a', 'k'), {'secret': 'x', 'cas': 77}, 409),
             ('DELETE', V('conn-a', 'k') + '/99', None, 404),
             ('PUT', V('conn-a', 'k'), {}, 405), ('GET', '/secret/nothing', None, 404)]
    for i, (method, target, body, code) in enumerate(cases):
        answer = r.as_('adm').request(method, target, body, [('X-Request-Id', f'fails-{i}')])
        err(answer, code)
        outcome = pair(r, f'fails-{i}', f'{method} {target}')[1]
        same(audit.result(outcome), code, f'{method} {target}: status')


def u01c_basic_logins_are_named(r):
    ok(r.with_header(basic('own', PASSWORDS['own'])).get(P, [('X-Request-Id', 'basic')]))
    for line in pair(r, 'basic', 'list paths'):
        same(audit.principal(line), 'User:own', 'principal')
        same(audit.data(line, 'authenticationInfo', 'metadata', 'mechanism'), 'BASIC', 'mechanism')


def u02_no_value_but_its_hmac(r):
    value = MARKER + ' of u02'
    put(r, 'conn-a', 'u02', value)
    ok(r.as_('adm').get(V('conn-a', 'u02') + '/1'))
    answer = ok(r.as_('adm').post('/secret/admin/audit-hash', {'input': value})).json()
    found = [v for v in answer.values() if isinstance(v, str) and v.startswith('hmac-sha256:')]
    same(len(found), 1, 'one hmac-sha256: in the answer')
    check(re.fullmatch('hmac-sha256:[0-9a-f]{64}', found[0]), '64 hexadecimal digits', found)
    text = audit.text(r)
    for needle in (MARKER, base64.b64encode(value.encode()).decode()):
        check(needle.encode() not in text, 'no value in the audit')
    lines = [line for line in audit.lines(r) if found[0] in json.dumps(line)]
    check({'CreateSecretVersion'} <= {audit.method(line) for line in lines},
          'its HMAC with the write', [audit.method(line) for line in lines])
    other = ok(r.as_('adm').post('/secret/admin/audit-hash', {'input': value + 'x'})).json()
    check(found[0] not in other.values(), 'another HMAC of another value')
    err(r.as_('adm').post('/secret/admin/audit-hash', {}), 422)
    err(r.as_('adm').post('/secret/admin/audit-hash', {'input': 5}), 422)


def unavailable(r, action='requests'):
    """What every request gets while the audit cannot be written."""
    answer = err(r.as_('adm').get(V('conn-a', 'k') + '/latest'), 503)
    check(MARKER.encode() not in answer.body, 'no value without an audit line')
    err(r.as_('adm').post(V('conn-a', 'k'), {'secret': 'not to be stored'}), 503)
    err(r.as_('adm').get(P), 503)
    err(r.as_('adm').delete(V('conn-a', 'k') + '/1'), 503)
    check(answer.header('Retry-After'), 'Retry-After', answer.headers)


def comes_back(r, timeout=15):
    end = time.monotonic() + timeout
    while (code := r.ready()) != 200:
        check(time.monotonic() < end, f'/health/ready recovers by itself within {timeout} s', code)
        time.sleep(0.05)


def u03_disk_full():
    """That of the database, which holds the audit log; the file elsewhere follows."""
    with SmallDisk(2 << 20) as disk:
        r = Registry({'audit.file': harness.scratch('elsewhere') + '/audit.log',
                      'audit.deadline.ms': 1000}, data=disk.folder if disk.mounted else None)
        if not disk.mounted:
            r.limits = {resource.RLIMIT_FSIZE: (resource.RLIM_INFINITY, resource.RLIM_INFINITY)}
        r.start()
        disk.registry = r
        put(r)
        disk.fill()
        end = time.monotonic() + 10
        while r.as_('adm').get(V('conn-a', 'k') + '/latest').status == 200:
            check(time.monotonic() < end, '503 once the disk is full')
        unavailable(r)
        same(r.ready(), 503, '/health/ready')
        status(r.as_(None).get('/health/live'), 200)
        disk.clear()
        comes_back(r)
        ok(r.as_('adm').get(V('conn-a', 'k')), [1])
        secret(put(r), 'conn-a', 'k', 2, MARKER)
        r.stop()
        same(sorted(v for p, k, v in store.secrets(r.data)), [1, 2], 'records in the store')
        done = program.run('audit', 'verify', '--data', r.data, '--file',
                           r.config['audit.file'], '--master-key-file', r.key_file, code=None)
        same(done.returncode, 0, f'audit verify ({done.stderr.decode()})')


def u03b_file_that_cannot_be_written():
    """An export that is not required stays behind, and is completed."""
    with SmallDisk(256 * 1024) as disk:
        if not disk.mounted:
            return
        r = Registry({'audit.file': disk.folder + '/audit.log', 'audit.required': None,
                      'audit.deadline.ms': 1000})
        r.start()
        put(r)
        disk.fill()
        for _ in range(40):
            put(r)
        same(r.ready(), 200, '/health/ready')
        end = time.monotonic() + 5
        while 'made up for later' not in r.errors():
            check(time.monotonic() < end, 'it is told', r.errors())
            time.sleep(0.05)
        disk.clear()
        end = time.monotonic() + 10
        while len([line for line in audit.events(r)
                   if audit.method(line) == 'CreateSecretVersion']) < 82:
            check(time.monotonic() < end, 'the lines are made up for')
            time.sleep(0.05)
        disk.fill()
        put(r)
        r.kill()
        disk.clear()
        r.start()
        r.stop()
        done = program.run('audit', 'verify', '--data', r.data, '--file', audit.file_of(r),
                           '--master-key-file', r.key_file, code=None)
        same(done.returncode, 0, f'audit verify ({done.stderr.decode()})')


def u04d_sink_that_blocks_and_is_not_required():
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 16384)
    r = Registry({'audit.stdout': True, 'audit.deadline.ms': 700})
    r.stdout = writing
    r.start()
    os.close(writing)
    for _ in range(60):
        put(r)
    same(r.ready(), 200, '/health/ready')
    start = time.monotonic()
    same(r.stop(), 0, 'exit status')
    check(time.monotonic() - start < 5, 'the end is not held up', time.monotonic() - start)
    os.close(reading)
    # What it has not had it gets at the next start.
    file = os.path.join(r.folder, 'exported')
    with open(file, 'wb') as out:
        r.stdout = out
        r.start()
        r.stop()
    with open(file, 'rb') as f:
        got = [audit.parse(text, 'standard output')['seq'] for text in f.read().splitlines()]
    same(got, list(range(got[0], got[-1] + 1)), 'seq')
    same(got[-1], audit.lines(r)[-1]['seq'], 'the last line')
    check(got[0] < 100, 'it goes on where the pipe was full', got[0])


def u04_sink_that_blocks():
    """A required sink that takes nothing: a pipe nobody reads."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 16384)
    r = Registry({'audit.stdout': True, 'audit.required': 'stdout', 'audit.deadline.ms': 700})
    r.stdout = writing
    r.start()
    os.close(writing)
    put_status = None
    for _ in range(60):
        start = time.monotonic()
        put_status = r.as_('adm').post(V('conn-a', 'k'), {'secret': MARKER}).status
        if put_status != 200:
            break
    took = time.monotonic() - start
    same(put_status, 503, 'status once the pipe is full')
    check(took < 5, 'an answer within the deadline', took)
    for _ in range(3):
        start = time.monotonic()
        unavailable(r)
        check(time.monotonic() - start < 8, 'answers within the deadline')
        status(r.as_(None).get('/health/live'), 200)
        same(r.ready(), 503, '/health/ready')
    over = threading.Event()
    drained = []

    def drain():
        os.set_blocking(reading, False)
        while not over.is_set():
            try:
                drained.append(os.read(reading, 65536))
            except BlockingIOError:
                time.sleep(0.01)
    thread = threading.Thread(target=drain)
    thread.start()
    try:
        comes_back(r)
        before = ok(r.as_('adm').get(V('conn-a', 'k'))).json()
        same(put(r).json()['version'], before[-1] + 1, 'next version')
        r.stop()
    finally:
        over.set()
        thread.join()
        os.close(reading)
    program.audit_verify(r.data, r.key_file)
    for line in b''.join(drained).split(b'\n')[1:-1]:
        audit.parse(line, 'line on standard output')


def u04c_change_whose_outcome_is_not_written():
    """It was made, so its answer does not say that it was not."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 16384)
    os.set_blocking(reading, False)
    r = Registry({'audit.stdout': True, 'audit.required': 'stdout', 'audit.deadline.ms': 500,
                  'audit.compact': False})
    r.stdout = writing
    r.start()
    os.close(writing)

    def drain():
        try:
            while os.read(reading, 65536):
                pass
        except BlockingIOError:
            pass
    seen = set()
    for n in range(12):
        drain()
        for _ in range(n):      # so that it ends at the intent, or behind it
            r.as_('adm').get(P)
        for i in range(60):
            url = V('conn-a', f'k-{n}-{i}')
            answer = r.as_('adm').post(url, {'secret': MARKER})
            if answer.status != 200:
                break
        err(answer, 503)
        end = time.monotonic() + 15
        while r.ready() != 200:
            check(time.monotonic() < end, 'ready again')
            drain()
            time.sleep(0.02)
        drain()
        stored = bool(ok(r.as_('adm').get(url)).json())
        same('nothing is read or changed' in answer.json()['message'], not stored,
             f'what is said of a version that is there: {stored}')
        seen.add(stored)
        if len(seen) == 2:
            break
    same(seen, {True, False}, 'kinds of refusals')
    r.stop()
    os.close(reading)
    program.audit_verify(r.data, r.key_file)


def u03c_file_that_is_not_required():
    """It follows by itself, and at the next start."""
    r = Registry({'audit.required': None}).start()
    put(r)
    for i in range(50):
        ok(r.as_('adm').get(V('conn-a', 'k') + '/latest', [('X-Request-Id', f'u03c-{i}')]))
    end = time.monotonic() + 10
    while not audit.of_request(r, 'u03c-49'):
        check(time.monotonic() < end, 'the line comes to the file')
        time.sleep(0.01)
    ok(r.as_('adm').get(V('conn-a', 'k') + '/latest', [('X-Request-Id', 'u03c-last')]))
    r.kill()
    r.start()
    same(len(audit.of_request(r, 'u03c-last')), 2, 'lines of what was answered last')
    r.stop()
    program.audit_verify(r.data, r.key_file)


def u04b_fifo_as_file():
    """Is refused, or does not hang what it cannot write."""
    folder = harness.scratch('fifo')
    fifo = folder + '/audit.log'
    os.mkfifo(fifo)
    r = Registry({'audit.file': fifo, 'audit.deadline.ms': 500})
    r.launch()
    end = time.monotonic() + 10
    while r.running() and 'listening on' not in r.errors():
        check(time.monotonic() < end, 'a refusal to start, or a start, within 10 s', r.errors())
        time.sleep(0.02)
    if not r.running():
        check(r.process.wait() > 0, 'a refusal', r.process.returncode)
        r.process = None
        return
    r.wait_listening()
    err(r.as_('adm').get(P), 503)
    status(r.as_(None).get('/health/live'), 200)
    same(r.ready(), 503, '/health/ready')


def whole(r, least):
    """No line is lost or doubled over all files."""
    seqs = [line['seq'] for line in audit.lines(r)]
    same(seqs, list(range(1, len(seqs) + 1)), 'seq over all files')
    check(len(audit.events(r)) >= least, f'at least {least} events', len(seqs))
    program.audit_verify(r.data, r.key_file)


def u05_file_is_renamed_and_reopened():
    r = Registry().start()
    name = audit.file_of(r)
    over, sent = threading.Event(), [0]

    def work():
        client = r.new('adm')
        while not over.is_set():
            ok(client.post(V('conn-a', 'k'), {'secret': 'x'}))
            sent[0] += 1
    thread = threading.Thread(target=work)
    thread.start()
    for i in range(3):
        time.sleep(0.2)
        os.rename(name, f'{name}.{i}')
        r.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 5
        while not os.path.exists(name) or os.path.getsize(name) == 0:
            check(time.monotonic() < end, 'new lines in a new file')
            time.sleep(0.01)
    over.set()
    thread.join()
    r.stop()
    whole(r, 2 * sent[0])
    check(sent[0] > 10, 'writes meanwhile', sent[0])


def u05b_file_is_renamed_without_a_signal():
    r = Registry().start()
    put(r)
    os.rename(audit.file_of(r), audit.file_of(r) + '.1')
    end = time.monotonic() + 5
    while not os.path.exists(audit.file_of(r)):
        put(r)
        check(time.monotonic() < end, 'a new file without a signal')
        time.sleep(0.02)
    put(r)
    r.stop()
    whole(r, 6)


def u05c_file_is_deleted():
    r = Registry().start()
    put(r)
    last = max(line['seq'] for line in audit.lines(r))
    os.unlink(audit.file_of(r))
    end = time.monotonic() + 5
    while not os.path.exists(audit.file_of(r)):
        put(r)
        check(time.monotonic() < end, 'a new file after a deletion')
        time.sleep(0.02)
    id_ = [('X-Request-Id', 'after-the-deletion')]
    ok(r.as_('adm').post(V('conn-a', 'k'), {'secret': 'x'}, id_))
    same(len(audit.of_request(r, 'after-the-deletion')), 2, 'lines in the new file')
    check(min(line['seq'] for line in audit.lines(r)) > 1, 'the chain goes on',
          [last, audit.lines(r)[0]['seq']])
    r.stop()
    done = program.audit_verify(r.data, r.key_file, code=None)
    check(done.returncode != 0, 'verify tells of lines that are missing', done.stdout)


def u05d_own_rotation():
    r = Registry({'audit.rotate.bytes': 20000}).start()
    for i in range(60):
        put(r)
    r.restart()
    put(r)
    r.stop()
    check(len(audit.files(r)) >= 3, 'several files', audit.files(r))
    for name in audit.files(r):
        check(os.path.getsize(name) < 60000, 'files of about that size', os.path.getsize(name))
    whole(r, 120)


def altered(text, what):
    lines = text.splitlines(keepends=True)
    middle = len(lines) // 2
    line = lines[middle]
    if what == 'a changed letter':
        at = line.index(b'"methodName":"') + 30
        lines[middle] = line[:at] + bytes([line[at] ^ 1]) + line[at + 1:]
    elif what == 'a changed principal':
        lines[middle] = line.replace(b'User:adm', b'User:own')
    elif what == 'a removed line':
        del lines[middle]
    elif what == 'a removed first line':
        del lines[0]
    elif what == 'two lines in other order':
        lines[middle], lines[middle + 1] = lines[middle + 1], line
    elif what == 'a line twice':
        lines.insert(middle, line)
    elif what == 'a line put in':
        lines.insert(middle, b'{"specversion":"1.0"}\n')
    elif what == 'the end cut off':
        del lines[-4:]
    return b''.join(lines), middle + 1


@case(limit=50)
def u06_altered_log():
    r = Registry().start()
    for i in range(20):
        put(r)
    status(r.as_('adm').post('/secret/admin/audit/verify', {}), 200)
    r.stop()
    program.audit_verify(r.data, r.key_file)
    name = audit.file_of(r)
    with open(name, 'rb') as f:
        good = f.read()
    for what in ('a changed letter', 'a changed principal', 'a removed line',
                 'a removed first line', 'two lines in other order', 'a line twice',
                 'a line put in', 'the end cut off'):
        text, place = altered(good, what)
        with open(name, 'wb') as f:
            f.write(text)
        done = program.audit_verify(r.data, r.key_file, code=None)
        said = (done.stdout + done.stderr).decode()
        if done.returncode == 0:
            fail(f'{what}: expected verify to fail, seen {said!r}')
        if what == 'a removed first line':
            place = 1
        if what != 'the end cut off':
            check(re.search(rf'\b({place}|{place + 1})\b', said), f'{what}: line {place} named',
                  said)
    with open(name, 'wb') as f:
        f.write(good)
    program.audit_verify(r.data, r.key_file)
    with open(name, 'wb') as f:
        f.write(altered(good, 'a changed letter')[0])
    r.start()
    err(r.as_('adm').post('/secret/admin/audit/verify', {}), 409)
    r.stop()
    # Another master key does not verify anything.
    other = harness.write(r.folder + '/other', harness.key_text())
    check(program.audit_verify(r.data, other, code=None).returncode != 0,
          'verify fails with another key')


def hammer(r, count, seconds):
    """Writers that go on until the server is killed; what was acknowledged."""
    known, lock = {}, threading.Lock()

    def work(i):
        client = r.new('adm')
        n = 0
        try:
            while True:
                n += 1
                id_ = f'w{i}-{n}-{time.monotonic_ns()}'
                answer = client.post(V(f'path-{i}', 'k'), {'secret': id_},
                                     [('X-Request-Id', id_)])
                if answer.status == 200:
                    with lock:
                        known[id_] = (f'path-{i}', answer.json()['version'])
        except (Closed, OSError):
            pass
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    time.sleep(seconds)
    r.kill()
    for t in threads:
        t.join()
    return known


def unfinished(r):
    """Request ids of intents of writes without an outcome, as the file has it."""
    intents, done = {}, set()
    for line in audit.lines(r):
        if audit.method(line) != 'CreateSecretVersion':
            continue
        if audit.phase(line) == 'intent':
            intents[audit.request_id(line)] = line
        else:
            done.add(audit.request_id(line))
    return {id_: line for id_, line in intents.items() if id_ not in done}


@case(limit=55)
def u07_killed_between_commit_and_answer():
    """Intent and outcome are one act with the change: none stands alone, and the
    file is completed at the next start."""
    r = Registry()
    for rounds in range(8):
        r.start()
        known = hammer(r, 8, 0.1 + 0.02 * (rounds % 7))
        told_of = {audit.request_id(line) for line in audit.lines(r)
                   if audit.phase(line) == 'outcome'}
        check(set(known) <= told_of, 'an outcome in the file of each answer that came',
              sorted(set(known) - told_of)[:3])
        stored = {(p, v) for p, k, v in store.secrets(r.data, copy=True)}
        r.start()
        lines = audit.lines(r)
        told = {(audit.data(line, 'resourceName').split('secret-path=')[1].split('/')[0],
                 audit.data(line, 'result', 'version'))
                for line in lines if audit.method(line) == 'CreateSecretVersion'
                and audit.phase(line) == 'outcome' and audit.result(line) == 200}
        same(told ^ stored, set(), 'versions told of and versions stored')
        same(unfinished(r), {}, 'intents without outcome')
        program.audit_verify(r.data, r.key_file)
        r.stop()


def u07b_power_fails_before_the_file_is_synced(r):
    """What stood in the file and was not synced may be gone: it is put back as it was."""
    name = r.data + '/audit.log'

    def before_the_next_sync(requests):
        """The size that is synced, and whether what these requests add is not."""
        ok(r.as_('adm').get(P))
        time.sleep(1.1)         # it is synced once a second
        ok(r.as_('adm').get(P))
        time.sleep(0.1)
        synced, start = os.path.getsize(name), time.monotonic()
        for n in range(requests):
            ok(r.as_('adm').post(V(f'conn-{n}', 'k'), {'secret': MARKER}))
            ok(r.as_('adm').get(V(f'conn-{n}', 'k') + '/latest'))
        r.kill()
        return synced, time.monotonic() - start < 0.7

    for left in (0, 0.5, 0.99):
        for requests in (20, 10, 5, 2, 1, 1, 1):
            synced, in_time = before_the_next_sync(requests)
            if in_time:
                break
            r.start()
        check(in_time, 'a moment before the file is synced')
        with open(name, 'rb') as f:
            before = f.read()
        os.truncate(name, synced + int((len(before) - synced) * left))
        r.start()
        until = time.monotonic() + 10   # the file follows
        while time.monotonic() < until:
            with open(name, 'rb') as f:
                after = f.read()
            if after.startswith(before):
                break
            time.sleep(0.02)
        check(after.startswith(before), 'the lines before the power failed', left)
    program.audit_verify(r.data, r.key_file)


def u07c_file_is_gone_at_the_start():
    """All that the database still has is exported once more."""
    r = Registry().start()
    for _ in range(5):
        put(r)
    r.stop()
    with open(audit.file_of(r), 'rb') as f:
        before = f.read()
    os.unlink(audit.file_of(r))
    r.start()
    put(r)
    r.stop()
    check(audit.text(r).startswith(before), 'the same lines')
    program.audit_verify(r.data, r.key_file)


def u07d_log_is_altered_in_the_database():
    r = Registry().start()
    for _ in range(5):
        put(r)
    r.stop()
    with store.opened(r.data) as db:
        seq, events = db.execute('SELECT seq, events FROM audit ORDER BY seq LIMIT 1 '
                                 'OFFSET 3').fetchone()
        db.execute('UPDATE audit SET events = ? WHERE seq = ?',
                   (events.replace(b'User:adm', b'User:own'), seq))
    done = program.audit_verify(r.data, r.key_file, code=4)
    check(f'line {seq} '.encode() in done.stderr, 'the line', done.stderr)
    r.start()
    err(r.as_('adm').post('/secret/admin/audit/verify', {}), 409)
    r.stop()
    # All that is left of it gone at once is noticed, too.
    with store.opened(r.data) as db:
        db.execute('DELETE FROM audit')
    os.unlink(audit.file_of(r))
    os.unlink(audit.file_of(r) + '.anchor')
    check(b'gone' in program.audit_verify(r.data, r.key_file, code=4).stderr, 'it is told')
    check('gone' in r.refuses_to_start(), 'the start is refused')


def u08_bad_login(r):
    password = 'a-wrong-password-' + MARKER
    answer = r.with_header(basic('adm', password)).get(P, [('X-Request-Id', 'bad-login')])
    err(answer, 401)
    lines = audit.of_request(r, 'bad-login')
    same(len(lines), 1, 'lines')
    same(audit.method(lines[0]), 'Authenticate', 'methodName')
    same(audit.result(lines[0]), 401, 'status')
    same(audit.client(lines[0]), '127.0.0.1', 'address')
    text = audit.text(r)
    for needle in (password, base64.b64encode(password.encode()).decode(),
                   basic('adm', password)[6:], 'a-wrong-token'):
        check(needle.encode() not in text, 'no password in the audit', needle)
    err(r.with_header('Bearer a-wrong-token').get(P), 401)
    check(b'a-wrong-token' not in audit.text(r), 'no token in the audit')


def u09_flood_of_bad_logins():
    r = Registry({'auth.failures.max': 20}).start()
    total, parts = 10000, 4

    def work(_):
        connection = r.new(None).open()
        data = build('GET', P, r.host, [('Authorization', 'Bearer wrong')])
        left = total // parts
        while left:
            batch = min(50, left)
            connection.send(data * batch)
            for _ in range(batch):
                status(connection.answer(), 401, 429)
            left -= batch
        connection.close()
    in_parallel(parts, work)
    ok(r.new('adm', source='127.0.0.2').get(P))
    r.stop()
    lines = [line for line in audit.lines(r) if audit.method(line) == 'Authenticate']
    check(1 <= len(lines) <= 200, 'a bounded number of lines', len(lines))
    same(sum(audit.count(line) for line in lines), total, 'failures that the lines stand for')
    program.audit_verify(r.data, r.key_file)


def u09b_flood_of_denials():
    r = Registry().start()
    total, parts = 4000, 2

    def work(_):
        connection = r.new('nob').open()
        data = build('GET', V('conn-a', 'k') + '/1', r.host, [('Authorization', r.bearer('nob'))])
        for _ in range(total // parts // 50):
            connection.send(data * 50)
            for _ in range(50):
                status(connection.answer(), 403)
        connection.close()
    began = time.monotonic()
    in_parallel(parts, work)
    took = time.monotonic() - began
    # Another principal's denials have lines of their own all the while.
    err(r.as_('own').get(V('other', 'k') + '/1'), 403)
    r.stop()
    lines = [line for line in audit.lines(r) if str(audit.result(line)) == '403']
    mine = [line for line in lines if 'User:nob' in str(line)]
    same(sum(audit.count(line) for line in mine), total, 'denials that the lines stand for')
    check(20 <= len(mine) <= 20 * (took + 3), 'twenty lines a second', (len(mine), took))
    same(len([line for line in lines if 'User:own' in str(line)]), 1, 'of the other')
    program.audit_verify(r.data, r.key_file)


@case(fresh=True)
def u09c_folded_denials_are_told_while_there_is_much_to_do(r):
    total, nob, adm = 60, r.as_('nob'), r.as_('adm')

    def told():
        return sum(audit.count(line) for line in audit.lines(r)
                   if 'User:nob' in str(line) and str(audit.result(line)) == '403')
    for _ in range(total):
        err(nob.get(V('conn-a', 'k') + '/1'), 403)
    until = time.monotonic() + 25
    while told() < total and time.monotonic() < until:
        ok(adm.get('/secret/admin/tokens'))
        time.sleep(0.3)
    same(told(), total, 'denials that the lines stand for')


def u10_odd_names_make_one_valid_line(r):
    adm = r.as_('adm')
    for i, (path, header) in enumerate((
            ('quote"and\\back', 'plain'), ("it's {a <b>", '{"a":"b"}'),
            ('\u00e9\u2028x', 'caf\u00e9'), ('%0a%22', 'a\tb'), ('a,b=c&d', '"x":1'))):
        status(adm.post(V(path, 'k'), {'secret': 'x'},
                        [('X-Request-Id', f'odd-{i}'), ('User-Agent', header),
                         ('Idempotency-Key', f'"{i}"')]), 200)
        lines = pair(r, f'odd-{i}', path)
        same(audit.data(lines[0], 'authorizationInfo', 'resourceName'), path, 'resourceName')
    before = len(audit.lines(r))
    for target in (f'{P}/a%0a%22b', f'{P}/a%0d%0ab', f'{P}/%00'):
        err(adm.get(target), 400)
    ok(adm.get(P, [('X-Request-Id', '"},"evil":{"')]))
    for line in audit.lines(r)[before:]:
        check('evil' not in line, 'nothing from a header as a member', line)
    for raw in audit.text(r).split(b'\n')[:-1]:
        audit.parse(raw, 'line')
        check(b'\r' not in raw, 'no carriage return in a line')


def u11_who_is_told_in_the_search(r):
    put(r, 'conn-a', 'u11')
    err(r.as_('dr').get(V('conn-a', 'u11') + '/1', [('X-Request-Id', 'u11-denied')]), 403)
    done = program.run('audit', 'search', '--data', r.data, '--principal', 'dr', '--denied',
                       '--output', 'json')
    lines = [audit.parse(text, 'audit search') for text in done.stdout.splitlines()
             if text.startswith(b'{')]
    check(lines and all(audit.principal(line) == 'User:dr' for line in lines),
          'the denied of dr', done.stdout[:300])
    check(any(audit.request_id(line) == 'u11-denied' for line in lines), 'that request', lines)


def u12_torn_last_line():
    """A crash in the middle of a line: the chain is closed off and goes on."""
    r = Registry().start()
    put(r)
    r.kill()
    with open(audit.file_of(r), 'rb') as f:
        lines = f.read()
    with open(audit.file_of(r), 'ab') as f:
        f.write(lines.splitlines()[-1][:100])
    r.start()
    put(r)
    r.stop()
    program.audit_verify(r.data, r.key_file)
    good = [text for text in audit.text(r).split(b'\n') if text.endswith(b'}')]
    check(len(good) >= 4, 'lines after it', len(good))


def u14_who_was_given_what(r):
    url = '/security/1.0/principals/User:nob/roles/DeveloperRead/bindings'
    names = [f'conn-{n:02}-' + 'x' * 20 for n in range(40)]

    def told(method, id_, *patterns):
        body = {'scope': {'clusters': {}}, 'resourcePatterns': [
            {'resourceType': 'Connector', 'name': n, 'patternType': t} for n, t in patterns]}
        status(r.as_('adm').request(method, url, body, [('X-Request-Id', id_)]), 204)
        line = audit.of_request(r, id_)[-1]
        same(audit.method(line), 'AlterBinding', 'methodName')
        return audit.data(line, 'result', 'message')
    same(told('POST', 'give', ('conn-a', 'LITERAL'), ('team1-', 'PREFIXED')),
         'grant DeveloperRead to nob on path conn-a, prefix team1-', 'message')
    same(told('DELETE', 'take', ('team1-', 'PREFIXED')),
         'revoke DeveloperRead from nob on prefix team1-', 'message')
    many = told('POST', 'many', *[(n, 'LITERAL') for n in names])
    check(many.startswith(f'grant DeveloperRead to nob on path {names[0]}, path {names[1]}, ') and
          re.search(r', path conn-\d\d-x{20} and \d+ more$', many), 'message', many)


def u14c_what_is_to_be_changed_is_told_before(r):
    """By the intent, so also of what fails."""
    adm = r.as_('adm')
    roles, users = '/secret/admin/roles/', '/secret/admin/users/'
    bindings = '/secret/admin/role-bindings'
    role = {'scope': ['cluster'], 'operations': ['SecretRead']}
    for i, (method, target, body, code, what) in enumerate((
            ('PUT', bindings, {'role': 'Operator', 'principal': 'nob'}, 204,
             'grant Operator to nob on everything'),
            ('DELETE', bindings, {'role': 'Operator', 'principal': 'nob'}, 204,
             'revoke Operator from nob on everything'),
            ('DELETE', bindings, {'role': 'DeveloperRead', 'principal': 'no', 'prefix': 'c-'}, 404,
             'revoke DeveloperRead from no on prefix c-'),
            ('PUT', bindings, {'role': 'None', 'principal': 'no', 'path': 'x'}, 422,
             'grant None to no on path x'),
            ('PUT', roles + 'Reader', role, 204, 'define role Reader on everything: SecretRead'),
            ('DELETE', roles + 'Reader', None, 204, 'remove role Reader'),
            ('DELETE', roles + 'Reader', None, 404, 'remove role Reader'),
            ('DELETE', users + 'nobody', None, 404, 'delete user nobody'),
            ('POST', '/secret/admin/tokens', {'principal': 'x'}, 201, 'create a token for x'))):
        status(adm.request(method, target, body, [('X-Request-Id', f'u14c-{i}')]), code)
        intent, outcome = audit.of_request(r, f'u14c-{i}')
        same((audit.phase(intent), audit.data(intent, 'request', 'change')), ('intent', what),
             'intent')
        same(audit.result(outcome), code, 'outcome')
        if code < 300:
            same(audit.data(outcome, 'result', 'message'), what, 'of the outcome')
    # Of what is denied, too.
    for i, (who, method, target, body, what) in enumerate((
            ('own', 'PUT', bindings, {'role': 'SystemAdmin', 'principal': 'own'},
             'grant SystemAdmin to own on everything'),
            ('ua', 'PUT', roles + 'Reader', role, 'define role Reader on everything: SecretRead'),
            ('ua', 'DELETE', roles + 'ResourceOwner', None, 'remove role ResourceOwner'),
            ('ua', 'PATCH', users + 'adm', {'password': 'p'}, 'change the password of user adm'),
            ('ua', 'POST', '/secret/admin/tokens', {'principal': 'adm'},
             'create a token for adm'))):
        err(r.as_(who).request(method, target, body, [('X-Request-Id', f'u14c-not-{i}')]), 403)
        intent, outcome = audit.of_request(r, f'u14c-not-{i}')
        same(audit.data(intent, 'request', 'change'), what, 'what is denied')
        same(audit.granted(intent), False, 'granted')
    program.audit_verify(r.data, r.key_file)


@case(fresh=True)
def u14b_every_key_that_is_given_is_named(r):
    adm = r.as_('adm')
    for key, values in (('a', 2), ('b', 1), ('c', 1)):
        for _ in range(values):
            put(r, 'conn-a', key)
    status(adm.delete(V('conn-a', 'c') + '/1'), 200)

    def told(who, method, target, body=None):
        id_ = f'u14b-{method}-{abs(hash(target))}'
        ok(r.as_(who).request(method, target, body, [('X-Request-Id', id_)]))
        lines = [line for line in audit.of_request(r, id_) if audit.phase(line) == 'outcome']
        return ' '.join(audit.data(line, 'result', 'message').removeprefix('gives ')
                        for line in lines).split(' '), len(lines)
    same(told('own', 'GET', path_url('conn-a')), (['a@2', 'b@1'], 1), 'GetPath')
    same(told('own', 'GET', key_url('conn-a', 'a')), (['a@1', 'a@2'], 1), 'GetKey')
    config = {'name': 'conn-a', 'x': '${secret:conn-a:b} ${secret:conn-a:a}', 'y': 'plain'}
    same(told('wrk', 'POST', '/secret/connectors/conn-a/resolve', config), (['b@1', 'a@2'], 1),
         'ResolveConfig')
    # As many as there are: what one line has no room for is in further ones.
    names = sorted(f'key-{n:03}-{"x" * 40}' for n in range(40))
    for name in names:
        ok(adm.post(V('team1-x', name), {'secret': MARKER}))
    found, lines = told('pre', 'GET', path_url('team1-x'))
    same(found, [f'{name}@1' for name in names], 'all names')
    check(lines >= 4, 'several lines', lines)
    found, _ = told('pre', 'GET', path_url('team1-x') + '?limit=3')
    same(found, [f'{name}@1' for name in names[:3]], 'those of a page')
    r.stop()
    program.audit_verify(r.data, r.key_file)


@case(limit=50)
def u15_lines_with_every_member():
    r = Registry({'audit.compact': False}).start()
    each_endpoint(r)
    # The next start may write the other kind, into the same log and out of the table.
    before = audit.text(r).splitlines()[-20:]
    os.unlink(audit.file_of(r))
    r.config['audit.compact'] = True
    r.start()
    status(r.as_('adm').post('/secret/admin/audit/verify', {}), 200)
    ok(r.as_('adm').get(P, [('X-Request-Id', 'later')]))
    pair(r, 'later', 'a later read')
    r.stop()
    check(all(raw in audit.text(r) for raw in before), 'the same lines again')
    program.audit_verify(r.data, r.key_file)


def u15b_a_read_is_one_line_of_a_kilobyte_at_most():
    r = Registry().start()
    path, key = 'orders-postgres-sink-production', 'connection.password'
    put(r, path, key)
    seen = len(audit.text(r))
    ok(r.as_('adm').get(V(path, key) + '/latest'))
    read = audit.text(r)[seen:]
    check(b'GetSecretLatest' in read and read.count(b'\n') == 1 and len(read) <= 1024,
          'bytes in the file', (len(read), read))
    for answer in (r.as_('nob').get(V(path, key) + '/latest'), r.as_('adm').get(path_url(path))):
        status(answer, 200, 403)
    longest = max(audit.text(r)[seen:].split(b'\n'), key=len)
    check(len(longest) <= 1024, 'each of them', (len(longest), longest))


def u13_last_lines_over_the_interface(r):
    """Who may read the audit log sees its end as it stands in the file."""
    ok(r.as_('adm').post(V('u13', 'k'), {'secret': MARKER}))
    err(r.as_('own').get('/secret/admin/audit'), 403)
    err(r.as_('aud').get('/secret/admin/audit?limit=0'), 422)
    lines = ok(r.as_('aud').get('/secret/admin/audit?limit=5')).json()
    same(len(lines), 5, 'lines')
    numbers = [line['seq'] for line in lines]
    same(numbers, list(range(numbers[0], numbers[0] + 5)), 'seq')
    with open(os.path.join(r.data, 'audit.log'), encoding='utf-8') as f:
        there = {line['seq']: line for line in map(json.loads, f)}
    for line in lines:
        same(line, there[line['seq']], 'line')
    check(MARKER not in json.dumps(ok(r.as_('aud').get('/secret/admin/audit')).json()),
          'no value')


if __name__ == '__main__':
    run.main(globals())
