#!/usr/bin/env bash
# encrypt, decrypt, add, update and remove on several --config-file in one call.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

# files NAME...  Configurations with a secret of their own.
files() {
	local name
	for name; do
		mkdir -p "$(dirname "$name")"
		printf '# %s\nuser=me\na.password=CANARY-%s\n' "$name" "${name//\//-}" >"$name"
	done
}

# several COMMAND FILE... [-- ARGUMENT...]  One call for all of them.
several() {
	local command=$1 first=$2 list=()
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		list+=(--config-file "$1")
		shift
	done
	on "$first" "$command" "${list[@]}" "${@:2}"
}

# opened FILE  What its values are, opened.
opened() {
	"$PROPSEAL" file show "$1" --local-secrets-file sec.properties \
	    --master-key-file master.key --reveal -o json |
	    python3 -c 'import json, sys
for e in json.load(sys.stdin)["entries"]:
    print(e["state"], e["key"], e["value"])'
}

expect_sealed() {
	local name
	for name; do
		expect_not_in "$name" CANARY
		opened "$name" >shown
		expect_in shown "sealed a.password CANARY-${name//\//-}"
		rm shown
	done
}

case_encrypt_seals_each_in_one_call() {
	files a.properties d/b.properties
	printf '{"c.password": "CANARY-c.json", "user": "me"}\n' >c.json
	several encrypt a.properties d/b.properties c.json
	expect_rc 0
	expect_sealed a.properties d/b.properties
	expect_in c.json "$remote:c.json/c.password"
	expect_file "$err" 'propseal: changed: sec.properties (3 entries), a.properties (3 entries), d/b.properties (3 entries), c.json (3 entries)'
	snapshot
	several encrypt a.properties d/b.properties c.json
	expect_rc 0
	expect_file "$err" 'propseal: note: nothing to change'
	expect_unchanged
}

case_decrypt_opens_all_of_them() {
	files a.properties d/b.properties plain.properties
	several encrypt a.properties d/b.properties
	expect_rc 0
	several decrypt a.properties d/b.properties -- --output-file -
	expect_rc 0
	expect_file "$out" '# a.properties
a.password = CANARY-a.properties
# d/b.properties
a.password = CANARY-d-b.properties'
	several decrypt a.properties d/b.properties -- --output-file one --output-file d/two
	expect_rc 0
	expect_file one 'a.password = CANARY-a.properties'
	expect_file d/two 'a.password = CANARY-d-b.properties'
	expect_mode one 600
	expect_mode d/two 600
	rm one d/two
	several decrypt a.properties d/b.properties -- --output-file one
	expect_rc 0
	[ "$(grep -c CANARY one)" = 2 ] || fail "not all of them"
	snapshot
	several decrypt a.properties d/b.properties -- --output-file one --output-file two --dry-run
	expect_rc 0
	expect_out '+++ two'
	expect_no CANARY
	expect_unchanged
	several decrypt a.properties plain.properties -- --output-file - --config user
	expect_rc 0
	expect_out 'user = me'
	several decrypt plain.properties a.properties -- --output-file -
	expect_rc 0
	expect_err 'note: plain.properties: nothing to open'
}

# Nothing is written unless all open, and no output takes another's place.
case_decrypt_is_all_or_nothing() {
	files a.properties d/b.properties
	several encrypt a.properties d/b.properties
	expect_rc 0
	cp a.properties whole
	sed -i 's/a\.properties\/a\.password/&gone/' a.properties
	snapshot
	several decrypt d/b.properties a.properties -- --output-file one --output-file two
	expect_rc 1
	expect_err a.properties:3
	expect_no CANARY
	several decrypt d/b.properties gone.properties -- --output-file -
	expect_rc 1
	expect_err gone.properties
	expect_no CANARY
	expect_unchanged
	mv whole a.properties
	snapshot
	several decrypt a.properties d/b.properties a.properties -- --output-file 1 --output-file 2
	expect_rc 2
	expect_err '2 --output-file for 3 --config-file'
	expect_err 'hint: give one for each, in the same order, or one for all'
	several decrypt a.properties d/b.properties -- --output-file one --output-file -
	expect_rc 2
	expect_err 'stands beside others'
	several decrypt a.properties d/b.properties -- --output-file one --output-file one
	expect_rc 2
	expect_err 'two --output-file are one'
	several decrypt a.properties d/b.properties -- --output-file one --output-file d/../one
	expect_rc 2
	several decrypt a.properties d/b.properties -- --output-file d/b.properties \
	    --output-file two
	expect_rc 1
	several decrypt a.properties d/b.properties -- --output-file one --base-name x
	expect_rc 2
	expect_no CANARY
	expect_unchanged
}

case_a_file_with_nothing_to_seal_is_told() {
	files a.properties
	printf 'user=me\n' >plain.properties
	printf 'client.secret=CANARY\n' >other.properties
	rm sec.properties
	several encrypt other.properties plain.properties
	expect_rc 0
	expect_err 'note: plain.properties: nothing to seal: no key contains "password"'
	expect_err 'note: other.properties:1: client.secret stays in clear text, and may be a secret'
	expect_err 'note: nothing to change'
	[ ! -e sec.properties ] || fail "a secrets file with nothing in it"
	several encrypt other.properties a.properties
	expect_rc 0
	expect_err 'note: other.properties:1: client.secret stays in clear text, and may be a secret'
	expect_sealed a.properties
}

case_named_keys_of_each() {
	files a.properties b.properties
	several encrypt a.properties b.properties -- --config user
	expect_rc 0
	expect_not_in a.properties user=me
	expect_not_in b.properties user=me
	expect_in b.properties CANARY
}

case_one_preview_of_all() {
	files a.properties b.properties
	snapshot
	several encrypt a.properties b.properties -- --dry-run
	expect_rc 0
	expect_out '+++ a.properties'
	expect_out '+++ b.properties'
	[ "$(grep -c '^+++ .*sec.properties' "$out")" -eq 1 ] || fail "not one change of the secrets file"
	expect_no CANARY
	expect_unchanged
}

case_json_has_all_files() {
	files a.properties b.properties
	several encrypt a.properties b.properties -- --dry-run -o json
	expect_rc 0
	expect_json "$out" '[f["path"] for f in d["files"]]' \
	    "['sec.properties', 'a.properties', 'b.properties']"
	several encrypt a.properties b.properties -- -o json
	expect_rc 0
	expect_json "$out" '[f["file"] for f in d["files"]]' \
	    "['sec.properties', 'a.properties', 'b.properties']"
	expect_json "$out" 'd["changed"]' True
}

case_one_that_fails_is_named_and_the_others_are_done() {
	files a.properties b.properties c.properties
	# Its first key could be sealed: nothing of it may be.
	printf 'a.password=CANARY-a\n' >part.properties
	cp part.properties part.kept
	sed -i 's/user/other/' a.properties c.properties
	several encrypt a.properties part.properties gone.properties b.properties c.properties \
	    -- --config a.password,other
	expect_rc 1
	expect_err 'propseal: part.properties: "other": '
	expect_err 'propseal: b.properties: "other": '
	expect_err 'propseal: gone.properties: '
	expect_err 'propseal: changed: sec.properties (4 entries), a.properties (4 entries), c.properties (4 entries)'
	cmp -s part.properties part.kept || fail "a file that failed was changed"
	expect_not_in sec.properties part.properties
	expect_not_in sec.properties b.properties
	expect_in b.properties CANARY
	expect_sealed a.properties c.properties
}

case_with_all_failed_nothing_is_written() {
	files a.properties b.properties
	rm sec.properties
	snapshot
	several encrypt a.properties b.properties -- --config nope
	expect_rc 1
	expect_err 'propseal: a.properties: "nope": '
	expect_err 'propseal: b.properties: "nope": '
	expect_unchanged
	several encrypt x.properties y.properties
	expect_rc 1
	expect_err 'propseal: x.properties: '
	expect_err 'propseal: y.properties: '
	expect_unchanged
}

case_the_secrets_file_among_them_is_told() {
	seal
	files a.properties b.properties
	several encrypt a.properties sec.properties b.properties
	expect_rc 1
	expect_err 'propseal: sec.properties: the configuration file and the secrets file are the same file'
	expect_sealed a.properties b.properties
}

case_base_names_that_collide_are_refused() {
	local command
	files d/a.properties b.properties e/a.properties
	snapshot
	for command in encrypt 'add --config x=1' 'update --config a.password=1' \
	    'remove --config a.password'; do
		# shellcheck disable=SC2086
		on d/a.properties $command --config-file b.properties --config-file e/a.properties
		expect_rc 1
		expect_err 'propseal: e/a.properties: d/a.properties has the same base name'
		expect_unchanged
	done
	several encrypt b.properties d/a.properties -- --base-name x.properties
	expect_rc 2
	expect_err '--base-name is for one --config-file'
	expect_unchanged
}

case_the_same_file_twice_is_changed_once() {
	files a.properties b.properties
	ln -s a.properties other.properties
	several encrypt a.properties b.properties ./a.properties other.properties
	expect_rc 0
	expect_err 'note: ./a.properties is the same file as a.properties, and is changed once'
	expect_err 'note: other.properties is the same file as a.properties'
	expect_sealed a.properties b.properties
	expect_not_in sec.properties other.properties
}

case_add_and_update_give_each_the_values() {
	files a.properties b.properties
	printf '{"user": "me"}\n' >c.json
	feed 'x.secret=CANARY new
' file add --config-file a.properties --config-file b.properties --config-file c.json \
	    --config - --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	for name in a.properties b.properties c.json; do
		opened "$name" >shown
		expect_in shown 'sealed x.secret CANARY new'
	done
	several update a.properties c.json b.properties -- --config 'x.secret=CANARY two\nuser=CANARY-u'
	expect_rc 0
	expect_file "$out" 'Updated the encrypted secrets.'
	[ "$(grep -c 'can be seen by other users' "$err")" -le 1 ] || fail "warned for each file"
	for name in a.properties b.properties c.json; do
		opened "$name" >shown
		expect_in shown 'sealed x.secret CANARY two'
		expect_in shown 'sealed user CANARY-u'
	done
	printf 'user=me\n' >b.properties
	several update a.properties b.properties -- --config 'x.secret=CANARY three'
	expect_rc 1
	[ ! -s "$out" ] || fail "said that all is updated"
	expect_err 'propseal: b.properties: "x.secret": '
	opened a.properties >shown
	expect_in shown 'sealed x.secret CANARY three'
}

case_remove_takes_the_keys_of_each() {
	files a.properties b.properties c.properties
	several encrypt a.properties b.properties
	several remove a.properties c.properties b.properties -- --config a.password
	expect_rc 1
	expect_err 'propseal: c.properties:3: "a.password": '
	expect_no Deleted CANARY
	expect_not_in a.properties a.password
	expect_not_in b.properties a.password
	expect_in c.properties a.password
	expect_not_in sec.properties /a.password
}

case_one_that_cannot_be_written_is_named() {
	files a.properties b.properties c.properties
	ln b.properties hard
	several encrypt a.properties b.properties c.properties
	expect_rc 1
	expect_err 'propseal: b.properties: '
	expect_in b.properties CANARY
	expect_sealed a.properties c.properties
}

case_two_hundred_files_are_as_two_hundred_calls() {
	local i list=()
	for ((i = 0; i < 200; i++)); do
		files "one/f$i.properties"
		list+=(--config-file "two/f$i.properties")
	done
	cp -r one two
	cp sec.properties alone.properties
	for ((i = 0; i < 200; i++)); do
		"$PROPSEAL" file encrypt --config-file "one/f$i.properties" --local-secrets-file \
		    alone.properties --remote-secrets-file "$remote" 2>"$err" || fail "call $i"
	done
	run file encrypt "${list[@]}" --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	diff -r one two >differences || fail "$(head differences)"
	expect_not_in two/f199.properties CANARY
	# The names are the same, and each opens.
	for name in alone sec; do
		sed -n 's/^\(f[0-9]*[^ =]*\).*/\1/p' $name.properties >$name.names
	done
	[ "$(wc -l <sec.names)" -eq 200 ] || fail "$(wc -l <sec.names) names"
	cmp -s alone.names sec.names || fail "other names"
	run file verify two --local-secrets-file sec.properties
	expect_rc 0
}

run_cases
