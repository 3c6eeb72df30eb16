#!/usr/bin/env -S python3 -B
"""Encryption and rotation: the cases E of the registry's contract."""
import base64
import os
import random
import resource
import signal
import threading
import time

from lib import audit, harness, program, run, store
from lib.check import check, err, fail, ok, same, secret, status
from lib.harness import MARKER, Registry
from lib.rest import P, V, build, key_url, path_url
from lib.run import case

ROTATION = '/secret/admin/rotation'


def put(r, path, key, *values):
    for value in values:
        answer = ok(r.as_('adm').post(V(path, key), {'secret': value}))
    return answer


def files_below(*folders):
    for folder in folders:
        for base, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(base, name)
                if os.path.isfile(path):
                    yield path


def environment(r):
    """What the service has; nothing, where the kernel shows it to root alone."""
    try:
        with open(f'/proc/{r.pid()}/environ', 'rb') as f:
            return f.read()
    except PermissionError:
        return b''


def e01_no_value_outside_of_answers():
    """Neither in files, nor in logs, metrics or errors, nor in a core."""
    r = Registry()
    r.limits = {resource.RLIMIT_CORE: (resource.RLIM_INFINITY, resource.RLIM_INFINITY)}
    r.start()
    adm = r.as_('adm')
    put(r, 'conn-a', 'password', MARKER, MARKER + '2')
    ok(adm.get(V('conn-a', 'password') + '/latest'))
    ok(adm.get(path_url('conn-a')))
    err(adm.post(V('conn-a', 'password'), {'secret': MARKER, 'cas': 7}), 409)
    err(adm.post(V('conn-a', 'password'), f'{{"secret":"{MARKER}'.encode()), 400)
    err(adm.post(V('conn-a', '1'), {'secret': MARKER}), 422)
    err(adm.post(V('conn-a', 'k'), {'secret': [MARKER]}), 422)
    err(adm.post('/secret/connectors/conn-a/validate', {
        'name': 'conn-a', 'a': '${secret:conn-a:password}', 'b': '${secret:conn-a:none}'}), 400)
    ok(adm.delete(V('conn-a', 'password') + '/1'))
    for target in ('/metrics', '/openapi.json', '/health/ready', key_url('conn-a', 'password')
                   + '/metadata'):
        answer = status(adm.get(target), 200)
        check(MARKER.encode() not in answer.body, f'no value in {target}')
    command = open(f'/proc/{r.pid()}/cmdline', 'rb').read() + environment(r)
    with open(r.key_file) as f:
        check(f.read().strip().encode() not in command, 'no key among the arguments')
    dumps = core_of(r)
    needles = [MARKER.encode(), base64.b64encode(MARKER.encode())[:-4], MARKER.encode('utf-16-le')]
    with open(r.key_file) as f:
        needles.append(f.read().strip().encode())
    needles += [base64.b64decode(needles[-1]), harness.PASSWORDS['adm'].encode(),
                r.tokens['adm'].encode()]
    seen = 0
    for path in files_below(r.folder):
        if path == r.key_file:
            continue
        with open(path, 'rb') as f:
            data = f.read()
        seen += len(data)
        for needle in needles:
            check(needle not in data, f'no secret in {os.path.basename(path)}', needle)
    check(seen > 1000, 'files that were looked at', seen)
    check(not dumps, 'no core file of a killed server', dumps)


def core_of(r):
    """Kill it by a signal that dumps core; did it?"""
    os.kill(r.pid(), signal.SIGABRT)
    _, code = os.waitpid(r.pid(), 0)
    r.process.returncode = -signal.SIGABRT
    r.process = None
    return os.WIFSIGNALED(code) and os.WCOREDUMP(code)


def e02_same_value_differs_sealed():
    r = Registry().start()
    put(r, 'a', 'k', MARKER, MARKER)
    put(r, 'b', 'k', MARKER)
    r.stop()
    found = [store.sealed_parts(row) for row in store.secrets(r.data).values()]
    same(len(found), 3, 'records')
    for member in ('ct', 'iv', 'salt'):
        same(len({value[member] for value in found}), 3, f'different {member}')
    same(len({len(value['ct']) for value in found}), 1, 'lengths')


def e02b_length_is_hidden():
    r = Registry().start()
    for i, n in enumerate((0, 1, 2, 5, 8)):
        put(r, 'a', f'k{i}', 'x' * n)
    r.stop()
    lengths = {len(row['sealed']) for row in store.secrets(r.data).values()}
    same(len(lengths), 1, 'lengths of sealed short values')


def flipped(value, at):
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1:]


def metric(r, *words):
    """The sum of the metrics that have one of these words in the name."""
    total = 0
    for line in ok_text(r.as_('adm').get('/metrics')).splitlines():
        name = line.split('{')[0].split(' ')[0]
        if not line.startswith('#') and any(word in name for word in words):
            total += float(line.rsplit(' ', 1)[1])
    return total


def ok_text(answer):
    return status(answer, 200).body.decode()


def e03_altered_record():
    r = Registry().start()
    put(r, 'a', 'k', 'first', 'second')
    put(r, 'a', 'other', 'third')
    put(r, 'b', 'k', 'fourth')
    before = metric(r, 'undecrypt', 'damaged', 'quarantin')
    r.stop()
    row = store.secrets(r.data)[('a', 'k', 2)]
    places = []
    for member, start, end in (('kid', 0, 4), ('salt', 4, 36), ('iv', 36, 48),
                               ('ct', 48, len(row['sealed']))):
        for at in {start, (start + end) // 2, end - 1}:
            places.append((f'{member} byte {at}', {'sealed': flipped(row['sealed'], at)}))
    places += [('created', {'created': row['created'] + 1}), ('expires', {'expires': 1 << 42})]
    for what, columns in places:
        store.set_columns(r.data, row['offset'], **columns)
        r.start()
        adm = r.as_('adm')
        err(adm.get(V('a', 'k') + '/2'), 500)
        err(adm.get(V('a', 'k') + '/latest'), 500)
        secret(adm.get(V('a', 'k') + '/1'), 'a', 'k', 1, 'first')
        secret(adm.get(V('a', 'other') + '/1'), 'a', 'other', 1, 'third')
        ok(adm.get(path_url('b')))
        check(metric(r, 'undecrypt', 'damaged', 'quarantin') > before, f'{what}: counted')
        # A listing that holds it fails and names the key, or leaves it out when asked to.
        answer = err(adm.get(path_url('a')), 500)
        check('k' in answer.json()['message'], 'the key in the message', answer.body)
        partial = ok(adm.get(path_url('a') + '?partial=true')).json()
        same([s['key'] for s in partial if 'secret' in s], ['other'], 'readable keys')
        r.stop()
        # Put right again, all is as before.
        store.set_columns(r.data, row['offset'], **{name: row[name] for name in columns})
    r.start()
    secret(r.as_('adm').get(V('a', 'k') + '/2'), 'a', 'k', 2, 'second')


def e03b_any_byte_altered():
    """No flipped bit makes another value, and none stops the others."""
    r = Registry().start()
    put(r, 'a', 'k', 'first', 'second')
    put(r, 'b', 'k', 'third')
    r.stop()
    row = store.secrets(r.data)[('a', 'k', 2)]
    chance = random.Random(7)
    for at in sorted(chance.sample(range(len(row['sealed'])), 25)):
        store.set_columns(r.data, row['offset'], sealed=flipped(row['sealed'], at))
        r.start()
        answer = r.as_('adm').get(V('a', 'k') + '/2')
        if answer.status == 200:
            secret(answer, 'a', 'k', 2, 'second')
        else:
            err(answer, 404, 500)
        secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'first')
        secret(r.as_('adm').get(V('b', 'k') + '/1'), 'b', 'k', 1, 'third')
        # The number is taken, whatever became of its record.
        r.stop()


def e04_moved_ciphertext():
    r = Registry().start()
    put(r, 'a', 'k', 'of a')
    put(r, 'b', 'k', 'of b')
    put(r, 'a', 'k2', 'of k2', 'second of k2')
    r.stop()
    found = store.secrets(r.data)
    for to, of in ((('b', 'k', 1), ('a', 'k', 1)), (('a', 'k2', 2), ('a', 'k2', 1))):
        store.set_columns(r.data, found[to]['offset'], sealed=found[of]['sealed'],
                          created=found[of]['created'])
    r.start()
    err(r.as_('adm').get(V('b', 'k') + '/1'), 500)
    err(r.as_('adm').get(V('a', 'k2') + '/2'), 500)
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'of a')
    secret(r.as_('adm').get(V('a', 'k2') + '/1'), 'a', 'k2', 1, 'of k2')


def contents(r):
    """What is in the data folder, the database by its records."""
    found = {'records': store.rows(r.data, copy=True)}
    for path in files_below(r.data):
        name = os.path.relpath(path, r.data)
        if not name.startswith(os.path.basename(store.file_of(r.data))):
            with open(path, 'rb') as f:
                found[name] = f.read()
    return found


def key_file(r, name, text=None):
    return harness.write(os.path.join(r.folder, name), (text or harness.key_text()) + '\n')


def e05_wrong_master_key():
    r = Registry().start()
    put(r, 'a', 'k', 'value')
    r.stop()
    before = contents(r)
    for text in (harness.key_text(), 'a passphrase that is long enough', None):
        said = r.refuses_to_start(key_file(r, 'wrong', text))
        check('key' in said.lower(), 'a word about the key', said)
        same(contents(r) == before, True, 'data unchanged')
    r.start()
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')


def rotation(r):
    return ok(r.as_('adm').get(ROTATION)).json()


def wait_rotated(r, timeout=30):
    end = time.monotonic() + timeout
    while (now := rotation(r))['running']:
        check(time.monotonic() < end, f'a rotation that ends within {timeout} s', now)
        time.sleep(0.01)
    check('failure' not in now, 'no failure of the rotation', now)


def e06_new_key_with_the_old_one():
    for how in ('master.encryption.old.key', 'master.encryption.old.key.file'):
        r = Registry().start()
        put(r, 'a', 'k', 'first', 'second')
        put(r, 'b', 'k', 'third')
        r.stop()
        old, new = r.key_file, key_file(r, 'new')
        with open(old) as f:
            r.config[how] = old if how.endswith('file') else f.read().strip()
        r.start(new)
        readable(r)
        put(r, 'c', 'k', 'fourth')
        wait_rotated(r)
        readable(r)
        del r.config[how]
        r.restart(new)
        readable(r)
        secret(r.as_('adm').get(V('c', 'k') + '/1'), 'c', 'k', 1, 'fourth')
        r.stop()
        r.refuses_to_start(old)
        # Nothing is left that the old key could have opened.
        r.start(new)
        readable(r)
        r.stop()


def readable(r):
    adm = r.as_('adm')
    secret(adm.get(V('a', 'k') + '/1'), 'a', 'k', 1, 'first')
    secret(adm.get(V('a', 'k') + '/latest'), 'a', 'k', 2, 'second')
    secret(adm.get(V('b', 'k') + '/1'), 'b', 'k', 1, 'third')


def e06b_passphrase_as_key():
    r = Registry(key='correct horse battery staple').start()
    put(r, 'a', 'k', 'value')
    r.restart()
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')
    r.stop()
    # One line end at the file's end does not count; a blank does.
    r.start(harness.write(r.folder + '/same', 'correct horse battery staple'))
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')
    r.stop()
    r.refuses_to_start(key_file(r, 'blank', 'correct horse battery staple '))


def e06c_key_from_the_environment():
    r = Registry()
    with open(r.key_file) as f:
        r.env = {'PROPSEAL_REGISTRY_MASTER_KEY': f.read().strip()}
    arguments = r.arguments
    r.arguments = lambda key=None: arguments(key)[:-2]
    r.start()
    put(r, 'a', 'k', 'value')
    check(r.env['PROPSEAL_REGISTRY_MASTER_KEY'].encode() not in environment(r),
          'the variable is wiped')
    r.restart()
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')
    r.stop()
    r.env = {'PROPSEAL_REGISTRY_MASTER_KEY': ''}
    said = r.refuses_to_start()
    for name in ('--master-key-file', 'PROPSEAL_REGISTRY_MASTER_KEY', 'propseal.registry-key'):
        check(name in said, f'{name} in the hint', said)


def without_key_file(r):
    arguments = r.arguments
    r.arguments = lambda key=None: arguments(key) if key else arguments(key)[:-2]
    return r


def credential(r, text):
    """Put the systemd credential there, as systemd does: for its service alone."""
    folder = os.path.join(r.folder, 'credentials')
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, 'propseal.registry-key')
    if os.path.exists(file):
        os.unlink(file)         # only root may write to one that is there
    return harness.write(file, text, 0o440), folder


def e06d_key_from_the_systemd_credential():
    r = without_key_file(Registry())
    with open(r.key_file) as f:
        text = f.read()
    file, folder = credential(r, text)
    r.env = {'CREDENTIALS_DIRECTORY': folder}
    r.start()
    put(r, 'a', 'k', 'value')
    r.restart()
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')
    r.restart(r.key_file)
    secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')
    r.stop()
    # One that is there and cannot be taken is not passed over.
    credential(r, 'short\n')
    check(file in r.refuses_to_start(), 'the file is named')
    os.unlink(file)
    said = r.refuses_to_start()
    check('propseal.registry-key' in said, 'the credential in the hint', said)
    os.mkdir(file)
    check(file in r.refuses_to_start(), 'the file is named')
    os.rmdir(file)
    os.symlink('propseal.registry-key', file)
    check(file in r.refuses_to_start(), 'the file is named')


def e06e_first_of_several_keys_counts():
    """The file of the flag, the setting, the environment, the credential."""
    r = without_key_file(Registry())
    right = open(r.key_file).read().strip()
    wrong = [harness.key_text() for _ in range(3)]
    r.start(r.key_file)
    put(r, 'a', 'k', 'value')
    r.stop()

    def starts(file=None, setting=None, variable=None, text=None):
        r.config.pop('master.encryption.key', None)
        if setting:
            r.config['master.encryption.key'] = setting
        r.env = {'PROPSEAL_REGISTRY_MASTER_KEY': variable} if variable else {}
        if text:
            r.env['CREDENTIALS_DIRECTORY'] = credential(r, text)[1]
        r.start(file)
        secret(r.as_('adm').get(V('a', 'k') + '/1'), 'a', 'k', 1, 'value')
        r.stop()
    starts(r.key_file, *wrong)
    starts(None, right, *wrong[:2])
    starts(None, None, right, wrong[0])
    starts(None, None, None, right)
    r.config['master.encryption.key'] = wrong[0]
    r.env = {'PROPSEAL_REGISTRY_MASTER_KEY': right}
    r.refuses_to_start()
    del r.config['master.encryption.key']
    r.env = {'PROPSEAL_REGISTRY_MASTER_KEY': wrong[0],
             'CREDENTIALS_DIRECTORY': credential(r, right)[1]}
    r.refuses_to_start()


PATHS, KEYS = 20, 60


def fill(r):
    """Many secrets, fast: several connections."""
    def work(part):
        client = r.new('adm')
        for p in range(part, PATHS, 4):
            for k in range(KEYS):
                ok(client.post(V(f'path-{p:02}', f'key-{k:02}'), {'secret': f'{MARKER} {p} {k}'}))
        client.close()
    errors = []

    def guarded(part):
        try:
            work(part)
        except BaseException as e:
            errors.append(e)
    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    put(r, 'path-00', 'key-00', 'second version')
    ok(r.as_('adm').delete(V('path-01', 'key-00') + '/1'))


def everything(r):
    """All values with numbers, dates and creators."""
    adm = r.as_('adm')
    return [ok(adm.get(f'{path_url(path)}?metadata=true')).json()
            for path in ok(adm.get(P)).json()]


def kids(r):
    return {store.sealed_parts(row)['kid'] for row in store.secrets(r.data, True).values()}


def work_of_a_rotation(r):
    """Seconds from its start until the last record was sealed again."""
    start = time.monotonic()
    ok(r.as_('adm').post(ROTATION, {}), code=202)
    while (now := rotation(r))['running'] and now['done'] < now['total']:
        pass
    return time.monotonic() - start


def begin_rotation(r):
    """Ask for one; the answer is not waited for."""
    connection = r.as_('adm').open()
    connection.send(build('POST', ROTATION, r.host, [('Authorization', r.bearer('adm'))], {}))
    return connection


def kill_in_rotation(r, share):
    """When so much of what it seals again is done; or it is over."""
    seen, end = False, time.monotonic() + 2
    while time.monotonic() < end:
        now = rotation(r)
        if (seen and not now['running']) or \
                (now['running'] and now['done'] >= now['total'] * share):
            break
        seen = seen or now['running']
    r.kill()


@case(limit=55)
def e07_killed_at_20_points_of_a_rotation():
    """Ten times in one that was asked for, ten times in one that goes on
    after a kill."""
    r = Registry().start()
    fill(r)
    before = everything(r)
    took = work_of_a_rotation(r)
    wait_rotated(r)
    same(everything(r), before, 'values, versions, dates')
    r.stop()
    start = time.monotonic()
    r.start()
    starts = time.monotonic() - start
    interrupted = 0
    for point in range(10):
        connection = begin_rotation(r)
        if point % 2:
            time.sleep(took * 1.2 * point / 10)
            r.kill()
        else:
            kill_in_rotation(r, point / 10)
        connection.close()
        interrupted += len(kids(r)) > 1
        same(store.integrity(r.data, True), ['ok'], 'integrity_check')
        r.launch()
        time.sleep(starts * 0.5 + (starts * 0.5 + took) * point / 10)
        r.kill()
        interrupted += len(kids(r)) > 1
        same(store.integrity(r.data, True), ['ok'], 'integrity_check')
        r.start()
        same(everything(r), before, f'values, versions, dates after kills {point}')
        wait_rotated(r)
        same(everything(r), before, f'values, versions, dates after rotation {point}')
    check(interrupted >= 3, 'at least 3 kills in the middle of the work', interrupted)
    r.stop()
    same(len(kids(r)), 1, 'one data key at the end')
    # What was deleted can still be brought back.
    r.start()
    status(r.as_('adm').post(V('path-01', 'key-00') + '/1/undelete'), 200)
    secret(r.as_('adm').get(V('path-01', 'key-00') + '/1'), 'path-01', 'key-00', 1,
           f'{MARKER} 1 0')
    program.audit_verify(r.data, r.key_file)


def e08_reads_and_writes_during_a_rotation():
    r = Registry().start()
    fill(r)
    over, problems, done = threading.Event(), [], [0, 0]

    def read():
        client = r.new('adm')
        n = 0
        while not over.is_set():
            p, k = n % (PATHS - 2) + 2, n % KEYS
            answer = client.get(V(f'path-{p:02}', f'key-{k:02}') + '/1')
            if answer.status != 200 or answer.json()['secret'] != f'{MARKER} {p} {k}':
                problems.append(f'{answer.what}: {answer.status} {answer.body[:100]}')
            n += 1
        done[0] = n

    def write():
        client = r.new('adm')
        n = 0
        while not over.is_set():
            n += 1
            answer = client.post(V('writes', 'k'), {'secret': f'write {n}'})
            if answer.status != 200 or answer.json()['version'] != n:
                problems.append(f'{answer.what}: {answer.status} {answer.body[:100]}')
            answer = client.get(V('writes', 'k') + '/latest')
            if answer.status != 200 or answer.json()['secret'] != f'write {n}':
                problems.append(f'{answer.what}: {answer.status} {answer.body[:100]}')
        done[1] = n
    threads = [threading.Thread(target=f) for f in (read, read, write)]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            ok(r.as_('adm').post(ROTATION, {}), code=202)
            again = r.as_('adm').post(ROTATION, {})
            status(again, 202, 409)
            wait_rotated(r)
    finally:
        over.set()
        for t in threads:
            t.join()
    check(not problems, 'no errors', problems[:3])
    check(done[0] > 20 and done[1] > 5, 'work done meanwhile', done)
    for n in (1, done[1]):
        secret(r.as_('adm').get(f'{V("writes", "k")}/{n}'), 'writes', 'k', n, f'write {n}')


def e08b_online_rotation_of_the_data_key():
    r = Registry().start()
    put(r, 'a', 'k', 'value')
    r.stop()
    before = store.secrets(r.data)[('a', 'k', 1)]
    r.start()
    etag = r.as_('adm').get(V('a', 'k') + '/latest').header('ETag')
    err(r.as_('own').post(ROTATION, {}), 403)
    ok(r.as_('ca').post(ROTATION, {}), code=202)
    wait_rotated(r)
    same(r.as_('adm').get(V('a', 'k') + '/latest').header('ETag'), etag, 'ETag')
    r.stop()
    after = store.secrets(r.data)[('a', 'k', 1)]
    old, new = store.sealed_parts(before), store.sealed_parts(after)
    check(new['kid'] != old['kid'] and new['ct'] != old['ct'], 'sealed again', new['kid'])
    same({**after, 'sealed': None}, {**before, 'sealed': None}, 'the rest')
    lines = [line for line in audit.lines(r) if audit.method(line) == 'RotateMasterKey']
    check(any(audit.principal(line) == 'User:ca' for line in lines), 'audited with its caller')
    texts = [str(audit.data(line, 'result', 'message')) for line in lines]
    check(any('start' in t for t in texts) and any('finish' in t for t in texts),
          'its start and its end are audited', texts)


def e08c_reload_with_a_new_key_file():
    """SIGHUP after the key file was changed: rotation under the new key."""
    r = Registry().start()
    put(r, 'a', 'k', 'first', 'second')
    put(r, 'b', 'k', 'third')
    old = key_file(r, 'old')
    with open(r.key_file) as f:
        harness.write(old, f.read())
    harness.write(r.key_file, harness.key_text() + '\n')
    r.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 10
    while True:
        time.sleep(0.1)
        wait_rotated(r)
        lines = [str(audit.data(line, 'result', 'message')) for line in audit.lines(r)
                 if audit.method(line) == 'RotateMasterKey']
        if any('finish' in text for text in lines):
            break
        check(time.monotonic() < end, 'a rotation after SIGHUP', lines)
    readable(r)
    r.stop()
    r.refuses_to_start(old)
    r.start()
    readable(r)


def e08d_reload_during_a_rotation_keeps_the_new_key():
    r = Registry().start()
    put(r, 'a', 'k', 'first', 'second')
    put(r, 'b', 'k', 'third')
    for i in range(300):
        put(r, 'more', f'k{i}', 'x' * 2000)
    status(r.as_('adm').post(ROTATION, {}), 202)
    harness.write(r.key_file, harness.key_text() + '\n')
    r.process.send_signal(signal.SIGHUP)
    check(rotation(r)['running'], 'a rotation still runs', rotation(r))
    end = time.monotonic() + 10
    while sum(audit.data(line, 'result', 'message') == 'started' for line in audit.lines(r)
              if audit.method(line) == 'RotateMasterKey') < 2:
        check(time.monotonic() < end, 'a rotation for the new key', r.errors())
        time.sleep(0.02)
    # Killed in the middle, too, the key file is the one that fits.
    r.kill()
    r.start()
    wait_rotated(r)
    readable(r)
    check('rotation is running' not in r.errors(), 'no complaint', r.errors())
    r.restart()
    readable(r)


def e09_public_and_weak_keys():
    r = Registry()
    for text in ('39ff95832750c0090d84ddf5344583832efe91ef', 'password1234', '', 'my_master_key',
                 'short', '\n', 'x' * 15,
                 # neither 32 zero bytes, nor a letter or a word that is repeated
                 'a' * 16, 'A' * 43 + '=', '0' * 64, 'password1234' * 2, 'my_master_key' * 3,
                 'abcabcabcabcabcabc', 'aabbaabbccaabbccaa',
                 # nor a key that was not copied as a whole, or that is too long
                 *(base64.b64encode(bytes(range(7, 7 + n))).decode() for n in (30, 31, 33, 36)),
                 bytes(range(7, 38)).hex(), bytes(range(7, 39)).hex()[:-1]):
        r.refuses_to_start(key_file(r, 'weak', text) if text else
                           harness.write(r.folder + '/weak', text))
        check(not any(name.endswith('.db') for name in os.listdir(r.data)),
              'no store is made', os.listdir(r.data))
    for n, text in enumerate(('correct horse battery staple', 'Tr0ub4dor&3-and-16',
                              base64.b64encode(os.urandom(24)).decode(), os.urandom(32).hex())):
        r.start(key_file(r, f'good{n}', text))
        r.stop()
        for name in os.listdir(r.data):
            if name.startswith(('registry', 'keyring', 'audit')):
                os.remove(os.path.join(r.data, name))
    r.config['dev.mode'] = True
    r.start(key_file(r, 'weak', 'password1234'))
    check('password1234' not in r.errors(), 'no key in the warning', r.errors())


def e10_key_file_that_others_can_read():
    for mode in (0o644, 0o640, 0o604, 0o666):
        r = Registry()
        os.chmod(r.key_file, mode)
        said = r.refuses_to_start()
        check('master' in said or 'mode' in said or 'read' in said, 'the reason', said)
    r.config['dev.mode'] = True
    r.start()


def e10b_key_from_a_pipe():
    """Not a start that hangs for ever where nobody writes to it."""
    r = Registry()
    pipe = os.path.join(r.folder, 'pipe')
    os.mkfifo(pipe, 0o600)
    r.launch(pipe)
    time.sleep(0.5)
    check(r.running(), 'it waits for the key', r.errors())
    with open(r.key_file) as f:
        harness.write(pipe, f.read())
    r.wait_listening().wait_ready()
    r.stop()
    said = r.refuses_to_start(pipe, timeout=20)
    check('pipe' in said, 'the reason', said)


def e11_files_are_for_the_owner_alone():
    r = Registry().start()
    put(r, 'a', 'k', 'value')
    for path in files_below(r.data):
        mode = os.stat(path).st_mode & 0o777
        if mode & 0o077:
            fail(f'{os.path.basename(path)}: expected a mode without rights for others, '
                 f'seen {mode:o}')
    check(os.stat(r.data).st_mode & 0o022 == 0, 'a folder that others cannot write')


if __name__ == '__main__':
    run.main(globals())
