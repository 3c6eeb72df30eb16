#!/usr/bin/env python3
"""The rules of the house that need more than a pattern: see RULES below.

usage: tests/lint/structure.py [--rule NAME]... [ROOT]

Prints what breaks a rule as FILE:LINE: WHAT, and last `N passed, N failed`,
a rule being one.  The lists of what is allowed, each with its reason, are in
tests/lint/allowed/: a line is `NAME... : REASON`, `#` begins a comment.
"""

import os
import re
import sys

FOLDERS = ("core", "ui", "src")
LINES_MAX = 1000
COLUMNS_MAX = 100
CIRCLES_MAX = 8
HAND_MADE_JSON_MAX = 40

# A comment, a string or a character constant.
TOKEN = re.compile(
    r'(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*")|'
    r"(?P<char>'(?:\\.|[^'\\\n])+')", re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+\.h)"', re.M)
WORD = re.compile(r"[A-Za-z_]\w*")


class File:
    """A source file: its text, and that without comments and strings."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.strings = []  # (offset, text between the quotes)
        self.code = TOKEN.sub(self._blank, self.text)
        self.words = set(WORD.findall(self.code))

    def _blank(self, match):
        if match.group("text"):
            self.strings.append((match.start(), match.group("text")[1:-1]))
            return '"' + " " * (len(match.group()) - 2) + '"'
        return re.sub(r"[^\n]", " ", match.group())

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1


class Tree:
    """All .c and .h files below core, ui, src and tests, by path."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for top in FOLDERS + ("tests",):
            for folder, _, names in os.walk(os.path.join(root, top)):
                for name in names:
                    if name.endswith((".c", ".h")):
                        path = os.path.relpath(os.path.join(folder, name), root)
                        self.files[path] = File(root, path)
        self.own = {p: f for p, f in sorted(self.files.items())
                    if not p.startswith("tests/")}
        self.includes = {p: list(self._includes(f)) for p, f in self.own.items()}

    def _includes(self, file):
        """The headers that ${file} includes, as (line, path); path None: it is nowhere."""
        for m in INCLUDE.finditer(file.text):
            for base in (os.path.dirname(file.path), "core", "src", ""):
                path = os.path.normpath(os.path.join(base, m.group(1)))
                if path in self.files:
                    yield file.line(m.start()), path
                    break
            else:
                yield file.line(m.start()), None

    def allowed(self, name):
        """The lines of a list of what is allowed, as (line number, names, reason)."""
        path = os.path.join("tests/lint/allowed", name)
        with open(os.path.join(self.root, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                line = line.split("#")[0].strip()
                if line:
                    names, _, reason = line.partition(" : ")
                    if name != "arrows" and not reason.strip():
                        yield number, [], ""
                    else:
                        yield number, names.split(), reason.strip()


def circles(graph):
    """The strongly connected parts of more than one node, each sorted (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(start):
        work = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    work.append((target, iter(sorted(graph[target]))))
                    break
                if target in stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = stack[stack.index(node):]
                    del stack[stack.index(node):]
                    if len(part) > 1:
                        found.append(sorted(part))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)


def bare(tree, name, say):
    """Tell of lines in a list that give no reason; the others as (line, names)."""
    for number, names, _ in tree.allowed(name):
        if not names:
            say(f"tests/lint/allowed/{name}:{number}: no reason is given")
        else:
            yield number, names


# --- the rules ---


def arrows(tree, say):
    """A folder includes the folders of its line in `arrows`, and what those include."""
    direct = {}
    for number, names, _ in tree.allowed("arrows"):
        if not names[0].endswith(":"):
            say(f"tests/lint/allowed/arrows:{number}: this is not `folder: folders`")
            continue
        direct[names[0][:-1]] = names[1:]
    for folder, targets in direct.items():
        for target in targets:
            if target not in direct:
                say(f"tests/lint/allowed/arrows: {folder} may include {target}, "
                    "which has no line")
                return
    for part in circles(direct):
        say(f"tests/lint/allowed/arrows: a circle: {' '.join(part)}")
        return
    reach = {}

    def closure(folder):
        if folder not in reach:
            reach[folder] = {folder}.union(*map(closure, direct[folder]))
        return reach[folder]

    for folder in direct:
        for target in closure(folder):
            # These hold whatever the list says.
            apart = {folder.split("/")[1] if folder.startswith("src/") else "",
                     target.split("/")[1] if target.startswith("src/") else ""}
            if folder.startswith("core/") and not target.startswith("core/") or \
                    apart == {"cli", "registry"}:
                say(f"tests/lint/allowed/arrows: {folder} may not include {target}")
    for path, includes in tree.includes.items():
        folder = os.path.dirname(path)
        if folder not in direct:
            say(f"{path}:1: {folder} has no line in tests/lint/allowed/arrows")
            continue
        for line, target in includes:
            if target is None:
                say(f"{path}:{line}: there is no such file to include")
            elif os.path.dirname(target) not in reach[folder]:
                say(f"{path}:{line}: {folder} may not include {target}")


OPENS = re.compile(
    r"\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b|"
    r"(?<![.>\w])(?:creat|mkostemps?|mkstemps?|mkdtemp|f?truncate|rename|renameat2?|link|linkat|"
    r"symlink|symlinkat|mkdir|mkdirat|mknod|mkfifo|memfd_create|sqlite3_open|sqlite3_open_v2)"
    r"\s*\(")
STREAM = re.compile(r"\b(?:fopen|fdopen|freopen)\s*\([^;]*")


def writers(tree, say):
    """Only the files in `writers` open, make or rename anything that lasts."""
    listed = {}
    for number, names in bare(tree, "writers", say):
        for name in names:
            listed[name] = number
    for path, file in tree.own.items():
        seen = [m.start() for m in OPENS.finditer(file.code)]
        for m in STREAM.finditer(file.code):
            modes = [s for at, s in file.strings if m.start() < at < m.end()]
            if any(re.search(r"^[wa]|^r.?\+", s) for s in modes):
                seen.append(m.start())
        if seen and path not in listed:
            say(f"{path}:{file.line(min(seen))}: this file opens something for writing and is "
                "not in tests/lint/allowed/writers")
        if seen:
            listed.pop(path, None)
    for path, number in listed.items():
        say(f"tests/lint/allowed/writers:{number}: {path} opens nothing for writing")


def files_in_circles(tree, say):
    """Modules do not include each other in a circle, but for those in `circles`.

    A module is a .c with the .h of the same name, or one of them alone."""
    graph = {}
    for path, includes in tree.includes.items():
        graph.setdefault(path[:-2], set()).update(
            t[:-2] for _, t in includes if t is not None and t in tree.own and t[:-2] != path[:-2])
    listed = {}
    for number, names in bare(tree, "circles", say):
        listed[tuple(sorted(names))] = number
        if len({os.path.dirname(name) for name in names}) > 1:
            say(f"tests/lint/allowed/circles:{number}: a circle of two folders: "
                f"{' '.join(sorted(names))}")
    if len(listed) > CIRCLES_MAX:
        say(f"tests/lint/allowed/circles: {len(listed)} circles, more than {CIRCLES_MAX}")
    for part in circles(graph):
        if listed.pop(tuple(part), None) is None:
            say(f"{part[0]}: a circle of includes: {' '.join(part)}")
    for names, number in listed.items():
        say(f"tests/lint/allowed/circles:{number}: there is no such circle: {' '.join(names)}")


def length(tree, say):
    """No file is longer than LINES_MAX."""
    for path, file in sorted(tree.files.items()):
        lines = file.text.count("\n")
        if lines > LINES_MAX:
            say(f"{path}:{LINES_MAX + 1}: {lines} lines, more than {LINES_MAX}")


def columns(tree, say):
    """No line is wider than COLUMNS_MAX, a tab going to the next column of eight."""
    for path, file in sorted(tree.files.items()):
        if path in tree.own or path.startswith("tests/fuzz/"):
            for number, line in enumerate(file.text.split("\n"), 1):
                if len(line.expandtabs(8)) > COLUMNS_MAX:
                    say(f"{path}:{number}: wider than {COLUMNS_MAX} columns")


# The name in `type name(arguments) attributes;` outside of all braces.
PROTOTYPE = re.compile(r"\b(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*(?:__attribute__\s*\(.*)?$", re.S)


def prototypes(file):
    """The functions that a header declares, as (offset, name)."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: " " * len(m.group()), file.code, flags=re.M)
    depth = start = 0
    for m in re.finditer(r"[{};]", code):
        if m.group() == "{":
            depth += 1
        elif m.group() == "}":
            depth -= 1
            if depth == 0:
                start = m.end()
        elif depth == 0:
            statement = code[start:m.start()]
            found = PROTOTYPE.search(statement)
            if found and not re.match(r"\s*(typedef|static)\b", statement) and \
                    "(*" not in statement[:found.start(1) + 1].replace(" ", ""):
                yield start + found.start(1), found.group(1)
            start = m.end()


def exports(tree, say):
    """A function in a header is used by a file besides the one that defines it."""
    listed = {n: number for number, names in bare(tree, "exports", say) for n in names}
    users = {}
    for path, file in tree.files.items():
        for word in file.words:
            users.setdefault(word, []).append(path)
    for path, file in tree.own.items():
        if not path.endswith(".h"):
            continue
        for at, name in prototypes(file):
            define = re.compile(r"^" + name + r"\(", re.M)
            others = [u for u in users[name] if u != path and
                      not (u.endswith(".c") and define.search(tree.files[u].code))]
            if others or len(re.findall(r"\b" + name + r"\b", file.code)) > 1:
                continue
            if listed.pop(name, None) is None:
                say(f"{path}:{file.line(at)}: {name} is used by no other file: make it static")
    for name, number in listed.items():
        say(f"tests/lint/allowed/exports:{number}: {name} is used elsewhere, or gone")


MEMBER = re.compile(r'\\"[A-Za-z_][\w.-]*\\":')


def hand_made_json(tree, say):
    """JSON is written by base/json_out, but for so many lines in the files of `json`."""
    listed = {}
    for number, names in bare(tree, "json", say):
        if len(names) != 2 or not names[1].isdigit():
            say(f"tests/lint/allowed/json:{number}: this is not `file lines : reason`")
        elif names[0] not in tree.own:
            say(f"tests/lint/allowed/json:{number}: there is no {names[0]}")
        else:
            listed[names[0]] = int(names[1])
    if sum(listed.values()) >= HAND_MADE_JSON_MAX:
        say(f"tests/lint/allowed/json: {sum(listed.values())} lines, not fewer than "
            f"{HAND_MADE_JSON_MAX}")
    for path, file in tree.own.items():
        lines = sorted({file.line(at) for at, s in file.strings if MEMBER.search(s)})
        if len(lines) > listed.get(path, 0):
            say(f"{path}:{lines[0]}: {len(lines)} lines of hand-made JSON, "
                f"{listed.get(path, 0)} allowed: {' '.join(map(str, lines))}")


RULES = {"arrows": arrows, "writers": writers, "circles": files_in_circles, "length": length,
         "columns": columns, "exports": exports, "json": hand_made_json}


def check(root, names):
    """What breaks the rules ${names} in the tree at ${root}, by rule."""
    tree = Tree(root)
    said = {name: [] for name in names}
    for name in names:
        RULES[name](tree, said[name].append)
    return said


def main():
    names, args = [], sys.argv[1:]
    while args and args[0] == "--rule" and len(args) > 1:
        names.append(args[1])
        args = args[2:]
    if len(args) > 1 or any(n not in RULES for n in names):
        sys.exit(__doc__)
    said = check(args[0] if args else os.path.join(os.path.dirname(__file__), "../.."),
                 names or RULES)
    for name, texts in said.items():
        for text in texts:
            print(f"{text} [{name}]")
    failed = sum(1 for texts in said.values() if texts)
    print(f"{len(said) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
