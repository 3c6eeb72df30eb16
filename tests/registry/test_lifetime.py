#!/usr/bin/env -S python3 -B
"""Soft delete, expiry, metadata, paging, watch: the cases S of the registry's
contract."""
import datetime
import re
import resource
import select
import threading
import time

from lib import run
from lib.check import check, empty, err, ok, same, secret, status
from lib.harness import MARKER
from lib.http_raw import wait_for
from lib.rest import P, V, Connection, build, key_url, path_url
from lib.run import BOTH, case

TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z')


def put(r, path, key='k', *values, who='adm', **members):
    for value in values or ('v',):
        answer = status(r.as_(who).post(V(path, key), {'secret': value, **members}),
                        r.m(200, 201))
    return answer.json()['version']


def delete(r, target):
    return status(r.as_('adm').delete(target), r.m(200, 204))


def undelete(r, path, key, version):
    return r.as_('adm').post(f'{V(path, key)}/{version}/undelete')


def when(text):
    check(isinstance(text, str) and TIME.fullmatch(text), 'an RFC 3339 time in UTC', text)
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))


def metadata(r, path, key='k', who='adm'):
    return ok(r.as_(who).get(key_url(path, key) + '/metadata')).json()


def state_of(r, path, version, key='k'):
    for v in metadata(r, path, key)['versions']:
        if v['version'] == version:
            return v['state']
    return None


def s01_undelete(r):
    put(r, 's01', 'k', 'one', 'two')
    delete(r, V('s01', 'k') + '/1')
    err(r.as_('adm').get(V('s01', 'k') + '/1'), 404)
    same(state_of(r, 's01', 1), 'deleted', 'state')
    status(undelete(r, 's01', 'k', 1), 200)
    secret(r.as_('adm').get(V('s01', 'k') + '/1'), 's01', 'k', 1, 'one')
    ok(r.as_('adm').get(V('s01', 'k')), [1, 2])
    same(state_of(r, 's01', 1), 'live', 'state')
    delete(r, path_url('s01'))
    for version in (2, 1):
        status(undelete(r, 's01', 'k', version), 200)
    secret(r.as_('adm').get(V('s01', 'k') + '/latest'), 's01', 'k', 2, 'two')
    err(undelete(r, 's01', 'k', 9), 404)
    err(undelete(r, 'none', 'k', 1), 404)
    err(undelete(r, 's01', 'k', 'latest'), r.m(422, 403))


@case(fresh=True, dialects=BOTH)
def s01b_undelete_after_a_restart(r):
    put(r, 's01', 'k', 'one', 'two')
    delete(r, V('s01', 'k') + '/2')
    r.restart()
    err(r.as_('adm').get(V('s01', 'k') + '/2'), 404)
    status(undelete(r, 's01', 'k', 2), 200)
    r.kill()
    r.start()
    secret(r.as_('adm').get(V('s01', 'k') + '/latest'), 's01', 'k', 2, 'two')


def s02_destroyed_for_good(r):
    put(r, 's02', 'k', 'one', 'two', 'three')
    delete(r, V('s02', 'k') + '/1')
    delete(r, V('s02', 'k') + '/1?destroy=true')
    err(undelete(r, 's02', 'k', 1), 409)
    delete(r, V('s02', 'k') + '/2?destroy=true')
    err(r.as_('adm').get(V('s02', 'k') + '/2'), 404)
    err(undelete(r, 's02', 'k', 2), 409)
    ok(r.as_('adm').get(V('s02', 'k')), [3])
    same(put(r, 's02'), 4, 'next version')
    # To undelete what lives changes nothing.
    answer = undelete(r, 's02', 'k', 3)
    check(answer.status in (200, 404, 409), '200, 404 or 409', answer.status)
    ok(r.as_('adm').get(V('s02', 'k')), [3, 4])


def s03_time_to_live(r):
    adm = r.as_('adm')
    put(r, 's03', 'k', 'lasting')
    start = time.monotonic()
    put(r, 's03', 'k', 'short', ttl=1)
    put(r, 's03', 'only', 'short', ttl=1)
    answer = adm.get(V('s03', 'k') + '/2')
    if time.monotonic() - start < 0.9:
        secret(answer, 's03', 'k', 2, 'short')
    time.sleep(max(0, start + 2 - time.monotonic()))
    err(adm.get(V('s03', 'k') + '/2'), 404)
    secret(adm.get(V('s03', 'k') + '/latest'), 's03', 'k', 1, 'lasting')
    ok(adm.get(V('s03', 'k')), [1])
    ok(adm.get(key_url('s03', 'k')), [
        {'path': 's03', 'key': 'k', 'version': 1, 'secret': 'lasting'}])
    ok(adm.get(path_url('s03') + '/keys'), ['k'])
    ok(adm.get(path_url('s03')), [{'path': 's03', 'key': 'k', 'version': 1, 'secret': 'lasting'}])
    same(put(r, 's03'), 3, 'next version')
    same(put(r, 's03', 'only'), 2, 'next version of the other')
    for ttl in (0, -1, 'x', 1.5, True, 2 ** 62):
        answer = adm.post(V('s03', 'bad'), {'secret': 'a', 'ttl': ttl})
        err(answer, 422)


@case(fresh=True)
def s03b_time_to_live_across_a_restart(r):
    put(r, 's03', 'k', 'short', ttl=1)
    put(r, 's03', 'long', 'long', ttl=3600)
    r.stop()
    time.sleep(1.2)
    r.start()
    err(r.as_('adm').get(V('s03', 'k') + '/latest'), 404)
    secret(r.as_('adm').get(V('s03', 'long') + '/latest'), 's03', 'long', 1, 'long')
    same(put(r, 's03'), 2, 'next version')


def s04_most_versions(r):
    put(r, 's04')
    status(r.as_('adm').patch(key_url('s04', 'k') + '/metadata', {'max_versions': 3}), 200)
    put(r, 's04', 'k', 'b', 'c', 'd', 'e')
    ok(r.as_('adm').get(V('s04', 'k')), [3, 4, 5])
    err(r.as_('adm').get(V('s04', 'k') + '/1'), 404)
    for bad in (-1, 'x', 1.5, 2 ** 40):
        err(r.as_('adm').patch(key_url('s04', 'k') + '/metadata', {'max_versions': bad}), 422)


@case(fresh=True)
def s04b_settings_before_the_first_version(r):
    adm, target = r.as_('adm'), key_url('s04b', 'k') + '/metadata'
    err(adm.get(target), 404)
    answer = ok(adm.patch(target, {'max_versions': 3, 'cas_required': True})).json()
    same((answer['currentVersion'], answer['highestVersion'], answer['versions']), (0, 0, []),
         'versions')
    err(adm.patch(target, {'max_versions': 2, 'cas': 0}), 409)
    r.stop()
    r.start()
    adm = r.as_('adm')
    same(ok(adm.get(target)).json()['max_versions'], 3, 'max_versions after a restart')
    # There is no secret yet, and no path to be listed.
    ok(adm.get(P), [])
    ok(adm.get(V('s04b', 'k')), [])
    ok(adm.get(path_url('s04b') + '/keys'), [])
    err(adm.get(V('s04b', 'k') + '/latest'), 404)
    err(adm.post(V('s04b', 'k'), {'secret': 'a'}), 422)
    for n in range(5):
        status(adm.post(V('s04b', 'k'), {'secret': 'a', 'cas': n}), 200, 201)
    ok(adm.get(V('s04b', 'k')), [3, 4, 5])


def s05_who_and_when(r):
    before = datetime.datetime.now(datetime.timezone.utc)
    for n, who in enumerate(('adm', 'ua', 'adm')):
        put(r, 's05', 'k', f'value {n}', who=who)
        time.sleep(0.002)
    after = datetime.datetime.now(datetime.timezone.utc)
    found = metadata(r, 's05')
    same([v['version'] for v in found['versions']], [1, 2, 3], 'versions')
    same([v['createdBy'].removeprefix('User:') for v in found['versions']], ['adm', 'ua', 'adm'],
         'createdBy')
    times = [when(v['createdAt']) for v in found['versions']]
    same(times == sorted(times) and len(set(times)) == 3, True, f'growing times {times}')
    second = datetime.timedelta(seconds=1)
    check(before - second < times[0] and times[-1] < after + second, 'the time of day', times)
    # The same with each secret, when asked for.
    for target in (V('s05', 'k') + '/2', V('s05', 'k') + '/latest'):
        one = ok(r.as_('adm').get(target + '?metadata=true')).json()
        same(sorted(one), sorted(('path', 'key', 'version', 'secret', 'createdAt', 'createdBy',
                                  'expiresAt', 'state')), 'members')
        same(one['createdAt'], found['versions'][one['version'] - 1]['createdAt'], 'createdAt')
        same(one['state'], 'live', 'state')
        same(one['expiresAt'], None, 'expiresAt')
    for target in (key_url('s05', 'k'), path_url('s05')):
        for one in ok(r.as_('adm').get(target + '?metadata=true')).json():
            check('createdAt' in one and 'createdBy' in one, 'metadata', one)
    put(r, 's05', 'expiring', 'v', ttl=3600)
    one = ok(r.as_('adm').get(V('s05', 'expiring') + '/1?metadata=true')).json()
    same((when(one['expiresAt']) - when(one['createdAt'])).total_seconds(), 3600.0, 'lifetime')


def s05b_who_deleted_and_when(r):
    put(r, 's05b', 'k', 'one', 'two')
    status(r.as_('ua').delete(V('s05b', 'k') + '/1'), r.m(200, 204))
    one = metadata(r, 's05b')['versions'][0]
    same(one['deletedBy'].removeprefix('User:'), 'ua', 'deletedBy')
    check(when(one['deletedAt']) >= when(one['createdAt']), 'a later deletedAt', one)


def s05c_metadata_of_a_path(r):
    put(r, 's05c', 'b')
    put(r, 's05c', 'a', MARKER, 'two')
    answer = ok(r.as_('adm').get(path_url('s05c') + '/metadata'))
    check(MARKER.encode() not in answer.body, 'no value')
    keys = answer.json()['keys']
    same([k['key'] for k in keys], ['a', 'b'], 'keys')
    err(r.as_('adm').get(path_url('none') + '/metadata'), 404)
    err(r.as_('adm').get(key_url('s05c', 'none') + '/metadata'), 404)


def s06_metadata_of_ones_own(r):
    adm = r.as_('adm')
    good = {f'name-{i:02}': 'v' * 512 for i in range(63)}
    good['n' * 128] = ''
    put(r, 's06', 'k', 'v', metadata=good)
    same(metadata(r, 's06')['metadata'], good, 'metadata')
    for bad in ({f'name-{i:02}': 'v' for i in range(65)}, {'n' * 129: 'v'}, {'n': 'v' * 513},
                {'n': 5}, {'n': None}, {'': 'v'}, ['n'], 'n', 5):
        err(adm.post(V('s06', 'k'), {'secret': 'a', 'metadata': bad}), 422)
        err(adm.patch(key_url('s06', 'k') + '/metadata', {'metadata': bad}), 422)
    ok(adm.get(V('s06', 'k')), [1])
    status(adm.patch(key_url('s06', 'k') + '/metadata', {'metadata': {'team': 'a\n"b"'}}), 200)
    same(metadata(r, 's06')['metadata'], {'team': 'a\n"b"'}, 'metadata')


def s06b_metadata_has_its_own_cas(r):
    put(r, 's06b')
    target = key_url('s06b', 'k') + '/metadata'
    status(r.as_('adm').patch(target, {'metadata': {'a': '1'}}), 200)
    now = metadata(r, 's06b')['cas']
    err(r.as_('adm').patch(target, {'metadata': {'a': '2'}, 'cas': now + 1}), 409)
    same(metadata(r, 's06b')['metadata'], {'a': '1'}, 'metadata')
    status(r.as_('adm').patch(target, {'metadata': {'a': '2'}, 'cas': now}), 200)
    err(r.as_('adm').patch(target, {'metadata': {'a': '3'}, 'cas': now}), 409)
    same(metadata(r, 's06b')['metadata'], {'a': '2'}, 'metadata')
    ok(r.as_('adm').get(V('s06b', 'k')), [1])


@case(fresh=True, dialects=BOTH)
def s06c_metadata_stays(r):
    put(r, 's06c', 'k', 'v', metadata={'a': 'b'})
    status(r.as_('adm').patch(key_url('s06c', 'k') + '/metadata',
                              {'max_versions': 2, 'cas_required': True}), 200)
    before = metadata(r, 's06c')
    r.restart()
    same(metadata(r, 's06c'), before, 'metadata after a restart')
    delete(r, key_url('s06c', 'k'))
    err(r.as_('adm').post(V('s06c', 'k'), {'secret': 'x'}), 422)


def next_of(answer):
    links = answer.all('Link')
    if not links:
        return None
    found = re.fullmatch(r'<([^<>]+)>; *rel="next"', links[0])
    check(len(links) == 1 and found, 'one Link of rel="next"', links)
    return found[1]


def follow(r, who, target, most):
    """Every page from here on."""
    pages = []
    while target:
        if target.startswith('http'):
            target = '/' + target.split('/', 3)[3]
        answer = ok(r.as_(who).get(target))
        page = answer.json()
        check(len(page) <= most, f'at most {most} entries', page)
        pages.append(page)
        check(len(pages) < 50, 'an end to the pages')
        target = next_of(answer)
    return pages


def five(r):
    for path in ('conn-a', 'beta', 'team1-x', 'team1-y', 'an other'):
        put(r, path, 'k')
    return ['an other', 'beta', 'conn-a', 'team1-x', 'team1-y']


@case(fresh=True)
def s07_pages(r):
    names = five(r)
    pages = follow(r, 'adm', P + '?limit=2', 2)
    same([name for page in pages for name in page], names, 'all pages')
    same([len(page) for page in pages], [2, 2, 1], 'lengths of the pages')
    same([n for page in follow(r, 'adm', P + '?limit=5', 5) for n in page], names, 'one page')
    answer = ok(r.as_('adm').get(P), names)
    same(answer.all('Link'), [], 'Link without a limit')
    same(follow(r, 'adm', P + '?limit=1000', 1000), [names], 'a large limit')


@case(fresh=True)
def s08_limits_and_after(r):
    names = five(r)
    adm = r.as_('adm')
    for limit in ('0', 'x', '-1', '1001', '', '2.0', '%202', '99999999999999999999'):
        err(adm.get(f'{P}?limit={limit}'), 422)
    ok(adm.get(P + '?after=conn-a'), ['team1-x', 'team1-y'])
    ok(adm.get(P + '?after=c'), ['conn-a', 'team1-x', 'team1-y'])
    ok(adm.get(P + '?limit=1&after=conn-b'), ['team1-x'])
    ok(adm.get(P + '?after=zzz'), [])
    ok(adm.get(P + '?after=an%20other'), names[1:])
    ok(adm.get(P + '?after='), names)


@case(fresh=True)
def s09_pages_tell_nothing_of_others(r):
    five(r)
    for i in range(20):
        put(r, f'a-hidden-{i:02}', 'k')
    same(follow(r, 'own', P + '?limit=2', 2), [['conn-a']], 'pages of own')
    same(follow(r, 'pre', P + '?limit=1', 1), [['team1-x'], ['team1-y']], 'pages of pre')
    same(follow(r, 'nob', P + '?limit=2', 2), [[]], 'pages of nob')
    ok(r.as_('own').get(P + '?after=a-hidden-00'), ['conn-a'])
    for page in (r.as_('own').get(P + '?limit=1'), r.as_('pre').get(P + '?limit=1')):
        check(b'hidden' not in (next_of(page) or '').encode(), 'no name of others in Link',
              page.headers)


@case(fresh=True)
def s10_prefix(r):
    five(r)
    adm = r.as_('adm')
    ok(adm.get(P + '?prefix=te'), ['team1-x', 'team1-y'])
    ok(adm.get(P + '?prefix=team1-y'), ['team1-y'])
    ok(adm.get(P + '?prefix=T'), [])
    ok(adm.get(P + '?prefix=an%20'), ['an other'])
    ok(r.as_('own').get(P + '?prefix=te'), [])
    same(follow(r, 'adm', P + '?prefix=te&limit=1', 1), [['team1-x'], ['team1-y']], 'pages')


@case(fresh=True)
def s10b_search(r):
    five(r)
    put(r, 'beta', 'db.password', MARKER)
    put(r, 'conn-a', 'db.password', MARKER)
    answer = ok(r.as_('adm').get('/secret/search?key=db.*'))
    check(MARKER.encode() not in answer.body, 'no values')
    same([(f['path'], f['key']) for f in answer.json()],
         [('beta', 'db.password'), ('conn-a', 'db.password')], 'found')
    answer = ok(r.as_('adm').get('/secret/search?path=team1-*&key=k'))
    same([f['path'] for f in answer.json()], ['team1-x', 'team1-y'], 'found')
    answer = ok(r.as_('own').get('/secret/search?key=db.*'))
    same([f['path'] for f in answer.json()], ['conn-a'], 'found by own')


@case(fresh=True)
def s10c_deleted_paths(r):
    five(r)
    put(r, 'short', 'k', 'v', ttl=1)
    put(r, 'beta', 'other')
    adm = r.as_('adm')
    ok(adm.get(P + '?deleted=true'), [])
    for path in ('team1-y', 'conn-a', 'team1-x'):
        delete(r, path_url(path))
    delete(r, key_url('beta', 'other'))         # another key of it lives
    delete(r, V('an other', 'k') + '/1?destroy=true')
    time.sleep(1.2)                             # what has expired was not deleted
    ok(adm.get(P), ['beta'])
    ok(adm.get(P + '?deleted=false'), ['beta'])
    ok(adm.get(P + '?deleted=true'), ['conn-a', 'team1-x', 'team1-y'])
    ok(adm.get(P + '?deleted=true&prefix=te'), ['team1-x', 'team1-y'])
    same(follow(r, 'adm', P + '?deleted=true&prefix=te&limit=1', 1),
         [['team1-x'], ['team1-y']], 'pages')
    ok(r.as_('own').get(P + '?deleted=true'), ['conn-a'])
    err(adm.get(P + '?deleted=perhaps'), 422)
    status(undelete(r, 'conn-a', 'k', 1), 200)
    ok(adm.get(P + '?deleted=true'), ['team1-x', 'team1-y'])
    ok(adm.get(P), ['beta', 'conn-a'])


def watch(r, who, since, wait):
    client = r.new(who)
    try:
        return client.get(f'/secret/watch?since={since}&wait={wait}')
    finally:
        client.close()


def offset_now(r, who='adm'):
    return ok(r.as_(who).get('/secret/watch?wait=0')).json()['offset']


def watched(r, who, since, wait, act):
    """Watch in another thread; act meanwhile; the answer."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(watch(r, who, since, wait)))
    thread.start()
    time.sleep(0.3)
    check(not answers, 'the watch waits', answers and answers[0].body)
    act()
    start = time.monotonic()
    thread.join(wait + 10)
    check(answers, 'an answer to the watch')
    return answers[0], time.monotonic() - start


def s11_watch_tells_of_a_write(r):
    since = offset_now(r)
    answer, took = watched(r, 'adm', since, 20, lambda: put(r, 's11', 'k', MARKER))
    check(took < 1, 'an answer within 1 s', took)
    check(MARKER.encode() not in answer.body, 'no value')
    body = ok(answer).json()
    found = [c for c in body['changes'] if c['path'] == 's11']
    same([(c['key'], c['version']) for c in found], [('k', 1)], 'changes')
    check(body['offset'] > since, 'a later offset', body['offset'])
    # From there on nothing has happened.
    again = ok(watch(r, 'adm', body['offset'], 0)).json()
    same([c for c in again['changes'] if c['path'] == 's11'], [], 'changes since')
    # From before, at once, it is all told again.
    again = ok(watch(r, 'adm', since, 20)).json()
    same([(c['key'], c['version']) for c in again['changes'] if c['path'] == 's11'],
         [('k', 1)], 'changes again')


def s11b_watch_tells_of_deletes(r):
    put(r, 's11b', 'k', 'one', 'two')
    since = offset_now(r)
    answer, _ = watched(r, 'adm', since, 20, lambda: delete(r, V('s11b', 'k') + '/1'))
    found = [c for c in ok(answer).json()['changes'] if c['path'] == 's11b']
    check([(c['key'], c['version']) for c in found] == [('k', 1)], 'the deleted version', found)


def s11c_watch_ends_in_time(r):
    since = offset_now(r)
    start = time.monotonic()
    body = ok(watch(r, 'adm', since, 1)).json()
    check(0.8 < time.monotonic() - start < 5, 'an answer after 1 s', time.monotonic() - start)
    same(body['changes'], [], 'changes')
    for bad in ('x', '-1', ''):
        err(watch(r, 'adm', bad, 0), 422)
        err(watch(r, 'adm', since, bad), 422)


def answered(held):
    ready = set(select.select([c.sock for c in held], [], [], 0)[0])
    return [c for c in held if c.sock in ready]


@case(config={'http.max.connections': 150, 'watch.max.per.address': 100}, limit=120)
def s11d_waits_of_one_login_leave_others_served(r):
    since = offset_now(r)
    data = build('GET', f'/secret/watch?since={since}&wait=60', r.host,
                 [('Authorization', r.bearer('nob'))])
    held = []
    for i in range(170):
        held.append(Connection(r.address))
        held[-1].send(data)
        # 64 wait, and each further one is refused before the next one comes: so many
        # at once would be more connections than there are places.
        wait_for(lambda: len(answered(held)) >= i + 1 - 64, 'a refused wait to be told')
    for _ in range(3):
        status(r.new(source='127.0.0.2').get('/health/ready'), 200)
        ok(r.new('adm', source='127.0.0.2').get(P), [])
        ok(r.new('own').get(P), [])
    # Another login, of the same address, may wait for as long as that allows.
    answer, _ = watched(r, 'own', since, 20, lambda: put(r, 'conn-a'))
    same([c['path'] for c in ok(answer).json()['changes']], ['conn-a'], 'changes')
    told = answered(held)
    same(len(told), 170 - 64, 'waits that were refused')
    answer = err(told[0].answer('watch'), 429)
    same(answer.header('Connection'), 'close', 'Connection')
    check((answer.header('Retry-After') or '').isdigit(), 'Retry-After', answer.headers)
    for c in held:
        c.close()


@case(config={'watch.max.per.principal': 1000, 'watch.max.per.address': 2})
def s11e_waits_of_one_address(r):
    since = offset_now(r)
    held = [r.new(None).open() for _ in range(2)]
    for c, who in zip(held, ('own', 'pre')):
        c.send(build('GET', f'/secret/watch?since={since}&wait=60', r.host,
                     [('Authorization', r.bearer(who))]))
        time.sleep(0.1)
    err(watch(r, 'adm', since, 1), 429)
    ok(r.new('adm', source='127.0.0.2').get(f'/secret/watch?since={since}&wait=1'))
    # Who was answered has left the place.
    put(r, 'conn-a')
    ok(held[0].answer('watch'))
    ok(watch(r, 'adm', offset_now(r), 1))
    for c in held:
        c.close()


@case(fresh=True, limit=120)
def s11f_a_login_without_a_role_waits_more_often_than_there_are_connections(r):
    """More than http.max.connections, from many addresses, as the settings are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    since = offset_now(r)
    data = build('GET', f'/secret/watch?since={since}&wait=60', r.host,
                 [('Authorization', r.bearer('nob'))])
    held = []
    try:
        for i in range(4200):
            held.append(Connection(r.address, source=f'127.0.1.{1 + i // 100}'))
            held[-1].send(data)
        for _ in range(3):
            status(r.new(source='127.0.0.2').get('/health/ready'), 200)
            ok(r.new('adm', source='127.0.0.2').get(P))
            ok(r.new('own').get(P))
        answer, _ = watched(r, 'own', since, 30, lambda: put(r, 'conn-a'))
        same([c['path'] for c in ok(answer).json()['changes']], ['conn-a'], 'changes')
        err(held[-1].answer('watch'), 429)
    finally:
        for c in held:
            c.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@case(fresh=True)
def s12_watch_tells_nothing_of_others(r):
    for path in ('conn-a', 'other'):
        put(r, path)
    since = offset_now(r)
    answer, took = watched(r, 'own', since, 2, lambda: put(r, 'other', 'k', 'new'))
    same(ok(answer).json()['changes'], [], 'changes')
    check(took > 1, 'no early answer', took)
    check(b'other' not in answer.body, 'no name of others')
    answer, _ = watched(r, 'own', answer.json()['offset'], 20, lambda: put(r, 'conn-a'))
    same([c['path'] for c in ok(answer).json()['changes']], ['conn-a'], 'changes')
    err(r.as_(None).get('/secret/watch?since=0'), 401)


@case(fresh=True, config={'secret.undelete.window.seconds': 1})
def s13_window_to_undelete(r):
    put(r, 's13', 'k', 'one', 'two')
    delete(r, V('s13', 'k') + '/1')
    end = time.monotonic() + 15
    while state_of(r, 's13', 1) == 'deleted':
        check(time.monotonic() < end, 'what is deleted is destroyed after the window')
        time.sleep(0.1)
    err(undelete(r, 's13', 'k', 1), 404, 409)
    same(put(r, 's13'), 3, 'next version')
    empty(r.as_('adm').head(V('s13', 'k') + '/1'), 404)


if __name__ == '__main__':
    run.main(globals(), dialects=BOTH)
