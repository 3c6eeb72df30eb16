#!/usr/bin/env -S python3 -B
"""What mredjem's own tests ask for, in that dialect: the cases M of the
registry's contract."""
from lib import jwt, program, run, harness
from lib.check import check, empty, err, ok, same, secret, status
from lib.harness import basic
from lib.rest import P, V, key_url, path_url

PATH = 'dev.users.postgres.jdbc-sink-connector'


class World:
    """One registry with the principals of those tests: sp (a token of an
    issuer), ci (an API key), org (an organization's admin)."""

    registry = None

    @classmethod
    def get(cls):
        if not cls.registry or not cls.registry.running():
            cls.key = jwt.Rsa()
            jwks = harness.write(harness.scratch('jwks') + '/jwks.json', jwt.key_set(cls.key))
            r = harness.Registry({'auth.jwt.jwks.file': jwks, 'auth.jwt.audience': 'registry',
                                  'auth.jwt.issuer': 'https://issuer.test'}, 'mredjem')
            for role, name, where in (
                    ('DeveloperWrite', 'sp', {'path': 'my_datagen_connector'}),
                    ('ConnectManager', 'sp', {'path': 'my_mirror_connector'}),
                    ('Operator', 'sp', {}),
                    ('ConnectManager', 'ci', {'path': 'my_mirror_connector'}),
                    ('SystemAdmin', 'org', {})):
                program.role('grant', r.data, role, name, **where)
            program.user_add(r.data, 'ci', 'api-secret')
            r.tokens['org'] = program.token_create(r.data, 'org')[1]
            r.kept = True
            cls.registry = r.start()
        return cls.registry


def as_(name):
    r = World.get()
    if name == 'sp':
        return r.with_header('Bearer ' + jwt.token(World.key, jwt.claims('sp')))
    if name == 'ci':
        return r.with_header(basic('ci', 'api-secret'))
    return r.as_(name)


def put(path, key, *values):
    for n, value in enumerate(values):
        answer = as_('org').post(V(path, key), {'secret': value})
        secret(answer, path, key, answer.json()['version'], value, 201)
    return answer


def m01_none_lists_paths():
    answer = err(as_(None).get(P), 401)
    check(answer.header('WWW-Authenticate'), 'WWW-Authenticate')


def m03_unknown_api_key():
    err(World.get().with_header(basic('unknown', 'key')).get(P), 403)


def m04_root_needs_no_login():
    status(as_(None).get('/'), 200)


def m05_plugins_need_no_login():
    for target in ('/connector-plugins', '/connector-plugins/'):
        status(as_(None).get(target), 200)


def m06_health_needs_no_login():
    status(as_(None).get('/health'), 200)


def m07_unknown_route_without_login():
    err(as_(None).get('/v1/metadata/id'), 404)


def m09_service_principal_lists_paths():
    ok(as_('sp').get(P))


def m18_api_key_lists_paths():
    ok(as_('ci').get(P))


def m22_unregistered_resource():
    answer = err(as_('sp').get(P + '/my_datagen_connector/configuration/'), 403)
    check('Resource being accessed is unregistered' in answer.json()['message'],
          '"Resource being accessed is unregistered"', answer.body)


def m25_first_secret():
    secret(as_('org').post(V(PATH, 'pg.user'), {'secret': 'admin'}), PATH, 'pg.user', 1, 'admin',
           201)


def m26_second_key():
    secret(as_('org').post(V(PATH, 'pg.password'), {'secret': 'password'}), PATH, 'pg.password', 1,
           'password', 201)


def m27_the_path_is_listed():
    put(PATH + '.27', 'pg.user', 'admin')
    check(PATH + '.27' in ok(as_('org').get(P)).json(), 'the path in the list')


def m28_two_keys():
    put(PATH + '.28', 'pg.user', 'admin')
    put(PATH + '.28', 'pg.password', 'password')
    ok(as_('org').get(path_url(PATH + '.28') + '/keys'), ['pg.password', 'pg.user'])


def m29_two_versions():
    for version, value in ((1, 'admin1'), (2, 'admin2')):
        answer = as_('org').post(V(PATH, 'oracle.user'), {'secret': value})
        secret(answer, PATH, 'oracle.user', version, value, 201)


def m30_their_list():
    put(PATH, 'oracle.30', 'admin1', 'admin2')
    ok(as_('org').get(V(PATH, 'oracle.30')), [1, 2])


def m31_the_latest():
    put(PATH, 'oracle.31', 'admin1', 'admin2')
    secret(as_('org').get(V(PATH, 'oracle.31') + '/latest'), PATH, 'oracle.31', 2, 'admin2')


def m32_path_shows_the_latest():
    put(PATH + '.32', 'storage.account', 'app1', 'app2')
    ok(as_('org').get(path_url(PATH + '.32')), [
        {'path': PATH + '.32', 'key': 'storage.account', 'version': 2, 'secret': 'app2'}])


def m33_key_shows_all_versions():
    put(PATH, 'storage.33', 'app1', 'app2')
    ok(as_('org').get(key_url(PATH, 'storage.33')), [
        {'path': PATH, 'key': 'storage.33', 'version': 1, 'secret': 'app1'},
        {'path': PATH, 'key': 'storage.33', 'version': 2, 'secret': 'app2'}])


def m34_delete_a_version():
    put(PATH, 'mssql.34', 'a', 'b', 'c')
    empty(as_('org').delete(V(PATH, 'mssql.34') + '/1'), 204)


def m35_it_is_gone_at_once():
    put(PATH, 'mssql.35', 'a', 'b', 'c')
    empty(as_('org').delete(V(PATH, 'mssql.35') + '/1'), 204)
    err(as_('org').get(V(PATH, 'mssql.35') + '/1'), 404)


def m36_the_others_stay():
    put(PATH, 'mssql.36', 'a', 'b', 'c')
    empty(as_('org').delete(V(PATH, 'mssql.36') + '/1'), 204)
    ok(as_('org').get(V(PATH, 'mssql.36')), [2, 3])


def m37_delete_key_and_path():
    put(PATH + '.37', 'k', 'a', 'b')
    empty(as_('org').delete(key_url(PATH + '.37', 'k')), 204)
    empty(as_('org').delete(path_url(PATH + '.37')), 204)
    check(PATH + '.37' not in ok(as_('org').get(P)).json(), 'the path is gone')


def m38_only_version_deleted():
    put(PATH + '.38', 'k', 'a')
    empty(as_('org').delete(V(PATH + '.38', 'k') + '/1'), 204)
    ok(as_('org').get(V(PATH + '.38', 'k')), [])


def m39_location():
    r = World.get()
    answer = r.as_('org').post(V(PATH, 'loc'), {'secret': 'a'}, [('Host', 'localhost:8080')])
    same(answer.header('Location'),
         f'http://localhost:8080/secret/paths/{PATH}/keys/loc/versions/1', 'Location')


def m40_error_of_a_config_shows_no_value():
    put('prd-connector', 'tasks.max', '-1')
    for verb in ('validate', 'resolve'):
        answer = as_('org').post(f'/secret/connectors/prd-connector/{verb}', {
            'name': 'prd-connector', 'tasks.max': '${secret:prd-connector:tasks.max}',
            'x': '${secret:prd-connector:missing}'})
        err(answer, 400)
        check('-1' not in answer.json()['message'], 'no value in the error', answer.body)


def m41_rights_of_their_principals():
    put('my_mirror_connector', 'k', 'a')
    put('my_datagen_connector', 'k', 'a')
    for name in ('sp', 'ci'):
        secret(as_(name).get(V('my_mirror_connector', 'k') + '/latest'),
               'my_mirror_connector', 'k', 1, 'a')
        err(as_(name).get(V('my_datagen_connector', 'k') + '/latest'), 403)
        err(as_(name).post(V('my_mirror_connector', 'k'), {'secret': 'b'}), 403)
        err(as_(name).delete(V('my_mirror_connector', 'k') + '/1'), 403)
    ok(as_('ci').get(P), ['my_mirror_connector'])


if __name__ == '__main__':
    run.main(globals())
