#!/bin/sh
# Do the tests of the interface notice when it is wrong?  Each fault of
# faults.list is put into a copy of the tree, which is built, and the suite that
# is named beside it must fail.
#
# usage: tests/tui/faults.sh [-k COPY] [TEXT...]
#   TEXT: only faults in whose line one of these stands
#   -k COPY: work in this folder and keep it, to go on faster the next time
set -eu

cd "$(dirname "$0")/../.."
list=$PWD/tests/tui/faults.list
tab=$(printf '\t')
copy=
if [ "${1-}" = -k ]; then
	copy=$2
	shift 2
	mkdir -p "$copy"
	copy=$(cd "$copy" && pwd)
else
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	trap 'exit 1' HUP INT TERM
fi
tmp=$copy/tmp
mkdir -p "$tmp"

# Files that are alike keep their times, so that only what differs is built.
git ls-files | while IFS= read -r file; do
	[ -f "$file" ] || continue
	if ! cmp -s "$file" "$copy/$file"; then
		mkdir -p "$copy/$(dirname "$file")"
		cp "$file" "$copy/$file"
	fi
done

# Is the line asked for?
is_wanted() {
	line=$1
	shift
	[ $# -gt 0 ] || return 0
	for text; do
		case $line in *"$text"*) return 0 ;; esac
	done
	return 1
}

# Run a suite up to its first failed test: 0, none has failed.  It is not put into the background,
# where a shell has SIGINT and SIGQUIT ignored.
passes() {
	: >"$tmp/said"
	(
		until grep -q 'FAILED' "$tmp/said"; do sleep 0.2; done
		kill "$(cat "$tmp/pid")"
	) 2>/dev/null &
	watcher=$!
	result=0
	TMPDIR=$tmp PROPSEAL=$copy/build/propseal sh -c 'echo $$ >"$0" && exec "$@"' "$tmp/pid" \
	    "build/tests/tui/test_$1" >"$tmp/said" 2>&1 || result=1
	kill "$watcher" 2>/dev/null || :
	wait "$watcher" 2>/dev/null || :
	return "$result"
}

builds() {
	make build/propseal build/propseal-registryd "build/tests/tui/test_$1" >"$tmp/make" 2>&1
}

cd "$copy"
tried=0
caught=0
sound=' '
while IFS=$tab read -r suite file change what; do
	case $suite in '' | '#'*) continue ;; esac
	is_wanted "$suite $file $what" "$@" || continue
	tried=$((tried + 1))
	case $sound in
	*" $suite "*) ;;
	*)
		if ! builds "$suite" || ! passes "$suite"; then
			echo "FAILS ANYHOW    test_$suite, without any fault: $what"
			continue
		fi
		sound="$sound$suite "
		;;
	esac
	sed -E "$change" "$file" >"$tmp/changed"
	if cmp -s "$file" "$tmp/changed"; then
		echo "DOES NOT APPLY  $file: $what"
		continue
	fi
	cp "$file" "$tmp/sound"
	cp "$tmp/changed" "$file"
	if ! builds "$suite"; then
		echo "DOES NOT BUILD  $file: $what"
		grep 'error' "$tmp/make" || :
	elif passes "$suite"; then
		echo "NOT CAUGHT      $file: $what (test_$suite)"
	else
		caught=$((caught + 1))
		echo "caught          $file: $what (test_$suite:" \
		    "$(sed -n 's/.*FAILED  *\] *\([a-z_0-9]*\).*/\1/p' "$tmp/said" | head -1))"
	fi
	cp "$tmp/sound" "$file"
	rm -rf "$tmp"/propseal-tui.*
done <"$list"
echo "$caught of $tried caught"
[ "$caught" -eq "$tried" ] && [ "$tried" -gt 0 ]
