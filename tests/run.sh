#!/bin/sh
# Run test suites, one after the other, and add up what they say.
#
# usage: tests/run.sh COMMAND...
#
# Each COMMAND (a shell command) is one suite.  Its counts are taken from
# cmocka's lines, or from a line `N passed, N failed[, N skipped]`; a suite
# that prints neither counts as one test, passed when it exits 0, skipped
# when it exits 77.  The output of a suite is shown when it failed, or with
# TEST_VERBOSE=1.  TEST_TIMEOUT is the limit of one suite in seconds.
# TEST_JOBS suites are run at a time (1), and told of as they end.
# With TEST_AGAIN=1 a suite that failed is run once more, and the second run
# counts; what the first one said stands behind AGAIN, to be looked into.
# The last line is `N passed, N failed`; exits 1 on any failure, and when
# nothing ran.
set -u

# Said by a run of several jobs to those of its parts; no business of suites.
part=${TEST_PART:-}
unset TEST_PART

# A python3 that only finds the real one (pyenv's is a shell script) takes ten times
# as long to start as that, and the suites start it hundreds of times.
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null) &&
    PATH=${python%/*}:$PATH

# Seconds from which it is told what a suite took.
LONG=10

log=$(mktemp "${TMPDIR:-/tmp}/propseal-run.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0 skipped=0

# Prints "PASSED FAILED SKIPPED" as counted in the log, or nothing.
counts() {
	awk '
	/^\[  PASSED  \] [0-9]+ test/ { p += $4; seen = 1 }
	/^\[  SKIPPED \] [0-9]+ test/ { s += $4; seen = 1 }
	/^\[  FAILED  \] [0-9]+ test/ { f += $4; seen = 1 }
	/^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
		p += $1; f += $3; s += $5; seen = 1
	}
	END { if (seen) print p + 0, f + 0, s + 0 }' "$log"
}

# Sets passed_now, failed_now, skipped_now, status.
run_once() {
	began=$(date +%s)
	if command -v timeout >/dev/null 2>&1; then
		timeout -k 10 "${TEST_TIMEOUT:-900}" sh -c "$1"
	else
		sh -c "$1"
	fi </dev/null >"$log" 2>&1
	status=$?
	# shellcheck disable=SC2046 # three numbers, to be split
	set -- $(counts)
	if [ $# -ne 3 ]; then
		case $status in
		0) set -- 1 0 0 ;;
		77) set -- 0 0 1; status=0 ;;
		*) set -- 0 1 0 ;;
		esac
	elif [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
		set -- "$1" 1 "$3"	# died after its last count
	elif [ "$status" -eq 0 ] && [ "$2" -ne 0 ]; then
		status=1
	fi
	passed_now=$1 failed_now=$2 skipped_now=$3
	more=
	[ "$3" -eq 0 ] || more=", $3 skipped"
	took=$(($(date +%s) - began))
	[ "$took" -lt "$LONG" ] || more="$more, $took s"
}

told_failure() {
	echo "$1 ($passed_now passed, $failed_now failed$more; exit $status)"
	sed 's/^/      /' "$log"
}

run_suite() {
	run_once "$1"
	if [ "$status" -ne 0 ] && [ -n "${TEST_AGAIN:-}" ]; then
		told_failure "AGAIN $1"
		run_once "$1"
	fi
	passed=$((passed + passed_now)) failed=$((failed + failed_now))
	skipped=$((skipped + skipped_now))
	if [ "$status" -eq 0 ]; then
		echo "ok    $1 ($passed_now$more)"
		[ -z "${TEST_VERBOSE:-}" ] || sed 's/^/      /' "$log"
	else
		told_failure "FAIL  $1"
	fi
}

# Each suite by a run of its own, whose last line is added up.
run_parallel() {
	sums='^[0-9]* passed, [0-9]* failed\(, [0-9]* skipped\)\{0,1\}$'
	# shellcheck disable=SC2016 # for the inner shell
	printf '%s\0' "$@" | xargs -0 -n 1 -P "$TEST_JOBS" \
	    sh -c 'said=$(TEST_JOBS=1 TEST_PART=1 "$0" "$1"); printf "%s\n" "$said"' "$0" |
	    tee "$log" | grep --line-buffered -v "$sums"
	# shellcheck disable=SC2046 # three numbers, to be split
	set -- $(grep "$sums" "$log" |
	    awk '{ p += $1; f += $3; s += $5 } END { print p + 0, f + 0, s + 0 }')
	passed=$1 failed=$2 skipped=$3
}

if [ "${TEST_JOBS:-1}" -gt 1 ] && [ $# -gt 1 ]; then
	run_parallel "$@"
else
	for suite; do
		run_suite "$suite"
	done
fi

if [ $((passed + failed)) -eq 0 ] && [ -z "$part" ]; then
	echo "no test ran"
	failed=1
fi
[ "$skipped" -eq 0 ] || more_all=", $skipped skipped"
echo "$passed passed, $failed failed${more_all:-}"
[ "$failed" -eq 0 ]
