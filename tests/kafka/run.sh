#!/bin/sh
# A real Kafka, from the jars that Apache publishes, on the loopback interface:
# the provider in brokers and Connect workers, and the registry's log in a topic
# (log/). README.md says what there is.
#
# usage: tests/kafka/run.sh [--full] [VERSION...]     (3.9.1)
#
# --full: each test of the log, not only those that tell most.
# The jars are fetched by Maven once; KAFKA_LIBS, a folder of jars, spares that.
# Where they cannot be had it says so and exits 77. KAFKA_SUITES: which of them to run.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1
if [ "${1:-}" = --full ]; then
	export KAFKA_FULL=1 TEST_TIMEOUT="${TEST_TIMEOUT:-3600}"
	shift
fi

skip() {
	echo "skipped: $*"
	exit 77
}

# fetch VERSION: its jars into $libs.
fetch() {
	libs=$PWD/$build/kafka/libs-$1
	[ -d "$libs" ] && return
	command -v mvn >/dev/null 2>&1 || skip "no mvn to fetch Kafka with, and no KAFKA_LIBS"
	rm -rf "$libs.new"
	mvn -q -B -f tests/kafka/pom.xml -Dkafka.version="$1" $plugin:copy-dependencies \
	    -DincludeScope=runtime -DoutputDirectory="$libs.new" >"$build/kafka/mvn.log" 2>&1 || {
		tail -n 5 "$build/kafka/mvn.log"
		skip "Maven could not fetch Kafka $1"
	}
	mv "$libs.new" "$libs"
}

command -v javac >/dev/null 2>&1 || skip "no JDK (javac)"
mkdir -p "$build/kafka/classes"
status=0
for version in "${@:-3.9.1}"; do
	libs=${KAFKA_LIBS:-}
	[ -n "$libs" ] || fetch "$version"
	if [ -z "${PROVIDER_JAR:-}" ]; then
		# Built once: the same jar has to do for each version.
		make -s connect-provider BUILD="$build" CONNECT_LIBS="$libs" || exit 1
		PROVIDER_JAR=$(echo "$PWD/$build"/connect-provider/propseal-connect-*.jar)
		export PROVIDER_JAR
	fi
	javac -Xlint:all -Werror -d "$build/kafka/classes" -cp "$libs/*" tests/kafka/java/*.java || exit 1
	echo "Kafka $version"
	# shellcheck disable=SC2086 # several suites
	KAFKA_LIBS=$libs KAFKA_TEST_CLASSES=$PWD/$build/kafka/classes \
	    PROPSEAL=${PROPSEAL:-$PWD/$build/propseal} tests/run.sh ${KAFKA_SUITES:-tests/kafka/test_*.py tests/kafka/log/test_*.py} || status=1
	[ -z "${KAFKA_LIBS:-}" ] || break
done
exit $status
