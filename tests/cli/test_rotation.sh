#!/usr/bin/env bash
# `propseal rotation`: five environments, each with its own key, from plan to
# finish; interruptions, meddlers, and the way back.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

all='c1 c2 c3 c4 c5'

# c1 to c5: secrets.properties with two sealed values, the key in c?.key, the passphrase in
# c?.pass; keys.txt names the keys, new.txt is the new passphrase.  Made once.
five() {
	local c
	unset CONFLUENT_SECURITY_MASTER_KEY
	export XDG_STATE_HOME=$PWD/state
	rm -rf ./*
	if [ ! -d "$suite/five" ]; then
		mkdir "$suite/five.new"
		(
			cd "$suite/five.new" || exit 1
			for c in $all; do
				mkdir "$c"
				printf 'CANARY old %s\n' "$c" >"$c.pass"
				"$PROPSEAL" master-key generate --passphrase "@$c.pass" -o yaml \
				    --local-secrets-file "$c/secrets.properties" 2>"$err" |
				    sed 's/^master_key: //' >"$c.key"
				printf '# %s\nssl.key.password=CANARY-%s\nsasl.secret=CANARY-2%s\n' \
				    "$c" "$c" "$c" >"$c/server.properties"
				run file encrypt --config-file "$c/server.properties" \
				    --config ssl.key.password,sasl.secret \
				    --local-secrets-file "$c/secrets.properties" \
				    --remote-secrets-file "/srv/$c/secrets.properties" \
				    --master-key-file "$c.key"
				[ "$rc" -eq 0 ] || fail "cannot seal $c"
				printf '%s/secrets.properties = file:%s.key\n' "$c" "$c" >>keys.txt
			done
			printf 'CANARY new passphrase\n' >new.txt
		) || exit 1
		mv "$suite/five.new" "$suite/five"
	fi
	cp -a "$suite/five/." .
	mkdir -p state
}

plan() {
	run rotation plan . --keys keys.txt --passphrase-new @new.txt -o json "$@"
}

apply() {
	run rotation apply --passphrase-new @new.txt --new-master-key-file made -o json "$@"
}

# change_c3 update|add KEY=VALUE [ARGUMENT...]  A value of c3, with its new key.
change_c3() {
	awk -F '\t' '$1 ~ /c3/ { print $2 }' made >c3.new
	feed "$2" file "$1" --config-file c3/server.properties --config - \
	    --local-secrets-file c3/secrets.properties --remote-secrets-file \
	    /srv/c3/secrets.properties --master-key-file c3.new "${@:3}"
}

# has_lines N TEXT SESSION  Has the journal so many lines with the text?
has_lines() {
	[ "$(grep -c -e "$2" "$3/journal")" -ge "$1" ]
}

# The session's folder.
session() {
	echo state/propseal/rotations/2*
}

# The values are what they were, with the new keys of the file `made`.
expect_values() {
	local c
	for c in $all; do
		awk -F '\t' -v f="$c/secrets.properties" 'NF == 1 { print $1 }
		    $1 == f { print $2 }' made >new.key
		run file show "$c/server.properties" --reveal --master-key-file new.key -o json
		expect_rc 0
		expect_json "$out" '[e["value"] for e in d["entries"]][:2]' "['CANARY-$c', 'CANARY-2$c']"
	done
	rm new.key
}

# The secrets files are what they were at first, byte for byte; or those of the arguments.
expect_originals() {
	local c
	[ $# -gt 0 ] || set -- c1 c2 c3 c4 c5
	for c; do
		cmp "$c/secrets.properties" "$suite/five/$c/secrets.properties" ||
		    fail "$c is not as it was"
	done
}

# Nothing in the session is a value, a passphrase or a key, old or new.
expect_no_secret() {
	local text
	while read -r text; do
		if grep -rqF -e "$text" state; then fail "the session has $text"; fi
	done < <(echo CANARY; cat c?.key; if [ -e made ]; then cut -f 2 made; fi)
	python3 - <<-'END' || fail 'the session has the bytes of a key'
		import base64, glob, os, sys
		keys = [base64.b64decode(open(f).read()) for f in glob.glob('c?.key')]
		if os.path.exists('made'):
		    keys += [base64.b64decode(l.split('\t')[-1]) for l in open('made')]
		for folder, _, names in os.walk('state'):
		    for name in names:
		        text = open(os.path.join(folder, name), 'rb').read()
		        if any(k in text for k in keys):
		            sys.exit(1)
	END
}

case_plan_writes_the_session_only() {
	local s
	five
	plan --both
	expect_rc 0
	expect_json "$out" 'd["schema"], d["kind"], d["state"]' \
	    "('propseal.rotation/1', 'both', 'planned')"
	expect_json "$out" '[(f["file"], f["role"], f["environment"], f["state"], f["entries"],
	    f["error"]) for f in d["files"]][1]' \
	    "('c2/secrets.properties', 'secrets', 'c2', 'pending', 2, None)"
	expect_json "$out" 'len(d["files"]), d["entries"]["total"]' '(5, 10)'
	expect_json "$out" 'd["root"]' "$(pwd -P)"
	s=$(session)
	expect_mode "$s" 700
	for f in "$s"/*; do expect_mode "$f" 600; done
	expect_originals
	expect_no_secret
	expect_no CANARY
	run rotation status -o json
	expect_rc 0
	expect_json "$out" 'd["state"], d["session"] == d["dir"].split("/")[-1]' "('planned', True)"
	# For people: a diff, masked.
	run rotation rollback --yes
	expect_rc 0
	run rotation plan . --both --keys keys.txt --passphrase-new @new.txt
	expect_rc 0
	expect_out '+_metadata.master_key.0.salt = '
	expect_out '-server.properties/ssl.key.password = ENC[AES/GCM/NoPadding,data:'
	[ "$(grep -c '^+++ .*/c[1-5]/secrets.properties$' "$out")" -eq 5 ] || fail 'the diff is not whole'
	expect_no CANARY
}

case_apply_verify_finish() {
	local kind s
	for kind in master-key data-key both; do
		five
		if [ "$kind" = data-key ]; then
			run rotation plan . --keys keys.txt --data-key -o json
			expect_rc 0
			run rotation apply --keys keys.txt -o json
			for c in $all; do
				printf '%s/secrets.properties\t%s\n' "$c" "$(cat "$c.key")"
			done >made
		else
			plan "--$kind"
			expect_rc 0
			apply
			expect_mode made 600
		fi
		expect_rc 0
		expect_json "$out" 'd["state"], {f["state"] for f in d["files"]}' \
		    "('applied', {'applied'})"
		expect_no CANARY
		expect_values
		expect_no_secret
		run rotation finish --yes
		expect_rc 1
		expect_err 'only one that is verified'
		if [ "$kind" = data-key ]; then
			run rotation verify --keys keys.txt -o json
		else
			run rotation verify
			expect_rc 4
			run rotation verify --new-master-key-file made -o json
		fi
		expect_rc 0
		expect_json "$out" 'd["state"], d["entries"]' \
		    "('verified', {'total': 10, 'opened': 10, 'same': 10})"
		run rotation finish
		expect_rc 2
		s=$(session)
		run rotation finish --yes -o json
		expect_rc 0
		expect_json "$out" 'd["state"]' finished
		[ "$(cd "$s" && echo *)" = 'journal plan' ] || fail "left: $(ls "$s")"
		run rotation rollback --yes --session "$s"
		expect_rc 1
		expect_err 'what led back is gone'
		run rotation status --session "$s" -o json
		expect_rc 0
		expect_json "$out" 'd["state"]' finished
		expect_values
		rm -rf ./*
	done
}

case_nothing_but_keys_and_dates_changes() {
	five
	plan --both
	apply
	expect_rc 0
	python3 - "$suite/five" <<-'END' || fail 'more than that has changed'
		import re, sys
		may = re.compile(rb'(_metadata\.(master_key\.0\.salt|symmetric_key\.0\.'
		    rb'(created_at|salt|enc))|_propseal\.tag/\S+|\S+) = (.*)')
		for c in 'c1 c2 c3 c4 c5'.split():
		    old = open(f'{sys.argv[1]}/{c}/secrets.properties', 'rb').read().split(b'\n')
		    new = open(f'{c}/secrets.properties', 'rb').read().split(b'\n')
		    assert len(old) == len(new)
		    changed = 0
		    for a, b in zip(old, new):
		        if a == b:
		            continue
		        changed += 1
		        m, n = may.fullmatch(a), may.fullmatch(b)
		        assert m and n and m[1] == n[1], (a, b)
		        # What is not metadata or a tag is sealed, before and after.
		        assert m[2] or m[1].startswith(b'_propseal.tag/') or \
		            m[4].startswith(b'ENC[') and n[4].startswith(b'ENC['), (a, b)
		    assert changed == 4 + 2 * 2, changed
	END
	for c in $all; do
		cmp "$c/server.properties" "$suite/five/$c/server.properties" || fail "$c changed"
	done
}

case_a_kill_in_the_middle() {
	local n=2 job
	five
	plan --both
	expect_rc 0
	"$PROPSEAL" rotation apply --passphrase-new @new.txt --new-master-key-file made \
	    --rate 3 >/dev/null 2>&1 &
	job=$!
	until_true has_lines "$n" ' applied ' "$(session)"
	kill -9 "$job"
	wait "$job" 2>/dev/null
	expect_no_secret
	run rotation status -o json
	expect_rc 0
	expect_json "$out" 'd["state"], len({f["state"] for f in d["files"]})' \
	    "('applying', 2)"
	cp -a . "$kept.$n"
	# The same keys are taken again.
	run rotation resume --new-master-key-file made -o json
	expect_rc 0
	expect_json "$out" 'd["state"]' applied
	expect_values
	# What was done was not done again.
	for c in $all; do
		if ! cmp -s "$suite/five/$c/secrets.properties" \
		    "$kept.$n/$c/secrets.properties"; then
			cmp "$c/secrets.properties" "$kept.$n/$c/secrets.properties" ||
			    fail "$c was done twice"
		fi
	done
	run rotation resume --new-master-key-file made
	expect_rc 0
	run rotation verify --new-master-key-file made -o json
	expect_rc 0
}

case_a_signal_stops_between_files() {
	local job
	five
	run rotation plan . --keys keys.txt --data-key -o json
	expect_rc 0
	plainly "$PROPSEAL" rotation apply --keys keys.txt --rate 2 -o json >"$out" 2>"$err" &
	job=$!
	until_true has_lines 1 ' applied ' "$(session)"
	kill -INT "$job"
	wait "$job"
	rc=$?
	expect_rc 1
	expect_err 'goes on'
	expect_json "$out" 'd["state"]' applying
	run rotation resume --keys keys.txt -o json
	expect_rc 0
	expect_json "$out" 'd["state"]' applied
}

case_a_journal_that_was_cut() {
	local s size cut
	five
	plan --both
	apply
	expect_rc 0
	s=$(session)
	size=$(stat -c %s "$s/journal")
	cp -a . "$kept"
	for ((cut = 0; cut < size; cut += 397)); do
		head -c "$cut" "$kept/$s/journal" >"$s/journal"
		run rotation status -o json
		expect_rc 0
		run rotation resume --new-master-key-file made -o json
		expect_rc 0
		expect_json "$out" '{f["state"] for f in d["files"]}' "{'applied'}"
		for c in $all; do
			cmp "$c/secrets.properties" "$kept/$c/secrets.properties" || fail "cut at $cut"
		done
	done
	# Every last line that is missing; only what is known of the files tells.
	for cut in 1 4 9; do
		head -n "$cut" "$kept/$s/journal" >"$s/journal"
		run rotation rollback --yes --new-master-key-file made -o json
		expect_rc 0
		expect_json "$out" 'd["state"]' rolled-back
		for c in $all; do
			run file show "$c/server.properties" --reveal --master-key-file "$c.key" -o json
			expect_rc 0
			expect_json "$out" 'd["entries"][0]["value"]' "CANARY-$c"
			cp "$kept/$c/secrets.properties" "$c"
		done
	done
	# One that was changed in the middle is none.
	sed 3s/applied/intend/ "$kept/$s/journal" >"$s/journal"
	run rotation status
	expect_rc 4
	expect_err "journal:3"
	cp "$kept/$s/journal" "$s/journal"
	sed -i '7s/c1/c2/' "$s/plan"
	run rotation status
	expect_rc 4
	expect_err "plan:7"
}

case_two_sessions() {
	local job
	five
	plan --both
	expect_rc 0
	plan --both
	expect_rc 1
	expect_err 'has this file, and is not done'
	# Also one that lies elsewhere.
	run rotation rollback --yes
	expect_rc 0
	plan --both --session elsewhere
	expect_rc 0
	plan --both --session there
	expect_rc 1
	[ ! -e there ] || fail 'a folder is left'
	"$PROPSEAL" rotation apply --passphrase-new @new.txt --session elsewhere --rate 2 \
	    >/dev/null 2>&1 &
	job=$!
	until_true has_lines 1 ' intend ' elsewhere
	apply --session elsewhere
	expect_rc 5
	wait "$job"
	apply
	expect_rc 0
}

case_a_moved_root() {
	five
	mkdir farm
	mv c1 c2 c3 farm
	sed -i 's/^c[45].*//; s/^c/farm\/c/' keys.txt
	run rotation plan farm --keys keys.txt --both --passphrase-new @new.txt -o json
	expect_rc 0
	mv farm yard
	run rotation status
	expect_rc 1
	expect_err '--root DIR'
	apply --root yard
	expect_rc 0
	expect_json "$out" 'd["state"], d["root"]' "('applied', '$(pwd -P)/yard')"
	run rotation verify --root yard --new-master-key-file made
	expect_rc 0
	run rotation rollback --root yard --yes
	expect_rc 0
	mv yard/* .
	expect_originals c1 c2 c3
}

case_a_meddler_before_apply() {
	five
	plan --both
	expect_rc 0
	# Another entry: planned again.  Another key: left out, and named.
	feed 'db.password=CANARY-db' file add --config-file c2/server.properties --config - \
	    --local-secrets-file c2/secrets.properties --remote-secrets-file \
	    /srv/c2/secrets.properties --master-key-file c2.key
	expect_rc 0
	cp c3/secrets.properties before
	run file rotate --data-key --local-secrets-file c3/secrets.properties \
	    --master-key-file c3.key
	expect_rc 0
	cp c3/secrets.properties after
	apply
	expect_rc 1
	expect_err 'c2/secrets.properties: it changed since the rotation was planned'
	expect_err 'another rotation was there'
	expect_json "$out" '[f["state"] for f in d["files"]]' \
	    "['applied', 'applied', 'failed', 'applied', 'applied']"
	cmp c3/secrets.properties after || fail 'c3 changed'
	run rotation verify --new-master-key-file made
	expect_rc 1
	# As it was planned, it goes on.
	cp before c3/secrets.properties
	run rotation resume --new-master-key-file made -o json
	expect_rc 0
	run rotation verify --new-master-key-file made -o json
	expect_rc 0
	expect_json "$out" 'd["entries"]' "{'total': 11, 'opened': 11, 'same': 11}"
}

case_a_wrong_passphrase() {
	five
	plan --both
	expect_rc 0
	cp "$(session)/journal" journal
	for flag in --passphrase-new --passphrase; do
		run rotation apply "$flag" @c1.pass
		expect_rc 4
		expect_err 'its new one'
	done
	run rotation apply
	expect_rc 4
	expect_originals
	cmp "$(session)/journal" journal || fail 'the journal says something'
	# The old key is none, either.
	run rotation apply --keys keys.txt
	expect_rc 4
	expect_originals
}

case_an_entry_that_does_not_open() {
	five
	python3 - <<-'END'
		import re
		text = open('c4/secrets.properties').read()
		text = re.sub(r'(/sasl\.secret = ENC\[AES/GCM/NoPadding,data:)(.)', lambda m: m[1] +
		    ('B' if m[2] == 'A' else 'A'), text)
		open('c4/secrets.properties', 'w').write(text)
	END
	plan --both
	expect_rc 4
	expect_err 'c4/secrets.properties'
	expect_err 'server.properties/sasl.secret'
	expect_err '--skip'
	[ -z "$(ls state/propseal/rotations)" ] || fail 'a session is left'
	plan --both --skip c4/secrets.properties
	expect_rc 0
	expect_json "$out" '[f["state"] for f in d["files"]][3], d["entries"]["total"]' \
	    "('skipped', 8)"
	cp c4/secrets.properties broken
	apply
	expect_rc 0
	cmp c4/secrets.properties broken || fail 'c4 changed'
	run rotation verify --new-master-key-file made
	expect_rc 0
	# A key that is missing, and one that is wrong.
	five
	sed -i 2d keys.txt
	plan --both
	expect_rc 4
	expect_err 'c2/secrets.properties'
	sed -i 's/c5.key/c1.key/' keys.txt
	plan --both
	expect_rc 4
	expect_err 'c5/secrets.properties'
	expect_err 'keys.txt:4'
	cp "$suite/five/keys.txt" .
	plan --both --skip nothing
	expect_rc 2
	expect_originals
}

case_rollback() {
	five
	plan --both
	apply
	expect_rc 0
	run rotation rollback
	expect_rc 2
	expect_err --yes
	run rotation rollback --yes -o json
	expect_rc 0
	expect_json "$out" 'd["state"], {f["state"] for f in d["files"]}' \
	    "('rolled-back', {'rolled-back'})"
	expect_originals
	apply --session "$(session)"
	expect_rc 1
	run rotation status
	expect_rc 1
	expect_err 'no session that is not done'
}

case_rollback_keeps_what_changed_since() {
	local kind
	for kind in both master-key; do
		five
		plan "--$kind"
		apply
		expect_rc 0
		change_c3 update 'ssl.key.password=CANARY-other'
		expect_rc 0
		run rotation verify --new-master-key-file made -o json
		expect_rc 3
		expect_err 'server.properties/ssl.key.password'
		expect_json "$out" 'd["entries"]' "{'total': 10, 'opened': 10, 'same': 9}"
		expect_err 'rotation accept FILE'
		run rotation rollback --yes -o json
		expect_rc 4
		expect_err c3/secrets.properties
		expect_originals c1 c2 c4 c5
		run rotation status
		expect_out ': being rolled back ('
		run rotation finish --yes
		expect_rc 1
		expect_err 'the session is being rolled back'
		expect_err '`propseal rotation rollback` goes on'
		run rotation status -o json
		expect_json "$out" 'd["state"]' applying
		run rotation rollback --yes --new-master-key-file made -o json
		expect_rc 0
		expect_err 'c3/secrets.properties'
		run rotation finish --yes --session "$(session)"
		expect_rc 1
		expect_err 'and can be removed'
		run file show c3/server.properties --reveal --master-key-file c3.key -o json
		expect_rc 0
		expect_json "$out" '[e["value"] for e in d["entries"]][:2]' \
		    "['CANARY-other', 'CANARY-2c3']"
		run file verify c3 --master-key-file c3.key
		expect_rc 0
		expect_no_secret
		rm -rf ./*
	done
}

# Who can write the file but has no key: a rollback opens no value in CBC without its tag, and
# gives no tag to a value that has none.
case_rollback_trusts_no_value_without_a_tag() {
	local key=server.properties/ssl.key.password
	five
	plan --both
	apply
	expect_rc 0
	change_c3 update 'ssl.key.password=CANARY-cbc' --cipher cbc
	expect_rc 0
	sed -i "\\|^_propseal.tag/$key|d" c3/secrets.properties
	cp c3/secrets.properties meddled
	run rotation rollback --yes --new-master-key-file made
	expect_rc 1
	expect_err 'c3/secrets.properties'
	expect_err 'has no tag that fits'
	expect_err 'then roll back again'
	cmp c3/secrets.properties meddled || fail 'it was written'
	expect_originals c1 c2 c4 c5
	change_c3 update 'ssl.key.password=CANARY-gcm'
	expect_rc 0
	sed -i "\\|^_propseal.tag/$key|d" c3/secrets.properties
	run rotation rollback --yes --new-master-key-file made
	expect_rc 0
	expect_err "$key: was put there since without a tag"
	run file show c3/server.properties --reveal --master-key-file c3.key -o json
	expect_rc 0
	expect_json "$out" '[e["value"] for e in d["entries"]][:2]' "['CANARY-gcm', 'CANARY-2c3']"
	if grep -q "^_propseal.tag/$key" c3/secrets.properties; then fail 'it got a tag'; fi
}

case_accept_takes_what_was_changed_on_purpose() {
	five
	plan --master-key
	run rotation accept c3/secrets.properties --passphrase-new @new.txt
	expect_rc 1
	expect_err 'nothing to compare its values with'
	apply
	expect_rc 0
	change_c3 update 'ssl.key.password=CANARY-other'
	expect_rc 0
	change_c3 add 'extra.password=CANARY-extra'
	expect_rc 0
	run rotation verify --new-master-key-file made
	expect_rc 3
	run rotation finish --yes
	expect_rc 1
	# A file that is none of it, and a key that is none: nothing is accepted.
	run rotation accept c3/secrets.properties keys.txt --new-master-key-file made
	expect_rc 2
	expect_err keys.txt
	run rotation accept c3/secrets.properties --passphrase-new @c3.pass
	expect_rc 4
	run rotation verify --new-master-key-file made
	expect_rc 3
	run rotation accept c3/secrets.properties --new-master-key-file made -o json
	expect_rc 0
	expect_err 'server.properties/ssl.key.password'
	expect_err '2 differences are accepted'
	expect_json "$out" 'd["state"], d["entries"]["total"]' "('applied', 11)"
	run rotation verify --new-master-key-file made -o json
	expect_rc 0
	expect_json "$out" 'd["state"], d["entries"]' \
	    "('verified', {'total': 11, 'opened': 11, 'same': 11})"
	# Another change is told again; what is accepted can be taken back, and is kept.
	change_c3 update 'extra.password=CANARY-again'
	run rotation verify --new-master-key-file made
	expect_rc 3
	run rotation rollback --yes --new-master-key-file made
	expect_rc 0
	expect_originals c1 c2 c4 c5
	run file show c3/server.properties --reveal --master-key-file c3.key -o json
	expect_json "$out" '[e["value"] for e in d["entries"]][:1]' "['CANARY-other']"
	expect_no_secret
}

case_what_differs_later_is_not_verified_any_more() {
	five
	plan --both
	apply
	run rotation verify --new-master-key-file made
	expect_rc 0
	change_c3 update sasl.secret=CANARY-other
	expect_rc 0
	run rotation verify --new-master-key-file made -o json
	expect_rc 3
	expect_json "$out" 'd["state"], {f["state"] for f in d["files"]}' "('applied', {'applied'})"
	run rotation finish --yes
	expect_rc 1
	expect_err 'only one that is verified'
	[ -s "$(session)/originals" ] || fail 'the originals are gone'
	# An entry that does not open is no proof either.
	run rotation accept c3/secrets.properties --new-master-key-file made
	run rotation verify --new-master-key-file made
	expect_rc 0
	cp c3/secrets.properties meant
	sed -i '/sasl.secret = /s/data:....../data:AAAAAA/' c3/secrets.properties
	run rotation verify --new-master-key-file made
	expect_rc 4
	cp meant c3/secrets.properties
	run rotation finish --yes
	expect_rc 1
	run rotation verify --new-master-key-file made
	expect_rc 0
	run rotation finish --yes
	expect_rc 0
}

case_references_that_dangle_are_said_to() {
	five
	printf 'listener.name = ${securepass:/srv/c2/secrets.properties:server.properties/gone}\n' \
	    >>c2/server.properties
	plan --both
	apply
	run rotation verify --new-master-key-file made
	expect_rc 0
	expect_err 'opens 10 of 10, all values the same; 10 of 11 references open, 1 dangling'
	run rotation verify --host c2 --master-key-file <(awk '/^c2/ { print $2 }' made) -o json
	expect_rc 0
	expect_json "$out" 'd["references"]' "{'total': 3, 'opened': 2, 'dangling': 1}"
}

case_a_leftover_beside_a_file_that_is_done() {
	local job
	five
	plan --both
	apply
	for job in 'resume --passphrase-new @new.txt' 'rollback --yes' 'rollback --yes'; do
		cp c3/secrets.properties c3/.secrets.properties.propseal-tmp
		# shellcheck disable=SC2086
		run rotation $job --session "$(session)"
		expect_rc 0
		[ ! -e c3/.secrets.properties.propseal-tmp ] || fail "it stays after $job"
	done
}

# Who can write the file but has no key: values that change places, without their tags; one bit
# of a value in CBC; and an entry that another has under a new name.
case_accept_takes_nothing_that_no_key_made() {
	local meddle
	five
	plan --master-key
	apply
	expect_rc 0
	for meddle in exchange add flip; do
		change_c3 update "ssl.key.password=CANARY-$meddle" \
		    --cipher "$([ $meddle = flip ] && echo cbc || echo gcm)"
		expect_rc 0
		cp c3/secrets.properties meant
		python3 - $meddle <<-'END'
			import base64, re, sys
			path = 'c3/secrets.properties'
			lines = open(path).read().split('\n')
			name = 'server.properties/ssl.key.password'
			one = next(i for i, l in enumerate(lines) if l.startswith(name))
			two = next(i for i, l in enumerate(lines)
			    if l.startswith('server.properties/sasl.secret'))
			def flipped(m):
			    iv = bytearray(base64.b64decode(m[1]))
			    iv[0] ^= 1
			    return 'iv:' + base64.b64encode(iv).decode()
			if sys.argv[1] == 'exchange':
			    a, b = (lines[i].split(' = ')[1] for i in (one, two))
			    lines[one] = lines[one].replace(a, b)
			    lines[two] = lines[two].replace(b, a)
			elif sys.argv[1] == 'flip':
			    lines[one] = re.sub('iv:([^,]+)', flipped, lines[one])
			else:
			    lines.insert(two, 'server.properties/more.password = ' +
			        lines[two].split(' = ')[1])
			if sys.argv[1] != 'add':
			    lines = [l for l in lines if not l.startswith('_propseal.tag/')]
			open(path, 'w').write('\n'.join(lines))
		END
		cp c3/secrets.properties meddled
		run rotation accept c3/secrets.properties --new-master-key-file made
		if [ $meddle = add ]; then
			# The tag of the other tells whose the value is.
			expect_rc 4
			expect_err 'the value was sealed for another entry, server.properties/sasl.secret'
		else
			expect_rc 1
			expect_err 'no tag that fits'
		fi
		run rotation verify --new-master-key-file made
		[ "$rc" -ne 0 ] || fail "$meddle: verified"
		cmp c3/secrets.properties meddled || fail "$meddle: it was written"
		cp meant c3/secrets.properties
	done
	# What was meant, with its tag, in CBC too.
	run rotation accept c3/secrets.properties --new-master-key-file made
	expect_rc 0
	run rotation verify --new-master-key-file made
	expect_rc 0
}

case_the_trail_has_every_change() {
	five
	run rotation plan . --keys keys.txt --data-key -o json
	run rotation apply --keys keys.txt -o json
	expect_rc 0
	run rotation rollback --yes
	expect_rc 0
	run log verify
	expect_rc 0
	[ "$(grep -c '"rotation apply"' state/propseal/trail.jsonl)" -ge 5 ] ||
	    fail "the trail: $(cat state/propseal/trail.jsonl)"
	expect_in state/propseal/trail.jsonl '"rotation rollback"'
	expect_in state/propseal/trail.jsonl c3/secrets.properties
	expect_not_in state/propseal/trail.jsonl CANARY
}

case_one_key_for_all() {
	five
	plan --master-key --common-master-key
	expect_rc 0
	apply
	expect_rc 0
	[ "$(wc -l <made)" = 1 ] || fail 'more than one key'
	expect_values
	# The key itself does, in place of the passphrase, and in the environment.
	CONFLUENT_SECURITY_MASTER_KEY=$(cat made) run rotation verify
	expect_rc 0
	run rotation verify --host c1 c2 --master-key-file made -o json
	expect_rc 0
	expect_json "$out" 'd["entries"], d["references"]' \
	    "({'total': 4, 'opened': 4}, {'total': 4, 'opened': 4, 'dangling': 0})"
	run rotation verify --host c1 --master-key-file c1.key
	expect_rc 4
	expect_err 'the file and the key of a host belong together'
}

case_the_sources_of_keys() {
	five
	cat >keys.txt <<-'END'
		# each in its own way
		c1/secrets.properties = file:c1.key
		c2/secrets.properties=env:KEY_2
		./c3/secrets.properties = command:cat c3.key
		c4/secrets.properties = passphrase:@c4.pass
		c5/secrets.properties = fd:7
	END
	KEY_2=$(cat c2.key) plan --both 7<c5.key
	expect_rc 0
	run rotation rollback --yes
	for bad in 'c1/secrets.properties' 'c1/secrets.properties = c1.key' 'c1 = file:' \
	    'c1 = passphrase:word'; do
		printf '# x\n%s\n' "$bad" >bad.txt
		run rotation plan . --both --keys bad.txt --passphrase-new @new.txt
		expect_rc 2
		expect_err 'bad.txt'
	done
	# Several files of keys, and a passphrase that is one of them.
	run rotation plan c1 c2 c3 --data-key --master-key-file c1.key --master-key-file c2.key \
	    --passphrase @c3.pass -o json
	expect_rc 0
	expect_json "$out" 'len(d["files"])' 3
}

case_the_checklist() {
	five
	mkdir c1/connect
	mv c1/server.properties c1/connect/connect-distributed.properties
	sed -i '1i process.roles=controller' c2/server.properties
	plan --both --skip c5/secrets.properties
	expect_rc 0
	run rotation checklist
	expect_rc 0
	expect_out 'copy c1/secrets.properties to /srv/c1/secrets.properties'
	expect_out "restart Connect: $PWD/c1/connect/connect-distributed.properties"
	expect_out "restart controllers: $PWD/c2/server.properties"
	expect_out "restart brokers: $PWD/c3/server.properties"
	expect_out 'LoadCredentialEncrypted=propseal.master-key'
	if grep -q c5 "$out"; then fail 'one that is left out is told'; fi
	run rotation checklist --format markdown
	expect_rc 0
	expect_out '- [ ] copy `c1/secrets.properties` to `/srv/c1/secrets.properties`'
	run rotation checklist --format json
	expect_rc 0
	expect_json "$out" '[(g["environment"], g["copy_to"]) for g in d["groups"]][2]' \
	    "('c3', ['/srv/c3/secrets.properties'])"
	expect_json "$out" '[s["service"] for s in d["groups"][0]["restart"]][:3]' \
	    "['controllers', 'brokers', 'Schema Registry']"
	expect_no CANARY
}

# A service whose configuration refers to several secrets files is restarted with each.
case_the_checklist_names_who_reads_several() {
	local e
	five
	mkdir ksql
	# shellcheck disable=SC2016
	for e in c1 c3; do
		printf '%s.password=${securepass:/srv/%s/secrets.properties:%s}\n' "$e" "$e" \
		    "server.properties/ssl.key.password"
	done >ksql/ksql.properties
	plan --both
	expect_rc 0
	run rotation checklist --format json
	expect_rc 0
	expect_json "$out" '[g["environment"] for g in d["groups"] for s in g["restart"]
	    if s["service"] == "ksqlDB" and s["configurations"] == ["'"$PWD"'/ksql/ksql.properties"]]' \
	    "['c1', 'c3']"
}

case_usage() {
	five
	run rotation plan .
	expect_rc 2
	expect_err --both
	run rotation plan . --data-key --passphrase-new @new.txt
	expect_rc 2
	run rotation plan . --both --keys keys.txt --passphrase-new @c1.pass
	expect_rc 1
	expect_err 'the new passphrase is the old one'
	run rotation plan . --both --keys keys.txt
	expect_rc 2
	run rotation apply --rate 0
	expect_rc 2
	run rotation verify .
	expect_rc 2
	run rotation status --session nowhere
	expect_rc 1
	mkdir -p state empty
	run rotation plan empty --both --passphrase-new @new.txt
	expect_rc 1
	expect_err 'no secrets file'
	expect_originals
	# What others could have written goes into no file.
	plan --both
	chmod 777 "$(session)"
	run rotation status
	expect_rc 1
	expect_err 'others can write'
	chmod 700 "$(session)"
	# A file of keys that is another's.
	printf 'c1/secrets.properties\t%s\n' "$(cat c1.key)" >made
	chmod 600 made
	apply
	expect_rc 1
	expect_err 'another key'
	expect_originals
}

# --- somebody had their hands in the session, or in the folders ---

# alter FILE OFFSET  Change a byte of it.
alter() {
	python3 - "$1" "$2" <<-'END'
		import sys
		b = bytearray(open(sys.argv[1], 'rb').read())
		b[int(sys.argv[2])] ^= 1
		open(sys.argv[1], 'wb').write(b)
	END
}

case_no_step_forward_without_one_back() {
	local s
	five
	plan --both
	s=$(session)
	cp "$s/originals" originals
	alter "$s/originals" 50
	apply
	expect_rc 4
	expect_err 'kept of c1/secrets.properties is not as it was written'
	expect_json "$out" '[f["state"] for f in d["files"]]' \
	    "['failed', 'applied', 'applied', 'applied', 'applied']"
	expect_originals c1
	cp originals "$s/originals"
	apply
	expect_rc 0
	# One that was changed after it goes into no file, either.
	cp c1/secrets.properties after
	alter "$s/originals" 50
	run rotation rollback --yes -o json
	expect_rc 4
	cmp c1/secrets.properties after || fail 'c1 changed'
	expect_originals c2 c3 c4 c5
	cp originals "$s/originals"
	run rotation rollback --yes -o json
	expect_rc 0
	expect_originals
}

case_files_of_the_session_are_its_own() {
	local s name
	for name in plan journal originals values keys; do
		five
		plan --both
		s=$(session)
		chmod 666 "$s/$name"
		apply
		expect_rc 1
		expect_err "$name"
		expect_err 'others can write'
		chmod 600 "$s/$name"
		mv "$s/$name" moved
		ln -s "$PWD/moved" "$s/$name"
		for job in status apply 'rollback --yes'; do
			# shellcheck disable=SC2086
			run rotation $job
			expect_rc 1
			expect_err 'is a link'
		done
		expect_originals
	done
}

# forge FILE PROGRAM  Write lines of plan or journal anew, with sums that are right.
forge() {
	python3 - "$@" <<-'END'
		import hashlib, re, sys
		lines = [l.split(' ', 1)[1] for l in open(sys.argv[1]).read().splitlines()]
		lines = eval(sys.argv[2], {'lines': lines, 'hashlib': hashlib, 're': re})
		sum, out = bytes(32), ''
		for l in lines:
		    sum = hashlib.sha256(sum + l.encode()).digest()
		    out += sum[:8].hex() + ' ' + l + '\n'
		open(sys.argv[1], 'w').write(out)
	END
}

case_a_forged_session_writes_over_no_other_file() {
	local s victim
	five
	plan --both
	apply
	expect_rc 0
	s=$(session)
	# The lines can be written anew at all.
	forge "$s/plan" lines
	forge "$s/journal" lines
	run rotation status
	expect_rc 0
	cp -a . "$kept"
	for victim in ../victim c1/../../victim /../etc/victim; do
		forge "$s/plan" "[l.replace('c1%2Fsecrets', '$victim') for l in lines]"
		run rotation rollback --yes
		expect_rc 4
		expect_err 'plan:'
		cp "$kept/$s/plan" "$s/plan"
	done
	# A file that is no secrets file gets nothing, and nothing else goes into one.
	printf 'PATH=/bin\n' >victim
	cp victim victim.was
	forge "$s/plan" "[l.replace('c1%2Fsecrets.properties', 'victim') for l in lines]"
	forge "$s/journal" "[re.sub(r'(intend|applied) 0 [0-9a-f]{64}', r'\\1 0 ' +
	    hashlib.sha256(open('victim', 'rb').read()).hexdigest(), l) for l in lines]"
	run rotation rollback --yes
	expect_rc 1
	expect_err 'this is no secrets file'
	cmp victim victim.was || fail 'another file changed'
	rm -rf ./*
	cp -a "$kept/." .
	python3 - "$s" <<-'END'
		import sys
		p = sys.argv[1] + '/originals'
		b = open(p, 'rb').read()
		open(p, 'wb').write(b'evil=1\n' + b[7:])
	END
	forge "$s/plan" "[re.sub(r'^(file c1\S+ \S+ \S+ \S+ \S+ )[0-9a-f]{64}(.*?) 32 0 \d+ 0 ',
	    lambda m: m[1] + hashlib.sha256(b'evil=1\n').hexdigest() + m[2] + ' 32 0 7 0 ', l)
	    for l in lines]"
	run rotation rollback --yes
	expect_rc 4
	expect_err 'is of no secrets file'
	cmp c1/secrets.properties "$kept/c1/secrets.properties" || fail 'c1 changed'
}

# The others can be planned again while one file is gone and keeps a rollback from its end.
case_a_file_that_is_gone_keeps_nothing_back() {
	local s
	five
	run rotation plan . --data-key --keys keys.txt
	run rotation apply --keys keys.txt
	expect_rc 0
	s=$(session)
	mv c4/secrets.properties gone
	run rotation rollback --yes -o json
	expect_rc 1
	expect_json "$out" '[f["state"] for f in d["files"]]' \
	    "['rolled-back', 'rolled-back', 'rolled-back', 'failed', 'rolled-back']"
	run rotation plan c1 c2 c3 --data-key --keys keys.txt
	expect_rc 0
	run rotation apply --keys keys.txt
	expect_rc 0
	cp -a c1 c1.after
	mv gone c4/secrets.properties
	run rotation plan c4 --data-key --keys keys.txt
	expect_rc 1
	expect_err 'has this file, and is not done'
	# What was rolled back before is left to the other session.
	run rotation rollback --yes --session "$s" -o json
	expect_rc 0
	expect_json "$out" 'd["state"]' rolled-back
	expect_originals c4 c5
	cmp c1/secrets.properties c1.after/secrets.properties || fail 'c1 changed'
}

# Sessions of one second are told apart, too.
case_the_newest_session_is_the_one_that_is_meant() {
	local c
	five
	for c in $all; do
		run rotation plan "$c" --data-key --keys keys.txt
		expect_rc 0
		run rotation status -o json
		expect_json "$out" 'd["root"].rsplit("/", 1)[1]' "$c"
		# The others are named.
		[ "$(grep -c 'another session is not done: --session 2' "$err")" -eq \
		    $((${c#c} - 1)) ] || fail "said: $(cat "$err")"
	done
}

case_what_plan_looks_at_before() {
	five
	# A second name would keep the old keys.
	ln c2/secrets.properties other
	plan --both
	expect_rc 1
	expect_err c2/secrets.properties
	expect_err 'the file has several names'
	rm other
	# Another process changes it just now.
	cd c3 || exit 1
	hold secrets.properties
	cd ..
	plan --both
	expect_rc 5
	expect_err 'c3/secrets.properties'
	let_go
	[ -z "$(ls state/propseal/rotations)" ] || fail 'a session is left'
	# Mounts, and a full or read-only file system, where such can be made.
	unshare -Urm --propagation private true 2>/dev/null || return 0
	cat >inside <<-'END'
		plan() {
			"$PROPSEAL" rotation plan . --keys keys.txt --data-key >/dev/null 2>said
			rc=$?
			[ $rc = "$1" ] && grep -q "$2" said || { echo "$rc, not $*"; cat said; exit 1; }
		}
		cp -a c4 c4.was
		mount -t tmpfs -o size=64k none c4 || exit 77
		cp -a c4.was/. c4
		rm -rf c4.was
		plan 1 'c4/secrets.properties: there is no room'
		mount -o remount,size=1m c4
		mount -o remount,ro c4
		plan 1 'c4/secrets.properties: the file cannot be written: Read-only'
		mount -o remount,rw c4
		plan 0 'a plan'
		"$PROPSEAL" rotation rollback --yes >/dev/null 2>&1 || exit 1
		cp c5/secrets.properties one
		mount --bind one c5/secrets.properties || exit 77
		plan 1 'c5/secrets.properties: the file is a mount point'
	END
	export PROPSEAL
	unshare -Urm --propagation private sh inside >told || [ $? = 77 ] || fail "$(cat told)"
	expect_originals c1 c2 c3 c5
}

case_the_file_of_new_keys() {
	local other
	five
	plan --both
	touch made
	chmod 644 made
	apply
	expect_rc 1
	expect_err 'others can get at it'
	[ ! -s made ] || fail 'keys are in it'
	chmod 600 made
	echo 'export A=b' >made
	apply
	expect_rc 1
	expect_err 'made'
	expect_err 'no file of new master keys'
	[ "$(cat made)" = 'export A=b' ] || fail 'it changed'
	for other in /dev/stdout . nowhere/made fd:99 /dev/full; do
		run rotation apply --passphrase-new @new.txt --new-master-key-file "$other"
		expect_rc 1
	done
	expect_originals
	# The keys are in it before they are in force.
	rm made
	exec 8>made.fd
	run rotation apply --passphrase-new @new.txt --new-master-key-file fd:8
	exec 8>&-
	expect_rc 0
	mv made.fd made
	expect_values
}

case_finish_wipes_what_it_says() {
	local s name
	five
	plan --both
	apply
	expect_rc 0
	run rotation verify --new-master-key-file made
	expect_rc 0
	s=$(session)
	for name in originals values keys; do ln "$s/$name" "$name"; done
	# What is not as it was verified is not finished.
	cp c2/secrets.properties after
	cp "$suite/five/c2/secrets.properties" c2
	run rotation finish --yes
	expect_rc 1
	expect_err 'only one that is verified'
	cp after c2/secrets.properties
	run rotation verify --new-master-key-file made
	expect_rc 0
	run rotation finish --yes
	expect_rc 0
	for name in originals values keys; do
		expect_err 'wiped'
		[ -s "$name" ] || fail "$name is empty"
		[ "$(tr -d '\0' <"$name" | wc -c)" = 0 ] || fail "$name is not overwritten"
		[ ! -e "$s/$name" ] || fail "$name is left"
	done
	run rotation finish --yes --session "$s" -o json
	expect_rc 0
	expect_json "$out" 'd["state"]' finished
}

# One line each, whatever is done: a file that fails for its last entry is told by that.
case_an_entry_that_does_not_open_is_told_once() {
	local what n
	five
	plan --master-key
	apply
	expect_rc 0
	sed -i 's/^\(server.properties.*data:\)..../\1AAAA/' c3/secrets.properties c4/secrets.properties
	for what in verify 'accept c3/secrets.properties'; do
		# shellcheck disable=SC2086
		run rotation $what --new-master-key-file made
		expect_rc 4
		for n in ssl.key.password sasl.secret; do
			[ "$(grep -c "c3/secrets.*server.properties/$n" "$err")" -eq 1 ] ||
			    fail "not once: $what, $n"
		done
	done
	run rotation verify --new-master-key-file made
	[ "$(grep -c 'does not open' "$err")" -eq 4 ] || fail 'not all of both files'
}

case_on_a_terminal() {
	five
	on_terminal 'new master key: ' 'CANARY one\n' 'same again: ' 'CANARY one\n' -- \
	    rotation plan . --both --keys keys.txt
	expect_rc 0
	on_terminal 'or the new key: ' 'CANARY one\n' 'saved? [y/N]' 'n\n' -- rotation apply
	expect_rc 1
	expect_originals
	on_terminal 'or the new key: ' 'CANARY one\n' 'saved? [y/N]' 'y\n' -- rotation apply
	expect_rc 0
	on_terminal 'to go on (it is not shown): ' 'no\n' -- rotation rollback
	expect_rc 1
	on_terminal 'to go on (it is not shown): ' 'rollback\n' -- rotation rollback
	expect_rc 0
	expect_originals
}

run_cases "$@"
