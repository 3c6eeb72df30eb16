#!/usr/bin/env bash
# `key sheet`: a page to print, and the proof that the key opens everything.
# shellcheck disable=SC1091,SC2154,SC2034
. "$(dirname "$0")/lib.sh"

case_the_key_at_hand_opens_all() {
	seal
	run key sheet --local-secrets-file sec.properties
	expect_rc 0
	expect_out 'RECOVERY SHEET'
	expect_out 'opens 3 of 3, by the master key'
	expect_out "$(sed -n 's/^_metadata.master_key.0.salt *= *//p' sec.properties | tr -d '\\')"
	expect_out '220000 iterations'
	expect_out "$remote"
	[ "$(tail -n 1 "$out")" = 'opens 3 of 3' ] || fail 'no sum'
	expect_no CANARY "$(cat master.key)"
}

case_the_passphrase_opens_all_without_a_key() {
	seal
	unset CONFLUENT_SECURITY_MASTER_KEY
	run key sheet --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	expect_out 'opens 3 of 3, by the passphrase'
	feed "$passphrase" key sheet --local-secrets-file sec.properties --passphrase - -o json
	expect_rc 0
	expect_json "$out" '[d["sealed"], d["opened"], d["files"][0]["by"]]' "[3, 3, 'passphrase']"
	expect_no CANARY
}

case_the_fingerprint_is_that_of_the_key() {
	seal
	run key sheet --local-secrets-file sec.properties -o json
	python3 -c 'import base64, hashlib, hmac, json, sys
key = base64.b64decode(open("master.key").read())
print(hmac.new(key, b"propseal key id", hashlib.sha256).hexdigest()[:8])' >../number
	expect_json "$out" 'd["files"][0]["fingerprint"]' "$(cat ../number)"
}

case_another_key_or_passphrase_is_4() {
	seal
	printf 'CANARY another\n' >other
	run key sheet --local-secrets-file sec.properties --passphrase @other
	expect_rc 4
	expect_out 'opens 0 of 3'
	expect_err 'sec.properties'
	CONFLUENT_SECURITY_MASTER_KEY=$(head -c 32 /dev/zero | base64) run key sheet \
	    --local-secrets-file sec.properties
	[ "$rc" -eq 4 ] || fail "exit status $rc"
	expect_no CANARY
}

# Whoever has no key is told what would do.
case_without_a_key_the_ways_out_are_named() {
	seal
	unset CONFLUENT_SECURITY_MASTER_KEY
	run key sheet .
	expect_rc 4
	expect_err 'none of the keys at hand opens it'
	expect_err '--passphrase'
	expect_err 'propseal recover plan'
}

case_an_entry_that_does_not_open_is_4_and_named() {
	seal
	sed -i '/ssl.key.password *=/s/data:..../data:AAAA/' sec.properties
	run key sheet --local-secrets-file sec.properties
	expect_rc 4
	expect_out 'opens 2 of 3'
	expect_err 'ssl.key.password'
}

case_every_secrets_file_below_a_folder() {
	seal
	mkdir -p a b && cp sec.properties a && cp sec.properties b
	printf 'CANARY second\n' >second
	run master-key generate --local-secrets-file c.properties --passphrase @second
	run key sheet --passphrase @pass
	expect_rc 4
	expect_out 'opens 9 of 9'
	expect_err 'c.properties'
	rm c.properties
	run key sheet . --passphrase @pass -o json
	expect_rc 0
	expect_json "$out" '[f["opened"] for f in d["files"]]' '[3, 3, 3]'
	mkdir empty
	run key sheet empty --passphrase @pass
	expect_rc 1
	expect_err 'no secrets file is here'
}

case_a_path_that_is_not_there_is_named() {
	seal
	run key sheet . nowhere --passphrase @pass
	expect_rc 1
	expect_out 'opens 3 of 3'
	expect_err 'nowhere: no such file'
	run key sheet nowhere --passphrase @pass
	expect_rc 1
	expect_err 'nowhere: no such file'
}

case_reveal_prints_the_key_in_groups() {
	seal
	run key sheet --local-secrets-file sec.properties --reveal
	expect_rc 0
	expect_out "$(sed 's/..../& /g; s/ $//' master.key)"
	expect_no CANARY
}

run_cases "$@"
