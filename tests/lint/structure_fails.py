#!/usr/bin/env python3
"""Each rule of structure.py fails on a scratch copy of a tree that breaks it."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import structure  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LIST = "tests/lint/allowed/"

# A small tree that keeps all rules.
TREE = {
    LIST + "arrows": """core/base:
core/file: core/base
ui: core/file     # and so core/base
src/cli: ui
src/registry/http: core/file
""",
    LIST + "writers": "", LIST + "circles": "", LIST + "exports": "", LIST + "json": "",
    "core/base/text.h": """#include <stddef.h>
/* The length of ${text}, not that of screen(). */
size_t text_length(const char *text);
typedef int text_fn(void *cookie);
struct text { int (*take)(struct text *t); };
""",
    "core/base/text.c": """#include "base/text.h"
size_t
text_length(const char *text)
{
	return *text == '\\0' ? 0 : 1 + text_length(text + 1);
}
""",
    "core/file/file.h": "",
    "src/cli/args.h": "",
    "src/registry/http/http.h": "",
    "ui/screen.h": "",
    "ui/screen.c": """#include "base/text.h"
/* Not open(path, O_CREAT), nor "{\\"x\\":1}", nor #include "ui/gone.h" */
const char *
screen(void)
{
	return text_length("O_CREAT creat(x)") > 0 ? "say x: y" : NULL;
}
""",
}

# (rule, files to add or to replace, what is said: None for nothing)
CASES = [(rule, {}, None) for rule in structure.RULES]


def holds(rule, files):
    CASES.append((rule, files, None))


def breaks(rule, said, files):
    CASES.append((rule, files, said))


def more(path, text):
    return {path: TREE[path] + text}


def arrow(folder, targets):
    lines = TREE[LIST + "arrows"].splitlines()
    return {LIST + "arrows": "\n".join(
        f"{folder}: {targets}" if line.startswith(folder + ":") else line for line in lines)}


breaks("arrows", "core/base/text.c:7: core/base may not include ui/screen.h",
       more("core/base/text.c", '#include "ui/screen.h"\n'))
breaks("arrows", "core/base/text.h:6: core/base may not include core/file/file.h",
       more("core/base/text.h", '#  include "file/file.h"\n'))
breaks("arrows", "src/cli/main.c:2: src/cli may not include src/registry/http/http.h",
       {"src/cli/main.c": '\n#include "registry/http/http.h"\n'})
breaks("arrows", "src/registry/http/http.c:1: src/registry/http may not include src/cli/args.h",
       {"src/registry/http/http.c": '#include "cli/args.h"\n'})
breaks("arrows", "src/cli/main.c:1: there is no such file to include",
       {"src/cli/main.c": '#include "base/gone.h"\n'})
breaks("arrows", "src/new/new.c:1: src/new has no line in tests/lint/allowed/arrows",
       {"src/new/new.c": ""})
breaks("arrows", "allowed/arrows: a circle: core/base core/file", arrow("core/base", "core/file"))
breaks("arrows", "allowed/arrows: core/file may include core/gone, which has no line",
       arrow("core/file", "core/gone"))
breaks("arrows", "allowed/arrows: core/base may not include src/registry/http", {
    **arrow("core/base", "src/registry/http"),
    LIST + "arrows": "core/base: src/registry/http\nsrc/registry/http:\nui: core/base\n"})
breaks("arrows", "allowed/arrows: src/cli may not include src/registry/http",
       arrow("src/cli", "ui src/registry/http"))
breaks("arrows", "allowed/arrows: src/registry/http may not include src/cli",
       arrow("src/registry/http", "src/cli"))
breaks("arrows", "allowed/arrows:6: this is not `folder: folders`",
       more(LIST + "arrows", "ui core\n"))
holds("arrows", {"src/cli/main.c": '#include "base/text.h"\n#include "ui/screen.h"\n'})

for call in ("open(path, O_WRONLY)", "openat(dir, path, O_RDWR | O_CLOEXEC)", "creat(path, 0600)",
             "open(path, flags | O_CREAT)", 'fopen(path, "w")', 'fopen(path, "ae")',
             'fdopen(fd,\n"r+")', "rename(path, to)", "renameat2(dir, path, dir, to, 0)",
             "linkat(a, b, c, d, 0)", "mkdir(path, 0700)", "mkstemp(path)", "ftruncate(fd, 0)",
             'memfd_create("x", 0)', "sqlite3_open_v2(path, &db, 0, 0)"):
    breaks("writers", "ui/write.c:1: this file opens something for writing",
           {"ui/write.c": f"int f(void) {{ return {call}; }}\n"})
WRITE = {"ui/write.c": "int f(void) { return creat(path, 0600); }\n"}
holds("writers", {**WRITE, LIST + "writers": "# files\nui/write.c : the test of a rule\n"})
breaks("writers", "allowed/writers:1: no reason is given",
       {**WRITE, LIST + "writers": "ui/write.c :\n"})
breaks("writers", "allowed/writers:2: ui/screen.c opens nothing for writing",
       {LIST + "writers": "\nui/screen.c : it wrote once\n"})
holds("writers", {"ui/read.c":
                  'int f(void) { return open(p, O_RDONLY) + p->rename(q) + fopen(p, "re"); }\n'})

breaks("circles", "ui/a: a circle of includes: ui/a ui/b",
       {"ui/a.h": '#include "ui/b.h"\n', "ui/b.h": "", "ui/b.c": '#include "ui/a.h"\n'})
breaks("circles", "a circle of includes: ui/a ui/b ui/c",
       {"ui/a.c": '#include "ui/b.h"\n', "ui/b.h": '#include "ui/c.h"\n',
        "ui/c.c": '#include "ui/a.h"\n', "ui/a.h": "", "ui/c.h": ""})
CIRCLE = {"ui/a.h": '#include "ui/b.h"\n', "ui/b.h": '#include "ui/a.h"\n'}
holds("circles", {**CIRCLE, LIST + "circles": "ui/b ui/a : they are one\n"})
breaks("circles", "allowed/circles:1: no reason is given",
       {**CIRCLE, LIST + "circles": "ui/b ui/a\n"})
breaks("circles", "allowed/circles:1: there is no such circle: ui/a ui/b",
       {LIST + "circles": "ui/a ui/b : they were one\n"})
breaks("circles", "allowed/circles: 9 circles, more than 8",
       {LIST + "circles": "".join(f"ui/a{n} ui/b{n} : they are one\n" for n in range(9)),
        **{f"ui/a{n}.h": f'#include "ui/b{n}.h"\n' for n in range(9)},
        **{f"ui/b{n}.h": f'#include "ui/a{n}.h"\n' for n in range(9)}})
breaks("circles", "allowed/circles:1: a circle of two folders: core/file/a ui/b",
       {"core/file/a.h": '#include "ui/b.h"\n', "ui/b.h": '#include "file/a.h"\n',
        LIST + "circles": "core/file/a ui/b : they are one\n"})

holds("length", {"ui/long.c": "/* */\n" * 1000})
breaks("length", "ui/long.c:1001: 1001 lines, more than 1000", {"ui/long.c": "/* */\n" * 1001})
breaks("length", "tests/unit/test_long.c:1001: 1200 lines, more than 1000",
       {"tests/unit/test_long.c": "/* */\n" * 1200})

holds("columns", {"ui/wide.c": "\t" * 11 + "x" * 4 + "\t" + "\u00e4" * 4 + "\n"})
breaks("columns", "ui/wide.c:2: wider than 100 columns",
       {"ui/wide.c": "\n" + "\t" * 11 + "x" * 4 + "\t" + "x" * 5 + "\n"})

ALONE = {**more("core/base/text.h", """
/* screen() and text_alone() are no use of it. */
int text_alone(int (*take)(void *cookie), const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
"""), **more("core/base/text.c", """int
text_alone(int (*take)(void *cookie), const char *fmt, ...)
{
	return text_alone(take, "text_alone");
}
""")}
breaks("exports", "core/base/text.h:8: text_alone is used by no other file: make it static", ALONE)
breaks("exports", "core/base/text.h:6: text_gone is used by no other file",
       more("core/base/text.h", "extern void *text_gone(void);\n"))
holds("exports", {**ALONE, "ui/use.c": "int (*use)() = text_alone;\n"})
holds("exports", {**ALONE, "tests/unit/test_use.c": "int (*use)() = text_alone;\n"})
holds("exports", {**ALONE, LIST + "exports": "text_alone : the test of a rule\n"})
breaks("exports", "allowed/exports:1: text_length is used elsewhere, or gone",
       {LIST + "exports": "text_length : it was alone\n"})

breaks("json", "ui/hand.c:1: 1 lines of hand-made JSON, 0 allowed: 1",
       {"ui/hand.c": 'const char *s = "{\\"name\\":", *t = ",\\"a-b\\":1";\n'})
HAND = {"ui/hand.c": 'const char *s = "{\\"name\\":"\n    ",\\"b\\": ";\n'}
holds("json", {**HAND, LIST + "json": "ui/hand.c 2 : the test of a rule\n"})
breaks("json", "ui/hand.c:1: 2 lines of hand-made JSON, 1 allowed: 1 2",
       {**HAND, LIST + "json": "ui/hand.c 1 : the test of a rule\n"})
breaks("json", "allowed/json: 40 lines, not fewer than 40",
       {LIST + "json": "ui/screen.c 40 : too many\n"})
breaks("json", "allowed/json:1: this is not `file lines : reason`",
       {LIST + "json": "ui/screen.c : how many?\n"})
breaks("json", "allowed/json:1: there is no ui/gone.c", {LIST + "json": "ui/gone.c 1 : gone\n"})


def make(root, files):
    for path, text in files.items():
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def small(scratch):
    """The cases, each in a tree of its own: how many fail."""
    failed = 0
    for number, (rule, files, wanted) in enumerate(CASES):
        root = os.path.join(scratch, str(number))
        make(root, {**TREE, **files})
        said = structure.check(root, [rule])[rule]
        if bool(said) != (wanted is not None) or (wanted and not any(wanted in s for s in said)):
            print(f"{rule}: wanted {wanted}, got", *said, sep="\n    ")
            failed += 1
    return failed


def whole(scratch):
    """A copy of this tree, with all rules broken: how many are not told of."""
    root = os.path.join(scratch, "whole")
    for folder in structure.FOLDERS + (LIST,):
        shutil.copytree(os.path.join(HERE, "../..", folder), os.path.join(root, folder))
    make(root, {
        "core/base/x.h": '#include "ui/x.h"\nvoid x_alone(void);\n',
        "ui/x.h": '#include "base/x.h"\n',
        "ui/x.c": 'int x(void) { return fopen("{\\"x\\":1}", "w"); }\n' + "\n" * 1000 + "\t" * 13,
    })
    run = subprocess.run([sys.executable, os.path.join(HERE, "structure.py"), root],
                         stdout=subprocess.PIPE, text=True, check=False)
    missing = [rule for rule in structure.RULES if not any(
        line.endswith(f"[{rule}]") and "/x." in line or f"x [{rule}]" in line
        for line in run.stdout.splitlines())]
    if missing or run.returncode != 1:
        print(f"the whole tree: exit {run.returncode}, nothing said by", *missing)
    return len(missing) + (run.returncode != 1)


def main():
    scratch = tempfile.mkdtemp(prefix="propseal-lint.")
    try:
        failed = small(scratch) + whole(scratch)
    finally:
        shutil.rmtree(scratch)
    print(f"{len(CASES) + len(structure.RULES) + 1 - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
