#!/usr/bin/env bash
# Several at once: the lock, waiting for it, giving up.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

case_busy_is_exit_5() {
	local f
	for f in sec.properties server.properties; do
		hold $f
		on server.properties encrypt --lock-timeout 0
		expect_rc 5
		expect_err "$f"
		let_go
	done
	expect_in server.properties CANARY-key
}

case_busy_in_json() {
	hold sec.properties
	on server.properties encrypt --lock-timeout=0 -o json
	expect_rc 5
	expect_json "$err" 'd["error"]["code"], d["error"]["exit"]' "('busy', 5)"
	let_go
}

case_time_out_is_exit_5_with_a_message_before() {
	hold sec.properties
	run file rotate --local-secrets-file sec.properties --passphrase @pass --lock-timeout 1
	expect_rc 5
	expect_err 'note: waiting for another propseal that is changing sec.properties'
	let_go
}

case_every_writing_command_respects_it() {
	local command
	on server.properties encrypt --config sasl.secret
	hold sec.properties
	for command in encrypt 'add --config a.b=1' 'update --config sasl.secret=2' \
	    'remove --config sasl.secret'; do
		# shellcheck disable=SC2086 # words
		on server.properties $command --lock-timeout 0
		expect_rc 5
	done
	run file rotate --local-secrets-file sec.properties --passphrase @pass --lock-timeout 0
	expect_rc 5
	run master-key generate --local-secrets-file sec.properties --passphrase @pass --lock-timeout 0
	expect_rc 5
	let_go
	hold out.properties
	on server.properties decrypt --output-file out.properties --lock-timeout 0
	expect_rc 5
	let_go
}

case_reading_commands_do_not_wait() {
	on server.properties encrypt
	hold sec.properties
	on server.properties decrypt --output-file -
	expect_rc 0
	run file show server.properties --local-secrets-file sec.properties --reveal
	expect_rc 0
	run file verify --local-secrets-file sec.properties .
	expect_rc 0
	on server.properties encrypt --config sasl.secret --dry-run --lock-timeout 0
	expect_rc 0
	let_go
}

case_who_waits_sees_what_was_changed_meanwhile() {
	on server.properties encrypt --config sasl.secret
	hold sec.properties
	"$PROPSEAL" file encrypt --config-file server.properties --local-secrets-file \
	    sec.properties --remote-secrets-file "$remote" --lock-timeout -1 2>"$err" &
	pid=$!
	until_true grep -q waiting "$err"
	printf 'late.password=CANARY-late\n' >>server.properties
	printf '# late\n' >>sec.properties
	let_go
	wait "$pid"
	rc=$?
	expect_rc 0
	expect_opens late.password CANARY-late
	expect_opens ssl.key.password CANARY-key
	expect_in sec.properties '# late'
}

case_lock_of_a_dead_process_is_no_lock() {
	hold sec.properties
	kill -9 "$holder"
	wait "$holder" 2>/dev/null
	[ -e .sec.properties.propseal-lock ] || fail "no sidecar to test with"
	on server.properties encrypt --lock-timeout 0
	expect_rc 0
	[ ! -e .sec.properties.propseal-lock ] || fail "the sidecar is left"
}

case_a_file_open_for_writing_is_busy() {
	exec 7>>server.properties
	on server.properties encrypt --lock-timeout 1
	exec 7>&-
	expect_rc 5
	expect_err 'note: waiting for another program that has server.properties open for writing'
	expect_err 'server.properties: another program has the file open for writing'
	expect_in server.properties CANARY-key
	on server.properties encrypt --lock-timeout 0
	expect_rc 0
}

case_what_others_append_is_not_lost() {
	local i last=0
	: >server.properties
	on server.properties add --config a.password=1
	(
		i=0
		while [ ! -e stop ]; do
			i=$((i + 1))
			echo "theirs$i=1" >>server.properties
			echo "$i" >last
			sleep 0.003
		done
	) &
	pid=$!
	for ((i = 0; i < 30; i++)); do
		"$PROPSEAL" file add --config-file server.properties --local-secrets-file \
		    sec.properties --remote-secrets-file "$remote" --config "k$i.password=1" \
		    >/dev/null 2>&1
	done
	touch stop
	wait "$pid"
	last=$(cat last)
	[ "$last" -gt 10 ] || fail "only $last appends"
	for ((i = 1; i <= last; i++)); do
		expect_in server.properties "theirs$i=1"
	done
	run file verify --local-secrets-file sec.properties server.properties
	expect_rc 0
}

case_what_a_killed_run_left_is_removed_by_the_next() {
	local name
	on server.properties encrypt
	for name in 'file show server.properties' 'file verify --local-secrets-file sec.properties .' \
	    'file decrypt --config-file server.properties --local-secrets-file sec.properties --output-file -'; do
		echo 'a.password=CANARY-old' >.server.properties.propseal-tmp
		echo 1 >.server.properties.propseal-lock
		# shellcheck disable=SC2086 # words
		run $name
		expect_rc 0
		[ -z "$(find . -name '.*.propseal-*')" ] || fail "$name leaves it"
	done
	hold server.properties
	echo 'new' >.server.properties.propseal-tmp
	run file show server.properties
	expect_rc 0
	[ -e .server.properties.propseal-tmp ] || fail "removed from under its owner"
	let_go
	rm -f .server.properties.propseal-tmp
}

case_many_files_need_few_descriptors() {
	local i
	rm -f server.properties
	for ((i = 0; i < 400; i++)); do
		echo "a.password=CANARY-$i" >"many$i.properties"
	done
	(
		ulimit -n 200
		exec "$PROPSEAL" seal . --yes --local-secrets-file sec.properties \
		    --remote-secrets-file "$remote" >"$out" 2>"$err"
	)
	rc=$?
	expect_rc 0
	! grep -l CANARY many*.properties || fail "something is in clear text"
	run file verify --local-secrets-file sec.properties .
	expect_out '400 references in 400 files'
}

case_thirty_two_at_once_lose_nothing() {
	local i
	: >server.properties
	for ((i = 0; i < 32; i++)); do
		printf 'k%d.password=CANARY-%d\n' "$i" "$i" >one.$i
		"$PROPSEAL" file add --config-file server.properties --local-secrets-file \
		    sec.properties --remote-secrets-file "$remote" --config @one.$i 2>/dev/null &
	done
	wait
	run file verify --local-secrets-file sec.properties server.properties
	expect_rc 0
	expect_out '32 sealed entries open; 32 references in 1 file'
}

run_cases "$@"
