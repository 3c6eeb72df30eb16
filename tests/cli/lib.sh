# The harness of the command line's tests, sourced by test_*.sh.
#
# A test script defines functions named case_*, each a test whose name says
# what it shows, and ends with `run_cases`.  Every case runs in a subshell, in
# a folder of its own that holds the fixture (see below); the first expect_*
# that fails ends it.  The last line is `N passed, N failed`.
#
# Fixture: sec.properties  a secrets file without entries
#          master.key      its master key, exported too
#          pass            its passphrase, with a line end
#          server.properties   a configuration with clear-text secrets
# Every secret in it begins with CANARY.
# shellcheck shell=bash
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROPSEAL=${PROPSEAL:-$here/../../build/propseal}
[ -x "$PROPSEAL" ] || { echo "no program at $PROPSEAL"; exit 1; }
unset CONFLUENT_SECURITY_MASTER_KEY CREDENTIALS_DIRECTORY NO_COLOR
# No propseal.ini of this machine, unless a case wants one.
export PROPSEAL_CONFIG=
export LC_ALL=C.UTF-8
# Without a terminal, unless a case makes one.
exec </dev/null

suite=$(mktemp -d "${TMPDIR:-/tmp}/propseal-cli.XXXXXX") || exit 1
trap 'rm -rf "$suite"' EXIT
# The trail of what the cases change.
export XDG_STATE_HOME=$suite/state
trap 'exit 130' INT TERM HUP

passphrase='CANARY correct horse'
remote=/mnt/secrets/secrets.properties

# --- running the program ---

# run ARGUMENT...  Sets rc; output in $out and $err.
run() {
	"$PROPSEAL" "$@" >"$out" 2>"$err"
	rc=$?
}

# feed TEXT ARGUMENT...  The same with TEXT on standard input.
feed() {
	local text=$1
	shift
	printf '%s' "$text" | "$PROPSEAL" "$@" >"$out" 2>"$err"
	rc=$?
}

# on_terminal [EXPECT SEND]... -- ARGUMENT...
# The program on a terminal, which sends SEND when EXPECT was seen
# (on_terminal.py).  Sets rc; what was seen is in $out.
on_terminal() {
	local script=()
	while [ "$1" != -- ]; do
		script+=("$1")
		shift
	done
	shift
	python3 "$here/on_terminal.py" "${script[@]}" -- "$PROPSEAL" "$@" >"$out" 2>"$err"
	rc=$?
}

# plainly COMMAND...  In place of this shell, which makes its background jobs
# ignore INT and QUIT; these do not.
plainly() {
	exec python3 -c 'import os, signal, sys
for s in signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE:
    signal.signal(s, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$@"
}

# hold NAME  Hold the lock of file NAME until `let_go`.
hold() {
	python3 - ".$1.propseal-lock" <<-'END' &
		import fcntl, sys, time
		f = open(sys.argv[1], "w")
		fcntl.lockf(f, fcntl.LOCK_EX)
		open("held", "w")
		time.sleep(60)
	END
	holder=$!
	until_true [ -e held ]
	rm held
}

let_go() {
	kill "$holder"
	wait "$holder" 2>/dev/null
}

# seal  Seal what server.properties has to hide.
seal() {
	on server.properties encrypt
	[ "$rc" -eq 0 ] || fail "cannot seal"
}

# on FILE COMMAND...  `file COMMAND` with the three files' flags.
on() {
	local file=$1 command=$2
	shift 2
	case $command in
	encrypt | add | update)
		set -- --remote-secrets-file "$remote" "$@"
		;;
	esac
	run file "$command" --config-file "$file" --local-secrets-file sec.properties "$@"
}

# --- judging ---

fail() {
	printf '    %s\n' "$*"
	if [ -s "$out" ]; then sed 's/^/    out: /' "$out"; fi
	if [ -s "$err" ]; then sed 's/^/    err: /' "$err"; fi
	exit 1
}

expect_rc() {
	[ "$rc" -eq "$1" ] || fail "exit status $rc, expected $1"
}

# The program said nothing but what is expected on the two streams.
expect_out() {
	grep -qF -e "$1" "$out" || fail "standard output lacks: $1"
}

expect_err() {
	grep -qF -e "$1" "$err" || fail "standard error lacks: $1"
}

expect_silent() {
	[ ! -s "$out" ] || fail "something on standard output"
	[ ! -s "$err" ] || fail "something on standard error"
}

# The program told of a change of these files, and said nothing else.
expect_changed() {
	[ ! -s "$out" ] || fail "something on standard output"
	expect_file "$err" "propseal: changed: $1"
}

# No output has any of the texts.
expect_no() {
	local text
	for text; do
		if grep -qF -e "$text" "$out" "$err"; then fail "the output shows: $text"; fi
	done
}

expect_file() {
	[ "$(cat "$1")" = "$2" ] || fail "$1 is: $(cat "$1")"
}

expect_in() {
	grep -qF -e "$2" "$1" || fail "$1 lacks: $2"
}

expect_not_in() {
	if grep -qF -e "$2" "$1"; then fail "$1 has: $2"; fi
}

# Is nobody else in the group of new files?  One of the user's own number is his alone.
alone_in_group() {
	[ "$(id -u)" -ne 0 ] && [ "$(id -u)" -eq "$(id -g)" ]
}

expect_mode() {
	[ "$(stat -c %a "$1")" = "$2" ] || fail "$1 has mode $(stat -c %a "$1"), expected $2"
}

# json FILE EXPRESSION VALUE: python's view of d, the parsed file.
expect_json() {
	local got
	got=$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2" 2>&1) || fail "$1: $got"
	[ "$got" = "$3" ] || fail "$2 is $got, expected $3"
}

snapshot() {
	rm -rf "$kept"
	cp -a . "$kept"
}

# Every file is as it was at `snapshot`, and no other is there.
expect_unchanged() {
	diff -r --no-dereference "$kept" . >"$kept.diff" 2>&1 || fail "files changed: $(cat "$kept.diff")"
}

# The opened value of a key of server.properties.
expect_opens() {
	local value
	value=$("$PROPSEAL" file show server.properties --local-secrets-file sec.properties \
	    --master-key-file master.key --reveal -o json | python3 -c 'import json, sys
print([e["value"] for e in json.load(sys.stdin)["entries"] if e["key"] == sys.argv[1]
    and e["state"] == "sealed"])' "$1")
	[ "$value" = "['$2']" ] || fail "$1 opens as $value, expected $2"
}

# until_true COMMAND...  Wait for something, at most 20 s.
until_true() {
	local i
	for ((i = 0; i < 400; i++)); do
		if "$@" 2>/dev/null; then return 0; fi
		sleep 0.05
	done
	fail "waited in vain for: $*"
}

# Has that process ended?  Also where the first process, as in many containers, waits for nobody.
is_gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:	Z' "/proc/$1/status" 2>/dev/null
}

# --- the cases ---

make_fixture() {
	mkdir "$suite/fixture" && cd "$suite/fixture" || exit 1
	printf '%s\n' "$passphrase" >pass
	"$PROPSEAL" master-key generate --local-secrets-file sec.properties \
	    --passphrase @pass -o yaml 2>/dev/null | sed 's/^master_key: //' >master.key
	[ -s master.key ] || { echo "the fixture cannot be made"; exit 1; }
	cat >server.properties <<-'END'
		# a broker
		listeners=SSL://:9093

		ssl.keystore.password=CANARY-keystore
		ssl.key.password = CANARY-key
		  zookeeper.password : CANARY\
		    -zookeeper
		sasl.secret=CANARY-sasl
		log.dirs=C:\\data\\new
	END
}

run_case() {
	local name=$1
	mkdir "$suite/$name" && cp -a "$suite/fixture" "$suite/$name/in" &&
	    cd "$suite/$name/in" || exit 1
	out=$suite/$name/out err=$suite/$name/err kept=$suite/$name/kept rc=0
	: >"$out"
	: >"$err"
	CONFLUENT_SECURITY_MASTER_KEY=$(cat master.key)
	export CONFLUENT_SECURITY_MASTER_KEY
	"$name"
	exit 0
}

run_cases() {
	local passed=0 failed=0 name said
	(make_fixture) || exit 1
	for name in $(declare -F | sed -n 's/^declare -f \(case_.*\)/\1/p'); do
		if [ $# -gt 0 ] && [[ $name != *$1* ]]; then continue; fi
		if said=$(run_case "$name" 2>&1); then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			printf 'FAIL %s\n%s\n' "${name#case_}" "$said"
		fi
		rm -rf "${suite:?}/$name"
	done
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
