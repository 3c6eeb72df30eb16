#!/usr/bin/env -S python3 -B
"""The HTTP layer alone: clients that go away or take their time, limits, the end."""
import socket
import time

from lib.http_raw import (LIMIT, Client, Server, equal, get, main, post, reset, start_fails, test,
                          wait_for)


# --- clients that go away ---

@test
def test_a_body_cut_short_reaches_no_handler():
    with Server() as s:
        for data in (post("/post", b"hello")[:-1], b"GET /post HTTP/1.1\r\nHost: h\r\n",
                     get("/post", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n"):
            with Client(s) as c:
                c.send(data)
                c.socket.shutdown(socket.SHUT_WR)
                c.is_closed()
        equal(s.counts()["dropped"], 0)


@test
def test_the_reply_to_a_client_that_has_gone_is_dropped():
    with Server() as s:
        for _ in range(50):
            c = Client(s)
            c.send(get("/slow?ms=300"))
            time.sleep(0.005)
            reset(c)
        wait_for(lambda: s.counts()["dropped"] == 50, "50 replies without a client")
        wait_for(lambda: s.counts()["open"] == 1, "the connections to be forgotten")


@test
def test_clients_that_close_at_any_time():
    with Server() as s:
        for i in range(300):
            c = Client(s)
            c.send(get("/slow?ms=%d" % (i % 20)) + get("/post/x") + get("/big?n=200000"))
            if i % 3 == 0:
                reset(c)
            else:
                c.socket.close()
        wait_for(lambda: s.counts()["open"] == 1, "the connections to be forgotten")
        with Client(s) as c:
            equal(c.is_open(), True)


@test
def test_a_client_that_leaves_in_the_middle_of_a_large_reply():
    with Server() as s:
        for _ in range(5):
            c = Client(s)
            c.send(get("/big?n=8000000"))
            c.socket.recv(1000)
            reset(c)
        wait_for(lambda: s.counts()["open"] == 1, "the connections to be forgotten")


# --- limits ---

@test
def test_slow_requests_are_cut_off_and_others_served():
    with Server("-r", "400") as s:
        slow = [Client(s) for _ in range(4)]
        data = [get("/hello", "A: " + 500 * "a"), post("/x", 500 * b"a"), b"GET",
                get("/x", "Transfer-Encoding: chunked") + b"1\r\na\r\n"]
        heads = [0, 120, 0, len(data[3]) - 1]
        begin = time.monotonic()
        for c, d, n in zip(slow, data, heads):
            c.send(d[:n])
        with Client(s) as other:
            for i in range(20):     # one byte now and then is no progress
                for c, d, n in zip(slow, data, heads):
                    try:
                        c.send(d[n + i:n + i + 1])
                    except (BrokenPipeError, ConnectionResetError):
                        pass
                equal(other.is_open(), True)
                time.sleep(0.05)
        for c in slow:
            equal(c.answer().status, 408)
            c.is_closed()
            c.socket.close()
        equal(time.monotonic() - begin < LIMIT, True)
        equal(s.counts()["timed_out"], 4)


@test
def test_five_hundred_slow_clients():
    with Server("-r", "1500", "-m", "600") as s:
        slow = [Client(s) for _ in range(500)]
        for step in range(6):
            for c in slow:
                c.send(get("/hello")[step:step + 1])
            with Client(s) as c:
                for _ in range(20):
                    equal(c.is_open(), True)
        wait_for(lambda: s.counts()["timed_out"] == 500, "500 to be cut off")
        wait_for(lambda: s.counts()["open"] == 1, "500 to be closed")
        for c in slow:
            equal(c.answer().status, 408)
            c.socket.close()


@test
def test_idle_connections_are_closed():
    with Server("-i", "300") as s:
        with Client(s) as fresh, Client(s) as used:
            equal(used.is_open(), True)
            fresh.is_closed()
            used.is_closed()
        equal(s.counts()["timed_out"], 0)


@test
def test_a_handler_may_take_longer_than_any_limit():
    with Server("-i", "100", "-r", "100") as s, Client(s) as c:
        equal(c.ask(get("/slow?ms=700")).body, b"/slow")


@test
def test_who_does_not_read_is_cut_off():
    with Server("-r", "300") as s:
        with Client(s) as c:
            c.send(get("/big?n=50000000"))
            wait_for(lambda: s.counts()["timed_out"] == 1, "the reader to be cut off")
        wait_for(lambda: s.counts()["open"] == 1, "the connection to be closed")


@test
def test_connections_over_the_cap_are_closed_at_once():
    with Server("-m", "3") as s:
        clients = [Client(s) for _ in range(3)]
        for c in clients:
            equal(c.is_open(), True)
        for _ in range(5):
            with Client(s) as c:
                c.is_closed()
        for c in clients:
            equal(c.is_open(), True)
        body = clients[0].ask(get("/counts")).body
        equal(b"refused=5\n" in body, True, "refused")
        equal(b"open=3\n" in body, True, "open")
        clients[2].socket.close()

        def served():
            with Client(s) as c:
                try:
                    return c.ask(get("/hello")) is not None
                except OSError:
                    return False
        wait_for(served, "a place to be free")
        for c in clients[:2]:
            c.socket.close()


# --- addresses ---

@test
def test_addresses():
    equal(start_fails("-l", "0.0.0.0:0"), "usage")
    equal(start_fails("-l", "[::]:0"), "usage")
    for bad in ("127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "", ":80", "host.invalid:1"):
        equal(start_fails("-l", bad), "usage", bad)
    for good, options in (("127.0.0.1:0", []), ("127.0.0.9:0", []), ("localhost:0", []),
                          ("0.0.0.0:0", ["-p"])):
        with Server("-l", good, *options):
            pass
    if socket.has_ipv6:
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            return
        with Server("-l", "[::1]:0") as s, Client(s) as c:
            equal(c.ask(get("/x")).fields()["peer"], "::1")


@test
def test_an_address_in_use_is_refused():
    with Server() as s:
        equal(start_fails("-l", "%s:%d" % s.address), "io")


@test
def test_a_port_can_be_used_again_at_once():
    with Server() as s:
        address = "%s:%d" % s.address
        with Client(s) as c:
            equal(c.is_open(), True)
            s.stop()
    with Server("-l", address) as s, Client(s) as c:
        equal(c.is_open(), True)


# --- the end ---

@test
def test_requests_under_way_end_and_idle_connections_close():
    with Server() as s:
        idle, busy, partial = Client(s), Client(s), Client(s)
        equal(idle.is_open(), True)
        partial.send(post("/x", b"hello")[:-2])
        busy.send(get("/slow?ms=500"))
        wait_for(lambda: s.counts()["open"] == 4, "all to be there")
        s.begin_stop()
        idle.is_closed()
        partial.send(b"lo")
        a = partial.answer()
        equal((a.payload(), a.header("connection")), (b"hello", "close"))
        a = busy.answer()
        equal((a.body, a.header("connection")), (b"/slow", "close"))
        busy.is_closed()
        s.wait()
        for c in (idle, busy, partial):
            c.socket.close()


@test
def test_the_drain_has_a_limit():
    with Server("-d", "300") as s:
        with Client(s) as c:
            c.send(b"GET /hello")
            wait_for(lambda: s.counts()["open"] == 2, "it to be there")
            s.begin_stop()
            c.is_closed()
            s.wait()


@test
def test_no_connection_is_taken_while_draining():
    with Server() as s, Client(s) as c:
        c.send(get("/slow?ms=700"))
        time.sleep(0.1)
        s.begin_stop()

        def refused_now():
            try:
                with Client(s) as other:
                    return other.ask(get("/hello")) is None
            except OSError:
                return True
        wait_for(refused_now, "the socket to be closed")
        equal(c.answer().body, b"/slow")
        s.wait()


main()
