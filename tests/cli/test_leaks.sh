#!/usr/bin/env bash
# Secrets leave argv and the environment, and no output or file has one.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

# Start the program in the background, waiting for a line on the pipe that
# standard input is.  Sets pid.
waiting() {
	mkfifo pipe
	"$PROPSEAL" "$@" <pipe >"$out" 2>"$err" &
	pid=$!
	exec 8>pipe
}

is_wiped() {
	[ -r "/proc/$pid/cmdline" ] || return 0
	! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -q CANARY
}

finish() {
	echo "${1:-}" >&8
	exec 8>&-
	wait "$pid"
	rc=$?
}

case_passphrase_is_wiped_from_argv() {
	[ -r /proc/self/cmdline ] || return 0
	waiting file rotate --master-key --local-secrets-file sec.properties \
	    --passphrase "$passphrase" --passphrase-new -
	until_true is_wiped
	tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -e --passphrase || fail "not the program"
	finish 'new one'
	expect_rc 0
	expect_no CANARY
}

case_passphrase_after_an_equals_sign_is_wiped_too() {
	[ -r /proc/self/cmdline ] || return 0
	waiting file rotate --master-key --local-secrets-file sec.properties \
	    --passphrase="$passphrase" --passphrase-new=-
	until_true is_wiped
	finish 'new one'
	expect_rc 0
}

case_values_are_wiped_from_argv() {
	[ -r /proc/self/cmdline ] || return 0
	mkfifo key
	"$PROPSEAL" file add --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --master-key-file key --config 'a.b=CANARY-argv' \
	    >"$out" 2>"$err" &
	pid=$!
	until_true is_wiped
	cat master.key >key
	wait $pid
	rc=$?
	expect_rc 0
	expect_opens a.b CANARY-argv
}

case_key_is_wiped_from_the_environment() {
	[ -r /proc/self/environ ] || return 0
	hold sec.properties
	"$PROPSEAL" file encrypt --config-file server.properties --local-secrets-file \
	    sec.properties --remote-secrets-file "$remote" >"$out" 2>"$err" &
	pid=$!
	until_true grep -q waiting "$err"
	if grep -qF "$CONFLUENT_SECURITY_MASTER_KEY" "/proc/$pid/environ" 2>/dev/null; then
		fail "the key is in the environment"
	fi
	let_go
	wait "$pid"
	rc=$?
	expect_rc 0
}

# Not dumpable: its files in /proc belong to root, and no core file is made.
is_closed() {
	[ "$(stat -c %U "/proc/$pid/environ")" = root ] &&
	    grep -q 'Max core file size *0 ' "/proc/$pid/limits"
}

case_memory_is_closed_to_others() {
	[ -r /proc/self/limits ] || return 0
	waiting file rotate --local-secrets-file sec.properties --passphrase -
	until_true is_closed
	finish wrong
	expect_rc 4
}

case_no_error_path_shows_a_secret() {
	local n=0
	on server.properties encrypt
	printf 'x.password=CANARY\\u12\n' >bad.properties
	while read -r -a arguments; do
		n=$((n + 1))
		run "${arguments[@]}" --passphrase CANARY-p --config a.b=CANARY-c
		expect_no CANARY
		run "${arguments[@]}"
		expect_no CANARY
		run "${arguments[@]}" -o json
		expect_no CANARY
	done <<-'END'
		file add --config-file bad.properties --local-secrets-file sec.properties --remote-secrets-file /r --config CANARY\q=CANARY\
		file add --config-file server.properties --local-secrets-file bad.properties --remote-secrets-file /r --config a.b=CANARY
		file add --config-file server.properties --local-secrets-file sec.properties --remote-secrets-file } --config a.b=CANARY
		file add --config-file server.properties --local-secrets-file sec.properties --remote-secrets-file /r --config a.b=CANARY --cipher CANARY-x
		file update --config-file server.properties --local-secrets-file sec.properties --remote-secrets-file /r --config a.b=CANARY
		file encrypt --config-file server.properties --local-secrets-file sec.properties --remote-secrets-file /r --config ssl.key.password=CANARY
		file remove --config-file server.properties --local-secrets-file sec.properties --config ssl.key.password=CANARY
		file decrypt --config-file server.properties --local-secrets-file sec.properties --output-file - --config ssl.key.password=CANARY
		exec --config-file server.properties --local-secrets-file sec.properties --env A=ssl.key.password=CANARY -- true
		file encrypt --config-file bad.properties --local-secrets-file sec.properties --remote-secrets-file /r
		file encrypt --config-file server.properties --local-secrets-file bad.properties --remote-secrets-file /r
		file decrypt --config-file bad.properties --local-secrets-file sec.properties --output-file -
		file decrypt --config-file server.properties --local-secrets-file sec.properties --output-file /nowhere/x
		file rotate --local-secrets-file sec.properties --passphrase CANARY
		file rotate --local-secrets-file sec.properties --passphrase=CANARY --master-key
		file rotate --local-secrets-file bad.properties --passphrase CANARY
		file rotate --local-secrets-file sec.properties --passphrase CANARY --nope CANARY
		file rotate --local-secrets-file sec.properties --passphrase CANARY CANARY
		file verify --local-secrets-file bad.properties
		file show bad.properties
		master-key generate --local-secrets-file sec.properties --passphrase CANARY
		master-key generate --local-secrets-file /nowhere/x --passphrase CANARY
		master-key generate --passphrase CANARY
		master-key --passphrase CANARY generat
	END
	[ "$n" -eq 24 ] || fail "$n command lines"
}

case_nothing_is_left_beside_the_files() {
	on server.properties encrypt
	on server.properties add --config a.b=CANARY-new
	on server.properties remove --config ssl.key.password
	on server.properties encrypt --config nope.key
	[ "$(find . -mindepth 1 | sort | tr '\n' ' ')" = \
	    './master.key ./pass ./sec.properties ./server.properties ' ] || fail "$(find .)"
}

run_cases "$@"
