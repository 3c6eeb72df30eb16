#!/bin/sh
# propseal-registry(8) has every command of `registry --help` in its synopsis,
# with every flag that the command takes and no other, and names each flag in
# its text; propseal(1) refers to it.
set -u
: "${PROPSEAL:?the program under test}"
PYTHONPATH=tests/cli exec python3 -B - "$PROPSEAL" man/propseal-registry.8 man/propseal.1 <<'END'
import re
import sys

from manual import Page, flags_of, flags_of_help, items_of

program, path, other = sys.argv[1:]
page = Page(program, path, 'registry')


def words_of(line):
    return [w for w in line.split() if w not in ('|', 'Cm')]


# What all commands that ask a registry take is told once.
remote = page.text.split('.Ar remote\nstands for')[1].split('\n.El')[0]
remote = items_of(remote)
page.check(len(remote) == 8, 'tells of the flags for a registry %s' % sorted(remote))
# Every command takes -o, but for those that say otherwise.
everywhere = flags_of(page.text.split('.Ss Output\n')[1].split('\n.S')[0]) & {'output'}
blocks = {}
for line, block in re.findall(r'^\.Nm propseal registry (.*)\n((?:(?!\.Nm|\.Sh).*\n)*)', page.text,
                              re.M):
    for name in words_of(line):
        blocks[name] = block

commands = re.findall(r'^  registry ([a-z]+)  ', page.help(), re.M)
page.check(len(commands) > 15, 'is compared with too few commands')
all_flags = set()
for command in commands:
    page.check(command in blocks, 'has no synopsis of ' + command)
    if command not in blocks:
        continue
    block = blocks[command]
    help_text = page.help(command)
    wanted = flags_of_help(help_text)
    has = flags_of(block)
    if '.Op Ar remote' in block:
        has |= remote
    if command != 'serve':
        has |= everywhere
    if '.Op Ar filter' in block:
        has |= flags_of(page.text.split('.Cm audit search\nprints')[1].split('\n.Ss')[0])
    page.check_flags(command, has, wanted)
    all_flags |= wanted
    # The words behind it: actions, and names of arguments.
    usage = help_text.split('usage: propseal registry ' + command)[1].split('\n\n')[0]
    actions = re.search(r' ([a-z]+(?:\|[a-z]+)+)(?: |$)', re.sub(r'\[?--?\S+( \S+)?', '', usage))
    if actions:
        told = re.search(r'^\.Cm (.*)$', block, re.M)
        page.check(told is not None and words_of(told.group(1)) == actions.group(1).split('|'),
                   'has other actions of %s than %s' % (command, actions.group(1)))
page.check_commands(set(blocks) - set(commands))
told = flags_of(page.text.split('.Sh DESCRIPTION\n')[1])
page.check(all_flags - told == set(), 'does not explain the flags %s' % sorted(all_flags - told))
page.check(told - all_flags == set(), 'explains flags that are not there: %s' %
           sorted(told - all_flags))
page.check('.Xr propseal-registry 8' in open(other).read(), 'is not referred to by ' + other)
page.end()
END
