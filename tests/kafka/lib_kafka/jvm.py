"""Java programs under test: Kafka's, with the provider's jar."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(1, os.path.join(ROOT, 'tests', 'registry'))
from lib import program  # noqa: E402
from lib.check import check  # noqa: E402

LIBS = os.environ.get('KAFKA_LIBS', '')
JAR = os.environ.get('PROVIDER_JAR', '')
CLASSES = os.environ.get('KAFKA_TEST_CLASSES', '')
OPTIONS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData',
           '-Dorg.slf4j.simpleLogger.showDateTime=true']
WAIT = 120


def kafka_version():
    return re.search(r'kafka-clients-([0-9.]+)\.jar', ' '.join(os.listdir(LIBS)))[1]


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def class_path(with_jar, *more):
    return ':'.join([os.path.join(LIBS, '*'), *([JAR] if with_jar else []), *more])


def environment(**more):
    env = {name: value for name, value in program.environment().items()
           if not name.startswith('KAFKA_')}
    env.update(more)
    return env


class Jvm:
    """One process, its output in a file; ended with the test."""

    def __init__(self, log, main, *args, with_jar=False, env=None, more=()):
        self.log = log
        with open(log, 'ab') as out:
            self.start = out.tell()
            self.process = subprocess.Popen(
                ['java', *OPTIONS, '-cp', class_path(with_jar, *more), main, *args],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(**(env or {})))

    def said(self):
        with open(self.log, 'rb') as f:
            f.seek(self.start)
            return f.read().decode(errors='replace')

    def wait_for(self, done, what, timeout=WAIT):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if done():
                return
            if self.process.poll() is not None:
                raise AssertionError(f'{what}: ended with {self.process.returncode}: '
                                     f'{self.said()[-3000:]}')
            time.sleep(0.1)
        raise AssertionError(f'{what}: not within {timeout} s: {self.said()[-3000:]}')

    def wait(self, timeout=WAIT):
        """Its exit status, once it ends by itself."""
        return self.process.wait(timeout)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Asker:
    """Resolves files as a Kafka client does (java/Ask.java)."""

    def __init__(self, **env):
        self.process = subprocess.Popen(
            ['java', *OPTIONS, '-Dorg.slf4j.simpleLogger.logFile=System.err', '-cp',
             class_path(True, CLASSES), 'Ask'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(**env))

    def ask(self, file):
        self.process.stdin.write(file.encode() + b'\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        """What it logged."""
        return self.process.communicate(timeout=60)[1].decode(errors='replace')


def values(answer):
    """What an Asker resolved."""
    check('values' in answer, 'it resolves', answer.get('error'))
    return {k: v for k, v in answer['values'].items() if not k.startswith('config.providers')}


def refused(answer, secrets, *named):
    """What it says instead, none of the secrets in it."""
    check('error' in answer, 'it is refused', answer)
    for word in named:
        check(word in answer['error'], f'{word} in the error', answer['error'])
    for secret in secrets:
        check(secret not in answer['error'], 'no value in the error', answer['error'])
    return answer['error']


def escaped(text):
    """In a properties file, as key or value."""
    units = text.encode('utf-16-be')
    return ''.join(chr(c) if c < 128 and (chr(c).isalnum() or chr(c) in '._/-${}') else f'\\u{c:04x}'
                   for c in (int.from_bytes(units[i:i + 2], 'big')
                             for i in range(0, len(units), 2)))


def properties(path, settings):
    with open(path, 'w', encoding='ascii') as f:
        f.writelines(f'{escaped(k)}={escaped(v)}\n' for k, v in settings.items())
    return path
