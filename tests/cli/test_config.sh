#!/usr/bin/env bash
# propseal.ini: which files are read, what stands in them, what they change.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003,SC2088
. "$(dirname "$0")/lib.sh"

# Read the files of this case's own home folder and project.
begin() {
	unset PROPSEAL_CONFIG XDG_CONFIG_HOME
	umask 022
	export HOME=$PWD/home
	mkdir -p home/.config/propseal .git
	user=home/.config/propseal/propseal.ini
}

# ini FILE LINE...
ini() {
	local file=$1
	shift
	printf '%s\n' "$@" >"$file"
}

# setting NAME EXPRESSION VALUE: of `config show`, python's s being the setting.
setting() {
	run config show -o json
	expect_rc 0
	expect_json "$out" "[($2) for s in d['settings'] if s['name'] == '$1'][0]" "$3"
}

# refused LINE TEXT INI-LINE...: the project's file is in error on that line.
refused() {
	local line=$1 text=$2
	shift 2
	ini propseal.ini "$@"
	run file show server.properties
	expect_rc 1
	expect_err "propseal: propseal.ini:$line: "
	expect_err "$text"
	[ ! -s "$out" ] || fail 'it went on'
}

# --- what the files are for ---

case_secrets_file_and_remote_path_need_not_be_given() {
	begin
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote"
	run file encrypt --config-file server.properties --config ssl.key.password
	expect_rc 0
	expect_in server.properties "\${securepass:$remote:server.properties/ssl.key.password}"
	expect_opens ssl.key.password CANARY-key
	run file show server.properties -o json
	expect_json "$out" '[e["state"] for e in d["entries"] if e["key"] == "ssl.key.password"]' \
	    "['sealed']"
	run file verify
	expect_rc 0
	expect_out '1 sealed'
	run file rotate --passphrase @pass
	expect_rc 0
	run file remove --config-file server.properties --config ssl.key.password
	expect_rc 0
	expect_not_in sec.properties ssl.key.password
}

case_generate_makes_the_secrets_file_of_the_project() {
	begin
	ini propseal.ini '[files]' 'secrets-file = fresh.properties'
	run master-key generate --passphrase @pass
	expect_rc 0
	[ -s fresh.properties ] || fail 'no file'
}

case_without_either_the_flags_are_still_required() {
	begin
	run file encrypt --config-file server.properties
	expect_rc 2
	expect_err 'missing: --local-secrets-file, --remote-secrets-file'
	expect_err 'propseal.ini can set secrets-file and remote-path instead'
	ini propseal.ini '[files]' 'secrets-file = sec.properties'
	run file encrypt --config-file server.properties
	expect_rc 2
	expect_err 'missing: --remote-secrets-file'
	expect_no 'missing: --local'
	run file encrypt
	expect_rc 2
	expect_err 'missing: --config-file, --remote-secrets-file'
}

case_secrets_file_that_is_not_there_is_named_with_its_line() {
	begin
	ini propseal.ini '[files]' 'secrets-file = nowhere.properties'
	run file rotate --passphrase @pass
	expect_rc 1
	expect_err 'nowhere.properties'
	expect_err 'check propseal.ini:2'
	run file verify
	expect_rc 1
	expect_err 'check propseal.ini:2'
	# Nobody asked for it here, and it may be about to be made.
	run file show server.properties
	expect_rc 0
	expect_err 'note: nowhere.properties is not there'
	expect_out listeners
	run file show server.properties --local-secrets-file nowhere.properties
	expect_rc 1
	expect_err 'check --local-secrets-file'
}

case_nothing_is_written_to_the_files() {
	begin
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote"
	ini "$user" '[ui]' 'theme = light'
	cp -a propseal.ini "$kept.ini"
	cp -a "$user" "$kept.user"
	run file encrypt --config-file server.properties
	expect_rc 0
	run config show
	run config check
	cmp propseal.ini "$kept.ini" && cmp "$user" "$kept.user" || fail 'a file changed'
	[ "$(stat -c %Y.%i propseal.ini)" = "$(stat -c %Y "$kept.ini").$(stat -c %i propseal.ini)" ] ||
	    fail 'it was written'
}

# --- which one wins ---

case_environments_are_shown_and_checked_by_the_table() {
	begin
	mkdir -p below
	ini propseal.ini '[environment prod]' 'secrets-file = prod.properties' \
	    'files = a*.properties' '  b*.json' '[environment test]' 'secrets-file = test.properties' \
	    'remote-path = /etc/kafka/test.properties'
	run config show
	expect_rc 0
	expect_out '[environment prod]'
	expect_out '[environment test]'
	cd below || return
	run config show -o json
	expect_rc 0
	cd .. || return
	expect_json "$out" '[(s["section"], s["name"], s["value"], s["line"]) for s in
	    d["settings"] if s["section"].startswith("environment")]' \
	    "[('environment prod', 'secrets-file', '$PWD/prod.properties', 1), ('environment prod', 'remote-path', None, None), ('environment prod', 'files', ['a*.properties', 'b*.json'], 1), ('environment test', 'secrets-file', '$PWD/test.properties', 5), ('environment test', 'remote-path', '/etc/kafka/test.properties', 5), ('environment test', 'files', [], None)]"
	ini propseal.ini '[environment prod]' 'secret-file = a'
	run config check
	expect_rc 1
	expect_err 'propseal.ini:2: "secret-file": unknown setting'
	expect_err 'hint: did you mean secrets-file?'
	ini propseal.ini '[environment prod]' 'secrets-file = a' 'theme = light'
	run config check
	expect_err 'hint: it belongs below [ui]'
	ini propseal.ini '[files]' 'files = a'
	run config check
	expect_err 'hint: it belongs below [environment NAME]'
}

case_flag_environment_project_user_built_in() {
	begin
	setting lock-seconds 's["value"], s["origin"]' "(300, 'built-in')"
	ini "$user" '[ui]' 'lock-seconds = 1' 'reveal-seconds = 7'
	setting lock-seconds 's["value"], s["origin"], s["line"]' "(1, 'user', 2)"
	ini propseal.ini '[ui]' '' 'lock-seconds = 2'
	setting lock-seconds 's["value"], s["origin"], s["file"], s["line"]' \
	    "(2, 'project', 'propseal.ini', 3)"
	ini named.ini '[ui]' '' '' 'lock-seconds = 3'
	export PROPSEAL_CONFIG=named.ini
	setting lock-seconds 's["value"], s["origin"], s["file"], s["line"]' \
	    "(3, 'environment', 'named.ini', 4)"
	setting reveal-seconds 's["value"], s["origin"]' "(7, 'user')"
	run config show --lock-time 4 -o json
	expect_json "$out" '[(s["value"], s["origin"]) for s in d["settings"]
	    if s["name"] == "lock-seconds"]' "[(4, 'flag')]"
}

case_empty_variable_means_no_file() {
	begin
	ini propseal.ini '[nonsense]'
	ini "$user" '[files]' 'secrets-file = /elsewhere'
	PROPSEAL_CONFIG='' run config show
	expect_rc 0
	expect_out '# no propseal.ini is read'
	PROPSEAL_CONFIG='' run file show server.properties
	expect_rc 0
}

case_variable_that_names_nothing_is_an_error() {
	begin
	PROPSEAL_CONFIG=gone.ini run file show server.properties
	expect_rc 1
	expect_err 'propseal: gone.ini: '
	expect_err 'the environment variable PROPSEAL_CONFIG names it'
}

case_flags_win_over_the_files() {
	begin
	ini propseal.ini '[files]' 'secrets-file = nowhere.properties' 'remote-path = /wrong'
	on server.properties encrypt --config sasl.secret
	expect_rc 0
	expect_in server.properties "\${securepass:$remote:"
}

# --- where the files are ---

case_project_file_of_a_folder_above() {
	begin
	mkdir -p one/two
	ini propseal.ini '[files]' 'secrets-file = keys/sec.properties' 'remote-path = conf/sec'
	mkdir keys && mv sec.properties keys/
	cd one/two || exit 1
	setting secrets-file 's["value"]' "${PWD%/one/two}/keys/sec.properties"
	# A path on another host is nobody's to make whole.
	setting remote-path 's["value"]' conf/sec
	run file verify
	expect_rc 0
	ini ../propseal.ini '[ui]'
	setting secrets-file 's["value"]' None
}

case_project_ends_at_git_home_and_root() {
	begin
	mkdir -p one/.git one/two
	ini propseal.ini '[ui]' 'lock-seconds = 5'
	(cd one && setting lock-seconds 's["origin"]' built-in) || exit 1
	(cd one/two && setting lock-seconds 's["origin"]' built-in) || exit 1
	rmdir one/.git
	(cd one/two && setting lock-seconds 's["origin"]' project) || exit 1
	# A work tree of git has a file of this name.
	echo 'gitdir: elsewhere' >one/.git
	(cd one/two && setting lock-seconds 's["origin"]' built-in) || exit 1
	rm one/.git
	(cd one/two && HOME=${PWD%/two} setting lock-seconds 's["origin"]' built-in) || exit 1
	ini one/.git 'gitdir: elsewhere'
	ini one/propseal.ini '[ui]' 'lock-seconds = 6'
	(cd one/two && setting lock-seconds 's["value"]' 6) || exit 1
	cd / && run config show
	expect_rc 0
}

case_user_file_is_where_xdg_says() {
	begin
	ini "$user" '[ui]' 'lock-seconds = 5'
	setting lock-seconds 's["value"]' 5
	mkdir -p xdg/propseal
	ini xdg/propseal/propseal.ini '[ui]' 'lock-seconds = 6'
	XDG_CONFIG_HOME=$PWD/xdg setting lock-seconds 's["value"]' 6
	# A relative one counts as none.
	XDG_CONFIG_HOME=xdg setting lock-seconds 's["value"]' 5
	(unset HOME && setting lock-seconds 's["value"]' 300) || exit 1
}

case_tilde_is_the_home_folder() {
	begin
	ini propseal.ini '[files]' 'secrets-file = ~/sec.properties'
	setting secrets-file 's["value"]' "$HOME/sec.properties"
	refused 2 'this is no path' '[files]' 'secrets-file = ~root/sec.properties'
}

# --- a file that came with a repository ---

# outside PATH: the project's file must not name it, and nothing is written.
outside() {
	refused 3 '"secrets-file": ' '[files]' "remote-path = $remote" "secrets-file = $1"
	expect_err 'in a git work tree may name files below its own folder only'
	expect_err '/.config/propseal/propseal.ini'
	expect_err '--local-secrets-file'
	rm -rf "$kept"
	cp -a . "$kept"
	run file encrypt --config-file server.properties
	expect_rc 1
	expect_err 'propseal: propseal.ini:3: "secrets-file": '
	run file encrypt --config-file server.properties --local-secrets-file sec.properties
	expect_rc 1
	run master-key generate --passphrase @pass
	expect_rc 1
	run config check
	expect_rc 1
	expect_err 'propseal.ini:3: "secrets-file": '
	run config check propseal.ini
	expect_rc 1
	expect_unchanged
}

case_project_file_in_a_work_tree_names_its_own_files_only() {
	begin
	mkdir -p ../away/folder home/sub sub/.git
	export HOME=$PWD/../away
	mkdir repo
	mv .git server.properties sec.properties pass repo/
	cd repo || exit 1
	outside '~/.bash_profile'
	outside '~/new/file'
	outside ../sec.properties
	outside sub/../../x
	outside missing/../../x
	outside ../repository
	outside "$HOME/folder/x"
	outside /etc/propseal-x
	outside .git/config
	outside .GIT/hooks/pre-commit
	ln -s "$HOME/.bash_profile" link
	outside link
	ln -s ../../away/folder folder
	outside folder/x
	outside folder/sub/x
	ln -s folder/new chain
	outside chain
	ln -s loop loop
	outside loop
	ln -s .git/hooks hooks
	outside hooks/x
	# So it is in a folder of the work tree, and where .git is a file.
	mkdir below
	mv server.properties sec.properties pass below/
	cd below || exit 1
	outside ../other.properties
	rmdir ../.git
	echo 'gitdir: elsewhere' >../.git
	outside ../other.properties
}

case_project_file_in_a_work_tree_names_what_is_below() {
	local path
	begin
	mkdir -p dir/sub
	ln -s dir/sub sub
	ln -s dir/fresh fresh
	ln -s "$PWD/dir" whole
	for path in sec.properties ./x dir/x dir/../x sub/x fresh whole/x "$PWD/x" missing/x \
	    .github/x '~/x' ..x/y; do
		ini propseal.ini '[files]' "secrets-file = $path"
		run config show
		expect_rc 0
		run config check
		expect_rc 0
	done
}

case_outside_of_work_trees_a_file_may_name_any_path() {
	begin
	rmdir .git
	ini propseal.ini '[files]' 'secrets-file = /etc/propseal-x'
	setting secrets-file 's["value"]' /etc/propseal-x
	ini propseal.ini '[files]' 'secrets-file = ../x'
	setting secrets-file 's["value"]' ../x
	# What links to a file of a work tree belongs to it.
	mkdir -p repo/.git
	mv propseal.ini repo/
	ln -s repo/propseal.ini propseal.ini
	outside_of_link
	# And what stands in one is held to its own folder, whatever it links to.
	rm propseal.ini
	mv repo/propseal.ini real.ini
	ln -s ../real.ini repo/propseal.ini
	cd repo || exit 1
	outside_of_link
}

outside_of_link() {
	run config show
	expect_rc 1
	expect_err 'propseal.ini:2: "secrets-file": '
	expect_err 'below its own folder only'
}

case_own_files_may_name_any_path_in_a_work_tree() {
	begin
	mkdir home/.git
	ini "$user" '[files]' 'secrets-file = /etc/propseal-x'
	setting secrets-file 's["value"], s["origin"]' "('/etc/propseal-x', 'user')"
	run config check
	expect_rc 0
	run config check "$user"
	expect_rc 0
	ini named.ini '[files]' 'secrets-file = /etc/propseal-y'
	run config check named.ini
	expect_rc 1
	export PROPSEAL_CONFIG=named.ini
	setting secrets-file 's["value"], s["origin"]' "('/etc/propseal-y', 'environment')"
	run config check
	expect_rc 0
	run config check named.ini
	expect_rc 0
}

case_own_files_are_own_where_they_are_found_as_the_projects() {
	begin
	ini propseal.ini '[files]' 'secrets-file = /etc/propseal-x'
	outside_of_link
	export PROPSEAL_CONFIG=$PWD/propseal.ini
	setting secrets-file 's["value"], s["origin"]' "('/etc/propseal-x', 'environment')"
	run config check
	expect_rc 0
	unset PROPSEAL_CONFIG
	# In the user's folder of settings, which is kept in git.
	mkdir home/.git
	mv propseal.ini "$user"
	(cd home/.config/propseal && setting secrets-file 's["value"]' /etc/propseal-x) || exit 1
	(cd home/.config/propseal && run config check && expect_rc 0) || exit 1
	# A repository's link to it is none of the user's files: paths begin elsewhere.
	ln -s "$user" propseal.ini
	outside_of_link
}

case_profile_of_the_user_is_not_written_by_a_repository() {
	local key='$(touch$IFS'$PWD'/pwned).password'
	begin
	mkdir -p repo/.git
	cd repo || exit 1
	ini propseal.ini '[files]' 'secrets-file = ~/.bash_profile' "remote-path = $remote"
	printf 'x=1\n%s=${securepass:%s:app.properties/%s}\n' "$key" "$remote" "$key" >app.properties
	cp app.properties "$kept.properties"
	run file encrypt --config-file app.properties
	expect_rc 1
	[ ! -e "$HOME/.bash_profile" ] || fail 'it is written'
	cmp app.properties "$kept.properties" || fail 'the configuration changed'
	bash -l -c true
	[ ! -e ../pwned ] || fail 'the command ran'
}

case_file_that_others_can_write_is_refused() {
	local mode f
	begin
	for mode in 664 646 666; do
		[ $mode -ne 664 ] || ! alone_in_group || continue
		for f in propseal.ini "$user"; do
			ini "$f" '[ui]'
			chmod $mode "$f"
			run file show server.properties
			expect_rc 1
			expect_err 'propseal.ini: this file is not used: others may write to it'
			expect_err 'chmod go-w'
			run config check
			expect_rc 1
			rm "$f"
		done
	done
	ini propseal.ini '[ui]'
	chmod 600 propseal.ini
	run file show server.properties
	expect_rc 0
}

# Debian and Ubuntu make such users, and editors with their umask such files.
case_file_that_the_group_of_its_owner_alone_can_write_is_used() {
	local as=
	begin
	if ! alone_in_group; then
		[ "$(id -u)" -eq 0 ] || return 0
		as='setpriv --reuid=4711 --regid=4711 --clear-groups'
	fi
	ini propseal.ini '[rules]' 'secret-keys = the.key'
	echo the.key=CANARY >>server.properties
	chmod 664 propseal.ini
	[ -z "$as" ] || { chown -R 4711:4711 . && chmod 755 .. ../..; }
	$as "$PROPSEAL" file show server.properties >"$out" 2>"$err"
	rc=$?
	expect_rc 0
	expect_no CANARY
	[ -n "$as" ] || return 0
	chown 4711:0 propseal.ini
	$as "$PROPSEAL" file show server.properties >"$out" 2>"$err"
	rc=$?
	expect_rc 1
	expect_err 'others may write to it'
}

case_file_of_somebody_else_is_refused() {
	begin
	[ "$(id -u)" -eq 0 ] || return 0
	ini propseal.ini '[ui]'
	chown 12345 propseal.ini
	run file show server.properties
	expect_rc 1
	expect_err 'it belongs to somebody else'
	chown 0 propseal.ini
	mv propseal.ini real.ini
	ln -s real.ini propseal.ini
	run file show server.properties
	expect_rc 0
	chown -h 12345 propseal.ini
	run file show server.properties
	expect_rc 1
	expect_err 'it is a symbolic link of somebody else'
}

case_what_is_no_regular_file_is_an_error() {
	begin
	mkdir propseal.ini
	run file show server.properties
	expect_rc 1
	expect_err propseal.ini
	rmdir propseal.ini
	mkfifo propseal.ini
	run file show server.properties
	expect_rc 1
	expect_err propseal.ini
	rm propseal.ini
	ln -s gone propseal.ini
	run config check
	expect_rc 1
}

# --- what stands in them ---

case_unknown_names_have_a_line_and_a_suggestion() {
	begin
	refused 2 'unknown section: [file]' '' '[file]' 'x = y'
	expect_err 'did you mean [files]?'
	refused 1 'unknown section: [quux]' '[quux]'
	expect_err 'the sections are [files], [rules], [keys], [ui], [locks], [registry], [theme], [environment NAME]'
	refused 3 '"secret-file": unknown setting' '# c' '[files]' 'secret-file = x'
	expect_err 'did you mean secrets-file?'
	refused 2 '"theme": unknown setting' '[files]' 'theme = light'
	expect_err 'it belongs below [ui]'
	refused 2 '"key.unmrak-all": unknown setting' '[ui]' 'key.unmrak-all = x'
	expect_err 'did you mean key.unmark-all?'
	refused 2 '"zzz": unknown setting' '[locks]' 'zzz = 1'
	expect_err '`propseal config show` lists the settings of [locks]'
	refused 1 '"theme": the setting stands before any section' 'theme = light' '[ui]'
}

case_values_are_checked() {
	begin
	refused 2 'there is no drak' '[ui]' 'theme = drak'
	expect_err 'did you mean dark'
	refused 2 'there is no look pinkish' '[theme]' 'clear = red pinkish'
	refused 2 '"cleer"' '[theme]' 'cleer = red'
	refused 2 'there is no mauve' '[ui]' 'theme = mauve'
	expect_err 'it takes auto|default|dark|light'
	refused 2 'there is no ligth' '[ui]' 'theme = ligth'
	expect_err 'did you mean light?'
	local v
	for v in soon '' 1.5 -1 0 99999999999 '10 s'; do
		refused 2 '"lock-seconds": ' '[ui]' "lock-seconds = $v"
	done
	refused 2 'no number of seconds' '[locks]' 'timeout-seconds = -2'
	refused 2 'there is no value' '[files]' 'secrets-file ='
	refused 2 'there is no value' '[files]' 'patterns = , ,'
	refused 2 'cannot stand in a reference' '[files]' 'remote-path = C:/x'
	refused 2 'cannot stand in a reference' '[files]' 'remote-path = /x}'
	refused 2 'no configuration file has a name of this pattern: *.conf' '[files]' \
	    'patterns = *.properties *.conf'
	ini propseal.ini '[locks]' 'timeout-seconds = -1'
	setting timeout-seconds 's["value"]' -1
}

case_twice_is_an_error() {
	begin
	refused 4 '"theme": the setting stands here twice' '[ui]' 'theme = light' '' 'theme = light'
	expect_err 'it is on line 2 already'
	refused 6 'twice' '[ui]' 'theme = light' '[locks]' 'timeout-seconds = 1' '[ui]' \
	    'theme = light'
	# The same section again is none.
	ini propseal.ini '[ui]' 'theme = light' '[locks]' '[ui]' 'lock-seconds = 9'
	setting lock-seconds 's["line"]' 5
}

case_lines_that_are_nothing() {
	begin
	refused 2 'neither a setting nor a section nor a comment' '[ui]' 'theme'
	refused 1 'the section has no ]' '[ui'
	refused 1 'something stands behind the section' '[ui] theme = light'
	refused 3 'which takes one value' '[ui]' 'theme = light' '  lock-seconds = 3'
	expect_err 'begin each setting at the start of a line'
	refused 3 'the section is indented' '[ui]' 'theme = light' '  [locks]'
	printf '[ui]\ntheme = li\0ght\n' >propseal.ini
	run config check
	expect_rc 1
	expect_err 'propseal.ini:2: there is a NUL byte'
}

case_long_lines_are_errors_and_not_cut() {
	begin
	refused 2 'the line is too long' '[files]' \
	    "secrets-file = /$(printf '%0300d' 0)/sec.properties" 'remote-path = /r'
	expect_err 'it may have '
}

case_comments_blanks_line_ends_and_a_mark_at_the_start() {
	begin
	printf '\xef\xbb\xbf; a comment\r\n  # one more\r\n[ui] ; words\r\n\r\ntheme=light ; so\r\n' \
	    >propseal.ini
	printf '  \t\r\nlock-seconds\t=\t8' >>propseal.ini
	setting theme 's["value"], s["line"]' "('light', 5)"
	setting lock-seconds 's["value"], s["line"]' '(8, 7)'
	: >propseal.ini
	setting theme 's["origin"]' built-in
}

case_lists_take_blanks_commas_and_indented_lines() {
	begin
	rmdir .git
	ini propseal.ini '[rules]' 'secret-keys = a.b,c.d  e.f' '   # not this' '' '    g.*,' \
	    '	h' 'public-keys = z'
	setting secret-keys 's["value"], s["line"]' "(['a.b', 'c.d', 'e.f', 'g.*', 'h'], 2)"
	setting public-keys 's["value"]' "['z']"
	refused 3 'no configuration file has a name' '[files]' 'patterns = *.json' '   nope.txt'
}

# --- rules, patterns, times ---

case_secret_keys_are_masked_marked_and_sealed() {
	begin
	echo 'alert.hook.shape=CANARY-hook' >>server.properties
	run file show server.properties
	expect_out CANARY-hook
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" \
	    '[rules]' 'secret-keys = hook.shape'
	run file show server.properties
	expect_no CANARY
	run file show server.properties -o json
	expect_json "$out" '[(e["sensitive"], e["value"]) for e in d["entries"]
	    if e["key"] == "alert.hook.shape"]' '[(True, None)]'
	run file encrypt --config-file server.properties
	expect_rc 0
	expect_not_in server.properties CANARY-hook
	expect_opens alert.hook.shape CANARY-hook
	expect_in server.properties 'sasl.secret=CANARY-sasl'
}

case_public_keys_are_not() {
	begin
	rmdir .git	# in a work tree they would count for nothing
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" \
	    '[rules]' 'public-keys = zookeeper.* keystore.password'
	run file show server.properties
	expect_out CANARY-zookeeper
	expect_out CANARY-keystore
	expect_no CANARY-sasl
	run file encrypt --config-file server.properties
	expect_rc 0
	expect_in server.properties ssl.keystore.password=CANARY-keystore
	expect_opens ssl.key.password CANARY-key
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" \
	    '[rules]' 'public-keys = *' 'secret-keys = nope'
	run file encrypt --config-file server.properties
	expect_rc 0
	expect_err 'nothing to seal: no key contains "password" or is one of secret-keys'
}

case_patterns_and_ignore_choose_files() {
	begin
	mkdir -p est/target est/connect
	cp server.properties est/
	cp server.properties est/target/
	cp server.properties est/connect/worker.properties
	run file verify --local-secrets-file sec.properties est -o json
	expect_json "$out" 'd["files"]' 3
	ini propseal.ini '[files]' 'ignore = target/'
	run file verify --local-secrets-file sec.properties est -o json
	expect_json "$out" 'd["files"]' 2
	ini propseal.ini '[files]' 'patterns = connect/*.properties'
	run file verify --local-secrets-file sec.properties est -o json
	expect_json "$out" 'd["files"]' 1
	# What is named itself is looked at.
	run file verify --local-secrets-file sec.properties est/server.properties -o json
	expect_json "$out" 'd["files"]' 1
}

case_lock_timeout_of_the_file() {
	begin
	ini propseal.ini '[locks]' 'timeout-seconds = 0'
	hold sec.properties
	on server.properties encrypt
	let_go
	expect_rc 5
}

# --- keys of the interface ---

case_keys_are_bound() {
	begin
	ini propseal.ini '[ui]' 'key.mark = m ^T F' 'key.quit = Z' 'key.redraw = none' \
	    'key.search=;' 'key.next-match = _' 'key.previous-match = é'
	setting key.mark 's["value"]' "['m', '^T', 'F']"
	setting key.redraw 's["value"]' '[]'
	setting key.search 's["value"]' "[';']"
	setting key.next-match 's["value"]' "['_']"
	setting key.previous-match 's["value"]' "['é']"
	setting key.apply 's["value"], s["origin"]' "(['w'], 'built-in')"
	run config show
	expect_out 'm ^T F'
}

case_conflicts_name_the_line_and_both_actions() {
	begin
	refused 2 'the key w of mark is that of apply too' '[ui]' 'key.mark = w'
	expect_err 'key.apply = ...'
	refused 3 'the key x of ' '[ui]' 'key.mark = x' 'key.review = x'
	# One of the two moved away is none.
	ini propseal.ini '[ui]' 'key.mark = w' 'key.apply = W'
	setting key.mark 's["value"]' "['w']"
	# Across files: the stronger line is to blame.
	ini propseal.ini '[ui]' 'key.filter = W'
	ini "$user" '[ui]' 'key.apply = W'
	run config check
	expect_rc 1
	expect_err 'propseal.ini:2: the key W of filter is that of apply too'
}

case_forbidden_keys() {
	local k
	begin
	for k in '^Z' '^c' '^D' '^S' '^Q' '^A' '^B'; do
		refused 2 'the terminal or a multiplexer may take it' '[ui]' "key.mark = $k"
	done
	for k in '^I' '^M' '^[' '^H'; do
		refused 2 'the terminal sends it for another key' '[ui]' "key.mark = $k"
	done
	refused 2 'there is no key of this name' '[ui]' 'key.mark = Hyper'
	refused 2 'an upper-case letter' '[ui]' 'key.remove = x'
	refused 2 'an upper-case letter' '[ui]' 'key.rotate-master-key = Space'
	refused 2 'the action needs a key' '[ui]' 'key.help = none'
	refused 2 'the action needs a key' '[ui]' 'key.quit = none'
	refused 2 'too many keys' '[ui]' 'key.mark = 1 2 3 4'
}

# --- the commands ---

case_config_show_for_people() {
	begin
	ini propseal.ini '[files]' 'secrets-file = my secrets.properties'
	run config show
	expect_rc 0
	grep -q '^secrets-file  *my secrets.properties  *propseal.ini:2$' "$out" || fail 'no line'
	grep -q '^remote-path  *(none)  *built-in$' "$out" || fail 'no remote-path'
	grep -q '^\[rules\]$' "$out" || fail 'no section'
	grep -q '^# project  *propseal.ini$' "$out" || fail 'no place'
	grep -q '^# user .*(not there)$' "$out" || fail 'no user'
	NO_COLOR=1 run config show
	grep -q '^theme  *monochrome  *environment NO_COLOR$' "$out" || fail 'no NO_COLOR'
	run config show --local-secrets-file other
	grep -q '^secrets-file  *other  *flag --local-secrets-file$' "$out" || fail 'no flag'
}

case_config_show_makes_control_characters_visible() {
	begin
	printf '[files]\nsecrets-file = a\033[2Jb\n' >propseal.ini
	run config show
	expect_rc 0
	expect_out 'a\x1b[2Jb'
	expect_no $'\033'
}

case_config_check_tells_everything_at_once() {
	begin
	ini bad.ini '[ui]' 'theme = drak' 'lock-seconds = x' '[nope]' 'x = 1' '[files]' \
	    'secret-file = y' 'words'
	run config check bad.ini
	expect_rc 1
	[ "$(grep -c '^propseal: bad.ini:' "$err")" -eq 5 ] || fail 'not five'
	expect_err 'bad.ini:2: "theme"'
	expect_err 'bad.ini:3: "lock-seconds"'
	expect_err 'bad.ini:4: unknown section: [nope]'
	expect_err 'bad.ini:7: "secret-file"'
	expect_err 'bad.ini:8: this is neither'
	run config check bad.ini -o json
	expect_rc 1
	expect_json "$out" 'd["problems"], d["files"][0]["path"]' "(5, 'bad.ini')"
	[ "$(python3 -c 'import json, sys
print([json.loads(l)["error"]["line"] for l in open(sys.argv[1])])' "$err")" = '[2, 3, 4, 7, 8]' ] ||
	    fail 'not these lines'
	ini bad.ini '[ui]' 'key.mark = w'
	run config check bad.ini
	expect_rc 1
	expect_err 'bad.ini:2: the key w'
}

case_config_check_of_good_files() {
	begin
	run config check
	expect_rc 0
	expect_out 'no propseal.ini is read here'
	ini propseal.ini '[ui]' 'theme = light'
	ini "$user" '[ui]' 'theme = light'
	run config check
	expect_rc 0
	[ "$(grep -c ': no problems$' "$out")" -eq 2 ] || fail 'not two'
	run config check gone.ini
	expect_rc 1
	expect_err gone.ini
}

case_a_broken_file_does_not_stop_help_or_check() {
	begin
	ini propseal.ini '[nonsense]'
	run --help
	expect_rc 0
	run file encrypt --help
	expect_rc 0
	run --version
	expect_rc 0
	run completion bash
	expect_rc 0
	run config check
	expect_rc 1
	run config show
	expect_rc 1
	run ui server.properties
	expect_rc 1
	expect_err 'propseal.ini:1'
}

case_the_registry_is_the_users_own_choice() {
	begin
	refused 2 "counts in the user's own" '[registry]' 'url = http://127.0.0.1:1'
	rm propseal.ini
	ini "$user" '[registry]' 'url = https://registry.example/base' 'user = alice' \
	    'password-file = ~/alice' 'ca = ca.pem'
	setting url '(s["section"], s["value"], s["origin"], s["line"])' \
	    "('registry', 'https://registry.example/base', 'user', 2)"
	setting ca 's["value"]' "$HOME/.config/propseal/ca.pem"
	setting password-file 's["value"]' "$HOME/alice"
	PROPSEAL_REGISTRY_URL=http://other.example:1 setting url '(s["value"], s["origin"])' \
	    "('http://other.example:1', 'environment')"
	ini "$user" '[registry]' 'url = ftp://registry.example'
	run config check
	expect_rc 1
	expect_err 'propseal.ini:2: "url"'
	ini "$user" '[registry]' 'url = http://alice:CANARY@registry.example'
	run config check
	expect_rc 1
	expect_no CANARY
}

case_every_setting_stands_in_the_manual() {
	local name page=$here/../../man/propseal.ini.5
	run config show -o json
	expect_rc 0
	python3 -c 'import json, sys
for s in json.load(open(sys.argv[1]))["settings"]:
    print(s["name"])' "$out" >names
	[ "$(wc -l <names)" -gt 40 ] || fail 'too few settings'
	while read -r name; do
		case $name in
		key.*) grep -q "^\.It Cm ${name#key.}\$" "$page" ;;
		*) grep -q "^\.It Cm $name\\b" "$page" ;;
		esac || fail "propseal.ini(5) lacks $name"
	done <names
}

# --- what came with a repository ---

case_a_repository_takes_no_rules_away() {
	begin
	mkdir -p repo
	git init -q repo
	cd repo || exit 1
	printf 'db.password=CANARY\n' >b.properties
	ini propseal.ini '[files]' 'ignore = b.*'
	git add b.properties
	run git check --staged
	expect_rc 0
	expect_err '1 staged file is not looked at'
	ini propseal.ini '[rules]' 'public-keys = *'
	run git check --staged
	expect_rc 3
	expect_err 'propseal.ini:2: public-keys is not used'
	run config check
	expect_rc 0
	expect_err 'propseal.ini:2: public-keys is not used'
	run git check
	expect_rc 3
	run file show b.properties
	expect_rc 0
	expect_no CANARY
	expect_err 'propseal.ini:2: public-keys is not used'
	run file diff b.properties ../server.properties
	expect_no CANARY
	run config show
	expect_rc 0
	expect_no 'propseal.ini:2'
	# One's own may, and so may one outside of a work tree.
	ini "../$user" '[rules]' 'public-keys = db.password'
	run git check
	expect_rc 0
	rm "../$user"
	mv .git .not-git
	rmdir ../.git
	run git check
	expect_rc 0
}

case_a_repository_adds_rules_to_ones_own() {
	begin
	git init -q .
	printf 'one.x=CANARY-1\ntwo.x=CANARY-2\n' >b.properties
	ini "$user" '[rules]' 'secret-keys = one.x'
	ini propseal.ini '[rules]' 'secret-keys = two.x'
	run file show b.properties
	expect_rc 0
	expect_no CANARY
}

case_what_a_repository_decides_about_writing_is_told() {
	begin
	git init -q .
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" 'replace=yes'
	run file encrypt --config-file server.properties --dry-run
	expect_rc 0
	expect_out '# propseal.ini:2, which is in the work tree, says --local-secrets-file sec.properties'
	expect_out "# propseal.ini:3, which is in the work tree, says --remote-secrets-file $remote"
	run file encrypt --config-file server.properties -o json
	expect_rc 0
	expect_json "$out" 'len([n for n in d["notes"] if "in the work tree" in n])' 3
	expect_err 'propseal.ini:4, which is in the work tree, says --replace'
	# The user's own file is the user's own will.
	mv propseal.ini "$user"
	sed -i "s,= sec,= $PWD/sec," "$user"
	run file rotate --passphrase @pass
	expect_rc 0
	expect_no 'work tree'
}

case_a_file_written_anew_is_sealed_again_with_replace() {
	begin
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote"
	printf 'a.password=CANARY-1\n' >server.properties
	run file encrypt --config-file server.properties
	expect_rc 0
	printf 'a.password=CANARY-2\n' >server.properties
	run file encrypt --config-file server.properties
	expect_rc 1
	expect_err 'replace=yes in propseal.ini'
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" \
	    'replace = yes'
	run file encrypt --config-file server.properties
	expect_rc 0
	expect_opens a.password CANARY-2
	printf 'a.password=CANARY-3\n' >server.properties
	run file encrypt --config-file server.properties --replace=false
	expect_rc 1
	ini propseal.ini '[files]' 'replace = maybe'
	run config check propseal.ini
	expect_rc 1
	expect_err 'propseal.ini:2: "replace": there is no maybe'
}

case_the_class_of_the_provider_is_chosen() {
	begin
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" \
	    'provider-class = org.example.Secure$Provider'
	printf 'a.password=CANARY\n' >c.properties
	run file encrypt --config-file c.properties
	expect_rc 0
	expect_in c.properties 'config.providers.securepass.class=org.example.Secure$Provider'
	printf 'a.password=CANARY\nconfig.providers.securepass.class=other\n' >d.properties
	run file encrypt --config-file d.properties
	expect_err 'another class than org.example.Secure$Provider'
	mkdir .git
	printf 'a.password=CANARY\n' >e.properties
	run file encrypt --config-file e.properties
	expect_err 'in the work tree, says provider-class = org.example.Secure$Provider'
	refused 2 'no name of a Java class' '[files]' 'provider-class = a b'
}

case_patterns_give_a_format_to_files_of_any_name() {
	local value name
	value="sasl.jaas.config=x.PlainLoginModule required username=\"u\" password=\"CANARY\";"
	begin
	mkdir conf
	for name in client.config client.conf server.properties.j2 SERVER.PROPERTIES java.json; do
		echo "$value" >conf/$name
	done
	echo '{"a.password":"CANARY"}' >conf/c.JSON
	run file show conf/client.config
	expect_rc 1
	expect_err '--config-format'
	ini propseal.ini '[files]' 'secrets-file = sec.properties' "remote-path = $remote" \
	    'patterns = *.properties client.config=properties *.conf=properties *.j2=properties' \
	    ' SERVER.PROPERTIES=properties *.JSON=json java.json=properties'
	run git check conf
	expect_rc 3
	expect_out '6 errors, '
	expect_out '; 6 of 6 files read'
	run doctor conf
	expect_out 'conf/client.config'
	for name in client.config client.conf server.properties.j2 SERVER.PROPERTIES c.JSON \
	    java.json; do
		run file encrypt --config-file conf/$name
		expect_rc 0
		expect_in conf/$name securepass:
		expect_not_in conf/$name CANARY
		run file decrypt --config-file conf/$name --output-file -
		expect_out CANARY
	done
	run file verify conf
	expect_rc 0
	expect_out '6 references in 6 files'
	run git check conf sec.properties
	expect_rc 0
	ini propseal.ini '[files]' 'patterns = *.conf=xml'
	run config check propseal.ini
	expect_rc 1
	expect_err 'PATTERN=properties'
}

case_the_format_is_given_with_the_file() {
	begin
	echo 'a.password=CANARY' >client.config
	on client.config encrypt --config-format properties
	expect_rc 0
	expect_not_in client.config CANARY
	run file show client.config --config-format properties
	expect_rc 0
	expect_out 'sealed'
	run render client.config --config-format properties --local-secrets-file sec.properties
	expect_out 'a.password=CANARY'
	run file show client.config --config-format json
	expect_rc 1
	run file show client.config --config-format xml
	expect_rc 2
}

run_cases "$@"
