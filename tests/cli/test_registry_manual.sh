#!/bin/sh
# propseal-registry(8) has every command of `registry --help` in its synopsis,
# with every flag that the command takes and no other, and names each flag in
# its text; propseal(1) refers to it.
set -u
: "${PROPSEAL:?the program under test}"
exec python3 - "$PROPSEAL" man/propseal-registry.8 man/propseal.1 <<'END'
import re
import subprocess
import sys

program, path, other = sys.argv[1:]
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
    return subprocess.run([program, 'registry', *words, '--help'], capture_output=True,
                          text=True, check=True).stdout


def section(name):
    return page.split('.Sh ' + name + '\n')[1].split('\n.Sh ')[0]


def flags_of(text):
    """Long names of the .Fl macros; -o is output."""
    found = set()
    for names in re.findall(r'\bFl ((?:-\S+|\w)(?: , (?:Fl )?(?:-\S+|\w))*)', text):
        found.update(re.findall(r'-([a-z][a-z-]*)', names))
        if re.search(r'\bo\b', names):
            found.add('output')
    return found


def words_of(line):
    return [w for w in line.split() if w not in ('|', 'Cm')]


# What all commands that ask a registry take is told once.
remote = page.split('.Ar remote\nstands for')[1].split('\n.El')[0]
remote = flags_of('\n'.join(re.findall(r'^\.It (Fl .*)$', remote, re.M)))
check(len(remote) == 8, 'tells of the flags for a registry %s' % sorted(remote))
# Every command takes -o, but for those that say otherwise.
everywhere = flags_of(page.split('.Ss Output\n')[1].split('\n.S')[0]) & {'output'}
blocks = {}
for line, block in re.findall(r'^\.Nm propseal registry (.*)\n((?:(?!\.Nm|\.Sh).*\n)*)', page,
                              re.M):
    for name in words_of(line):
        blocks[name] = block

commands = re.findall(r'^  registry ([a-z]+)  ', say(), re.M)
check(len(commands) > 15, 'is compared with too few commands')
all_flags = set()
for command in commands:
    check(command in blocks, 'has no synopsis of ' + command)
    if command not in blocks:
        continue
    block = blocks[command]
    help_text = say(command)
    wanted = set(re.findall(r'^ +(?:-\w, )?--([a-z-]+)', help_text.split('Flags:')[1], re.M))
    wanted.discard('help')
    has = flags_of(block)
    if '.Op Ar remote' in block:
        has |= remote
    if command != 'serve':
        has |= everywhere
    if '.Op Ar filter' in block:
        has |= flags_of(page.split('.Cm audit search\nprints')[1].split('\n.Ss')[0])
    check(wanted - has == set(), 'lacks in %s: %s' % (command, sorted(wanted - has)))
    check(has - wanted == set(), 'has in %s: %s' % (command, sorted(has - wanted)))
    all_flags |= wanted
    # The words behind it: actions, and names of arguments.
    usage = help_text.split('usage: propseal registry ' + command)[1].split('\n\n')[0]
    actions = re.search(r' ([a-z]+(?:\|[a-z]+)+)(?: |$)', re.sub(r'\[?--?\S+( \S+)?', '', usage))
    if actions:
        told = re.search(r'^\.Cm (.*)$', block, re.M)
        check(told is not None and words_of(told.group(1)) == actions.group(1).split('|'),
              'has other actions of %s than %s' % (command, actions.group(1)))
for name in sorted(set(blocks) - set(commands)):
    check(False, 'has a command that is not there: ' + name)
told = flags_of(page.split('.Sh DESCRIPTION\n')[1])
check(all_flags - told == set(), 'does not explain the flags %s' % sorted(all_flags - told))
check(told - all_flags == set(), 'explains flags that are not there: %s' %
      sorted(told - all_flags))
check('.Xr propseal-registry 8' in open(other).read(), 'is not referred to by ' + other)
print('%d passed, %d failed' % (passed, failed))
sys.exit(failed > 0)
END
