#!/usr/bin/env bash
# master-key generate, and where passphrases and master keys come from.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

generate() {
	run master-key generate --local-secrets-file new.properties "$@"
}

# The master key that the last generate printed as YAML.
printed_key() {
	sed -n 's/^master_key: //p' "$out"
}

# PBKDF2 of passphrase $1 with what new.properties says.
derived_key() {
	python3 - "$1" <<-'END'
		import base64, hashlib, sys
		p = dict(l.rstrip("\n").split(" = ", 1) for l in open("new.properties"))
		print(base64.b64encode(hashlib.pbkdf2_hmac("sha512", sys.argv[1].encode(),
		    p["_metadata.master_key.0.salt"].encode(),
		    int(p["_metadata.symmetric_key.0.iterations"]),
		    int(p["_metadata.symmetric_key.0.length"]))).decode())
	END
}

case_prints_the_key_as_a_table() {
	generate --passphrase @pass
	expect_rc 0
	[ "$(wc -l <"$out")" -eq 3 ] || fail "not three lines"
	grep -qxE '\+-{12}\+-{46}\+' "$out" || fail "no frame"
	grep -qxE '\| Master Key \| [A-Za-z0-9+/]{43}= \|' "$out" || fail "no key"
	expect_file "$err" 'propseal: changed: new new.properties (7 entries)
Save the master key. It cannot be retrieved later.'
}

case_prints_the_key_as_json_and_yaml() {
	generate --passphrase @pass -o json
	expect_rc 0
	[ "$(head -c 19 "$out")" = '{
  "master_key": "' ] || fail "not the reference's JSON"
	expect_json "$out" 'len(d["master_key"])' 44
	rm new.properties
	generate --passphrase @pass --output yaml
	grep -qxE 'master_key: [A-Za-z0-9+/]{43}=' "$out" || fail "no YAML"
}

case_key_is_derived_from_the_passphrase() {
	generate --passphrase @pass -o yaml
	[ "$(printed_key)" = "$(derived_key "$passphrase")" ] || fail "another key"
}

case_new_file_is_private_and_complete() {
	local names
	umask 0
	generate --passphrase @pass
	expect_mode new.properties 600
	names=$(sed 's/ = .*//; s/_metadata\.//' new.properties | tr '\n' ' ')
	[ "$names" = "master_key.0.salt symmetric_key.0.created_at symmetric_key.0.envvar \
symmetric_key.0.length symmetric_key.0.iterations symmetric_key.0.salt symmetric_key.0.enc " ] ||
	    fail "metadata is: $names"
	expect_in new.properties '.iterations = 220000'
}

case_existing_key_is_never_replaced() {
	snapshot
	run master-key generate --local-secrets-file sec.properties --passphrase @pass
	expect_rc 1
	expect_err 'already generated'
	expect_err '  hint: `propseal file rotate --master-key`'
	expect_unchanged
}

case_file_with_sealed_entries_and_no_data_key_is_refused() {
	grep -v symmetric_key.0.enc sec.properties >cut.properties
	echo 'a.properties/k = ENC[AES/GCM/NoPadding,data:AAAA,iv:AAAA,type:str]' >>cut.properties
	snapshot
	run master-key generate --local-secrets-file cut.properties --passphrase @pass
	expect_rc 1
	expect_err 'no data key'
	expect_unchanged
}

case_comments_of_an_existing_file_stay() {
	printf '# ours\n' >new.properties
	generate --passphrase @pass
	expect_rc 0
	[ "$(head -n 1 new.properties)" = '# ours' ] || fail "the comment is gone"
}

case_dry_run_writes_nothing() {
	snapshot
	generate --passphrase @pass --dry-run
	expect_rc 0
	expect_out '+++ new.properties'
	expect_out '_metadata.master_key.0.salt'
	expect_unchanged
	generate --passphrase @pass --dry-run -o json
	expect_json "$out" 'd["files"][0]["role"]' secrets
	expect_json "$out" 'd["files"][0]["new"]' True
	expect_unchanged
}

case_passphrase_from_a_file_loses_one_line_end() {
	printf 'two ends\n\n' >p
	generate --passphrase @p -o yaml
	[ "$(printed_key)" = "$(derived_key 'two ends
')" ] || fail "not one line end"
}

case_passphrase_keeps_blanks_and_carriage_return() {
	printf ' blanks \t\r\n' >p
	generate --passphrase @p -o yaml
	[ "$(printed_key)" = "$(derived_key $' blanks \t\r')" ] || fail "trimmed"
}

case_odd_bytes_of_a_passphrase_are_told() {
	local text
	printf 'plain\n' >p
	generate --passphrase @p
	expect_no warning
	rm new.properties
	while read -r text want; do
		printf "$text" >p
		generate --passphrase @p
		expect_rc 0
		expect_err "warning: $want"
		expect_no CANARY
		rm new.properties
	done <<-'END'
		\xef\xbb\xbfCANARY\n the text of --passphrase begins with a byte order mark
		CANARY\r\n there is a carriage return
		\x20CANARY\n the text of --passphrase begins or ends with a blank
		CANARY\x20\n the text of --passphrase begins or ends with a blank
		\xff\xfeC\x00A\x00 the text of --passphrase is UTF-16
		CANARY\nCANARY\n the text of --passphrase has several lines
	END
}

case_passphrase_from_standard_input() {
	feed 'from a pipe
' master-key generate --local-secrets-file new.properties --passphrase - -o yaml
	expect_rc 0
	[ "$(printed_key)" = "$(derived_key 'from a pipe')" ] || fail "another passphrase"
	expect_no warning
}

case_passphrase_from_standard_input_without_line_end() {
	feed 'no end' master-key generate --local-secrets-file new.properties --passphrase - -o yaml
	[ "$(printed_key)" = "$(derived_key 'no end')" ] || fail "another passphrase"
}

case_passphrase_from_a_descriptor() {
	generate --passphrase fd:7 -o yaml 7<<<'from fd 7'
	expect_rc 0
	[ "$(printed_key)" = "$(derived_key 'from fd 7')" ] || fail "another passphrase"
	rm new.properties
	generate --passphrase fd:77
	expect_rc 1
	[ ! -e new.properties ] || fail "a file was made"
}

case_passphrase_from_a_process_substitution() {
	generate --passphrase @<(echo 'from a process') -o yaml
	expect_rc 0
	[ "$(printed_key)" = "$(derived_key 'from a process')" ] || fail "another passphrase"
}

case_literal_passphrase_works_and_warns() {
	generate --passphrase 'CANARY literal' -o yaml
	expect_rc 0
	[ "$(printed_key)" = "$(derived_key 'CANARY literal')" ] || fail "another passphrase"
	expect_err 'warning: the value of --passphrase on the command line can be seen'
	expect_no CANARY
}

case_missing_passphrase_file_is_named() {
	generate --passphrase @nowhere
	expect_rc 1
	expect_err 'propseal: nowhere: no such file'
	[ ! -e new.properties ] || fail "a file was made"
}

case_passphrase_file_that_is_too_large() {
	head -c 100000 /dev/zero | tr '\0' x >p
	generate --passphrase @p
	expect_rc 1
	expect_err 'p: '
}

case_empty_and_blank_passphrases_are_refused() {
	local p
	for p in '' ' ' $' \t\n' $'\xc2\xa0'; do
		generate --passphrase "$p"
		expect_rc 4
		expect_err 'the passphrase is empty'
		[ ! -e new.properties ] || fail "a file was made"
	done
	: >p
	generate --passphrase @p
	expect_rc 4
}

case_no_passphrase_without_a_terminal() {
	generate
	expect_rc 2
	expect_err 'no --passphrase, and no terminal to ask for it'
	expect_err '  hint: give --passphrase @FILE'
}

case_lost_output_says_how_to_get_the_key() {
	[ -c /dev/full ] || return 0
	"$PROPSEAL" master-key generate --local-secrets-file new.properties --passphrase @pass \
	    >/dev/full 2>"$err"
	rc=$?
	expect_rc 1
	expect_err 'standard output: cannot write'
	expect_err 'the passphrase still gives it'
	[ -e new.properties ] || fail "the file is not there"
}

case_unwritable_folder() {
	snapshot
	run master-key generate --local-secrets-file nowhere/new.properties --passphrase @pass
	expect_rc 1
	expect_err nowhere
	expect_unchanged
}

# --- the master key's sources, by the example of encrypt ---

case_key_from_a_file() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	on server.properties encrypt --master-key-file master.key
	expect_rc 0
	expect_opens ssl.key.password CANARY-key
}

case_key_file_with_a_byte_order_mark_or_a_name() {
	printf '\357\273\277%s\r\n' "$(cat master.key)" >bom.key
	run file verify . --master-key-file bom.key
	expect_rc 4
	expect_err 'it begins with a byte order mark'
	{ printf '\377\376' && iconv -f ASCII -t UTF-16LE master.key; } >wide.key
	run file verify . --master-key-file wide.key
	expect_rc 4
	expect_err 'or is UTF-16'
	printf 'KEY="%s"\n' "$(cat master.key)" >named.key
	run file verify . --master-key-file named.key
	expect_rc 4
	expect_err 'without a name and quotes'
}

case_key_file_wins_over_the_environment() {
	export CONFLUENT_SECURITY_MASTER_KEY=bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU=
	on server.properties encrypt --master-key-file master.key
	expect_rc 0
}

case_key_file_that_is_missing_is_an_error() {
	on server.properties encrypt --master-key-file nowhere
	expect_rc 1
	expect_err 'propseal: nowhere: no such file'
}

case_key_from_the_environment_may_have_a_line_end() {
	CONFLUENT_SECURITY_MASTER_KEY=$(cat master.key)$'\n'
	on server.properties encrypt
	expect_rc 0
	run file rotate --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
}

# Who can write the file must not choose the key.
case_the_file_does_not_choose_the_variable() {
	export OUR_KEY=$CONFLUENT_SECURITY_MASTER_KEY
	unset CONFLUENT_SECURITY_MASTER_KEY
	sed -i 's/envvar = .*/envvar = OUR_KEY/' sec.properties
	snapshot
	on server.properties encrypt
	expect_rc 1
	expect_err '--master-key-variable OUR_KEY'
	expect_unchanged
	on server.properties encrypt --master-key-variable OUR_KEY
	expect_rc 0
}

# Nor does it make a first data key under a variable whose value others know.
case_the_file_makes_no_first_data_key() {
	rm sec.properties
	echo '_metadata.symmetric_key.0.envvar = INVOCATION_ID' >sec.properties
	export INVOCATION_ID=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
	snapshot
	unset CONFLUENT_SECURITY_MASTER_KEY
	on server.properties encrypt
	expect_rc 1
	expect_unchanged
	on server.properties encrypt --master-key-file master.key
	expect_rc 0
	expect_in sec.properties 'envvar = CONFLUENT_SECURITY_MASTER_KEY'
	on server.properties decrypt --output-file out --master-key-file master.key
	expect_rc 0
}

case_key_of_the_users_command() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	on server.properties encrypt --master-key-command 'cat master.key'
	expect_rc 0
	on server.properties decrypt --output-file out --master-key-command 'cat master.key; exit 3'
	expect_rc 4
	expect_err 'failed with status 3'
	on server.properties decrypt --output-file out --master-key-command 'echo none'
	expect_rc 4
	mkdir -p home/.config/propseal
	printf '[keys]\ncommand = cat master.key\n' >home/.config/propseal/propseal.ini
	unset PROPSEAL_CONFIG
	export HOME=$PWD/home
	on server.properties decrypt --output-file out
	expect_rc 0
	# One that came with the files runs nothing.
	printf '[keys]\ncommand = touch ran; cat master.key\n' >propseal.ini
	on server.properties decrypt --output-file out
	expect_rc 1
	expect_err "the user's own propseal.ini"
	[ ! -e ran ] || fail 'the command ran'
}

case_key_from_standard_input_and_descriptors() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	on server.properties encrypt --master-key-file - <master.key
	expect_rc 0
	on server.properties decrypt --output-file out --master-key-file fd:7 7<master.key
	expect_rc 0
}

# More than a few seconds of work is not done for whoever wrote the number.
case_iterations_above_five_million_are_refused() {
	on server.properties encrypt
	sed -i 's/iterations = .*/iterations = 99999999/' sec.properties
	snapshot
	on server.properties decrypt --output-file out
	expect_rc 0
	rm out
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 1
	expect_err '99999999 iterations are not between 1 and 5000000'
	expect_err 'give the master key itself'
	expect_unchanged
}

case_key_from_a_systemd_credential() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	mkdir cred
	cp master.key cred/propseal.master-key
	CREDENTIALS_DIRECTORY=$PWD/cred on server.properties encrypt
	expect_rc 0
}

case_no_key_names_every_source() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	snapshot
	on server.properties encrypt
	expect_rc 1
	expect_err 'CONFLUENT_SECURITY_MASTER_KEY is not set'
	expect_err --master-key-file
	expect_err 'systemd credential propseal.master-key'
	expect_unchanged
}

case_wrong_key_is_exit_4() {
	snapshot
	export CONFLUENT_SECURITY_MASTER_KEY=bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU=
	on server.properties encrypt
	expect_rc 4
	expect_err 'sec.properties'
	expect_err '  hint: '
	expect_no bm90IHRoZSBrZXkg
	expect_unchanged
	export CONFLUENT_SECURITY_MASTER_KEY=CANARY-not-base64
	on server.properties encrypt
	expect_rc 4
	expect_no CANARY
	expect_unchanged
}

case_sources_without_a_name_are_no_passphrases() {
	for source in @ fd: fd:abc fd:-1; do
		run master-key generate --local-secrets-file new.properties --passphrase "$source"
		expect_rc 2
		expect_err 'behind it'
		[ ! -e new.properties ] || fail "$source made a file"
	done
}

run_cases "$@"
