"""Writers that go on whatever happens, and the judge of what they were told.

Each write has a value of its own. What a node answered is held against what is there in the end:
an acknowledged write must be there under its number, a refused one must not, an unknown one
(504, or no answer) may be; no number belongs to two, and none is left out.
"""
import collections
import threading
import time

from lib.rest import V, key_url
from lib.check import check, status

ACKNOWLEDGED, REFUSED = (200, 201), (429, 503)


class Write:
    def __init__(self, path, key, text, code=None, version=None):
        self.path, self.key, self.text = path, key, text
        self.code, self.version = code, version  # code 0: no answer
        self.began = self.ended = 0


class Verdict:
    KINDS = ('lost', 'twice', 'false_200', 'refused_but_there', 'of_nobody', 'holes')

    def __init__(self):
        self.acknowledged = self.refused = self.unknown = self.landed = 0
        self.counts = collections.Counter()

    def faults(self):
        return {kind: self.counts[kind] for kind in self.KINDS if self.counts[kind]}

    def __str__(self):
        more = ', '.join(f'{self.counts[kind]} {kind}' for kind in self.KINDS)
        return (f'{self.acknowledged} acknowledged, {self.refused} refused, {self.unknown} unknown '
                f'({self.landed} of them there): {more}')


def judge(writes, kept):
    """kept: {(path, key): {version: value}}, all that is there."""
    v, owners = Verdict(), {}
    for w in writes:
        there = kept.get((w.path, w.key), {})
        if w.code in ACKNOWLEDGED:
            v.acknowledged += 1
            place = (w.path, w.key, w.version)
            if place in owners:
                v.counts['twice'] += 1
            elif w.version not in there:
                v.counts['lost'] += 1
            elif there[w.version] != w.text:
                v.counts['false_200'] += 1
            owners[place] = w
        elif w.code in REFUSED:
            v.refused += 1
            if w.text in there.values():
                v.counts['refused_but_there'] += 1
        else:
            v.unknown += 1
            v.landed += w.text in there.values()
    texts = {(w.path, w.key, w.text) for w in writes}
    for (path, key), there in kept.items():
        v.counts['of_nobody'] += sum((path, key, text) not in texts for text in there.values())
        v.counts['holes'] += len(set(range(1, max(there, default=0) + 1)) - set(there))
    return v


class Load:
    """Threads that write to the nodes, until they are stopped."""

    def __init__(self, nodes, name, writers=6, keys=3, pause=0.0):
        self.nodes, self.name, self.keys, self.pause = nodes, name, keys, pause
        self.over, self.writes, self.lock = threading.Event(), [], threading.Lock()
        self.at_end = None  # what the node had that was asked for the verdict
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True)
                        for i in range(writers)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join(60)
            check(not t.is_alive(), 'each writer gets an answer')

    def acknowledged(self):
        with self.lock:
            return sum(w.code in ACKNOWLEDGED for w in self.writes)

    def wait_for_more(self, count=20, timeout=90):
        """Until so many more are acknowledged; seconds that took."""
        began, wanted = time.monotonic(), self.acknowledged() + count
        while self.acknowledged() < wanted:
            check(time.monotonic() - began < timeout,
                  f'{count} more writes are acknowledged within {timeout} s', self.codes())
            time.sleep(0.05)
        return time.monotonic() - began

    def codes(self):
        with self.lock:
            return dict(collections.Counter(w.code for w in self.writes))

    def run(self, writer):
        number, client, of = 0, None, None
        while not self.over.is_set():
            number += 1
            node = self.nodes[(writer + number) % len(self.nodes)]
            w = Write(self.name, f'k{(writer + number) % self.keys}', f'{self.name}-{writer}-{number}')
            w.began = time.monotonic()
            try:
                if of != (node, node.address):
                    client, of = node.new('adm'), (node, node.address)
                # No repeating by the client itself: what it was told is what counts.
                client.close()
                answer = client.post(V(w.path, w.key), {'secret': w.text})
                w.code = answer.status
                if w.code in ACKNOWLEDGED:
                    w.version = answer.json()['version']
            except Exception:
                w.code, client, of = 0, None, None
            w.ended = time.monotonic()
            with self.lock:
                self.writes.append(w)
            if w.code not in ACKNOWLEDGED:
                time.sleep(0.1)
            time.sleep(self.pause)

    def kept(self, node):
        """All that a node has of what was written."""
        found, client = {}, node.new('adm')
        for i in range(self.keys):
            listed = status(client.get(key_url(self.name, f'k{i}')), 200).json()
            found[(self.name, f'k{i}')] = {s['version']: s['secret'] for s in listed}
        client.close()
        return found

    def verdict(self, node):
        """Stops; the judge's word, of what this node has."""
        self.stop()
        self.at_end = self.kept(node)
        v = judge(self.writes, self.at_end)
        print(f'{self.name}: {v}', flush=True)
        return v
