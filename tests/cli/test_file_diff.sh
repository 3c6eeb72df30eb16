#!/usr/bin/env bash
# propseal file diff: two configuration files, entry by entry, masked.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

# before.properties in clear text, server.properties sealed.
sealed() {
	cp server.properties before.properties
	on server.properties encrypt --config \
	    ssl.keystore.password,ssl.key.password,zookeeper.password
	expect_rc 0
}

case_layout_is_no_difference() {
	printf '%s\n' '! other' 'log.dirs : C:\\data\\new' 'sasl.secret=CANARY-sasl' \
	    'zookeeper.password=CANARY-zookeeper' 'ssl.key.password=CANARY-key' \
	    'ssl.keystore.password=CANARY-keystore' 'listeners=SSL\://:9093' >b.properties
	run file diff server.properties b.properties
	expect_rc 0
	expect_no CANARY ---
	expect_out '6 entries are the same'
	[ ! -s "$err" ] || fail "said something"
}

case_differences_are_shown_masked() {
	sed -e 's/CANARY-key$/CANARY-other/' -e '/^listeners/d' -e 's/^log.dirs=.*/log.dirs=\/data/' \
	    server.properties >b.properties
	echo 'new.one=1' >>b.properties
	run file diff server.properties b.properties
	expect_rc 3
	expect_no CANARY
	expect_out '--- server.properties'
	expect_out '+++ b.properties'
	expect_out '@@ -line 5 +line 4: the secrets differ @@'
	expect_out '-ssl.key.password = ********'
	expect_out '+ssl.key.password = ********'
	expect_out '@@ -line 2 @@'
	expect_out '-listeners = SSL://:9093'
	expect_out '-log.dirs = C:\data\new'
	expect_out '+log.dirs = /data'
	expect_out '+new.one = 1'
	expect_out '3 entries are the same, 2 differ, 1 only in the first, 1 only in the second'
}

case_sealed_values_are_compared_with_the_key() {
	sealed
	run file diff before.properties server.properties --local-secrets-file sec.properties
	expect_rc 3
	expect_no CANARY
	expect_out ': equal, but for how it is written @@'
	expect_out '+ssl.key.password = ${securepass:'
	expect_out '-ssl.key.password = ********'
	expect_out '3 entries are the same, 3 equal in another form, 2 only in the second'
	grep -v config.providers server.properties >s.properties
	run file diff before.properties s.properties --local-secrets-file sec.properties
	expect_rc 0
	sed -i 's/CANARY-key$/CANARY-kex/' before.properties
	run file diff before.properties s.properties --local-secrets-file sec.properties
	expect_rc 3
	expect_no CANARY
	expect_out ': the secrets differ @@'
}

case_without_a_key_they_are_not_compared() {
	sealed
	unset CONFLUENT_SECURITY_MASTER_KEY
	run file diff before.properties server.properties
	expect_rc 3
	expect_out ': not compared, as a reference was not resolved @@'
	expect_no CANARY
	run file diff before.properties server.properties --local-secrets-file sec.properties
	expect_rc 3
	expect_err 'there is no master key'
	expect_out '3 not compared'
	# The same reference needs none.
	run file diff server.properties server.properties --local-secrets-file sec.properties
	expect_rc 0
	[ ! -s "$err" ] || fail "said something"
}

# The same reference in two environments is two values, whatever it reads like.
case_each_file_is_resolved_in_its_own_environment() {
	local e other
	for e in prod stage; do
		mkdir "$e"
		cp sec.properties "$e/secrets.properties"
		printf 'ssl.key.password=CANARY-%s\nssl.keystore.password=CANARY-both\n' "$e" \
		    >"$e/server.properties"
		run file encrypt --config-file "$e/server.properties" --remote-secrets-file \
		    "$remote" --local-secrets-file "$e/secrets.properties"
		[ "$rc" -eq 0 ] || fail "cannot seal $e"
	done
	cmp prod/server.properties stage/server.properties || fail "they are not written alike"
	for other in prod/server.properties:stage/server.properties prod:stage; do
		run file diff "${other%:*}" "${other#*:}"
		expect_rc 3
		expect_out '-ssl.key.password'
		expect_out ': the secrets differ @@'
		expect_out '1 equal in another form, 1 differs'
		expect_no CANARY
		run file diff "${other%:*}" "${other#*:}" --master-key-file /dev/null
		expect_rc 4
	done
	unset CONFLUENT_SECURITY_MASTER_KEY
	run file diff prod stage
	expect_rc 3
	expect_out '2 not compared'
	expect_err 'there is no master key'
	run file diff prod/server.properties prod/server.properties
	expect_rc 0
}

case_a_wrong_key_is_an_error() {
	sealed
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	run file diff before.properties server.properties --local-secrets-file sec.properties \
	    --master-key-file wrong.key
	expect_rc 4
	expect_no CANARY
	run file diff before.properties server.properties --local-secrets-file sec.properties \
	    --master-key-file nowhere
	expect_rc 1
}

case_json_for_machines() {
	sealed
	sed -i 's/^sasl.secret=.*/sasl.secret=CANARY-2/' before.properties
	run file diff before.properties server.properties --local-secrets-file sec.properties -o json
	expect_rc 3
	expect_no CANARY
	expect_json "$out" 'd["equal"]' False
	expect_json "$out" 'len(d["files"])' 1
	expect_json "$out" 'd["files"][0]["a"], d["files"][0]["b"]' \
	    "('before.properties', 'server.properties')"
	expect_json "$out" '{e["key"]: e["result"] for e in d["files"][0]["entries"]}["sasl.secret"]' \
	    different
	expect_json "$out" '[(e["a"]["state"], e["b"]["state"], e["result"], e["secret"])
	    for e in d["files"][0]["entries"] if e["key"] == "ssl.key.password"]' \
	    "[('plain', 'sealed', 'equal', True)]"
	expect_json "$out" '[e["a"] for e in d["files"][0]["entries"] if e["result"] == "only-b"]' \
	    '[None, None]'
	run file diff server.properties server.properties -o json
	expect_rc 0
	expect_json "$out" 'd["equal"], d["files"][0]["entries"]' '(True, [])'
}

case_folders_are_compared_file_by_file() {
	mkdir -p a/sub b/sub
	cp server.properties a/same.properties
	cp server.properties b/same.properties
	cp server.properties a/sub/x.properties
	sed 's/^log.dirs=.*/log.dirs=\/y/' server.properties >b/sub/x.properties
	cp server.properties a/only.properties
	cp server.properties b/zonly.properties
	cp sec.properties a/sec.properties
	run file diff a b/
	expect_rc 3
	expect_no CANARY
	expect_out '--- a/only.properties'
	expect_out '+++ (no such file)'
	expect_out '+++ b/zonly.properties'
	expect_out '--- a/sub/x.properties'
	expect_out '2 pairs of files compared, 2 files on one side only'
	expect_no same.properties sec.properties
	run file diff a b -o json
	expect_rc 3
	expect_json "$out" '[(f["a"], f["b"], len(f["entries"])) for f in d["files"]][:2]' \
	    "[('a/only.properties', None, 0), ('a/same.properties', 'b/same.properties', 0)]"
	run file diff a a
	expect_rc 0
}

case_what_cannot_be_compared_is_an_error() {
	run file diff server.properties
	expect_rc 2
	run file diff server.properties nowhere.properties
	expect_rc 1
	expect_err 'nowhere.properties: no such file or folder'
	mkdir a
	run file diff server.properties a
	expect_rc 2
	run file diff server.properties sec.properties
	expect_rc 1
	expect_err 'this is a secrets file'
	printf 'x.password=CANARY\\u12\n' >bad.properties
	run file diff server.properties bad.properties
	expect_rc 1
	expect_err 'bad.properties:1: '
	expect_no CANARY
	cp bad.properties a/
	run file diff a a
	expect_rc 1
	expect_no CANARY
}

case_dangling_and_damaged_are_not_compared() {
	sealed
	sed -i '/ssl.key.password/d' sec.properties
	run file diff before.properties server.properties --local-secrets-file sec.properties
	expect_rc 3
	expect_no CANARY
	expect_out '1 not compared'
	run file diff before.properties server.properties --local-secrets-file sec.properties -o json
	expect_json "$out" '[e["b"]["state"] for e in d["files"][0]["entries"]
	    if e["result"] == "unknown"]' "['dangling']"
}

case_values_with_a_secret_inside_are_masked() {
	echo 'my.url=https://u:CANARY@h' >a.properties
	run file add --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --config x.y=CANARY
	echo 'my.url=https://u:${securepass:/r:server.properties/x.y}@h' >b.properties
	run file diff a.properties b.properties --local-secrets-file sec.properties
	expect_rc 0
	expect_no CANARY https
	expect_out 'my.url = ********'
}

run_cases "$@"
