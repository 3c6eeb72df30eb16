#!/usr/bin/env bash
# Fuzz each target from its kept corpus, as many at a time as there are processors.
#
# usage: tests/fuzz/run.sh BUILD [TARGET...]      such as build-fuzz fuzz_http
#
# Each runs for FUZZ_SECONDS (60) of processor time, however long that takes
# beside others (FUZZ_JOBS at a time).  A crash, a leak, an input of more than
# five seconds of processor time or more than 1 GiB of memory fails it; the input
# is kept in BUILD/fuzz.  What a run finds of new coverage is not written to the kept
# corpus: with FUZZ_KEEP=DIR it stays in DIR/TARGET, and
#   BUILD/tests/fuzz/TARGET -set_cover_merge=1 NEW tests/fuzz/corpus/TARGET DIR/TARGET
# chooses what is worth keeping.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Beyond what the parser takes, so that its limits are met too.
most_bytes() {
	case $1 in
	fuzz_http) echo 18000 ;;
	fuzz_target|fuzz_jwt) echo 9000 ;;
	*) echo 4096 ;;
	esac
}

# Run $target for $1 seconds; $used: how many of them the processor worked.
round() {
	local times status count

	times=$({ time "$build/tests/fuzz/$target" "$found" "$corpus" ${dict:+"-dict=$dict"} \
	    -max_total_time="$1" -max_len="$(most_bytes "$target")" -timeout=5 \
	    -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix="$build/fuzz/$target-" >"$log" 2>&1; } 2>&1)
	status=$?
	used=${times%.*}
	count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	runs=$((runs + ${count:-0}))
	[ $status -eq 0 ] || was_waiting
}

# Did it end because it got no processor, and not because the input takes long?
was_waiting() {
	local input

	grep -q '^SUMMARY: libFuzzer: timeout$' "$log" || return 1
	input=$(sed -n 's/.*Test unit written to //p' "$log")
	(ulimit -t 5 && exec "$build/tests/fuzz/$target" -timeout=0 "$input") >>"$log" 2>&1 &&
	    rm -f "$input"
}

fuzz() {
	local target=$1 corpus=tests/fuzz/corpus/$1 dict=tests/fuzz/$1.dict
	local found=$scratch/$1 log=$scratch/$1.log left=$seconds runs=0 used

	[ -z "${FUZZ_KEEP:-}" ] || found=$FUZZ_KEEP/$1
	[ -f "$dict" ] || dict=
	if ! mkdir -p "$found" || [ ! -d "$corpus" ]; then
		echo "FAIL  $target: there is no $corpus"
		return 1
	fi
	while [ "$left" -gt 0 ]; do
		if ! round "$left"; then
			echo "FAIL  $target: $runs executions in $((seconds - left + used)) s of processor time"
			tail -n 60 "$log" | sed 's/^/      /'
			return 1
		fi
		left=$((left - (used > 0 ? used : 1)))
	done
	echo "ok    $target: $runs executions in $((seconds - left)) s of processor time," \
	    "$(sed -n 's/^#[0-9]*[[:space:]]*DONE *\(cov: [0-9]*\).*/\1/p' "$log")"
}

build=${1:?usage: tests/fuzz/run.sh BUILD [TARGET...]}
shift
if [ $# -eq 0 ]; then
	for source in tests/fuzz/fuzz_*.c; do
		source=${source##*/}
		set -- "$@" "${source%.c}"
	done
fi
seconds=${FUZZ_SECONDS:-60}
jobs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/propseal-fuzz.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP
mkdir -p "$build/fuzz" || exit 1
TIMEFORMAT=%U

for target; do
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	{
		fuzz "$target" >"$scratch/$target.says" && : >"$scratch/$target.ok"
		cat "$scratch/$target.says"
	} &
done
wait

passed=0 failed=0
for target; do
	if [ -f "$scratch/$target.ok" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
