#!/bin/sh
# The files and folders that the documents name are there (NAME stands for any).
set -u
passed=0 failed=0
for document in README.md CONTRIBUTING.md SECURITY.md share/*/*.md share/*/*/README.md; do
	folder=$(dirname "$document")
	missing=
	for path in $(grep -oE '`(core|ui|src|tests|man|share)/[A-Za-z0-9_/.-]+`' "$document" |
	    tr -d '`' | grep -v NAME | sort -u); do
		[ -e "$path" ] || missing="$missing $path"
	done
	for path in $(grep -oE '\]\([^)#:]+\)' "$document" | sed 's/^](\(.*\))$/\1/' | sort -u); do
		[ -e "$folder/$path" ] || missing="$missing $path"
	done
	if [ -z "$missing" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$document names what is not there:$missing"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
