#!/bin/sh
# Run a unit test under valgrind: a wrong access or an undefined value fails it.
# Leaks are for the sanitizers: here a forked child would be blamed for all that
# its parent holds.
# Threads take turns fairly: one that waits actively would keep the others away.
case $1 in
*/test_kafka_mock)
	echo "its errors go by the clock, and its hundreds of threads are librdkafka's"
	exit 77 ;;
esac
exec valgrind -q --fair-sched=try --error-exitcode=99 --leak-check=no --child-silent-after-fork=yes "$@"
