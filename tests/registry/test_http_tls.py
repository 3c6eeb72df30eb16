#!/usr/bin/env -S python3 -B
"""The HTTP layer alone, over TLS: versions, client certificates, reading them again."""
import os
import shutil
import signal
import ssl
import time

from lib.http_raw import (Client, Files, Server, big, equal, get, main, post, refused, reset,
                          start_fails, test, wait_for)


FILES = Files()


# --- TLS ---

@test
def test_tls():
    with Server(*FILES.server_options()) as s, Client(s, FILES.client()) as c:
        fields = c.ask(get("/x")).fields()
        equal((fields["tls"], fields["cn"], fields["san"]), ("yes", "-", "-"))
        body = os.urandom(500000)
        equal(c.ask(post("/x", body)).payload(), body)
        equal(c.ask(get("/big?n=5000000")).body == big(5000000), True, "body")
        c.send(get("/slow?ms=20") + 500 * get("/hello"))
        equal(c.answer().body, b"/slow")
        for _ in range(500):
            equal(c.answer().body, b"hello\n")
        for byte in get("/hello"):
            c.send(bytes([byte]))
        equal(c.answer().body, b"hello\n")


@test
def test_tls_versions_and_protocol():
    with Server(*FILES.server_options()) as s:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = FILES.client()
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["h2", "http/1.1"])
            with Client(s, context) as c:
                equal(c.socket.selected_alpn_protocol(), "http/1.1")
                equal(c.is_open(), True)
        context = FILES.client()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            Client(s, context)
            raise AssertionError("TLS 1.1 was taken")
        except (ssl.SSLError, ConnectionResetError):
            pass


@test
def test_tls_refusals():
    with Server(*FILES.server_options("-b", "1000")) as s:
        refused(s, b"GET / HTTP/1.1\r\n\r\n", 400, FILES.client())
        refused(s, post("/x", 5000 * b"a"), 413, FILES.client())
        with Client(s) as c:    # plain HTTP to a TLS port
            c.send(get("/hello"))
            while c.read():
                pass
            equal(c.data.startswith(b"HTTP"), False)
        with Client(s, FILES.client()) as c:
            equal(c.ask(get("/x", "Content-Length: 5", "Expect: 100-continue")).status, 401)


@test
def test_slow_handshakes_are_cut_off():
    with Server(*FILES.server_options("-r", "300")) as s:
        with Client(s) as silent, Client(s) as cut:
            cut.send(b"\x16\x03\x01\x02\x00\x01")
            silent.is_closed()
            cut.is_closed()
        equal(s.counts(FILES.client())["timed_out"], 2)


@test
def test_tls_clients_that_close_at_any_time():
    with Server(*FILES.server_options()) as s:
        for i in range(60):
            c = Client(s, FILES.client())
            c.send(get("/slow?ms=%d" % (i % 20)) + get("/big?n=100000"))
            if i % 2:
                reset(c)
            else:
                c.socket.close()
        wait_for(lambda: s.counts(FILES.client())["open"] == 1, "all to be forgotten")


@test
def test_tls_drain():
    with Server(*FILES.server_options()) as s:
        idle, busy = Client(s, FILES.client()), Client(s, FILES.client())
        equal(idle.is_open(), True)
        busy.send(get("/slow?ms=300"))
        time.sleep(0.05)
        s.begin_stop()
        idle.is_closed()
        equal(busy.answer().body, b"/slow")
        busy.is_closed()
        s.wait()
        idle.socket.close()
        busy.socket.close()


def mutual(*more):
    return FILES.server_options("-a", FILES.path("ca.crt"), *more)


def handshake_fails(server, name):
    try:
        with Client(server, FILES.client(name)) as c:
            a = c.ask(get("/x"))    # TLS 1.3: the client learns of it late
            if a is not None:
                raise AssertionError("served")
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        pass


@test
def test_a_client_certificate_is_read():
    with Server(*mutual("-R")) as s, Client(s, FILES.client("client")) as c:
        for _ in range(3):
            fields = c.ask(get("/x")).fields()
            equal((fields["cn"], fields["dn"], fields["san"]),
                  ("connect-1", "CN=connect-1,O=Ö\\, Inc", "worker.example"))


@test
def test_bad_client_certificates_fail_the_handshake():
    with Server(*mutual("-R")) as s:
        for name in ("stranger", "expired", None):
            handshake_fails(s, name)
        with Client(s, FILES.client("client")) as c:
            equal(c.is_open(), True)


@test
def test_an_optional_client_certificate():
    with Server(*mutual()) as s:
        with Client(s, FILES.client()) as c:
            equal(c.ask(get("/x")).fields()["cn"], "-")
        with Client(s, FILES.client("client")) as c:
            equal(c.ask(get("/x")).fields()["cn"], "connect-1")
        handshake_fails(s, "stranger")
        handshake_fails(s, "expired")


def served_name(server):
    context = FILES.client()
    with Client(server, context) as c:
        names = dict(part[0] for part in c.socket.getpeercert()["subject"])
        return names["commonName"]


@test
def test_the_certificate_is_read_again():
    files = ("crt", "key")
    for kind in files:
        shutil.copy(FILES.path("server." + kind), FILES.path("live." + kind))
    with Server("-c", FILES.path("live.crt"), "-k", FILES.path("live.key")) as s:
        with Client(s, FILES.client()) as before:
            equal(served_name(s), "localhost")
            for kind in files:
                shutil.copy(FILES.path("server2." + kind), FILES.path("live." + kind))
            s.process.send_signal(signal.SIGHUP)
            equal(s.process.stdout.readline(), "reload: done\n")
            equal(served_name(s), "second")
            equal(before.is_open(), True)
            with open(FILES.path("live.crt"), "w") as f:
                f.write("no certificate\n")
            s.process.send_signal(signal.SIGHUP)
            equal(s.process.stdout.readline(), "reload: format\n")
            equal(served_name(s), "second")


@test
def test_bad_certificate_files():
    equal(start_fails("-c", FILES.path("none.crt"), "-k", FILES.path("server.key")), "format")
    equal(start_fails("-c", FILES.path("server.crt"), "-k", FILES.path("client.key")), "format")
    equal(start_fails(*FILES.server_options("-a", FILES.path("server.key"))), "format")
    equal(start_fails("-a", FILES.path("ca.crt")), "usage")


main()
