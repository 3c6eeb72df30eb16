#!/bin/sh
# Does each header compile with nothing before it?
#
# usage: tests/headers.sh COMPILER-AND-FLAGS HEADER...
set -u
compile=$1
shift
passed=0 failed=0
for header; do
	if printf '#include "%s"\n' "$header" | eval "$compile -fsyntax-only -x c -"; then
		passed=$((passed + 1))
	else
		echo "$header does not compile alone"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
