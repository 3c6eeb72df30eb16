#!/usr/bin/env bash
# file remove.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

# Seal, and forget the key.
seal_and_lose() {
	seal
	unset CONFLUENT_SECURITY_MASTER_KEY
}

case_removes_from_both_files_without_a_key() {
	seal_and_lose
	on server.properties remove --config ssl.key.password
	expect_rc 0
	[ ! -s "$out" ] || fail "something on standard output"
	expect_file "$err" 'propseal: changed: sec.properties (1 entry), server.properties (1 entry)
Deleted configuration values.'
	expect_not_in server.properties ssl.key.password
	expect_not_in sec.properties ssl.key.password
	expect_in server.properties ssl.keystore.password
	expect_in sec.properties ssl.keystore.password
}

case_other_lines_stay_as_they_are() {
	seal_and_lose
	grep -v ssl.key.password server.properties >want
	on server.properties remove --config ssl.key.password
	cmp -s want server.properties || fail "$(diff want server.properties)"
}

case_several_keys() {
	seal_and_lose
	on server.properties remove --config ssl.key.password,zookeeper.password
	expect_rc 0
	expect_not_in sec.properties zookeeper.password
	expect_in sec.properties ssl.keystore.password
}

case_list_from_a_file() {
	seal_and_lose
	printf 'ssl.key.password\nzookeeper.password\n' >keys
	on server.properties remove --config @keys
	expect_rc 0
	expect_not_in sec.properties zookeeper.password
}

case_blanks_count_and_the_hint_says_so() {
	seal_and_lose
	snapshot
	on server.properties remove --config 'ssl.key.password, zookeeper.password'
	expect_rc 1
	expect_err '" zookeeper.password"'
	expect_err '  hint: remove takes the blanks around a key as a part of it'
	expect_unchanged
}

case_plain_key_is_refused() {
	seal_and_lose
	snapshot
	on server.properties remove --config sasl.secret
	expect_rc 1
	expect_err 'server.properties:7: "sasl.secret": '
	expect_no CANARY Deleted
	expect_unchanged
}

case_missing_key_is_refused() {
	seal_and_lose
	snapshot
	on server.properties remove --config ssl.key.password,nope.key
	expect_rc 1
	expect_err 'server.properties: "nope.key": '
	expect_unchanged
}

case_orphan_needs_the_flag() {
	seal_and_lose
	sed -i /ssl.key.password/d server.properties
	snapshot
	on server.properties remove --config ssl.key.password
	expect_rc 1
	expect_err --orphan
	expect_unchanged
	on server.properties remove --config ssl.key.password --orphan
	expect_rc 0
	expect_not_in sec.properties ssl.key.password
	diff "$kept/server.properties" server.properties || fail "the configuration changed"
}

case_empty_lists_are_refused() {
	seal_and_lose
	snapshot
	on server.properties remove --config ''
	expect_rc 2
	expect_err 'no key in --config'
	on server.properties remove --config ssl.key.password,
	expect_rc 1
	expect_err 'configuration key ""'
	expect_unchanged
}

case_missing_files_are_named() {
	seal_and_lose
	snapshot
	on nowhere.properties remove --config a
	expect_rc 1
	expect_err 'nowhere.properties: no such file'
	run file remove --config-file server.properties --local-secrets-file nowhere --config a
	expect_rc 1
	expect_err 'nowhere: no such file'
	expect_unchanged
}

# Two configurations of one base name and value, so of one sealed entry.
share_an_entry() {
	mkdir d1 d2
	echo 'a.password=CANARY' | tee d1/x.properties >d2/x.properties
	on d1/x.properties encrypt
	on d2/x.properties encrypt
	expect_rc 0
}

case_what_another_configuration_needs_stays() {
	share_an_entry
	on d1/x.properties remove --config a.password
	expect_rc 0
	expect_err 'd2/x.properties:1: refers to the same sealed entry, which therefore stays'
	expect_in sec.properties x.properties/a.password
	expect_not_in d1/x.properties a.password
	on d2/x.properties decrypt --output-file -
	expect_out 'a.password = CANARY'
	on d1/x.properties remove --config a.password --orphan
	expect_rc 1
	expect_err 'd2/x.properties:1: "a.password": the sealed entry is no orphan'
	# The last one takes it along.
	on d2/x.properties remove --config a.password
	expect_rc 0
	expect_not_in sec.properties x.properties/a.password
}

# As confluent secret writes it: backslashes in the reference, none in the secrets file.  And the
# second reference of a value counts as the first does.
case_another_spelling_or_place_is_a_use() {
	printf '{"a.b":"CANARY-1","c":"CANARY-2"}\n' >x.json
	on x.json encrypt --config 'a\.b,c'
	expect_rc 0
	mkdir away
	sed 's/x.json.a.b}/x.json\/a\\\\.b}/' x.json >away/x.json
	grep -qF 'x.json/a\\.b}' away/x.json || fail "no reference with a backslash"
	printf '{}\n' >x.json
	snapshot
	for key in 'a\.b' a.b; do
		on x.json remove --config "$key" --orphan
		expect_rc 1
		expect_err 'away/x.json:1: "'"$key"'": the sealed entry is no orphan'
	done
	cat >away/url.properties <<-END
		url=\${securepass:$remote:x.json/a.b}:\${securepass:$remote:x.json/c}
	END
	rm away/x.json
	on x.json remove --config c --orphan
	expect_rc 1
	expect_err 'away/url.properties:1: "c": the sealed entry is no orphan'
	diff "$kept/sec.properties" sec.properties || fail "the secrets file changed"
}

case_a_use_in_another_spelling_keeps_the_entry() {
	printf '{"a.b":"CANARY-1","c":"d"}\n' >x.json
	on x.json encrypt --config 'a\.b'
	expect_rc 0
	mkdir away
	sed 's/x.json.a.b}/x.json\/a\\\\.b}/' x.json >away/x.json
	on x.json remove --config 'a\.b'
	expect_rc 0
	expect_err 'away/x.json:1: refers to the same sealed entry, which therefore stays'
	expect_in sec.properties 'x.json/a.b'
	on away/x.json remove --config 'a\.b'
	expect_rc 0
	expect_not_in sec.properties 'x.json/a.b'
}

# Below the folder of the configuration, while the secrets file is elsewhere.
case_users_are_found_beside_the_configuration() {
	share_an_entry
	mkdir keys etc
	mv sec.properties keys/
	mv d1/x.properties etc/
	mkdir etc/sub
	mv d2/x.properties etc/sub/
	run file remove --config-file etc/x.properties --local-secrets-file keys/sec.properties \
	    --config a.password
	expect_rc 0
	expect_err 'etc/sub/x.properties:1: refers to the same sealed entry'
	expect_in keys/sec.properties x.properties/a.password
}

# The entry of the same name in another environment is another one.
case_another_environment_needs_nothing_of_ours() {
	mkdir prod test
	for n in prod test; do
		echo 'a.password=CANARY' >$n/x.properties
		cp sec.properties $n/secrets.properties
		run file encrypt --config-file $n/x.properties \
		    --local-secrets-file $n/secrets.properties \
		    --remote-secrets-file /etc/$n/secrets.properties
		expect_rc 0
	done
	rm sec.properties
	mv prod/x.properties x.properties
	run file remove --config-file x.properties --local-secrets-file prod/secrets.properties \
	    --config a.password
	expect_rc 0
	expect_not_in prod/secrets.properties x.properties/a.password
}

case_dry_run_writes_nothing() {
	seal_and_lose
	snapshot
	on server.properties remove --config ssl.key.password --dry-run
	expect_rc 0
	expect_out -ssl.key.password
	expect_out -server.properties/ssl.key.password
	expect_no Deleted
	on server.properties remove --config ssl.key.password --dry-run -o json
	expect_json "$out" '[f["changes"][0]["op"] for f in d["files"]]' "['remove', 'remove']"
	expect_unchanged
}

case_dangling_reference_goes_with_a_note() {
	seal_and_lose
	sed -i /ssl.key.password/d sec.properties
	on server.properties remove --config ssl.key.password
	expect_rc 0
	expect_err 'note: server.properties:5: '
	expect_not_in server.properties ssl.key.password
}

run_cases "$@"
