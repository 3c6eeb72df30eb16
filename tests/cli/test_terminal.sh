#!/usr/bin/env bash
# Questions on a terminal: no echo, asked twice when new, restored on signals.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

case_generate_asks_twice_without_echo() {
	on_terminal 'Passphrase of the new master key: ' 'CANARY typed\n' \
	    'The same again: ' 'CANARY typed\n' -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 0
	expect_out 'Master Key'
	expect_out 'echo at questions: off off, at the end: on'
	expect_no CANARY
	echo 'CANARY typed' >typed
	sed -n 's/^| Master Key | \(.*\) |.*/\1/p' "$out" >new.key
	run file rotate --local-secrets-file new.properties --master-key-file new.key \
	    --passphrase @typed
	expect_rc 0
}

case_two_that_differ_are_asked_again() {
	on_terminal 'new master key: ' 'one\n' 'again: ' 'two\n' \
	    'not the same' '' 'new master key: ' 'three\n' 'again: ' 'three\n' -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 0
	[ -e new.properties ] || fail "no file"
}

case_three_pairs_that_differ_end_it() {
	on_terminal 'new master key: ' 'a\n' 'again: ' 'b\n' 'new master key: ' 'a\n' 'again: ' 'b\n' \
	    'new master key: ' 'a\n' 'again: ' 'b\n' -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 1
	expect_out 'the two were not the same'
	[ ! -e new.properties ] || fail "a file was made"
}

case_empty_answer_ends_it() {
	on_terminal 'new master key: ' '\n' -- master-key generate --local-secrets-file new.properties
	expect_rc 1
	expect_out 'nothing was entered'
	on_terminal 'new master key: ' '\x04' -- master-key generate --local-secrets-file new.properties
	expect_rc 1
	expect_out 'nothing was entered'
}

case_interrupt_ends_it_and_restores_echo() {
	on_terminal 'new master key: ' 'CANARY\x03' -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 130
	expect_out 'echo at questions: off, at the end: on'
	expect_no CANARY
	on_terminal 'new master key: ' '\x1c' -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 131
	expect_out 'at the end: on'
}

case_termination_restores_echo() {
	on_terminal 'new master key: ' SIGTERM -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 143
	expect_out 'echo at questions: off, at the end: on'
}

case_stopped_and_continued_it_asks_again() {
	on_terminal 'new master key: ' 'half\x1a' 'stopped, echo: on' '' 'new master key: ' \
	    'CANARY typed\n' 'again: ' 'CANARY typed\n' -- \
	    master-key generate --local-secrets-file new.properties
	expect_rc 0
	expect_out 'Master Key'
	expect_no CANARY half
}

case_master_key_can_be_typed() {
	local key=$CONFLUENT_SECURITY_MASTER_KEY
	unset CONFLUENT_SECURITY_MASTER_KEY
	on_terminal 'Master key or passphrase for sec.properties: ' "$key\\n" -- file encrypt \
	    --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	expect_no "$key"
	expect_out 'echo at questions: off, at the end: on'
	expect_opens ssl.key.password CANARY-key
}

case_passphrase_can_be_typed_instead_of_the_key() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	on_terminal 'Master key or passphrase for sec.properties: ' "$passphrase\\n" -- file encrypt \
	    --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	expect_no CANARY
	expect_opens ssl.key.password CANARY-key
}

case_wrong_answers_are_asked_again_three_times() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	snapshot
	on_terminal 'for sec.properties: ' 'wrong\n' 'wrong passphrase' '' 'for sec.properties: ' \
	    'bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU=\n' 'wrong passphrase' '' \
	    'for sec.properties: ' 'wrong\n' -- file encrypt --config-file server.properties \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 4
	expect_unchanged
}

case_passphrase_cannot_be_checked_without_a_data_key() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	grep master_key.0.salt sec.properties >old
	cat old >sec.properties
	rm old
	snapshot
	on_terminal 'for sec.properties: ' "$passphrase\\n" 'for sec.properties: ' '\n' -- file encrypt \
	    --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 1
	expect_out 'a passphrase cannot be checked'
	expect_unchanged
}

case_rotate_asks_for_all_it_needs() {
	on_terminal 'Passphrase of the new master key: ' 'CANARY new\n' 'again: ' 'CANARY new\n' -- \
	    file rotate --master-key --local-secrets-file sec.properties
	expect_rc 0
	expect_out 'Master Key'
	expect_out 'echo at questions: off off, at the end: on'
	expect_no CANARY
}

case_key_file_that_is_given_is_never_asked_about() {
	on_terminal -- file encrypt --config-file server.properties --local-secrets-file \
	    sec.properties --remote-secrets-file "$remote" --master-key-file nowhere
	expect_rc 1
	expect_out 'nowhere: no such file'
}

run_cases "$@"
