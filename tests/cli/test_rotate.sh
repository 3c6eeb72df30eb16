#!/usr/bin/env bash
# file rotate.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

rotate() {
	run file rotate --local-secrets-file sec.properties "$@"
}

# A line of the secrets file.
line() {
	grep -F -- "$1" sec.properties
}

expect_all_open() {
	expect_opens ssl.key.password CANARY-key
	expect_opens ssl.keystore.password CANARY-keystore
	expect_opens zookeeper.password CANARY-zookeeper
}

case_data_key_seals_every_entry_again() {
	local entry wrapped salt
	seal
	entry=$(line /ssl.key.password) wrapped=$(line .0.enc) salt=$(line master_key.0.salt)
	rotate --data-key --passphrase @pass
	expect_rc 0
	expect_changed 'sec.properties (6 entries)'
	[ "$entry" != "$(line /ssl.key.password)" ] || fail "the entry is the old one"
	[ "$wrapped" != "$(line .0.enc)" ] || fail "the data key is the old one"
	[ "$salt" = "$(line master_key.0.salt)" ] || fail "the master key's salt changed"
	expect_all_open
}

case_neither_flag_is_the_data_key() {
	local wrapped entry
	seal
	wrapped=$(line .0.enc) entry=$(line /ssl.key.password)
	rotate --passphrase @pass
	expect_rc 0
	expect_changed 'sec.properties (6 entries)'
	[ "$wrapped" != "$(line .0.enc)" ] || fail "the data key is the old one"
	[ "$entry" != "$(line /ssl.key.password)" ] || fail "the entry is the old one"
}

case_data_key_makes_cbc_gcm() {
	on server.properties encrypt --cipher cbc
	rotate --data-key --passphrase @pass
	expect_rc 0
	expect_not_in sec.properties AES/CBC
	expect_all_open
}

case_master_key_leaves_entries() {
	local entry
	seal
	entry=$(line /ssl.key.password)
	echo 'CANARY new passphrase' >new
	rotate --master-key --passphrase @pass --passphrase-new @new -o yaml
	expect_rc 0
	expect_file "$err" 'propseal: changed: sec.properties (3 entries)
Save the master key. It cannot be retrieved later.'
	[ "$entry" = "$(line /ssl.key.password)" ] || fail "the entry changed"
	sed 's/^master_key: //' "$out" >new.key
	cmp -s new.key master.key && fail "the key is the old one"
	mv new.key master.key
	expect_all_open
}

case_old_key_is_void_after_master_key() {
	seal
	echo 'CANARY new passphrase' >new
	rotate --master-key --passphrase @pass --passphrase-new @new
	expect_rc 0
	on server.properties decrypt --output-file -
	expect_rc 4
	expect_no CANARY
	rotate --passphrase @pass
	expect_rc 4
}

case_both_flags_rotate_both() {
	local entry
	seal
	entry=$(line /ssl.key.password)
	echo 'CANARY new passphrase' >new
	rotate --data-key --master-key --passphrase @pass --passphrase-new @new -o json
	expect_rc 0
	[ "$entry" != "$(line /ssl.key.password)" ] || fail "the entry is the old one"
	python3 -c 'import json, sys; print(json.load(sys.stdin)["master_key"])' <"$out" >master.key
	expect_all_open
}

case_both_passphrases_from_standard_input() {
	seal
	feed "$passphrase
new one
" file rotate --master-key --local-secrets-file sec.properties --passphrase - \
	    --passphrase-new - -o yaml
	expect_rc 0
	sed 's/^master_key: //' "$out" >master.key
	expect_all_open
	CONFLUENT_SECURITY_MASTER_KEY=$(cat master.key)
	echo 'new one' >new
	rotate --passphrase @new
	expect_rc 0
}

case_standard_input_must_have_two_lines() {
	local text
	seal
	snapshot
	for text in "$passphrase" "$passphrase"$'\n' "$passphrase"$'\nnew one\nthree\n'; do
		feed "$text" file rotate --master-key --local-secrets-file sec.properties \
		    --passphrase - --passphrase-new -
		expect_rc 2
		expect_err 'expected two lines'
		expect_no CANARY
	done
	expect_unchanged
}

case_wrong_passphrase_is_exit_4() {
	seal
	echo wrong >wrong
	printf '%s \n' "$passphrase" >blank
	snapshot
	rotate --passphrase @wrong
	expect_rc 4
	expect_err 'sec.properties: wrong passphrase'
	expect_err '  hint: '
	rotate --passphrase @blank
	expect_rc 4
	rotate --master-key --passphrase @wrong --passphrase-new @pass
	expect_rc 4
	expect_no CANARY
	expect_unchanged
}

case_empty_passphrases_are_refused() {
	seal
	snapshot
	rotate --passphrase ''
	expect_rc 4
	rotate --master-key --passphrase @pass --passphrase-new ' '
	expect_rc 4
	expect_err 'the passphrase is empty'
	expect_unchanged
}

case_same_passphrase_is_refused() {
	seal
	snapshot
	rotate --master-key --passphrase @pass --passphrase-new @pass
	expect_rc 1
	expect_err 'the new passphrase is the old one'
	expect_no CANARY
	expect_unchanged
}

case_new_passphrase_without_a_terminal_is_required() {
	seal
	snapshot
	rotate --master-key --passphrase @pass
	expect_rc 2
	expect_err 'no --passphrase-new, and no terminal'
	rotate --master-key
	expect_rc 2
	expect_err 'no --passphrase-new, and no terminal'
	expect_unchanged
}

# Playbooks make the passphrase at random and throw it away.
case_the_key_alone_is_enough() {
	local wrapped
	seal
	wrapped=$(line .0.enc)
	rotate
	expect_rc 0
	[ "$wrapped" != "$(line .0.enc)" ] || fail "the data key is the old one"
	expect_all_open
	echo 'CANARY new passphrase' >new
	rotate --master-key --passphrase-new @new -o yaml
	expect_rc 0
	sed 's/^master_key: //' "$out" >master.key
	expect_all_open
	unset CONFLUENT_SECURITY_MASTER_KEY
	rotate --master-key-file master.key
	expect_rc 0
	expect_all_open
	snapshot
	rotate
	expect_rc 1
	expect_err 'no master key'
	expect_unchanged
}

case_new_passphrase_without_master_key_is_refused() {
	seal
	snapshot
	rotate --passphrase @pass --passphrase-new @pass
	expect_rc 2
	expect_err 'add --master-key'
	expect_unchanged
}

case_needs_the_master_key() {
	seal
	snapshot
	unset CONFLUENT_SECURITY_MASTER_KEY
	rotate --passphrase @pass
	expect_rc 1
	expect_err 'CONFLUENT_SECURITY_MASTER_KEY is not set'
	expect_unchanged
	rotate --passphrase @pass --master-key-file master.key
	expect_rc 0
	expect_all_open
}

case_damaged_entry_stops_it() {
	seal
	sed -i '/ssl.key.password/s/data:..../data:AAAA/' sec.properties
	snapshot
	rotate --passphrase @pass
	expect_rc 4
	expect_err 'sec.properties:'
	expect_err '"server.properties/ssl.key.password"'
	expect_unchanged
}

case_missing_file_is_named() {
	run file rotate --local-secrets-file nowhere --passphrase @pass
	expect_rc 1
	expect_err 'nowhere: no such file'
}

case_lines_that_are_no_entries_stay() {
	seal
	printf '# note\nplain.entry = 1\n' >>sec.properties
	rotate --passphrase @pass
	expect_rc 0
	[ "$(tail -n 2 sec.properties)" = '# note
plain.entry = 1' ] || fail "the lines changed"
}

case_dry_run_writes_nothing_and_prints_no_key() {
	seal
	snapshot
	rotate --master-key --passphrase @pass --passphrase-new 'CANARY new' --dry-run
	expect_rc 0
	expect_out '+_metadata.master_key.0.salt'
	expect_no 'Master Key' 'Save the master' CANARY
	rotate --data-key --passphrase @pass --dry-run -o json
	expect_json "$out" 'd["files"][0]["role"]' secrets
	expect_unchanged
}

case_lost_output_says_how_to_go_on() {
	[ -c /dev/full ] || return 0
	seal
	echo 'CANARY new passphrase' >new
	"$PROPSEAL" file rotate --master-key --local-secrets-file sec.properties \
	    --passphrase @pass --passphrase-new @new >/dev/full 2>"$err"
	rc=$?
	expect_rc 1
	expect_err 'the passphrase still gives it'
	expect_no CANARY
}

run_cases "$@"
