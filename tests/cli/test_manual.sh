#!/bin/sh
# propseal(1) has every command of --help in its synopsis, with every flag that
# the command takes and no other, and explains each command and flag.
set -u
: "${PROPSEAL:?the program under test}"
exec python3 - "$PROPSEAL" man/propseal.1 <<'END'
import re
import subprocess
import sys

program, path = sys.argv[1:]
page = open(path).read()
passed = failed = 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(path + ' ' + what)


def say(*words):
    return subprocess.run([program, *words, '--help'], capture_output=True, text=True,
                          check=True).stdout


def section(name):
    return page.split('.Sh ' + name + '\n')[1].split('\n.Sh ')[0]


def flags_of(text):
    """Long names of the .Fl macros; -o is output, -h help."""
    found = set()
    for names in re.findall(r'\bFl ((?:-\S+|\w)(?: , Fl (?:-\S+|\w))*)', text):
        found.update(re.findall(r'-([a-z][a-z-]*)', names))
        if re.search(r'\bo\b', names):
            found.add('output')
    return found


# What stands for what is common to many commands is said in the page itself.
common = page.split('.Ar common\nstands for')[1].split('.\n')[0]
common = flags_of(common) & {'master-key-file', 'dry-run', 'lock-timeout', 'output'}
blocks = {}
for block in section('SYNOPSIS').split('.Nm\n')[1:]:
    words = re.match(r'(?:\.Cm|\.Op Cm) (.*)', block).group(1)
    names = [w for w in words.split() if w != '|']
    if '|' in words:
        for name in names[1:]:
            blocks[names[0] + ' ' + name] = block
    else:
        blocks[' '.join(names)] = block

listed = re.search(r'\nCommands:\n(.*?)\n\n', say(), re.S).group(1)
commands = re.findall(r'^  ([a-z-]+(?: [a-z-]+)?)  ', listed + '\n', re.M)
check(len(commands) > 10, 'is compared with too few commands')
explained = page.split('.Ss Commands\n')[1].split('.Ss Flags\n')[0]
items = set()
for line in re.findall(r'^\.It Cm (.*)$', explained, re.M):
    items.update(w.strip() for w in line.split(','))
all_flags = set()
for command in commands:
    if command in ('help', 'version'):
        check(command in items, 'does not explain ' + command)
        continue
    check(command in items, 'does not explain ' + command)
    check(command in blocks, 'has no synopsis of ' + command)
    if command not in blocks:
        continue
    help_text = say(*command.split())
    wanted = set(re.findall(r'^ +(?:-\w, )?--([a-z-]+)', help_text.split('Flags:')[1], re.M))
    wanted.discard('help')
    has = flags_of(blocks[command])
    if '.Op Ar common' in blocks[command]:
        has |= common & wanted
    check(wanted - has == set(), 'lacks in %s: %s' % (command, sorted(wanted - has)))
    check(has - wanted == set(), 'has in %s: %s' % (command, sorted(has - wanted)))
    all_flags |= wanted
for name in sorted(set(blocks) - set(commands) - {'help', 'version'}):
    check(False, 'has a command that is not there: ' + name)
told = flags_of('\n'.join(re.findall(r'^\.It (Fl .*)$', page, re.M)))
check(all_flags - told == set(), 'does not explain the flags %s' % sorted(all_flags - told))
print('%d passed, %d failed' % (passed, failed))
sys.exit(failed > 0)
END
