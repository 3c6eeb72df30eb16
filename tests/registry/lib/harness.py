"""A registry under test: its folder, its process, its users."""
import atexit
import base64
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from lib import program
from lib.check import fail
from lib.rest import Client, Connection

# The principals of the cases (contract, section 12).
ROLES = [
    ('adm', 'SystemAdmin', {}),
    ('ua', 'UserAdmin', {}),
    ('ca', 'ClusterAdmin', {}),
    ('sec', 'SecurityAdmin', {}),
    ('aud', 'AuditAdmin', {}),
    ('op', 'Operator', {}),
    ('own', 'ResourceOwner', {'path': 'conn-a'}),
    ('pre', 'ResourceOwner', {'prefix': 'team1-'}),
    ('dr', 'DeveloperRead', {'path': 'conn-a'}),
    ('dw', 'DeveloperWrite', {'path': 'conn-a'}),
    ('wrk', 'ConnectWorker', {'path': 'conn-a'}),
    ('nob', None, {}),
]
PASSWORDS = {'adm': 'the pass:word of adm \u00fc', 'own': 'own-password-0'}

# What would be a leak wherever it is seen outside of an answer.
MARKER = 'Mark3r-0f-a-Secret-Value'

# A setting that is None is left out.  What is answered is in the file, for cases that look there.
QUICK = {'auth.failures.max': 1000000, 'http.drain.timeout.ms': 3000, 'audit.required': 'file'}
START_TIMEOUT = 30

_work = None
_template = None
_all = []


def work():
    """This process's scratch folder, removed at its end."""
    global _work
    if not _work:
        _work = tempfile.mkdtemp(prefix='propseal-registry.')
        # The trail of what is tried here is none of the user's.
        os.environ['XDG_STATE_HOME'] = os.path.join(_work, 'state')
        atexit.register(clean_up)
    return _work


def clean_up():
    for registry in _all:
        registry.destroy()
    shutil.rmtree(_work, ignore_errors=True)


def scratch(name):
    return tempfile.mkdtemp(prefix=name + '.', dir=work())


class Template:
    """A data folder with the users, tokens and roles, made once."""

    def __init__(self):
        self.data = os.path.join(scratch('template'), 'data')
        self.tokens = {}
        for name, password in PASSWORDS.items():
            program.user_add(self.data, name, password)
        for name, role, where in ROLES:
            self.tokens[name] = program.token_create(self.data, name)[1]
            if role:
                program.role('grant', self.data, role, name, **where)


def template():
    global _template
    if not _template:
        _template = Template()
    return _template


def key_text():
    return base64.b64encode(os.urandom(32)).decode()


def write(path, text, mode=0o600):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    os.fchmod(fd, mode)         # a server may remove it as soon as it is there
    with os.fdopen(fd, 'w') as f:
        f.write(text)
    return path


def basic(name, password):
    return 'Basic ' + base64.b64encode(f'{name}:{password}'.encode()).decode()


class Registry:
    """One data folder and the server over it."""

    def __init__(self, config=None, dialect='confluent', data=None, key=None):
        self.folder = scratch('registry')
        self.data = data or os.path.join(self.folder, 'data')
        if not os.path.isdir(self.data) or not os.listdir(self.data):
            shutil.copytree(template().data, self.data, dirs_exist_ok=True)
            os.chmod(self.data, 0o700)
        self.tokens = dict(template().tokens)
        self.dialect = dialect
        self.config = {**QUICK, 'rest.compat': dialect, **(config or {})}
        self.key_file = write(os.path.join(self.folder, 'master'), (key or key_text()) + '\n')
        self.errors_file = os.path.join(self.folder, 'stderr')
        self.output_file = os.path.join(self.folder, 'stdout')
        self.process = self.address = self.host = None
        self.wrap, self.env, self.stdout, self.limits = [], {}, None, {}
        self.clients, self.bare = {}, []
        self.died = None
        self.kept = False  # beyond the case that made it
        _all.append(self)

    # --- the two dialects ---

    @property
    def mredjem(self):
        return self.dialect == 'mredjem'

    def m(self, confluent, mredjem):
        return mredjem if self.mredjem else confluent

    # --- the process ---

    def arguments(self, key_file=None):
        config = write(os.path.join(self.folder, 'registry.conf'), ''.join(
            f'{name} = {str(value).lower() if isinstance(value, bool) else value}\n'
            for name, value in self.config.items() if value is not None))
        return ['registry', 'serve', '--data', self.data, '--listen', '127.0.0.1:0',
                '--config', config, '--master-key-file', key_file or self.key_file]

    def launch(self, key_file=None):
        """Start the process; does not wait."""
        def prepare():
            for which, limit in self.limits.items():
                resource.setrlimit(which, limit)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.errors_start = os.path.getsize(self.errors_file) \
            if os.path.exists(self.errors_file) else 0
        with open(self.errors_file, 'ab') as errors, open(self.output_file, 'ab') as output:
            self.process = subprocess.Popen(
                [*self.wrap, program.PROGRAM, *self.arguments(key_file)],
                stdin=subprocess.DEVNULL, stdout=self.stdout or output, stderr=errors,
                env=program.environment(**self.env), cwd=self.folder, preexec_fn=prepare)
        self.address = None

    def errors(self):
        """What this start has printed on standard error."""
        with open(self.errors_file, 'rb') as f:
            f.seek(self.errors_start)
            return f.read().decode(errors='replace')

    def wait_listening(self, timeout=START_TIMEOUT):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            found = re.search(r'listening on \[?([0-9a-f.:]+?)\]?:(\d+)', self.errors())
            if found:
                self.address = (found[1], int(found[2]))
                self.host = f'{found[1]}:{found[2]}'
                return self
            if self.process.poll() is not None:
                fail(f'the server did not start (exit {self.process.returncode}): '
                     f'{self.errors()[-600:]}')
            time.sleep(0.003)
        fail(f'no line "listening on" within {timeout} s: {self.errors()[-600:]}')

    def ready(self):
        """The status of /health/ready, 0 when there is no answer."""
        try:
            connection = Connection(self.address, self.tls() if self.tls else None, timeout=5)
            connection.send(f'GET /health/ready HTTP/1.1\r\nHost: {self.host}\r\n'
                            'Connection: close\r\n\r\n'.encode())
            answer = connection.answer('GET /health/ready')
            connection.close()
            self.said = answer.body.decode()
            return answer.status
        except Exception:
            return 0

    tls = None
    said = ''

    @property
    def base(self):
        """Before the paths of what it makes."""
        return f'{"https" if self.tls else "http"}://{self.host}'

    def wait_ready(self, timeout=START_TIMEOUT):
        end = time.monotonic() + timeout
        code = None
        while time.monotonic() < end:
            code = self.ready()
            if code == 200:
                return self
            if self.process.poll() is not None:
                fail(f'the server ended (exit {self.process.returncode}): {self.errors()[:600]}')
            time.sleep(0.005)
        fail(f'/health/ready: expected 200 within {timeout} s, seen {code} {self.said[:200]}')

    def start(self, key_file=None):
        self.launch(key_file)
        return self.wait_listening().wait_ready()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def pid(self):
        return self.process.pid

    def drop_clients(self):
        for client in self.clients.values():
            client.close()

    def stop(self):
        """SIGTERM; the exit status."""
        self.drop_clients()
        if self.process is None:
            return 0
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            fail('the server did not end within 20 s of SIGTERM')
        self.process = None
        if code != 0:
            self.died = self.died or f'exit status {code}: {self.errors()[-1500:]}'
        return code

    def kill(self):
        self.drop_clients()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, key_file=None):
        self.stop()
        return self.start(key_file)

    def refuses_to_start(self, key_file=None, timeout=START_TIMEOUT):
        """Launch, and expect it to end by itself, not with 0, before it
        listens; what it said on standard error."""
        self.launch(key_file)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            said = self.errors()
            self.kill()
            fail(f'expected: the start is refused; it runs: {said[-400:]}')
        self.process = None
        said = self.errors()
        if code <= 0 or 'listening on' in said:
            fail(f'expected: a refusal to start with exit status > 0; seen {code}: {said[-400:]}')
        if not said.strip():
            fail('the refusal to start says nothing')
        return said

    def destroy(self):
        try:
            self.kill()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- callers ---

    def bearer(self, name):
        return 'Bearer ' + self.tokens[name]

    def new(self, name=None, **more):
        """A client of its own (for threads); None: without credentials."""
        return Client(self, self.bearer(name) if name else None,
                      self.tls() if self.tls else None, **more)

    def as_(self, name):
        if name not in self.clients:
            self.clients[name] = self.new(name)
        return self.clients[name]

    def with_header(self, authorization):
        """A client with this Authorization header."""
        key = ('header', authorization)
        if key not in self.clients:
            self.clients[key] = Client(self, authorization, self.tls() if self.tls else None)
        return self.clients[key]

    def raw(self, data, what='raw request', method='GET', timeout=20):
        """Send bytes over a connection of their own; the answer."""
        connection = Connection(self.address, self.tls() if self.tls else None, timeout=timeout)
        try:
            connection.send(data)
            return connection.answer(what, method)
        finally:
            connection.close()

    def saw(self, answer):
        """Note an answer that lacks what section 3.6 wants on each."""
        wants = [('Cache-Control', 'no-store'), ('Pragma', 'no-cache'),
                 ('X-Content-Type-Options', 'nosniff')]
        lacks = [f'{n}: {v}' for n, v in wants if answer.all(n) != [v]]
        ids = answer.all('X-Request-Id')
        if len(ids) != 1 or not re.fullmatch('[A-Za-z0-9._-]{1,64}', ids[0]):
            lacks.append(f'X-Request-Id ({ids})')
        if any(re.search(r'[0-9]', v) for v in answer.all('Server')):
            lacks.append('a Server header without version')
        if answer.all('Access-Control-Allow-Origin'):
            lacks.append('no CORS header')
        if lacks and len(self.bare) < 100:
            self.bare.append(f'{answer.what} ({answer.status}): {", ".join(lacks)}')


def all_registries():
    return _all
