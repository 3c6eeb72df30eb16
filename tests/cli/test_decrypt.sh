#!/usr/bin/env bash
# file decrypt.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

case_opens_every_reference() {
	seal
	on server.properties decrypt --output-file plain.properties
	expect_rc 0
	expect_changed 'new plain.properties'
	expect_file plain.properties 'ssl.keystore.password = CANARY-keystore
ssl.key.password = CANARY-key
zookeeper.password = CANARY-zookeeper'
}

case_new_output_is_private() {
	seal
	umask 0
	on server.properties decrypt --output-file plain.properties
	expect_mode plain.properties 600
}

case_existing_output_keeps_its_mode_with_a_warning() {
	seal
	: >plain.properties
	chmod 644 plain.properties
	on server.properties decrypt --output-file plain.properties
	expect_rc 0
	expect_mode plain.properties 644
	expect_err 'warning: others can read plain.properties'
	expect_in plain.properties CANARY-key
}

case_streams_are_written_to_as_they_are() {
	seal
	snapshot
	on server.properties decrypt --output-file /dev/null
	expect_rc 0
	expect_silent
	on server.properties decrypt --output-file /dev/stderr --config ssl.key.password
	expect_rc 0
	expect_file "$err" 'ssl.key.password = CANARY-key'
	"$PROPSEAL" file decrypt --config-file server.properties --local-secrets-file \
	    sec.properties --config ssl.key.password --output-file >(cat >"$out") 2>"$err"
	until_true grep -q CANARY-key "$out"
	exec 7>"$suite/seen"
	echo before >&7
	on server.properties decrypt --config ssl.key.password --output-file /dev/fd/7
	exec 7>&-
	expect_rc 0
	expect_file "$suite/seen" 'before
ssl.key.password = CANARY-key'
	expect_unchanged
	mkfifo pipe
	cat pipe >"$out" &
	"$PROPSEAL" file decrypt --config-file server.properties --local-secrets-file \
	    sec.properties --config ssl.key.password --output-file pipe 2>"$err"
	wait
	expect_file "$out" 'ssl.key.password = CANARY-key'
	[ -p pipe ] || fail "no FIFO any more"
}

case_a_file_or_link_of_another_user_is_refused() {
	[ "$(id -u)" = 0 ] || return 0
	seal
	: >theirs
	: >ours
	mkdir folder
	ln -s folder by
	ln -s ours link
	chown 12345 theirs
	mkfifo pipe
	exec 8<>pipe
	ln -s pipe to-pipe
	chown -h 12345 link by to-pipe
	for to in theirs link by/new to-pipe; do
		on server.properties decrypt --output-file $to
		expect_rc 1
		expect_err "propseal: $to: "
		expect_err 'another user'
		run render server.properties --local-secrets-file sec.properties --output-file $to
		expect_rc 1
	done
	[ ! -s theirs ] && [ ! -s ours ] && [ ! -e folder/new ] && ! read -t 0 -u 8 ||
		fail "written"
	chown -h 0 link by
	on server.properties decrypt --output-file link
	expect_rc 0
	expect_in ours CANARY-key
	on server.properties decrypt --output-file by/new
	expect_rc 0
}

case_to_standard_output() {
	seal
	snapshot
	on server.properties decrypt --output-file - --config ssl.key.password
	expect_rc 0
	expect_file "$out" 'ssl.key.password = CANARY-key'
	expect_unchanged
}

case_listed_keys_with_blanks_around() {
	seal
	on server.properties decrypt --output-file - --config ' zookeeper.password , sasl.secret'
	expect_rc 0
	expect_file "$out" 'zookeeper.password = CANARY-zookeeper
sasl.secret = CANARY-sasl'
}

case_values_read_back_as_the_same() {
	printf 'a.password=\\ lead\\\\back\\u00e9\\ttab\\nline\n' >server.properties
	seal
	on server.properties decrypt --output-file plain.properties
	run file show plain.properties --reveal -o json
	expect_json "$out" 'ascii(d["entries"][0]["value"])' "' lead\\\\back\\xe9\\ttab\\nline'"
}

case_missing_key_is_named() {
	seal
	snapshot
	on server.properties decrypt --output-file plain.properties --config nope.key
	expect_rc 1
	expect_err 'server.properties: "nope.key": '
	expect_unchanged
}

case_comma_too_many_is_an_error() {
	seal
	on server.properties decrypt --output-file - --config ssl.key.password,
	expect_rc 1
	expect_err 'configuration key ""'
	expect_no CANARY
}

case_renamed_file_needs_any_name() {
	seal
	mv server.properties renamed.properties
	on renamed.properties decrypt --output-file -
	expect_rc 1
	expect_err 'renamed.properties:4: "ssl.keystore.password"'
	expect_err --any-name
	expect_no CANARY
	on renamed.properties decrypt --output-file - --any-name
	expect_rc 0
	expect_out 'ssl.key.password = CANARY-key'
}

case_references_inside_a_longer_value_are_opened() {
	seal
	printf 'sasl.jaas.config=Module required a="x" b="${securepass:%s:%s}";\n' "$remote" \
	    server.properties/ssl.key.password >>server.properties
	on server.properties decrypt --output-file - --config sasl.jaas.config
	expect_rc 0
	expect_file "$out" 'ssl.key.password = CANARY-key'
}

case_dangling_reference_is_an_error() {
	seal
	sed -i '/ssl.key.password/d' sec.properties
	on server.properties decrypt --output-file plain.properties
	expect_rc 1
	expect_err 'server.properties:5: "ssl.key.password": dangling'
	[ ! -e plain.properties ] || fail "an output was made"
}

case_damaged_entry_is_exit_4_and_writes_nothing() {
	seal
	sed -i '/ssl.key.password/s/data:..../data:AAAA/' sec.properties
	snapshot
	on server.properties decrypt --output-file plain.properties
	expect_rc 4
	expect_err 'sec.properties:'
	expect_err '"server.properties/ssl.key.password"'
	expect_unchanged
	on server.properties decrypt --output-file -
	expect_rc 4
	expect_no CANARY
}

case_other_entries_open_beside_a_damaged_one() {
	seal
	sed -i '/ssl.key.password/s/data:..../data:AAAA/' sec.properties
	on server.properties decrypt --output-file - --config ssl.keystore.password
	expect_rc 0
	expect_out CANARY-keystore
}

case_output_may_not_be_one_of_the_files() {
	local f
	seal
	ln -s server.properties link
	snapshot
	for f in server.properties sec.properties ./server.properties link; do
		on server.properties decrypt --output-file "$f"
		expect_rc 1
		expect_err 'the output would overwrite the'
	done
	expect_unchanged
}

case_dry_run_writes_nothing() {
	seal
	snapshot
	on server.properties decrypt --output-file plain.properties --dry-run
	expect_rc 0
	expect_out '+++ plain.properties'
	expect_no CANARY
	on server.properties decrypt --output-file plain.properties --dry-run -o json
	expect_rc 0
	expect_json "$out" 'd["files"][0]["role"]' output
	expect_no CANARY
	on server.properties decrypt --output-file - --dry-run
	expect_rc 2
	expect_no CANARY
	expect_unchanged
}

case_works_in_a_folder_that_cannot_be_written() {
	local folder=$PWD
	seal
	chmod 500 .
	cd .. || exit 1
	run file decrypt --config-file "$folder/server.properties" --local-secrets-file \
	    "$folder/sec.properties" --output-file -
	chmod 700 "$folder"
	expect_rc 0
}

case_missing_secrets_file_is_named() {
	seal
	rm sec.properties
	on server.properties decrypt --output-file -
	expect_rc 1
	expect_err 'propseal: sec.properties: no such file'
	expect_err '  hint: check --local-secrets-file'
}

case_nothing_to_open_says_so() {
	on server.properties decrypt --output-file plain.properties
	expect_rc 0
	expect_err 'nothing to open'
}

# What should have made the list has failed: that is no wish for all.
case_an_empty_list_opens_nothing() {
	seal
	: >none
	on server.properties decrypt --output-file plain.properties --config @none
	expect_rc 2
	expect_err 'no key in --config @none'
	printf ' ,\n\n' >none
	on server.properties decrypt --output-file plain.properties --config @none
	expect_rc 2
	"$PROPSEAL" file decrypt --config-file server.properties --local-secrets-file \
	    sec.properties --output-file plain.properties --config - </dev/null 2>"$err"
	[ $? -eq 2 ] || fail 'an empty standard input was taken'
	expect_err 'no key in --config - (standard input)'
	[ ! -e plain.properties ] || fail 'something was opened'
}

case_truncated_secrets_file_is_refused() {
	seal
	head -c 430 sec.properties >short
	cat short >sec.properties
	on server.properties decrypt --output-file -
	[ "$rc" -ne 0 ] || fail "exit 0"
	expect_err sec.properties
	expect_no CANARY
}

case_names_of_standard_output_are_not_replaced() {
	on server.properties encrypt
	echo precious >log
	"$PROPSEAL" file decrypt --config-file server.properties \
	    --local-secrets-file sec.properties --output-file /dev/stdout >>log 2>"$err"
	[ "$(head -n 1 log)" = precious ] || fail 'the log was replaced'
	[ "$(wc -l <log)" -gt 1 ] || fail 'nothing was written'
}

run_cases "$@"
