#!/usr/bin/env bash
# propseal edit: an editor on a copy in memory; what changed is sealed again.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

unset VISUAL XDG_RUNTIME_DIR

# server.properties sealed; before.properties as it was.
sealed() {
	cp server.properties before.properties
	on server.properties encrypt --config \
	    ssl.keystore.password,ssl.key.password,zookeeper.password,sasl.secret
	expect_rc 0
	snapshot
}

# editor COMMANDS  An editor that runs them on $1; the path it got is in `path`.
editor() {
	printf '#!/bin/sh\necho "$1" >"%s"\n%s\n' "$suite/path" "$1" >"$suite/editor"
	chmod +x "$suite/editor"
	export EDITOR=$suite/editor
	rm -f "$suite/path" "$suite/ready"
}

edit() {
	run edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" "$@"
}

# Nothing is left of the copy, its folder and what the editor put there.
expect_wiped() {
	[ -s "$suite/path" ] || fail "the editor did not run"
	[ ! -e "$(dirname "$(cat "$suite/path")")" ] || fail "the copy is still there"
}

# The sealed text of an entry.
entry() {
	grep -F "server.properties/$1 = " "${2:-sec.properties}"
}

expect_same_entry() {
	[ "$(entry "$1")" = "$(entry "$1" "$kept/sec.properties")" ] || fail "$1 was sealed anew"
}

case_without_a_change_nothing_happens() {
	sealed
	editor true
	edit --yes
	expect_rc 0
	expect_err 'nothing was changed'
	expect_unchanged
	expect_wiped
	# Not even when it is written again.
	editor 'cp "$1" "$1.new"; mv "$1.new" "$1"'
	edit --yes
	expect_rc 0
	expect_unchanged
	expect_wiped
}

case_the_copy_is_clear_text_of_the_same_name_in_memory() {
	sealed
	editor 'cp "$1" "'"$suite"'/seen"; stat -c %a "$1" "$(dirname "$1")" >"'"$suite"'/modes"
	    stat -f -c %T "$1" >>"'"$suite"'/modes"'
	edit --yes
	expect_rc 0
	[ "$(basename "$(cat "$suite/path")")" = server.properties ] || fail "another name"
	[ "$(head -n 2 "$suite/modes" | tr '\n' ' ')" = '600 700 ' ] || fail "modes"
	grep -q -e tmpfs -e ramfs "$suite/modes" || fail "not in memory: $(cat "$suite/modes")"
	grep -v '^config.providers' "$suite/seen" | sed 's/CANARY-zookeeper/CANARY\\\n    -zookeeper/' |
	    diff - before.properties >"$out" || fail "another text"
	rm -f "$suite/seen"
}

case_a_changed_secret_is_sealed_anew_and_no_other_byte_changes() {
	sealed
	editor 'sed -i s/CANARY-key$/CANARY-new/ "$1"'
	edit --yes
	expect_rc 0
	expect_changed 'sec.properties (1 entry)'
	cmp -s server.properties "$kept/server.properties" || fail "the configuration changed"
	expect_opens ssl.key.password CANARY-new
	expect_same_entry ssl.keystore.password
	expect_same_entry zookeeper.password
	expect_same_entry sasl.secret
	expect_wiped
}

case_an_editor_that_returns_at_once_is_told_of() {
	sealed
	snapshot
	editor ':'
	edit --yes
	expect_rc 0
	expect_err 'nothing was changed; an editor that returns at once'
	expect_err 'code --wait'
	editor 'sleep 2.1'
	edit --yes
	expect_rc 0
	expect_err 'nothing was changed'
	expect_no 'code --wait'
	expect_unchanged
}

case_new_and_removed_secrets() {
	sealed
	editor 'sed -i -e /zookeeper/d -e "s/^log.dirs=.*/# dirs\nlog.dirs=\/data/" "$1"
	    echo new.password=CANARY-added >>"$1"; echo new.thing=x >>"$1"'
	edit --yes
	expect_rc 0
	expect_no CANARY
	expect_opens new.password CANARY-added
	expect_not_in sec.properties zookeeper
	expect_not_in server.properties CANARY
	expect_in server.properties '# dirs'
	expect_in server.properties log.dirs=/data
	expect_in server.properties new.thing=x
	expect_same_entry ssl.key.password
	[ "$(grep -c '^config.providers' server.properties)" -eq 2 ] || fail "providers"
	run file verify --local-secrets-file sec.properties .
	expect_rc 0
	expect_wiped
}

case_new_secrets_that_stay_are_told() {
	sealed
	editor 'printf "%s\n" "my.token=CANARY-t" "a.password={{ x }}" "u=https://a:CANARY@h/" >>"$1"'
	edit --yes
	expect_rc 0
	expect_err 'my.token stays in clear text, and may be a secret'
	expect_err 'a.password holds a placeholder'
	expect_err 'u stays in clear text'
	sealed
	editor 'echo "b.password=\${file:/x:CANARY" >>"$1"'
	snapshot
	edit --yes
	expect_rc 1
	expect_err '"b.password": a reference is not closed'
	expect_unchanged
}

case_two_secrets_can_change_places() {
	sealed
	editor 'sed -i -e s/CANARY-keystore/CANARY-x/ -e s/CANARY-key$/CANARY-keystore/ -e s/CANARY-x/CANARY-key/ "$1"'
	edit --yes
	expect_rc 0
	expect_opens ssl.key.password CANARY-keystore
	expect_opens ssl.keystore.password CANARY-key
}

case_the_first_secrets_make_the_secrets_file() {
	rm sec.properties
	editor 'echo a.password=CANARY-a >"$1"'
	edit --yes
	expect_rc 0
	expect_opens a.password CANARY-a
	expect_mode sec.properties 600
}

case_dry_run_shows_and_writes_nothing() {
	sealed
	editor 'sed -i s/CANARY-key$/CANARY-new/ "$1"; echo more.password=CANARY-more >>"$1"'
	edit --dry-run
	expect_rc 0
	expect_no CANARY
	expect_out '+more.password = ${securepass:'
	expect_out '-server.properties/ssl.key.password = ENC['
	expect_unchanged
	expect_wiped
	edit --dry-run -o json
	expect_json "$out" '[f["role"] for f in d["files"]]' "['secrets', 'configuration']"
}

case_json_files() {
	printf '{"name": "c",\n "config": {"a.password": "CANARY-a", "b.password": "CANARY-b", "n": 5}}\n' \
	    >c.json
	run file encrypt --config-file c.json --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	expect_not_in c.json CANARY
	snapshot
	editor 'sed -i -e s/CANARY-a/CANARY-new/ -e s/5/6/ -e "s/\"n\"/\"c.password\": \"CANARY-c\", &/" "$1"'
	run edit c.json --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	expect_rc 0
	expect_not_in c.json CANARY
	[ "$(basename "$(cat "$suite/path")")" = c.json ] || fail "another name"
	[ "$(grep '^c.json/config.b.password' sec.properties)" = \
	    "$(grep '^c.json/config.b.password' "$kept/sec.properties")" ] || fail "b was sealed anew"
	run render c.json --local-secrets-file sec.properties
	expect_json "$out" 'd["config"]' \
	    "{'a.password': 'CANARY-new', 'b.password': 'CANARY-b', 'c.password': 'CANARY-c', 'n': 6}"
	expect_wiped
	snapshot
	editor 'echo "{" >"$1"'
	run edit c.json --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	expect_rc 1
	expect_unchanged
	# An array that gets shorter is more than edits can say.
	editor 'echo "{\"x\": [1, 2, 3]}" >"$1"'
	run edit c.json --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	expect_rc 0
	expect_not_in sec.properties c.json/
	editor 'echo "{\"x\": [1]}" >"$1"'
	run edit c.json --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	expect_rc 0
	expect_file c.json '{"x": [1]}'
	expect_wiped
}

case_options_inside_jaas() {
	printf 'sasl.jaas.config=a.M required \\\n  u="me" \\\n  password="CANARY old";\n' >server.properties
	on server.properties encrypt
	expect_rc 0
	snapshot
	editor 'sed -i -e "s/u=\"me\"/u=\"you\"/" -e "s/CANARY old\";/&b.M required password=CANARY2;/" "$1"'
	edit --yes
	expect_rc 0
	expect_not_in server.properties CANARY
	expect_in server.properties '  u="you" \'
	expect_in sec.properties 'server.properties/sasl.jaas.config/b.M/password'
	expect_same_entry sasl.jaas.config/a.M/password
	run render server.properties --local-secrets-file sec.properties
	expect_out '  password="CANARY old";b.M required password=CANARY2;'
	snapshot
	editor 'sed -i "s/CANARY old\"/CANARY old/" "$1"'
	edit --yes
	expect_rc 1
	expect_err 'server.properties:1: "sasl.jaas.config"'
	expect_no CANARY
	expect_unchanged
	expect_wiped
}

case_an_editor_that_fails_changes_nothing() {
	sealed
	editor 'echo x=CANARY >>"$1"; exit 3'
	edit --yes
	expect_rc 1
	expect_err 'the editor failed with status 3'
	expect_unchanged
	expect_wiped
	editor 'echo x=CANARY >>"$1"; kill -9 $$'
	edit --yes
	expect_rc 1
	expect_err 'ended by signal 9'
	expect_unchanged
	expect_wiped
	PATH=/usr/bin:/bin EDITOR=no-such-editor-here edit --yes
	expect_rc 1
	expect_err 'the editor was not found: no-such-editor-here'
	expect_unchanged
}

case_a_text_that_does_not_parse_changes_nothing() {
	sealed
	editor 'echo "x=CANARY\\u12" >>"$1"'
	edit --yes
	expect_rc 1
	expect_err 'propseal: server.properties:11: '
	expect_no CANARY
	expect_unchanged
	expect_wiped
}

case_an_empty_text_changes_nothing() {
	sealed
	editor ': >"$1"'
	edit --yes
	expect_rc 1
	expect_err 'the edited file is empty'
	expect_unchanged
	editor 'rm "$1"'
	edit --yes
	expect_rc 1
	expect_unchanged
	editor 'rm "$1"; ln -s "'"$PWD"'/pass" "$1"'
	edit --yes
	expect_rc 1
	expect_err 'another thing is in the place'
	expect_unchanged
	expect_wiped
}

case_a_secret_in_a_comment_is_refused() {
	sealed
	editor 'sed -i "s/^ssl.key.password/#&/" "$1"'
	edit --yes
	expect_rc 1
	expect_err 'server.properties:5: "ssl.key.password": this comment holds a value that was sealed'
	expect_no CANARY
	expect_unchanged
	expect_wiped
}

case_an_entry_of_another_file_is_not_overwritten() {
	sealed
	mkdir other
	printf 'a=1\n' >other/server.properties
	editor 'echo ssl.key.password=CANARY-mine >>"$1"'
	run edit other/server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes
	expect_rc 1
	expect_err 'the secrets file has this entry already'
	expect_no CANARY
	cmp -s sec.properties "$kept/sec.properties" || fail "the secrets file changed"
	run edit other/server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes --replace
	expect_rc 0
}

case_entries_of_another_base_name_stay_there() {
	sealed
	mkdir other
	printf 'ssl.key.password=CANARY-other\n' >other/server.properties
	run file encrypt --config-file other/server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --base-name two.properties
	expect_rc 0
	editor 'sed -i s/CANARY-other/CANARY-2/ "$1"'
	run edit other/server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --base-name two.properties --yes
	expect_rc 0
	[ "$(basename "$(cat "$suite/path")")" = server.properties ] || fail "another name"
	expect_in other/server.properties two.properties/ssl.key.password
	expect_opens ssl.key.password CANARY-key
	run render other/server.properties --local-secrets-file sec.properties --config ssl.key.password
	expect_file "$out" ssl.key.password=CANARY-2
}

kept_path() {
	sed -n 's/.* is kept in \([^ ]*\): .*/\1/p' "$err"
}

case_a_file_that_changed_meanwhile_is_not_overwritten() {
	sealed
	editor 'echo theirs=1 >>"'"$PWD"'/server.properties"; echo mine=CANARY-1 >>"$1"'
	edit --yes
	expect_rc 1
	expect_err 'propseal: server.properties: the file or its secrets changed while they were edited'
	expect_not_in server.properties mine
	expect_in server.properties theirs
	[ -s "$(kept_path)" ] || fail "the edited text is not kept"
	grep -q mine=CANARY-1 "$(kept_path)" || fail "the edited text is another"
	expect_mode "$(kept_path)" 600
	rm -r "$(dirname "$(kept_path)")"
}

case_a_secret_that_changed_meanwhile_is_not_overwritten() {
	sealed
	printf 'ssl.key.password=CANARY-theirs\n' >theirs
	editor '"'"$PROPSEAL"'" file update --config-file "'"$PWD"'/server.properties" \
	    --local-secrets-file "'"$PWD"'/sec.properties" --remote-secrets-file "'"$remote"'" \
	    --config @"'"$PWD"'/theirs" --master-key-file "'"$PWD"'/master.key"
	    sed -i s/CANARY-key$/CANARY-mine/ "$1"'
	edit --yes
	expect_rc 1
	expect_err 'changed while they were edited'
	expect_opens ssl.key.password CANARY-theirs
	rm -r "$(dirname "$(kept_path)")"
}

case_other_entries_of_the_secrets_file_may_change_meanwhile() {
	sealed
	printf 'p.password=CANARY-theirs\n' >other.properties
	editor '"'"$PROPSEAL"'" file encrypt --config-file "'"$PWD"'/other.properties" \
	    --local-secrets-file "'"$PWD"'/sec.properties" --remote-secrets-file "'"$remote"'" \
	    --master-key-file "'"$PWD"'/master.key"
	    sed -i s/CANARY-key$/CANARY-mine/ "$1"'
	edit --yes
	expect_rc 0
	expect_opens ssl.key.password CANARY-mine
	expect_in sec.properties other.properties/p.password
	expect_wiped
}

case_a_lock_that_is_held_keeps_the_text() {
	sealed
	hold sec.properties
	editor 'echo mine=CANARY-1 >>"$1"'
	edit --yes --lock-timeout 0
	let_go
	expect_rc 5
	[ -s "$(kept_path)" ] || fail "the edited text is not kept"
	rm -r "$(dirname "$(kept_path)")"
}

case_what_an_editor_leaves_beside_it_is_wiped() {
	sealed
	editor 'cp "$1" "$1~"; mkdir "$1.d"; cp "$1" "$1.d/.swp"; ln -s /etc/passwd "$1.link"'
	edit --yes
	expect_rc 0
	expect_wiped
	[ -s /etc/passwd ] || fail "a link was followed"
}

# Another name of the same file shows that the bytes go, and not only the name.
case_the_copy_is_overwritten_and_not_only_removed() {
	local folder
	sealed
	folder=$(mktemp -d /dev/shm/propseal-test.XXXXXX) || return 0
	editor 'ln "$1" "'"$folder"'/hard"'
	edit --yes
	rc2=$rc
	size=$(stat -c %s "$folder/hard")
	left=$(tr -d '\0' <"$folder/hard" | wc -c)
	rm -r "$folder"
	[ "$rc2" -eq 0 ] && [ "$left" -eq 0 ] && [ "$size" -gt 0 ] || fail "$left of $size bytes left"
}

case_signals_wipe_the_copy() {
	local signal
	sealed
	for signal in TERM INT HUP QUIT; do
		editor 'echo x=CANARY >>"$1"; cp "$1" "$1~"; touch "'"$suite"'/ready"; exec sleep 30'
		plainly "$PROPSEAL" edit server.properties --local-secrets-file sec.properties \
		    --remote-secrets-file "$remote" --yes >"$out" 2>"$err" &
		pid=$!
		until_true [ -e "$suite/ready" ]
		kill -$signal $pid
		wait $pid
		rc=$?
		expect_rc $((128 + $(kill -l $signal)))
		expect_wiped
		rm "$suite/ready"
		expect_unchanged
	done
}

case_killed_it_wipes_the_copy_too() {
	sealed
	editor 'echo x=CANARY >>"$1"; cp "$1" "$1~"; touch "'"$suite"'/ready"; exec sleep 30'
	"$PROPSEAL" edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes >"$out" 2>"$err" &
	pid=$!
	until_true [ -e "$suite/ready" ]
	kill -KILL $pid
	wait $pid
	until_true [ ! -e "$(dirname "$(cat "$suite/path")")" ]
	expect_unchanged
}

case_an_editor_that_will_not_end_is_ended() {
	sealed
	editor 'trap "" TERM; echo x=CANARY >>"$1"; touch "'"$suite"'/ready"
	    while :; do sleep 0.1; done'
	"$PROPSEAL" edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes >"$out" 2>"$err" &
	pid=$!
	until_true [ -e "$suite/ready" ]
	kill -TERM $pid
	wait $pid
	rc=$?
	expect_rc 143
	expect_wiped
}

case_the_editor_gets_no_key_and_makes_no_core_file() {
	sealed
	ulimit -Sc "$(ulimit -Hc)"
	editor 'env >"'"$suite"'/env"; umask >"'"$suite"'/mask"; ulimit -Sc >>"'"$suite"'/mask"
	    tr "\0" " " </proc/$PPID/cmdline >"'"$suite"'/cmdline"'
	umask 022
	edit --yes
	expect_rc 0
	grep -qF "$CONFLUENT_SECURITY_MASTER_KEY" "$suite/env" && fail "the key is in its environment"
	[ "$(tr '\n' ' ' <"$suite/mask")" = '0077 0 ' ] || fail "mask or core limit: $(cat "$suite/mask")"
	grep -q CANARY "$suite/cmdline" && fail "a secret is on a command line"
	return 0
}

case_visual_goes_before_editor_and_may_have_arguments() {
	sealed
	editor true
	printf '#!/bin/sh\necho "$@" >"%s"\n' "$suite/arguments" >"$suite/visual"
	chmod +x "$suite/visual"
	VISUAL="$suite/visual -a 'b c'" edit --yes
	expect_rc 0
	grep -q '^-a b c /.*/server.properties$' "$suite/arguments" || fail "$(cat "$suite/arguments")"
	[ ! -e "$suite/path" ] || fail "EDITOR ran"
	VISUAL="A=1; $suite/visual" edit --yes
	expect_rc 0
}

case_vim_is_told_to_keep_nothing() {
	sealed
	mkdir "$suite/bin"
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s"\n' "$suite/arguments" >"$suite/bin/vim"
	chmod +x "$suite/bin/vim"
	ln -s vim "$suite/bin/vi"
	for command in vim vi "$suite/bin/vi"; do
		PATH=$suite/bin:$PATH EDITOR=$command edit --yes
		expect_rc 0
		[ "$(head -n 3 "$suite/arguments" | tr '\n' ' ')" = '-n -i NONE ' ] ||
		    fail "$command: $(cat "$suite/arguments")"
	done
	# Without anything it is vi.
	unset EDITOR
	rm "$suite/arguments"
	PATH=$suite/bin:$PATH edit --yes
	[ -s "$suite/arguments" ] || fail "vi did not run"
}

case_real_vim_leaves_nothing_behind() {
	command -v vim >/dev/null || return 0
	sealed
	mkdir home
	HOME=$PWD/home EDITOR='vim -es -c "%s/CANARY-key$/CANARY-vim/" -c wq' edit --yes
	expect_rc 0
	expect_opens ssl.key.password CANARY-vim
	[ -z "$(find home -type f)" ] || fail "$(find home -type f)"
}

case_no_place_in_memory_is_refused() {
	[ "$(id -u)" -eq 0 ] || return 0
	unshare -m true 2>/dev/null || return 0
	sealed
	mkdir tmp
	editor 'sed -i s/CANARY-key$/CANARY-new/ "$1"'
	cat >in-namespace <<-'END'
		#!/bin/sh
		mount --bind / /mnt 2>/dev/null || exit 77
		mount --bind "$PWD/tmp" /dev/shm || exit 77
		exec "$@"
	END
	chmod +x in-namespace
	run_in() {
		TMPDIR=$PWD/tmp unshare -m ./in-namespace "$PROPSEAL" edit server.properties \
		    --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes "$@" \
		    >"$out" 2>"$err"
		rc=$?
	}
	if [ "$(stat -f -c %T tmp)" = tmpfs ]; then return 0; fi
	run_in
	[ "$rc" -ne 77 ] || return 0
	expect_rc 1
	expect_err 'no place in memory'
	expect_err '--insecure-tmp'
	[ ! -e "$suite/path" ] || fail "the editor ran"
	run_in --insecure-tmp
	expect_rc 0
	expect_err 'is on a disk'
	expect_opens ssl.key.password CANARY-new
	[ -z "$(ls tmp)" ] || fail "something is left in tmp"
}

case_usage() {
	sealed
	editor true
	edit
	expect_rc 2
	expect_err 'no terminal to ask'
	[ ! -e "$suite/path" ] || fail "the editor ran"
	# Its references say the path; one without references, and no path is known.
	run edit server.properties --local-secrets-file sec.properties --yes
	expect_rc 0
	printf 'k=1\n' >odd.properties
	grep -v '^_propseal.remote' sec.properties >bare.properties
	run edit odd.properties --local-secrets-file bare.properties --yes
	expect_rc 2
	expect_err --remote-secrets-file
	rm odd.properties bare.properties
	run edit sec.properties --local-secrets-file sec.properties --remote-secrets-file /r --yes
	expect_rc 1
	run edit nowhere.properties --local-secrets-file sec.properties --remote-secrets-file /r --yes
	expect_rc 1
	CONFLUENT_SECURITY_MASTER_KEY=bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= edit --yes
	expect_rc 4
	expect_unchanged
}

case_a_reference_that_does_not_open_can_be_mended() {
	sealed
	sed -i '/ssl.key.password/d' sec.properties
	editor 'grep -q "^ssl.key.password = \${securepass:" "$1" || exit 9
	    sed -i "s/^ssl.key.password.*/ssl.key.password = CANARY-mended/" "$1"'
	edit --yes
	expect_rc 0
	expect_err 'server.properties:5: ssl.key.password stays a reference: dangling'
	expect_opens ssl.key.password CANARY-mended
}

# --- on a terminal ---

# answer [EXPECT SEND]... --
answer() {
	on_terminal "$@" edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
}

case_the_change_is_shown_and_asked_about() {
	sealed
	editor 'sed -i s/CANARY-key$/CANARY-new/ "$1"'
	answer 'Apply? [y/N] ' 'y\n' --
	expect_rc 0
	expect_no CANARY
	expect_out '-server.properties/ssl.key.password = ENC['
	expect_opens ssl.key.password CANARY-new
	expect_wiped
}

case_no_or_nothing_is_no() {
	local reply
	sealed
	editor 'sed -i s/CANARY-key$/CANARY-new/ "$1"'
	for reply in 'n\n' '\n' 'yea\n' '\x04'; do
		answer 'Apply? [y/N] ' "$reply" --
		expect_rc 0
		expect_out 'nothing was changed'
		expect_unchanged
		expect_wiped
	done
}

case_an_interrupt_at_the_question_wipes_the_copy() {
	sealed
	editor 'sed -i s/CANARY-key$/CANARY-new/ "$1"'
	answer 'Apply? [y/N] ' '\x03' --
	expect_rc 130
	until_true [ ! -e "$(dirname "$(cat "$suite/path")")" ]
	expect_unchanged
}

case_a_faulty_text_can_be_edited_again() {
	sealed
	editor 'if grep -q "u12" "$1"; then sed -i "s/.u12/ok/" "$1"; else echo "x.password=CANARY\\u12" >>"$1"; fi'
	answer 'Edit it again? [y/N] ' 'y\n' 'Apply? [y/N] ' 'y\n' --
	expect_rc 0
	expect_no CANARY
	expect_opens x.password CANARYok
	expect_wiped
	snapshot
	editor 'echo "y.password=CANARY\\u12" >>"$1"'
	answer 'Edit it again? [y/N] ' 'n\n' --
	expect_rc 1
	expect_unchanged
	expect_wiped
}

case_a_refused_text_can_be_edited_again() {
	sealed
	editor 'if grep -q "^#ssl" "$1"; then sed -i "/^#ssl/d" "$1"; else sed -i "s/^ssl.key/#&/" "$1"; fi'
	answer 'Edit it again? [y/N] ' 'y\n' 'Apply? [y/N] ' 'y\n' --
	expect_rc 0
	expect_not_in server.properties ssl.key.password
	expect_wiped
}

# A mount in it stands for whatever cannot be removed.
case_a_copy_that_cannot_be_removed_is_told() {
	local copy
	[ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null || return 0
	sealed
	editor 'mkdir "${1%/*}/sub" && mount -t tmpfs none "${1%/*}/sub" || touch "'"$suite"'/no-mount"'
	unshare -m "$PROPSEAL" edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes >"$out" 2>"$err"
	rc=$?
	[ ! -e "$suite/no-mount" ] || return 0
	expect_rc 0
	expect_err 'which had clear text in it, cannot be removed'
	copy=$(sed -n 's/.*warning: \(.*\), which had clear text.*/\1/p' "$err")
	[ ! -e "$copy/server.properties" ] || fail "$copy"
	# Without the mount it can be; a suite beside this one may have done it.
	"$PROPSEAL" file show server.properties >"$out" 2>"$err"
	[ ! -e "$copy" ] || fail 'the next start left it'
}

case_the_interrupt_key_belongs_to_the_editor() {
	sealed
	editor 'trap "sed -i s/CANARY-key$/CANARY-int/ $1; exit 0" INT; echo ready; while :; do sleep 0.05; done'
	answer 'ready' '\x03' 'Apply? [y/N] ' 'y\n' --
	expect_rc 0
	expect_opens ssl.key.password CANARY-int
	expect_wiped
}

# What is left by an edit that was killed together with the process that would have wiped
# after it.
# Killed when it had made its folder, and not marked it yet.
case_the_next_start_removes_empty_folders() {
	local old new
	[ -w /dev/shm ] || exit 77
	seal
	old=$(mktemp -d /dev/shm/propseal.XXXXXX)
	new=$(mktemp -d /dev/shm/propseal.XXXXXX)
	touch "$old/.in-use.new"
	touch -d '2 minutes ago' "$old"
	run file show server.properties
	[ ! -e "$old" ] || { rm -r "$old"; fail 'the folder stayed'; }
	rmdir "$new" || fail 'a new folder was removed'
}

case_the_next_start_wipes_what_a_killed_edit_left() {
	[ -w /dev/shm ] || exit 77
	seal
	cat >kill-all <<-'END'
		#!/bin/sh
		echo "$1" >"$PWD_OF_TEST/copy"
		python3 - "$PPID" <<-'PY'
			import os, signal, sys
			edit = int(sys.argv[1])
			for pid in filter(str.isdigit, os.listdir("/proc")):
			    try:
			        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
			    except OSError:
			        continue
			    if int(fields[1]) == edit and int(pid) != os.getppid():
			        os.kill(int(pid), signal.SIGKILL)
			os.kill(edit, signal.SIGKILL)
		PY
	END
	chmod +x kill-all
	PWD_OF_TEST=$PWD EDITOR=$PWD/kill-all run edit server.properties \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	[ "$rc" -eq 137 ] || fail "exit status $rc"
	copy=$(cat copy)
	grep -q CANARY "$copy" || fail 'nothing was left: the case shows nothing'
	# One that is being edited is not taken for one that is left.
	cat >other <<-'END'
		#!/bin/sh
		"$PROPSEAL" file show server.properties >/dev/null
		[ -e "$1" ] && echo "# seen" >>"$1"
	END
	chmod +x other
	PROPSEAL=$PROPSEAL EDITOR=$PWD/other run edit server.properties \
	    --local-secrets-file sec.properties --remote-secrets-file "$remote" --yes
	expect_rc 0
	expect_in server.properties '# seen'
	[ ! -e "$(dirname "$copy")" ] || fail 'it is still there'
}

run_cases "$@"
