#!/usr/bin/env -S python3 -B
"""The HTTP layer alone, over raw sockets: what reaches a handler, what is refused."""
import os
import socket
import threading
import time

from lib.http_raw import (Client, Server, big, equal, get, main, post, refused, test)


# --- requests and replies ---

@test
def test_hello_over_one_connection():
    with Server() as s, Client(s) as c:
        for _ in range(100):
            a = c.ask(get("/hello"))
            equal((a.status, a.body), (200, b"hello\n"))
        equal(a.header("content-type"), "text/plain")
        equal(a.header("server"), None)
        equal(a.header("connection"), None)
        equal(a.header("date").endswith(" GMT"), True)


@test
def test_the_target_reaches_the_handler_raw():
    with Server() as s, Client(s) as c:
        for path in ("/a%2Fb", "/%00", "/a/%2e%2e/b", "/a/../b", "//a", "/%zz", "/a+b%20c"):
            fields = c.ask(get(path + "?q=%2f&r=+")).fields()
            equal((fields["path"], fields["query"]), (path, "q=%2f&r=+"))
        fields = c.ask(b"GET http://a.example:81/x?y HTTP/1.1\r\nHost: b\r\n\r\n").fields()
        equal((fields["path"], fields["query"], fields["host"]), ("/x", "y", "a.example:81"))
        equal((fields["peer"], fields["tls"]), ("127.0.0.1", "no"))


@test
def test_all_methods_are_let_through():
    codes = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    with Server() as s, Client(s) as c:
        for name in codes + ["TRACE", "PROPFIND", "get", "X-Y"]:
            a = c.ask(get("/x", method=name), head_only=name == "HEAD")
            if name != "HEAD":
                code = codes.index(name) if name in codes else 7
                equal((a.fields()["method"], a.fields()["code"]), (name, str(code)))
        equal(c.ask(get("*", method="OPTIONS")).fields()["path"], "*")


@test
def test_head_gets_the_length_alone():
    with Server() as s, Client(s) as c:
        a = c.ask(get("/hello", method="HEAD"), head_only=True)
        equal((a.status, a.header("content-length")), (200, "6"))
        equal(c.is_open(), True)


@test
def test_statuses_without_body():
    with Server() as s, Client(s) as c:
        for status in (204, 304):
            a = c.ask(get("/status?status=%d" % status))
            equal((a.status, a.header("content-length"), a.body), (status, None, b""))
        equal(c.ask(get("/status?status=404")).body, b"text")


@test
def test_headers_are_counted_and_found_in_any_case():
    with Server() as s, Client(s) as c:
        fields = c.ask(get("/x", "AUTHORIZATION: a", "authorization: b", "x-TEST: \t v w ")).fields()
        equal((fields["authorizations"], fields["x"]), ("2", "v w"))


@test
def test_a_reply_header_cannot_be_split():
    with Server() as s, Client(s) as c:
        a = c.ask(get("/x"))
        equal((a.header("x-bad"), a.header("injected")), (None, None))


@test
def test_bodies():
    with Server() as s, Client(s) as c:
        for n in (0, 1, 1000, 40000, 100000, 1 << 20):
            body = os.urandom(n)
            equal(c.ask(post("/x", body)).payload(), body)
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            body = c.ask(get("/x", "Content-Length: 4", method=method) + b"body").payload()
            equal(body, b"body", method)
        equal(c.ask(post("/back", b"own body")).body, b"own body")
        equal(c.ask(post("/back", b"own body")).body, b"own body")


@test
def test_a_body_in_single_bytes():
    with Server() as s, Client(s) as c:
        for byte in post("/x", b"slowly") + get("/hello"):
            c.send(bytes([byte]))
        equal(c.answer().payload(), b"slowly")
        equal(c.answer().body, b"hello\n")


@test
def test_chunked_bodies():
    chunked = get("/x", "Transfer-Encoding: chunked", method="POST")
    with Server() as s, Client(s) as c:
        equal(c.ask(chunked + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n").payload(), b"abcde")
        equal(c.ask(chunked + b"0\r\n\r\n").payload(), b"")
        for byte in chunked + b"3\r\nabc\r\n0\r\n\r\n":
            c.send(bytes([byte]))
        equal(c.answer().payload(), b"abc")
        data = os.urandom(300000)
        parts = b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + 7000]), data[i:i + 7000])
                         for i in range(0, len(data), 7000))
        equal(c.ask(chunked + parts + b"0\r\n\r\n").payload(), data)
        equal(c.is_open(), True)


@test
def test_large_replies():
    with Server() as s, Client(s) as c:
        for n in (0, 1, 32000, 32768, 33000, 5000000):
            a = c.ask(get("/big?n=%d" % n))
            equal(a.body == big(n), True, "body of %d" % n)


@test
def test_a_client_that_takes_its_time_gets_all():
    with Server("-r", "2000") as s, Client(s) as c:
        c.send(get("/big?n=20000000") + get("/hello"))
        time.sleep(0.3)
        equal(c.answer().body == big(20000000), True, "body")
        equal(c.answer().body, b"hello\n")


@test
def test_http_1_0():
    with Server() as s:
        with Client(s) as c:
            a = c.ask(b"GET /hello HTTP/1.0\r\n\r\n")
            equal((a.status, a.header("connection")), (200, "close"))
            c.is_closed()
        with Client(s) as c:
            a = c.ask(b"GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            equal(a.header("connection"), "keep-alive")
            equal(c.is_open(), True)


@test
def test_connection_close():
    with Server() as s, Client(s) as c:
        a = c.ask(get("/hello", "Connection: close"))
        equal((a.body, a.header("connection")), (b"hello\n", "close"))
        c.is_closed()


# --- pipelining ---

@test
def test_pipelined_requests_are_answered_in_order():
    paths = ["/post/%d" % i if i % 3 else "/x%d" % i for i in range(200)]
    with Server() as s, Client(s) as c:
        c.send(b"".join(get(p) for p in paths))
        for p in paths:
            a = c.answer()
            equal(a.body.decode() if p.startswith("/post") else a.fields()["path"], p)


@test
def test_pipelined_bodies():
    with Server() as s, Client(s) as c:
        c.send(post("/x", b"one") + post("/slow?ms=50", b"GET / HTTP/1.1\r\n\r\n") +
               get("/x", "Transfer-Encoding: chunked", method="PUT") + b"3\r\ntwo\r\n0\r\n\r\n" +
               get("/hello"))
        equal(c.answer().payload(), b"one")
        equal(c.answer().body, b"/slow")
        equal(c.answer().payload(), b"two")
        equal(c.answer().body, b"hello\n")


@test
def test_much_sent_ahead_waits_for_its_turn():
    n = 20000
    with Server() as s, Client(s) as c:
        sender = threading.Thread(target=c.send, args=(get("/slow?ms=100") + n * get("/hello"),))
        sender.start()
        equal(c.answer().body, b"/slow")
        for _ in range(n):
            equal(c.answer().body, b"hello\n")
        sender.join()


@test
def test_a_half_closed_client_gets_its_answers():
    with Server() as s, Client(s) as c:
        c.send(get("/slow?ms=50") + get("/post/a") + get("/hello"))
        c.socket.shutdown(socket.SHUT_WR)
        equal(c.answer().body, b"/slow")
        equal(c.answer().body, b"/post/a")
        equal(c.answer().body, b"hello\n")
        c.is_closed()


@test
def test_a_bad_request_behind_a_good_one():
    with Server() as s, Client(s) as c:
        c.send(get("/slow?ms=20") + b"GET / HTTP/1.1\r\n\r\n" + get("/hello"))
        equal(c.answer().body, b"/slow")
        equal(c.answer().status, 400)
        c.is_closed()


# --- what is refused ---

@test
def test_host_must_be_there_once_and_good():
    with Server() as s:
        for host in ("", "Host: \r\n", "Host: a b\r\n", "Host: a\r\nHost: a\r\n", "Host: a/b\r\n",
                     "Host: a\rb\r\n", "Host: u@a\r\n", "Host: a:x\r\n", "Host: a,b\r\n"):
            refused(s, ("GET /hello HTTP/1.1\r\n%s\r\n" % host).encode(), 400)
        with Client(s) as c:
            fields = c.ask(b"GET /x HTTP/1.1\r\nHost: registry.example:8443\r\n\r\n").fields()
            equal(fields["host"], "registry.example:8443")


@test
def test_doubtful_lengths_are_refused():
    with Server() as s:
        for lines in (("Content-Length: 5", "Content-Length: 6"),
                      ("Content-Length: 5", "Content-Length: 5"),
                      ("Content-Length: 5, 5",), ("Content-Length: +5",), ("Content-Length: -1",),
                      ("Content-Length: 0x5",), ("Content-Length:",), ("Content-Length : 5",),
                      ("Content-Length: 5", "Transfer-Encoding: chunked"),
                      ("Transfer-Encoding: chunked", "Content-Length: 5"),
                      ("Transfer-Encoding: xchunked",), ("Transfer-Encoding: identity",),
                      ("Transfer-Encoding: gzip, chunked",),
                      ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
                      ("Transfer-Encoding: chunked,",), ("Transfer-Encoding:\x0bchunked",)):
            refused(s, get("/x", *lines, method="POST") + b"hello" + get("/hello"), 400)


@test
def test_malformed_heads_are_refused():
    with Server() as s:
        for head in (b"GET /\r\nHost: h\r\n\r\n", b"GET / HTTP/1.1\nHost: h\n\n", b"\x16\x03\x01\n\n",
                     b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: h\r\nA: \x00\r\n\r\n",
                     b"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n", b"GET a HTTP/1.1\r\nHost: h\r\n\r\n",
                     b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", b"\r\n\r\n\r\n"):
            refused(s, head, 400)
        refused(s, b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505)
        refused(s, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)


@test
def test_malformed_chunks_are_refused():
    chunked = get("/x", "Transfer-Encoding: chunked", method="POST")
    with Server() as s:
        for body in (b"x\r\n", b"+3\r\nabc\r\n", b"3\r\nabcd\r\n", b"3\nabc\n", b"\r\n", b"-1\r\n",
                     b"100000000000000000000\r\n", b"3\r\nabc\r\n0\r\nA: \x01\r\n\r\n"):
            refused(s, chunked + body + 100 * b" ", 400)


@test
def test_what_is_too_long_is_refused():
    with Server() as s:
        refused(s, get("/" + 9000 * "a"), 414)
        refused(s, get("/" + 65536 * "a"), 414)
        refused(s, b"GET /" + 20000 * b"a", 414)
        refused(s, get("/", "A: " + 20000 * "a"), 431)
        refused(s, get("/", *(200 * ["A: b"])), 431)
        refused(s, b"GET / HTTP/1.1\r\nHost: h\r\n" + 5000 * b"A: b\r\n", 431)
        with Client(s) as c:
            equal(c.ask(get("/" + 8191 * "a")).status, 200)


@test
def test_too_large_a_body_is_refused_before_it_comes():
    with Server("-b", "1000") as s:
        refused(s, get("/x", "Content-Length: 1001", method="POST"), 413)
        refused(s, get("/x", "Content-Length: 10000000000", method="POST"), 413)
        refused(s, get("/x", "Transfer-Encoding: chunked", method="POST") + b"3e9\r\n", 413)
        refused(s, post("/x", 5000 * b"a"), 413)
        with Client(s) as c:
            equal(len(c.ask(post("/x", 1000 * b"a")).payload()), 1000)


@test
def test_the_refusal_arrives_while_the_client_still_sends():
    with Server("-b", "1000") as s, Client(s) as c:
        c.send(get("/x", "Content-Length: 800000", method="POST"))
        for _ in range(8):
            c.send(50000 * b"a")
            time.sleep(0.01)
        equal(c.answer().status, 413)


@test
def test_refusals_are_counted():
    with Server() as s:
        refused(s, b"GET / HTTP/1.1\r\n\r\n", 400)
        refused(s, get("/" + 9000 * "a"), 414)
        equal(s.counts()["bad"], 2)


# --- Expect ---

@test
def test_without_credentials_no_100():
    with Server() as s, Client(s) as c:
        a = c.ask(get("/x", "Content-Length: 5", "Expect: 100-continue", method="POST"))
        equal((a.status, a.header("www-authenticate")), (401, 'Basic realm="test"'))
        equal(a.body, b'{"error_code":401}')
        c.is_closed()


@test
def test_with_credentials_100_and_then_the_answer():
    head = get("/x", "Content-Length: 5", "Authorization: a", "Expect: 100-continue", method="PUT")
    with Server() as s, Client(s) as c:
        for _ in range(3):
            equal(c.ask(head).status, 100)
            equal(c.ask(b"hello").payload(), b"hello")
        chunked = get("/x", "Transfer-Encoding: chunked", "Authorization: a",
                      "Expect: 100-continue", method="PUT")
        equal(c.ask(chunked).status, 100)
        equal(c.ask(b"1\r\na\r\n0\r\n\r\n").payload(), b"a")


@test
def test_no_100_where_it_is_of_no_use():
    with Server("-b", "1000") as s:
        with Client(s) as c:    # the body is there already
            equal(c.ask(get("/x", "Content-Length: 5", "Expect: 100-continue") + b"hello").payload(),
                  b"hello")
        with Client(s) as c:    # there is none
            equal(c.ask(get("/hello", "Expect: 100-continue")).body, b"hello\n")
        refused(s, get("/x", "Content-Length: 5000", "Expect: 100-continue",
                       "Authorization: a"), 413)
        refused(s, get("/x", "Content-Length: 5", "Expect: something"), 417)


# --- threads ---

@test
def test_posts_keep_their_order():
    with Server() as s, Client(s) as c:
        for _ in range(5):
            equal(c.ask(get("/many?n=20000")).body, b"in order")


@test
def test_later():
    with Server() as s, Client(s) as c:
        begin = time.monotonic()
        equal(c.ask(get("/later?ms=200")).body, b"/later")
        equal(time.monotonic() - begin > 0.15, True, "waited")


@test
def test_when_idle():
    with Server("-t", "1") as s, Client(s) as c, Client(s) as other:
        for _ in range(100):
            c.send(get("/idle"))
            other.send(get("/idle"))    # echoed where the first one still waits
            equal(c.answer().status, 200)
            equal(other.answer().status, 200)


@test
def test_twenty_thousand_requests_from_several_connections():
    failures = []

    def run(s, base):
        try:
            with Client(s) as c:
                for i in range(0, 2500, 10):
                    paths = ["/post/%d" % (base + i + k) for k in range(10)]
                    c.send(b"".join(get(p) for p in paths))
                    for p in paths:
                        equal(c.answer().body.decode(), p)
        except Exception as e:
            failures.append(repr(e))

    with Server() as s:
        threads = [threading.Thread(target=run, args=(s, 10000 * n)) for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(failures, [])
        equal(s.counts()["connections"], 9)


main()
