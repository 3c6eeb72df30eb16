#!/usr/bin/env -S python3 -B
"""Names and URLs: the cases N of the registry's contract."""
from urllib.parse import quote

from lib import run
from lib.check import check, err, ok, same, secret, status
from lib.rest import P, V, Closed, build, key_url, path_url
from lib.run import BOTH, case


def put(r, path, key, value='v'):
    return status(r.as_('adm').post(V(path, key), {'secret': value}), r.m(200, 201))


def names(r):
    return ok(r.as_('adm').get(P)).json()


def key_refused(r, key):
    """In every place where a key can stand."""
    adm = r.as_('adm')
    err(adm.post(V('refused', key), {'secret': 'v'}), 422)
    for target in (key_url('refused', key), V('refused', key), V('refused', key) + '/latest',
                   V('refused', key) + '/1'):
        err(adm.get(target), 422)
    for target in (key_url('refused', key), V('refused', key) + '/1'):
        err(adm.delete(target), 422)
    check('refused' not in names(r), 'nothing stored')


def path_refused(r, path):
    adm = r.as_('adm')
    before = names(r)
    err(adm.post(V(path, 'k'), {'secret': 'v'}), 422)
    for target in (path_url(path), path_url(path) + '/keys', key_url(path, 'k'), V(path, 'k'),
                   V(path, 'k') + '/latest'):
        err(adm.get(target), 422)
    for target in (path_url(path), key_url(path, 'k'), V(path, 'k') + '/1'):
        err(adm.delete(target), 422)
    same(names(r), before, 'paths afterwards')


def bad_url(r, segment, codes=(400,)):
    """A raw segment that no URL may hold, in place of path, key and version."""
    before = names(r)
    for method, target, body in (
            ('GET', f'{P}/{segment}', None), ('DELETE', f'{P}/{segment}', None),
            ('POST', f'{P}/{segment}/keys/k/versions', {'secret': 'v'}),
            ('POST', f'{P}/bad-url/keys/{segment}/versions', {'secret': 'v'}),
            ('GET', f'{P}/bad-url/keys/{segment}', None),
            ('GET', f'{P}/bad-url/keys/k/versions/{segment}', None),
            ('DELETE', f'{P}/bad-url/keys/k/versions/{segment}', None)):
        err(r.as_('adm').request(method, target, body), *codes)
    same(names(r), before, 'paths afterwards')


def n01_key_begins_with_a_digit(r):
    for key in ('1abc', '1', '0'):
        key_refused(r, key)


def n02_key_begins_with_another_character(r):
    for key in ('_abc', '-a', ' a', '$a'):
        key_refused(r, key)


def n03_keys_that_are_fine(r):
    for key in ('A', 'z.9_-x', 'a', 'Z', 'a..', 'a-', 'a_'):
        secret(put(r, 'n03', key), 'n03', key, 1, 'v', r.m(200, 201))
        secret(r.as_('adm').get(V('n03', key) + '/latest'), 'n03', key, 1, 'v')


def n04_key_beyond_ascii(r):
    for key in ('\u00e9', 'a\u00e9', 'a b', 'a:b', 'a$', 'a@b', 'a,b', 'a}', 'a+b', '\u212aelvin'):
        key_refused(r, key)


def n05_length_of_a_key(r):
    put(r, 'n05', 'k' * 255)
    secret(r.as_('adm').get(V('n05', 'k' * 255) + '/latest'), 'n05', 'k' * 255, 1, 'v')
    key_refused(r, 'k' * 256)


def n06_keys_named_like_parts_of_the_url(r):
    for key in ('latest', 'keys', 'versions', 'metadata', 'paths', 'secret'):
        secret(put(r, 'n06', key), 'n06', key, 1, 'v', r.m(200, 201))
        secret(r.as_('adm').get(V('n06', key) + '/latest'), 'n06', key, 1, 'v')
    ok(r.as_('adm').get(path_url('n06') + '/keys'),
       ['keys', 'latest', 'metadata', 'paths', 'secret', 'versions'])


def n07_paths_named_like_parts_of_the_url(r):
    for path in ('keys', 'paths', 'versions', 'latest', 'metadata', 'secret', 'admin'):
        secret(put(r, path, 'k'), path, 'k', 1, 'v', r.m(200, 201))
        secret(r.as_('adm').get(V(path, 'k') + '/latest'), path, 'k', 1, 'v')
        check(path in names(r), f'{path} in the list of paths')
        ok(r.as_('adm').get(path_url(path) + '/keys'), ['k'])


def n08_blank_in_a_path(r):
    answer = put(r, 'my conn', 'k')
    check('/paths/my%20conn/keys/' in answer.header('Location'), 'my%20conn in Location',
          answer.header('Location'))
    check('my conn' in names(r), '"my conn" in the list of paths', names(r))
    check('my+conn' not in names(r), 'no "my+conn"')
    ok(r.as_('adm').get(P + '/my+conn/keys'), [])


def n09_dotted_path(r):
    path = 'dev.users.postgres.jdbc-sink-connector'
    secret(put(r, path, 'pg.user'), path, 'pg.user', 1, 'v', r.m(200, 201))
    ok(r.as_('adm').get(path_url(path) + '/keys'), ['pg.user'])


def n10_encoded_slash(r):
    put(r, 'n10', 'k')
    for segment in ('n10%2Fb', 'n10%2fkeys', '%2f', 'n10%2F', '%2Fn10', 'n10%5Cb%2f'):
        bad_url(r, segment)
    secret(r.as_('adm').get(V('n10', 'k') + '/latest'), 'n10', 'k', 1, 'v')
    err(r.as_('nob').get(P + '/n10%2Fb'), 400)


@case(fresh=True, dialects=BOTH)
def n11_encoded_slashes_do_not_reach_another_path(r):
    put(r, 'conn-a', 'password')
    put(r, 'other', 'k')
    own = r.as_('own')
    for segment in ('conn-a%2fkeys%2fpassword', 'conn-a%2f..%2fother', 'conn-a%2F%2E%2E%2Fother'):
        err(own.get(f'{P}/{segment}'), 400)
        err(own.delete(f'{P}/{segment}'), 400)
    same(names(r), ['conn-a', 'other'], 'paths afterwards')


@case(fresh=True, dialects=BOTH)
def n12_star_as_path(r):
    put(r, 'conn-a', 'k')
    put(r, 'other', 'k')
    for star in ('*', '%2A', '%2a'):
        err(r.as_('adm').get(f'{P}/{star}'), 422)
        err(r.as_('adm').delete(f'{P}/{star}'), 422)
    path_refused(r, '*')
    path_refused(r, 'a*')
    same(names(r), ['conn-a', 'other'], 'paths afterwards')


def n13_star_as_key(r):
    put(r, 'n13', 'k')
    for star in ('*', '%2A'):
        err(r.as_('adm').get(f'{path_url("n13")}/keys/{star}'), 422)
        err(r.as_('adm').delete(f'{path_url("n13")}/keys/{star}'), 422)
    key_refused(r, '*')
    ok(r.as_('adm').get(V('n13', 'k')), [1])


def n14_star_as_version(r):
    put(r, 'n14', 'k')
    for star in ('*', '%2A'):
        err(r.as_('adm').get(f'{V("n14", "k")}/{star}'), r.m(422, 403))
        err(r.as_('adm').delete(f'{V("n14", "k")}/{star}'), r.m(422, 403))
    ok(r.as_('adm').get(V('n14', 'k')), [1])


def n15_paths_that_no_reference_could_name(r):
    for path in ('a:b', 'a}b', ':', '}', ' a', 'a ', ' '):
        path_refused(r, path)


def n16_escapes_that_are_refused(r):
    for segment in ('%00', '%0a', '%zz', '%ff', '%', 'a%', 'a%4', '%0d', 'a%09b', '%7f', '%1f',
                    '%c0%af', '%ed%a0%80', '%f4%90%80%80', '%c3', '%e2%82', '%u0041'):
        bad_url(r, segment)


def n17_dots_never_lead_elsewhere(r):
    put(r, 'n17', 'k', 'of-n17')
    auth = [('Authorization', r.bearer('adm'))]
    for target in (f'{P}/../paths/n17', f'{P}/%2e%2e/x', f'{P}/./n17', f'{P}/x/../n17',
                   f'{P}/%2e/n17', f'{P}/n17/keys/../keys/k', f'{P}/%2E%2e/paths/n17',
                   '/secret/./paths', '/../secret/paths', f'{P}/.', f'{P}/..',
                   f'{P}/..%2fpaths/n17', f'{P}/n17/keys/k/versions/../versions/1'):
        answer = r.raw(build('GET', target, r.host, auth), f'GET {target}')
        err(answer, 400, 404)
        err(r.raw(build('DELETE', target, r.host, auth), f'DELETE {target}'), 400, 404)
    secret(r.as_('adm').get(V('n17', 'k') + '/1'), 'n17', 'k', 1, 'of-n17')


def n18_empty_segments(r):
    put(r, 'n18', 'k')
    for target in (f'{P}//keys', f'{P}//n18', '//secret/paths', '/secret//paths', f'{P}/n18//keys',
                   f'{P}/n18/keys//k', f'{V("n18", "k")}//latest', f'{P}//'):
        err(r.as_('adm').get(target), 404)


def n19_literal_segments_count_by_case(r):
    put(r, 'n19', 'k')
    for target in ('/SECRET/paths', '/secret/PATHS', '/Secret/Paths', f'{P}/n19/KEYS',
                   f'{P}/n19/keys/k/Versions', '/secret', '/secret/path', '/secrets/paths'):
        ours = (target + '/').startswith('/secret/')
        err(r.as_('adm').get(target), r.m(404, 403) if ours else 404)


BAD_VERSIONS = ('0', '-1', '%2B1', '+1', '01', '1.0', 'abc', 'Latest', '2147483648', 'LATEST',
                '1e0', '0x1', '%20', '1%20', '99999999999999999999', '4294967297', '%D9%A1', '00')


def n20_version_numbers(r):
    put(r, 'n20', 'k')
    for version in BAD_VERSIONS:
        err(r.as_('adm').get(f'{V("n20", "k")}/{version}'), r.m(422, 403))
        err(r.as_('adm').delete(f'{V("n20", "k")}/{version}'), r.m(422, 403))
    err(r.as_('adm').get(f'{V("n20", "k")}/2147483647'), 404)
    ok(r.as_('adm').get(V('n20', 'k')), [1])


def n21_url_of_64_kib(r):
    auth = [('Authorization', r.bearer('adm'))]
    for target in (f'{P}/{"a" * 65536}', '/' + 'a/' * 32768, f'{P}?{"x" * 65536}',
                   f'{P}/{"%61" * 21845}'):
        try:
            answer = r.raw(build('GET', target, r.host, auth), 'GET of a long URL')
        except (Closed, ConnectionError) as e:
            raise AssertionError(f'no answer to a long URL: {e}') from None
        status(answer, 400, 414)
    for long in ('a' * 249, '\u00e9' * 124 + 'a'):
        put(r, long, 'k')
        check(long in names(r), 'a path of 249 bytes')
    for long in ('a' * 250, '\u00e9' * 125):
        path_refused(r, long)
    same(r.ready(), 200, '/health/ready')


def allows(answer, *methods):
    err(answer, 405)
    allow = {m.strip() for m in (answer.header('Allow') or '').split(',')}
    for method in methods:
        check(method in allow, f'{method} in Allow', answer.header('Allow'))
    return allow


def n22_method_that_a_path_does_not_have(r):
    for method in ('PUT', 'POST', 'PATCH', 'TRACE', 'BREW'):
        answer = r.as_('adm').request(method, path_url('conn-a'),
                                      {} if method in ('PUT', 'POST', 'PATCH') else None)
        allow = allows(answer, 'GET', 'DELETE')
        check(method not in allow, f'no {method} in Allow', answer.header('Allow'))


def n23_method_that_a_key_does_not_have(r):
    allow = allows(r.as_('adm').post(key_url('conn-a', 'k'), {'secret': 'v'}), 'GET', 'DELETE')
    check('POST' not in allow, 'no POST in Allow', allow)
    allows(r.as_('adm').delete(V('conn-a', 'k')), 'GET', 'POST')
    allows(r.as_('adm').post(V('conn-a', 'k') + '/1', {'secret': 'v'}), 'GET', 'DELETE')
    allows(r.as_('adm').delete(path_url('conn-a') + '/keys'), 'GET')
    allows(r.as_('adm').delete(P), 'GET')
    allows(r.as_('adm').post(P, {}), 'GET')


def n24_routes_that_do_not_exist(r):
    put(r, 'n24', 'k')
    for target in (f'{P}/n24/other', f'{P}/n24/keys/k/other', f'{V("n24", "k")}/1/other',
                   f'{P}/n24/keys/k/versions/1/2', '/secret/other',
                   f'{P}/n24/keys/k/versions/1/undelete/x'):
        err(r.as_('adm').get(target), r.m(404, 403))
    for target in ('/x', '/admin', '/secre', '/x/y/z'):
        err(r.as_('adm').get(target), 404)


def n25_unicode_forms_are_different_names(r):
    composed, apart = 'n25-\u00e9', 'n25-e\u0301'
    put(r, composed, 'k', 'composed')
    put(r, apart, 'k', 'apart')
    check({composed, apart} <= set(names(r)), 'both in the list of paths')
    secret(r.as_('adm').get(V(composed, 'k') + '/1'), composed, 'k', 1, 'composed')
    secret(r.as_('adm').get(V(apart, 'k') + '/1'), apart, 'k', 1, 'apart')


def n26_decoded_once(r):
    answer = r.as_('adm').post(f'{P}/n26-%2561/keys/k/versions', {'secret': 'v'})
    secret(answer, 'n26-%61', 'k', 1, 'v', r.m(200, 201))
    check('n26-%61' in names(r), 'the path n26-%61', names(r))
    check('n26-a' not in names(r), 'no path n26-a', names(r))
    check(f'{P}/n26-%2561/' in answer.header('Location'), 'an encoded Location',
          answer.header('Location'))
    ok(r.as_('adm').get(f'{P}/n26-a'), [])
    same(quote('n26-%61'), 'n26-%2561', 'own quoting')


def n27_query_does_not_matter(r):
    put(r, 'n27', 'k')
    for query in ('?', '?x=1', '?version=2', '?a=/../b', '?%zz', '?path=other&key=x'):
        secret(r.as_('adm').get(V('n27', 'k') + '/1' + query), 'n27', 'k', 1, 'v')


def n28_encoded_letters_are_the_same_name(r):
    put(r, 'n28', 'k')
    for target in ('/%73ecret/paths', f'{P}/n28/%6Beys/k'):
        status(r.as_('adm').get(target), 200, 404)
    secret(r.as_('adm').get(f'{P}/%6e28/keys/%6B/versions/%31'), 'n28', 'k', 1, 'v')


if __name__ == '__main__':
    run.main(globals(), dialects=BOTH)
