#!/bin/sh
# Run suites as `make check` does: as many at a time as there are processors,
# and with what they write in RAM, where there is a folder for that.
#
# usage: tests/check.sh COMMAND...	(as tests/run.sh)
set -u

# Scripts are run from there, too.
is_fit() {
	probe=$(mktemp "$1/propseal-check.XXXXXX" 2>/dev/null) || return 1
	printf '#!/bin/sh\n' >"$probe" && chmod 700 "$probe" && "$probe" 2>/dev/null
	status=$?
	rm -f "$probe"
	return $status
}

if [ -z "${TMPDIR:-}" ] && is_fit /dev/shm; then
	export TMPDIR=/dev/shm
fi
TEST_JOBS=${TEST_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
export TEST_JOBS
exec "$(dirname "$0")/run.sh" "$@"
