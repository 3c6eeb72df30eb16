#!/usr/bin/env bash
# What a command that changes something says of it: a line, or JSON.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

# The last result is the JSON of a change, and no secret is in it.
expect_change() {
	expect_rc 0
	expect_json "$out" 'd["schema"]' propseal.change/1
	expect_json "$out" 'd["changed"]' "$1"
	expect_json "$out" 'type(d["notes"]).__name__' list
	expect_no CANARY
}

# The keys of the entries of file $1 that changed.
changed_keys() {
	python3 -c 'import json, sys
print(*[e["key"] for f in json.load(open(sys.argv[1]))["files"] if f["file"] == sys.argv[2]
    for e in f["entries"]])' "$out" "$1"
}

case_encrypt_tells_files_and_entries() {
	on server.properties encrypt --config ssl.key.password,sasl.secret -o json
	expect_change True
	expect_json "$out" '[f["file"] for f in d["files"]]' "['sec.properties', 'server.properties']"
	expect_json "$out" '[f["new"] for f in d["files"]]' '[False, False]'
	[ "$(changed_keys server.properties)" = "ssl.key.password sasl.secret config.providers config.providers.securepass.class" ] ||
	    fail "other entries: $(changed_keys server.properties)"
	expect_json "$err" 'd["changed"]["text"]' \
	    'sec.properties (2 entries), server.properties (4 entries)'
}

case_nothing_to_change_is_told() {
	seal
	snapshot
	on server.properties encrypt -o json
	expect_change False
	expect_json "$out" 'd["files"]' '[]'
	on server.properties encrypt
	expect_rc 0
	expect_err 'nothing to change'
	printf 'a=1\n' >plain.properties
	on plain.properties encrypt -o json
	expect_change False
	rm plain.properties
	expect_unchanged
}

case_every_command_of_files_tells() {
	on server.properties add --config a.b=CANARY-1 -o json
	expect_change True
	on server.properties update --config a.b=CANARY-2 -o json
	expect_change True
	on server.properties decrypt --output-file plain.properties -o json
	expect_change True
	expect_json "$out" 'd["files"][0]["file"]' plain.properties
	run render server.properties --local-secrets-file sec.properties \
	    --output-file clear.properties -o json
	expect_change True
	run file rotate --local-secrets-file sec.properties --passphrase @pass -o json
	expect_change True
	on server.properties remove --config a.b -o json
	expect_change True
	seal
	printf '#!/bin/sh\nsed -i s/CANARY-key$/CANARY-other/ "$1"\n' >editor.sh
	chmod +x editor.sh
	EDITOR=$PWD/editor.sh run edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes -o json
	expect_change True
	[ "$(changed_keys sec.properties)" = server.properties/ssl.key.password ] || fail "other entries"
}

case_a_new_key_is_a_part_of_the_result() {
	run master-key generate --local-secrets-file new.properties --passphrase @pass -o json
	expect_change True
	expect_json "$out" 'd["files"][0]["new"]' True
	expect_json "$out" 'len(d["master_key"])' 44
	sed -n 's/^  "master_key": "\(.*\)",$/\1/p' "$out" >new.key
	run file rotate --local-secrets-file new.properties --master-key --passphrase @pass \
	    --passphrase-new 'another one' --master-key-file new.key -o json
	expect_change True
	expect_json "$out" 'len(d["master_key"])' 44
}

case_every_form_has_its_schema() {
	local form
	seal
	for form in 'show file show server.properties' \
	    'verify file verify --local-secrets-file sec.properties' \
	    'diff file diff server.properties server.properties' \
	    'config config show' 'config-check config check' 'version version'; do
		# shellcheck disable=SC2086 # words
		run ${form#* } -o json
		expect_json "$out" 'list(d)[0], d["schema"]' "('schema', 'propseal.${form%% *}/1')"
	done
	run doctor . -o json
	expect_json "$out" 'list(d)[0], d["schema"]' "('schema', 'propseal.doctor/2')"
	grep -oE 'propseal\.[a-z-]+/[0-9]+' "$here/../../man/propseal.1" | sort -u >in_the_page
	for form in show verify diff config config-check version change plan; do
		expect_in in_the_page "propseal.$form/1"
	done
	expect_in in_the_page propseal.doctor/2
}

case_a_plan_says_that_it_is_one() {
	on server.properties encrypt --dry-run -o json
	expect_rc 0
	expect_json "$out" 'd["schema"]' propseal.plan/1
}

case_a_result_that_nobody_hears_is_an_error() {
	[ -c /dev/full ] || return 0
	"$PROPSEAL" file encrypt --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" -o json >/dev/full 2>"$err"
	rc=$?
	expect_rc 1
	expect_err 'the files are changed'
	expect_in server.properties '${securepass:'
}

run_cases "$@"
