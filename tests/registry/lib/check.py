"""What a case expects: each function raises Mismatch with both sides."""
import json
import re


class Mismatch(Exception):
    pass


def show(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + f'... ({len(text)} characters)'


def fail(text):
    raise Mismatch(text)


def check(condition, text, seen=None):
    """The condition must hold; text says what was expected."""
    if not condition:
        fail(f'expected: {text}; seen: {show(seen)}' if seen is not None else f'expected: {text}')


def same(seen, expected, what='value'):
    """Equal, and of the same type (1 is not True, nor 1.0)."""
    if json_text(seen) != json_text(expected):
        fail(f'{what}: expected {show(expected)}, seen {show(seen)}')


def json_text(value):
    if isinstance(value, (dict, list, str, int, float, bool)) or value is None:
        return json.dumps(value, sort_keys=True)
    return repr(value)


def status(answer, *expected):
    if answer.status not in expected:
        fail(f'{answer.what}: expected status {" or ".join(map(str, expected))}, '
             f'seen {answer.status} {show(answer.body)}')
    return answer


def is_json(answer):
    kind = answer.header('Content-Type') or ''
    if not re.fullmatch(r'application/json(; *charset=utf-8)?', kind, re.I):
        fail(f'{answer.what}: expected Content-Type application/json, seen {show(kind)}')


def ok(answer, body=None, code=200):
    """A success with this JSON body exactly."""
    status(answer, code)
    is_json(answer)
    if body is not None:
        same(answer.json(), body, f'{answer.what}: body')
    return answer


def err(answer, *codes):
    """An error body, exactly {"error_code": status, "message": non-empty}."""
    status(answer, *codes)
    is_json(answer)
    body = answer.json()
    if (not isinstance(body, dict) or set(body) != {'error_code', 'message'}
            or type(body['error_code']) is not int or body['error_code'] != answer.status
            or not isinstance(body['message'], str) or not body['message']):
        fail(f'{answer.what}: expected exactly {{"error_code":{answer.status},'
             f'"message":<non-empty string>}}, seen {show(answer.body)}')
    for odd in ('Exception', '/src/', '.c:', 'SQLITE', 'errno'):
        if odd in body['message']:
            fail(f'{answer.what}: the message shows the inside: {show(body["message"])}')
    return answer


def empty(answer, code):
    """A status without any body."""
    status(answer, code)
    same(answer.body, b'', f'{answer.what}: body')
    return answer


def secret(answer, path, key, version, value, code=200):
    """A Secret object with its four members and no other."""
    return ok(answer, {'path': path, 'key': key, 'version': version, 'secret': value}, code)
