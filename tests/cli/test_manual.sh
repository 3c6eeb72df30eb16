#!/bin/sh
# The manual page names every command and every flag that --help names.
set -u
: "${PROPSEAL:?the program under test}"
page=man/propseal.1
passed=0 failed=0

check() {
	if grep -q -e "$2" "$page"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$page lacks $1"
	fi
}

# "  file encrypt   seal clear-text..." and so on, up to the first blank line.
commands=$("$PROPSEAL" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p')
[ -n "$commands" ] || { echo "--help lists no commands"; exit 1; }
while read -r group name; do
	check "$group $name" "\\b${name:-$group}\\b"
	for flag in $("$PROPSEAL" $group $name --help |
	    sed -n 's/^  \(-[a-z],\|   \) --\([a-z-]*\).*/\2/p'); do
		check "--$flag of $group $name" "Fl .*-$flag\\b"
	done
done <<END
$commands
END
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
