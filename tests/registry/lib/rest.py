"""HTTP over raw sockets: what was sent and what came back, byte for byte."""
import json
import socket
import threading
from urllib.parse import quote

from lib.check import fail, show

P = '/secret/paths'


def path_url(path):
    return f'{P}/{quote(path, safe="")}'


def key_url(path, key):
    return f'{path_url(path)}/keys/{quote(key, safe="")}'


def V(path, key):
    return key_url(path, key) + '/versions'


class Closed(Exception):
    """The server closed the connection before a whole answer."""


def strict_json(data):
    """JSON without doubled members, NaN or bytes that are not UTF-8."""
    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f'a member occurs twice: {names}')
        return dict(pairs)

    def constant(text):
        raise ValueError(f'not JSON: {text}')
    return json.loads(data.decode('utf-8'), object_pairs_hook=members, parse_constant=constant)


class Answer:
    def __init__(self, what, code, reason, headers, body, interim):
        self.what, self.status, self.reason = what, code, reason
        self.headers, self.body, self.interim = headers, body, interim

    def header(self, name):
        values = self.all(name)
        if len(values) > 1:
            fail(f'{self.what}: header {name} occurs {len(values)} times: {values}')
        return values[0] if values else None

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def json(self):
        try:
            return strict_json(self.body)
        except ValueError as e:
            fail(f'{self.what}: the body is not JSON ({e}): {show(self.body)}')


class Connection:
    """One connection; requests are bytes."""

    def __init__(self, address, tls=None, timeout=20, source=None, name='localhost'):
        self.sock = socket.create_connection(address, timeout, source and (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=name)
        self.buffer = b''

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()

    def shut(self):
        """No more will be sent; answers can still be read."""
        self.sock.shutdown(socket.SHUT_WR)

    def is_closed_by_peer(self):
        """Wait for the end of the stream; anything that comes is dropped."""
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def more(self):
        try:
            data = self.sock.recv(262144)
        except ConnectionError as e:
            raise Closed(str(e)) from None
        if not data:
            raise Closed(f'end of stream after {show(self.buffer)}')
        self.buffer += data

    def line(self):
        while b'\r\n' not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b'\r\n', 1)
        return line

    def bytes(self, count):
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self, what):
        first = self.line().decode('latin-1')
        version, _, rest = first.partition(' ')
        code, _, reason = rest.partition(' ')
        if version != 'HTTP/1.1' or not code.isdigit():
            fail(f'{what}: not a status line: {show(first)}')
        headers = []
        while line := self.line():
            name, colon, value = line.decode('latin-1').partition(':')
            if not colon:
                fail(f'{what}: not a header: {show(line)}')
            headers.append((name, value.strip()))
        return int(code), reason, headers

    def answer(self, what='answer', method='GET'):
        interim = []
        while True:
            code, reason, headers = self.head(what)
            if code >= 200:
                break
            interim.append(code)
        named = {name.lower(): value for name, value in headers}
        if method == 'HEAD' or code in (204, 304):
            body = b''
        elif named.get('transfer-encoding', '').lower() == 'chunked':
            body = self.chunks()
        elif 'content-length' in named:
            body = self.bytes(int(named['content-length']))
        else:
            body = self.until_end()
        return Answer(what, code, reason, headers, body, interim)

    def chunks(self):
        body = b''
        while size := int(self.line().split(b';')[0], 16):
            body += self.bytes(size)
            self.line()
        while self.line():
            pass
        return body

    def until_end(self):
        try:
            while True:
                self.more()
        except Closed:
            data, self.buffer = self.buffer, b''
            return data


def build(method, target, host, headers=(), body=None):
    """The bytes of a request; a body that is not bytes becomes JSON."""
    lines = [f'{method} {target} HTTP/1.1'.encode()]
    names = {name.lower() for name, _ in headers}
    if 'host' not in names:
        lines.append(f'Host: {host}'.encode())
    if body is not None:
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode('utf-8', 'surrogatepass')
            if 'content-type' not in names:
                lines.append(b'Content-Type: application/json')
        if 'content-length' not in names and 'transfer-encoding' not in names:
            lines.append(b'Content-Length: %d' % len(body))
    lines += [name.encode() + b': ' + (value if isinstance(value, bytes) else value.encode())
              for name, value in headers]
    return b'\r\n'.join(lines) + b'\r\n\r\n' + (body or b'')


class Client:
    """Requests of one principal, over a connection that is kept."""

    def __init__(self, registry, authorization=None, tls=None, source=None):
        self.registry, self.authorization, self.tls = registry, authorization, tls
        self.source, self.connection = source, None

    def open(self, **more):
        return Connection(self.registry.address, self.tls, source=self.source, **more)

    def request(self, method, target, body=None, headers=()):
        headers = list(headers)
        if self.authorization and 'authorization' not in {n.lower() for n, _ in headers}:
            headers.append(('Authorization', self.authorization))
        data = build(method, target, self.registry.host, headers, body)
        what = f'{method} {target if len(target) < 120 else target[:120] + "..."}'
        kept = self.connection
        self.connection = None
        connection = kept or self.open()
        try:
            connection.send(data)
            answer = connection.answer(what, method)
        except (Closed, ConnectionError):
            if not kept or method not in ('GET', 'HEAD') and not connection.buffer == b'':
                raise
            connection = self.open()
            connection.send(data)
            answer = connection.answer(what, method)
        if (answer.header('Connection') or '').lower() == 'close':
            connection.close()
        else:
            self.connection = connection
        self.registry.saw(answer)
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def get(self, target, headers=()):
        return self.request('GET', target, None, headers)

    def head(self, target, headers=()):
        return self.request('HEAD', target, None, headers)

    def post(self, target, body=None, headers=()):
        return self.request('POST', target, body, headers)

    def put(self, target, body=None, headers=()):
        return self.request('PUT', target, body, headers)

    def patch(self, target, body=None, headers=()):
        return self.request('PATCH', target, body, headers)

    def delete(self, target, body=None, headers=()):
        return self.request('DELETE', target, body, headers)


def in_parallel(count, work):
    """Run work(i) for i below count, each in a thread of its own that waits
    for all the others to be there; returns what each returned."""
    results, errors = [None] * count, []
    barrier = threading.Barrier(count)

    def run(i):
        try:
            barrier.wait(20)
            results[i] = work(i)
        except BaseException as e:
            errors.append(e)
    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    if errors:
        raise errors[0]
    return results
