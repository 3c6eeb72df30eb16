#!/bin/sh
# Every test that README.md names is there.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
for name in $(grep '^|' tests/conformance/README.md | sed 's/.*|\(.*\)|$/\1/' |
    grep -o '`[a-z0-9_.]*`' | tr -d '`' | sort -u); do
	case $name in
	*.sh) found=$(ls "tests/torture/$name" 2>/dev/null) ;;
	[ux][0-9]*) found=$(grep -l "^def $name()" tests/registry/*.py) ;;
	case_*) found=$(grep -l "^$name()" tests/cli/*.sh) ;;
	*) found=$(grep -lE "(TEST|CASE|IN_FOLDER|cmocka_unit_test[a-z_]*)\(${name}[,)]" tests/unit/*.c tests/tui/*.c) ;;
	esac
	if [ -n "$found" ]; then
		passed=$((passed + 1))
	else
		echo "FAIL no test $name"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
