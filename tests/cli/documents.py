"""Run the commands that a document shows.

usage: documents.py PROGRAM ROOT DOCUMENT

Every block of ```sh of the document, one after the other in one shell, in an
empty folder.  `propseal` is PROGRAM, and /usr/share/propseal below ROOT share/,
but where PROGRAM is installed there, too.  A
command has to end with 0, or with N where its last line ends in `# exit N`; a
line that begins with `$ ` in a block of ```console is run as well, and the
lines below it are what it has to print (`...` stands for any lines, `…` for
anything in a line).  Blocks of another kind are files and pictures, not
commands.  Prints what failed; the exit status is 1 then.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

EXIT = re.compile(r"\s+# exit (\d+)\s*$")


def blocks(text):
    """(kind, first line's number, lines) of every fenced block."""
    kind, start, lines = None, 0, []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            if kind is None:
                kind, start, lines = line[3:].strip(), number + 1, []
            else:
                yield kind, start, lines
                kind = None
        elif kind is not None:
            lines.append(line)


def commands(kind, start, lines):
    """(number, command, exit status, output or None), a command per item."""
    command, number, here = [], start, None
    for i, line in enumerate(lines):
        if kind == "console":
            if line.startswith("$ "):
                if command:
                    yield number, command[0], command[1], command[2]
                match = EXIT.search(line)
                command, number = [EXIT.sub("", line[2:]), int(match[1]) if match else 0, []], start + i
            elif command:
                command[2].append(line)
            continue
        if not command:
            number = start + i
        command.append(line)
        match = re.search(r"<<-?\s*'?(\w+)'?", line)
        if here is None and match:
            here = match[1]
            continue
        if here is not None:
            if line.strip() != here:
                continue
            here = None
        if line.endswith("\\") or not line.strip():
            continue
        match = EXIT.search(line)
        command[-1] = EXIT.sub("", line)
        if subprocess.run(["bash", "-n", "-c", "\n".join(command)], capture_output=True).returncode:
            continue
        yield number, "\n".join(command), int(match[1]) if match else 0, None
        command = []
    if kind == "console" and command:
        yield number, command[0], command[1], command[2]
    elif kind != "console" and "".join(command).strip():
        raise SystemExit(f"line {number}: the command has no end")


def fits(expected, printed):
    """Is what was printed what the document shows?"""
    while expected and not expected[-1].strip():
        expected = expected[:-1]
    pattern = ""
    for line in expected:
        pattern += "(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, printed) is not None


def shell_of(document, folder):
    """The document as one script that stops at the first surprise."""
    script = ["set -u", "fail() { echo \"line $1: $2\"; exit 1; }"]
    for kind, start, lines in blocks(open(document, encoding="utf-8").read()):
        if kind not in ("sh", "console"):
            continue
        for number, command, status, output in commands(kind, start, lines):
            name = os.path.join(folder, f"out.{number}")
            script.append(f"{{\n{command}\n}} >{name} 2>{name}.err; status=$?")
            script.append(f"[ $status = {status} ] || {{ cat {name} {name}.err; "
                          f"fail {number} \"exit status $status, not {status}\"; }}")
            if output is not None:
                with open(name + ".want", "w", encoding="utf-8") as f:
                    f.write("\n".join(output) + "\n")
                script.append(f"python3 {os.path.abspath(__file__)} --fits {name} || "
                              f"fail {number} 'prints something else'")
    return "\n".join(script)


def main():
    if sys.argv[1] == "--fits":
        printed = open(sys.argv[2], encoding="utf-8").read()
        expected = open(sys.argv[2] + ".want", encoding="utf-8").read().split("\n")
        if not fits(expected, printed):
            print("printed:\n" + printed + "shown:\n" + "\n".join(expected))
            sys.exit(1)
        return
    program, root, document = sys.argv[1:]
    scratch = tempfile.mkdtemp(prefix="propseal-doc.")
    try:
        for name in "bin", "out", "home", "work":
            os.mkdir(os.path.join(scratch, name))
        for name in "propseal", "propseal-registryd":
            os.symlink(os.path.join(os.path.dirname(os.path.abspath(program)), name),
                       os.path.join(scratch, "bin", name))
        environment = dict(os.environ, HOME=os.path.join(scratch, "home"), LC_ALL="C.UTF-8",
                           PATH=os.path.join(scratch, "bin") + ":" + os.environ["PATH"])
        for name in ("PROPSEAL_CONFIG", "CONFLUENT_SECURITY_MASTER_KEY", "XDG_STATE_HOME"):
            environment.pop(name, None)
        script = "umask 022\n" + shell_of(document, os.path.join(scratch, "out"))
        if not os.path.abspath(program).startswith("/usr/bin/"):
            script = script.replace("/usr/share/propseal/", os.path.abspath(root) + "/share/")
        done = subprocess.run(["bash", "-c", script], cwd=os.path.join(scratch, "work"),
                              env=environment, stdin=subprocess.DEVNULL, timeout=120,
                              capture_output=True, text=True)
        if done.returncode:
            print(document + ":", done.stdout + done.stderr, end="")
        sys.exit(done.returncode and 1)
    finally:
        shutil.rmtree(scratch)


main()
