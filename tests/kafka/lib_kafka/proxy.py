"""What lies between one node and the brokers: TCP that can be cut in either direction, slowed,
or made to lose the answer to a request that the broker did get."""
import socket
import struct
import threading
import time

PRODUCE, FIND_COORDINATOR, INIT_PRODUCER_ID, ADD_PARTITIONS, END_TXN = 0, 10, 22, 24, 26


class Way:
    """One direction. A closed gate holds what is under way; nothing of it is lost or reordered."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.delay = 0


class Proxy:
    """Listens on a port of its own for each broker: ports[number]."""

    def __init__(self, brokers):
        self.brokers = brokers  # {number: port}
        self.ways = {number: (Way(), Way()) for number in brokers}
        self.losing, self.lost = None, 0
        self.holding, self.held = None, threading.Event()
        self.listeners = {number: socket.create_server(('127.0.0.1', 0)) for number in brokers}
        self.ports = {n: s.getsockname()[1] for n, s in self.listeners.items()}
        self.lock, self.sockets, self.closed = threading.Lock(), set(), False
        for number, listener in self.listeners.items():
            self.run(self.accept, number, listener)

    @staticmethod
    def run(work, *args):
        threading.Thread(target=work, args=args, daemon=True).start()

    # --- what a test does ---

    def cut(self, *numbers, to_broker=True, from_broker=True):
        """Bytes stop; nobody is told. Without numbers: to and from all brokers."""
        for number in numbers or self.brokers:
            for way, wanted in zip(self.ways[number], (to_broker, from_broker)):
                if wanted:
                    way.gate.clear()

    def mend(self):
        """As before; what was held goes on, as TCP sends again."""
        for ways in self.ways.values():
            for way in ways:
                way.delay = 0
                way.gate.set()

    def slow(self, seconds):
        """Each piece comes so much later, in both directions."""
        for ways in self.ways.values():
            for way in ways:
                way.delay = seconds

    def lose_answer(self, request):
        """The next such request reaches its broker; then the connection breaks."""
        self.losing = request

    def hold(self, request, answer=False):
        """The next such request does not get to its broker, or its answer does not come back,
        nor anything after it in that direction, till mend(); `held` is set then."""
        self.held.clear()
        self.holding = (request, answer)

    def break_all(self):
        """Every connection ends; new ones are let through."""
        with self.lock:
            for s in list(self.sockets):
                self.end(s)

    def close(self):
        self.closed = True
        for listener in self.listeners.values():
            self.end(listener)
            listener.close()
        self.mend()
        self.break_all()

    # --- how it does it ---

    @staticmethod
    def end(s):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def accept(self, number, listener):
        while not self.closed:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            self.run(self.join, number, client)

    def join(self, number, client):
        there, back = self.ways[number]
        there.gate.wait()
        try:
            broker = socket.create_connection(('127.0.0.1', self.brokers[number]), 10)
            broker.settimeout(None)
        except OSError:
            client.close()
            return
        with self.lock:
            self.sockets |= {client, broker}
        for s in (client, broker):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link()
        self.run(self.pump, client, broker, there,
                 lambda data: self.watch(link, data, self.ways[number]), link.sent)
        self.pump(broker, client, back, link.may_answer)
        with self.lock:
            self.sockets -= {client, broker}
        client.close()
        broker.close()

    def pump(self, source, sink, way, may_pass, sent=None):
        try:
            while data := source.recv(65536):
                if way.delay:
                    time.sleep(way.delay)
                if not may_pass(data):
                    break
                way.gate.wait()
                sink.sendall(data)
                if sent:
                    sent.set()
        except OSError:
            pass
        self.end(source)
        self.end(sink)

    def watch(self, link, data, ways):
        """Told of all that goes to the broker: which requests are in it?"""
        for kind in link.requests(data):
            if self.holding and kind == self.holding[0]:
                ways[self.holding[1]].gate.clear()
                self.holding = None
                self.held.set()
            if kind == self.losing:
                link.sent.clear()
                self.losing, link.losing = None, True
                self.lost += 1
        return True


class Link:
    """The requests in a stream: each has its length and its kind before it."""

    def __init__(self):
        self.losing, self.head, self.left = False, b'', 0
        self.sent = threading.Event()

    def may_answer(self, _):
        """Not after the request whose answer is to be lost, which goes to the broker first."""
        if self.losing:
            self.sent.wait(10)
        return not self.losing

    def requests(self, data):
        found, at = [], 0
        while at < len(data):
            if self.left:
                step = min(self.left, len(data) - at)
                self.left, at = self.left - step, at + step
                continue
            step = min(6 - len(self.head), len(data) - at)
            self.head, at = self.head + data[at:at + step], at + step
            if len(self.head) == 6:
                size, kind = struct.unpack('>ih', self.head)
                found.append(kind)
                self.head, self.left = b'', size - 2
        return found
