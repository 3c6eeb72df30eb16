#!/usr/bin/env bash
# Many processes change one secrets file at once: what each did must be there.
#
# usage: tests/torture/writers.sh PROGRAM [PROCESSES]
#
# All add a key to one configuration file; then half update while half add;
# then each adds to a configuration file of its own.
# shellcheck disable=SC2317 # functions that `together` calls by name
set -u
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
torture_start "${1:-build/propseal}"
processes=${2:-32}
make_fixtures

# add VERB FILE KEY VALUE: the value comes by standard input, as secrets should.
add() {
	printf '%s=%s\n' "$3" "$4" | "$program" file "$1" --config-file "$2" \
	    --local-secrets-file "$secrets" --remote-secrets-file "$remote" \
	    --lock-timeout 100 --config - >"../said.$BASHPID" 2>&1
}

# has FILE KEY VALUE: it is sealed there, and opens.
has() {
	[ "$(place_of "$1" "$2" "$3" "$(opened "$1")")" = sealed ]
}

# together TITLE FUNCTION: run FUNCTION 1..N at once, then check with FUNCTION_left.
together() {
	local i left=0 bad=0 pids=() expect="sealed sealed sealed sealed sealed"
	for ((i = 1; i <= processes; i++)); do
		(cd run && "$2" "$i") &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=$((bad + 1))
	done
	for ((i = 1; i <= processes; i++)); do
		"$2_is_there" "$i" || left=$((left + 1))
	done
	echo "$1: $processes processes, $bad failed, $left lost"
	if [ "$bad" -eq 0 ]; then pass; else
		fail "$1: $bad processes failed: $(cat said.* | sort | uniq -c | head -n 3)"
	fi
	if [ "$left" -eq 0 ]; then pass; else fail "$1: $left lost"; fi
	if [ "$(places)" = "$expect" ]; then pass; else
		fail "$1: the old ones are now: $(places)"
	fi
	left=$(cd run && find . -name '.*.propseal-*')
	if [ -z "$left" ]; then pass; else fail "$1: left behind: $left"; fi
	rm -f said.*
}

to_one_file() {
	add add "$server" "new.$1.password" "value-$1"
}
to_one_file_is_there() {
	has "$server" "new.$1.password" "value-$1"
}

to_own_file() {
	echo "id=$1" >"worker$1.properties"
	add add "worker$1.properties" "ssl.password" "value-$1"
}
to_own_file_is_there() {
	has "worker$1.properties" ssl.password "value-$1" &&
	    grep -qx "id=$1" "run/worker$1.properties"
}

mixed() {
	if [ $(($1 % 2)) -eq 0 ]; then
		add update "$server" "new.$1.password" "changed-$1"
	else
		add add "$client" "more.$1.password" "value-$1"
	fi
}
mixed_is_there() {
	if [ $(($1 % 2)) -eq 0 ]; then
		has "$server" "new.$1.password" "changed-$1"
	else
		has "$client" "more.$1.password" "value-$1"
	fi
}

fixture sealed
together "one secrets file, one configuration file" to_one_file
together "updates beside additions" mixed
together "one secrets file, a configuration file each" to_own_file
torture_end
