#!/usr/bin/env -S python3 -B
"""Authentication: the cases A of the registry's contract."""
import base64
import ssl
import time
import warnings

from cryptography import x509

from lib import audit, harness, jwt, program, run, tls
from lib.check import check, err, fail, ok, same, status
from lib.harness import PASSWORDS, Registry, basic
from lib.rest import P, V, Client, Closed, Connection, build, in_parallel
from lib.run import BOTH, case

UNAUTHORIZED = {'error_code': 401, 'message': 'Unauthorized'}


def unauthorized(answer):
    err(answer, 401)
    same(answer.json(), UNAUTHORIZED, 'body')
    check(answer.header('WWW-Authenticate'), 'a WWW-Authenticate header')


def wrong(r, answer):
    """What wrong credentials get: the same text as none at all."""
    if r.mredjem:
        err(answer, 403)
        same(answer.json()['message'], 'Unauthorized', 'message')
    else:
        unauthorized(answer)


def a01_no_credentials(r):
    for target in (P, V('conn-a', 'k'), V('conn-a', 'k') + '/latest', '/secret/admin/rotation',
                   '/secret/watch?since=0', '/secret/unknown'):
        unauthorized(r.as_(None).get(target))
    unauthorized(r.as_(None).post(V('conn-a', 'k'), {'secret': 's'}))
    unauthorized(r.as_(None).delete(V('conn-a', 'k') + '/1'))
    unauthorized(r.as_(None).put(P, {}))


def a01b_who_says_to_be_a_node_is_on_record(r):
    """The header in which nodes tell each other who asks; here nobody is believed."""
    claim = [('X-Secret-Forwarded', 'principal=adm&mechanism=TOKEN&client=192.0.2.7'),
             ('X-Request-Id', 'a01b')]
    for name in (None, 'adm'):
        answer = err(r.new(name).post(V('conn-a', 'k'), {'secret': 's'}, claim), 401)
        same(answer.header('WWW-Authenticate'), None, 'it is not asked for a login')
    line = audit.of_request(r, 'a01b')[0]
    same((audit.method(line), audit.result(line), audit.client(line), audit.principal(line)),
         ('Authenticate', 401, '127.0.0.1', None), 'what is known of it')


@case(dialects=BOTH)
def a02_wrong_password(r):
    wrong(r, r.with_header(basic('adm', 'not it')).get(P))
    wrong(r, r.with_header(basic('adm', '')).get(P))
    wrong(r, r.with_header(basic('adm', PASSWORDS['adm'] + '\n')).get(P))
    wrong(r, r.with_header(basic('adm', PASSWORDS['own'])).get(P))
    ok(r.with_header(basic('adm', PASSWORDS['adm'])).get(P))
    # What was right before does not make the wrong one right.
    wrong(r, r.with_header(basic('adm', 'not it')).get(P))


def fastest(r, name, times=4):
    best = 1e9
    for i in range(times):
        start = time.monotonic()
        answer = r.with_header(basic(name, f'wrong {i} {time.monotonic()}')).get(P)
        best = min(best, time.monotonic() - start)
        wrong(r, answer)
    return best, answer


@case(dialects=BOTH)
def a03_unknown_user(r):
    known_time, known = fastest(r, 'adm')
    unknown_time, unknown = fastest(r, 'no-such-user')
    same(unknown.body, known.body, 'body')
    same(sorted(n for n, _ in unknown.headers), sorted(n for n, _ in known.headers), 'headers')
    # The floors, a wide margin: without the work it would be a hundredth.
    check(1 / 3 < unknown_time / known_time < 3,
          'an unknown user costs about as much as a wrong password',
          f'{unknown_time * 1000:.1f} ms against {known_time * 1000:.1f} ms')


def a04_headers_that_are_no_login(r):
    bad = ['Basic !!!', 'Basic ' + base64.b64encode(b'adm').decode(), 'Basic ', 'Basic', '',
           'Basic ' + base64.b64encode(b':').decode(), 'Basic YWRt:', 'Bearer', 'Bearer ',
           'Bearer !!!', 'Bearer a.b.c', 'Bearer ' + 'x' * 5000, r.tokens['adm'],
           'Basic ' + r.tokens['adm'], 'Bearer ' + r.tokens['adm'] + 'x',
           'Bearer ' + r.tokens['adm'][:-1], 'Basic ' + base64.b64encode(b'adm\0:x').decode(),
           'Basic ' + base64.b64encode(b'\xff\xfe:x').decode()]
    for header in bad:
        unauthorized(r.with_header(header or ' ').get(P))
    # A scheme is a word of any case.
    ok(r.with_header('bearer ' + r.tokens['adm']).get(P))
    ok(r.with_header('BASIC ' + basic('adm', PASSWORDS['adm'])[6:]).get(P))


def a05_other_schemes(r):
    for header in ('Digest x', 'Negotiate abc', 'Token ' + r.tokens['adm'], 'BasicYWRtOng=',
                   'Digest username="adm"'):
        unauthorized(r.with_header(header).get(P))


class Issuer:
    """A registry that trusts two keys of one issuer."""

    def __init__(self):
        self.rsa, self.ec = jwt.Rsa(), jwt.Ec()
        folder = harness.scratch('jwks')
        self.file = harness.write(folder + '/jwks.json', jwt.key_set(self.rsa, self.ec))
        self.registry = Registry({
            'auth.jwt.jwks.file': self.file, 'auth.jwt.issuer': 'https://issuer.test',
            'auth.jwt.audience': 'registry'}).start()

    def get(self, token):
        return self.registry.with_header('Bearer ' + token).get(P)


def a06_tokens_that_are_refused():
    o = Issuer()
    now = int(time.time())
    other = jwt.Rsa('rsa-1')
    good = jwt.token(o.rsa, jwt.claims())
    head, payload, signature = good.split('.')
    ok(o.get(good))
    bad = {
        'expired': jwt.token(o.rsa, jwt.claims(exp=now - 120)),
        'without exp': jwt.token(o.rsa, jwt.claims(exp=None)),
        'not yet valid': jwt.token(o.rsa, jwt.claims(nbf=now + 3600)),
        'wrong audience': jwt.token(o.rsa, jwt.claims(aud='other')),
        'no audience': jwt.token(o.rsa, jwt.claims(aud=None)),
        'audience list without it': jwt.token(o.rsa, jwt.claims(aud=['a', 'b'])),
        'wrong issuer': jwt.token(o.rsa, jwt.claims(iss='https://issuer.test/')),
        'no issuer': jwt.token(o.rsa, jwt.claims(iss=None)),
        'no subject': jwt.token(o.rsa, jwt.claims(sub=None)),
        'alg none': f'{jwt.part({"alg": "none"})}.{payload}.',
        'alg None, signed': f'{jwt.part({"alg": "None", "kid": "rsa-1"})}.{payload}.{signature}',
        'HS256 with the public key': jwt.hs256(o.rsa.pem(), jwt.claims()),
        'HS256 with the public key, kid': jwt.hs256(o.rsa.pem(), jwt.claims(), {'kid': 'rsa-1'}),
        'HS256 with the modulus': jwt.hs256(o.rsa.jwk()['n'].encode(), jwt.claims(),
                                            {'kid': 'rsa-1'}),
        'changed payload': f'{head}.{jwt.part(jwt.claims("own"))}.{signature}',
        'changed signature': good[:-8] + ('A' if good[-8] != 'A' else 'B') + good[-7:],
        'no signature': f'{head}.{payload}.',
        'two parts': f'{head}.{payload}',
        'signed by another key': jwt.token(other, jwt.claims()),
        'unknown kid': jwt.token(jwt.Rsa('rsa-2'), jwt.claims()),
        'kid of the other type': jwt.token(o.rsa, jwt.claims(), {'kid': 'ec-1'}),
        'alg of the other type': jwt.token(o.rsa, jwt.claims(), {'alg': 'ES256'}),
        'crit': jwt.token(o.rsa, jwt.claims(), {'crit': ['x'], 'x': 1}),
        'own key in the header': jwt.token(other, jwt.claims(), {'jwk': other.jwk()}),
        'made for another purpose': jwt.token(o.rsa, jwt.claims(), {'typ': 'dpop+jwt'}),
        'a logout': jwt.token(o.rsa, jwt.claims(), {'typ': 'logout+jwt'}),
        'a type that is no text': jwt.token(o.rsa, jwt.claims(), {'typ': 1}),
        'exp as text': jwt.token(o.rsa, jwt.claims(exp=str(now + 300))),
        'payload is a list': jwt.token(o.rsa, [jwt.claims()]),
        'payload is not JSON': jwt.token(o.rsa, b'{"sub":"adm"'),
        'subject with a line end': jwt.token(o.rsa, jwt.claims('adm\n')),
    }
    es = jwt.token(o.ec, jwt.claims()).rpartition('.')[0]
    bad['ECDSA signature as DER'] = f'{es}.{jwt.b64(o.ec.der(es.encode()))}'
    bad['ECDSA signature of zeros'] = f'{es}.{jwt.b64(bytes(64))}'
    for what, token in bad.items():
        answer = o.get(token)
        if answer.status != 401:
            fail(f'{what}: expected 401, seen {answer.status}')
        unauthorized(answer)


def a07_tokens_that_are_taken():
    o = Issuer()
    for key in (o.rsa, o.ec):
        ok(o.get(jwt.token(key, jwt.claims())))
        ok(o.get(jwt.token(key, jwt.claims(aud=['other', 'registry']))))
        ok(o.get(jwt.token(key, jwt.claims(more={'deep': [1]}))))
        for kind in (None, 'jwt', 'at+jwt', 'application/at+JWT'):
            ok(o.get(jwt.token(key, jwt.claims(), {'typ': kind})))
    # The subject is the principal, with its rights and no others.
    answer = o.registry.with_header('Bearer ' + jwt.token(o.ec, jwt.claims('own'))).get(
        V('other', 'k') + '/latest')
    err(answer, 403)
    answer = o.registry.with_header('Bearer ' + jwt.token(o.ec, jwt.claims('own'))).post(
        V('conn-a', 'k'), {'secret': 's'})
    ok(answer)
    # API tokens and passwords still work beside it.
    ok(o.registry.as_('adm').get(P))


def a07b_new_keys_are_taken_up():
    o = Issuer()
    fresh = jwt.Ec('ec-2')
    err(o.get(jwt.token(fresh, jwt.claims())), 401)
    harness.write(o.file, jwt.key_set(o.ec, fresh))
    o.registry.process.send_signal(1)
    end = time.monotonic() + 5
    while (code := o.get(jwt.token(fresh, jwt.claims())).status) != 200:
        check(time.monotonic() < end, 'the new key is taken up on SIGHUP', code)
        time.sleep(0.02)
    err(o.get(jwt.token(o.rsa, jwt.claims())), 401)


def a07c_claim_that_names_the_principal():
    o = Issuer()
    o.registry.config['auth.jwt.principal.claim'] = 'client_id'
    o.registry.restart()
    ok(o.get(jwt.token(o.ec, jwt.claims('nobody', client_id='adm'))))
    err(o.get(jwt.token(o.ec, jwt.claims('adm'))), 401)


@case(dialects=BOTH)
def a08_two_authorization_headers(r):
    for first, second in ((r.bearer('adm'), r.bearer('adm')),
                          (r.bearer('own'), r.bearer('adm')),
                          (r.bearer('adm'), 'Basic !!!')):
        data = build('GET', P, r.host, [('Authorization', first), ('authorization', second)])
        err(r.raw(data, 'two Authorization headers'), 400, *((403,) if r.mredjem else (401,)))


@case(config={'auth.cache.ms': 200})
def a09_revoked_token(r):
    id_, token = program.token_create(r.data, 'adm')
    check(id_, 'the command prints the id of the token', id_)
    client = r.with_header('Bearer ' + token)
    end = time.monotonic() + 5
    while (code := client.get(P).status) != 200:
        check(time.monotonic() < end, 'a new token works without a restart', code)
        time.sleep(0.02)
    program.run('token', 'revoke', id_, '--data', r.data)
    time.sleep(0.6)
    unauthorized(client.get(P))
    unauthorized(client.get(P))
    ok(r.as_('adm').get(P))


@case(config={'auth.cache.ms': 200})
def a09b_token_whose_time_is_over(r):
    token = program.token_create(r.data, 'adm', ttl=3)[1]
    end = time.monotonic() + 3
    client = r.with_header('Bearer ' + token)
    while (code := client.get(P).status) != 200:
        check(time.monotonic() < end, 'a new token works', code)
        time.sleep(0.02)
    time.sleep(max(0, end + 0.6 - time.monotonic()))
    unauthorized(client.get(P))


@case(config={'auth.cache.ms': 200})
def a09c_removed_user_and_changed_password(r):
    program.user_add(r.data, 'temp', 'first password')
    program.role('grant', r.data, 'SystemAdmin', 'temp')
    ok(r.with_header(basic('temp', 'first password')).get(P))
    program.run('user', 'add', 'temp', '--replace', '--data', r.data, stdin=b'second password\n')
    time.sleep(0.6)
    unauthorized(r.with_header(basic('temp', 'first password')).get(P))
    ok(r.with_header(basic('temp', 'second password')).get(P))
    program.run('user', 'remove', 'temp', '--data', r.data)
    time.sleep(0.6)
    unauthorized(r.with_header(basic('temp', 'second password')).get(P))


def secured(authority, required, **config):
    certificate, key = authority.server()
    r = Registry({'ssl.certificate': certificate, 'ssl.key': key,
                  'ssl.client.ca': authority.file,
                  'ssl.client.auth': 'required' if required else 'requested', **config})
    return r


def handshake_fails(r, context, what):
    """With TLS 1.3 a client learns of it only when it reads."""
    try:
        connection = Connection(r.address, context, timeout=10)
        connection.send(build('GET', '/health/live', r.host))
        answer = connection.answer()
    except (ssl.SSLError, ConnectionError, Closed):
        return
    fail(f'{what}: expected a failing handshake, seen status {answer.status}')


def a10_client_certificates():
    ca, stranger = tls.Authority(), tls.Authority('Another CA')
    r = secured(ca, True)
    r.tls = lambda: ca.context(ca.client('adm'))
    r.start()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        known = Client(r, None, ca.context(ca.client('adm'), version))
        ok(known.get(P))
        known.close()
    own = Client(r, None, ca.context(ca.client('own')))
    err(own.get(V('other', 'k') + '/latest'), 403)
    own.close()
    pair = stranger.client('adm')
    context = ca.context(pair)
    handshake_fails(r, context, 'unknown CA')
    handshake_fails(r, ca.context(ca.client('adm', days=(-20, -10))), 'expired')
    handshake_fails(r, ca.context(ca.client('adm', days=(10, 20))), 'not yet valid')
    handshake_fails(r, ca.context(), 'no certificate')
    handshake_fails(r, ca.context(ca.server()), 'a certificate for servers')


def a10b_client_certificates_that_are_not_required():
    ca = tls.Authority()
    r = secured(ca, False)
    r.tls = ca.context
    r.start()
    unauthorized(Client(r, None, ca.context()).get(P))
    ok(r.as_('adm').get(P))
    ok(Client(r, None, ca.context(ca.client('adm'))).get(P))
    stranger = tls.Authority('Another CA')
    handshake_fails(r, ca.context(stranger.client('adm')), 'unknown CA')
    # Certificate and header that name two callers contradict each other.
    own = ca.context(ca.client('own'))
    unauthorized(Client(r, r.bearer('adm'), own).get(P))
    ok(Client(r, r.bearer('own'), own).get(P), [])
    unauthorized(Client(r, 'Basic !!!', own).get(P))


def a10c_principal_from_the_certificate():
    ca = tls.Authority()
    r = secured(ca, True, **{'auth.mtls.principal': 'san'})
    pair = ca.client('nobody', alt=(x509.DNSName('adm'),))
    r.tls = lambda: ca.context(pair)
    r.start()
    ok(Client(r, None, ca.context(pair)).get(V('x', 'k')), [])
    plain = Client(r, None, ca.context(ca.client('adm')))
    unauthorized(plain.get(V('x', 'k')))


def a10d_old_protocols_are_refused():
    ca = tls.Authority()
    r = secured(ca, False)
    r.tls = ca.context
    r.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca.file)
    context.set_ciphers('ALL:@SECLEVEL=0')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    handshake_fails(r, context, 'TLS 1.1')
    # Clear text on the TLS port gets nothing.
    plain = Connection(r.address, timeout=5)
    plain.send(build('GET', P, r.host, [('Authorization', r.bearer('adm'))]))
    check(b'paths' not in read_all(plain), 'no answer in clear text')


def read_all(connection):
    try:
        connection.until_end()
    except (ConnectionError, TimeoutError):
        pass
    return connection.buffer


@case(config={'auth.failures.max': 20})
def a11_many_bad_logins(r):
    for i in range(20):
        unauthorized(r.with_header(f'Bearer wrong-{i}').get(P))
    for i in range(20):
        unauthorized(r.with_header(basic('nobody', f'{i}')).get(P))
    answer = err(r.with_header(basic('nobody', 'wrong')).get(P), 429)
    seconds = answer.header('Retry-After') or ''
    check(seconds.isdigit() and 0 < int(seconds) <= 60, 'Retry-After of 1 to 60 s', seconds)
    for _ in range(50):
        err(r.with_header('Bearer wrong').get(P), 429)
    # Another address is not held back, nor is what needs no login.
    elsewhere = Client(r, 'Bearer wrong', source='127.0.0.2')
    unauthorized(elsewhere.get(P))
    ok(Client(r, r.bearer('adm'), source='127.0.0.2').get(P))
    same(r.ready(), 200, '/health/ready')
    r.stop()
    lines = [line for line in audit.lines(r) if audit.client(line) == '127.0.0.1'
             and audit.method(line) == 'Authenticate']
    total = sum(audit.count(line) for line in lines)
    check(total == 91, 'lines of the audit that add up to 91 failures', total)
    check(len(lines) < 40, 'the refused are folded into counts', len(lines))


def a11b_bad_logins_lock_no_neighbour_out():
    issuer = Issuer()
    r = issuer.registry
    program.user_add(r.data, 'neighbour', 'its-password')
    r.config['auth.failures.max'] = 3
    r.restart()
    for i in range(10):
        status(r.with_header(basic('adm', f'wrong {i}')).get(P), 401, 429)
        status(issuer.get(jwt.token(issuer.rsa, jwt.claims(exp=1000 + i))), 401, 429)
    # The account that was guessed at is locked here, with the right password too ...
    err(r.with_header(basic('adm', PASSWORDS['adm'])).get(P), 429)
    ok(Client(r, basic('adm', PASSWORDS['adm']), source='127.0.0.2').get(P))
    # ... but whoever else comes from this address is let in.
    ok(r.with_header(basic('neighbour', 'its-password')).get(P))
    ok(issuer.get(jwt.token(issuer.rsa, jwt.claims(sub='adm'))))
    ok(r.as_('adm').get(P))


@case(config={'auth.failures.max': 3, 'trusted.proxies': '127.0.0.2, 10.1.0.0/16 ::1'})
def a11c_address_behind_a_proxy(r):
    def ask(password, *forwarded, source='127.0.0.2'):
        client = Client(r, basic('own', password), source=source)
        answer = client.get(P, [('X-Forwarded-For', f) for f in forwarded])
        client.close()
        return answer
    for _ in range(3):
        unauthorized(ask('wrong', '192.0.2.1'))
    err(ask(PASSWORDS['own'], '192.0.2.1'), 429)
    err(ask('wrong', '198.51.100.7, 192.0.2.1:4711 , 10.1.2.3'), 429)
    # What the client itself wrote in front does not count, be it a header of its own.
    err(ask('wrong', '198.51.100.7', '192.0.2.1'), 429)
    err(ask('wrong', '198.51.100.8, 192.0.2.1, [::1]:80'), 429)
    # Of what no trusted proxy sends nothing counts.
    for i in range(3):
        unauthorized(ask('wrong', f'203.0.113.{i}', source='127.0.0.3'))
    err(ask('wrong', '203.0.113.9', source='127.0.0.3'), 429)
    ok(ask(PASSWORDS['own'], '192.0.2.9'))
    r.stop()
    clients = {audit.client(line) for line in audit.lines(r)
               if audit.method(line) == 'Authenticate'}
    same(clients, {'192.0.2.1', '127.0.0.3'}, 'clients in the audit log')


def a11d_list_of_proxies_that_is_none():
    for text in ('proxy.example', '10.0.0.0/33', '::/129', '10.0.0.1/x', '1.2.3.4.5'):
        said = Registry({'trusted.proxies': text}).refuses_to_start()
        check('trusted.proxies' in said, 'the name of the setting', said)


def a12_health_needs_no_login(r):
    marker = 'a12-name-of-a-path'
    status(r.as_('adm').post(V(marker, 'k'), {'secret': harness.MARKER}), r.m(200, 201))
    for target in ('/health/live', '/health/ready', '/health/live/', '/health/ready/'):
        answer = status(r.as_(None).get(target), 200)
        for text in (marker, harness.MARKER, program.version()):
            check(text.encode() not in answer.body, f'no {text} in {target}', answer.body)
        status(r.as_(None).head(target), 200)
        status(r.with_header('Basic !!!').get(target), 200)
    err(r.as_(None).post('/health/live', {}), 405)


def a13_metrics_need_a_login(r):
    unauthorized(r.as_(None).get('/metrics'))
    err(r.as_('nob').get('/metrics'), 403)
    answer = status(r.as_('aud').get('/metrics'), 200)
    check((answer.header('Content-Type') or '').startswith('text/plain'), 'text/plain',
          answer.header('Content-Type'))
    check(b'# TYPE ' in answer.body, 'Prometheus text', answer.body[:200])


@case(config={'metrics.public': True})
def a13b_metrics_in_public_by_option(r):
    status(r.as_(None).get('/metrics'), 200)


def a14_passwords_with_colon_and_other_letters(r):
    check(':' in PASSWORDS['adm'] and not PASSWORDS['adm'].isascii(), 'such a password')
    ok(r.with_header(basic('adm', PASSWORDS['adm'])).get(P))
    first, _, rest = PASSWORDS['adm'].partition(':')
    for password in (first, rest, PASSWORDS['adm'].replace('\u00fc', 'u\u0308')):
        wrong(r, r.with_header(basic('adm', password)).get(P))


def a15_many_passwords_at_once(r):
    def log_in(i):
        name = ('adm', 'own', 'adm', 'nobody')[i % 4]
        password = PASSWORDS.get(name, 'x') if i % 4 != 2 else 'wrong'
        client = Client(r, basic(name, password))
        try:
            return i % 4, client.get(P).status
        finally:
            client.close()
    for kind, code in in_parallel(24, log_in):
        expected = 200 if kind in (0, 1) else 401
        check(code in (expected, 503), f'{expected} (or 503 when too many wait)', code)
    ok(r.with_header(basic('own', PASSWORDS['own'])).get(P))


USERS, TOKENS = '/secret/admin/users', '/secret/admin/tokens'


@case(fresh=True)
def a17_users_over_the_interface(r):
    adm, ua = r.as_('adm'), r.as_('ua')
    same(sorted(u['name'] for u in ok(adm.get(USERS)).json()), sorted(PASSWORDS), 'users')
    answer = status(adm.post(USERS, {'name': 'new', 'password': 'a word of it'}), 201)
    same(answer.json(), {'name': 'new'}, 'body')
    ok(r.with_header(basic('new', 'a word of it')).get(P), [])
    err(adm.post(USERS, {'name': 'new', 'password': 'another word'}), 409)
    same([u for u in ok(ua.get(USERS)).json() if u['name'] == 'new'][0]['disabled'], False,
         'disabled')
    status(adm.patch(USERS + '/new', {'password': 'another word'}), 204)
    unauthorized(r.with_header(basic('new', 'a word of it')).get(P))
    ok(r.with_header(basic('new', 'another word')).get(P), [])
    # A disabled user is not let in, by a token neither, and is again afterwards.
    token = status(adm.post(TOKENS, {'principal': 'new'}), 201).json()['token']
    ok(r.with_header('Bearer ' + token).get(P), [])
    status(ua.patch(USERS + '/new', {'disabled': True}), 204)
    unauthorized(r.with_header(basic('new', 'another word')).get(P))
    unauthorized(r.with_header('Bearer ' + token).get(P))
    status(ua.patch(USERS + '/new', {'disabled': False}), 204)
    ok(r.with_header(basic('new', 'another word')).get(P), [])
    ok(r.with_header('Bearer ' + token).get(P), [])
    status(ua.delete(USERS + '/new'), 204)
    unauthorized(r.with_header(basic('new', 'another word')).get(P))
    err(ua.delete(USERS + '/new'), 404)
    err(adm.patch(USERS + '/new', {'password': 'another word'}), 404)
    for bad in ({'name': 'x'}, {'name': '', 'password': 'p'}, {'name': 'a:b', 'password': 'p'},
                {'name': 'x', 'password': 5}, {'name': 'x', 'password': 'a\nb'},
                {'name': 5, 'password': 'p'}, {'name': 'x', 'password': ''},
                {'name': 'x', 'password': 'p', 'disabled': True},
                {'name': 'x', 'password': 'p', 'disabled': 'no'},
                {'name': 'User:User:x', 'password': 'p'}, {'name': 'x\u200b', 'password': 'p'},
                {'name': 'x\n', 'password': 'p'}, {'name': 'a/b', 'password': 'p'},
                *({'name': 'adm' + c, 'password': 'p'} for c in '\u00ad\u034f\u3164\u2800'), {'name': 'x' * 300, 'password': 'p'}):
        err(adm.post(USERS, bad), 422)
    # All of a change or nothing: this user stays enabled.
    for bad in ({}, {'disabled': 'yes'}, {'password': None},
                {'disabled': True, 'password': 'a\nb'}, {'disabled': True, 'password': 'x' * 1025}):
        err(adm.patch(USERS + '/own', bad), 422)
    ok(r.with_header(basic('own', PASSWORDS['own'])).get(P))
    # Who may not alter rights may do nothing of it.
    for who in ('own', 'sec', 'aud', 'op', 'nob'):
        for answer in (r.as_(who).get(USERS), r.as_(who).post(USERS, {'name': 'x', 'password': 'p'}),
                       r.as_(who).delete(USERS + '/adm'), r.as_(who).get(TOKENS),
                       r.as_(who).post(TOKENS, {'principal': who})):
            err(answer, 403)
    r.stop()
    told = {audit.method(line) for line in audit.lines(r)}
    check({'ListUsers', 'CreateUser', 'ChangeUser', 'DeleteUser', 'CreateToken'} <= told,
          'all on record', told)
    for line in audit.lines(r):
        check(not any(word in str(line) for word in ('a word of it', 'another word', token)),
              'no password on record', line)
    check(any('disable user new' in str(line) for line in audit.lines(r)), 'of whom')


@case(fresh=True)
def a17c_who_does_not_read_makes_no_login_of_others(r):
    """Neither of who may do something, whatever the name's form, nor of who may be given
    a role afterwards."""
    ua = r.as_('ua')
    names = ('adm', 'own', 'nob', 'somebody', 'User:adm', 'User:User:adm', 'User:User:User:adm')
    for name in names:
        err(ua.post(TOKENS, {'principal': name}), 403, 422)
        err(ua.post(USERS, {'name': name, 'password': 'taken over'}), 403, 422)
        err(ua.patch(USERS + '/' + name, {'password': 'taken over'}), 403, 422)
    same(sorted(u['name'] for u in ok(ua.get(USERS)).json()), sorted(PASSWORDS), 'users')
    for name in ('adm', 'own'):
        ok(r.with_header(basic(name, PASSWORDS[name])).get(P))
        unauthorized(r.with_header(basic(name, 'taken over')).get(P))
    # A login of its own gives nothing.
    token = status(ua.post(TOKENS, {'principal': 'User:ua'}), 201).json()
    same(token['principal'], 'ua', 'principal')
    ok(r.with_header('Bearer ' + token['token']).get(P))
    status(ua.patch(USERS + '/own', {'disabled': True}), 204)
    status(ua.patch(USERS + '/own', {'disabled': False}), 204)
    status(ua.delete(USERS + '/own'), 204)
    err(ua.post(USERS, {'name': 'own', 'password': 'taken over'}), 403)


@case(fresh=True)
def a17d_a_deleted_user_has_no_tokens(r):
    adm = r.as_('adm')
    status(adm.post(USERS, {'name': 'new', 'password': 'a word of it'}), 201)
    tokens = [status(adm.post(TOKENS, {'principal': who}), 201).json()
              for who in ('new', 'User:new', 'own', 'newer')]
    status(adm.delete(USERS + '/new'), 204)
    for made in tokens[:2]:
        unauthorized(r.with_header('Bearer ' + made['token']).get(P))
    for made in tokens[2:]:
        ok(r.with_header('Bearer ' + made['token']).get(P))
    left = {t['id'] for t in ok(adm.get(TOKENS)).json()}
    same([t['id'] in left for t in tokens], [False, False, True, True], 'which are left')
    # Somebody without a password is no user: nothing of it ends.
    err(adm.delete(USERS + '/newer'), 404)
    ok(r.with_header('Bearer ' + tokens[3]['token']).get(P))
    # Nor do they come back with another user of this name.
    status(adm.post(USERS, {'name': 'new', 'password': 'a word of it'}), 201)
    unauthorized(r.with_header('Bearer ' + tokens[0]['token']).get(P))


BINDINGS = '/secret/admin/role-bindings'
MDS = '/security/1.0/principals/User:{}/roles/{}'


def refused_as_last(answer):
    message = err(answer, 409).json()['message']
    check('registry role' in message and 'SystemAdmin' in message, 'the way out', message)


@case(fresh=True)
def a18_the_last_administrator_stays(r):
    adm = r.as_('adm')
    # While there is another, anybody goes.
    status(r.as_('ua').delete(f'{BINDINGS}?role=UserAdmin&principal=ua'), 204)
    own_token = [t['id'] for t in ok(adm.get(TOKENS)).json() if t['principal'] == 'adm'][0]
    refused_as_last(adm.delete(USERS + '/adm'))
    refused_as_last(adm.delete(USERS + '/User:adm'))
    refused_as_last(adm.patch(USERS + '/adm', {'disabled': True}))
    refused_as_last(adm.patch(USERS + '/adm', {'disabled': True, 'password': 'x'}))
    refused_as_last(adm.delete(f'{BINDINGS}?role=SystemAdmin&principal=adm'))
    refused_as_last(adm.delete(f'{BINDINGS}?role=SystemAdmin&principal=User:adm'))
    refused_as_last(adm.delete(MDS.format('adm', 'SystemAdmin')))
    ok(r.with_header(basic('adm', PASSWORDS['adm'])).get(USERS))
    # What is not the last way in may end; and roles that hand out nothing.
    status(adm.delete(TOKENS + '/' + own_token), 204)
    by_password = r.with_header(basic('adm', PASSWORDS['adm']))
    status(by_password.delete(f'{BINDINGS}?role=Operator&principal=op'), 204)
    status(by_password.patch(USERS + '/adm', {'password': 'another word'}), 204)
    adm = r.with_header(basic('adm', 'another word'))
    # Who is disabled, has nothing to log in with, or only one path is no other.
    status(adm.post(USERS, {'name': 'second', 'password': 'a word of it'}), 201)
    status(adm.patch(USERS + '/second', {'disabled': True}), 204)
    for who in ('second', 'nobody-here'):
        status(adm.put(BINDINGS, {'role': 'SystemAdmin', 'principal': who}), 204)
    refused_as_last(adm.delete(USERS + '/adm'))
    status(adm.patch(USERS + '/second', {'disabled': False}), 204)
    status(adm.delete(USERS + '/adm'), 204)
    unauthorized(r.with_header(basic('adm', 'another word')).get(P))
    second = r.with_header(basic('second', 'a word of it'))
    refused_as_last(second.delete(USERS + '/second'))
    # A token alone is a way in, too, and the last of them stays.
    made = status(second.post(TOKENS, {'principal': 'nobody-here'}), 201).json()
    status(second.delete(USERS + '/second'), 204)
    third = r.with_header('Bearer ' + made['token'])
    refused_as_last(third.delete(TOKENS + '/' + made['id']))
    # Where the data is, everything can be done, and undone.
    program.role('revoke', r.data, 'SystemAdmin', 'nobody-here')
    err(third.get(USERS), 403)
    program.role('grant', r.data, 'SystemAdmin', 'nobody-here')
    ok(third.get(USERS))


@case(fresh=True)
def a18b_two_administrators_do_not_end_each_other(r):
    adm = r.as_('adm')
    for round in range(5):
        status(adm.put(BINDINGS, {'role': 'SystemAdmin', 'principal': 'ua'}), 204)
        status(adm.delete(f'{BINDINGS}?role=UserAdmin&principal=ua'), 204, 404)
        callers = [r.new('adm'), r.new('ua')]
        codes = in_parallel(2, lambda i: callers[i].delete(
            f'{BINDINGS}?role=SystemAdmin&principal={("ua", "adm")[i]}').status)
        check(sorted(codes) in ([204, 403], [204, 409]), 'one of them stays', codes)
        program.role('grant', r.data, 'SystemAdmin', 'adm')


@case(fresh=True)
def a17b_tokens_over_the_interface(r):
    adm = r.as_('adm')
    made = status(adm.post(TOKENS, {'principal': 'User:own', 'ttl': 3600}), 201).json()
    same(made['principal'], 'own', 'principal')
    ok(r.with_header('Bearer ' + made['token']).get(P))
    found = [t for t in ok(adm.get(TOKENS)).json() if t['id'] == made['id']]
    check(len(found) == 1 and found[0]['expires'], 'the token with its end', found)
    check(made['token'].encode() not in adm.get(TOKENS).body, 'no token in the list')
    err(adm.delete(TOKENS + '/' + made['token']), 404)
    status(adm.delete(TOKENS + '/' + made['id']), 204)
    unauthorized(r.with_header('Bearer ' + made['token']).get(P))
    err(adm.delete(TOKENS + '/' + made['id']), 404)
    for bad in ({}, {'principal': ''}, {'principal': 'x', 'ttl': 0}, {'principal': 'x', 'ttl': '1'},
                {'principal': 'x', 'ttl': 10 ** 12}, {'principal': ' x'},
                {'principal': 'User:User:adm'}, {'principal': 'adm\u202e'}, {'principal': 'a\n'}):
        err(adm.post(TOKENS, bad), 422)
    r.stop()
    check(not any(made['token'] in str(line) for line in audit.lines(r)), 'no token on record')


def a16_plain_listener_beyond_loopback_is_refused():
    r = Registry()
    arguments = r.arguments
    r.arguments = lambda key=None: [a.replace('127.0.0.1:0', '0.0.0.0:0') for a in arguments(key)]
    r.refuses_to_start()
    r.config['listen.insecure'] = True
    r.start()


if __name__ == '__main__':
    run.main(globals())
