#!/bin/sh
# Every benchmark: figures beside floors measured in the same run.  Nothing is
# asserted: read the ratios, not the times.
#
# usage: tests/bench/run.sh BUILD-FOLDER
set -eu
build=$1
echo "$("$build/propseal" --version), $(uname -srm), $(getconf _NPROCESSORS_ONLN) processors"
for bench in "$build"/tests/bench/bench_*; do
	case $bench in
	*.o|*.d) continue ;;
	*/bench_start) "$bench" "$build/propseal" "$build/tests/bench/start_floor" ;;
	*) "$bench" "$build/propseal" ;;
	esac
done
