"""The embedded store's file, looked at and altered while no server runs."""
import contextlib
import json
import os
import shutil
import sqlite3

from lib import harness
from lib.check import fail


def file_of(data):
    for name in sorted(os.listdir(data)):
        path = os.path.join(data, name)
        if os.path.isfile(path):
            with open(path, 'rb') as f:
                if f.read(16) == b'SQLite format 3\0':
                    return path
    fail(f'no SQLite file in the data folder: {sorted(os.listdir(data))}')


@contextlib.contextmanager
def opened(data, copy=False):
    """The database; a copy leaves a killed server's files as they are."""
    path = file_of(data)
    if copy:
        folder = harness.scratch('copy')
        for name in os.listdir(data):
            if name.startswith(os.path.basename(path)):
                shutil.copy(os.path.join(data, name), folder)
        path = os.path.join(folder, os.path.basename(path))
    db = sqlite3.connect(path)
    try:
        yield db
        db.commit()
    finally:
        db.close()
        if copy:
            shutil.rmtree(folder)


def integrity(data, copy=False):
    with opened(data, copy) as db:
        return [row[0] for row in db.execute('PRAGMA integrity_check')]


def rows(data, copy=False):
    """(offset, key bytes, value bytes) in order."""
    with opened(data, copy) as db:
        return [(offset, bytes(key), bytes(value)) for offset, key, value in
                db.execute('SELECT offset, key, value FROM record ORDER BY offset')]


def name_of(key):
    try:
        found = json.loads(key)
        return found if isinstance(found, dict) else {}
    except ValueError:
        return {}


def secrets(data, copy=False):
    """{(path, key, version): (offset, key bytes, value bytes)}, the lowest
    offset of each."""
    found = {}
    for offset, key, value in rows(data, copy):
        name = name_of(key)
        if name.get('t') == 'SECRET':
            found.setdefault((name['path'], name['key'], name['version']), (offset, key, value))
    return found


def set_value(data, offset, value):
    with opened(data) as db:
        db.execute('UPDATE record SET value = ? WHERE offset = ?', (value, offset))


def append(data, key, value):
    """As a foreign writer would: after the last record."""
    with opened(data) as db:
        last = db.execute('SELECT max(offset) FROM record').fetchone()[0] or 0
        offset = max(last + 1, db.execute('SELECT next FROM meta').fetchone()[0])
        db.execute('INSERT INTO record(offset, key, value) VALUES(?, ?, ?)', (offset, key, value))
        db.execute('UPDATE meta SET next = ?', (offset + 1,))
    return offset


def delete_all(data):
    with opened(data) as db:
        db.execute('DELETE FROM record')
