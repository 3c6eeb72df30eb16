"""The program tests/registry/http_server, raw connections to it, certificates for it.

A suite marks its functions with @test and ends in main(__doc__): all run,
whatever fails; the last line is `N passed, N failed`.  Arguments: words of the
names of those to run.
"""

import atexit
import datetime
import ipaddress
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.tls import SIGNS

PROGRAM = os.path.join(os.path.dirname(os.environ.get("PROPSEAL", "build/propseal")),
                       "tests/registry/http_server")
LIMIT = 30      # seconds, for what should take none
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def equal(got, expected, what=""):
    if got != expected:
        raise AssertionError("%s: %r instead of %r" % (what or "value", got, expected))


# --- the server ---

class Server:
    def __init__(self, *options, files=None):
        """With a limit of open files, if one is given."""
        limit = files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))
        self.process = subprocess.Popen([PROGRAM] + list(options), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        address = self.process.stdout.readline().strip()
        if not address:
            raise AssertionError("no start: " + self.process.stderr.read())
        host, port = address.rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                self.process.kill()
        elif kind is not None:
            print("the server ended with %d" % self.process.returncode)
        self.process.wait()
        if kind is not None and not self.process.stderr.closed:
            sys.stdout.write(self.process.stderr.read())
        self.process.stdout.close()
        self.process.stderr.close()

    def begin_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        self.begin_stop()
        self.wait()

    def wait(self):
        out, err = self.process.communicate(timeout=LIMIT)
        equal((self.process.returncode, err), (0, ""), "end of the server")
        equal(out.endswith("stopped\n"), True, "last words")

    def files(self):
        """How many are open."""
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def counts(self, tls=None, source=None):
        with Client(self, tls, source) as c:
            body = c.ask(b"GET /counts HTTP/1.1\r\nHost: h\r\n\r\n").body.decode()
        return {k: int(v) for k, v in (line.split("=") for line in body.split())}


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        values = [v for k, v in self.headers if k == name.lower()]
        if len(values) > 1:
            raise AssertionError("%s stands %d times" % (name, len(values)))
        return values[0] if values else None

    def fields(self):
        head = self.body.split(b"\n\n", 1)[0].decode()
        return dict(line.split("=", 1) for line in head.split("\n"))

    def payload(self):
        return self.body.split(b"\n\n", 1)[1]


class Client:
    def __init__(self, server, tls=None, source=None):
        self.socket = socket.create_connection(server.address, LIMIT, source and (source, 0))
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        """More bytes; b"" at the end, however it comes."""
        try:
            more = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            more = b""
        self.data += more
        return more

    def answer(self, head_only=False):
        while b"\r\n\r\n" not in self.data:
            if not self.read():
                return None
        head, rest = self.data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        equal(version, "HTTP/1.1")
        headers = [(k.lower(), v) for k, v in (line.split(": ", 1) for line in lines[1:])]
        a = Answer(int(status), headers, b"")
        length = int(a.header("content-length") or 0)
        if head_only or a.status < 200 or a.status in (204, 304):
            length = 0
        self.data = rest
        parts, have = [self.data], len(self.data)
        while have < length:
            self.data = b""
            if not self.read():
                raise AssertionError("cut after %d of %d bytes" % (have, length))
            parts.append(self.data)
            have += len(self.data)
        whole = b"".join(parts)
        a.body, self.data = whole[:length], whole[length:]
        return a

    def ask(self, data, **options):
        self.send(data)
        return self.answer(**options)

    def is_closed(self):
        """Wait for the end; nothing may come before it."""
        while self.read():
            pass
        rest, self.data = self.data, b""
        equal(rest, b"", "rest")
        return True

    def is_open(self):
        return self.ask(get("/hello")).status == 200


def get(path, *headers, method="GET"):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: h"] + list(headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def post(path, body, *headers):
    return get(path, "Content-Length: %d" % len(body), *headers, method="POST") + body


def big(n):
    """What /big answers."""
    return (bytes(range(97, 123)) * (n // 26 + 1))[:n]


def refused(server, data, status, tls=None):
    """That answer with its body and headers, then the end."""
    with Client(server, tls) as c:
        a = c.ask(data)
        if a is None:
            raise AssertionError("closed without an answer to %r" % data[:80])
        equal(a.status, status, repr(data[:120]))
        equal(a.header("connection"), "close")
        equal(a.header("content-type"), "application/json")
        equal(a.header("cache-control"), "no-store")
        equal(a.body, b'{"error_code":%d}' % status)
        c.is_closed()


def wait_for(truth, what):
    end = time.monotonic() + LIMIT
    while not truth():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


# --- certificates ---

class Files:
    """A CA of its own, certificates of the server and of clients."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="propseal-http.", dir=os.environ.get("TMPDIR", "/tmp"))
        atexit.register(shutil.rmtree, self.dir)
        self.ca = self.authority("ca")
        self.other = self.authority("other")
        self.issue("server", self.ca, "localhost")
        self.issue("server2", self.ca, "second")
        self.issue("client", self.ca, "connect-1",
                   san=[x509.DNSName("worker.example"), x509.UniformResourceIdentifier("urn:x")])
        self.issue("stranger", self.other, "connect-1")
        self.issue("expired", self.ca, "connect-1", days=-1)

    def path(self, name):
        return os.path.join(self.dir, name)

    def name(self, cn):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ö, Inc"),
                          x509.NameAttribute(NameOID.COMMON_NAME, cn)])

    def write(self, name, certificate, key):
        with open(self.path(name + ".crt"), "wb") as f:
            f.write(certificate.public_bytes(serialization.Encoding.PEM))
        with open(self.path(name + ".key"), "wb") as f:
            f.write(key.private_bytes(serialization.Encoding.PEM,
                                      serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))

    def builder(self, subject, authority, key, days=30):
        now = datetime.datetime.now(datetime.timezone.utc)
        issuer, issuer_key = authority
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=10))
                .not_valid_after(now + datetime.timedelta(days=days))
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    issuer_key.public_key()), False))

    def authority(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = self.name(name)
        certificate = (self.builder(subject, (subject, key), key)
                       .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
                       .add_extension(SIGNS, True)
                       .sign(key, hashes.SHA256()))
        self.write(name, certificate, key)
        return subject, key

    def issue(self, name, authority, cn, days=30, san=None):
        key = ec.generate_private_key(ec.SECP256R1())
        names = san or [x509.DNSName(cn), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (self.builder(self.name(cn), authority, key, days)
                       .add_extension(x509.SubjectAlternativeName(names), False)
                       .sign(authority[1], hashes.SHA256()))
        self.write(name, certificate, key)

    def server_options(self, *more):
        return ["-c", self.path("server.crt"), "-k", self.path("server.key")] + list(more)

    def client(self, name=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.load_verify_locations(self.path("ca.crt"))
        if name is not None:
            context.load_cert_chain(self.path(name + ".crt"), self.path(name + ".key"))
        return context


def reset(c):
    """Close so that the server gets a reset."""
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    c.socket.close()


def start_fails(*options):
    p = subprocess.run([PROGRAM] + list(options), capture_output=True, text=True, timeout=LIMIT)
    equal(p.returncode, 1, "exit status")
    return p.stderr.split(":")[0]


def main():
    passed = failed = 0
    for t in TESTS:
        if len(sys.argv) > 1 and not any(word in t.__name__ for word in sys.argv[1:]):
            continue
        begin = time.monotonic()
        try:
            t()
            passed += 1
            result = "ok"
        except Exception:
            traceback.print_exc(file=sys.stdout)
            failed += 1
            result = "FAIL"
        print("%-4s %s (%.1f s)" % (result, t.__name__, time.monotonic() - begin), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)
