#!/usr/bin/env python3
"""Every command, flag, section and page that a document, a manual page or a message names is there.

usage: mentions.py PROGRAM FILE...

A command is what stands in a block of code, in `...`, or in .Dl and .Ql of mdoc
behind `propseal`: its words are those of the program's help, and each --flag is
one that the command takes.  What stands for anything (NAME, .., COMMAND) is
passed over.  Of C it is what its strings have in `...` or behind a colon.  Of a page .Sx has to be one of its headings, and .Xr propseal...
one of the pages beside it.
Prints what is not there; exits with 1 then.
"""
import os
import re
import subprocess
import sys

FENCE = re.compile(r"^\s*```")
# Where a command begins: a line, a prompt, a shell's operator, `sudo`, `env`.
BEGIN = re.compile(r"(?:^|[|;&(`]|\$ |\bsudo |\bexec |\bthen |\bdo |\bif |! )\s*"
                   r"(?:[A-Z_]+=\S*\s+)*propseal(?=\s)")


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


class Commands:
    def __init__(self, program):
        self.program = program
        text = help_of(program) + help_of(program, "registry")
        listed = re.findall(r"^  ([a-z-]+(?: [a-z]+)?)  ", text.replace("help [COMMAND]", "help"), re.M)
        self.names = {tuple(name.split()) for name in listed} | {("version",)}
        self.groups = {name[0] for name in self.names if len(name) == 2}
        self.everywhere = set(re.findall(r"^ +(?:-(\w), )?--([a-z-]+)", text, re.M))
        self.everywhere = {n for pair in self.everywhere for n in pair if n} | {"help", "h", "version", "V"}
        self.cache = {}

    def flags(self, name):
        if name not in self.cache:
            text = help_of(self.program, *name) or ""
            # `registry user` and its like have commands of their own.
            for word in re.findall(r"^  ([a-z]+)  ", text.split("Flags:")[0], re.M):
                text += help_of(self.program, *name, word) or ""
            found = re.findall(r"^ +(?:-(\w), )?--([a-z-]+)", text, re.M)
            self.cache[name] = {n for pair in found for n in pair if n} | self.everywhere
        return self.cache[name]

    def every_flag(self):
        """Those of all commands together, of the reference's own, and of ours that have two names."""
        return set().union(*(self.flags(name) for name in self.names))

    def wrong(self, words):
        """What is wrong with the words behind `propseal`; None: nothing."""
        if words and words[0] == "secret":
            words = words[1:]
        name = ("ui",)
        if words and words[0][0] != "-":
            if tuple(words[:2]) in self.names:
                name = tuple(words[:2])
            elif tuple(words[:1]) in self.names:
                name = tuple(words[:1])
            elif words[0] in self.groups:
                # A group by itself, or any of its commands.
                if len(words) > 1 and re.fullmatch(r"[a-z][a-z-]*", words[1]):
                    return f"no command {' '.join(words[:2])}"
                return None
            elif re.fullmatch(r"[a-z][a-z-]*", words[0]):
                return f"no command {words[0]}"
        for word in words[len(name) if name != ("ui",) else 0:]:
            if word == "--":
                break
            flag = re.match(r"--([a-z][a-z-]*)|-([a-zA-Z])$", word)
            if flag and (flag[1] or flag[2]) not in self.flags(name):
                return f"{' '.join(name)} has no {word}"
        return None


def joined(lines):
    """Lines of a shell, those that go on put together: (number, text)."""
    text, start = "", None
    for number, line in lines:
        start = number if start is None else start
        if line.endswith("\\"):
            text += line[:-1] + " "
            continue
        yield start, text + line
        text, start = "", None
    if start is not None:
        yield start, text


def code_of_markdown(lines):
    inside, block = False, []
    for number, line in enumerate(lines, 1):
        if FENCE.match(line):
            inside = not inside
            if not inside:
                yield from joined(block)
            block = []
        elif inside or line.startswith("    "):
            block.append((number, line.strip()))
        else:
            if block:
                yield from joined(block)
                block = []
            for text in re.findall(r"`([^`]+)`", line):
                yield number, text
    yield from joined(block)


def code_of_mdoc(lines):
    literal, block = False, []
    for number, line in enumerate(lines, 1):
        line = line.replace("\\e", "\\").replace("\\-", "-").replace("\\&", "").replace("\\(dq", '"')
        if line.startswith(".Bd -literal"):
            literal, block = True, []
        elif line.startswith(".Ed"):
            literal = False
            yield from joined(block)
        elif literal:
            block.append((number, line.strip()))
        else:
            match = re.match(r"\.(?:D1|Dl|Ql|Li) (.*)", line) or re.match(r".* Ql (.*)", line)
            if match:
                yield number, match[1].strip('"')


def code_of_c(lines):
    text = "\n".join(lines)
    one = r'"(?:[^"\\\n]|\\.)*"'
    for match in re.finditer(rf"{one}(?:\s*{one})*", text):
        words = "".join(re.findall(one, match[0])).replace('""', "").strip('"')
        words = words.replace("\\n", "\n").replace('\\"', '"')
        for code in re.findall(r"`([^`]*)`|: (propseal [^\n]*)", words):
            yield text.count("\n", 0, match.start()) + 1, code[0] or code[1]


def code_of(path):
    if path.endswith(".md"):
        return code_of_markdown
    return code_of_c if path.endswith(".c") else code_of_mdoc


def mentions(path):
    """(number, the words behind `propseal`) of a file."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    code = code_of(path)
    for number, text in code(lines):
        for match in BEGIN.finditer(text):
            # Up to where the shell, a comment or the quotation ends it.
            rest = re.split(r"\s#|[|;&)>`\"']|\s[.,]+(?:\s|$)", text[match.end():])[0]
            yield number, rest.split()


def references(path):
    """(number, what is wrong) of the headings and pages that a page refers to."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    headings = {line[4:].strip('"') for line in lines if re.match(r"\.S[hs] ", line)}
    for number, line in enumerate(lines, 1):
        for name in re.findall(r"\bSx (.*?)(?: [.,;:)]+| Pc|$)", line):
            if name.strip('"') not in headings:
                yield number, f"no section {name}"
        for name, section in re.findall(r"\bXr (propseal\S*) (\d)", line):
            if not os.path.exists(os.path.join(os.path.dirname(path), f"{name}.{section}")):
                yield number, f"no page {name}({section})"


def flags_named(path):
    """(number, name) of each long flag that stands by itself: `--name`, or .Fl -name."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        if path.endswith(".md"):
            found = re.findall(r"`--([a-z][a-z-]*)[^`]*`", line)
        else:
            found = re.findall(r" -([a-z][a-z-]+)", " ".join(re.findall(r"\bFl (.*)", line)))
        for name in found:
            yield number, name


def main():
    commands = Commands(sys.argv[1])
    flags = commands.every_flag()
    seen = failed = 0
    for path in sys.argv[2:]:
        for number, name in [] if path.endswith(".c") else flags_named(path):
            if name not in flags:
                failed += 1
                print(f"{path}:{number}: no command has --{name}")
        for number, wrong in [] if path.endswith((".md", ".c")) else references(path):
            failed += 1
            print(f"{path}:{number}: {wrong}")
        for number, words in mentions(path):
            seen += 1
            wrong = commands.wrong([w for w in words if w not in ("|", "...")])
            if wrong is not None:
                failed += 1
                print(f"{path}:{number}: {wrong}: propseal {' '.join(words)}")
    print(f"{seen} commands, {failed} that are not there")
    sys.exit(failed > 0)


main()
