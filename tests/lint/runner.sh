#!/bin/sh
# tests/run.sh counts what suites say, and fails when one fails or none ran.
set -u
passed=0 failed=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/propseal-runner.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

# expect STATUS LAST-LINE SUITE...
expect() {
	status=$1 last=$2
	shift 2
	tests/run.sh "$@" >"$dir/out" 2>&1
	got=$?
	if [ "$got" -eq "$status" ] && [ "$(tail -n 1 "$dir/out")" = "$last" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "wanted exit $status and '$last', got exit $got and:"
		cat "$dir/out"
	fi
}

cmocka() {
	printf 'printf "[==========] 3 test(s) run.\\n[  PASSED  ] %d test(s).\\n%s" >&2; exit %d' \
	    "$1" "$3" "$2"
}

expect 1 "0 passed, 1 failed"
expect 0 "2 passed, 0 failed" true true
expect 1 "1 passed, 1 failed" true false
expect 1 "0 passed, 1 failed, 1 skipped" "exit 77"
expect 0 "1 passed, 0 failed, 1 skipped" "exit 77" true
expect 0 "3 passed, 0 failed" "$(cmocka 3 0 '')"
expect 1 "2 passed, 1 failed" "$(cmocka 2 1 '[  FAILED  ] 1 test(s), listed below:\n')"
expect 1 "3 passed, 1 failed" "$(cmocka 3 139 '')"
expect 0 "7 passed, 0 failed, 2 skipped" "echo 7 passed, 0 failed, 2 skipped"
expect 1 "7 passed, 2 failed" "echo 7 passed, 2 failed"
TEST_JOBS=3 expect 0 "9 passed, 0 failed, 2 skipped" "echo 7 passed, 0 failed, 2 skipped" true true
TEST_JOBS=3 expect 1 "9 passed, 1 failed" "$(cmocka 3 139 '')" "echo 6 passed, 0 failed"
TEST_JOBS=2 expect 1 "8 passed, 1 failed, 1 skipped" false "exit 77" "echo 8 passed, 0 failed"
TEST_JOBS=2 expect 1 "0 passed, 1 failed"
TEST_TIMEOUT=1 expect 1 "0 passed, 1 failed" "sleep 20"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
