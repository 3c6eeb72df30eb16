#!/usr/bin/env -S python3 -B
"""The table in README.md names every case that there is, and no other."""
import ast
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ID = re.compile(r'([a-z]\d\d[a-z]?)_\w+')


def functions():
    """{(ID, suite)} of the cases, and those defined twice."""
    found, twice = set(), []
    for path in sorted(glob.glob(os.path.join(HERE, 'test_*.py'))):
        suite = os.path.basename(path)
        with open(path, encoding='utf-8') as f:
            tree = ast.parse(f.read())
        for node in tree.body:
            match = isinstance(node, ast.FunctionDef) and ID.fullmatch(node.name)
            if match:
                pair = (match[1].upper(), suite)
                if any(pair[0] == other for other, _ in found):
                    twice.append(f'{pair[0]} in {suite} a second time')
                found.add(pair)
    return found, twice


def rows():
    """The rows of the table of cases, and the IDs said to be left out."""
    listed, left_out, counts = [], set(), {}
    with open(os.path.join(HERE, 'README.md'), encoding='utf-8') as f:
        for line in f:
            cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
            if len(cells) == 3 and re.fullmatch(r'[A-Z]\d\d[A-Z]?', cells[0]):
                if cells[1].startswith('test_'):
                    listed.append((cells[0], cells[1]))
                else:
                    left_out.add(cells[0])
            match = re.match(r'\*\*(\d+) cases\*\*', line)
            if match:
                counts['cases'] = int(match[1])
    return listed, left_out, counts


def main():
    passed, problems = 0, []
    found, twice = functions()
    listed, left_out, counts = rows()
    problems += twice
    problems += [f'{i} of {s} is not in README.md' for i, s in sorted(found - set(listed))]
    problems += [f'{i} of {s} stands in README.md, but there is no such case'
                 for i, s in sorted(set(listed) - found)]
    problems += [f'{i} stands twice in README.md' for i in
                 sorted({i for i, _ in listed if [x for x, _ in listed].count(i) > 1})]
    problems += [f'{i} is said to be left out, but there is a case'
                 for i in sorted(left_out & {i for i, _ in found})]
    if counts.get('cases') != len(found):
        problems.append(f'README.md counts {counts.get("cases")} cases, there are {len(found)}')
    # The contract's numbers have no gap: each is a case or said to be left out.
    known = {i for i, _ in found} | left_out
    for letter, last in (('C', 23), ('B', 22), ('N', 26), ('D', 18), ('A', 14), ('R', 26),
                         ('F', 14), ('K', 12), ('S', 12), ('E', 10), ('U', 10), ('X', 25),
                         ('M', 40)):
        for n in range(1, last + 1):
            if f'{letter}{n:02}' in known:
                passed += 1
            else:
                problems.append(f'{letter}{n:02} is neither a case nor said to be left out')
    for problem in problems:
        print('FAIL', problem)
    print(f'{passed} passed, {len(problems)} failed')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
