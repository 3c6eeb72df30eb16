#!/usr/bin/env python3
"""How much `propseal audit` finds of what is there, and how much that is not.

usage: measure.py PROPSEAL [FOLDER LABELS [NAMES]]

Without a folder: the files in tests/audit/cases, in which a line with CANARY (or the same in
base64) holds a secret and no other line does, and then those in tests/audit/held-out and
held-out-later, which were written from the documentation of the products without a look at how the
audit goes about it.  The exit status is 1 where recall or precision of a form is below 0.98, of the
later sets that of all.

FOLDER LABELS: other .properties and .json files, with a table LABELS (tab-separated: key, label,
...), whose label is S for the key of a secret and N for that of none; keys of other labels are left
out, and so are values that are references or placeholders by this script's own rule.  NAMES: a
table of files that were given other names than they had (tab-separated, with a head that names the
columns `id` and `path`); as the audit goes by names, too, they get them back.
"""
import collections
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
environment = dict(os.environ, PROPSEAL_CONFIG='')
# Errors that are no secrets in clear text.
others = ('missing-secrets-file', 'dangling-reference', 'provider-not-configured')
marks = re.compile('CANARY|Q0FOQVJZ')
# What `confluent secret file encrypt` takes without --config, and what people search for.
reference = re.compile('.password', re.I)
words = re.compile('passw|pwd|secret|token|credential|(api|access|private).?key|user.info', re.I)
not_clear = re.compile(r'''^\s*["']?(\$|`|<|\{\{|%\(|ENC[(\[]|\*+$|x{3,}|your|change[_-]|replace|null$|$)''',
                       re.I)


def audit(propseal, folder):
    """The lines of each file with an error."""
    run = subprocess.run([propseal, 'audit', folder, '-o', 'json'], stdout=subprocess.PIPE,
                         env=environment)
    lines = collections.defaultdict(list)
    for f in json.loads(run.stdout)['findings']:
        if f['level'] == 'error' and f['rule'] not in others:
            lines[f['file']].append(range(f['line'], f['end_line'] + 1))
    return lines


def unpack(path, folder):
    """Write the files of a text of cases; their lines."""
    files = {}
    name = None
    for line in open(path, encoding='utf-8'):
        if line.startswith('=== '):
            name = line[4:].strip()
            files[name] = []
        elif name:
            files[name].append(line)
    for name, lines in files.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as out:
            out.write(''.join(lines))
    return files


def measure_form(propseal, path):
    """Hits, misses and false alarms, each of which is printed."""
    with tempfile.TemporaryDirectory() as folder:
        files = unpack(path, folder)
        found = audit(propseal, folder)
    hit = missed = false = 0
    for file, text in files.items():
        planted = {n for n, line in enumerate(text, 1) if marks.search(line)}
        got = found.get(file, [])
        for n in sorted(planted):
            if any(n in span for span in got):
                hit += 1
            else:
                missed += 1
                print('    missed %s:%d: %s' % (file, n, text[n - 1].strip()[:90]))
        for span in got:
            if not planted & set(span):
                false += 1
                print('    no secret %s:%d: %s' % (file, span[0], text[span[0] - 1].strip()[:90]))
    return len(files), hit, missed, false


def measure_set(propseal, folder, least, apart):
    """How many forms are good, and how many are not; with few files each, it is all together."""
    passed = failed = 0
    sums = [0] * 4
    print('%-12s %5s %7s %6s %9s' % (folder, 'files', 'secrets', 'recall', 'precision'))
    for name in sorted(os.listdir(os.path.join(here, folder))):
        counts = measure_form(propseal, os.path.join(here, folder, name))
        sums = [a + b for a, b in zip(sums, counts)]
        good = row(name[:-4], counts) or not apart
        good = good and counts[0] >= least
        passed, failed = passed + good, failed + (not good)
    good = row('all', sums)
    return passed + good, failed + (not good)


def row(name, counts):
    files, hit, missed, false = counts
    recall, precision = hit / (hit + missed), hit / max(1, hit + false)
    print('%-12s %5d %7d %6.3f %9.3f' % (name, files, hit + missed, recall, precision))
    return recall >= 0.98 and precision >= 0.98


def cases(propseal):
    sets = [measure_set(propseal, 'cases', 20, True), measure_set(propseal, 'held-out', 10, False),
            measure_set(propseal, 'held-out-later', 8, False)]
    print('%d passed, %d failed' % tuple(map(sum, zip(*sets))))
    return sum(failed for _, failed in sets) == 0


def under_their_names(folder, table, root):
    """Copy the files of a folder, each into a folder of its own; {path: name in the folder}."""
    names = {}
    if table:
        with open(table, encoding='utf-8') as rows:
            for row in csv.DictReader(rows, delimiter='\t', quoting=csv.QUOTE_NONE):
                if '#' not in row['path']:
                    names[row['id']] = os.path.basename(row['path'])
    files = {}
    for name in sorted(os.listdir(folder)):
        own = os.path.splitext(name)[0]
        path = os.path.join(own, names.get(own, name))
        os.mkdir(os.path.join(root, own))
        shutil.copyfile(os.path.join(folder, name), os.path.join(root, path))
        files[path] = name
    return files


def corpus(propseal, folder, table, names=None):
    labels = {}
    with open(table, encoding='utf-8') as rows:
        for row in rows:
            cells = row.rstrip('\n').split('\t')
            labels[cells[0]] = cells[1]
    with tempfile.TemporaryDirectory() as root:
        files = under_their_names(folder, names, root)
        found = {files[path]: spans for path, spans in audit(propseal, root).items()}
    counts = collections.defaultdict(collections.Counter)
    for name in sorted(os.listdir(folder)):
        shown = subprocess.run([propseal, 'file', 'show', '--reveal', '-o', 'json',
                                os.path.join(folder, name)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=environment)
        if shown.returncode:
            continue
        for e in json.loads(shown.stdout)['entries']:
            key = e['key'].replace('\\.', '.')
            label = labels.get(key) or labels.get(re.sub('^config[.]', '', key))
            if label not in ('S', 'N') or not_clear.match(e['value'] or ''):
                continue
            ours = any(e['line'] <= span[0] <= e['line'] + 3 or e['line'] in span
                       for span in found.get(name, [])) if label == 'S' else \
                any(e['line'] in span for span in found.get(name, []))
            for who, says in (('naive', 'password' in key.lower()),
                              ('reference', reference.search(key) is not None),
                              ('word list', words.search(key) is not None), ('propseal', ours)):
                counts[os.path.splitext(name)[1], who][label, says] += 1
            if ours != (label == 'S'):
                print('    %s %s:%d: %s' % ('missed' if label == 'S' else 'no secret', name,
                                           e['line'], e['key']))
    for (ending, who), c in sorted(counts.items()):
        print('%-12s %-11s secrets %d, recall %.3f, precision %.3f' % (
            ending, who, c['S', True] + c['S', False],
            c['S', True] / max(1, c['S', True] + c['S', False]),
            c['S', True] / max(1, c['S', True] + c['N', True])))
    return True


if __name__ == '__main__':
    if len(sys.argv) not in (2, 4, 5):
        sys.exit(__doc__)
    sys.exit(0 if (cases if len(sys.argv) == 2 else corpus)(*sys.argv[1:]) else 1)
