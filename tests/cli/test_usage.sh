#!/usr/bin/env bash
# The command line itself: commands, flags, help, version, usage errors.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

case_version_is_one_line() {
	run --version
	expect_rc 0
	[ "$(wc -l <"$out")" -eq 1 ] || fail "not one line"
	expect_out OpenSSL
	expect_out libevent
	cp "$out" "$suite/version"
	run -V
	expect_rc 0
	cmp -s "$out" "$suite/version" || fail "-V says another thing"
	run version -o json
	expect_json "$out" 'd["schema"], sorted(d["libraries"])' \
	    "('propseal.version/1', ['OpenSSL', 'jansson', 'libevent', 'libyaml', 'ncurses'])"
	run version
	expect_out "propseal $(sed -n "s/^VERSION := //p" "$here/../../Makefile")"
	run version
	expect_rc 0
	expect_out "propseal $(sed -n "s/^VERSION := //p" "$here/../../Makefile")"
}

case_help_lists_every_command_and_the_exit_statuses() {
	local c
	run --help
	expect_rc 0
	for c in 'master-key generate' 'file '{encrypt,decrypt,add,update,remove,rotate,show,verify}; do
		expect_out "$c"
	done
	expect_out '4  wrong key'
	expect_out '5  another propseal'
}

case_help_of_a_command_names_its_flags() {
	local form
	for form in 'file encrypt --help' 'file encrypt -h' 'help file encrypt' \
	    'secret file encrypt -h' '-h file encrypt' 'file encrypt --config x --help'; do
		# shellcheck disable=SC2086 # words
		run $form
		expect_rc 0
		expect_out 'usage: propseal file encrypt --config-file FILE --local-secrets-file FILE'
		expect_out '--dry-run'
		expect_out '-o, --output human|json'
	done
}

case_help_of_a_group_lists_its_commands() {
	run file --help
	expect_rc 0
	expect_out 'file rotate'
	run help master-key
	expect_rc 0
	expect_out 'master-key generate'
}

case_help_of_an_unknown_command_is_an_error() {
	run help file encript
	expect_rc 2
	expect_err 'did you mean `propseal file encrypt`?'
}

case_help_as_a_value_is_a_value() {
	on server.properties encrypt --config --help
	expect_rc 1
	expect_err '"--help"'
}

case_leading_secret_is_ignored() {
	run secret --version
	expect_rc 0
	run secret --help
	expect_rc 0
	run secret file show server.properties
	expect_rc 0
	expect_out listeners
}

case_flags_stand_anywhere() {
	run -o json file --local-secrets-file=sec.properties show server.properties
	expect_rc 0
	expect_json "$out" 'd["format"]' properties
	run file show --output=json server.properties
	expect_rc 0
	expect_json "$out" 'len(d["entries"])' 6
	run file show -ojson server.properties
	expect_rc 0
	expect_json "$out" 'd["file"]' server.properties
}

case_two_dashes_end_the_flags() {
	cp server.properties ./--reveal.properties
	run file show -- --reveal.properties
	expect_rc 0
	expect_no CANARY
	run file show --reveal.properties
	expect_rc 2
}

case_switch_takes_true_and_false() {
	run file show server.properties --reveal=false
	expect_rc 0
	expect_no CANARY
	run file show server.properties --reveal=true
	expect_out CANARY
	run file show server.properties --reveal=maybe
	expect_rc 2
	expect_err 'bad value for --reveal'
}

case_unknown_command_suggests_the_near_one() {
	run encript
	expect_rc 2
	expect_err 'did you mean `propseal file encrypt`?'
	run fil
	expect_rc 2
	expect_err 'did you mean `propseal file`?'
	run file shwo x
	expect_rc 2
	expect_err 'did you mean `propseal file show`?'
	run quux
	expect_rc 2
	expect_err '  hint: `propseal --help` lists the commands'
}

case_group_alone_is_an_error_that_lists_commands() {
	run file
	expect_rc 2
	expect_err 'encrypt, decrypt, add, update, remove, rotate, show, verify'
	run master-key
	expect_rc 2
	expect_err 'one of generate'
}

case_unknown_flag_touches_nothing() {
	snapshot
	on server.properties encrypt --nope
	expect_rc 2
	expect_err 'propseal: unknown flag: --nope'
	expect_err '  hint: '
	expect_err 'usage: propseal file encrypt --config-file FILE'
	expect_unchanged
	on server.properties encrypt -x
	expect_rc 2
	expect_err 'unknown flag: -x'
}

case_unknown_flag_suggests_the_near_one() {
	on server.properties encrypt --dryrun
	expect_rc 2
	expect_err 'did you mean --dry-run?'
}

case_unknown_flag_does_not_show_its_value() {
	run master-key generate --local-secrets-file n --pasphrase=CANARY-typed
	expect_rc 2
	expect_err 'did you mean --passphrase?'
	expect_no CANARY-typed
}

case_missing_flags_are_named_at_once() {
	run file encrypt --config-file server.properties
	expect_rc 2
	expect_err 'missing: --local-secrets-file, --remote-secrets-file'
	run file remove --config-file server.properties --local-secrets-file sec.properties
	expect_rc 2
	expect_err 'missing: --config'
	run file decrypt --config-file server.properties --local-secrets-file sec.properties
	expect_rc 2
	expect_err 'missing: --output-file'
	run file show
	expect_rc 2
	expect_err 'missing: FILE'
}

case_flag_without_its_value() {
	run file show server.properties --local-secrets-file
	expect_rc 2
	expect_err '--local-secrets-file needs a value'
}

case_empty_file_name_is_a_usage_error() {
	run file show server.properties --local-secrets-file=
	expect_rc 2
	expect_err 'bad value for --local-secrets-file'
}

case_extra_argument() {
	snapshot
	on server.properties encrypt extra
	expect_rc 2
	expect_err 'an argument too many: extra'
	expect_unchanged
	run file show server.properties sec.properties
	expect_rc 2
}

case_extra_argument_after_a_secret_is_not_shown() {
	run master-key generate --local-secrets-file new.properties --passphrase correct CANARY-tail
	expect_rc 2
	expect_err 'must be quoted'
	expect_no CANARY-tail
	[ ! -e new.properties ] || fail "a file was made"
	on server.properties add --config a.b=one CANARY-tail
	expect_rc 2
	expect_no CANARY-tail
}

case_choices_and_numbers_are_checked() {
	run file show server.properties -o xml
	expect_rc 2
	expect_err 'it takes human|json'
	on server.properties encrypt --cipher des
	expect_rc 2
	expect_err 'it takes gcm|cbc'
	on server.properties encrypt --lock-timeout soon
	expect_rc 2
	on server.properties encrypt --lock-timeout -2
	expect_rc 2
	expect_err 'a whole number of seconds, or -1'
}

case_the_last_of_repeated_flags_counts() {
	on server.properties encrypt --config ssl.key.password --config sasl.secret
	expect_rc 0
	expect_err 'warning: --config is given more than once, and only the last one counts'
	expect_in server.properties CANARY-key
	expect_not_in server.properties CANARY-sasl
	run file show server.properties -o human -o json
	expect_rc 0
	expect_json "$out" 'd["format"]' properties
	on server.properties add --config a.b=CANARY-1 --config c.d=CANARY-2
	expect_rc 0
	expect_opens c.d CANARY-2
	expect_not_in server.properties a.b
}

case_flags_of_the_reference_are_taken_by_every_command() {
	local flag
	for flag in -v -vvv --verbose --unsafe-trace --verbose=true; do
		run secret file show server.properties $flag
		expect_rc 0
		run $flag file show server.properties
		expect_rc 0
		run git check server.properties $flag
		expect_rc 3
		run completion bash $flag
		expect_rc 0
	done
	run file show server.properties -x
	expect_rc 2
}

case_quiet_says_warnings_and_errors_alone() {
	on server.properties encrypt -q
	expect_rc 0
	expect_silent
	on server.properties encrypt --quiet
	expect_silent
	on server.properties add -q --config a.b=CANARY
	expect_err warning
	on server.properties encrypt -qv --config nope
	expect_rc 1
	expect_err nope
}

case_verbose_says_where_things_come_from() {
	on server.properties encrypt
	printf '[files]\nsecrets-file = sec.properties\n' >own.ini
	PROPSEAL_CONFIG=own.ini run file show server.properties --reveal -v
	expect_rc 0
	expect_err 'note: settings come from own.ini'
	expect_err 'note: the master key comes from the environment'
	expect_no "$(cat master.key)"
}

case_colours_are_for_terminals_or_on_demand() {
	local red=$'\033[31m'
	on server.properties encrypt --dry-run
	expect_no $'\033'
	on server.properties encrypt --dry-run --color always
	expect_out "${red}-ssl.key.password = ********"$'\033[m'
	expect_out $'\033[32m+ssl.key.password'
	on server.properties encrypt --dry-run --color=always -o json
	expect_no $'\033'
	NO_COLOR=1 on server.properties encrypt --dry-run --color never
	expect_no $'\033'
	run git check server.properties --color always
	expect_out "${red}E"
	cp server.properties other.properties
	sed -i s/CANARY-key$/CANARY-else/ other.properties
	run file diff server.properties other.properties --color always
	expect_rc 3
	expect_out "$red-ssl.key.password"
	run file show server.properties --color sometimes
	expect_rc 2
	on_terminal -- git check server.properties
	expect_out "$red"
	NO_COLOR=1 on_terminal -- git check server.properties
	expect_no "$red"
}

case_help_of_groups_and_of_all_has_examples() {
	local group
	for group in '' file git key master-key rotation recover config registry; do
		# shellcheck disable=SC2086 # a word or none
		run $group --help
		expect_rc 0
		[ "$(grep -A9 '^Examples:$' "$out" | grep -c "^  propseal $group")" -ge 1 ] ||
			fail "no example of $group"
	done
}

case_help_of_every_command_has_an_example_that_is_understood() {
	local line words count=0
	mkdir ../empty && cd ../empty || exit
	while read -r line; do
		# Up to the first flag or argument it is the name of a command.
		words=$line
		# shellcheck disable=SC2086 # words
		run $words --help
		expect_rc 0
		grep -q '^Examples:$' "$out" || fail "no example of $words"
		while read -r line; do
			line=${line%%[|<>&]*}
			# shellcheck disable=SC2086 # words
			run $words --help ${line#*"propseal $words"}
			expect_rc 0
			expect_out "propseal $words:"
			count=$((count + 1))
			# Without a propseal.ini, what they need is in them.
			case $words in
			file\ * | recover\ * | "registry delete")
				# shellcheck disable=SC2086 # words
				run $words ${line#*"propseal $words"} </dev/null
				expect_no 'missing: --'
				expect_no 'unsupported file format'
				expect_no 'takes one version at a time'
				;;
			esac
		done < <(sed -n '/\\$/N; s/\\\n *//; /^  propseal /p' "$out")
	done < <({ "$PROPSEAL" --help; "$PROPSEAL" registry --help; } |
	    sed -n 's/^  \([a-z][a-z]*\(-key\)\{0,1\}\( [a-z]*\)\{0,1\}\)  .*/\1/p' |
	    grep -v -e '^help' -e '^version')
	[ "$count" -gt 40 ] || fail "only $count examples"
}

case_near_words_are_suggested_everywhere() {
	run --versio
	expect_err 'did you mean `propseal --version`?'
	run file show server.properties -o jsn
	expect_err 'did you mean json?'
	run completion bahs
	expect_err 'did you mean bash?'
	run registry role grnt --data d
	expect_err 'did you mean grant?'
	run file show server.properties --colr never
	expect_err 'did you mean --color?'
}

case_hints_fit_the_command() {
	run completion
	expect_err 'hint: it takes bash|zsh|fish'
	run exec
	expect_err 'hint: it takes -- COMMAND [ARGUMENT...]'
	run file rotate extra
	expect_err 'hint: this command takes flags only'
}

case_usage_errors_are_json_with_o_json() {
	run file show -o json
	expect_rc 2
	expect_json "$err" 'd["error"]["code"]' usage
	expect_json "$err" 'd["error"]["exit"]' 2
	expect_json "$err" 'd["error"]["file"]' None
	run file shwo x -o json
	expect_rc 2
	expect_json "$err" 'd["error"]["hint"]' 'did you mean `propseal file show`?'
}

case_standard_output_that_is_closed_or_full_is_an_error() {
	"$PROPSEAL" --version >&- 2>"$err"
	rc=$?
	expect_rc 1
	expect_err 'standard output: cannot write'
	if [ -c /dev/full ]; then
		"$PROPSEAL" file show server.properties >/dev/full 2>"$err"
		rc=$?
		expect_rc 1
		expect_err 'No space left'
	fi
}

case_a_pipe_that_nobody_reads_any_more_is_quiet() {
	local i
	for ((i = 0; i < 5000; i++)); do echo "key.$i=$i"; done >many.properties
	for form in human json; do
		"$PROPSEAL" file show many.properties -o $form 2>"$err" | head -c 1 >"$out"
		[ "${PIPESTATUS[0]}" -eq 141 ] || fail "exit status ${PIPESTATUS[0]}"
		[ ! -s "$err" ] || fail "something on standard error"
	done
	# A new key that went nowhere is another thing.
	"$PROPSEAL" master-key generate --local-secrets-file new.properties \
	    --passphrase @pass 2>"$err" | true
	[ -s new.properties ] || fail "no secrets file"
}

# Of two that read it one would get nothing, and perhaps the key for a configuration.
case_standard_input_is_read_for_one_thing() {
	local command
	snapshot
	for command in 'render - --master-key-file -' 'audit - --master-key-file -' \
	    'exec --config-file - --master-key-file - -- cat {}' \
	    'file decrypt --config-file - --output-file - --master-key-file=-' \
	    'file encrypt --config-file server.properties --config - --master-key-file -' \
	    'file add --config-file server.properties --config - --master-key-file -' \
	    'file rotate --passphrase - --master-key-file -'; do
		# shellcheck disable=SC2086
		feed "$(cat master.key)" $command --local-secrets-file sec.properties
		expect_rc 2
		expect_err 'standard input cannot be both '
		expect_no "$(cat master.key)"
	done
	expect_unchanged
	feed x exec --master-key-file /dev/null -- sh -c 'cat - "$1"' sh -
	expect_out x
}

case_closed_descriptors_are_not_reused() {
	# Were descriptor 2 free, an error would be written into a file.
	snapshot
	"$PROPSEAL" file encrypt --config-file server.properties --local-secrets-file \
	    sec.properties --remote-secrets-file /r --config nope <&- >&- 2>&-
	rc=$?
	expect_rc 1
	expect_unchanged
}

case_interface_needs_a_terminal() {
	run ui server.properties
	expect_rc 2
	expect_err terminal
	run .
	expect_rc 2
	expect_err terminal
	run
	expect_rc 2
	expect_err terminal
}

case_interface_on_a_missing_path_is_an_error() {
	run ui nowhere
	expect_rc 1
	expect_err 'propseal: nowhere: no such file or folder'
}

run_cases "$@"
