#!/usr/bin/env bash
# The git commands, in real repositories: diffs, merges, hooks.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$suite/gitconfig GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
export GIT_MERGE_AUTOEDIT=no
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
git config --global commit.gpgSign false

# A repository in `repo` with sealed entries, without the key in it.
make_repo() {
	on server.properties encrypt --config \
	    ssl.keystore.password,ssl.key.password,zookeeper.password,sasl.secret
	[ "$rc" -eq 0 ] || fail "cannot seal"
	mkdir repo
	cp sec.properties server.properties repo/
	cd repo || exit 1
	git init -q . && git add . && git commit -qm base || fail "no repository"
	git branch -q other
}

# The same with everything installed and committed.
make_installed() {
	make_repo
	"$PROPSEAL" git install >"$out" 2>"$err" || fail "cannot install"
	git add -A && git commit -qm install || fail "cannot commit"
	git branch -qf other
}

# set KEY VALUE: seal it in server.properties.
set_value() {
	printf '%s=%s\n' "$1" "$2" >"$suite/text"
	"$PROPSEAL" file add --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --replace --config "@$suite/text" >"$out" 2>"$err" ||
	    fail "cannot add $1"
}

drop_key() {
	"$PROPSEAL" file remove --config-file server.properties \
	    --local-secrets-file sec.properties --config "$1" >"$out" 2>"$err" ||
	    fail "cannot remove $1"
}

rotate() {
	"$PROPSEAL" file rotate --data-key --local-secrets-file sec.properties \
	    --passphrase @../pass >"$out" 2>"$err" || fail "cannot rotate"
}

commit() {
	git commit -qam "$1" >"$out" 2>"$err" || fail "cannot commit"
}

# git's merge of `other`; its exit status in rc.
merge_other() {
	git merge -q -m merged other >"$out" 2>"$err"
	rc=$?
}

# The value that an entry of sec.properties opens as.
opens_as() {
	printf 'k=${securepass:x:%s}\n' "$1" >"$suite/probe.properties"
	"$PROPSEAL" file decrypt --config-file "$suite/probe.properties" \
	    --local-secrets-file sec.properties --master-key-file "$suite/key" --any-name \
	    --output-file - 2>/dev/null | sed 's/^[^=]*= //'
}

expect_entry() {
	cp ../master.key "$suite/key"
	local value
	value=$(opens_as "server.properties/$1")
	[ "$value" = "$2" ] || fail "$1 opens as '$value', expected '$2'"
}

expect_no_entry() {
	expect_not_in sec.properties "server.properties/$1 "
}

expect_all_opens() {
	"$PROPSEAL" file verify --local-secrets-file sec.properties \
	    --master-key-file ../master.key -o json >"$out" 2>"$err" ||
	    fail "not everything opens"
}

# --- textconv ---

veil() {
	run git textconv "$@"
	expect_rc 0
	expect_no CANARY
}

case_textconv_replaces_ciphertext_by_marks() {
	on server.properties encrypt
	unset CONFLUENT_SECURITY_MASTER_KEY
	veil sec.properties
	expect_no 'ENC[' "$(sed -n 's/.*data:\([^,]*\).*/\1/p' sec.properties | head -n 1)"
	grep -qE '^server.properties/ssl.key.password = <sealed: text [0-9a-f]{10}>$' "$out" ||
	    fail "no mark"
	grep -qE '^_metadata.symmetric_key.0.enc = <wrapped key: text [0-9a-f]{10}>$' "$out" ||
	    fail "no mark of the data key"
	expect_out "$(grep '^_metadata.master_key.0.salt' sec.properties)"
	[ "$(wc -l <"$out")" -eq "$(wc -l <sec.properties)" ] || fail "other lines"
	cp "$out" first
	veil sec.properties
	cmp -s first "$out" || fail "the marks are not stable"
}

case_textconv_with_the_key_shows_changes_of_values_only() {
	on server.properties encrypt
	veil sec.properties
	cp "$out" first
	expect_out '<sealed: value '
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	veil sec.properties
	# A new data key is a change, the entries are the same.
	[ "$(diff first "$out" | grep -c '^>')" -le 3 ] || fail "$(diff first "$out")"
	diff first "$out" | grep -q 'server.properties/' && fail "$(diff first "$out")"
	printf 'ssl.key.password=CANARY-new\n' >new
	on server.properties update --config @new --replace
	cp "$out" second
	veil sec.properties
	[ "$(diff first "$out" | grep -c '^> server.properties/')" -eq 1 ] ||
	    fail "$(diff first "$out")"
}

case_textconv_with_a_wrong_key_goes_by_the_text() {
	on server.properties encrypt
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	veil sec.properties --master-key-file wrong.key
	expect_out '<sealed: text '
}

case_textconv_masks_clear_text() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	printf '%s\n' '# old: ssl.key.password=CANARY-text' '#ssl.key.password=CANARY-commented' \
	    'a.password=${env:CANARYNOT}' 'empty.password=' \
	    'sasl.jaas.config=a.PlainLoginModule required username="bob" password="CANARY-jaas";' \
	    >>server.properties
	sed -i 's/CANARYNOT/VARIABLE/; s/^# old: .*$/# old/' server.properties
	veil server.properties
	expect_out 'ssl.keystore.password=<clear text>'
	expect_out 'ssl.key.password = <clear text>'
	expect_out '  zookeeper.password : <clear text>'
	expect_out '#ssl.key.password=<clear text>'
	expect_out 'a.password=${env:VARIABLE}'
	expect_out 'empty.password='
	expect_out 'username="bob" password="<clear text>";'
	expect_out 'log.dirs=C:\\data\\new'
	cp "$out" first
	sed -i 's/CANARY-key$/CANARY-other/' server.properties
	veil server.properties
	cmp -s first "$out" || fail "a mark without a key depends on the value"
	veil server.properties --master-key-file master.key
	expect_out 'ssl.key.password = <clear text: value '
}

case_textconv_of_json() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	printf '{ "a" : 1, "connection.password" :\t"CANARY-json", "b": "\\u0041",\n' >c.json
	printf '"sasl.jaas.config": "A required password=\\"CANARY-jaas\\";" , "n": {"x.password":7}}' \
	    >>c.json
	veil c.json
	expect_file "$out" '{ "a" : 1, "connection.password" :	"<clear text>", "b": "\u0041",
"sasl.jaas.config": "A required password=\"<clear text>\";" , "n": {"x.password":"<clear text>"}}'
}

# Bad escapes, control characters, quotes too many: on the line of a secret, or in it.
broken_json() {
	printf '{"a": "\\q", "b.password": "CANARY-b", "n": {"c.password":"CANARY-c"}}\n' >1.json
	printf '{"a": "\t", "b.password": "CANARY-b"}' >2.json
	printf '{"b.password": "x\nCANARY-b", "c.password": "CANARY-c"}\n' >3.json
	printf '{"a": "C:\\", "b.password": "CANARY-b\\q"}\n' >4.json
	printf '{"b.password": "x"CANARY-b", "c": 1}\n' >5.json
	printf '// c\n{"a": 1, b.password: "CANARY-b"}\n' >6.json
	printf '{"a": 1,, "pass\\u0077ord" : "CANARY-b"}\n' >7.json
}

case_textconv_of_broken_json() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	broken_json
	for n in 1 2 3 4 5 6 7; do
		veil $n.json
		expect_out '<clear text>'
	done
	veil 1.json
	expect_file "$out" '{"a": "\q", "b.password": <clear text>'
	veil 1.json --master-key-file master.key
	expect_out '"b.password": <clear text: value '
}

case_check_of_broken_json() {
	broken_json
	for n in 1 2 3 4 5 6 7; do
		run git check $n.json
		expect_rc 3
		expect_no CANARY
	done
	run git check 1.json
	expect_out 'clear-text-secret         b.password'
	expect_out 'clear-text-secret         c.password'
	expect_out '2 errors, '
}

case_textconv_never_fails() {
	printf 'a=1\nb=\\u12\nc.password=CANARY-rest\nd=CAN \n' >bad.properties
	veil bad.properties
	expect_out 'b=\u12'
	expect_out 'c.password=<clear text'
	run git textconv nowhere
	expect_rc 0
	head -c 3000 /dev/urandom >binary
	run git textconv binary
	expect_rc 0
	: >empty
	run git textconv empty
	expect_rc 0
	expect_silent
	printf '[files]\nnonsense = 1\n' >propseal.ini
	PROPSEAL_CONFIG=propseal.ini veil server.properties
	expect_out 'clear text'
	expect_err propseal.ini
	# Metadata that cannot be read is no reason to show less.
	sed -i 's/iterations = .*/iterations = many/' sec.properties
	veil sec.properties
}

case_git_diff_shows_marks() {
	make_installed
	set_value ssl.key.password CANARY-two
	git diff >"$out" 2>"$err" || fail "git diff fails"
	grep -qE '^\+server.properties/ssl.key.password = <sealed: value [0-9a-f]{10}>$' "$out" ||
	    fail "no mark in the diff"
	expect_no CANARY 'ENC[AES'
	# Nothing but the ciphertext is new: no change with the key.
	git checkout -q . && set_value ssl.key.password CANARY-key
	git diff sec.properties >"$out"
	[ ! -s "$out" ] || fail "a change where there is none"
	(unset CONFLUENT_SECURITY_MASTER_KEY && git log -p --all -- sec.properties) >"$out" \
	    2>"$err" || fail "git log fails"
	expect_out '<sealed: text '
	expect_no CANARY
}

# --- merges ---

case_merge_takes_changes_of_both_sides() {
	make_installed
	set_value ssl.key.password CANARY-ours
	set_value new.ours.password CANARY-1
	commit ours
	git checkout -q other
	set_value ssl.keystore.password CANARY-theirs
	set_value new.theirs.password CANARY-2
	drop_key zookeeper.password
	commit theirs
	git checkout -q main
	git merge -q -X ours -m merged other >"$out" 2>"$err" || fail "conflict"
	expect_entry ssl.key.password CANARY-ours
	expect_entry ssl.keystore.password CANARY-theirs
	expect_entry new.ours.password CANARY-1
	expect_entry new.theirs.password CANARY-2
	expect_no_entry zookeeper.password
	expect_all_opens
	expect_json "$out" 'd["sealed"], d["open"]' '(5, 5)'
	# Every entry still has its tag, and no tag is left over.
	[ "$(grep -c '^_propseal.tag/' sec.properties)" -eq 5 ] || fail "tags are wrong"
}

case_merge_with_itself_changes_no_byte() {
	make_installed
	echo '# a comment' >>sec.properties
	commit theirs
	cp sec.properties ../expected
	git checkout -q other
	git merge -q --no-ff -m merged main >"$out" 2>"$err" || fail "conflict"
	cmp -s ../expected sec.properties || fail "other bytes"
}

case_merge_conflict_is_of_one_entry() {
	make_installed
	set_value ssl.key.password CANARY-ours
	commit ours
	git checkout -q other
	set_value ssl.key.password CANARY-theirs
	set_value other.password CANARY-3
	commit theirs
	git checkout -q main
	merge_other
	expect_rc 1
	expect_err 'sec.properties: 1 conflict: server.properties/ssl.key.password'
	expect_err 'hint: '
	expect_no CANARY
	git ls-files -u | grep -q sec.properties || fail "git knows of no conflict"
	[ "$(grep -c '^<<<<<<< ours$' sec.properties)" -eq 1 ] || fail "markers"
	expect_in sec.properties 'server.properties/other.password = ENC['
	# Between the markers stands that entry, twice with its tag, and nothing else.
	[ "$(sed -n '/^<<<<<<</,/^>>>>>>>/p' sec.properties | grep -c .)" -eq 7 ] ||
	    fail "$(cat sec.properties)"
	# And the commit of it is refused.
	git add -A
	git commit -qm mess >"$out" 2>"$err" && fail "a conflict was committed"
	expect_err 'conflict-markers'
	expect_err 'markers of a merge conflict'
	# One side by hand, then all is well.
	sed -i '/^<<<<<<</d; /^=======$/,/^>>>>>>>/d' sec.properties
	git checkout -q --ours server.properties 2>/dev/null
	git add -A && git commit -qm solved >"$out" 2>"$err" || fail "cannot commit"
	expect_entry ssl.key.password CANARY-ours
	expect_entry other.password CANARY-3
	expect_all_opens
}

case_merge_of_removed_and_changed_is_a_conflict() {
	make_installed
	drop_key ssl.key.password
	commit ours
	git checkout -q other
	set_value ssl.key.password CANARY-theirs
	commit theirs
	git checkout -q main
	merge_other
	expect_rc 1
	expect_err '1 conflict: server.properties/ssl.key.password'
	[ "$(sed -n '/^<<<<<<</,/^=======/p' sec.properties | wc -l)" -eq 2 ] || fail "ours is not empty"
}

# rotated SIDE: that side has a new data key and a change, the other one changes too.
rotated() {
	make_installed
	[ "$1" = theirs ] && git checkout -q other
	rotate
	set_value ssl.keystore.password CANARY-new
	set_value rotated.password CANARY-4
	commit rotated
	if [ "$1" = theirs ]; then git checkout -q main; else git checkout -q other; fi
	set_value ssl.key.password CANARY-changed
	set_value stayed.password CANARY-5
	drop_key zookeeper.password
	commit changed
	git checkout -q main
}

expect_rotated() {
	git checkout -q --theirs server.properties 2>/dev/null
	expect_entry ssl.keystore.password CANARY-new
	expect_entry rotated.password CANARY-4
	expect_entry ssl.key.password CANARY-changed
	expect_entry stayed.password CANARY-5
	expect_no_entry zookeeper.password
	expect_not_in sec.properties '<<<<<<<'
	expect_all_opens
	expect_json "$out" 'd["sealed"], d["open"]' '(5, 5)'
}

case_merge_after_a_rotation_of_theirs() {
	rotated theirs
	merge_other
	expect_err 'sealed again under the data key of the other side'
	expect_rotated
}

case_merge_after_a_rotation_of_ours() {
	rotated ours
	merge_other
	expect_rotated
}

case_merge_after_a_rotation_of_both() {
	make_installed
	rotate
	set_value ssl.key.password CANARY-ours
	commit ours
	git checkout -q other
	rotate
	set_value ssl.keystore.password CANARY-theirs
	commit theirs
	git checkout -q main
	merge_other
	expect_rc 0
	expect_entry ssl.key.password CANARY-ours
	expect_entry ssl.keystore.password CANARY-theirs
	expect_entry zookeeper.password CANARY-zookeeper
	expect_all_opens
}

# Who has no key takes all tags away and puts one value in another's place: no new tag hides that.
case_merge_after_a_rotation_tags_nothing_without_a_tag() {
	make_installed
	rotate
	commit ours
	git checkout -q other
	python3 - <<-'END'
		lines = [l.split(" = ", 1) for l in open("sec.properties") if "_propseal.tag/" not in l]
		entries = dict(lines)
		entries["server.properties/zookeeper.password"] = entries["server.properties/ssl.key.password"]
		open("sec.properties", "w").writelines(f"{k} = {v}" for k, v in entries.items())
	END
	commit theirs
	git checkout -q main
	merge_other
	expect_rc 0
	run file verify server.properties --local-secrets-file sec.properties
	expect_rc 0
	expect_out '1 without an integrity tag'
}

case_merge_after_a_rotation_without_the_key() {
	rotated theirs
	(unset CONFLUENT_SECURITY_MASTER_KEY && git merge -q -m merged other >"$out" 2>"$err")
	rc=$?
	expect_rc 1
	expect_in sec.properties '<<<<<<< ours'
	expect_err 'no master key at hand opens it'
	expect_err 'git checkout --merge -- sec.properties'
	# With the key, that gives the whole file.
	git checkout --merge -- sec.properties >"$out" 2>"$err" || fail "cannot merge again"
	expect_rotated
}

case_merge_of_a_new_master_key_needs_no_key() {
	make_installed
	printf 'CANARY another passphrase\n' >../pass2
	"$PROPSEAL" file rotate --master-key --local-secrets-file sec.properties \
	    --passphrase @../pass --passphrase-new @../pass2 -o yaml 2>"$err" |
	    sed 's/^master_key: //' >../master2.key
	commit ours
	git checkout -q other
	set_value new.password CANARY-6
	commit theirs
	git checkout -q main
	(unset CONFLUENT_SECURITY_MASTER_KEY && git merge -q -m merged other >"$out" 2>"$err")
	rc=$?
	expect_rc 0
	cp ../master2.key ../master.key
	expect_entry new.password CANARY-6
	expect_entry ssl.key.password CANARY-key
	expect_all_opens
}

case_merge_by_hand_takes_two_keys() {
	on server.properties encrypt
	cp sec.properties base
	cp sec.properties theirs
	printf 'CANARY another passphrase\n' >pass2
	# Ours: both keys are new.  Theirs: a value under the old ones.
	run file rotate --data-key --master-key --local-secrets-file sec.properties \
	    --passphrase @pass --passphrase-new @pass2 -o yaml
	sed -n 's/^master_key: //p' "$out" >master2.key
	printf 'ssl.key.password=CANARY-theirs\n' >new
	cp server.properties other.properties
	run file update --config-file server.properties --local-secrets-file theirs \
	    --remote-secrets-file "$remote" --replace --config @new
	expect_rc 0
	cp sec.properties ours
	run git merge base ours theirs sec.properties
	expect_rc 1
	cp sec.properties ours
	run git merge base ours theirs sec.properties --master-key-file master2.key
	expect_rc 0
	expect_no CANARY
	cp ours sec.properties
	run file verify --local-secrets-file sec.properties --master-key-file master2.key
	expect_rc 0
	CONFLUENT_SECURITY_MASTER_KEY=$(cat master2.key)
	cp master2.key master.key
	expect_opens ssl.key.password CANARY-theirs
}

case_merge_of_unreadable_files_keeps_both() {
	on server.properties encrypt
	cp sec.properties base
	sed 's/length = .*/length = 20/' base >ours
	{ cat base && echo 'n=1'; } >theirs
	cp ours kept
	run git merge base ours theirs sec.properties
	expect_rc 1
	expect_err 'cannot be merged by entry'
	{ echo '<<<<<<< ours' && cat kept && echo ======= && cat theirs && echo '>>>>>>> theirs'; } |
	    cmp -s - ours || fail "not both files"
	run git merge base nowhere theirs
	expect_rc 1
	expect_err 'nowhere: no such file'
}

case_merge_keeps_mode_and_leaves_nothing_behind() {
	on server.properties encrypt
	mkdir m
	cp sec.properties m/base
	cp sec.properties m/ours
	{ cat sec.properties && echo 'n = 1'; } >m/theirs
	sed -i '1i # ours' m/ours
	chmod 640 m/ours
	cd m || exit 1
	run git merge base ours theirs
	expect_rc 0
	expect_mode ours 640
	expect_in ours 'n = 1'
	[ "$(find . -type f | sort | tr '\n' ' ')" = './base ./ours ./theirs ' ] || fail "$(ls -a)"
}

# --- install ---

case_install_sets_everything_once() {
	make_repo
	run git install
	expect_rc 0
	expect_out '.gitattributes: /sec.properties diff=propseal merge=propseal'
	[ "$(git check-attr diff sec.properties)" = 'sec.properties: diff: propseal' ] ||
	    fail "no attribute"
	[ "$(git check-attr merge server.properties)" = 'server.properties: merge: unspecified' ] ||
	    fail "the configuration is taken for a secrets file"
	git config --local merge.propseal.driver | grep -qF 'git merge -- %O %A %B %P' ||
	    fail "no driver"
	expect_mode .git/hooks/pre-commit 755
	expect_mode .gitattributes 644
	cp .gitattributes .git/config .git/hooks/pre-commit ..
	run git install
	expect_rc 0
	cmp -s .gitattributes ../.gitattributes || fail "attributes changed"
	cmp -s .git/config ../config || fail "configuration changed"
	cmp -s .git/hooks/pre-commit ../pre-commit || fail "hook changed"
}

case_install_keeps_other_attributes() {
	make_repo
	printf '*.txt text\n*.bin binary' >.gitattributes
	run git install 'secrets/*.properties'
	expect_rc 0
	[ "$(head -n 2 .gitattributes)" = $'*.txt text\n*.bin binary' ] || fail "$(cat .gitattributes)"
	tail -n 1 .gitattributes | grep -qxF 'secrets/*.properties diff=propseal merge=propseal' ||
	    fail "$(cat .gitattributes)"
	expect_not_in .gitattributes /sec.properties
	run git uninstall
	expect_rc 0
	expect_file .gitattributes $'*.txt text\n*.bin binary'
}

case_install_follows_no_link_out_of_the_repository() {
	make_repo
	echo victim >../victim
	ln -s ../victim .gitattributes
	for command in install uninstall; do
		run git $command
		expect_rc 1
		expect_err '.gitattributes: a symbolic link'
	done
	expect_file ../victim victim
	[ ! -e .git/hooks/pre-commit ] || fail "the hook is there"
}

case_install_makes_no_hook_where_a_link_leads() {
	make_repo
	mkdir hooks
	ln -s ../../outside hooks/pre-commit
	git config core.hooksPath hooks
	run git install
	expect_rc 1
	expect_err 'hooks/pre-commit: a symbolic link to no file'
	[ ! -e ../outside ] || fail 'a file outside of the repository was made'
}

case_install_names_awkward_files() {
	make_repo
	mkdir 'a b[c]"d'
	cp sec.properties 'a b[c]"d/*x.properties'
	run git install
	expect_rc 0
	git check-attr merge 'a b[c]"d/*x.properties' | grep -q 'merge: propseal$' ||
	    fail "$(cat .gitattributes)"
	[ "$(git check-attr merge 'a b[c]"d/yx.properties' | grep -c propseal$)" -eq 0 ] ||
	    fail "the pattern takes another file"
}

case_install_dry_run_changes_nothing() {
	make_repo
	cp -a . ../kept
	run git install --dry-run
	expect_rc 0
	expect_out '/sec.properties diff=propseal merge=propseal'
	expect_out 'git config diff.propseal.textconv: '
	expect_out 'pre-commit: '
	diff -r . ../kept || fail "files changed"
}

case_install_has_the_check_without_a_secrets_file() {
	make_repo
	git rm -qf sec.properties
	git commit -qm none
	run git install
	expect_rc 0
	expect_err 'no secrets file in this work tree yet'
	[ -x .git/hooks/pre-commit ] || fail "no hook"
	echo 'extra.password=CANARY-clear' >>server.properties
	git add -A
	git commit -qm leak >"$out" 2>"$err" && fail "committed"
	expect_err 'clear-text-secret         extra.password'
}

case_install_tells_as_json() {
	make_repo
	run git install -o json --dry-run
	expect_rc 0
	expect_json "$out" 'd["schema"], len(d["files"])' "('propseal.plan/1', 3)"
	run git install -o json
	expect_rc 0
	expect_json "$out" 'd["schema"], d["changed"]' "('propseal.change/1', True)"
	expect_json "$out" '[f["file"].split("/")[-1] for f in d["files"]]' \
	    "['.gitattributes', 'git config', 'pre-commit']"
	expect_json "$out" '[e["key"] for e in d["files"][1]["entries"]]' \
	    "['diff.propseal.textconv', 'merge.propseal.name', 'merge.propseal.driver']"
	run git install -o json
	expect_rc 0
	expect_json "$out" 'd["changed"], d["files"]' '(False, [])'
	run git install
	expect_out 'nothing to change'
	run git uninstall -o json
	expect_rc 0
	expect_json "$out" 'd["changed"], len(d["files"])' '(True, 3)'
	expect_json "$err" '"pre-commit" in d["changed"]["text"]' True
}

# A hook that was left without its mode is passed over by git.
case_install_has_git_run_the_hook() {
	make_installed
	[ -x .git/hooks/pre-commit ] || fail 'a new hook is not executable'
	chmod 600 .git/hooks/pre-commit
	run git install
	expect_rc 0
	expect_mode .git/hooks/pre-commit 700
	expect_err 'changed: .git/hooks/pre-commit'
	run git install
	expect_out 'nothing to change'
	printf '#!/bin/sh\npropseal git check --staged\n' >.git/hooks/pre-commit
	chmod 600 .git/hooks/pre-commit
	run git install
	expect_rc 0
	expect_err 'git passes it over, as it is not executable'
	expect_mode .git/hooks/pre-commit 600
}

# What another program writes while git's settings are set.
case_install_overwrites_nothing_of_another_program() {
	local real
	make_repo
	real=$(command -v git)
	mkdir ../bin
	printf '#!/bin/sh\ncase "$*" in\n*merge.propseal.driver\ *|*--remove-section*) %s;;\nesac\n' \
	    'echo "*.bin binary" >>.gitattributes' >../bin/git
	printf 'exec %s "$@"\n' "$real" >>../bin/git
	chmod +x ../bin/git
	printf '*.png binary\n' >.gitattributes
	PATH=$PWD/../bin:$PATH run git install
	expect_rc 1
	expect_err '.gitattributes: the file changed since it was read'
	expect_in .gitattributes '*.bin binary'
	run git install
	expect_rc 0
	expect_in .gitattributes '*.bin binary'
	expect_in .gitattributes '/sec.properties diff=propseal'
}

case_install_tells_of_what_it_cannot_read() {
	make_repo
	ln -s loop.properties loop.properties
	run git install
	expect_rc 0
	expect_err 'loop.properties: cannot open'
	expect_err 'if it is a secrets file, run this again'
	expect_in .gitattributes '/sec.properties diff=propseal'
}

case_install_needs_a_fit_pattern() {
	make_repo
	run git install 'x y'
	expect_rc 2
	run git install --local-secrets-file ../sec.properties
	expect_rc 2
	expect_err 'not in this work tree'
	cd /
	run git install
	expect_rc 1
	expect_err 'not in the work tree of a git repository'
}

case_install_from_a_folder_below() {
	make_repo
	mkdir sub
	git mv sec.properties sub/
	cd sub || exit 1
	run git install --local-secrets-file sec.properties
	expect_rc 0
	expect_in ../.gitattributes '/sub/sec.properties diff=propseal'
	[ -x ../.git/hooks/pre-commit ] || fail "no hook"
}

case_install_leaves_a_foreign_hook_alone() {
	make_repo
	printf '#!/bin/sh\necho mine\n' >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	cp -a . ../kept
	run git install
	expect_rc 1
	expect_err 'pre-commit hook of its own'
	expect_err 'git check --staged || exit 1'
	diff -r . ../kept || fail "files changed"
	run git install --no-hook
	expect_rc 0
	expect_file .git/hooks/pre-commit $'#!/bin/sh\necho mine'
	# With the line that was asked for it is fine.
	sed -n 's/.*--no-hook: //p' "$err" >line
	printf '"%s" git check --staged || exit 1 # propseal\n' "$PROPSEAL" >>.git/hooks/pre-commit
	run git install
	expect_rc 0
	run git uninstall
	expect_rc 0
	expect_err 'by hand'
	expect_in .git/hooks/pre-commit 'echo mine'
}

case_install_respects_hooks_path() {
	make_repo
	git config core.hooksPath githooks
	run git install
	expect_rc 0
	[ -x githooks/pre-commit ] || fail "no hook there"
	[ ! -e .git/hooks/pre-commit ] || fail "a hook elsewhere"
	echo 'x.password=CANARY-clear' >>server.properties
	git add -A
	git commit -qm leak >"$out" 2>"$err" && fail "committed"
	expect_err 'clear-text-secret         x.password'
}

case_install_global_touches_no_repository() {
	make_repo
	cp -a . ../kept
	local GIT_CONFIG_GLOBAL=$PWD/../globalconfig
	export GIT_CONFIG_GLOBAL
	run git install --global
	expect_rc 0
	diff -r . ../kept || fail "files changed"
	git config --global diff.propseal.textconv | grep -q 'git textconv --$' || fail "not set"
	run git uninstall --global
	expect_rc 0
	[ -z "$(git config --global --get-regexp propseal)" ] || fail "still set"
}

case_install_uses_a_name_that_a_shell_takes() {
	make_repo
	mkdir -p "../it's here" ../bin
	cp "$PROPSEAL" "../it's here/propseal"
	"../it's here/propseal" git install >"$out" 2>"$err" || fail "cannot install"
	set_value ssl.key.password CANARY-two
	git diff >"$out" 2>"$err" || fail "git diff fails"
	expect_out '<sealed: '
	# In PATH its name will do.
	ln -s "$PROPSEAL" ../bin/propseal
	PATH=$PWD/../bin:$PATH "$PROPSEAL" git install >"$out" 2>"$err" || fail "cannot install"
	[ "$(git config diff.propseal.textconv)" = 'propseal git textconv --' ] || fail "a path"
}

case_uninstall_takes_everything_away() {
	make_repo
	cp -a . ../kept
	run git install
	expect_rc 0
	run git uninstall --dry-run
	expect_rc 0
	expect_out '.gitattributes: 2 lines out'
	[ -x .git/hooks/pre-commit ] || fail "not a dry run"
	run git uninstall
	expect_rc 0
	diff -r . ../kept || fail "something is left"
	run git uninstall
	expect_rc 0
	expect_out 'nothing is installed'
}

# --- check ---

case_hook_refuses_clear_text() {
	make_installed
	echo 'extra.password=CANARY-clear' >>server.properties
	git add -A
	git commit -qm leak >"$out" 2>"$err" && fail "committed"
	expect_err 'server.properties'
	expect_err "E $(wc -l <server.properties):16     clear-text-secret         extra.password"
	expect_no CANARY
	[ "$(git log --oneline | wc -l)" -eq 2 ] || fail "there is a commit"
	sed -i '$d' server.properties
	set_value extra.password CANARY-clear
	commit sealed
}

case_check_looks_at_what_is_staged() {
	make_installed
	echo 'extra.password=CANARY-clear' >>server.properties
	# In the work tree alone it is no part of a commit.
	run git check --staged
	expect_rc 0
	expect_silent
	run git check
	expect_rc 3
	line=$(wc -l <server.properties)
	expect_out "E $line:16     clear-text-secret         extra.password"
	git add server.properties
	git checkout -q HEAD -- . && git reset -q && run git check
	expect_rc 0
	echo 'extra.password=CANARY-clear' >>server.properties
	git add server.properties
	git show HEAD:server.properties >server.properties
	run git check --staged
	expect_rc 3
	expect_no CANARY
	run git check --staged nothing-here
	expect_rc 0
	run git check --staged -o json
	expect_rc 3
	expect_json "$out" '[(f["level"], f["rule"], f["file"], f["line"], f["key"])
	    for f in d["findings"] if f["level"] == "error"], d["files"]["read"], d["exit"]' \
	    "([('error', 'clear-text-secret', 'server.properties', $line, 'extra.password')], 1, 3)"
}

case_check_works_before_the_first_commit_and_on_odd_names() {
	mkdir repo
	cd repo || exit 1
	git init -q .
	mkdir 'a b'
	printf 'x.password=CANARY-1\n' >$'a b/\nc\t"d.properties'
	printf 'x.password=CANARY-2\n' >plain.txt
	ln -s plain.txt link.properties
	git add -A
	run git check --staged
	expect_rc 3
	expect_out 'a b/\nc\t"d.properties'
	expect_out 'plain.txt'
	expect_out '2 errors, 2 warnings; 2 of 2 files read'
	expect_no CANARY
}

case_check_finds_jaas_and_what_is_commented_out() {
	printf '%s\n' 'sasl.jaas.config=a.PlainLoginModule required username="bob" \' \
	    '  password="CANARY-jaas" token="${securepass:/s:f/k}";' \
	    '#ssl.key.password=CANARY-comment' 'a.password=${file:/x:y}' 'b.password=' \
	    >x.properties
	run git check x.properties
	expect_rc 3
	expect_out 'E 1:18      clear-text-secret         sasl.jaas.config#password'
	expect_out 'n 3:19      secret-in-comment         ssl.key.password'
	expect_out '3 errors, '
	expect_no CANARY
	sed -i '1,2d' x.properties
	run git check x.properties
	expect_rc 0
}

case_check_looks_into_json() {
	printf '{\n "name": "x",\n "config": {\n  "connection.password": "CANARY-json",\n' >x.json
	printf '  "other.password": "${securepass:/s:x.json/o}"\n }\n}\n' >>x.json
	run git check x.json
	expect_rc 3
	expect_out 'E 4:27      clear-text-secret         config.connection\.password'
	expect_out '3 errors, '
	expect_no CANARY
	# What is no JSON is told; a secret in it is one all the same.
	printf '// comment\n{ "a": 1 }\n' >y.json
	run git check y.json
	expect_rc 1
	expect_out 'not read: y.json: line 1: '
	printf '// comment\n{\n"a.password": "CANARY-json"\n}\n' >y.json
	run git check y.json
	expect_rc 3
	expect_out 'clear-text-secret         a.password'
}

case_check_knows_secrets_files() {
	on server.properties encrypt
	run git check sec.properties
	expect_rc 0
	sed -i 's/^\(server.properties.ssl.key.password = ENC\[AES\)[^,]*/\1\/XXX/' sec.properties
	echo 'server.properties/clear = CANARY-clear' >>sec.properties
	run git check sec.properties
	expect_rc 3
	expect_out 'damaged-entry             server.properties/ssl.key.password'
	expect_out 'unsealed-entry            server.properties/clear'
	expect_out '2 errors'
	expect_no CANARY
}

case_check_of_unreadable_files_is_exit_1() {
	printf 'a=\\u12\n' >bad.properties
	run git check bad.properties
	expect_rc 1
	expect_out 'not read: bad.properties: line 1: malformed \uXXXX escape'
	run git check nowhere.properties
	expect_rc 1
	run git check bad.properties -o json
	expect_rc 1
	expect_json "$out" 'd["exit"], d["complete"], d["unread"][0]["file"]' \
	    "(1, False, 'bad.properties')"
	# What stands behind that place counts all the same.
	echo 'b.password=CANARY-b' >>bad.properties
	run git check bad.properties
	expect_rc 3
	expect_out 'E 2:12      clear-text-secret         b.password'
}

case_check_searches_folders() {
	mkdir -p etc/sub .hidden
	cp server.properties etc/sub/b.properties
	cp server.properties etc/a.properties
	run git check etc
	expect_rc 3
	expect_out '8 errors, '
	[ "$(sed -n '/^etc/s/:.*//p' "$out" | tr '\n' ' ')" = \
	    'etc/a.properties etc/sub/b.properties ' ] || fail "not in order"
}

case_check_goes_by_the_rules_of_propseal_ini() {
	printf '[rules]\npublic-keys = ssl.key.password\n' >propseal.ini
	PROPSEAL_CONFIG=propseal.ini run git check server.properties
	expect_rc 3
	expect_no ' ssl.key.password'
	expect_out ' ssl.keystore.password'
}

case_check_is_an_audit() {
	make_repo
	printf 'spring:\n  datasource:\n    password: CANARY-in-yaml\n' >app.yml
	printf 'KafkaServer { a.LoginModule required password="CANARY-in-jaas"; };\n' >jaas.conf
	git add -A
	local of
	for of in --staged .; do
		run git check $of -o json
		expect_rc 3
		mv "$out" one
		run audit $of -o json
		expect_rc 3
		cmp -s one "$out" || fail "git check $of tells something else"
		expect_json "$out" '[(f["file"], f["rule"]) for f in d["findings"]
		    if f["level"] == "error"]' \
		    "[('app.yml', 'clear-text-secret'), ('jaas.conf', 'clear-text-secret')]"
	done
	expect_no CANARY
	run git check --staged -o sarif
	expect_json "$out" 'd["version"]' 2.1.0
	run git check --staged --fail-on none
	expect_rc 0
	expect_out app.yml
	sed -i 's/^ *password/    # propseal:ignore clear-text-secret a sample\n&/' app.yml
	rm jaas.conf
	git add -A
	run git check --staged
	expect_rc 0
	run git check --staged --no-suppressions
	expect_rc 3
}

case_no_git_is_told() {
	mkdir empty
	PATH=$PWD/empty "$PROPSEAL" git install >"$out" 2>"$err"
	rc=$?
	expect_rc 1
	expect_err 'there is no program git'
}

case_git_is_not_handed_the_key() {
	make_repo
	mkdir ../fake
	printf '#!/bin/sh\nenv >>"%s"\nexec "%s" "$@"\n' "$suite/env" "$(command -v git)" >../fake/git
	chmod +x ../fake/git
	PATH=$PWD/../fake:$PATH "$PROPSEAL" git install >"$out" 2>"$err" || fail "cannot install"
	PATH=$PWD/../fake:$PATH "$PROPSEAL" git check --staged >"$out" 2>"$err" || fail "cannot check"
	[ -s "$suite/env" ] || fail "git was not run"
	expect_not_in "$suite/env" CONFLUENT_SECURITY_MASTER_KEY
	expect_not_in "$suite/env" "$(cat ../master.key)"
}

run_cases "$@"
