"""The audit log as an auditor reads it."""
import glob
import os

from lib.check import fail, show
from lib.rest import strict_json


def file_of(r):
    return r.config.get('audit.file') or os.path.join(r.data, 'audit.log')


def files(r):
    """Rotated ones first, by the seq of their first line."""
    found = []
    for name in glob.glob(glob.escape(file_of(r)) + '*'):
        with open(name, 'rb') as f:
            first = f.readline()
        try:
            line = strict_json(first)
            if 'specversion' in line:  # not the chain's anchor
                found.append((line['seq'], name))
        except (ValueError, KeyError, TypeError):
            if name == file_of(r):
                found.append((1 << 62, name))
    return [name for _, name in sorted(found)]


def parse(text, where):
    try:
        line = strict_json(text)
    except ValueError as e:
        fail(f'{where}: not a JSON line ({e}): {show(text)}')
    if not isinstance(line, dict):
        fail(f'{where}: not a JSON object: {show(text)}')
    return line


def lines_of(path):
    with open(path, 'rb') as f:
        data = f.read()
    whole, _, torn = data.rpartition(b'\n')
    return [parse(text, f'{os.path.basename(path)} line {i + 1}')
            for i, text in enumerate(whole.split(b'\n') if whole else [])]


def lines(r):
    return [line for name in files(r) for line in lines_of(name)]


def text(r):
    """All bytes of all files."""
    data = b''
    for name in files(r):
        with open(name, 'rb') as f:
            data += f.read()
    return data


def deep(line, *names):
    for name in names:
        if isinstance(line, list):
            line = line[0] if line else None
        line = line.get(name) if isinstance(line, dict) else None
    return line


def data(line, *names):
    return deep(line, 'data', *names)


def method(line):
    return (data(line, 'methodName') or '').removeprefix('secret-registry.')


def phase(line):
    return data(line, 'request', 'phase')


def request_id(line):
    found = data(line, 'requestMetadata', 'requestId')
    return found[0] if isinstance(found, list) and found else None


def client(line):
    found = data(line, 'requestMetadata', 'clientAddress')
    return deep(found, 'ip')


def principal(line):
    return data(line, 'authenticationInfo', 'principal')


def granted(line):
    return data(line, 'authorizationInfo', 'granted')


def result(line):
    return data(line, 'result', 'status')


def count(line):
    """How many happenings this line stands for: itself, and those folded into it."""
    return 1 + (data(line, 'request', 'count') or 0)


def apart(line):
    """The intent and the outcome of an action that one line tells of; else the line."""
    what = line.get('data', {})
    if phase(line) != 'outcome' or 'authorizationInfo' not in what:
        return [line]
    return [dict(line, data={**{k: v for k, v in what.items() if k != 'result'},
                             'request': {**what['request'], 'phase': 'intent'}}),
            dict(line, data={k: v for k, v in what.items() if k != 'authorizationInfo'})]


def events(r):
    return [event for line in lines(r) for event in apart(line)]


def of_request(r, id_):
    return [event for event in events(r) if request_id(event) == id_]
