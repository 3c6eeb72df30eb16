"""What the suites of the log share: one cluster a suite, and cases that say why they did not run."""
import os
import sys

from lib_kafka import jvm  # noqa: F401 (it adds the registry's lib)
from lib_kafka import nodes
from lib_kafka.brokers import Brokers
from lib import harness, run

FULL = bool(os.environ.get('KAFKA_FULL'))
_cluster = None
_topics = 0


def cluster(count=1, **more):
    """The suite's brokers, started when first asked for."""
    global _cluster
    if not _cluster:
        _cluster = Brokers(harness.scratch('kafka'), count, **more).start()
    return _cluster


def topic(word):
    """A name of its own, so that cases share nothing."""
    global _topics
    _topics += 1
    return f'{word}-{_topics}'


def full(function):
    """Not among those that `make test-kafka` runs."""
    function.full = True
    return function


def main(names, limit=180, needs_log=True):
    why = nodes.reason_to_skip() if needs_log else None
    if why:
        print(f'skipped: {why}')
        sys.exit(77)
    chosen, left = {}, 0
    for name, value in run.cases_of(names):
        if getattr(value, 'full', False) and not FULL and len(sys.argv) < 2:
            left += 1
        else:
            chosen[name] = value
    if left:
        print(f'{left} more with test-kafka-full')
    try:
        run.main(chosen, limit=limit)
    finally:
        if _cluster:
            _cluster.stop()
