"""The built program and its command line."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PROGRAM = os.path.abspath(os.environ.get('PROPSEAL') or os.path.join(ROOT, 'build', 'propseal'))


def sanitized():
    """Was it built with the address sanitizer?"""
    with open(PROGRAM, 'rb') as f:
        return b'__asan_init' in f.read()


def environment(**more):
    """Ours, without anything that the program looks for."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(('PROPSEAL_', 'CONFLUENT_', 'CONNECT_'))
           and name != 'CREDENTIALS_DIRECTORY'}
    env.update(more)
    return env


def version():
    """The one that stands in the Makefile."""
    with open(os.path.join(ROOT, 'Makefile')) as f:
        return next(line.split()[-1] for line in f if line.startswith('VERSION :='))


class Failed(Exception):
    pass


def run(*args, stdin=b'', code=0, timeout=30):
    """`propseal registry ARGS`; code None: any exit status."""
    done = subprocess.run([PROGRAM, 'registry', *args], input=stdin, env=environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    if code is not None and done.returncode != code:
        raise Failed(f'registry {" ".join(args)}: expected exit status {code}, seen '
                     f'{done.returncode}: {done.stderr.decode(errors="replace").strip()}')
    return done


def user_add(data, name, password):
    return run('user', 'add', name, '--data', data, stdin=password.encode() + b'\n')


def role(verb, data, name, principal, path=None, prefix=None, code=0):
    where = ['--path', path] if path is not None else []
    where += ['--prefix', prefix] if prefix is not None else []
    return run('role', verb, name, '--principal', principal, *where, '--data', data, code=code)


def token_create(data, principal, ttl=None):
    """(id, token) as the command prints them."""
    more = ['--ttl', str(ttl)] if ttl is not None else []
    done = run('token', 'create', '--principal', principal, *more, '--data', data)
    token = max(done.stdout.decode().split(), key=len)
    words = (done.stdout + done.stderr).decode().replace(',', ' ').replace(':', ' ').split()
    ids = [word for word in words if len(word) == 12 and word != token]
    return (ids[0] if ids else None), token


def audit_verify(data, key_file, code=0):
    return run('audit', 'verify', '--data', data, '--master-key-file', key_file, code=code)
