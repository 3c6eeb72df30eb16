#!/usr/bin/env python3
"""Run a program on a pseudo-terminal and answer its questions.

usage: on_terminal.py [EXPECT SEND]... -- COMMAND [ARGUMENT...]

Waits for each EXPECT on the terminal and then types SEND (with \\n, \\x03 and
the like), or sends a signal for a SEND such as SIGTERM.  What the terminal
showed goes to standard output, followed by a line such as
`echo at questions: off off, at the end: on`.  A program that is stopped is
continued, as by a shell, after the line `stopped, echo: on`.  Exits with the
program's status, 128 + N for a signal, or 99 when a text did not come in 20 s.
"""
import os
import pty
import select
import signal
import sys
import termios
import time


def echo(fd):
    return 'on' if termios.tcgetattr(fd)[3] & termios.ECHO else 'off'


def shell(command):
    """What an interactive shell does for one job; never returns."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(command[0], command)
    while True:
        status = os.waitpid(pid, os.WUNTRACED)[1]
        if not os.WIFSTOPPED(status):
            break
        os.tcsetpgrp(0, os.getpgrp())
        print('stopped, echo:', echo(0), flush=True)
        os.tcsetpgrp(0, pid)
        os.killpg(pid, signal.SIGCONT)
    os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def send(fd, text):
    if text.startswith('SIG'):
        os.kill(os.tcgetpgrp(fd), getattr(signal, text))
    else:
        os.write(fd, text.encode().decode('unicode_escape').encode('latin-1'))


def main():
    split = sys.argv.index('--')
    script = sys.argv[1:split]
    pid, fd = pty.fork()
    if pid == 0:
        shell(sys.argv[split + 1:])
    shown, seen, echoes = b'', 0, []
    late = time.monotonic() + 20
    running = True
    while running and time.monotonic() < late:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                piece = os.read(fd, 4096)
            except OSError:
                piece = b''
            shown += piece
            running = piece != b''
        while script and (at := shown.find(script[0].encode(), seen)) >= 0:
            seen = at + len(script[0].encode())
            if script[1] != '':
                echoes.append(echo(fd))
                send(fd, script[1])
            script = script[2:]
            late = time.monotonic() + 20
    if running:
        os.kill(pid, signal.SIGKILL)
    end = echo(fd)
    status = os.waitpid(pid, 0)[1]
    sys.stdout.buffer.write(shown)
    print(f"\necho at questions: {' '.join(echoes)}, at the end: {end}")
    if running or script:
        print(f'stuck, still expected: {script}')
        return 99
    return os.WEXITSTATUS(status)


sys.exit(main())
