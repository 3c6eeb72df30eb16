#!/usr/bin/env -S python3 -B
"""Create and read: the cases C of the registry's contract, in both dialects."""
from lib import run
from lib.check import check, empty, err, ok, same, secret, status
from lib.rest import P, V, key_url, path_url
from lib.run import BOTH, case


def put(r, path, key, *values):
    """Store values one after the other; the last answer."""
    for value in values:
        answer = status(r.as_('adm').post(V(path, key), {'secret': value}), r.m(200, 201))
    return answer


def c01_first_write_is_version_1(r):
    answer = r.as_('adm').post(V('c01', 'password'), {'secret': 's1'})
    secret(answer, 'c01', 'password', 1, 's1', r.m(200, 201))
    same(answer.header('Location'), f'{r.base}{V("c01", "password")}/1', 'Location')


def c02_next_write_is_version_2(r):
    put(r, 'c02', 'password', 's1')
    answer = r.as_('adm').post(V('c02', 'password'), {'secret': 's2'})
    secret(answer, 'c02', 'password', 2, 's2', r.m(200, 201))
    same(answer.header('Location'), f'{r.base}{V("c02", "password")}/2', 'Location')


def c03_latest_is_the_newest(r):
    put(r, 'c03', 'password', 's1', 's2')
    answer = secret(r.as_('adm').get(V('c03', 'password') + '/latest'), 'c03', 'password', 2, 's2')
    same(answer.header('ETag'), '"2"', 'ETag')


def c04_older_version_stays(r):
    put(r, 'c04', 'password', 's1', 's2')
    answer = secret(r.as_('adm').get(V('c04', 'password') + '/1'), 'c04', 'password', 1, 's1')
    same(answer.header('ETag'), '"1"', 'ETag')


def c05_list_of_versions(r):
    put(r, 'c05', 'password', 's1', 's2')
    ok(r.as_('adm').get(V('c05', 'password')), [1, 2])


def c06_key_lists_its_secrets_by_version(r):
    put(r, 'c06', 'password', 's1', 's2')
    ok(r.as_('adm').get(key_url('c06', 'password')), [
        {'path': 'c06', 'key': 'password', 'version': 1, 'secret': 's1'},
        {'path': 'c06', 'key': 'password', 'version': 2, 'secret': 's2'}])


def c07_same_value_twice_is_two_versions(r):
    put(r, 'c07', 'password', 'same')
    secret(put(r, 'c07', 'password', 'same'), 'c07', 'password', 2, 'same', r.m(200, 201))
    for version in (1, 2):
        secret(r.as_('adm').get(f'{V("c07", "password")}/{version}'),
               'c07', 'password', version, 'same')


def c08_keys_are_sorted(r):
    for key in ('b', 'a', 'B', 'a-1', 'a.1', 'a_1', 'a0'):
        put(r, 'c08', key, 'v')
    ok(r.as_('adm').get(path_url('c08') + '/keys'), ['B', 'a', 'a-1', 'a.1', 'a0', 'a_1', 'b'])


def c09_path_lists_the_latest_of_each_key(r):
    put(r, 'c09', 'b', 'b1', 'b2')
    put(r, 'c09', 'a', 'a1', 'a2', 'a3')
    ok(r.as_('adm').get(path_url('c09')), [
        {'path': 'c09', 'key': 'a', 'version': 3, 'secret': 'a3'},
        {'path': 'c09', 'key': 'b', 'version': 2, 'secret': 'b2'}])


@case(fresh=True, dialects=BOTH)
def c10_paths_are_sorted(r):
    for path in ('z', 'a'):
        put(r, path, 'k', 'v')
    ok(r.as_('adm').get(P), ['a', 'z'])


@case(fresh=True, dialects=BOTH)
def c11_empty_registry_lists_nothing(r):
    ok(r.as_('adm').get(P), [])


def c12_unknown_path_is_an_empty_list(r):
    ok(r.as_('adm').get(path_url('none')), [])


def c13_keys_of_unknown_path(r):
    ok(r.as_('adm').get(path_url('none') + '/keys'), [])


def c14_unknown_key_is_an_empty_list(r):
    ok(r.as_('adm').get(key_url('none', 'k')), [])


def c15_versions_of_unknown_key(r):
    ok(r.as_('adm').get(V('none', 'k')), [])


def c16_latest_of_unknown_key(r):
    err(r.as_('adm').get(V('none', 'k') + '/latest'), 404)


def c17_version_that_never_was(r):
    put(r, 'c17', 'password', 's1')
    err(r.as_('adm').get(V('c17', 'password') + '/99'), 404)


def c18_trailing_slash_changes_nothing(r):
    put(r, 'c18', 'a', '1', '2')
    put(r, 'c18', 'b', '3')
    forms = [P, path_url('c18'), path_url('c18') + '/keys', key_url('c18', 'a'), V('c18', 'a'),
             V('c18', 'a') + '/latest', V('c18', 'a') + '/1', key_url('c18', 'a') + '/metadata']
    for form in forms:
        plain, slash = r.as_('adm').get(form), r.as_('adm').get(form + '/')
        status(plain, 200)
        status(slash, 200)
        same(slash.body, plain.body, f'{form}/: body')
        same(slash.header('ETag'), plain.header('ETag'), f'{form}/: ETag')
        err(r.as_('adm').get(form + '//'), 404)


def c19_post_with_trailing_slash(r):
    answer = r.as_('adm').post(V('c19', 'password') + '/', {'secret': 's1'})
    secret(answer, 'c19', 'password', 1, 's1', r.m(200, 201))
    same(answer.header('Location'), f'{r.base}{V("c19", "password")}/1', 'Location')


def c20_read_after_write_is_never_stale(r):
    adm, other = r.as_('adm'), r.new('adm')
    for n in range(1, 1001):
        answer = adm.post(V('c20', 'k'), {'secret': f'value {n}'})
        same(answer.status, r.m(200, 201), f'write {n}: status')
        secret((adm, other)[n % 2].get(V('c20', 'k') + '/latest'), 'c20', 'k', n, f'value {n}')
    other.close()


def c21_head_has_no_body(r):
    put(r, 'c21', 'password', 's1', 's2')
    got = r.as_('adm').get(V('c21', 'password') + '/latest')
    answer = empty(r.as_('adm').head(V('c21', 'password') + '/latest'), 200)
    same(answer.header('ETag'), '"2"', 'ETag')
    same(answer.header('Content-Length'), str(len(got.body)), 'Content-Length')
    # Had a body come, the next answer on this connection could not be read.
    secret(r.as_('adm').get(V('c21', 'password') + '/1'), 'c21', 'password', 1, 's1')
    empty(r.as_('adm').head(V('c21', 'none') + '/latest'), 404)


def c22_location_has_the_host_that_was_asked(r):
    answer = r.as_('adm').post(V('c22', 'k'), {'secret': 's'},
                               [('Host', 'registry.example:8443')])
    secret(answer, 'c22', 'k', 1, 's', r.m(200, 201))
    same(answer.header('Location'), f'http://registry.example:8443{V("c22", "k")}/1', 'Location')
    head = f'GET {P} HTTP/1.1\r\nAuthorization: {r.bearer("adm")}\r\nHost: '.encode()
    for host in (b'registry example', b'a\rb', b'a\x00b', b'', b'a/b', b'a@b', b'<a>',
                 b'a:b:c', b'a:99999', b'a\r\nHost: b'):
        same(r.raw(head + host + b'\r\n\r\n', f'Host {host!r}').status, 400, f'Host {host!r}')
    same(r.raw(head.rpartition(b'Host')[0] + b'\r\n').status, 400, 'no Host')


@case(config={'rest.base.url': 'https://secrets.example/base'}, dialects=BOTH)
def c22b_location_has_the_configured_base(r):
    answer = r.as_('adm').post(V('conn-a', 'k'), {'secret': 's'}, [('Host', 'evil.example')])
    same(answer.header('Location'),
         f'https://secrets.example/base{V("conn-a", "k")}/1', 'Location')


@case(config={'rest.create.echo.secret': False}, dialects=BOTH)
def c23_answer_without_the_secret(r):
    answer = r.as_('adm').post(V('conn-a', 'k'), {'secret': 's'})
    ok(answer, {'path': 'conn-a', 'key': 'k', 'version': 1}, r.m(200, 201))
    secret(r.as_('adm').get(V('conn-a', 'k') + '/1'), 'conn-a', 'k', 1, 's')


@case(config={'rest.list.unknown.404': True})
def c24_unknown_names_in_lists_are_404_by_option(r):
    for form in (path_url('none'), path_url('none') + '/keys', key_url('none', 'k'),
                 V('none', 'k')):
        err(r.as_('adm').get(form), 404)
    ok(r.as_('adm').get(P), [])


def c25_location_is_encoded(r):
    path = 'my conn \u00e9?#%'
    answer = r.as_('adm').post(V(path, 'k'), {'secret': 's'})
    secret(answer, path, 'k', 1, 's', r.m(200, 201))
    location = answer.header('Location')
    check(location.startswith(r.base + '/'), 'an absolute Location', location)
    secret(r.as_('adm').get(location.removeprefix(r.base)), path, 'k', 1, 's')


if __name__ == '__main__':
    run.main(globals(), dialects=BOTH)
