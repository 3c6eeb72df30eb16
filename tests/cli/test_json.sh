#!/usr/bin/env bash
# JSON configuration files.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

ref() {
	printf '${securepass:%s:c.json/%s}' "$remote" "$1"
}

case_only_the_value_changes() {
	printf '{ "name" : "c\\u00e9",\r\n\t"a.password":"CANARY", "n": 1.50,\r\n  "list" : [1,2 , {"b":null}]}\r\n' >c.json
	on c.json encrypt
	expect_rc 0
	printf '{ "name" : "c\\u00e9",\r\n\t"a.password":"%s", "n": 1.50,\r\n  "list" : [1,2 , {"b":null}],\r\n' \
	    "$(ref a.password)" >want
	head -c "$(wc -c <want)" c.json | cmp -s - want || fail "other bytes changed: $(cat -A c.json)"
	python3 -c 'import json; json.load(open("c.json"))' || fail 'not JSON'
}

case_connectors_keep_their_shape() {
	cat >c.json <<-'END'
	{
	  "name": "sink",
	  "config": {
	    "connector.class": "JdbcSink",
	    "connection.password": "CANARY",
	    "sasl.jaas.config": "a.PlainLoginModule required username=\"u\" password=\"CANARY\";"
	  }
	}
	END
	on c.json encrypt
	expect_rc 0
	expect_not_in c.json CANARY
	python3 - "$(ref config.connection.password)" \
	    "$(ref config.sasl.jaas.config/a.PlainLoginModule/password)" <<-'END' || fail "$(cat c.json)"
	import json, sys
	d = json.load(open('c.json'))
	assert list(d) == ['name', 'config'], d
	assert d['config']['connection.password'] == sys.argv[1], d
	assert d['config']['sasl.jaas.config'] == 'a.PlainLoginModule required username="u" password=' + sys.argv[2] + ';', d
	END
	expect_err 'the Connect worker resolves the references'
	on c.json decrypt --output-file - --config 'config.connection\.password'
	expect_rc 0
	expect_out CANARY
	run file verify --local-secrets-file sec.properties c.json
	expect_rc 0
	expect_out '2 references in 1 file, 0 dangling, 0 orphans'
}

case_references_as_the_reference_writes_them() {
	printf '{"a.password":"CANARY"}' >c.json
	on c.json encrypt
	expect_rc 0
	# Its reference has the path's backslashes, its entry has lost them.
	sed -i 's|c.json/a.password|c.json/a\\\\.password|' c.json
	on c.json decrypt --output-file -
	expect_rc 0
	expect_out CANARY
}

case_members_of_one_name_must_agree() {
	printf '{"a.password":"CANARY1","a.password":"CANARY2"}' >c.json
	snapshot
	on c.json encrypt
	expect_rc 1
	expect_err 'stands more than once'
	expect_unchanged
	printf '{"a.password":"CANARY","a.password":"CANARY"}' >c.json
	on c.json encrypt
	expect_rc 0
	expect_not_in c.json CANARY
}

case_two_keys_of_one_sealed_name_are_refused() {
	printf '{"a":{"password":"CANARY1"},"a.password":"CANARY2"}' >c.json
	snapshot
	on c.json encrypt
	expect_rc 1
	expect_err 'same name in the secrets file'
	expect_unchanged
}

case_add_update_remove() {
	printf '{\n  "name": "c"\n}\n' >c.json
	on c.json add --config - <<< 'x\.password=CANARY'
	expect_rc 0
	on c.json update --config - <<< 'x\.password=CANARY2'
	expect_rc 0
	on c.json decrypt --output-file - --config 'x\.password'
	expect_out CANARY2
	run file remove --config-file c.json --local-secrets-file sec.properties --config 'x\.password'
	expect_rc 0
	grep -q c.json sec.properties && fail 'the sealed entry is still there'
	python3 -c 'import json; assert "x.password" not in json.load(open("c.json"))' || fail "$(cat c.json)"
}

case_what_is_no_json_is_named_with_its_line() {
	printf '{\n "a": CANARY\n}\n' >c.json
	snapshot
	on c.json encrypt
	expect_rc 1
	expect_err 'propseal: c.json:2: '
	expect_no CANARY
	expect_unchanged
}

case_nesting_has_a_limit() {
	python3 -c 'print("[" * 100000)' >c.json
	on c.json encrypt
	expect_rc 1
	expect_err 'levels'
}

case_show_lists_paths() {
	printf '{"a":{"b.password":"CANARY"},"n":[1,true]}' >c.json
	run file show c.json -o json
	expect_rc 0
	expect_out '"format":"json"'
	expect_out '{"key":"a.b\\.password","value":null,"state":"plain","sensitive":true,"line":1,"checked":true}'
	expect_out '{"key":"n.1","value":"true"'
	expect_no CANARY
}

case_each_element_of_an_array() {
	printf '{"users":[{"pw":"CANARY1"},{"pw":"CANARY2"}]}' >c.json
	on c.json encrypt --config 'users.#.pw'
	expect_rc 0
	expect_not_in c.json CANARY
	expect_in c.json "$(ref users.0.pw)"
	expect_in c.json "$(ref users.1.pw)"
	on c.json decrypt --output-file - --config users.1.pw
	expect_out CANARY2
}

case_a_path_with_wildcards_opens_and_removes_what_it_sealed() {
	local path
	for path in 'config.conn*' 'config.users.#.pw' 'config.*'; do
		printf '{"config":{"connection_password":"CANARY1","users":[{"pw":"CANARY2"},{"pw":"CANARY3"}]}}' >c.json
		on c.json encrypt --replace --config "$path"
		expect_rc 0
		on c.json decrypt --output-file - --config "$path"
		expect_rc 0
		expect_out CANARY
		on c.json remove --config "$path"
		expect_rc 0
		expect_not_in c.json securepass:
		expect_not_in sec.properties c.json
		on c.json decrypt --output-file - --config 'config.x*'
		expect_rc 1
		expect_err 'not present'
	done
	printf '{"a":"CANARY1","b":"x"}' >c.json
	on c.json encrypt --config a
	snapshot
	on c.json remove --config 'b*'
	expect_rc 1
	expect_err 'not sealed'
	expect_unchanged
	on c.json remove --config '?'
	expect_rc 0
	expect_in c.json '"b":"x"'
}

run_cases
