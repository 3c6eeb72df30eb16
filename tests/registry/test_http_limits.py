#!/usr/bin/env -S python3 -B
"""The HTTP layer alone: clients that go away or take their time, limits, the end."""
import select
import socket
import threading
import time

from lib.http_raw import (LIMIT, Client, Files, Server, equal, get, main, post, reset, start_fails,
                          test, wait_for)


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


# --- more connections than there are places ---

OTHER = "127.0.0.2"
HALF = get("/hello")[:-1]


def hold(s, n, data=b"", tls=None):
    """Connections with this much sent."""
    clients = [Client(s, tls) for _ in range(n)]
    for c in clients:
        if data:
            c.send(data)
    return clients


def close(clients):
    for c in clients:
        c.socket.close()


def blocked(s):
    """One that takes its place for sure: its answer does not fit into the socket."""
    c = Client(s)
    c.send(get("/big?n=20000000"))
    c.socket.recv(1000)
    return c


def served(s, **how):
    with Client(s, **how) as c:
        try:
            return c.ask(get("/hello")).body == b"hello\n"
        except (AttributeError, OSError):
            return False


def counts_when_served(s, *how):
    """Those who try before there is a place are refused."""
    found = []

    def ask():
        try:
            found.append(s.counts(*how))
        except (AttributeError, OSError, ValueError):
            return False
        return True
    wait_for(ask, "a place to be free")
    return found[0]


@test
def test_connections_over_the_cap_are_told_so():
    with Server("-m", "3", "-r", "60000") as s:
        clients = [blocked(s) for _ in range(3)]
        for data in (b"", get("/hello"), post("/x", 100000 * b"a")):
            with Client(s) as c:
                select.select([c.socket], [], [], LIMIT)
                for _ in range(3):      # what is sent after the answer does not destroy it
                    c.send(data)
                    time.sleep(0.02)
                a = c.answer()
                equal(a.status, 503)
                equal(a.body, b'{"error_code":503}')
                equal(a.header("content-type"), "application/json")
                equal(a.header("connection"), "close")
                equal(a.header("retry-after"), "1")
                equal(a.header("x-request-id") is None, False, "no name")
                equal(c.socket.recv(1000), b"", "the end")
        clients[2].socket.close()
        counts = counts_when_served(s)
        equal(counts["refused"] >= 3, True, "refused")
        equal((counts["open"], counts["shed"], counts["bad"]), (3, 0, 0))
        close(clients)


@test
def test_no_more_are_told_than_files_are_left_for():
    with Server("-m", "2", "-r", "60000") as s:
        clients = [blocked(s) for _ in range(2)]
        before = s.files()
        refused = hold(s, 500)
        answers = [c.answer() for c in refused]
        told = [a for a in answers if a is not None]
        equal(128 <= len(told) < 500, True, "told")
        equal({a.status for a in told}, {503})
        close(refused)
        wait_for(lambda: s.files() == before, "all that were turned away to be forgotten")
        for _ in range(200):            # one at a time, each is told
            with Client(s) as c:
                equal(c.answer().status, 503)
        close(clients)
        equal(counts_when_served(s)["refused"] >= 700, True, "refused")


@test
def test_one_address_with_half_sent_requests_leaves_places_to_others():
    for threads in ("1", "4"):
        with Server("-m", "40", "-H", "10", "-t", threads) as s:
            before = s.files()
            half = hold(s, 50) + hold(s, 50, HALF[:1])
            for _ in range(20):
                equal(served(s, source=OTHER), True)
            wait_for(lambda: s.counts(source=OTHER)["open"] == 11, "the rest to be closed")
            counts = s.counts(source=OTHER)
            equal((counts["shed"], counts["refused"]), (90, 0))
            wait_for(lambda: s.files() <= before + 11, "their sockets too")
            if threads == "1":  # else they are accepted in any order
                for c in half[:90]:
                    c.is_closed()
                for c in half[90:]:
                    c.send(get("/hello")[1:])
                    equal(c.answer().body, b"hello\n")
            close(half)
            wait_for(lambda: s.files() == before, "all files to be closed")


@test
def test_the_crowded_address_itself_is_served():
    with Server("-m", "40", "-H", "10") as s:
        half = hold(s, 50, HALF)
        wait_for(lambda: s.counts(source=OTHER)["shed"] == 40, "all of them to be there")
        for _ in range(30):
            equal(served(s), True)
        close(half)


@test
def test_the_half_open_of_one_address_never_take_more_than_half_of_all_places():
    with Server("-m", "20", "-H", "1000", "-t", "1") as s:
        half = hold(s, 30)
        for _ in range(5):
            equal(served(s, source=OTHER), True)
        equal(s.counts(source=OTHER)["shed"], 20)
        close(half)


@test
def test_connections_between_requests_are_not_half_open():
    with Server("-m", "200", "-H", "4", "-t", "1") as s:
        clients = []
        for _ in range(100):
            clients.append(Client(s))
            equal(clients[-1].is_open(), True)
        for c in clients:
            equal(c.is_open(), True)
        for c in clients[:20]:      # neither are those that wait for an answer
            c.send(get("/hello") + get("/slow?ms=500"))
            equal(c.answer().body, b"hello\n")
        for c in clients[:20]:
            equal(c.answer().body, b"/slow")
        equal(s.counts()["shed"], 0)
        close(clients)


@test
def test_the_rest_of_a_later_request_is_owed_as_that_of_the_first():
    with Server("-m", "200", "-H", "4", "-t", "1") as s:
        clients = hold(s, 0)
        for i in range(12):
            c = Client(s)
            equal(c.is_open(), True)
            c.send(HALF if i % 2 else post("/x", b"hello")[:-1])
            clients.append(c)
            wait_for(lambda: s.counts(source=OTHER)["shed"] == max(0, i - 3), "one too many to go")
        for c in clients[:8]:
            c.is_closed()
        for i, c in enumerate(clients[8:]):
            c.send(b"\n" if i % 2 else b"o")
            equal(c.answer().status, 200)
        equal(s.counts(source=OTHER)["shed"], 8)
        close(clients)


@test
def test_half_open_on_tls():
    files = Files()
    with Server(*files.server_options("-m", "40", "-H", "10", "-t", "2")) as s:
        before = s.files()
        silent, half = hold(s, 30), []
        wait_for(lambda: s.counts(files.client(), OTHER)["shed"] == 20, "all of them to be there")
        for _ in range(30):
            half += hold(s, 1, HALF, files.client())
        for _ in range(5):
            equal(served(s, tls=files.client(), source=OTHER), True)
        wait_for(lambda: s.counts(files.client(), OTHER)["open"] == 11, "the rest to be closed")
        equal(s.counts(files.client(), OTHER)["shed"], 50)
        close(silent + half)
        wait_for(lambda: s.files() == before, "all files to be closed")


@test
def test_tls_connections_over_the_cap_are_closed():
    files = Files()
    with Server(*files.server_options("-m", "2", "-r", "60000")) as s:
        clients = [Client(s, files.client()) for _ in range(2)]
        for c in clients:
            c.send(get("/big?n=20000000"))
            c.socket.recv(1000)
        with Client(s) as c:
            c.is_closed()
        close(clients)
        equal(counts_when_served(s, files.client())["refused"] >= 1, True, "refused")


@test
def test_a_limit_of_all_connections_of_an_address():
    with Server("-m", "40", "-A", "3", "-t", "1") as s:
        clients = []
        for _ in range(3):
            clients.append(Client(s))
            equal(clients[-1].is_open(), True)
        with Client(s) as c:
            equal(c.answer().status, 503)
            c.is_closed()
        equal(served(s, source=OTHER), True)
        clients[0].send(HALF)       # what is half-open gives way
        wait_for(lambda: served(s), "the half-open one to be closed")
        clients[0].is_closed()
        for c in clients[1:]:
            equal(c.is_open(), True)
        close(clients)


@test
def test_when_all_places_are_taken_the_oldest_half_open_goes():
    with Server("-m", "3", "-t", "1") as s:
        half, idle = hold(s, 2, HALF), Client(s)
        equal(idle.is_open(), True)
        wait_for(lambda: served(s), "a place")
        half[0].is_closed()
        equal(idle.is_open(), True)
        half[1].send(b"\n")
        equal(half[1].answer().status, 200)
        equal(counts_when_served(s)["shed"] >= 1, True, "shed")
        close(half + [idle])


@test
def test_when_all_places_are_taken_the_longest_idle_goes():
    with Server("-m", "3", "-r", "60000", "-t", "1") as s:
        clients = [Client(s) for _ in range(2)] + [blocked(s)]
        for c in clients[1::-1]:
            equal(c.is_open(), True)
        wait_for(lambda: served(s), "a place")
        clients[1].is_closed()
        equal(clients[0].is_open(), True)
        close(clients)


@test
def test_places_end_before_files_do():
    with Server("-m", "2000", "-r", "60000", files=300) as s:
        before = s.files()
        half = hold(s, 250, HALF)

        def over():     # when all of them have been accepted, or not
            counts = counts_when_served(s, None, OTHER)
            return counts["refused"] + counts["shed"] >= 100
        wait_for(over, "those that found no place")
        equal(s.files() <= 290, True, "files are left")
        close(half)
        wait_for(lambda: s.files() == before, "all files to be closed")


@test
def test_a_flood_from_many_threads_leaves_nothing_behind():
    with Server("-m", "60", "-H", "20", "-t", "4") as s:
        before = s.files()

        def flood(n):
            for i in range(150):
                c = Client(s, source="127.0.0.%d" % (1 + (i + n) % 5))
                try:
                    c.send(get("/hello")[:1 + (i * 7 + n) % 30] if i % 3 else get("/post/x"))
                except OSError:
                    pass
                held.append(c)
        held = []
        threads = [threading.Thread(target=flood, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        close(held)
        wait_for(lambda: s.files() == before, "all files to be closed")
        wait_for(lambda: s.counts()["open"] == 1, "all to be forgotten")


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
