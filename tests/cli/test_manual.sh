#!/bin/sh
# propseal(1) has every command of --help in its synopsis, with every flag that
# the command takes and no other, and explains each command and flag.
set -u
: "${PROPSEAL:?the program under test}"
PYTHONPATH=tests/cli exec python3 -B - "$PROPSEAL" man/propseal.1 <<'END'
import glob
import re
import sys

from manual import Page, flags_of, flags_of_help, items_of

page = Page(*sys.argv[1:])

# What stands for what is common to many commands is said in the page itself.
common = page.text.split('.Ar common\nstands for')[1].split('.\n')[0]
common = flags_of(common) & {'master-key-file', 'master-key-command', 'master-key-variable', 'dry-run',
                             'lock-timeout', 'output'}
blocks = {}
for block in page.section('SYNOPSIS').split('.Nm\n')[1:]:
    words = re.match(r'(?:\.Cm|\.Op Cm) (.*)', block).group(1)
    names = [w for w in words.split() if w != '|']
    if '|' in words:
        for name in names[1:]:
            blocks[names[0] + ' ' + name] = block
    else:
        blocks[' '.join(names)] = block

listed = re.search(r'\nCommands:\n(.*?)\n\n', page.help(), re.S).group(1)
commands = re.findall(r'^  ([a-z-]+(?: [a-z-]+)?)  ', listed + '\n', re.M)
page.check(len(commands) > 10, 'is compared with too few commands')
explained = page.text.split('.Ss Commands\n')[1].split('.Ss Flags\n')[0]
items = set()
for line in re.findall(r'^\.It Cm (.*)$', explained, re.M):
    items.update(w.strip() for w in line.split(','))
all_flags = set()
for command in commands:
    if command in ('help', 'version'):
        page.check(command in items, 'does not explain ' + command)
        continue
    page.check(command in items, 'does not explain ' + command)
    page.check(command in blocks, 'has no synopsis of ' + command)
    if command not in blocks:
        continue
    wanted = flags_of_help(page.help(*command.split()))
    has = flags_of(blocks[command])
    if '.Op Ar common' in blocks[command]:
        has |= common & wanted
    page.check_flags(command, has, wanted)
    all_flags |= wanted
page.check_commands(set(blocks) - set(commands) - {'help', 'version'})
told = items_of(page.text)
page.check(all_flags - told == set(), 'does not explain the flags %s' % sorted(all_flags - told))

# Each form of JSON that a command writes is named in the list of them, there and for scripts.
written = set()
for path in glob.glob('src/cli/**/*.c', recursive=True) + glob.glob('core/*/*.c') + \
        glob.glob('src/common/*.c'):
    with open(path) as f:
        written.update(re.findall(r'propseal\.[a-z.-]+/\d', f.read()))
page.check(len(written) > 10, 'is compared with too few forms of JSON')
with open('share/doc/scripting.md') as f:
    scripting = f.read()
for schema in sorted(written):
    page.check(schema in page.text, 'does not tell of ' + schema)
    page.check(schema in scripting, 'leaves to share/doc/scripting.md, which lacks it: ' + schema)
page.end()
END
