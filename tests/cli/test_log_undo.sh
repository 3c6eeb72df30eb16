#!/usr/bin/env bash
# `propseal log undo`: what a change of sealed values can be taken back by, and where it cannot.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

# A trail of its own, and two values that are sealed.
begin() {
	export XDG_STATE_HOME=$PWD/../state
	trail=$XDG_STATE_HOME/propseal/trail.jsonl
	kept=$trail.kept.$(id -u)
	seal
	cp sec.properties ../sec.0
	cp server.properties ../server.0
}

# settings LINE...  A propseal.ini of the user with these lines in [files].
settings() {
	printf '[files]\n' >../own.ini
	printf '%s\n' "$@" >>../own.ini
	export PROPSEAL_CONFIG=$PWD/../own.ini
}

# The number of the newest change.
newest() {
	"$PROPSEAL" log show -o json |
	    python3 -c 'import json, sys; print(json.load(sys.stdin)["changes"][-1]["change"])'
}

# undo ARGUMENT...  The newest change.
undo() {
	run log undo "$(newest)" "$@"
}

update() {
	feed "ssl.key.password=$1" file update --config-file server.properties --config - \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote" "${@:2}"
	expect_rc 0
}

expect_as_before() {
	cmp sec.properties ../sec.0 || fail 'the secrets file is not as it was'
	cmp server.properties ../server.0 || fail 'the configuration is not as it was'
}

expect_value() {
	run file show server.properties --local-secrets-file sec.properties --reveal -o json
	expect_json "$out" \
	    '[e["value"] for e in d["entries"] if e["key"] == "ssl.key.password"][0]' "$1"
}

case_an_update_is_taken_back_byte_for_byte() {
	begin
	update CANARY-2
	run log show -o json
	expect_json "$out" 'd["changes"][-1]["undo"], d["changes"][-1]["undo_error"]' '(True, None)'
	run log show
	expect_out "propseal log undo $(newest)"
	cp sec.properties ../sec.2
	undo --dry-run
	expect_rc 0
	expect_out '+server.properties/ssl.key.password = ENC['
	cmp sec.properties ../sec.2 || fail 'a dry run changed it'
	undo
	expect_rc 0
	expect_err 'changed: '
	expect_as_before
	# That is a change, too.
	undo -o json
	expect_rc 0
	expect_json "$out" 'd["changed"], d["schema"]' "(True, 'propseal.change/1')"
	cmp sec.properties ../sec.2 || fail 'the undoing was not undone'
	expect_value CANARY-2
}

case_what_was_removed_comes_back_to_its_place() {
	begin
	run file remove --config-file server.properties --config ssl.key.password \
	    --local-secrets-file sec.properties
	expect_rc 0
	if grep -q 'ssl.key.password' sec.properties server.properties; then fail 'it is there'; fi
	undo
	expect_rc 0
	cmp sec.properties ../sec.0 || fail 'the secrets file is not as it was'
	# In the style of the file, at its place.
	sed 's/^\(ssl.key.password\) = /\1=/' ../server.0 | cmp - server.properties ||
	    fail "$(cat server.properties)"
	expect_opens ssl.key.password CANARY-key
	run file verify . --local-secrets-file sec.properties
	expect_rc 0
}

case_what_was_added_goes() {
	begin
	feed 'new.password=CANARY-new' file add --config-file server.properties --config - \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	undo
	expect_rc 0
	expect_as_before
}

# What the change has sealed stays while another entry, of the file or of another one, refers to it.
case_what_others_refer_to_stays() {
	local ref='${securepass:'$remote':server.properties/new.password}' file
	begin
	feed 'new.password=CANARY-new' file add --config-file server.properties --config - \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	cp server.properties ../server.1
	for file in client.properties server.properties; do
		echo "other.password=$ref" >>"$file"
		cp -a . ../before
		undo
		expect_rc 1
		expect_err "$file:$(wc -l <"$file"): \"server.properties/new.password\": the entry on"
		diff -r . ../before || fail 'something is changed'
		rm -rf client.properties ../before
		cp ../server.1 server.properties
	done
	# Of another sealed entry it may.
	echo "other.password=\${securepass:$remote:server.properties/ssl.key.password}" \
	    >client.properties
	undo
	expect_rc 0
	expect_as_before
}

case_only_entries_of_the_change_matter() {
	local first
	begin
	update CANARY-2
	first=$(newest)
	feed 'new.password=CANARY-new' file add --config-file server.properties --config - \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote"
	run log undo "$first"
	expect_rc 0
	expect_value CANARY-key
	run file show server.properties --local-secrets-file sec.properties --reveal -o json
	expect_json "$out" \
	    '[e["value"] for e in d["entries"] if e["key"] == "new.password"]' "['CANARY-new']"
	# Again: there is nothing to do any more, and nothing is done.
	cp sec.properties ../sec.3
	run log undo "$first"
	expect_rc 0
	expect_err 'all is as it was before'
	cmp sec.properties ../sec.3 || fail 'it was written'
}

case_what_was_changed_since_is_refused() {
	local first
	begin
	update CANARY-2
	first=$(newest)
	update CANARY-3
	cp sec.properties ../sec.3
	run log undo "$first"
	expect_rc 1
	expect_err '"server.properties/ssl.key.password": it was changed again'
	expect_err 'log show --file'
	cmp sec.properties ../sec.3 || fail 'it was written'
	# The newest first: then both.
	undo
	expect_rc 0
	run log undo "$first"
	expect_rc 0
	expect_as_before
}

case_no_clear_text_is_kept() {
	begin
	update CANARY-2
	undo
	run file remove --config-file server.properties --config ssl.key.password \
	    --local-secrets-file sec.properties
	if grep -rq -e CANARY -e "$(cat master.key)" "$XDG_STATE_HOME"; then
		fail 'a value or key is kept'
	fi
	expect_mode "$kept" 700
	for f in "$kept"/*; do expect_mode "$f" 600; done
	run log show -o json
	expect_json "$out" 'd["changes"][0]["undo"]' False
	expect_json "$out" '"clear text is never kept" in d["changes"][0]["undo_error"]' True
	run log undo 1
	expect_rc 1
	expect_err 'change 1 cannot be undone: there was clear text before it'
	run file rotate --data-key --local-secrets-file sec.properties
	undo
	expect_rc 1
	expect_err 'it made or changed keys'
	run file decrypt --config-file server.properties --local-secrets-file sec.properties \
	    --output-file plain.properties
	undo
	expect_rc 1
	expect_err 'it wrote a whole file'
	run log undo 2
	expect_rc 1
	expect_err 'there is no change 2'
	run log undo x
	expect_rc 2
}

case_the_right_key_is_needed() {
	begin
	update CANARY-2
	cp sec.properties ../sec.2
	head -c 32 /dev/urandom | base64 >other.key
	unset CONFLUENT_SECURITY_MASTER_KEY
	undo --master-key-file other.key
	expect_rc 4
	undo
	[ "$rc" -ne 0 ] || fail 'without a key'
	cmp sec.properties ../sec.2 || fail 'it was written'
	undo --master-key-file master.key
	expect_rc 0
	expect_as_before
}

# A new data key ends it, and so does the end of a session.
case_a_rotation_wipes_what_is_kept() {
	local first
	begin
	update CANARY-2
	first=$(newest)
	cp "$kept/$first" ../kept.copy
	run file rotate --data-key --local-secrets-file sec.properties
	expect_rc 0
	expect_err 'wiped: what undid 1 change in the history'
	[ ! -e "$kept/$first" ] || fail 'it is there'
	run log undo "$first"
	expect_rc 1
	expect_err "nothing is kept that undoes change $first"
	# Who kept a copy has the value of another data key.
	cp ../kept.copy "$kept/$first"
	sed -i "s/\"now\":\"[0-9a-f]*\"/\"now\":\"$(sed -n \
	    's/^server.properties.ssl.key.password *[=] *//p' sec.properties |
	    tr -d '\n' | sha256sum | cut -c 1-64)\"/" "$kept/$first"
	run log undo "$first"
	expect_rc 4
	expect_err 'sealed under another data key'
	update CANARY-4
	printf '%s\n' 'CANARY new passphrase' >new.txt
	run rotation plan . --master-key --passphrase-new @new.txt --master-key-file master.key
	expect_rc 0
	run rotation apply --passphrase-new @new.txt --new-master-key-file made
	expect_rc 0
	run rotation verify --new-master-key-file made
	expect_rc 0
	run rotation finish --yes
	expect_rc 0
	expect_err 'wiped: what undid'
	expect_err 'in the history'
	if grep -rq ssl.key.password "$kept"; then fail 'a former value is there'; fi
}

# What is put back has to be what was sealed for its entry.
case_what_is_kept_is_proved() {
	local first kind
	begin
	update CANARY-2
	first=$(newest)
	cp "$kept/$first" ../kept.copy
	cp sec.properties ../sec.2
	python3 - "$kept/$first" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		other = [l.split(' = ')[1].strip() for l in open('sec.properties')
		    if l.startswith('server.properties/') and 'ssl.key.password' not in l]
		d['files'][0]['entries'][0]['was'] = other[0]
		json.dump(d, open(sys.argv[1], 'w'), separators=(',', ':'))
	END
	run log undo "$first"
	expect_rc 4
	expect_err 'was not sealed for this entry'
	cmp sec.properties ../sec.2 || fail 'it was written'
	for text in '' '{' '[]' '{"schema":"propseal.kept/1","files":[]}' \
	    '{"schema":"propseal.kept/1","files":[{"file":"/x","entries":[{"was":"y"}]}]}'; do
		printf '%s' "$text" >"$kept/$first"
		run log undo "$first"
		[ "$rc" -ne 0 ] || fail "taken: $text"
		cmp sec.properties ../sec.2 || fail 'it was written'
	done
	rm "$kept/$first"
	for kind in 'ln -s ../../../kept.copy' mkfifo; do
		$kind "$kept/$first"
		run log undo "$first"
		expect_rc 1
		cmp sec.properties ../sec.2 || fail 'it was written'
		rm "$kept/$first"
	done
	run log show
	expect_rc 0
	chmod 755 "$kept"
	run log undo "$first"
	expect_rc 1
	expect_err 'others may open it'
	chmod 700 "$kept"
	cp ../kept.copy "$kept/$first"
	run log undo "$first"
	expect_rc 0
	expect_as_before
}

case_it_is_kept_for_so_many_days() {
	local first
	begin
	update CANARY-2
	first=$(newest)
	touch -d '31 days ago' "$kept"/*
	update CANARY-3
	[ ! -e "$kept/$first" ] || fail 'it is kept for longer'
	settings 'undo-days = 0'
	update CANARY-4
	[ -z "$(ls "$kept")" ] || fail 'what was kept is there'
	undo
	expect_rc 1
	expect_err 'undo-days'
	settings 'undo-days = x'
	run log show
	expect_rc 1
	expect_err 'undo-days is not a whole number from 0 to 3650'
}

# Of so many bytes the oldest go.
case_it_is_kept_up_to_a_size() {
	local first
	begin
	update CANARY-2
	first=$(newest)
	# By hand: what is kept is counted anew.
	rm "$kept/.index"
	truncate -s 40M "$kept/2000000"
	truncate -s 30M "$kept/1000000"
	update CANARY-3
	[ ! -e "$kept/$first" ] || fail 'the oldest is there'
	[ -e "$kept/2000000" ] || fail 'the newest is gone'
	[ ! -e "$kept/1000000" ] || fail 'there is too much'
}

# What is kept is counted on from change to change; what the count says wrong it finds out.
case_what_is_kept_is_counted() {
	local first n text
	begin
	for n in 2 3 4; do update "CANARY-$n"; done
	first=$(newest)
	update CANARY-5
	# The oldest goes, and the next one, one after the other.
	for n in "$kept"/*; do touch -d '31 days ago' "$n"; done
	touch "$kept/$first"
	update CANARY-6
	[ "$(find "$kept" -name '[0-9]*' | wc -l)" -eq 3 ] || fail "kept: $(ls "$kept")"
	[ -e "$kept/$first" ] || fail 'one that is not old is gone'
	[ "$(sed -n 3p "$kept/.index" | sed 's/^0*//')" = \
	    "$(cat "$kept"/[0-9]* | wc -c)" ] || fail 'the sum is another'
	for text in '' x "$(printf '%019d\n' 1 999999 5)"; do
		printf '%s\n' "$text" >"$kept/.index"
		first=$(newest)
		touch -d '31 days ago' "$kept/$first"
		update "CANARY-$first"
		[ ! -e "$kept/$first" ] || fail "$first is kept for longer"
		[ "$(sed -n 2p "$kept/.index" | sed 's/^0*//')" = "$(newest)" ] || fail 'the index'
	done
	# A trail that is begun anew.
	rm "$trail"
	for n in "$kept"/*; do touch -d '31 days ago' "$n"; done
	update CANARY-10
	[ "$(find "$kept" -name '[0-9]*' | wc -l)" -eq 1 ] || fail "kept: $(ls "$kept")"
}

# After a trail was begun anew, what is kept under a number may be of another change.
case_what_another_user_changed_is_not_taken_for_ones_own() {
	begin
	update CANARY-2
	cp sec.properties ../sec.2
	sed -i "s/\"uid\":$(id -u),/\"uid\":$(($(id -u) + 1)),/" "$trail"
	run log show -o json
	expect_json "$out" 'd["changes"][-1]["undo"], d["changes"][-1]["undo_error"]' \
	    "(False, 'another user made it, and has what undoes it')"
	undo
	expect_rc 1
	expect_err 'was made by user'
	cmp sec.properties ../sec.2 || fail 'it was written'
}

# A folder that cannot be is told, and the change is made.
case_what_cannot_be_kept_is_told() {
	begin
	rm -rf "$kept"
	ln -s /tmp "$kept"
	update CANARY-2
	expect_err 'this change cannot be undone from the trail'
	expect_value CANARY-2
	rm "$kept"
}

# The rest of a value of which a part was changed may be clear text, and is not kept.
case_a_part_of_a_value_says_why_it_stays() {
	local option=sasl.jaas.config/org.x.PlainLoginModule/password
	begin
	printf 'sasl.jaas.config=org.x.PlainLoginModule required username="u" password="CANARY-j";\n' \
	    >>server.properties
	on server.properties encrypt --config "$option"
	undo
	expect_rc 1
	expect_err 'cannot be undone: there was clear text before it'
	on server.properties remove --config "$option"
	expect_rc 0
	undo
	expect_rc 1
	expect_err 'cannot be undone: it changed a part of a value, such as an option of JAAS'
	expect_no 'clear text before'
	feed "$option=CANARY-k" file add --config-file server.properties --config - \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	undo
	expect_rc 1
	expect_err '`propseal file add` and `remove` change the part again'
	# A value that is replaced in its sealed entry alone is taken back, however it is referred to.
	sed -i 's/password=\(${[^}]*}\)/password="\1"/' server.properties
	cp server.properties ../server.quoted
	feed "$option=CANARY-l" file update --config-file server.properties --config - \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	cmp server.properties ../server.quoted || fail 'the reference was written again'
	undo
	expect_rc 0
}

# A change of which a part failed is taken back as far as it was made.
case_a_part_is_taken_back() {
	begin
	run file remove --config-file server.properties --config ssl.key.password \
	    --local-secrets-file sec.properties
	expect_rc 0
	cp ../server.0 server.properties
	undo
	expect_rc 0
	expect_as_before
}

run_cases "$@"
