#!/usr/bin/env -S python3 -B
"""Delete: the cases D of the registry's contract, in both dialects."""
import threading
import time

from lib import run
from lib.check import Mismatch, check, empty, err, ok, same, secret, status
from lib.rest import P, V, Closed, key_url, path_url
from lib.run import BOTH, case


def put(r, path, key, count=1):
    for n in range(count):
        answer = status(r.as_('adm').post(V(path, key), {'secret': f'value {n + 1}'}),
                        r.m(200, 201))
    return answer.json()['version']


def deleted(r, target, body):
    """The answer to a DELETE that finds something."""
    answer = r.as_('adm').delete(target)
    if r.mredjem:
        return empty(answer, 204)
    return ok(answer, body)


def absent(r, target):
    """The answer to a DELETE that finds nothing."""
    answer = r.as_('adm').delete(target)
    if r.mredjem:
        return empty(answer, 204)
    return err(answer, 404)


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        check(time.monotonic() < end, 'readers see it within 10 s')
        time.sleep(0.002)


def d01_delete_a_version(r):
    put(r, 'd01', 'k', 3)
    deleted(r, V('d01', 'k') + '/1', 1)


def d02_it_is_gone_at_once(r):
    put(r, 'd02', 'k', 3)
    deleted(r, V('d02', 'k') + '/1', 1)
    err(r.as_('adm').get(V('d02', 'k') + '/1'), 404)


def d03_it_leaves_the_list(r):
    put(r, 'd03', 'k', 3)
    deleted(r, V('d03', 'k') + '/1', 1)
    ok(r.as_('adm').get(V('d03', 'k')), [2, 3])
    same([s['version'] for s in ok(r.as_('adm').get(key_url('d03', 'k'))).json()], [2, 3],
         'versions in the key')


def d04_delete_it_again(r):
    put(r, 'd04', 'k', 3)
    deleted(r, V('d04', 'k') + '/1', 1)
    absent(r, V('d04', 'k') + '/1')
    absent(r, V('d04', 'k') + '/99')
    ok(r.as_('adm').get(V('d04', 'k')), [2, 3])


def d05_latest_is_the_highest_that_is_left(r):
    put(r, 'd05', 'k', 3)
    deleted(r, V('d05', 'k') + '/1', 1)
    deleted(r, V('d05', 'k') + '/3', 3)
    answer = secret(r.as_('adm').get(V('d05', 'k') + '/latest'), 'd05', 'k', 2, 'value 2')
    same(answer.header('ETag'), '"2"', 'ETag')
    same(ok(r.as_('adm').get(path_url('d05'))).json()[0]['version'], 2, 'version in the path')


def d06_numbers_go_on_after_the_newest_is_deleted(r):
    put(r, 'd06', 'k', 3)
    deleted(r, V('d06', 'k') + '/3', 3)
    same(put(r, 'd06', 'k'), 4, 'version')
    ok(r.as_('adm').get(V('d06', 'k')), [1, 2, 4])


def delete_all(r, path, key, count):
    for n in range(1, count + 1):
        deleted(r, f'{V(path, key)}/{n}', n)


def d07_without_versions_key_and_path_are_gone(r):
    put(r, 'd07', 'k', 3)
    delete_all(r, 'd07', 'k', 3)
    check('d07' not in ok(r.as_('adm').get(P)).json(), 'the path is gone')
    ok(r.as_('adm').get(path_url('d07') + '/keys'), [])
    ok(r.as_('adm').get(V('d07', 'k')), [])
    ok(r.as_('adm').get(path_url('d07')), [])
    ok(r.as_('adm').get(key_url('d07', 'k')), [])
    err(r.as_('adm').get(V('d07', 'k') + '/latest'), 404)


def d08_numbers_go_on_after_all_are_deleted(r):
    put(r, 'd08', 'k', 3)
    delete_all(r, 'd08', 'k', 3)
    same(put(r, 'd08', 'k'), 4, 'version')
    ok(r.as_('adm').get(V('d08', 'k')), [4])
    check('d08' in ok(r.as_('adm').get(P)).json(), 'the path is back')


def d09_delete_a_key(r):
    put(r, 'd09', 'k', 2)
    put(r, 'd09', 'kk')
    put(r, 'd09', 'other', 2)
    deleted(r, key_url('d09', 'k'), [1, 2])
    ok(r.as_('adm').get(path_url('d09') + '/keys'), ['kk', 'other'])
    ok(r.as_('adm').get(V('d09', 'other')), [1, 2])
    err(r.as_('adm').get(V('d09', 'k') + '/2'), 404)
    absent(r, key_url('d09', 'k'))
    same(put(r, 'd09', 'k'), 3, 'version')


def d10_delete_a_key_that_is_not_there(r):
    absent(r, key_url('d10', 'k'))
    put(r, 'd10', 'k')
    absent(r, key_url('d10', 'other'))
    ok(r.as_('adm').get(V('d10', 'k')), [1])


def d11_delete_a_path(r):
    put(r, 'd11', 'b', 2)
    put(r, 'd11', 'a', 3)
    deleted(r, V('d11', 'a') + '/2', 2)
    deleted(r, path_url('d11'), [{'key': 'a', 'versions': [1, 3]},
                                 {'key': 'b', 'versions': [1, 2]}])
    check('d11' not in ok(r.as_('adm').get(P)).json(), 'the path is gone')
    ok(r.as_('adm').get(path_url('d11')), [])
    absent(r, path_url('d11'))
    same(put(r, 'd11', 'a'), 4, 'version')


def d12_delete_a_path_that_is_not_there(r):
    absent(r, path_url('none'))


def d13_names_that_begin_alike_are_untouched(r):
    for path in ('d13', 'd132', 'd13-', 'd1', 'D13'):
        put(r, path, 'k')
    deleted(r, path_url('d13'), [{'key': 'k', 'versions': [1]}])
    for path in ('d132', 'd13-', 'd1', 'D13'):
        ok(r.as_('adm').get(V(path, 'k')), [1])


def d14_latest_cannot_be_deleted(r):
    put(r, 'd14', 'k', 2)
    err(r.as_('adm').delete(V('d14', 'k') + '/latest'), r.m(422, 403))
    ok(r.as_('adm').get(V('d14', 'k')), [1, 2])


def d15_readers_see_all_or_nothing(r):
    keys = 40

    def read(seen, over):
        client = r.new('adm')
        try:
            while not over.is_set():
                seen.append(len(ok(client.get(path_url('d15'))).json()))
        except (Mismatch, Closed, OSError) as e:
            seen.append(f'{type(e).__name__}: {e}')
        client.close()

    for _ in range(5):
        for n in range(keys):
            put(r, 'd15', f'k{n:02}')
        seen, over = [], threading.Event()
        threads = [threading.Thread(target=read, args=(seen, over)) for _ in range(3)]
        for t in threads:
            t.start()
        try:
            wait_for(lambda: keys in seen)
            status(r.as_('adm').delete(path_url('d15')), r.m(200, 204))
            wait_for(lambda: 0 in seen)
        finally:
            over.set()
            for t in threads:
                t.join()
        check(set(seen) == {0, keys}, f'readers see 0 or {keys} keys', set(seen))


@case(fresh=True, dialects=BOTH)
def d16_numbers_go_on_after_a_restart(r):
    put(r, 'conn-a', 'k', 2)
    put(r, 'conn-b', 'k', 2)
    put(r, 'conn-c', 'k', 3)
    deleted(r, key_url('conn-a', 'k'), [1, 2])
    deleted(r, path_url('conn-b'), [{'key': 'k', 'versions': [1, 2]}])
    deleted(r, V('conn-c', 'k') + '/3', 3)
    r.restart()
    ok(r.as_('adm').get(P), ['conn-c'])
    same(put(r, 'conn-a', 'k'), 3, 'version after its key was deleted')
    same(put(r, 'conn-b', 'k'), 3, 'version after its path was deleted')
    same(put(r, 'conn-c', 'k'), 4, 'version after the newest was deleted')


def d17_body_is_ignored(r):
    put(r, 'd17', 'k', 2)
    for target, body in ((V('d17', 'k') + '/1', {'x': 1}), (V('d17', 'k') + '/2', b'not json')):
        status(r.as_('adm').delete(target, body), r.m(200, 204))
    ok(r.as_('adm').get(V('d17', 'k')), [])


def d18_stale_if_match_deletes_nothing(r):
    put(r, 'd18', 'k', 2)
    for target in (key_url('d18', 'k'), V('d18', 'k') + '/1', path_url('d18')):
        err(r.as_('adm').delete(target, None, [('If-Match', '"1"')]), 412)
        ok(r.as_('adm').get(V('d18', 'k')), [1, 2])
    status(r.as_('adm').delete(key_url('d18', 'k'), None, [('If-Match', '"2"')]), r.m(200, 204))
    ok(r.as_('adm').get(V('d18', 'k')), [])


if __name__ == '__main__':
    run.main(globals(), dialects=BOTH)
