#!/usr/bin/env bash
# The trail: an intent and an outcome of every change, in a chain that shows
# what was done to it, and `propseal log`.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

# Every case has a trail of its own.
own_trail() {
	export XDG_STATE_HOME=$PWD/../state
	trail=$XDG_STATE_HOME/propseal/trail.jsonl
}

# settings LINE...  A propseal.ini of the user with these lines in [files].
settings() {
	printf '[files]\n' >../own.ini
	printf '%s\n' "$@" >>../own.ini
	export PROPSEAL_CONFIG=$PWD/../own.ini
}

# log_is EXPRESSION VALUE: of `log show -o json`.
log_is() {
	run log show -o json
	expect_rc 0
	expect_json "$out" "$1" "$2"
}

# verify_finds FAULT...  in any order.
verify_finds() {
	run log verify -o json
	expect_rc 3
	expect_json "$out" '" ".join(sorted(f["fault"] for f in d["findings"]))' "$*"
	run log verify
	expect_rc 3
}

expect_whole() {
	run log verify
	expect_rc 0
	expect_out 'the chain is whole'
}

# Whatever writes a file says so: new keys, a template, what was lost.
case_every_command_that_writes_a_file_has_its_lines() {
	own_trail
	seal
	printf 'CANARY a new one\n' >newpass
	run rotation plan . --master-key --passphrase-new @newpass
	expect_rc 0
	run rotation apply --passphrase-new @newpass --new-master-key-file new.key
	expect_rc 0
	unset CONFLUENT_SECURITY_MASTER_KEY
	run recover plan --local-secrets-file sec.properties --output-file values
	expect_rc 0
	sed -i 's/password=$/password=CANARY-new/' values
	run recover apply --local-secrets-file sec.properties --config @values --passphrase @newpass
	expect_rc 0
	log_is '[(c["command"], [f["file"].split("/")[-1].split(".lost-")[0] for f in c["files"]])
	    for c in d["changes"][1:]]' "[('rotation apply', ['new.key']), \
('rotation apply', ['sec.properties']), ('recover plan', ['values']), \
('recover apply', ['sec.properties', 'sec.properties'])]"
	expect_json "$out" '{c["outcome"] for c in d["changes"]}' "{'done'}"
	expect_whole
	! grep -r CANARY "$XDG_STATE_HOME/propseal/trail.jsonl" || fail 'a value is in the trail'
}

# No plan of edits, and a line all the same: what a check, git's set-up, a merge and the end of a
# rotation write, change the mode of or remove.
case_what_is_no_plan_has_its_lines() {
	own_trail
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$PWD/../gitconfig
	export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@e GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@e
	seal
	printf 'other.password=CANARY-clear\n' >other.properties
	run audit --baseline known.json --update-baseline .
	expect_rc 0
	git init -q -b main . && git add . && git commit -qm base || fail 'no repository'
	run git install
	expect_rc 0
	run git install --global
	expect_rc 0
	git add . && git commit -qnm installed && git branch other
	set_one() {
		printf '%s=%s\n' "$1" CANARY-merged >../text
		run file add --config-file server.properties --local-secrets-file sec.properties \
		    --remote-secrets-file "$remote" --config @../text
		expect_rc 0
		git commit -qnam "$1" || fail "no commit of $1"
	}
	set_one here.password
	git checkout -q other && set_one there.password
	git checkout -q main
	git merge -q -X ours -m merged other >"$out" 2>"$err" || fail "no merge: $(cat "$err")"
	chmod 666 sec.properties
	echo left >.server.properties.propseal-tmp
	run doctor --fix --yes .
	run git uninstall
	expect_rc 0
	run rotation plan . --data-key
	expect_rc 0
	for step in apply verify finish; do
		run rotation $step --yes
		expect_rc 0
	done
	log_is '[(c["command"], [(f["file"].split("/")[-1], f["role"], f["new"], f["keys"])
	    for f in c["files"]], c["outcome"]) for c in d["changes"]
	    if c["command"] not in ("file encrypt", "file add", "rotation apply")]' \
	    "[('audit', [('known.json', 'output', True, [])], 'done'), \
('git install', [('config', 'settings', False, ['diff.propseal.textconv', 'merge.propseal.name', \
'merge.propseal.driver'])], 'done'), \
('git install', [('.gitattributes', 'output', True, []), ('pre-commit', 'output', True, [])], \
'done'), \
('git install', [('gitconfig', 'settings', False, ['diff.propseal.textconv', \
'merge.propseal.name', 'merge.propseal.driver'])], 'done'), \
('git merge', [('sec.properties', 'secrets', False, ['server.properties/there.password'])], \
'done'), \
('doctor', [('.server.properties.propseal-tmp', 'leftover', False, []), \
('sec.properties', 'mode', False, [])], 'done'), \
('git uninstall', [('pre-commit', 'removed', False, [])], 'done'), \
('git uninstall', [('.gitattributes', 'removed', False, [])], 'done'), \
('git uninstall', [('config', 'settings', False, ['diff.propseal', 'merge.propseal'])], 'done'), \
('rotation finish', [('sec.properties', 'original', False, [])], 'done')]"
	expect_json "$out" '{c["files"][0]["file"] for c in d["changes"] if c["command"] == "git merge"}' \
	    "{'$PWD/sec.properties'}"
	expect_whole
	! grep -r CANARY "$XDG_STATE_HOME/propseal" || fail 'a value is in the trail'
}

# Nor is any of it done where the trail is required and cannot be written.
case_what_is_no_plan_is_refused_without_a_trail_that_is_required() {
	own_trail
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$PWD/../gitconfig
	seal
	git init -q .
	run git install
	expect_rc 0
	run rotation plan . --data-key
	expect_rc 0
	run rotation apply --yes
	expect_rc 0
	run rotation verify
	expect_rc 0
	chmod 666 sec.properties
	find . "$XDG_STATE_HOME/propseal/rotations" -type f -exec sha256sum {} + | sort -k2 >../before
	settings 'trail = /nowhere/trail.jsonl' 'trail-required = yes'
	run git uninstall
	expect_rc 1
	expect_err 'the trail is required'
	run doctor --fix --yes .
	expect_err 'the trail is required'
	expect_mode sec.properties 666
	run rotation finish --yes
	expect_rc 1
	expect_err 'the trail is required'
	run audit --baseline known.json --update-baseline .
	expect_rc 1
	expect_err 'the trail is required'
	find . "$XDG_STATE_HOME/propseal/rotations" -type f -exec sha256sum {} + | sort -k2 >../after
	cmp ../before ../after || fail "$(diff ../before ../after)"
}

# One that cannot be written and need not be is told, of them as of all others.
case_that_no_trail_can_be_written_is_told_of_every_file() {
	own_trail
	seal
	settings 'trail = /nowhere/trail.jsonl'
	for command in 'audit --baseline known.json --update-baseline .' \
	    'rotation plan . --data-key' 'rotation apply --yes' 'rotation rollback --yes'; do
		# shellcheck disable=SC2086
		run $command
		expect_rc 0
		[ "$command" = 'rotation plan . --data-key' ] || expect_err 'is not in the trail'
	done
	sed -i 's/ENC/XENC/' sec.properties
	unset CONFLUENT_SECURITY_MASTER_KEY
	run recover plan --local-secrets-file sec.properties --output-file values
	expect_err 'is not in the trail'
}

case_a_change_has_an_intent_and_an_outcome() {
	own_trail
	seal
	expect_mode "$trail" 600
	expect_mode "$XDG_STATE_HOME/propseal" 700
	[ "$(wc -l <"$trail")" -eq 2 ] || fail "$(cat "$trail")"
	log_is 'len(d["changes"])' 1
	expect_json "$out" 'd["changes"][0]["command"]' 'file encrypt'
	expect_json "$out" 'd["changes"][0]["outcome"]' "done"
	expect_json "$out" 'd["changes"][0]["uid"]' "$(id -u)"
	expect_json "$out" 'd["changes"][0]["user"]' "$(id -un)"
	expect_json "$out" 'd["changes"][0]["host"]' "$(uname -n)"
	expect_json "$out" '[f["file"] for f in d["changes"][0]["files"]]' \
	    "['$PWD/sec.properties', '$PWD/server.properties']"
	expect_json "$out" '"ssl.key.password" in d["changes"][0]["files"][1]["keys"]' True
	expect_json "$out" '"server.properties/ssl.key.password" in d["changes"][0]["files"][0]["keys"]' True
	expect_whole
}

case_every_command_is_in_it_and_no_value() {
	own_trail
	run master-key generate --local-secrets-file new.properties --passphrase @pass
	seal
	on server.properties add --config new.key=CANARY-1
	on server.properties update --config new.key=CANARY-2
	on server.properties decrypt --output-file plain.properties
	on server.properties remove --config new.key
	run file rotate --data-key --local-secrets-file sec.properties
	run render server.properties --local-secrets-file sec.properties --output-file clear.properties
	expect_rc 0
	printf 'x.password=CANARY-x\n' >x.properties
	run seal x.properties --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	expect_rc 0
	EDITOR='sed -i s/CANARY-sasl/CANARY-edited/' run edit server.properties \
	    --local-secrets-file sec.properties --yes
	expect_rc 0
	git init -q . && run git install
	expect_rc 0
	log_is '[c["command"] for c in d["changes"]]' "['master-key generate', 'file encrypt', \
'file add', 'file update', 'file decrypt', 'file remove', 'file rotate', 'render', 'seal', 'edit', \
'git install', 'git install']"
	expect_json "$out" '{c["outcome"] for c in d["changes"]}' "{'done'}"
	expect_json "$out" '[c["environment"] for c in d["changes"] if c["command"] == "seal"]' "['.']"
	expect_not_in "$trail" CANARY
	expect_not_in "$trail" 'ENC['
	expect_not_in "$trail" "$(cat master.key)"
	expect_whole
}

case_a_rotation_and_its_way_back_are_in_it() {
	own_trail
	seal
	printf 'CANARY another\n' >../newpass
	run rotation plan . --master-key --passphrase-new @../newpass
	expect_rc 0
	log_is 'len(d["changes"])' 1
	run rotation apply --yes --passphrase-new @../newpass --new-master-key-file ../new.key
	expect_rc 0
	run rotation rollback --yes
	expect_rc 0
	log_is '[(c["command"], c["environment"], c["outcome"]) for c in d["changes"][1:]]' \
	    "[('rotation apply', None, 'done'), ('rotation apply', '.', 'done'), \
('rotation rollback', '.', 'done')]"
	expect_not_in "$trail" CANARY
	expect_not_in "$trail" "$(cat ../new.key)"
	expect_whole
}

case_what_only_shows_is_not_in_it() {
	own_trail
	on server.properties encrypt --dry-run
	run file show server.properties --local-secrets-file sec.properties
	run file verify .
	run log
	expect_rc 0
	expect_err 'no change yet'
	run log verify
	expect_rc 0
	expect_out 'no line yet'
	[ ! -e "$XDG_STATE_HOME" ] || fail "something is there"
}

case_a_change_that_fails_is_told_with_its_reason() {
	own_trail
	ln server.properties other.properties
	on server.properties encrypt
	expect_rc 1
	log_is 'd["changes"][0]["outcome"]' failed
	expect_json "$out" '"hard link" in d["changes"][0]["files"][1]["error"]' True
	run log
	expect_out 'failed, nothing changed'
	expect_out 'not changed:'
	expect_whole
}

case_show_filters() {
	own_trail
	cp server.properties other.properties
	seal
	on other.properties encrypt --config sasl.secret
	run log show --file other.properties -o json
	expect_json "$out" '[c["change"] for c in d["changes"]]' '[3]'
	run log show --key sasl.secret -o json
	expect_json "$out" '[c["change"] for c in d["changes"]]' '[3]'
	run log show --key ssl.key.password -o json
	expect_json "$out" '[c["change"] for c in d["changes"]]' '[1]'
	run log show --key server.properties/ssl.key.password -o json
	expect_json "$out" '[c["change"] for c in d["changes"]]' '[1]'
	run log show --file . --since 1h -o json
	expect_json "$out" 'len(d["changes"])' 2
	run log show --user "$(id -un)" --since today -o json
	expect_json "$out" 'len(d["changes"])' 2
	run log show --user nobody-else -o json
	expect_json "$out" 'len(d["changes"])' 0
	run log show --since 2999-01-01
	expect_rc 0
	expect_err 'no change of that kind'
	run log show --since tomorrow
	expect_rc 2
	# A file that is gone is found by the end of its path.
	rm other.properties
	run log show --file other.properties -o json
	expect_json "$out" '[c["change"] for c in d["changes"]]' '[3]'
}

case_a_changed_line_is_found() {
	own_trail
	seal
	on server.properties add --config a.b=CANARY-1
	sed -i '1s/server.properties/serverX.properties/' "$trail"
	verify_finds changed
	expect_out "$trail:1: line 1 of the chain was changed"
}

case_a_line_made_new_with_its_hash_is_found() {
	own_trail
	seal
	on server.properties add --config a.b=CANARY-1
	python3 - "$trail" <<-'END'
		import hashlib, sys
		lines = open(sys.argv[1]).read().splitlines()
		body = lines[1].split(',"hash":')[0].replace('"done"', '"failed"')
		lines[1] = body + ',"hash":"' + hashlib.sha256(body.encode()).hexdigest() + '"}'
		open(sys.argv[1], "w").write("\n".join(lines) + "\n")
	END
	verify_finds changed
	expect_out ':3: the line before this one is not the one that this was written behind'
}

case_missing_lines_are_found() {
	own_trail
	seal
	on server.properties add --config a.b=CANARY-1
	on server.properties add --config a.c=CANARY-1
	cp "$trail" ../whole
	sed -i '1,2d' "$trail"
	verify_finds missing
	sed '3,4d' ../whole >"$trail"
	verify_finds missing
	expect_out ':3: lines 3 to 4 of the chain are missing before this line'
	sed '6d' ../whole >"$trail"
	verify_finds open
	# The one that goes with it is without an outcome, too.
	sed '4d' ../whole >"$trail"
	verify_finds missing open
}

case_lines_in_another_order_are_found() {
	own_trail
	seal
	on server.properties add --config a.b=CANARY-1
	sed -i '2{h;d};3{G}' "$trail"
	run log verify -o json
	expect_rc 3
	expect_json "$out" 'sorted(f["fault"] for f in d["findings"])' "['moved']"
	sed -i '2p' "$trail"
	run log verify
	expect_rc 3
	expect_out 'a second time'
}

case_a_cut_line_is_found_and_the_chain_goes_on() {
	own_trail
	seal
	head -c 100 "$trail" >>"$trail"
	on server.properties add --config a.b=CANARY-1
	expect_rc 0
	expect_no 'not in the trail'
	[ "$(wc -l <"$trail")" -eq 5 ] || fail "$(cat "$trail")"
	verify_finds cut
	expect_out "$trail:3:"
	log_is '[c["change"] for c in d["changes"]]' '[1, 3]'
}

case_a_kill_between_leaves_an_intent_without_outcome() {
	own_trail
	hold_writer server.properties
	"$PROPSEAL" file encrypt --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" 2>/dev/null &
	local pid=$!
	until_true [ -s "$trail" ]
	run log verify
	expect_rc 0
	expect_out '1 change at work'
	run log
	expect_out 'at work'
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	let_go
	verify_finds open
	expect_out 'change 1 has an intent and no outcome'
	run log
	expect_out 'no outcome is written'
	# What comes next is chained behind it.
	seal
	verify_finds open
	log_is '[c["outcome"] for c in d["changes"]]' "['unknown', 'done']"
}

# hold_writer NAME  Have the file open for writing, so that a change of it waits.
hold_writer() {
	python3 - "$1" <<-'END' &
		import sys, time
		f = open(sys.argv[1], "a")
		open("held", "w")
		time.sleep(60)
	END
	holder=$!
	until_true [ -e held ]
	rm held
}

case_two_writers_and_eight_make_one_chain() {
	own_trail
	local i n
	for i in 1 2 3 4 5 6 7 8; do
		mkdir "d$i" && cp server.properties sec.properties "d$i"
		(cd "d$i" && for n in 1 2 3 4 5; do
			"$PROPSEAL" file add --config-file server.properties --local-secrets-file \
			    sec.properties --remote-secrets-file "$remote" --config "k$n=CANARY" \
			    2>/dev/null || echo failed >>../failures
		done) &
	done
	wait
	[ ! -e failures ] || fail 'a writer failed'
	[ "$(wc -l <"$trail")" -eq 80 ] || fail "$(wc -l <"$trail") lines"
	expect_whole
	log_is '{c["outcome"] for c in d["changes"]}' "{'done'}"
}

case_a_full_file_is_moved_away_and_the_chain_goes_on() {
	own_trail
	settings 'trail-size = 4096' "trail = $PWD/../t/trail.jsonl"
	mkdir ../t
	local i
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		on server.properties add --config "k$i=CANARY"
		expect_rc 0
	done
	set -- ../t/trail.jsonl.0*
	[ $# -ge 2 ] || fail "$(ls -l ../t)"
	expect_mode "$1" 600
	run log verify -o json
	expect_rc 0
	expect_json "$out" '[d["lines"], d["last"], len(d["findings"])]' '[24, 24, 0]'
	expect_json "$out" 'd["files"]' $(($# + 1))
	log_is '[c["change"] for c in d["changes"]]' '[1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23]'
	# One of them taken away is found.
	rm "$2"
	run log verify
	expect_rc 3
	expect_out 'missing'
	# And where the newest is gone, the chain does not begin anew.
	rm ../t/trail.jsonl
	on server.properties add --config k13=CANARY
	expect_rc 0
	run log verify -o json
	expect_json "$out" 'd["last"] > 4' True
}

case_a_trail_shared_by_a_group() {
	own_trail
	mkdir ../shared && chmod 2770 ../shared
	settings "trail = $PWD/../shared/trail.jsonl" 'trail-size = 4096'
	seal
	expect_mode ../shared/trail.jsonl 660
	local i
	for i in 1 2 3 4 5 6; do
		on server.properties add --config "k$i=CANARY"
	done
	expect_mode ../shared/trail.jsonl 660
	set -- ../shared/trail.jsonl.*
	expect_mode "$1" 660
	[ "$(id -u)" -eq 0 ] || return 0
	# Two users of the group, each of whom has the other's files before him.
	chown -R root:daemon ../shared && chmod 2770 ../shared
	chmod 755 .. ../.. && chmod 644 ../own.ini
	mkdir ../his && cp sec.properties server.properties ../his && chown -R nobody:daemon ../his
	cd ../his || exit 1
	HOME=$PWD setpriv --reuid=nobody --regid=daemon --clear-groups "$PROPSEAL" file add \
	    --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --config n=CANARY >"$out" 2>"$err"
	rc=$?
	expect_rc 0
	expect_no 'not in the trail'
	cd ../in || exit 1
	on server.properties add --config k7=CANARY
	expect_rc 0
	expect_no 'not in the trail'
	expect_whole
	log_is 'sorted({c["user"] for c in d["changes"]})' "['nobody', 'root']"
}

case_a_trail_that_cannot_be_written_is_told() {
	own_trail
	settings "trail = $PWD/../no/such/trail.jsonl"
	on server.properties encrypt
	expect_rc 0
	expect_err 'this change is not in the trail'
	expect_err 'no/such/trail.jsonl'
	on server.properties encrypt -o json
	ln -s /etc/passwd ../link
	settings "trail = $PWD/../link"
	on server.properties add --config a=CANARY -o json
	expect_rc 0
	expect_json "$out" 'any("not in the trail" in n for n in d["notes"])' True
	echo x >../one && ln ../one ../two
	settings "trail = $PWD/../one"
	on server.properties add --config b=CANARY
	expect_err 'hard link'
	expect_file ../one x
}

case_a_required_trail_refuses_the_change_before_it_begins() {
	own_trail
	settings "trail = $PWD/../no/such/trail.jsonl" 'trail-required = yes'
	snapshot
	on server.properties encrypt
	expect_rc 1
	expect_err 'nothing is changed, as the trail is required'
	expect_err 'hint:'
	expect_unchanged
	settings "trail = /dev/null" 'trail-required = yes'
	on server.properties encrypt
	expect_rc 1
	expect_unchanged
	mkdir -p ../no/such
	settings "trail = $PWD/../no/such/trail.jsonl" 'trail-required = yes'
	seal
}

case_no_trail_is_kept_where_the_user_wants_none() {
	own_trail
	settings 'trail = /dev/null'
	on server.properties encrypt
	expect_rc 0
	expect_no 'the trail'
	[ ! -e "$trail" ] || fail 'there is one'
	run log
	expect_rc 1
	expect_err 'no trail is kept'
}

case_without_a_home_it_is_told() {
	unset XDG_STATE_HOME
	(unset HOME && on server.properties encrypt && expect_rc 0 &&
	    expect_err 'neither XDG_STATE_HOME nor HOME names a folder') || exit 1
	export HOME=$PWD/../home
	on server.properties add --config a=CANARY
	expect_err 'not in the trail'
	[ ! -e "$HOME" ] || fail 'a home folder was made'
	mkdir "$HOME"
	on server.properties add --config b=CANARY
	expect_no 'not in the trail'
	[ -s "$HOME/.local/state/propseal/trail.jsonl" ] || fail 'no trail there'
}

case_a_repository_cannot_set_it() {
	own_trail
	unset PROPSEAL_CONFIG
	export HOME=$PWD/../home XDG_CONFIG_HOME=$PWD/../home
	git init -q .
	printf '[files]\ntrail = /dev/null\n' >propseal.ini
	on server.properties encrypt
	expect_rc 1
	expect_err "counts in the user's own propseal.ini only"
}

# A file system of its own, where this may be made: full, and then read-only.
case_a_full_or_read_only_file_system() {
	own_trail
	cat >../inside <<-'END'
		mount -t tmpfs -o size=64k none ../small || exit 77
		cd "$1" || exit 1
		dd if=/dev/zero of=../small/fill bs=1k count=100 2>/dev/null
		touch ../small/trail.jsonl
		"$PROPSEAL" file add --config-file server.properties --local-secrets-file sec.properties \
		    --remote-secrets-file /r --config a=CANARY 2>../said || exit 1
		[ ! -s ../small/trail.jsonl ] || exit 2
		rm ../small/fill
		"$PROPSEAL" file add --config-file server.properties --local-secrets-file sec.properties \
		    --remote-secrets-file /r --config b=CANARY 2>>../said || exit 3
		mount -o remount,ro ../small || exit 4
		"$PROPSEAL" file add --config-file server.properties --local-secrets-file sec.properties \
		    --remote-secrets-file /r --config c=CANARY 2>../said-ro || exit 5
		"$PROPSEAL" log verify >../said-verify || exit 6
	END
	mkdir ../small
	settings "trail = $PWD/../small/trail.jsonl"
	export PROPSEAL
	unshare -Urm --propagation private true 2>/dev/null || return 0
	unshare -Urm sh ../inside "$PWD"
	rc=$?
	[ "$rc" -ne 77 ] || return 0
	[ "$rc" -eq 0 ] || fail "step $rc: $(cat ../said)"
	grep -q 'No space left' ../said || fail "$(cat ../said)"
	grep -qi 'read-only' ../said-ro || fail "$(cat ../said-ro)"
	grep -q '^2 lines' ../said-verify || fail "$(cat ../said-verify)"
}

run_cases "$@"
