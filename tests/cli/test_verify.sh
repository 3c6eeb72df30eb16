#!/usr/bin/env bash
# file verify.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

seal() {
	on server.properties encrypt
	[ "$rc" -eq 0 ] || fail "cannot seal"
}

verify() {
	run file verify --local-secrets-file sec.properties "$@"
}

case_all_is_well() {
	seal
	snapshot
	verify
	expect_rc 0
	expect_file "$out" '3 sealed entries open'
	verify server.properties
	expect_rc 0
	expect_file "$out" \
	    '3 sealed entries open; 3 references in 1 file, 0 dangling, 0 orphans'
	expect_unchanged
}

case_folders_are_searched() {
	mkdir -p etc/kafka
	mv server.properties etc/kafka/
	on etc/kafka/server.properties encrypt
	verify etc
	expect_rc 0
	expect_out '3 references in 1 file'
}

case_damaged_entry_is_exit_4() {
	seal
	sed -i '/ssl.key.password/s/data:..../data:AAAA/' sec.properties
	verify
	expect_rc 4
	grep -qE '^sec.properties:[0-9]+: damaged: "server.properties/ssl.key.password": ' "$out" ||
	    fail "no finding"
	expect_out '2 sealed entries open, 1 does not'
	verify server.properties
	expect_rc 4
	expect_out 'server.properties:5: damaged: "ssl.key.password": '
	expect_no CANARY
}

case_dangling_reference_is_exit_3() {
	seal
	sed -i /ssl.key.password/d sec.properties
	verify
	expect_rc 0
	verify server.properties
	expect_rc 3
	expect_out 'server.properties:5: dangling: "ssl.key.password": '
	expect_out '1 dangling'
}

case_orphan_is_a_remark() {
	seal
	sed -i /ssl.key.password/d server.properties
	verify
	expect_rc 0
	verify server.properties
	expect_rc 0
	expect_out 'orphan: "server.properties/ssl.key.password": '
	expect_out '1 orphan'
}

case_unreadable_path_is_exit_1() {
	seal
	verify server.properties nowhere.properties
	expect_rc 1
	expect_out 'nowhere.properties: unreadable: '
}

case_json() {
	seal
	sed -i /ssl.key.password/d sec.properties
	verify server.properties -o json
	expect_rc 3
	expect_json "$out" 'd["sealed"], d["open"], d["damaged"], d["dangling"], d["exit"]' \
	    '(2, 2, 0, 1, 3)'
	expect_json "$out" '[list(f.values())[:4] for f in d["findings"]]' \
	    "[['dangling', 'server.properties', 5, 'ssl.key.password']]"
	verify -o json
	expect_rc 0
	expect_json "$out" 'd["findings"]' '[]'
}

case_needs_the_right_key() {
	seal
	unset CONFLUENT_SECURITY_MASTER_KEY
	verify
	expect_rc 1
	expect_err --master-key-file
	verify --master-key-file master.key
	expect_rc 0
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	verify --master-key-file wrong.key
	expect_rc 4
	expect_err 'sec.properties'
	verify --master-key-file wrong.key -o json
	expect_json "$err" 'd["error"]["code"]' wrong-key
}

case_missing_secrets_file_is_named() {
	run file verify --local-secrets-file nowhere
	expect_rc 1
	expect_err 'nowhere: no such file'
}

run_cases "$@"
