"""The embedded store's file, looked at and altered while no server runs."""
import base64
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
            if name in (os.path.basename(path), os.path.basename(path) + '-wal'):
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
    """Every row of every table, by the table's name."""
    with opened(data, copy) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {name: db.execute(f'SELECT * FROM {name}').fetchall() for name in sorted(names)}


def secrets(data, copy=False):
    """{(path, key, version): the row's columns by name}"""
    with opened(data, copy) as db:
        db.row_factory = sqlite3.Row
        return {(row['path'], row['key'], row['version']): dict(row)
                for row in db.execute('SELECT * FROM secret')}


def sealed_parts(row):
    """The data key's number, and what stands behind it in a sealed value."""
    sealed = row['sealed']
    return {'kid': int.from_bytes(sealed[:4], 'big'), 'salt': sealed[4:36], 'iv': sealed[36:48],
            'ct': sealed[48:]}


def set_columns(data, offset, **columns):
    with opened(data) as db:
        for name, value in columns.items():
            db.execute(f'UPDATE secret SET {name} = ? WHERE offset = ?', (value, offset))


# --- a file of the first edition ---

def compact(value):
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False).encode()


def record_of(row, idem):
    """A version as the first edition kept it."""
    parts = sealed_parts(row)
    key = {'t': 'SECRET', 'path': row['path'], 'key': row['key'], 'version': row['version'],
           'claim': os.urandom(16).hex()}
    value = {'m': 1, 'kid': parts['kid'], 'alg': 'HKDF-SHA256+AES-256-GCM'}
    value.update({name: base64.b64encode(parts[name]).decode() for name in ('salt', 'iv', 'ct')})
    value.update(createdAt=row['created'], createdBy=row['principal'],
                 expiresAt=row['expires'] or 0, epoch=1)
    if idem:
        value['idem'] = base64.b64encode(idem).decode()
    return compact(key), compact(value)


def first_edition(data):
    """Put the same registry as the first edition kept it in the database's place."""
    path = file_of(data)
    with opened(data) as db:
        db.row_factory = sqlite3.Row
        records = [(b'{"t":"KEYRING"}',
                    db.execute('SELECT text FROM keyring').fetchone()[0].encode())]
        idems = {row['offset']: row['digest'] + row['content']
                 for row in db.execute('SELECT * FROM idempotency')}
        metas = {(row['path'], row['key']): dict(row) for row in
                 db.execute('SELECT * FROM setting')}
        for row in db.execute('SELECT * FROM secret ORDER BY offset').fetchall():
            records.append(record_of(row, idems.get(row['offset'])))
            if row['state'] == 2:
                metas.setdefault((row['path'], row['key']), {}).setdefault('deleted', []).append(
                    {'n': row['version'], 'at': row['due'], 'by': row['deleter']})
        for (name, key), meta in metas.items():
            high = db.execute('SELECT max(version) FROM secret WHERE path = ? AND key = ?',
                              (name, key)).fetchone()[0] or 0
            records.append((compact({'t': 'META', 'path': name, 'key': key}), compact({
                'm': 1, 'high': max(high, meta.get('high', 0)),
                'deleted': meta.get('deleted', []), 'destroyed': [],
                'maxVersions': meta.get('max_versions', 0),
                'casRequired': bool(meta.get('cas_required', 0)),
                'custom': json.loads(meta.get('custom', '{}')),
                'updatedAt': meta.get('updated', 0), 'updatedBy': meta.get('updater', ''),
                'mcas': meta.get('mcas', 0)})))
    for tail in ('', '-wal', '-shm'):
        if os.path.exists(path + tail):
            os.unlink(path + tail)
    db = sqlite3.connect(path)
    db.executescript(f'PRAGMA journal_mode=WAL; PRAGMA application_id={0x50534c47};'
                     'PRAGMA user_version=1;'
                     'CREATE TABLE record(offset INTEGER PRIMARY KEY,key BLOB NOT NULL,'
                     'value BLOB NOT NULL);'
                     'CREATE TABLE meta(id INTEGER PRIMARY KEY,next INTEGER NOT NULL,'
                     'epoch INTEGER NOT NULL)')
    db.executemany('INSERT INTO record(key, value) VALUES(?, ?)', records)
    db.execute('INSERT INTO meta VALUES(0, 0, 1)')
    db.commit()
    db.close()
    os.chmod(path, 0o600)


def append_first(data, key, value):
    """One more record of the first edition, as a foreign writer would."""
    with opened(data) as db:
        last = db.execute('SELECT max(offset) FROM record').fetchone()[0] or 0
        db.execute('INSERT INTO record(offset, key, value) VALUES(?, ?, ?)',
                   (last + 1, key, value))


def first_records(data):
    """The records that were left in the first edition's file."""
    db = sqlite3.connect(file_of(data) + '.v1')
    found = {bytes(key): bytes(value) for key, value in
             db.execute('SELECT key, value FROM record')}
    db.close()
    return found
