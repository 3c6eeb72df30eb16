"""What the tests of the manual pages share: the program's help, a page's
macros, and the counting of what was checked."""
import re
import subprocess
import sys


class Page:
    """The page at a path, compared with what the program says of itself."""

    def __init__(self, program, path, *words):
        self.program, self.path, self.words = program, path, words
        self.passed = self.failed = 0
        with open(path, encoding='utf-8') as f:
            self.text = f.read()

    def check(self, ok, what):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(self.path + ' ' + what)

    def check_flags(self, command, has, wanted):
        """The synopsis of a command has the flags that its help has."""
        self.check(wanted - has == set(), f'lacks in {command}: {sorted(wanted - has)}')
        self.check(has - wanted == set(), f'has in {command}: {sorted(has - wanted)}')

    def check_commands(self, seen):
        """The synopsis shows no other commands."""
        for name in sorted(seen):
            self.check(False, 'has a command that is not there: ' + name)

    def help(self, *words):
        return subprocess.run([self.program, *self.words, *words, '--help'],
                              capture_output=True, text=True, check=True).stdout

    def section(self, name):
        return self.text.split('.Sh ' + name + '\n')[1].split('\n.Sh ')[0]

    def end(self):
        print(f'{self.passed} passed, {self.failed} failed')
        sys.exit(self.failed > 0)


def flags_of(text):
    """Long names of the .Fl macros; -o is output, -h help."""
    found = set()
    for names in re.findall(r'\bFl ((?:-\S+|\w)(?: , (?:Fl )?(?:-\S+|\w))*)', text):
        found.update(re.findall(r'-([a-z][a-z-]*)', names))
        if re.search(r'\bo\b', names):
            found.add('output')
    return found


def items_of(text):
    """The flags that a list explains."""
    return flags_of('\n'.join(re.findall(r'^\.It (Fl .*)$', text, re.M)))


def flags_of_help(text):
    found = set(re.findall(r'^ +(?:-\w, )?--([a-z-]+)', text.split('Flags:')[1], re.M))
    found.discard('help')
    return found
