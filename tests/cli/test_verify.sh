#!/usr/bin/env bash
# file verify.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

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

# The values of two entries change places; their tags stay.
swap_values() {
	awk -F ' = ' -v a="$1" -v b="$2" '
		NR == FNR { value[$1] = $2; next }
		$1 == a { print a " = " value[b]; next }
		$1 == b { print b " = " value[a]; next }
		{ print }' sec.properties sec.properties >swapped
	cat swapped >sec.properties
	rm swapped
}

case_swapped_entries_are_exit_4() {
	seal
	swap_values server.properties/ssl.key.password server.properties/ssl.keystore.password
	verify
	expect_rc 4
	expect_out 'damaged: "server.properties/ssl.key.password": the value was sealed for another entry, server.properties/ssl.keystore.password'
	on server.properties decrypt --output-file out.properties
	expect_rc 4
	[ ! -e out.properties ] || fail "an output was written"
	expect_no CANARY
}

case_a_value_of_another_program_is_told() {
	seal
	cp sec.properties theirs.properties
	sed -i '/_propseal.tag/d; /ssl.key.password/d' theirs.properties
	cp server.properties their.bak
	printf 'ssl.key.password=CANARY other\n' >server.properties
	run file encrypt --config-file server.properties --local-secrets-file theirs.properties \
	    --remote-secrets-file "$remote"
	[ "$rc" -eq 0 ] || fail "cannot seal"
	mv their.bak server.properties
	line=$(grep '^server.properties/ssl.key.password' theirs.properties)
	sed -i "s|^server.properties/ssl.key.password.*|$line|" sec.properties
	verify
	expect_rc 3
	expect_out 'changed: "server.properties/ssl.key.password": another program changed'
	on server.properties decrypt --output-file out.properties
	expect_rc 0
	expect_err '1 sealed entries were changed by another program'
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	verify
	expect_rc 0
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

# As confluent secret writes it: backslashes in the reference, none in the secrets file.
case_a_reference_with_backslashes_is_a_use() {
	printf '{"a.b":"CANARY"}\n' >x.json
	on x.json encrypt --config 'a\.b'
	sed -i 's/x.json.a.b}/x.json\/a\\\\.b}/' x.json
	grep -qF 'x.json/a\\.b}' x.json || fail "no reference with a backslash"
	verify x.json
	expect_rc 0
	expect_file "$out" '1 sealed entry opens; 1 reference in 1 file, 0 dangling, 0 orphans'
	run file verify .
	expect_out '0 dangling, 0 orphans'
	run audit .
	expect_no orphan-entry
	sed -i 's/mnt/srv/' x.json
	run file verify .
	expect_out '0 orphans, 1 perhaps used'
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

case_entries_that_another_program_took_away_are_told() {
	seal
	sed -i '/^server.properties.ssl.key.password/d' sec.properties
	verify
	expect_rc 3
	expect_out 'its integrity tag is still there'
	sed -i 's/^\(server.properties.ssl.keystore.password\) = .*/\1 = CANARY text/' sec.properties
	verify
	expect_rc 3
	expect_out 'is text now'
	expect_no CANARY
}

case_a_merge_conflict_is_refused() {
	seal
	sed -i '$ s/^.*/<<<<<<< ours\n&\n=======\n&\n>>>>>>> theirs/' sec.properties
	snapshot
	verify
	expect_rc 1
	expect_err 'there is a merge conflict'
	on server.properties decrypt --output-file out.properties
	expect_rc 1
	expect_unchanged
}

# Sealed with --config-format, its file is none that verify looks at below a folder.
case_an_entry_of_a_file_that_is_passed_over_is_no_orphan() {
	echo 'sasl.password=CANARY' >client.config
	on client.config encrypt --config-format properties
	expect_rc 0
	run file verify .
	expect_out 'perhaps-used: "client.config/sasl.password": not known to be unused'
	expect_out ' 0 orphans, 1 perhaps used'
	printf '[files]\npatterns = *.properties *.config=properties\n' >named.ini
	PROPSEAL_CONFIG=named.ini run file verify .
	expect_rc 0
	expect_no 'perhaps-used'
}

run_cases "$@"
