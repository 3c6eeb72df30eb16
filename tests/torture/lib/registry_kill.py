"""Writers, a kill at a random moment, a look at everything; over and over.

After each kill: what was acknowledged is there with its value, what was not
is there as a whole or not at all, no number was given twice, the file is
intact.  After some kills a new registry is begun; before, its audit log must
verify and tell an outcome of every intent.
"""
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'registry'))

from lib import audit, harness, program, store  # noqa: E402
from lib.check import Mismatch, check, ok, same  # noqa: E402
from lib.rest import P, V, Closed, key_url, path_url  # noqa: E402

WRITERS = 6
KILLS_OF_ONE = 25


class Key:
    """What is known of one secret's versions."""

    def __init__(self):
        self.values = {}  # number: value, of what was acknowledged or seen
        self.deleted = set()  # acknowledged
        self.maybe = set()  # deletes without an answer
        self.open = set()  # values sent without an answer


class Life:
    """One registry through many kills."""

    def __init__(self, seed):
        self.registry = harness.Registry()
        self.chance = random.Random(seed)
        self.keys = {}
        self.lock = threading.Lock()
        self.acknowledged = 0
        self.problems = []

    def key(self, name):
        return self.keys.setdefault(name, Key())

    def acknowledge(self, name, number, value):
        with self.lock:
            key = self.key(name)
            key.open.discard(value)
            if number in key.values:
                self.problems.append(f'{name}: number {number} was given twice')
            key.values[number] = value
            self.acknowledged += 1

    def create(self, client, name, value):
        with self.lock:
            self.key(name).open.add(value)
        answer = client.post(V(*name), {'secret': value})
        if answer.status == 200:
            self.acknowledge(name, answer.json()['version'], value)
        else:
            self.problems.append(f'{answer.what}: {answer.status} {answer.body[:200]}')

    def delete(self, client, name):
        with self.lock:
            key = self.key(name)
            live = [n for n in key.values if n not in key.deleted | key.maybe]
            if len(live) < 3:
                return
            number = live[len(live) // 2]
            key.maybe.add(number)
        answer = client.delete(f'{V(*name)}/{number}')
        if answer.status == 200:
            with self.lock:
                key.maybe.discard(number)
                key.deleted.add(number)
        else:
            self.problems.append(f'{answer.what}: {answer.status} {answer.body[:200]}')

    def write(self, i, seed):
        chance = random.Random(seed)
        client = self.registry.new('adm')
        n = 0
        try:
            while True:
                n += 1
                name = (('shared', 'k') if chance.random() < 0.3 else
                        (f'path-{i}', f'key-{chance.randrange(3)}'))
                if chance.random() < 0.1:
                    self.delete(client, name)
                elif i == 0 and chance.random() < 0.005:
                    client.post('/secret/admin/rotation', {})
                else:
                    self.create(client, name, f'{i} {seed} {n} ' + 'x' * chance.randrange(200))
        except (Closed, OSError):
            client.close()

    def round(self, number):
        """Start, load, kill."""
        self.registry.start()
        self.look(f'before kill {number}')
        threads = [threading.Thread(target=self.write, args=(i, self.chance.random()))
                   for i in range(WRITERS)]
        for t in threads:
            t.start()
        time.sleep(self.chance.uniform(0.005, 0.25))
        self.registry.kill()
        for t in threads:
            t.join()
        same(store.integrity(self.registry.data, copy=True), ['ok'], 'integrity_check')

    def look_at(self, client, name, when):
        key = self.keys[name]
        found = {s['version']: s['secret'] for s in ok(client.get(key_url(*name))).json()}
        for number, value in key.values.items():
            if number in key.deleted:
                check(number not in found, f'{when}: {name} {number} stays deleted')
            elif number in found:
                same(found[number], value, f'{when}: value of {name} {number}')
            elif number in key.maybe:
                key.deleted.add(number)
            else:
                raise Mismatch(f'{when}: {name} {number} was acknowledged and is lost')
        for number in sorted(set(found) - set(key.values)):
            check(found[number] in key.open,
                  f'{when}: {name} {number} is a value that was sent', found[number][:60])
            key.open.discard(found[number])
            key.values[number] = found[number]
        key.maybe.clear()

    def look(self, when):
        client = self.registry.as_('adm')
        with self.lock:
            for name in sorted(self.keys):
                self.look_at(client, name, when)
        listed = {(path, key) for path in ok(client.get(P)).json()
                  for key in ok(client.get(f'{path_url(path)}/keys')).json()}
        check(listed <= set(self.keys), f'{when}: no names that nobody wrote',
              listed - set(self.keys))

    def end(self):
        """The last look, and the audit log."""
        r = self.registry
        r.start()
        self.look('at the end')
        r.stop()
        same(store.integrity(r.data), ['ok'], 'integrity_check')
        program.audit_verify(r.data, r.key_file)
        ends = {}
        for line in audit.events(r):
            if audit.request_id(line):
                ends.setdefault(audit.request_id(line), []).append(audit.phase(line))
        for id_, phases in ends.items():
            # Lines before the intent name what a list hands out: each an outcome.
            if 'intent' in phases:
                at = phases.index('intent')
                check(len([p for p in phases[at:] if p in ('outcome', 'recovered')]) == 1 and
                      set(phases[:at]) <= {'outcome'}, f'one outcome of request {id_}', phases)
        check(not self.problems, 'no problems in answers', self.problems[:3])
        r.destroy()


def main():
    rounds = int(sys.argv[1])
    seed = int(os.environ.get('SEED') or time.time())
    passed = failed = acknowledged = done = 0
    while done < rounds:
        life = Life(seed + done)
        part = min(KILLS_OF_ONE, rounds - done)
        try:
            for n in range(part):
                life.round(done + n + 1)
                passed += 1
            life.end()
        except Exception as e:
            failed += 1
            print(f'FAIL SEED={seed}, kills {done + 1} to {done + part}: {type(e).__name__}: {e}',
                  flush=True)
            life.registry.destroy()
        acknowledged += life.acknowledged
        done += part
    print(f'{acknowledged} acknowledged writes, SEED={seed}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
