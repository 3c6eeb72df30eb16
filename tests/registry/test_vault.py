#!/usr/bin/env -S python3 -B
"""The read-only face of Vault's KV version 2, with the shapes of its API documentation."""
import re
import time

from lib import audit, program, run
from lib.check import check, err, ok, same, status
from lib.harness import MARKER, Registry
from lib.rest import P, V, Client, key_url, path_url
from lib.run import case

CONFIG = {'vault.mount': 'kv'}
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z')
ENVELOPE = ['auth', 'data', 'lease_duration', 'lease_id', 'mount_type', 'renewable', 'request_id',
            'warnings', 'wrap_info']


def vault(r, who, target, *headers):
    """As a client of Vault asks: without Authorization."""
    client = Client(r)
    try:
        token = [('X-Vault-Token', r.tokens[who])] if who else []
        return client.get('/v1/' + target, [*token, *headers])
    finally:
        client.close()


def put(r, path, key, *values, **more):
    for value in values:
        ok(r.as_('adm').post(V(path, key), {'secret': value, **more}))


def unwrap(answer, kind='kv'):
    body = ok(answer).json()
    same(sorted(body), ENVELOPE, 'members')
    same([body[n] for n in ('auth', 'lease_duration', 'lease_id', 'mount_type', 'renewable',
                            'warnings', 'wrap_info')], [None, 0, '', kind, False, None, None],
         'the envelope')
    same(body['request_id'], answer.header('X-Request-Id'), 'request_id')
    return body['data']


def refused(answer, code, *errors):
    status(answer, code)
    same(answer.json(), {'errors': list(errors)}, 'body')


def v01_a_path_is_a_secret_and_its_keys_are_fields(r):
    put(r, 'conn-a', 'user', 'app')
    put(r, 'conn-a', 'password', 'old', MARKER + ' "\u00fc"')
    data = unwrap(vault(r, 'own', 'kv/data/conn-a'))
    same(sorted(data), ['data', 'metadata'], 'members')
    same(data['data'], {'user': 'app', 'password': MARKER + ' "\u00fc"'}, 'data')
    meta = data['metadata']
    check(TIME.fullmatch(meta.pop('created_time')), 'created_time', data['metadata'])
    same(meta, {'custom_metadata': None, 'deletion_time': '', 'destroyed': False, 'version': 2},
         'metadata')
    same(unwrap(vault(r, 'own', 'kv/data/conn-a?version=1'))['data'],
         {'user': 'app', 'password': 'old'}, 'version 1')
    data = unwrap(vault(r, 'own', 'kv/data/conn-a?version=2'))
    same((list(data['data']), data['metadata']['version']), (['password'], 2), 'version 2')
    same(unwrap(vault(r, 'own', 'kv/data/conn-a?version=0'))['metadata']['version'], 2, '0')
    refused(vault(r, 'own', 'kv/data/conn-a?version=3'), 404)
    answer = status(vault(r, 'own', 'kv/data/conn-a?version=x'), 400)
    same(list(answer.json()), ['errors'], 'members')
    # What is deleted is no field any more.
    ok(r.as_('adm').delete(V('conn-a', 'user') + '/1'))
    same(list(unwrap(vault(r, 'own', 'kv/data/conn-a'))['data']), ['password'], 'fields')


def v02_metadata_of_a_path(r):
    put(r, 'meta', 'a', 'one', 'two')
    put(r, 'meta', 'b', 'one', 'two', 'three')
    ok(r.as_('adm').delete(V('meta', 'b') + '/3'))
    answer = vault(r, 'adm', 'kv/metadata/meta')
    check(b'one' not in answer.body, 'no value', answer.body)
    data = unwrap(answer)
    versions = data.pop('versions')
    for name in ('created_time', 'updated_time'):
        check(TIME.fullmatch(data.pop(name)), name)
    same(data, {'cas_required': False, 'current_version': 2, 'custom_metadata': None,
                'delete_version_after': '0s', 'max_versions': 0, 'oldest_version': 1}, 'data')
    same(list(versions), ['1', '2', '3'], 'versions')
    for number, v in versions.items():
        same(sorted(v), ['created_time', 'deletion_time', 'destroyed'], 'members')
        same(bool(TIME.fullmatch(v['deletion_time'])), number == '3', f'deletion of {number}')
        same(v['destroyed'], False, 'destroyed')
    refused(vault(r, 'adm', 'kv/metadata/none'), 404)


def v02b_destroyed_versions_are_listed(r):
    def told(path):
        data = unwrap(vault(r, 'adm', 'kv/metadata/' + path))
        return [data['oldest_version'], data['current_version'],
                {n: [v['destroyed'], bool(v['created_time'])] for n, v in data['versions'].items()}]
    live, gone = [False, True], [True, False]
    put(r, 'gone', 'a', 'one', 'two', 'three')
    for number in (1, 3):
        ok(r.as_('adm').delete(f'{V("gone", "a")}/{number}?destroy=true'))
    same(told('gone'), [1, 2, {'1': gone, '2': live, '3': gone}], 'versions')
    # Another field that has a version of that number.
    put(r, 'gone', 'b', 'one')
    same(told('gone'), [1, 2, {'1': live, '2': live, '3': gone}], 'versions of two fields')
    put(r, 'all', 'a', 'one')
    ok(r.as_('adm').delete(V('all', 'a') + '/1?destroy=true'))
    same(told('all'), [1, 0, {'1': gone}], 'nothing left')
    # A key that keeps only so many has not destroyed what went before.
    put(r, 'pruned', 'a', 'one')
    ok(r.as_('adm').patch(key_url('pruned', 'a') + '/metadata', {'max_versions': 2}))
    put(r, 'pruned', 'a', 'two', 'three', 'four')
    same(told('pruned'), [3, 4, {'3': live, '4': live}], 'versions that are kept')


def v03_who_may_not(r):
    put(r, 'other', 'k', MARKER)
    for answer in (vault(r, None, 'kv/data/other'), vault(r, 'own', 'kv/data/other'),
                   vault(r, 'own', 'kv/data/none'), vault(r, 'dr', 'kv/data/conn-a'),
                   vault(r, None, 'kv/data/other', ('X-Vault-Token', 'ps_wrong')),
                   vault(r, None, 'kv/data/other', ('X-Vault-Token', 'x' * 500)),
                   vault(r, None, 'kv/data/other', ('X-Vault-Token', r.tokens['adm']),
                         ('X-Vault-Token', r.tokens['adm'])),
                   vault(r, 'own', 'kv/metadata/other'), vault(r, None, 'auth/token/lookup-self')):
        refused(answer, 403, 'permission denied')
    refused(vault(r, 'adm', 'kv/data/none'), 404)
    # The mount has one name, and nothing is written or listed here.
    for mount in ('secret', 'sys', 'auth'):
        refused(vault(r, 'adm', f'{mount}/data/other'), 404)
    client = r.new()
    for method in ('POST', 'PUT', 'DELETE', 'PATCH'):
        answer = client.request(method, '/v1/kv/data/other', {'data': {'k': 'x'}},
                                [('X-Vault-Token', r.tokens['adm'])])
        check(answer.status in (404, 405), f'no {method}', answer.status)
    # Elsewhere the header is no login.
    err(client.get(path_url('other'), [('X-Vault-Token', r.tokens['adm'])]), 401)


def v04_health_and_token(r):
    body = ok(vault(r, None, 'sys/health')).json()
    check(abs(body.pop('server_time_utc') - time.time()) < 60, 'server_time_utc')
    same(body, {'initialized': True, 'sealed': False, 'standby': False,
                'performance_standby': False, 'replication_performance_mode': 'disabled',
                'replication_dr_mode': 'disabled', 'version': program.version(),
                'cluster_name': 'secret-registry', 'cluster_id': ''}, 'body')
    status(r.new().head('/v1/sys/health'), 200)
    made = status(r.as_('adm').post('/secret/admin/tokens', {'principal': 'own', 'ttl': 3600}),
                  201).json()
    r.tokens['short'] = made['token']
    answer = vault(r, 'short', 'auth/token/lookup-self')
    check(made['token'].encode() not in answer.body, 'the token is not told again')
    data = unwrap(answer, 'token')
    check(0 < data.pop('ttl') <= 3600, 'ttl')
    created = data.pop('creation_time')
    check(abs(created - time.time()) < 60, 'creation_time', created)
    for name in ('expire_time', 'issue_time'):
        check(TIME.fullmatch(data.pop(name)), name)
    same(data, {'accessor': made['id'], 'creation_ttl': 3600, 'display_name': 'own',
                'entity_id': '', 'explicit_max_ttl': 0, 'id': made['id'], 'meta': None,
                'num_uses': 0, 'orphan': True, 'path': 'auth/token/create',
                'policies': ['default'], 'renewable': False, 'type': 'service'}, 'data')
    data = unwrap(vault(r, 'own', 'auth/token/lookup-self'), 'token')
    same((data['ttl'], data['expire_time']), (0, None), 'a token without end')
    # Who is logged in by another way is told of nobody's token, whatever the header says.
    answer = r.as_('nob').get('/v1/auth/token/lookup-self', [('X-Vault-Token', made['token'])])
    data = unwrap(answer, 'token')
    same((data['display_name'], data['id'], data['ttl']), ('nob', '', 0), 'without a token')


@case(config=CONFIG)
def v05_it_is_on_record(r):
    put(r, 'conn-a', 'a', MARKER)
    put(r, 'conn-a', 'b', 'x', 'y')
    ok(vault(r, 'own', 'kv/data/conn-a', ('X-Request-Id', 'v05')))
    refused(vault(r, 'nob', 'kv/data/conn-a', ('X-Request-Id', 'v05-denied')), 403,
            'permission denied')
    lines = audit.of_request(r, 'v05')
    same([audit.phase(line) for line in lines], ['intent', 'outcome'], 'phases')
    same({audit.method(line) for line in lines}, {'GetVaultSecret'}, 'methodName')
    same(audit.data(lines[1], 'result', 'message'), 'gives a@1 b@2', 'what was given')
    check(MARKER not in str(lines) and r.tokens['own'] not in str(lines), 'no value', lines)
    same(audit.granted(audit.of_request(r, 'v05-denied')[0]), False, 'granted')


def v06_off_unless_it_is_set():
    r = Registry().start()
    put(r, 'conn-a', 'k', 'v')
    for target in ('sys/health', 'kv/data/conn-a', 'secret/data/conn-a', '/data/conn-a',
                   'auth/token/lookup-self'):
        answer = vault(r, 'adm', target)
        err(answer, 404)
    document = ok(r.as_(None).get('/openapi.json')).json()
    check(not any(path.startswith('/v1') for path in document['paths']), 'not in the document')
    ok(r.as_('adm').get(P), ['conn-a'])


if __name__ == '__main__':
    run.main(globals(), config=CONFIG)
