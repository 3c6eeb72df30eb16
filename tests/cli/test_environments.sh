#!/usr/bin/env bash
# Five environments in one folder, each with its own secrets file, key and
# remote path, and all with the same configuration and key names: every command
# gives and touches the folder's own, and never another's.  And `seal`, which
# works on all of them.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

unset VISUAL XDG_RUNTIME_DIR
all='c1 c2 c3 c4 c5'

# c1 to c5: server.properties with one sealed value, and its key in c?.key.
five() {
	local c
	rm -f ./*
	unset CONFLUENT_SECURITY_MASTER_KEY
	for c in $all; do
		mkdir "$c"
		printf 'CANARY pass %s\n' "$c" >"$c.pass"
		"$PROPSEAL" master-key generate --local-secrets-file "$c/secrets.properties" \
		    --passphrase "@$c.pass" -o yaml 2>"$err" | sed 's/^master_key: //' >"$c.key"
		printf 'ssl.key.password=CANARY-%s\nlisteners=x\n' "$c" >"$c/server.properties"
		run file encrypt --config-file "$c/server.properties" \
		    --local-secrets-file "$c/secrets.properties" \
		    --remote-secrets-file "/srv/$c/kafka-secrets.properties" \
		    --master-key-file "$c.key"
		[ "$rc" -eq 0 ] || fail "cannot seal $c"
	done
}

# All five keys at once, in variables that the user allows.
keys() {
	local c
	for c in $all; do
		export "KEY_$c=$(cat "$c.key")"
	done
	variables=KEY_c1,KEY_c2,KEY_c3,KEY_c4,KEY_c5
}

# Nothing outside of folder $1 has changed since `snapshot`.
expect_only() {
	local changed
	changed=$(diff -rq --no-dereference "$kept" . | sed 's|^Only in \./\{0,1\}||' |
	    grep -v "/$1/" || true)
	[ -z "$changed" ] || fail "changed outside of $1: $changed"
}

case_show_and_render_give_the_own_value() {
	local c other
	five
	for c in $all; do
		run file show "$c/server.properties" -o json
		expect_rc 0
		expect_json "$out" '[(e["state"], e["checked"]) for e in d["entries"]][0]' \
		    "('sealed', False)"
		run file show "$c/server.properties" --reveal --master-key-file "$c.key" -o json
		expect_rc 0
		expect_json "$out" '[list(e.values())[1:3] for e in d["entries"]][0]' \
		    "['CANARY-$c', 'sealed']"
		expect_json "$out" '[e["checked"] for e in d["entries"]][0]' True
		run render "$c/server.properties" --master-key-file "$c.key"
		expect_rc 0
		expect_out "ssl.key.password=CANARY-$c"
		run file decrypt --config-file "$c/server.properties" --local-secrets-file \
		    "$c/secrets.properties" --master-key-file "$c.key" --output-file out.properties
		expect_rc 0
		expect_in out.properties "CANARY-$c"
		rm out.properties
		# Another's key opens nothing.
		other=c1
		[ "$c" != c1 ] || other=c2
		run render "$c/server.properties" --master-key-file "$other.key"
		expect_rc 4
		expect_err "$c/secrets.properties"
		expect_no CANARY
	done
}

case_a_reference_of_another_environment_is_resolved_there() {
	five
	sed 's|/srv/c1/|/srv/c4/|' -i c1/server.properties
	run render c1/server.properties --master-key-file c1.key
	expect_rc 1
	expect_err 'no secrets file is known that lies at /srv/c4/kafka-secrets.properties'
	expect_no CANARY
	run file verify .
	expect_rc 0
	run file verify . -o json
	expect_json "$out" '[(f["kind"], f["file"]) for f in d["findings"]]' \
	    "[('orphan', 'c1/secrets.properties')]"
	# The reference's own commands go by the name, and say so.
	run file decrypt --config-file c1/server.properties --local-secrets-file \
	    c1/secrets.properties --master-key-file c1.key --output-file out.properties
	expect_rc 0
	expect_in out.properties CANARY-c1
	expect_err 'c1/server.properties:1: refers to /srv/c4/kafka-secrets.properties, which is not the path'
	rm out.properties
	run file decrypt --config-file c1/server.properties --local-secrets-file \
	    c1/secrets.properties --master-key-file c1.key --output-file /dev/stdout
	expect_rc 0
	expect_err 'c1/server.properties:1: refers to /srv/c4/kafka-secrets.properties, which is not the path'
	# Named, it is the one; it is not the one that the reference names.
	run file verify c1 --local-secrets-file c1/secrets.properties --master-key-file c1.key
	expect_rc 3
	expect_out 'it names /srv/c4/kafka-secrets.properties, which is not the path of'
}

# Neither is a reference of which one cannot tell the secrets file: its value would be lost.
case_what_an_unknown_reference_names_is_no_orphan() {
	five
	rm -r c2 c3 c4 c5
	cp -r c1 c2
	mkdir app
	mv c1/server.properties app/
	rm c2/server.properties
	run file verify . -o json
	expect_rc 3
	expect_json "$out" '[(f["kind"], f["file"]) for f in d["findings"]]' \
	    "[('perhaps-used', 'c1/secrets.properties'), ('perhaps-used', 'c2/secrets.properties'), ('unknown', 'app/server.properties')]"
	expect_json "$out" '(d["orphans"], d["perhaps_used"])' '(0, 2)'
	run file verify .
	expect_out 'not known to be unused: app/server.properties:1 may mean it'
	expect_out '0 orphans, 2 perhaps used, 1 unknown'
	run audit . -o json
	expect_no orphan-entry
	expect_out unknown-environment
	run recover plan . --local-secrets-file c1/secrets.properties
	expect_no 'nothing refers to it'
	# A file that is none of a tie, and an absolute path beside a candidate.
	rm -r c2
	mkdir "$suite/host"
	cp c1/secrets.properties "$suite/host/kafka-secrets.properties"
	sed "s|/srv/c1/|$suite/host/|" -i app/server.properties
	mv c1/secrets.properties c1/kafka-secrets.properties
	run file verify .
	expect_rc 3
	expect_out 'it names the file '
	expect_out '0 orphans, 1 perhaps used, 1 unknown'
	# What removes orphans leaves it, too.
	mv app c1/
	printf 'listeners=y\n' >c1/server.properties
	snapshot
	run file remove --config-file c1/server.properties --local-secrets-file \
	    c1/kafka-secrets.properties --config ssl.key.password --orphan
	expect_rc 1
	expect_err 'c1/app/server.properties:1: "ssl.key.password": the sealed entry is no orphan'
	expect_unchanged
}

# Of a file that is named itself the secrets files above it count, up to the current folder.
case_a_file_by_its_whole_path_from_the_root() {
	seal
	mkdir deep
	mv server.properties deep
	local here=$PWD
	cd /
	run render "$here/deep/server.properties"
	expect_rc 0
	expect_out CANARY
	cd "$here/deep" || fail "no folder"
	run render server.properties
	expect_rc 1
	cd .. || fail "no folder"
	run render deep/server.properties
	expect_rc 0
}

case_a_secrets_file_that_notes_another_path_is_told() {
	five
	sed 's|/srv/c2/kafka-|/srv/c2/|' -i c2/server.properties
	rm c2/secrets.properties
	run file verify c1 c2 --master-key-file c1.key
	expect_rc 0
	expect_out 'c2/server.properties:1: other-path: refers to /srv/c2/secrets.properties, which is not the path that c1/secrets.properties notes for itself'
	run file verify c1 --master-key-file c1.key
	expect_no other-path
}

# prod/kafka/server.properties, whose secrets file lies in prod/secrets, below the current folder,
# which has another one with the same remote path, key, entry and name, and another value.
beside() {
	local f
	rm -f server.properties
	mkdir -p prod/kafka prod/secrets
	cp sec.properties prod/secrets
	for f in prod/kafka/server.properties server.properties; do
		printf 'ssl.key.password=CANARY-%s\n' "${f%/*}" >"$f"
		run file encrypt --config-file "$f" --remote-secrets-file "$remote" \
		    --local-secrets-file "$(case $f in prod*) echo prod/secrets/ ;; esac)sec.properties"
		[ "$rc" -eq 0 ] || fail "cannot seal $f"
	done
}

# A nearer one that is not above the file is the file's all the same, as with the folder given.
case_a_file_that_is_named_gets_no_farther_secrets_file() {
	local f=prod/kafka/server.properties
	beside
	run render "$f"
	expect_rc 0
	expect_out CANARY-prod/kafka
	run file show "$f" --reveal
	expect_rc 0
	expect_out CANARY-prod/kafka
	run exec --config-file "$f" -- cat '{}'
	expect_rc 0
	expect_out CANARY-prod/kafka
	run file verify "$f"
	expect_rc 0
	expect_out '1 sealed entry opens; 1 reference in 1 file, 0 dangling, 0 orphans'
	# Two that are as near are named.
	mkdir prod/other
	cp prod/secrets/sec.properties prod/other
	run render "$f"
	expect_rc 1
	expect_err 'equally near'
	expect_no CANARY
}

# A secrets file above that the file does not refer to is nobody's matter here: its key need not
# be there, and its entries are no orphans.
case_what_a_named_file_does_not_refer_to_is_left_out() {
	local f=prod/kafka/server.properties
	beside
	sed -i 's/^_metadata.symmetric_key.*enc = .*/&x/' sec.properties
	run file verify "$f"
	expect_rc 0
	expect_out '1 sealed entry opens; 1 reference in 1 file, 0 dangling, 0 orphans'
	run doctor "$f"
	expect_no "$PWD/sec.properties"
	run rotation plan "$f" --data-key --session "$PWD/s"
	expect_rc 0
	expect_no "$PWD/sec.properties"
}

# What audit and git check find of a file that is named is what they find of its folder.
case_audit_of_a_file_knows_its_secrets_file() {
	seal
	sed -i '/^sasl.secret/d' server.properties
	mkdir deep
	mv server.properties deep
	run audit deep/server.properties
	expect_rc 0
	expect_no missing-secrets-file
	run git check deep/server.properties
	expect_rc 0
	sed -i 's|^server.properties/ssl.key|x&|' sec.properties
	run audit deep/server.properties
	expect_rc 3
	expect_out dangling-reference
	expect_no missing-secrets-file
}

case_exec_opens_each_by_itself() {
	local c args=()
	five
	keys
	for c in $all; do
		args+=(--config-file "$c/server.properties")
	done
	run exec "${args[@]}" --master-key-variable "$variables" -- cat '{1}' '{2}' '{3}' '{4}' '{5}'
	expect_rc 0
	expect_json <(grep -c CANARY "$out") d 5
	for c in $all; do
		expect_out "ssl.key.password=CANARY-$c"
	done
	cd c3 || exit 1
	A='${securepass:/srv/c3/kafka-secrets.properties:server.properties/ssl.key.password}' \
	    run exec --master-key-file ../c3.key -- sh -c 'echo "$A"'
	expect_rc 0
	expect_file "$out" CANARY-c3
	A='${securepass:/srv/c2/kafka-secrets.properties:server.properties/ssl.key.password}' \
	    run exec --master-key-file ../c3.key -- sh -c 'echo "$A"'
	expect_rc 125
	expect_no CANARY
}

case_edit_changes_its_own() {
	local c
	five
	printf '#!/bin/sh\nsed -i "s/CANARY-/CANARY-new-/" "$1"\n' >"$suite/editor"
	chmod +x "$suite/editor"
	for c in $all; do
		snapshot
		EDITOR=$suite/editor run edit "$c/server.properties" --yes \
		    --master-key-file "$c.key"
		expect_rc 0
		expect_only "$c"
		expect_in "$c/server.properties" "/srv/$c/kafka-secrets.properties:"
		run render "$c/server.properties" --master-key-file "$c.key"
		expect_out "ssl.key.password=CANARY-new-$c"
	done
}

case_verify_needs_no_key() {
	five
	run file verify .
	expect_rc 0
	expect_out 'nothing was opened, as there is no key; 5 references in 5 files, 0 dangling, 0 orphans'
	sed -i '/^server.properties/d' c2/secrets.properties
	printf 'x=${securepass:/elsewhere:server.properties/x}\n' >>c4/server.properties
	sed -i '/securepass:/d' c5/server.properties
	run file verify . -o json
	expect_rc 3
	expect_json "$out" '[(f["kind"], f["file"]) for f in d["findings"]]' \
	    "[('orphan', 'c5/secrets.properties'), ('dangling', 'c2/server.properties'), ('unknown', 'c4/server.properties')]"
	expect_json "$out" 'd["locked"], d["sealed"], d["exit"]' '(4, 0, 3)'
	# What is there of keys is used, and damage found with it.
	sed -i '/^server.properties/s/data:..../data:AAAA/' c1/secrets.properties c3/secrets.properties
	run file verify . --master-key-file c3.key -o json
	expect_rc 4
	expect_json "$out" 'd["locked"], d["sealed"], d["open"]' '(3, 1, 0)'
	expect_json "$out" '[f["file"] for f in d["findings"] if f["kind"] == "damaged"]' \
	    "['c3/secrets.properties', 'c3/server.properties']"
}

case_verify_with_a_key_that_opens_nothing() {
	five
	head -c 32 /dev/zero | base64 >wrong.key
	run file verify . --master-key-file wrong.key
	expect_rc 4
	expect_out 'key: --master-key-file opens none of the secrets files'
	expect_out 'nothing was opened, as no key that is there opens it'
	run file verify c2 --master-key-file c3.key -o json
	expect_rc 4
	expect_json "$out" '[f["kind"] for f in d["findings"]], d["locked"], d["exit"]' \
	    "(['key'], 1, 4)"
	CONFLUENT_SECURITY_MASTER_KEY=$(cat wrong.key) run file verify c2
	expect_rc 4
	expect_out 'CONFLUENT_SECURITY_MASTER_KEY opens none'
	# One that opens one of them is no finding, and the rest is told as it is.
	run file verify . --master-key-file c3.key
	expect_rc 0
	expect_out '4 secrets files were not opened, as no key that is there opens them'
}

case_doctor_looks_up_all() {
	five
	keys
	run doctor . --root "$suite" --master-key-variable "$variables" -o json
	expect_json "$out" '[f for f in d["findings"] + d["checks"] if f["level"] == "error"]' '[]'
	expect_json "$out" '[f["text"] for f in d["checks"] if f["check"] == "references"]' \
	    "['all 5 references resolve']"
	expect_json "$out" 'len([f for f in d["checks"] if f["check"] == "entries"])' 5
	sed -i '/^server.properties/d' c2/secrets.properties
	run doctor . --root "$suite" --master-key-variable "$variables" -o json
	expect_rc 3
	expect_json "$out" '[(f["rule"], f["file"]) for f in d["findings"] if f["level"] == "error"]' \
	    "[('dangling-reference', 'c2/server.properties')]"
}

# --- does anything resolve it at all? ---

case_a_provider_that_is_not_in_force_is_found() {
	local d
	seal
	cp server.properties well.properties
	for d in none overwritten noclass wrongclass later typo; do
		case $d in
		none) sed '/^config.providers/d' well.properties ;;
		overwritten) sed 's/^config.providers=.*/config.providers=file/' well.properties ;;
		noclass) sed '/securepass.class/d' well.properties ;;
		wrongclass) sed 's/^\(config.providers.securepass.class=\).*/\1org.example.Other/' well.properties ;;
		later) sed '$ a config.providers=file' well.properties ;;
		typo) sed 's/^config.providers.securepass.class/c&/' well.properties ;;
		esac >server.properties
		run file verify server.properties --local-secrets-file sec.properties -o json
		expect_rc 3
		expect_json "$out" '"ssl.key.password" in [f["key"] for f in d["findings"] if f["kind"] == "provider"]' \
		    True
		run doctor server.properties --root "$suite" --local-secrets-file sec.properties -o json
		expect_rc 3
		expect_json "$out" '[f["file"] for f in d["findings"] if f["rule"] == "provider-not-configured" and f["key"] == "ssl.key.password"]' \
		    "['server.properties']"
		expect_json "$out" '[f for f in d["checks"] if f["check"] == "provider"]' '[]'
	done
	run file verify well.properties --local-secrets-file sec.properties
	expect_rc 0
	# Others are no better.
	printf 'ssl.key.password=${vault:secret/x:pw}\n' >v.properties
	run file verify v.properties --local-secrets-file sec.properties
	expect_rc 3
	expect_out 'config.providers does not name its provider (vault)'
	printf 'config.providers = file , vault\nconfig.providers.vault.class=x.Vault\n' >>v.properties
	run file verify v.properties --local-secrets-file sec.properties
	expect_rc 0
}

case_a_connector_is_resolved_by_the_worker_beside_it() {
	mkdir c d
	printf '{"name":"a","config":{"connector.class":"x","connection.password":"CANARY"}}' >c/a.json
	cp c/a.json d
	on c/a.json encrypt
	on d/a.json encrypt --base-name d.json
	run file verify c --local-secrets-file sec.properties
	expect_rc 0
	printf 'group.id=g\nconfig.providers=file\n' >c/connect-distributed.properties
	printf 'group.id=g\nconfig.providers=securepass\nconfig.providers.securepass.class=%s\n' \
	    io.confluent.kafka.security.config.provider.SecurePassConfigProvider \
	    >d/connect-distributed.properties
	run file verify c d --local-secrets-file sec.properties -o json
	expect_rc 3
	expect_json "$out" '[(f["kind"], f["file"]) for f in d["findings"] if f["kind"] != "orphan"]' \
	    "[('provider', 'c/a.json')]"
	expect_out 'in c/connect-distributed.properties config.providers does not name its provider'
}

# --- sections of propseal.ini ---

case_a_section_says_whose_a_file_is() {
	five
	unset PROPSEAL_CONFIG
	export HOME=$suite XDG_CONFIG_HOME=$suite/none
	mkdir -p c1/deep vault
	cp c1/secrets.properties vault/vault.properties
	mv c1/server.properties c1/deep
	rm c1/secrets.properties
	run render c1/deep/server.properties --master-key-file c1.key
	expect_rc 1
	printf '%s\n' '[environment first]' 'secrets-file = vault/vault.properties' \
	    'remote-path = /srv/c1/kafka-secrets.properties' 'files = c1/*' >propseal.ini
	# The nearest one counts, wherever the command is started.
	cd / || exit 1
	run render "$suite/case_a_section_says_whose_a_file_is/in/c1/deep/server.properties" \
	    --master-key-file "$OLDPWD/c1.key"
	expect_rc 0
	expect_out CANARY-c1
	cd "$OLDPWD" || exit 1
	# Its name is the section's, wherever the secrets file lies.
	printf 'db.password=CANARY-new\n' >>c1/deep/server.properties
	run audit c1 -o json
	expect_json "$out" '{f["environment"] for f in d["findings"]}' "{'first'}"
	printf '[files]\n' >c1/propseal.ini
	run render c1/deep/server.properties --master-key-file c1.key
	expect_rc 1
	rm c1/propseal.ini
	# In a work tree it may name files below its own folder only.
	git init -q .
	sed -i 's|vault/vault.properties|../vault.properties|' propseal.ini
	run render c1/deep/server.properties --master-key-file c1.key
	expect_rc 1
	expect_err 'propseal.ini:2'
	run config check propseal.ini
	expect_rc 1
	expect_err 'may name files below its own folder only'
}

# Secrets files that only a section or a path leads to are read after the keys.
case_keys_open_what_is_found_late() {
	unset PROPSEAL_CONFIG
	export HOME=$suite XDG_CONFIG_HOME=$suite/none
	five
	keys
	mkdir sec app
	cp c1/secrets.properties sec/one.properties
	cp c2/secrets.properties sec/two.properties
	{ cat c1/server.properties; sed -n 's/^ssl/other.ssl/p' c2/server.properties; } \
	    >app/server.properties
	printf '[environment one]\nsecrets-file=sec/one.properties\nremote-path=%s\n' \
	    /srv/c1/kafka-secrets.properties >propseal.ini
	printf '[environment two]\nsecrets-file=sec/two.properties\nremote-path=%s\n' \
	    /srv/c2/kafka-secrets.properties >>propseal.ini
	run render app/server.properties --master-key-variable KEY_c1,KEY_c2
	expect_rc 0
	expect_out 'ssl.key.password=CANARY-c1'
	expect_out 'other.ssl.key.password=CANARY-c2'
	run file show app/server.properties --reveal --master-key-variable KEY_c1,KEY_c2
	expect_rc 0
	expect_out CANARY-c1
	expect_out CANARY-c2
	run file show app/server.properties --master-key-variable KEY_c1,KEY_c2 -o json
	expect_json "$out" '[e["checked"] for e in d["entries"] if e["state"] == "sealed"]' \
	    '[True, True]'
	feed "$KEY_c1" file show app/server.properties --master-key-file - --reveal
	expect_rc 4
	expect_err sec/two.properties
	CONFLUENT_SECURITY_MASTER_KEY=$KEY_c3 run file show c1/server.properties --reveal
	expect_rc 4
	expect_err 'sec/one.properties:7: the data key does not open'
}

case_sections_are_checked() {
	unset PROPSEAL_CONFIG
	printf '%s\n' '[environment a]' 'secrets-file = x' 'nonsense = 1' '[environment a]' \
	    'secrets-file = y' '[environment ]' '[environment b]' 'remote-path = /r' >propseal.ini
	run config check propseal.ini
	expect_rc 1
	expect_err 'propseal.ini:3: "nonsense": unknown setting'
	expect_err 'propseal.ini:4: the environment stands here twice: a'
	expect_err 'propseal.ini:6: the environment has no name'
	expect_err 'propseal.ini:7: the environment has no secrets-file: b'
}

# --- seal ---

# A secret in clear text beside each sealed one.
half_sealed() {
	local c
	five
	keys
	for c in $all; do
		printf 'sasl.jaas.config=org.x.PlainLoginModule required username="u" password="CANARY-jaas-%s";\n' \
		    "$c" >>"$c/server.properties"
	done
	printf 'db.password=CANARY-other\n' >c2/other.properties
}

case_seal_puts_each_into_its_own() {
	local c
	half_sealed
	snapshot
	run seal . --dry-run --master-key-variable "$variables"
	expect_rc 0
	expect_out '+++ c5/secrets.properties'
	expect_out '${securepass:/srv/c2/kafka-secrets.properties:other.properties/db.password}'
	expect_no CANARY
	expect_unchanged
	run seal . --master-key-variable "$variables"
	expect_rc 2
	expect_err 'give --yes'
	expect_unchanged
	run seal . --yes --master-key-variable "$variables" -o json
	expect_rc 0
	expect_json "$out" 'd["schema"], d["changed"], len(d["files"])' \
	    "('propseal.change/1', True, 11)"
	for c in $all; do
		expect_not_in "$c/server.properties" CANARY
		run render "$c/server.properties" --master-key-file "$c.key"
		expect_rc 0
		expect_out "password=\"CANARY-jaas-$c\""
		expect_out "ssl.key.password=CANARY-$c"
	done
	run render c2/other.properties --master-key-file c2.key
	expect_out 'db.password=CANARY-other'
	run git check .
	expect_rc 0
	run seal . --yes --master-key-variable "$variables"
	expect_rc 0
	expect_err 'nothing to change'
}

case_seal_takes_no_destination_that_nothing_names() {
	half_sealed
	mkdir lone
	printf 'a.password=CANARY-lone\n' >lone/a.properties
	snapshot
	run seal . --yes --master-key-variable "$variables"
	expect_rc 2
	expect_err 'lone/a.properties: where its secrets go cannot be told'
	expect_unchanged
	run seal lone --yes --local-secrets-file c1/secrets.properties \
	    --remote-secrets-file /srv/c1/kafka-secrets.properties --master-key-file c1.key
	expect_rc 0
	run render lone/a.properties --local-secrets-file c1/secrets.properties \
	    --master-key-file c1.key
	expect_rc 0
	expect_out 'a.password=CANARY-lone'
	# The nearest that no reference names is for a person to agree to.
	mkdir new
	cp c1/secrets.properties new/
	printf 'a.password=CANARY-new\n' >new/b.properties
	snapshot
	run seal new --yes --master-key-file c1.key
	expect_rc 2
	expect_err 'new/secrets.properties would be referred to as /srv/c1/kafka-secrets.properties'
	expect_unchanged
	on_terminal 'Apply? [y/N] ' 'n\n' -- seal new --yes --master-key-file c1.key
	expect_rc 0
	expect_unchanged
	on_terminal 'Apply? [y/N] ' 'y\n' -- seal new --yes --master-key-file c1.key
	expect_rc 0
	expect_out 'into new/secrets.properties, referred to as /srv/c1/kafka-secrets.properties'
	expect_not_in new/b.properties CANARY
}

# What propseal.ini names, as the flags would: both of the pair, or none.
case_seal_takes_what_propseal_ini_names() {
	unset PROPSEAL_CONFIG
	rm server.properties
	mkdir -p app secrets other
	mv sec.properties secrets/prod.properties
	printf 'a.password=CANARY\n' >app/a.properties
	printf '[files]\nsecrets-file = secrets/prod.properties\nremote-path = /srv/prod\n' \
	    >propseal.ini
	run seal app --yes
	expect_rc 0
	expect_in app/a.properties 'securepass:/srv/prod:a.properties/a.password'
	# A secrets file that is nearer is not passed over by it.
	printf 'CANARY other\n' >pass
	run master-key generate --local-secrets-file other/secrets.properties --passphrase @pass
	printf 'b.password=CANARY\n' >other/b.properties
	run seal . --yes
	expect_rc 2
	expect_in other/b.properties CANARY
	# And what references say counts more than the file.
	printf 'c.password=CANARY\nd=${securepass:/srv/elsewhere:c.properties/c.password}\n' \
	    >app/c.properties
	run seal app --yes
	expect_in app/c.properties CANARY
}

case_a_remote_path_is_that_of_its_own_secrets_file() {
	unset PROPSEAL_CONFIG
	cp sec.properties mine.properties
	printf '[files]\nsecrets-file = sec.properties\nremote-path = /srv/prod\n' >propseal.ini
	run file encrypt --config-file server.properties --local-secrets-file mine.properties
	expect_rc 2
	expect_err 'propseal.ini:3: remote-path is not used: it is that of sec.properties'
	expect_in server.properties CANARY
	run file encrypt --config-file server.properties --local-secrets-file "$PWD/./sec.properties"
	expect_rc 0
	expect_in server.properties 'securepass:/srv/prod:'
	printf '[files]\nremote-path = /srv/any\n' >propseal.ini
	echo 'x.password=CANARY' >x.properties
	run file encrypt --config-file x.properties --local-secrets-file mine.properties
	expect_rc 0
	expect_in x.properties 'securepass:/srv/any:'
}

case_seal_names_a_propseal_ini_that_must_not_be_used() {
	unset PROPSEAL_CONFIG
	mkdir deep
	printf 'a.password=CANARY\n' >deep/a.properties
	printf '[environment x]\nsecret-file = y\n' >deep/propseal.ini
	run seal deep --dry-run
	expect_rc 1
	expect_err 'the nearest propseal.ini must not be used: '
	expect_err 'deep/propseal.ini'
}

case_seal_tells_who_else_gets_a_value() {
	rm server.properties
	mkdir other
	echo 'a.password=CANARY-one' >s.properties
	on s.properties encrypt
	echo 'a.password=CANARY-two' >other/s.properties
	run seal . --yes --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 1
	expect_err 'the secrets file has this entry already'
	run seal . --yes --replace --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	expect_err 's.properties:1: refers to the same sealed entry, and gets the new value too'
}

# From a folder below, its own is no name that says anything later, in the trail, say.
case_an_environment_above_has_the_name_of_its_folder() {
	export XDG_STATE_HOME=$PWD/state
	mkdir deep deep/er
	mv server.properties deep/er/
	cd deep/er || exit 1
	run seal . --yes --local-secrets-file ../../sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	run log show -o json
	expect_json "$out" 'd["changes"][-1]["environment"]' "$(realpath ../..)"
}

case_seal_goes_on_where_a_file_cannot_be_read() {
	half_sealed
	echo '{"a":' >c1/broken.json
	run seal c1 c1/nowhere --yes --master-key-file c1.key
	expect_rc 1
	expect_err 'propseal: c1/broken.json:2: '
	expect_err 'propseal: c1/nowhere: no such file'
	expect_not_in c1/server.properties CANARY
	# Where nothing can be done for one reason, the status is that reason's.
	run seal c2 --yes --master-key-file c1.key
	expect_rc 4
	expect_err 'propseal: c2/secrets.properties:7: the data key does not open'
	expect_in c2/server.properties CANARY
}

case_seal_leaves_what_it_cannot_do_and_says_so() {
	half_sealed
	printf 'bad.password=CANARY\\ud800\ngood.password=CANARY-good\n' >c1/a.properties
	run seal . --yes --master-key-variable KEY_c1,KEY_c2
	expect_rc 1
	expect_err 'c1/a.properties:1: "bad.password"'
	expect_err 'c3/secrets.properties'
	expect_in c1/a.properties 'good.password=${securepass:/srv/c1/'
	expect_not_in c2/server.properties CANARY
	expect_in c3/server.properties CANARY-jaas-c3
}

# What git check finds besides is in files that no plan takes: each is named, and why.
case_seal_names_what_is_in_files_that_it_does_not_take() {
	local i at
	half_sealed
	printf 'bootstrap.servers=h:9092\nsasl.password=CANARY-client\n' >c1/client.conf
	printf 'KAFKA_SASL_PASSWORD=CANARY-env\n' >c1/.env
	printf 'KafkaServer {\n  org.apache.kafka.common.security.plain.PlainLoginModule required\n' \
	    >c1/jaas.conf
	printf '  username="u"\n  password="CANARY-jaas";\n};\n' >>c1/jaas.conf
	printf 'services:\n  a:\n    environment:\n      KAFKA_SSL_KEY_PASSWORD: CANARY-compose\n' \
	    >c2/docker-compose.yml
	printf 'a.password=CANARY-copy\n' >c2/a.properties.bak
	printf 'late.entry = CANARY-late\n' >>c3/secrets.properties
	# What the audit was told to leave is left here, too.
	printf '# propseal:ignore clear-text-secret a test\nb.password=CANARY-known\n' >c2/known.conf
	run seal . --dry-run --master-key-variable "$variables"
	expect_rc 0
	expect_out '# c1/client.conf:2: sasl.password stays in clear text, as seal takes only '
	run seal . --yes --master-key-variable "$variables" -o json
	expect_rc 0
	expect_no CANARY known.conf
	cp "$out" told
	expect_in told 'c3/secrets.properties: late.entry stays in clear text, as this is a'
	expect_in told 'restore it from a backup'
	run git check . -o jsonl
	expect_rc 3
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    f = json.loads(line)
    if f.get("level") == "error" and not f["suppressed_by"]:
        line = "" if f["rule"] == "unsealed-entry" else ":%d" % f["line"]
        print("%s%s: %s stays" % (f["file"], line, f["key"]))' "$out" >found
	[ "$(wc -l <found)" -eq 6 ] || fail "found: $(cat found)"
	while read -r at; do expect_in told "$at"; done <found
	run seal . --yes --master-key-variable "$variables"
	expect_rc 0
	expect_err 'c1/.env:1: KAFKA_SASL_PASSWORD stays in clear text'
	expect_err 'nothing was changed'
	for ((i = 0; i < 20; i++)); do printf 'a%s.password=CANARY-%s\n' $i $i; done >more.conf
	run seal . --yes --master-key-variable "$variables"
	expect_err '6 more secrets stay in clear text in files that seal does not take'
}

case_seal_goes_on_beside_a_secrets_file_that_cannot_be_read() {
	half_sealed
	unset PROPSEAL_CONFIG
	printf '[environment c2]\nsecrets-file = c2/secrets.properties\nremote-path = %s\nfiles = c2/*\n' \
	    /srv/c2/kafka-secrets.properties >propseal.ini
	echo 'cut = off' >c2/secrets.properties
	run seal . --yes --master-key-variable "$variables"
	expect_rc 1
	expect_err 'c2/secrets.properties, which is not there or cannot be read'
	expect_in c2/other.properties CANARY-other
	expect_not_in c1/server.properties CANARY
}

run_cases "$@"
