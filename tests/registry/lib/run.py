"""Run the cases of a suite: functions named by their ID, such as
c01_first_write_is_version_1.

A case takes the suite's registry, which it shares with other cases, or one
of its own (@case(fresh=True)), or nothing.  The suite's cases run once for
each dialect that they are for.  All run, whatever fails; the last line is
`N passed, N failed`.  Arguments: the beginnings of the names of cases to run.
"""
import inspect
import os
import re
import signal
import sys
import time
import traceback

from lib import harness
from lib.check import Mismatch

NAME = re.compile(r'[a-z]\d\d[a-z]?_\w+')
FINDING = re.compile(r'.*(ERROR: \w+Sanitizer|runtime error:).*'
                     r'(\n(?!propseal:|SUMMARY|===).*){0,10}')
BOTH = ('confluent', 'mredjem')


class TooSlow(BaseException):
    pass


def case(fresh=False, dialects=None, config=None, limit=None):
    """How a case is to be run; config: settings of its own registry."""
    def mark(function):
        function.how = {'fresh': fresh or bool(config), 'dialects': dialects,
                        'config': config, 'limit': limit}
        return function
    return mark


def cases_of(names):
    """(name, function) of each case, in the order in which they stand."""
    found = [(n, f) for n, f in names.items() if NAME.fullmatch(n) and inspect.isfunction(f)]
    return sorted(found, key=lambda pair: pair[1].__code__.co_firstlineno)


def on_alarm(*_):
    raise TooSlow()


def reason(e):
    if isinstance(e, Mismatch):
        where = [f for f in traceback.extract_tb(e.__traceback__) if '/lib/' not in f.filename]
        at = f' (line {where[-1].lineno})' if where else ''
        return str(e) + at
    if isinstance(e, TooSlow):
        where = traceback.extract_tb(e.__traceback__)[-2:]
        return 'took too long, at ' + '; '.join(
            f'{os.path.basename(f.filename)}:{f.lineno}' for f in where)
    text = ''.join(traceback.format_exception_only(type(e), e)).strip()
    where = traceback.extract_tb(e.__traceback__)
    return text + '; ' + ' > '.join(
        f'{os.path.basename(f.filename)}:{f.lineno}' for f in where[1:][-4:])


def deaths(registries):
    """What ended servers that should run, in a few words."""
    found = []
    for r in registries:
        if r.process is not None and not r.running():
            said = r.errors()
            line = re.search(r'.*(Sanitizer: |runtime error:|Assertion).*', said)
            found.append(f'a server died (exit {r.process.returncode}): '
                         f'{line[0] if line else said[-300:]}')
    return found


class Suite:
    def __init__(self, config, limit, fresh, setup):
        self.config, self.limit, self.fresh, self.setup = config, limit, fresh, setup
        self.shared, self.passed, self.failed = {}, 0, 0

    def registry(self, dialect):
        """The one that cases share; started again if it died."""
        r = self.shared.get(dialect)
        if r is None:
            r = self.shared[dialect] = harness.Registry(self.config, dialect)
        if not r.running():
            r.process = None
            r.start()
        return r

    def run(self, name, function, dialect):
        how = getattr(function, 'how', {})
        fresh = how.get('fresh') or self.fresh
        takes = bool(inspect.signature(function).parameters)
        label = name if dialect is None else f'{name} [{dialect}]'
        r, before, started = None, len(harness.all_registries()), time.monotonic()
        signal.alarm(how.get('limit') or self.limit)
        try:
            if takes:
                if fresh:
                    r = harness.Registry({**self.config, **(how.get('config') or {})},
                                         dialect or 'confluent')
                    r.start()
                else:
                    r = self.registry(dialect or 'confluent')
                if self.setup:
                    self.setup(r)
            function(*([r] if takes else []))
            signal.alarm(0)
            if r is not None and r.process is not None and not r.running():
                raise Mismatch(f'the server died (exit {r.process.returncode}): '
                               f'{r.errors()[-1500:]}')
            self.passed += 1
            if os.environ.get('TEST_TIMES'):
                print(f'{time.monotonic() - started:7.2f} s  {label}')
        except (Exception, TooSlow) as e:
            signal.alarm(0)
            self.failed += 1
            died = deaths(harness.all_registries()[before:] + ([r] if r else []))
            print(f'FAIL {label}: ' + '; '.join([reason(e), *sorted(set(died))]), flush=True)
            if r is not None and not fresh:
                r.drop_clients()
        signal.alarm(20)
        try:
            for own in harness.all_registries()[before:]:
                if own not in self.shared.values() and not own.kept:
                    own.kill()
        finally:
            signal.alarm(0)

    def at_end(self):
        """What holds for every answer and every server of the suite."""
        for r in harness.all_registries():
            if r.running():
                try:
                    r.stop()
                except Mismatch as e:
                    r.died = str(e)
        servers = harness.all_registries()
        self.verdict('every answer has the headers that each must have',
                     [line for r in servers for line in r.bare])
        bad = [r.died for r in servers if r.died and 'Sanitizer' not in r.died
               and 'runtime error' not in r.died]
        for r in servers:
            for name in (r.errors_file, r.output_file):
                if not os.path.exists(name):
                    continue
                with open(name, 'rb') as f:
                    text = f.read().decode(errors='replace')
                if harness.MARKER in text:
                    bad.append(f'{os.path.basename(name)} of a server shows a secret value')
                found = FINDING.search(text)
                if found:
                    bad.append(found[0])
        self.verdict('servers end with 0 on SIGTERM and say nothing that they should not', bad)

    def verdict(self, what, bad):
        bad = list({re.sub(r'0x[0-9a-f]+|\d+', '', text): text for text in bad}.values())
        if bad:
            self.failed += 1
            more = f'\n    and {len(bad) - 5} more' if len(bad) > 5 else ''
            print(f'FAIL {what}:\n    ' + '\n    '.join(bad[:5]) + more)
        else:
            self.passed += 1


def main(names, config=None, dialects=('confluent',), limit=30, fresh=False, setup=None):
    """fresh: each case has a registry of its own; setup(r) runs before a case."""
    signal.signal(signal.SIGALRM, on_alarm)
    suite = Suite(config or {}, limit, fresh, setup)
    wanted = sys.argv[1:]
    for name, function in cases_of(names):
        if wanted and not any(name.startswith(w) for w in wanted):
            continue
        how = getattr(function, 'how', {})
        which = how.get('dialects') or dialects
        if not inspect.signature(function).parameters:
            which = (None,)
        for dialect in which:
            suite.run(name, function, dialect if len(which) > 1 else
                      (dialect if dialect != 'confluent' else None))
    suite.at_end()
    print(f'{suite.passed} passed, {suite.failed} failed')
    sys.exit(1 if suite.failed else 0)
