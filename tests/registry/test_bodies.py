#!/usr/bin/env -S python3 -B
"""Bodies and values: the cases B of the registry's contract, in both dialects."""
import json
import time

from lib import run
from lib.check import err, ok, same, secret, status
from lib.rest import P, V, Closed, Connection, build
from lib.run import BOTH

MAX = 262144  # secret.max.bytes


def post(r, path, body, headers=()):
    return r.as_('adm').post(V(path, 'k'), body, headers)


def nothing_stored(r, path):
    ok(r.as_('adm').get(V(path, 'k')), [])


def stored(r, path, value):
    secret(r.as_('adm').get(V(path, 'k') + '/latest'), path, 'k', 1, value)


def b01_no_body(r):
    err(post(r, 'b01', None), r.m(422, 500))
    err(post(r, 'b01', b''), r.m(422, 500))
    nothing_stored(r, 'b01')


def b02_empty_object(r):
    err(post(r, 'b02', {}), r.m(422, 500))
    err(post(r, 'b02', {'Secret': 'a', 'value': 'b'}), r.m(422, 500))
    nothing_stored(r, 'b02')


def b03_null(r):
    err(post(r, 'b03', {'secret': None}), r.m(422, 500))
    nothing_stored(r, 'b03')


def b04_not_a_string(r):
    for value in (5, 1.5, True, ['a'], {'a': 'b'}):
        err(post(r, 'b04', {'secret': value}), r.m(422, 500))
    nothing_stored(r, 'b04')


def b05_not_an_object(r):
    for body in (b'["secret"]', b'"secret"', b'5', b'null', b'true', b'[{"secret":"a"}]'):
        err(post(r, 'b05', body), r.m(422, 500))
    nothing_stored(r, 'b05')


def b06_cut_short(r):
    for body in (b'{"secret":', b'{"secret":"a"', b'{"secret":"a', b'{', b'{"secret" "a"}',
                 b"{'secret':'a'}", b'secret=a', b'{"secret":"a",}'):
        err(post(r, 'b06', body), 400)
    nothing_stored(r, 'b06')


def b07_more_behind_it(r):
    for tail in (b' x', b'{}', b',', b'\x00', b' {"secret":"b"}'):
        err(post(r, 'b07', b'{"secret":"a"}' + tail), 400)
    nothing_stored(r, 'b07')
    status(post(r, 'b07', b' \r\n\t{"secret":"a"}\r\n '), r.m(200, 201))
    stored(r, 'b07', 'a')


def b08_secret_given_twice(r):
    err(post(r, 'b08', b'{"secret":"a","secret":"b"}'), 422)
    err(post(r, 'b08', b'{"secret":"a","\\u0073ecret":"a"}'), 422)
    nothing_stored(r, 'b08')


def b09_empty_value(r):
    secret(post(r, 'b09', {'secret': ''}), 'b09', 'k', 1, '', r.m(200, 201))
    stored(r, 'b09', '')


def b10_unknown_member(r):
    body = {'x': 1, 'secret': 'a', 'deep': {'y': [1, {'z': None}]}}
    secret(post(r, 'b10', body), 'b10', 'k', 1, 'a', r.m(200, 201))


def b11_any_text_comes_back_as_it_was(r):
    values = ['"quoted"', 'back\\slash', 'line\nline\r\n', '\ttab\t', 'nul\x00nul', '\U0001f511',
              '${secret:a:b}', '\U00010348\uffff\ufdd0', '\x01\x1f\x7f\x80\u2028\u2029', ' ',
              '  blanks  ', '</script>&<>', 'e\u0301 \u00e9', '\\u0041', '%41%00', '+', 'null',
              ''.join(chr(c) for c in range(0x20)), '${file:/etc/passwd:x}', '\ufeff']
    for i, value in enumerate(values):
        path = f'b11-{i}'
        secret(post(r, path, {'secret': value}), path, 'k', 1, value, r.m(200, 201))
        stored(r, path, value)
    # The same, written with escapes for everything.
    for i, value in enumerate(values):
        path = f'b11-escaped-{i}'
        units = value.encode('utf-16-be')
        text = ''.join(f'\\u{units[j]:02x}{units[j + 1]:02X}' for j in range(0, len(units), 2))
        status(post(r, path, b'{"secret":"' + text.encode() + b'"}'), r.m(200, 201))
        stored(r, path, value)


def b12_lone_surrogate(r):
    for text in (b'\\ud800', b'\\udc00', b'a\\ud800b', b'\\udc00\\ud800', b'\\ud800\\u0041',
                 b'\\uDBFF'):
        err(post(r, 'b12', b'{"secret":"' + text + b'"}'), 400)
    nothing_stored(r, 'b12')


def b13_invalid_utf8(r):
    for octets in (b'\xff', b'\x80', b'\xc3', b'\xc0\xaf', b'\xed\xa0\x80', b'\xf4\x90\x80\x80',
                   b'\xe2\x82'):
        err(post(r, 'b13', b'{"secret":"' + octets + b'"}'), 400)
    nothing_stored(r, 'b13')


def b14_largest_value(r):
    values = ['a' * MAX, '\u00e9' * (MAX // 2), '"' * MAX, '\x01' * MAX,
              'line\n' * (MAX // 5) + 'l' * (MAX % 5)]
    for i, value in enumerate(values):
        path = f'b14-{i}'
        same(len(value.encode()), MAX, 'length of the value')
        status(post(r, path, {'secret': value}), r.m(200, 201))
        stored(r, path, value)


def b15_one_byte_more(r):
    for value in ('a' * (MAX + 1), '\u00e9' * (MAX // 2) + 'a', '\n' * (MAX + 1)):
        err(post(r, 'b15', {'secret': value}), 413)
    nothing_stored(r, 'b15')


def b16_too_large_by_its_length(r):
    for length in (10 ** 10, 10 ** 8, 2 ** 63 - 1):
        connection = r.new(None).open(timeout=8)
        connection.send(build('POST', V('b16', 'k'), r.host, [
            ('Authorization', r.bearer('adm')), ('Content-Type', 'application/json'),
            ('Content-Length', str(length))], b'{"secret":"'))
        # A number that no file could have is no number.
        codes = (400, 413) if length > 1 << 62 else (413,)
        err(connection.answer(f'POST of {length} bytes'), *codes)
        connection.close()
    nothing_stored(r, 'b16')


def b17_other_content_type(r):
    for kind in ('text/plain', 'application/xml', 'application/x-www-form-urlencoded',
                 'application/jsonx', 'text/json', 'application/vnd.x.v1', 'json',
                 'multipart/json'):
        err(post(r, 'b17', {'secret': 'a'}, [('Content-Type', kind)]), 415)
    nothing_stored(r, 'b17')


def b18_content_types_of_json(r):
    kinds = ['application/json; charset=utf-8', 'application/json;charset="UTF-8"; x=y',
             'APPLICATION/JSON', 'application/vnd.schemaregistry.v1+json',
             'application/vnd.x+json; q=1', ' application/json ']
    for i, kind in enumerate(kinds):
        status(post(r, f'b18-{i}', b'{"secret":"a"}', [('Content-Type', kind)]), r.m(200, 201))
    answer = r.raw(build('POST', V('b18-none', 'k'), r.host, [
        ('Authorization', r.bearer('adm'))], b'{"secret":"a"}'), 'POST without a type')
    secret(answer, 'b18-none', 'k', 1, 'a', r.m(200, 201))


def b19_chunked(r):
    parts = [b'{"sec', b'ret":"', b'a' * 3000, b'"}']
    body = b''.join(b'%x;ext=1\r\n%s\r\n' % (len(p), p) for p in parts) + b'0\r\n\r\n'
    answer = r.as_('adm').post(V('b19', 'k'), body, [('Transfer-Encoding', 'chunked'),
                                                    ('Content-Type', 'application/json')])
    secret(answer, 'b19', 'k', 1, 'a' * 3000, r.m(200, 201))
    stored(r, 'b19', 'a' * 3000)


def b20_body_cut_short(r):
    body = b'{"secret":"a"}'
    for sent, headers in ((body, [('Content-Length', str(len(body) + 1))]),
                          (body[:5], [('Content-Length', str(len(body)))]),
                          (b'e\r\n' + body, [('Transfer-Encoding', 'chunked')]),
                          (b'e\r\n' + body + b'\r\n', [('Transfer-Encoding', 'chunked')]),
                          (b'', [('Content-Length', str(len(body)))])):
        for shut in (True, False):
            connection = r.new(None).open()
            connection.send(build('POST', V('b20', 'k'), r.host, [
                ('Authorization', r.bearer('adm')), *headers], sent))
            if shut:
                connection.shut()
                try:
                    answer = connection.answer('POST cut short')
                    err(answer, 400, 408)
                except (ConnectionError, Closed):
                    pass
            connection.close()
    time.sleep(0.1)
    nothing_stored(r, 'b20')


def b21_deep_nesting(r):
    for deep in (b'{"secret":' + b'[' * 10000 + b']' * 10000 + b'}', b'[' * 10000,
                 b'{"a":' * 10000 + b'1' + b'}' * 10000,
                 b'{"secret":"a","x":' + b'[' * 10000 + b']' * 10000 + b'}'):
        err(post(r, 'b21', deep), 400)
    nothing_stored(r, 'b21')
    same(r.ready(), 200, '/health/ready')


def b22_no_100_without_credentials(r):
    head = [('Expect', '100-continue'), ('Content-Type', 'application/json'),
            ('Content-Length', '14')]
    connection = r.new(None).open()
    connection.send(build('POST', V('b22', 'k'), r.host, head, b''))
    answer = err(connection.answer('POST with Expect'), 401)
    same(answer.interim, [], 'interim answers')
    connection.close()
    # With credentials it comes, and then the body is taken.
    connection = r.new(None).open()
    connection.send(build('POST', V('b22', 'k'), r.host, [
        ('Authorization', r.bearer('adm')), *head], b''))
    same(connection.head('POST with Expect')[0], 100, 'interim status')
    connection.send(b'{"secret":"a"}')
    secret(connection.answer('POST with Expect'), 'b22', 'k', 1, 'a', r.m(200, 201))
    connection.close()


def b23_bad_framing(r):
    body = b'{"secret":"a"}'
    bad = [[('Content-Length', '14'), ('Content-Length', '15')],
           [('Content-Length', '14'), ('Content-Length', '14')],
           [('Content-Length', '+14')], [('Content-Length', '-1')], [('Content-Length', '0x0e')],
           [('Content-Length', '14, 14')], [('Content-Length', '')],
           [('Content-Length', '99999999999999999999')],
           [('Content-Length', '14'), ('Transfer-Encoding', 'chunked')],
           [('Transfer-Encoding', 'xchunked')], [('Transfer-Encoding', 'gzip, chunked')],
           [('Transfer-Encoding', 'identity'), ('Content-Length', '14')]]
    for headers in bad:
        data = build('POST', V('b23', 'k'), r.host, [
            ('Authorization', r.bearer('adm')), ('Content-Type', 'application/json'), *headers],
            body + build('POST', V('b23', 'smuggled'), r.host, [
                ('Authorization', r.bearer('adm'))], body))
        answer = r.raw(data, f'POST with {headers}')
        status(answer, *((400, 413) if '99999' in str(headers) else (400,)))
        same((answer.header('Connection') or '').lower(), 'close', f'{headers}: Connection')
    time.sleep(0.05)
    nothing_stored(r, 'b23')
    ok(r.as_('adm').get(V('b23', 'smuggled')), [])


def b24_mask_is_refused(r):
    for value in ('****', '********', '[hidden]'):
        err(post(r, 'b24', {'secret': value}), 422)
    nothing_stored(r, 'b24')
    status(post(r, 'b24', {'secret': '****a'}), r.m(200, 201))


def b25_pipelined_requests_are_answered_in_order(r):
    connection = r.new(None).open()
    auth = [('Authorization', r.bearer('adm'))]
    data = b''.join(build('POST', V('b25', 'k'), r.host, auth,
                          json.dumps({'secret': f'v{i}'}).encode()) for i in range(5))
    connection.send(data + build('GET', P, r.host, auth)
                    + build('GET', V('b25', 'k'), r.host, auth))
    for i in range(5):
        secret(connection.answer('POST'), 'b25', 'k', i + 1, f'v{i}', r.m(200, 201))
    status(connection.answer('GET'), 200)
    ok(connection.answer('GET'), [1, 2, 3, 4, 5])
    connection.close()


if __name__ == '__main__':
    run.main(globals(), dialects=BOTH)
