#!/usr/bin/env bash
# doctor --fix: what it mends, what it asks, and what it leaves alone.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

tmp=estate/.server.properties.propseal-tmp
lock=estate/.other.properties.propseal-lock

# What is taken away, and what is left of the modes 666 and 777.
others=go file_mode=644 folder_mode=755
if alone_in_group; then
	others=o file_mode=664 folder_mode=775
fi

# Everything that can be mended is wrong.
make_ill() {
	seal
	mkdir estate
	mv sec.properties server.properties estate/
	sed -i '/^config.providers/d' estate/server.properties
	chmod 666 estate/*
	chmod 777 estate
	echo CANARY-left >"$tmp"
	: >"$lock"
}

fix() {
	run doctor --fix estate "$@"
	expect_no CANARY "$(cat master.key)"
}

# states: the fixes of the JSON, as `kind state` in order of their files.
expect_states() {
	expect_json "$out" \
	    '" ".join(sorted(f["fix"] + ":" + f["state"] for f in d["fixes"]))' "$1"
}

case_all_is_mended() {
	make_ill
	fix --yes
	expect_rc 0
	expect_out "estate/sec.properties: fix: mode 666 becomes $file_mode"
	expect_out '+config.providers = securepass'
	expect_err "changed: estate: mode $folder_mode"
	expect_err "changed: $tmp: removed"
	expect_err 'changed: estate/server.properties: lines of the provider securepass'
	expect_mode estate "$folder_mode"
	expect_mode estate/sec.properties "$file_mode"
	expect_mode estate/server.properties 664
	[ ! -e "$tmp" ] && [ ! -e "$lock" ] || fail 'a leftover is still there'
	expect_in estate/server.properties 'config.providers=securepass'
	expect_in estate/server.properties 'config.providers.securepass.class=io.confluent'
	run file verify estate
	expect_rc 0
	run log show
	expect_out 'config.providers.securepass.class'
	snapshot
	fix --yes
	expect_rc 0
	expect_err 'nothing that could be mended'
	expect_unchanged
}

case_json_tells_each() {
	make_ill
	fix --yes -o json
	expect_rc 0
	expect_states 'leftover:done leftover:done mode:done mode:done mode:done provider:done'
	expect_json "$out" '(d["schema"], d["applied"], d["exit"], d["change"]["schema"])' \
	    "('propseal.fix/1', True, 0, 'propseal.change/1')"
}

case_a_dry_run_changes_nothing() {
	make_ill
	snapshot
	fix --dry-run -o json
	expect_rc 0
	expect_states 'leftover:planned leftover:planned mode:planned mode:planned mode:planned provider:planned'
	expect_json "$out" 'd["applied"]' False
	expect_unchanged
	expect_mode estate/sec.properties 666
	expect_mode estate 777
}

# The search for what is wrong takes nothing away either.
case_without_it_nothing_is_changed() {
	make_ill
	snapshot
	run doctor --root /nowhere estate
	expect_rc 3
	expect_out "$tmp: warning: a run that ended early left it"
	expect_out "$lock: note: a lock that nobody holds"
	expect_out 'for 5 of them there is `propseal doctor --fix`'
	expect_unchanged
	run doctor --yes estate
	expect_rc 2
	expect_err 'for --fix'
}

case_nobody_to_ask() {
	make_ill
	snapshot
	fix
	expect_rc 2
	expect_err 'no terminal to ask'
	expect_unchanged
}

case_a_terminal_is_asked() {
	make_ill
	snapshot
	on_terminal 'Mend? [y/N]' 'n\n' -- doctor --fix estate
	expect_rc 0
	expect_out "estate: fix: mode 777 becomes $folder_mode"
	expect_out '+config.providers = securepass'
	expect_out 'nothing was changed'
	expect_unchanged
	expect_mode estate 777
	on_terminal 'Mend? [y/N]' 'y\n' -- doctor --fix estate
	expect_rc 0
	expect_mode estate "$folder_mode"
	[ ! -e "$tmp" ] || fail 'the leftover is still there'
}

case_a_lock_in_use_is_no_leftover() {
	make_ill
	fix --yes
	cd estate || exit 1
	hold server.properties
	echo CANARY-new >.server.properties.propseal-tmp
	run doctor --fix --yes -o json .
	let_go
	expect_rc 0
	expect_states ''
	[ -e .server.properties.propseal-tmp ] || fail 'a file in use was removed'
}

# A run that replaces a file gives the new one the mode that it saw.
case_the_mode_of_a_file_in_use_is_not_changed() {
	make_ill
	fix --yes
	chmod 666 estate/sec.properties
	cd estate || exit 1
	hold sec.properties
	run doctor --fix --yes --lock-timeout 0 -o json .
	let_go
	expect_rc 1
	expect_states 'mode:failed'
	expect_err 'locked: held by another process'
	expect_mode sec.properties 666
	run doctor --fix --yes .
	expect_rc 0
	expect_mode sec.properties "$file_mode"
}

# What was not looked at is not well; the rest is mended.
case_what_cannot_be_read_is_told() {
	make_ill
	fix --yes
	run doctor --fix --yes no-such-folder
	expect_rc 1
	expect_err no-such-folder
	chmod 666 estate/sec.properties
	printf '{"name":' >estate/broken.json
	run file verify estate/broken.json
	expect_rc 1
	run doctor --fix --yes estate/sec.properties estate/broken.json
	expect_rc 1
	expect_err broken.json
	expect_mode estate/sec.properties "$file_mode"
	printf 'x=1\n' >other.properties
	run doctor --fix --yes --local-secrets-file missing.properties estate/server.properties
	expect_rc 1
	expect_err missing.properties
	printf 'a=\\u12\n' >>estate/sec.properties
	fix --yes --local-secrets-file estate/sec.properties
	expect_rc 1
	[ "$(grep -c 'sec.properties:.*malformed' "$err")" -eq 1 ] || fail 'not told once'
}

# What was looked at and agreed to is what is changed.
case_a_link_that_came_meanwhile_is_not_followed() {
	make_ill
	fix --yes
	sed -i '/^config.providers/d' estate/server.properties
	cp estate/server.properties precious.properties
	cp precious.properties before
	cd estate || exit 1
	hold server.properties
	"$PROPSEAL" doctor --fix --yes . >"$out" 2>"$err" &
	local mending=$!
	until_true grep -q 'waiting for another' "$err"
	ln -sf ../precious.properties server.properties
	let_go
	wait "$mending"
	rc=$?
	expect_rc 1
	expect_err 'in the meantime it is a symbolic link'
	cmp -s ../precious.properties ../before || fail 'a link was followed'
}

case_links_are_left() {
	make_ill
	fix --yes
	chmod 666 estate/sec.properties
	ln estate/sec.properties hard
	ln -s "$PWD/pass" "$tmp"
	fix --yes -o json
	expect_rc 3
	expect_states 'leftover:left mode:left'
	expect_json "$out" 'sorted(f["hint"] for f in d["fixes"])' \
	    "['whoever may do it: chmod $others-w estate/sec.properties', 'whoever may do it: rm $tmp']"
	expect_mode hard 666
	[ -L "$tmp" ] || fail 'the link is gone'
	rm hard "$tmp"
	mv estate real
	chmod 777 real
	ln -s real estate
	fix --yes -o json
	expect_rc 3
	expect_states 'mode:done mode:left'
	expect_mode real 777
}

case_files_of_others_are_left() {
	[ "$(id -u)" -eq 0 ] || return 0
	make_ill
	chown 12345 estate estate/* "$tmp" "$lock"
	snapshot
	fix --yes -o json
	expect_rc 3
	expect_states 'leftover:left leftover:left mode:left mode:left mode:left provider:left'
	expect_json "$out" '{f["text"] for f in d["fixes"]}' "{'it belongs to another user'}"
	expect_unchanged
	expect_mode estate 777
}

# One sweep takes both files of a run, so neither goes when one is not ours.
case_half_of_a_leftover_is_left() {
	make_ill
	fix --yes
	echo CANARY-theirs >keep
	ln -s "$PWD/keep" "$tmp"
	: >estate/.server.properties.propseal-lock
	fix --yes -o json
	expect_rc 3
	expect_states 'leftover:left leftover:left'
	[ -L "$tmp" ] || fail 'what was said to be left is gone'
	expect_out 'which stays: it is a symbolic link'
	rm "$tmp"
	if [ "$(id -u)" -eq 0 ]; then
		echo CANARY-theirs >"$tmp"
		chown 12345 "$tmp"
		fix --yes -o json
		expect_states 'leftover:left leftover:left'
		[ -e "$tmp" ] || fail 'the file of another user is gone'
		rm "$tmp"
	fi
	fix --yes -o json
	expect_rc 0
	expect_states 'leftover:done'
}

case_names_are_made_visible() {
	local esc=$'\e' odd
	make_ill
	fix --yes
	odd=estate/.x${esc}[2J.properties.propseal-tmp
	ln -s nowhere "$odd"
	fix --yes
	expect_rc 3
	expect_out 'it is a symbolic link'
	expect_no "$esc"
	chmod 666 estate/sec.properties
	mv estate/sec.properties "estate/s$esc.properties"
	fix --dry-run
	expect_no "$esc"
	fix --yes
	expect_no "$esc"
	expect_mode "estate/s$esc.properties" "$file_mode"
}

case_the_file_of_the_key() {
	make_ill
	fix --yes
	chmod 644 master.key
	fix --yes --master-key-file master.key
	expect_rc 0
	expect_mode master.key 600
}

# A connector's references are the worker's to resolve; a class that somebody chose stays.
case_the_right_file_gets_the_provider() {
	seal
	mkdir estate
	sed '/^config.providers/d' server.properties >estate/plain.properties
	printf 'name=c\nconnector.class=X\ndb.password=${securepass:%s:server.properties/ssl.key.password}\n' \
	    "$remote" >estate/connector.properties
	printf 'group.id=g\nkey.converter=k\nplugin.path=/p\n' >estate/connect-distributed.properties
	sed 's/^\(config.providers.securepass.class\)=.*/\1=of.another.Maker/' server.properties \
	    >estate/other.properties
	cp estate/other.properties other
	mv sec.properties estate/
	fix --yes -o json
	expect_rc 3
	expect_states 'provider:done provider:done provider:left'
	expect_in estate/plain.properties config.providers.securepass.class
	expect_in estate/connect-distributed.properties config.providers.securepass.class
	expect_not_in estate/connector.properties config.providers
	cmp -s estate/other.properties other || fail 'a chosen class was changed'
}

# A worker that two connectors are for is told of once, and of no other file.
case_a_left_worker_is_no_other_file() {
	seal
	mkdir estate
	mv sec.properties estate/
	printf 'name=c\nconnector.class=X\ndb.password=${securepass:%s:server.properties/ssl.key.password}\n' \
	    "$remote" >estate/a.properties
	cp estate/a.properties estate/z.properties
	sed '/^config.providers/d' server.properties >estate/m.properties
	printf 'group.id=g\nkey.converter=k\nplugin.path=/p\nconfig.providers=securepass\nconfig.providers.securepass.class=of.another.Maker\n' \
	    >estate/connect-distributed.properties
	fix --yes -o json
	expect_rc 3
	expect_states 'provider:done provider:left'
	expect_in estate/m.properties config.providers.securepass.class
	expect_in estate/connect-distributed.properties of.another.Maker
}

# Whose class is written may be decided by what came with a repository: that is told.
case_a_class_of_the_work_tree_is_told() {
	make_ill
	mkdir .git
	printf '[files]\nprovider-class = of.another.Maker\n' >propseal.ini
	unset PROPSEAL_CONFIG
	HOME=$PWD/home fix --dry-run
	expect_rc 0
	expect_out '+config.providers.securepass.class = of.another.Maker'
	expect_out 'which is in the work tree, says provider-class = of.another.Maker'
	HOME=$PWD/home fix --yes
	expect_rc 0
	expect_err 'which is in the work tree, says provider-class = of.another.Maker'
}

# What cannot be mended now is told, and the rest is done.
case_a_failure_is_told() {
	make_ill
	cp estate/server.properties estate/second.properties
	chmod 644 estate/second.properties
	cd estate || exit 1
	hold second.properties
	run doctor --fix --yes --lock-timeout 0 -o json .
	let_go
	expect_rc 1
	expect_states 'leftover:done leftover:done mode:done mode:done mode:done provider:failed provider:failed'
	expect_err second.properties
}

run_cases "$@"
