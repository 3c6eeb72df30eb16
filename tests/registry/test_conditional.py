#!/usr/bin/env -S python3 -B
"""Check-and-set, idempotency, conditional requests: the cases K of the
registry's contract, and the headers of section 3.6 (H)."""
import json
import os
import re
import time

from lib import audit, run, store
from lib.check import check, empty, err, fail, ok, same, secret, status
from lib.rest import P, V, build, in_parallel, key_url, path_url
from lib.run import BOTH, case


def post(r, path, body, *headers, who='adm'):
    return r.as_(who).post(V(path, 'k'), body, headers)


def put(r, path, count=1):
    for n in range(count):
        status(post(r, path, {'secret': f'value {n + 1}'}), r.m(200, 201))


def created(r, answer, path, version, value):
    return secret(answer, path, 'k', version, value, r.m(200, 201))


def versions(r, path, expected):
    ok(r.as_('adm').get(V(path, 'k')), expected)


def k01_cas_0_on_a_new_key(r):
    created(r, post(r, 'k01', {'secret': 'a', 'cas': 0}), 'k01', 1, 'a')


def k02_cas_0_on_a_key_that_exists(r):
    put(r, 'k02')
    message = err(post(r, 'k02', {'secret': 'b', 'cas': 0}), 409).json()['message']
    check('0' in message and '1' in message, 'both numbers in the message', message)
    versions(r, 'k02', [1])


def k03_cas_of_the_current_version(r):
    put(r, 'k03')
    created(r, post(r, 'k03', {'secret': 'b', 'cas': 1}), 'k03', 2, 'b')


def k04_cas_that_is_past(r):
    put(r, 'k04', 2)
    message = err(post(r, 'k04', {'secret': 'c', 'cas': 1}), 409).json()['message']
    check('1' in message and '2' in message, 'both numbers in the message', message)
    err(post(r, 'k04', {'secret': 'c', 'cas': 3}), 409)
    versions(r, 'k04', [1, 2])


def k05_one_of_fifty_wins(r):
    put(r, 'k05', 2)

    def write(i):
        client = r.new('adm')
        try:
            return client.post(V('k05', 'k'), {'secret': f'of {i}', 'cas': 2})
        finally:
            client.close()
    answers = in_parallel(50, write)
    won = [a for a in answers if a.status == r.m(200, 201)]
    same(len(won), 1, 'winners')
    for answer in answers:
        if answer is not won[0]:
            err(answer, 409)
    versions(r, 'k05', [1, 2, 3])
    secret(r.as_('adm').get(V('k05', 'k') + '/latest'), 'k05', 'k', 3, won[0].json()['secret'])


def k06_cas_0_after_all_were_deleted(r):
    put(r, 'k06', 2)
    status(r.as_('adm').delete(key_url('k06', 'k')), r.m(200, 204))
    err(post(r, 'k06', {'secret': 'a', 'cas': 2}), 409)
    created(r, post(r, 'k06', {'secret': 'a', 'cas': 0}), 'k06', 3, 'a')
    # What counts is the highest live version.
    put(r, 'k06')
    status(r.as_('adm').delete(V('k06', 'k') + '/4'), r.m(200, 204))
    created(r, post(r, 'k06', {'secret': 'b', 'cas': 3}), 'k06', 5, 'b')


def k07_cas_that_is_no_number(r):
    for cas in (-1, '1', 1.5, '0', True, [], {}, 2 ** 31, 1e300):
        err(post(r, 'k07', {'secret': 'a', 'cas': cas}), 422)
    err(post(r, 'k07', b'{"secret":"a","cas":0.0}'), 422)
    err(post(r, 'k07', b'{"secret":"a","cas":1e0}'), 422)
    versions(r, 'k07', [])


def k08_conditions_of_a_write(r):
    put(r, 'k08', 2)
    created(r, post(r, 'k08', {'secret': 'c'}, ('If-Match', '"2"')), 'k08', 3, 'c')
    for name, value in (('If-Match', '"2"'), ('If-Match', '"4"'), ('If-Match', '"x"'),
                        ('If-Match', 'W/"3"'), ('If-None-Match', '*')):
        err(post(r, 'k08', {'secret': 'd'}, (name, value)), 412)
    err(r.as_('adm').post(V('k08', 'other'), {'secret': 'd'}, [('If-Match', '"1"')]), 412)
    err(r.as_('adm').post(V('k08', 'other'), {'secret': 'd'}, [('If-Match', '*')]), 412)
    ok(r.as_('adm').get(V('k08', 'other')), [])
    versions(r, 'k08', [1, 2, 3])
    status(r.as_('adm').post(V('k08', 'new'), {'secret': 'd'}, [('If-None-Match', '*')]),
           r.m(200, 201))
    created(r, post(r, 'k08', {'secret': 'd'}, ('If-Match', '*')), 'k08', 4, 'd')


@case(fresh=True, dialects=BOTH)
def k09_repeated_idempotency_key(r):
    key = ('Idempotency-Key', 'b8c7d9e0-first')
    first = created(r, post(r, 'k09', {'secret': 'a'}, key), 'k09', 1, 'a')
    again = created(r, post(r, 'k09', {'secret': 'a'}, key), 'k09', 1, 'a')
    same(again.header('Location'), first.header('Location'), 'Location')
    put(r, 'k09')
    created(r, post(r, 'k09', {'secret': 'a'}, key), 'k09', 1, 'a')
    r.restart()
    created(r, post(r, 'k09', {'secret': 'a'}, key), 'k09', 1, 'a')
    r.kill()
    r.start()
    created(r, post(r, 'k09', {'secret': 'a'}, key), 'k09', 1, 'a')
    versions(r, 'k09', [1, 2])
    # It is of one caller and one secret.
    created(r, post(r, 'k09-other', {'secret': 'a'}, key), 'k09-other', 1, 'a')
    created(r, post(r, 'k09', {'secret': 'a'}, key, who='ua'), 'k09', 3, 'a')
    created(r, post(r, 'k09', {'secret': 'a'}, ('Idempotency-Key', 'b8c7d9e0-second')),
            'k09', 4, 'a')
    r.stop()
    made = [name for name in store.secrets(r.data) if name[0] == 'k09']
    same(len(made), 4, 'records')


def k09b_many_at_once_with_one_idempotency_key(r):
    def write(_):
        client = r.new('adm')
        try:
            return client.post(V('k09b', 'k'), {'secret': 'same'}, [('Idempotency-Key', 'one')])
        finally:
            client.close()
    for answer in in_parallel(20, write):
        created(r, answer, 'k09b', 1, 'same')
    versions(r, 'k09b', [1])


def k10_idempotency_key_with_another_body(r):
    key = ('Idempotency-Key', 'k10')
    created(r, post(r, 'k10', {'secret': 'a'}, key), 'k10', 1, 'a')
    err(post(r, 'k10', {'secret': 'b'}, key), 422)
    err(post(r, 'k10', {'secret': ''}, key), 422)
    versions(r, 'k10', [1])
    created(r, post(r, 'k10', {'secret': 'a'}, key), 'k10', 1, 'a')


def k11_conditional_read(r):
    put(r, 'k11', 2)
    adm, latest = r.as_('adm'), V('k11', 'k') + '/latest'
    answer = empty(adm.get(latest, [('If-None-Match', '"2"')]), 304)
    same(answer.header('ETag'), '"2"', 'ETag')
    for value in ('"1", "2"', 'W/"2"', '*', '"x","2"'):
        empty(adm.get(latest, [('If-None-Match', value)]), 304)
    for value in ('"1"', '"22"', '2', '"3"', ''):
        secret(adm.get(latest, [('If-None-Match', value)]), 'k11', 'k', 2, 'value 2')
    empty(adm.get(V('k11', 'k') + '/1', [('If-None-Match', '"1"')]), 304)
    err(adm.get(V('k11', 'k') + '/9', [('If-None-Match', '"9"')]), 404)
    err(r.as_('dr').get(latest, [('If-None-Match', '"2"')]), 403)
    empty(adm.head(latest, [('If-None-Match', '"2"')]), 304)


def k12_cas_that_is_required(r):
    put(r, 'k12')
    status(r.as_('adm').patch(key_url('k12', 'k') + '/metadata', {'cas_required': True}), 200)
    err(post(r, 'k12', {'secret': 'b'}), 422)
    versions(r, 'k12', [1])
    created(r, post(r, 'k12', {'secret': 'b', 'cas': 1}), 'k12', 2, 'b')
    err(post(r, 'k12', {'secret': 'b', 'cas': 1}), 409)
    status(r.as_('adm').patch(key_url('k12', 'k') + '/metadata', {'cas_required': False}), 200)
    created(r, post(r, 'k12', {'secret': 'c'}), 'k12', 3, 'c')


@case(fresh=True, dialects=('confluent',))
def k13_idempotency_key_does_not_show_in_the_audit(r):
    ok(post(r, 'k13', {'secret': 'a'}, ('Idempotency-Key', 'key-not-to-be-seen')))
    r.stop()
    check(b'key-not-to-be-seen' not in audit.text(r), 'its HMAC alone in the audit')
    check(b'"idempotency":"hmac-sha256:' in audit.text(r), 'its HMAC in the audit')
    check('key-not-to-be-seen' not in repr(store.rows(r.data)), 'its HMAC alone in the store')


# --- headers ---

GETS = [P, '{path}', '{path}/keys', '{key}', '{key}/versions', '{key}/versions/latest',
        '{key}/versions/1', '{key}/metadata', '{path}/metadata', '/secret/search',
        '/health/live', '/health/ready', '/health/read', '/health/write', '/metrics',
        '/openapi.json', '/secret/admin/rotation']


def target_of(form, path):
    return form.format(path=path_url(path), key=key_url(path, 'k'))


def h01_head_of_every_get(r):
    put(r, 'h01')
    for form in GETS:
        target = target_of(form, 'h01')
        got = status(r.as_('adm').get(target), 200)
        head = empty(r.as_('adm').head(target), 200)
        for name in ('Content-Type', 'ETag', 'Cache-Control', 'Link'):
            same(head.header(name), got.header(name), f'HEAD {target}: {name}')
        if form not in ('/metrics', '/openapi.json'):
            same(head.header('Content-Length'), str(len(got.body)), f'HEAD {target}: length')


def h02_options(r):
    for form in GETS:
        target = target_of(form, 'h02')
        answer = empty(r.as_('adm').request('OPTIONS', target), 204)
        allow = {m.strip() for m in (answer.header('Allow') or '').split(',')}
        check({'GET', 'HEAD', 'OPTIONS'} <= allow, f'GET, HEAD, OPTIONS allowed at {target}', allow)
    allow = r.as_('adm').request('OPTIONS', V('h02', 'k')).header('Allow')
    check('POST' in allow, 'POST in Allow', allow)
    err(r.as_('adm').request('OPTIONS', '/secret/nothing'), r.m(404, 403))


def h03_request_id(r):
    for given in ('a', 'A-z_0.9', 'x' * 64):
        answer = r.as_('adm').get(P, [('X-Request-Id', given)])
        same(answer.header('X-Request-Id'), given, 'X-Request-Id')
        answer = r.as_(None).get(P, [('X-Request-Id', given)])
        same(answer.header('X-Request-Id'), given, 'X-Request-Id of a 401')
    seen = set()
    for given in ('', 'x' * 65, 'a b', 'a"b', 'a/b', '\u00e9', None):
        answer = r.as_('adm').get(P, [('X-Request-Id', given)] if given is not None else [])
        made = answer.header('X-Request-Id')
        check(made and made != given and re.fullmatch('[A-Za-z0-9._-]{1,64}', made),
              f'another id than {given!r}', made)
        seen.add(made)
    same(len(seen), 7, 'different ids')


def h04_refusals_below_the_interface_have_the_headers_too(r):
    auth = f'Authorization: {r.bearer("adm")}\r\n'
    host = f'Host: {r.host}\r\n'
    requests = {
        'no Host': f'GET {P} HTTP/1.1\r\n{auth}\r\n',
        'long URL': f'GET {P}/{"a" * 20000} HTTP/1.1\r\n{host}{auth}\r\n',
        'large headers': f'GET {P} HTTP/1.1\r\n{host}{auth}X: {"a" * 40000}\r\n\r\n',
        'two lengths': f'POST {V("a", "k")} HTTP/1.1\r\n{host}{auth}Content-Length: 1\r\n'
                       'Content-Length: 2\r\n\r\na',
        'large body': f'POST {V("a", "k")} HTTP/1.1\r\n{host}{auth}'
                      'Content-Length: 99999999999\r\n\r\n',
        'not HTTP': 'hello\r\n\r\n',
        'no target': 'GET\r\n\r\n',
        'folded header': f'GET {P} HTTP/1.1\r\n{host}X: a\r\n b\r\n{auth}\r\n',
        'blank before colon': f'GET {P} HTTP/1.1\r\n{host}Content-Length : 5\r\n{auth}\r\nabcde',
    }
    for what, data in requests.items():
        answer = r.raw(data.encode(), what)
        if answer.status == 200 and what in ('folded header',):
            continue
        err(answer, 400, 413, 414, 431)
        answer.what = what
        r.saw(answer)


def h05_no_version_of_the_server(r):
    version = run.harness.program.version()
    for answer in (r.as_('adm').get(P), r.as_(None).get(P), r.as_('adm').get('/nothing')):
        same(answer.all('Server'), [], 'Server')
        check(version not in str(answer.headers), 'no version in the headers', answer.headers)


@case(config={'rest.error.code.style': 'subcode'}, dialects=('confluent',))
def h06_subcodes(r):
    adm = r.as_('adm')
    status(adm.post(V('p', 'k'), {'secret': 'a'}), 200)

    def code(answer, http, sub):
        status(answer, http)
        same(answer.json()['error_code'], sub, f'{answer.what}: error_code')
    code(r.as_(None).get(P), 401, 40101)
    code(r.as_('nob').get(path_url('p')), 403, 40301)
    code(adm.get(V('none', 'k') + '/latest'), 404, 40401)
    code(adm.get(V('p', 'k') + '/99'), 404, 40402)
    code(adm.post(V('p', 'k'), {'secret': 'b', 'cas': 0}), 409, 40901)
    code(adm.post(V('p', 'k'), {'secret': 'b' * 262145}), 413, 41301)
    code(adm.post(V('p', 'k'), {}), 422, 42201)
    code(adm.get(V('p', 'k') + '/abc'), 422, 42202)
    code(adm.get(V('p', '1k')), 422, 42203)


@case(config={'ratelimit.requests.per.second': 5, 'ratelimit.burst': 5},
      dialects=('confluent',))
def h07_rate_of_a_caller(r):
    codes = [r.as_('adm').get(P).status for _ in range(30)]
    check(200 in codes and 429 in codes, 'some 200, some 429', codes)
    for _ in range(60):
        answer = r.as_('adm').get(P)
        if answer.status == 429:
            break
    err(answer, 429)
    seconds = answer.header('Retry-After') or ''
    check(seconds.isdigit() and 0 < int(seconds) <= 10, 'Retry-After', seconds)
    ok(r.as_('own').get(P))
    time.sleep(int(seconds) + 0.2)
    ok(r.as_('adm').get(P))


def fill(template):
    return (template.replace('{path}', 'h08').replace('{name}', 'h08').replace('{key}', 'k')
            .replace('{version}', '1').replace('{principal}', 'User:nob')
            .replace('{role}', 'DeveloperRead').replace('{user}', 'nobody-h08')
            .replace('{id}', 'abcdefghijkl'))


DOCUMENTED = [
    ('get', P), ('get', P + '/{path}'), ('delete', P + '/{path}'), ('get', P + '/{path}/keys'),
    ('get', P + '/{path}/keys/{key}'), ('delete', P + '/{path}/keys/{key}'),
    ('get', P + '/{path}/keys/{key}/versions'), ('post', P + '/{path}/keys/{key}/versions'),
    ('get', P + '/{path}/keys/{key}/versions/{version}'),
    ('delete', P + '/{path}/keys/{key}/versions/{version}'),
    ('post', P + '/{path}/keys/{key}/versions/{version}/undelete'),
    ('get', P + '/{path}/keys/{key}/metadata'), ('patch', P + '/{path}/keys/{key}/metadata'),
    ('get', P + '/{path}/metadata'), ('get', '/secret/search'), ('get', '/secret/watch'),
    ('post', '/secret/connectors/{name}/validate'), ('post', '/secret/connectors/{name}/resolve'),
    ('get', '/secret/connectors/{name}/access'),
    ('get', '/health/live'), ('get', '/health/ready'), ('get', '/metrics'),
    ('get', '/openapi.json'), ('get', '/secret/admin/rotation'), ('post', '/secret/admin/rotation'),
    ('post', '/secret/admin/audit-hash'), ('post', '/secret/admin/audit/verify'),
    ('get', '/secret/admin/role-bindings'), ('put', '/secret/admin/role-bindings'),
    ('delete', '/secret/admin/role-bindings'),
    ('post', '/security/1.0/principals/{principal}/roles/{role}'),
    ('post', '/security/1.0/principals/{principal}/roles/{role}/bindings')]


@case(fresh=True, dialects=('confluent',))
def h08_openapi_document_and_routes_agree(r):
    document = ok(r.as_(None).get('/openapi.json')).json()
    check(str(document.get('openapi', '')).startswith('3.1.'), 'OpenAPI 3.1',
          document.get('openapi'))
    methods = ('get', 'post', 'put', 'patch', 'delete')
    listed = {(m, p) for p, item in document['paths'].items() for m in item if m in methods}
    missing = [pair for pair in DOCUMENTED if pair not in listed]
    check(not missing, 'each route in the document', missing)
    status(r.as_('adm').post(V('h08', 'k'), {'secret': 'a'}), 200)
    for template in document['paths']:
        answer = empty(r.as_('adm').request('OPTIONS', fill(template)), 204)
        allow = {m.strip().lower() for m in answer.header('Allow').split(',')}
        wanted = {m for m, p in listed if p == template}
        same(sorted(allow - {'head', 'options'}), sorted(wanted), f'methods of {template}')
        for method in set(methods) - wanted:
            err(r.as_('adm').request(method.upper(), fill(template)), 405)
    for method, template in sorted(listed):
        operation = document['paths'][template][method]
        check(operation.get('responses'), f'{method} {template} has responses')
        names = set(re.findall(r'{(\w+)}', template))
        declared = {p['name'] for p in operation.get('parameters', [])
                    + document['paths'][template].get('parameters', []) if p.get('in') == 'path'}
        same(sorted(declared), sorted(names), f'{method} {template}: parameters')
        # Each status that comes is a status that is told.
        body = {'secret': 'a'} if method in ('post', 'put', 'patch') else None
        if template.endswith('/watch'):
            continue
        answer = r.as_('adm').request(method.upper(), fill(template), body)
        told = operation['responses']
        if str(answer.status) not in told and 'default' not in told:
            fail(f'{method} {template}: status {answer.status} is not among {sorted(told)}')


KINDS = {'array': list, 'object': dict, 'string': str, 'integer': int, 'boolean': bool,
         'null': type(None)}


def fits(document, schema, value, where):
    """Is the value what the schema says?  Of JSON Schema what the document uses."""
    while '$ref' in schema:
        schema = document['components']['schemas'][schema['$ref'].rpartition('/')[2]]
    kinds = schema.get('type', [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    check(not kinds or any(isinstance(value, KINDS[k]) and (k != 'integer' or value is not True)
                           for k in kinds), f'{where}: {kinds}', value)
    check(value in schema.get('enum', [value]), f'{where}: {schema.get("enum")}', value)
    if isinstance(value, list):
        for item in value:
            fits(document, schema.get('items', {}), item, where + '[]')
    if isinstance(value, dict):
        for name in schema.get('required', []):
            check(name in value, f'{where}: a member {name}', value)
        known = schema.get('properties')
        for name, item in value.items():
            check(known is None or name in known, f'{where}: {name} is in the document', known)
            fits(document, (known or {}).get(name, {}), item, f'{where}.{name}')


BODIES = {
    'CreateSecretVersion': {'secret': 'a'}, 'UpdateKeyMetadata': {'metadata': {'a': 'b'}},
    'AuditHash': {'input': 'a'}, 'BackupStore': {'file': 'h08b.db'},
    'RestoreStore': {'file': 'h08b.db'},
    'ValidateConfig': {'name': 'h08', 'a': '${secret:h08:k}'},
    'ResolveConfig': {'name': 'h08', 'a': '${secret:h08:k}'},
    'CreateUser': {'name': 'h08', 'password': 'long enough'},
    'ChangeUser': {'disabled': True}, 'CreateToken': {'principal': 'h08', 'ttl': 60},
    'AlterBinding': {'role': 'DeveloperRead', 'principal': 'User:nob', 'path': 'h08'},
    'DefineRole': {'scope': ['path'], 'operations': ['SecretList'], 'description': 'h08'},
    'AlterBinding5': {'scope': {'clusters': {}}, 'resourcePatterns': [
        {'resourceType': 'Connector', 'name': 'h08', 'patternType': 'LITERAL'}]},
    'AlterBinding6': {'scope': {'clusters': {}}, 'resourcePatterns': [
        {'resourceType': 'Connector', 'name': 'h08', 'patternType': 'LITERAL'}]},
}


@case(fresh=True)
def h08b_answers_are_as_the_document_says(r):
    document = ok(r.as_(None).get('/openapi.json')).json()
    adm = r.as_('adm')
    status(adm.post(V('h08', 'k'), {'secret': 'a'}), 200, 201)
    operations = [(m.upper(), t, o) for t, item in document['paths'].items()
                  for m, o in item.items() if m in ('get', 'post', 'put', 'patch', 'delete')]
    for method, template, o in sorted(operations, key=lambda found: found[0] == 'DELETE'):
        what = f'{method} {template}'
        if method == 'DELETE':
            status(adm.post(V('h08', 'k'), {'secret': 'a'}), 200, 201)
        target = fill(template) + ('?wait=0' if template.endswith('watch') else '')
        wanted = o.get('requestBody', {}).get('required')
        body = BODIES.get(o['operationId'])
        check(bool(wanted) == (body is not None), f'{what}: a body or none', o['operationId'])
        answer = adm.request(method, target, body)
        told = o['responses'].get(str(answer.status))
        check(told, f'{what}: {answer.status} is in the document', sorted(o['responses']))
        for kind, content in told.get('content', {}).items():
            check((answer.header('Content-Type') or '').startswith(kind), what, answer.headers)
            if kind == 'application/json':
                fits(document, content['schema'], answer.json(), what)
        if wanted:
            answer = adm.request(method, fill(template), None)
            check(answer.status >= 400, f'{what}: a body is needed', answer.status)
        # What the schema of a parameter does not take is refused, with a status that is told.
        for p in o.get('parameters', []):
            bad = []
            if p['in'] == 'query' and p['schema'].get('type') in ('boolean', 'integer'):
                bad = [f'{fill(template)}?{p["name"]}={odd}' for odd in ('x', 'null', '')]
            elif p['name'] == 'version' and 'latest' not in p['schema']['pattern']:
                bad = [fill(template).replace('/1', '/latest')]
            elif p['in'] == 'path':
                bad = [fill(template.replace('{%s}' % p['name'], '%zz'))]
            for target in bad:
                answer = err(adm.request(method, target, body), 400, 422, *r.m((), (403,)))
                check(str(answer.status) in o['responses'],
                      f'{method} {target}: {answer.status} is in the document',
                      sorted(o['responses']))


def h08c_requests_that_were_taken_for_others(r):
    adm = r.as_('adm')
    err(adm.post(V('h08c', 'k'), {'secret': 'a'},
                 [('Idempotency-Key', 'one'), ('Idempotency-Key', 'two')]), 400)
    answer = err(adm.post(V('h08c', 'k'), {'secret': 'a'}, [('Content-Encoding', 'gzip')]), 415)
    same(answer.header('Accept-Encoding'), 'identity', 'Accept-Encoding')
    status(adm.post(V('h08c', 'k'), {'secret': 'a'}, [('Content-Encoding', 'identity')]), 200, 201)
    answer = empty(r.as_(None).request('OPTIONS', '*'), 204)
    check('PATCH' in answer.header('Allow'), 'Allow', answer.headers)
    err(adm.request('GET', '*'), 400)
    err(adm.put('/secret/admin/role-bindings', {'role': 'DeveloperRead', 'path': 'h08c',
                                                'principal': 'Group:x'}), 422)


def h09_connection_is_kept_and_closed_as_asked(r):
    auth = [('Authorization', r.bearer('adm'))]
    connection = r.as_('adm').open()
    for _ in range(3):
        connection.send(build('GET', P, r.host, auth))
        ok(connection.answer())
    connection.send(build('GET', P, r.host, [*auth, ('Connection', 'close')]))
    answer = connection.answer()
    same((answer.header('Connection') or '').lower(), 'close', 'Connection')
    check(connection.is_closed_by_peer(), 'the connection is closed')
    connection.close()


def h10_absolute_form_of_the_target(r):
    put(r, 'h10')
    auth = [('Authorization', r.bearer('adm'))]
    answer = r.raw(build('GET', f'http://{r.host}{V("h10", "k")}', r.host, auth))
    ok(answer, [1])



def h11_dashboard_and_alerts_name_metrics_that_there_are(r):
    text = status(r.as_('adm').get('/metrics'), 200).body.decode()
    kinds = dict(re.findall(r'^# TYPE (\w+) (\w+)$', text, re.M))
    there = set(kinds) | {f'{name}_{end}' for name, kind in kinds.items() if kind == 'histogram'
                          for end in ('bucket', 'sum', 'count')}
    share = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../share/registry')
    for name in ('grafana.json', 'alerts.yml'):
        with open(os.path.join(share, name), encoding='utf-8') as f:
            whole = f.read()
        named = set(re.findall(r'propseal_registry_\w+', whole))
        check(len(named) >= 8, f'metrics in {name}', named)
        same(sorted(named - there), [], f'metrics of {name} that there are not')
        for metric in named & set(kinds):
            rated = re.search(r'(rate|increase)\(' + metric + r'\b', whole)
            check(not rated or kinds[metric] == 'counter', f'{name}: a rate of a counter', metric)
        if name.endswith('json'):
            panels = json.loads(whole)['panels']
            check(all(p['targets'] and p['title'] for p in panels), 'panels with queries')


if __name__ == '__main__':
    run.main(globals(), dialects=BOTH)
