#!/usr/bin/env bash
# A lost master key: what is lost, and new values sealed in its place.
# shellcheck disable=SC1091,SC2154,SC2034
. "$(dirname "$0")/lib.sh"

# Seal, and lose the key.  Another file has one of the values in clear text.
lose() {
	seal
	mkdir backup
	printf 'a=b\nssl.key.password=CANARY-key\n' >backup/old.properties
	unset CONFLUENT_SECURITY_MASTER_KEY
	printf 'CANARY a new one\n' >newpass
}

# The new key, from the table of the last output.
take_key() {
	CONFLUENT_SECURITY_MASTER_KEY=$(sed -n 's/^| Master Key | \(.*\) |$/\1/p' "$out")
	[ -n "$CONFLUENT_SECURITY_MASTER_KEY" ] || fail 'no key in the output'
	export CONFLUENT_SECURITY_MASTER_KEY
	printf '%s\n' "$CONFLUENT_SECURITY_MASTER_KEY" >master.key
}

fill() {
	sed -i -e 's/^\(.*ssl.key.password=\)$/\1CANARY-new-key/' \
	    -e 's/^\(.*keystore.password=\)$/\1CANARY-new-store\\\\x/' \
	    -e 's/^\(.*zookeeper.password=\)$/\1CANARY-new-zoo/' values
}

case_plan_says_what_is_lost_and_what_stands_in_clear() {
	lose
	snapshot
	run recover plan --local-secrets-file sec.properties
	expect_rc 0
	expect_out '3 sealed values cannot be opened any more'
	expect_out 'server.properties/ssl.key.password: used by server.properties:5; the key is in clear text in backup/old.properties:2'
	run recover plan . --local-secrets-file sec.properties -o json
	expect_rc 0
	expect_json "$out" 'd["opens"]' False
	expect_json "$out" 'sorted(l["name"] for l in d["lost"])' "['server.properties/ssl.key.password', \
'server.properties/ssl.keystore.password', 'server.properties/zookeeper.password']"
	expect_json "$out" '[(c["file"], c["line"]) for l in d["lost"] for c in l["clear"]]' \
	    "[('backup/old.properties', 2)]"
	expect_json "$out" '{l["used"] for l in d["lost"]}' '{True}'
	expect_no CANARY
	expect_unchanged
}

# Its references to lost entries are not known: it is named, and the rest is done.
case_a_file_that_cannot_be_read_is_named() {
	lose
	printf '{"a": ' >broken.json
	run recover plan . nowhere --local-secrets-file sec.properties --output-file values
	expect_rc 1
	expect_out '3 sealed values cannot be opened any more'
	expect_err 'nowhere: no such file'
	expect_err 'broken.json'
	fill
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass
	expect_rc 1
	expect_err 'broken.json'
	take_key
	run file verify . --local-secrets-file sec.properties
	expect_out '3 sealed entries open'
}

case_with_the_key_nothing_is_lost() {
	seal
	snapshot
	run recover plan --local-secrets-file sec.properties
	expect_rc 0
	expect_out 'every value opens: nothing to recover'
	printf 'server.properties/ssl.key.password=x\n' >values
	snapshot
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @pass
	expect_rc 1
	expect_err 'nothing to recover'
	expect_unchanged
}

case_the_template_filled_in_is_sealed_under_a_new_key() {
	lose
	cp sec.properties ../before
	cp server.properties ../configuration
	run recover plan --local-secrets-file sec.properties --output-file values
	expect_rc 0
	expect_mode values 600
	expect_in values 'server.properties/ssl.key.password='
	fill
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass
	expect_rc 0
	expect_err 'Save the master key'
	expect_no CANARY
	take_key
	expect_opens ssl.key.password CANARY-new-key
	expect_opens ssl.keystore.password 'CANARY-new-store\\x'
	expect_opens zookeeper.password CANARY-new-zoo
	cmp -s server.properties ../configuration || fail 'the configuration changed'
	cmp -s sec.properties.lost-* ../before || fail 'the old file was not kept as it was'
	expect_mode "$(echo sec.properties.lost-*)" 600
	run file verify . --local-secrets-file sec.properties
	expect_rc 0
	run key sheet --local-secrets-file sec.properties --passphrase @newpass
	expect_rc 0
	expect_out 'opens 3 of 3'
	run recover plan --local-secrets-file sec.properties
	expect_out 'nothing to recover'
	run log show --file sec.properties -o json
	expect_json "$out" 'd["changes"][-1]["command"]' 'recover apply'
}

case_values_that_are_not_given_stop_it() {
	lose
	run recover plan --local-secrets-file sec.properties --output-file values
	snapshot
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass
	expect_rc 1
	expect_err 'no new value is given'
	expect_err '3 of those that are in use'
	expect_unchanged
	printf 'server.properties/ssl.key.password=CANARY-1\nserver.properties/typo=CANARY-2\n' >values
	snapshot
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass
	expect_rc 1
	expect_err 'no such sealed entry'
	expect_no CANARY
	expect_unchanged
}

case_some_of_them_with_partial() {
	lose
	printf 'server.properties/ssl.key.password=CANARY-1\n' >values
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass --partial
	expect_rc 0
	expect_err 'has no new value, and goes'
	take_key
	expect_opens ssl.key.password CANARY-1
	run file verify . --local-secrets-file sec.properties
	expect_rc 3
	grep -q '_propseal.tag/server.properties/zookeeper' sec.properties && fail 'a tag stayed'
	# The others come later.
	on server.properties update --config zookeeper.password=CANARY-2
	expect_rc 0
	expect_opens zookeeper.password CANARY-2
}

# Two at once: what the first has sealed is not taken for lost by the second, which had looked before.
case_what_another_has_recovered_stays() {
	local first calm=0
	lose
	printf 'server.properties/ssl.key.password=CANARY-1\n' >values
	mkfifo ../later
	"$PROPSEAL" recover apply --local-secrets-file sec.properties --config @values --passphrase - \
	    --partial <../later >../second 2>&1 &
	first=$!
	exec 9>../later
	# Once it has looked it sleeps until it gets its passphrase.
	while [ "$calm" -lt 5 ]; do
		sleep 0.1
		[[ $(sed 's/.*) //' "/proc/$first/stat") == S* ]] && calm=$((calm + 1)) || calm=0
	done
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass --partial
	expect_rc 0
	take_key
	cat newpass >&9
	exec 9>&-
	wait "$first"
	rc=$?
	expect_rc 1
	grep -q 'it was changed while this began' ../second || fail "$(cat ../second)"
	expect_opens ssl.key.password CANARY-1
}

# A second loss within the second: what is kept has another name then.
case_what_is_kept_finds_a_free_name() {
	lose
	cp sec.properties ../before
	printf 'server.properties/ssl.key.password=CANARY-1\n' >values
	/usr/bin/python3 -c 'import datetime as d
now = d.datetime.now(d.timezone.utc)
for s in range(-5, 120):
	open((now + d.timedelta(seconds=s)).strftime("sec.properties.lost-%Y%m%dT%H%M%SZ"), "x").close()'
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass --partial
	expect_rc 0
	expect_err 'changed: sec.properties (7 entries), new sec.properties.lost-'
	take_key
	expect_opens ssl.key.password CANARY-1
	cmp -s sec.properties.lost-*-2 ../before || fail 'the old file was not kept as it was'
}

# Who may write in the folder must not have the copy made elsewhere.
case_the_copy_follows_no_link() {
	lose
	cp sec.properties ../before
	printf 'server.properties/ssl.key.password=CANARY-1\n' >values
	python3 -c '
import datetime as d, os
now = d.datetime.now(d.timezone.utc)
for s in range(120):
    os.symlink("../elsewhere", (now + d.timedelta(seconds=s)).strftime("sec.properties.lost-%Y%m%dT%H%M%SZ"))'
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass \
	    --partial
	expect_rc 0
	[ ! -e ../elsewhere ] || fail 'the copy was made where a link leads'
	cmp -s sec.properties.lost-*-2 ../before || fail 'the old file was not kept as it was'
}

case_what_is_not_recovered_leaves_no_copy() {
	lose
	printf 'server.properties/ssl.key.password=CANARY-1\n' >values
	snapshot
	exec 8>>sec.properties
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass \
	    --partial --lock-timeout 0
	exec 8>&-
	expect_rc 5
	expect_err 'sec.properties: '
	expect_unchanged
}

case_dry_run_changes_nothing() {
	lose
	run recover plan --local-secrets-file sec.properties --output-file values
	fill
	snapshot
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass --dry-run
	expect_rc 0
	expect_no CANARY
	expect_unchanged
}

case_orphans_need_no_value() {
	seal
	sed -i '/zookeeper/d' server.properties
	sed -i '/-zookeeper/d' server.properties
	unset CONFLUENT_SECURITY_MASTER_KEY
	printf 'CANARY a new one\n' >newpass
	run recover plan --local-secrets-file sec.properties --output-file values
	expect_rc 0
	expect_in values '#server.properties/zookeeper.password='
	expect_out 'zookeeper.password: nothing refers to it'
	fill
	sed -i 's/^#server/server/' values
	sed -i '/zookeeper.password=/d' values
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass
	expect_rc 0
	take_key
	run file verify . --local-secrets-file sec.properties
	expect_rc 0
}

case_generate_on_the_old_file_names_recover() {
	lose
	snapshot
	run master-key generate --local-secrets-file sec.properties --passphrase @newpass
	expect_rc 1
	expect_err 'propseal recover plan'
	expect_unchanged
}

# What the reference's documentation says to do: a new key in a new file, the
# variable, and the values added again.
case_the_three_steps_of_the_documentation_with_a_new_file() {
	lose
	run master-key generate --local-secrets-file new.properties --passphrase @newpass
	expect_rc 0
	take_key
	printf '%s\n' 'ssl.key.password=CANARY-1' 'ssl.keystore.password=CANARY-2' \
	    'zookeeper.password=CANARY-3' >values
	run file update --config-file server.properties --local-secrets-file new.properties \
	    --remote-secrets-file /mnt/new.properties --config @values
	expect_rc 0
	run file verify server.properties --local-secrets-file new.properties
	expect_rc 0
	run file decrypt --config-file server.properties --local-secrets-file new.properties \
	    --output-file plain.properties
	expect_rc 0
	expect_in plain.properties CANARY-1
	expect_in plain.properties CANARY-3
	expect_in server.properties '${securepass:/mnt/new.properties:server.properties/ssl.key.password}'
}

run_cases "$@"
