#!/bin/sh
# What the layers may and may not do; each rule is a pattern that must not occur.
# What needs more than a pattern is in structure.py.
set -u
failed=0 passed=0

# never TEXT PATTERN FILE...
never() {
	text=$1
	pattern=$2
	shift 2
	seen=$(grep -nHE "$pattern" "$@")
	if [ -n "$seen" ]; then
		printf '%s\n    ^ %s\n' "$seen" "$text"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}

# Lists files by name below folders that may not be there yet.
files() {
	find "$@" -name '*.[ch]' 2>/dev/null | sort
}

# shellcheck disable=SC2046 # lists of file names without blanks
{
never "only core/crypto calls OpenSSL's ciphers" '#include <openssl/(evp|kdf|aes)' \
    $(files core ui src | grep -v '^core/crypto/')
never "core knows no screen" '#include (<(n?curses|ncursesw/)|"(ui|src)/)' $(files core)
never "core prints nothing and never exits" '(^|[^a-z_])(printf|puts|putchar|perror|exit|_exit|abort)\(' \
    $(files core)
never "files are written by core/file alone" 'O_TRUNC|fopen\([^)]*"[wa]' \
    $(files core ui src tests/fuzz | grep -v '^core/file/')
never "banned functions" '(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\(' \
    $(files core ui src tests)
never "unfinished work" '(TO''DO|FIX''ME|(^|[^uX])XX''X([^X]|$)|for ''now|not ''implemented)' \
    $(files core ui src tests/fuzz) Makefile $(ls README.md man/* 2>/dev/null)
never "blanks at the end of a line" ' $' $(files core ui src tests)
never "unrooted includes" '#include "\.\./' $(files core ui src tests/fuzz)
}
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
