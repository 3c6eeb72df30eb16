#!/usr/bin/env bash
# file add, file update, and how they read --config.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

case_add_a_new_key() {
	on server.properties add --config 'new.password=CANARY-new'
	expect_rc 0
	[ ! -s "$out" ] || fail "something on standard output"
	expect_opens new.password CANARY-new
	expect_in server.properties "new.password=\${securepass:$remote:server.properties/new.password}"
}

case_add_over_a_plain_key() {
	on server.properties add --config 'ssl.key.password=CANARY-new'
	expect_rc 0
	expect_opens ssl.key.password CANARY-new
	expect_not_in server.properties 'ssl.key.password = CANARY'
}

case_add_over_a_sealed_key() {
	on server.properties encrypt
	on server.properties add --config 'ssl.key.password=CANARY-new'
	expect_rc 0
	expect_opens ssl.key.password CANARY-new
}

case_add_over_another_files_entry_needs_replace() {
	on server.properties encrypt
	mkdir other
	: >other/server.properties
	on other/server.properties add --config 'ssl.key.password=CANARY-new'
	expect_rc 1
	expect_err --replace
	expect_no CANARY
	on other/server.properties add --config 'ssl.key.password=CANARY-new' --replace
	expect_rc 0
	expect_opens ssl.key.password CANARY-new
}

case_update_says_what_the_reference_says() {
	on server.properties encrypt
	on server.properties update --config 'ssl.key.password=CANARY-new'
	expect_rc 0
	expect_file "$out" 'Updated the encrypted secrets.'
	expect_opens ssl.key.password CANARY-new
}

# Neither is the command that refuses the way out, nor update for add.
case_update_over_another_files_entry_needs_replace() {
	on server.properties encrypt
	mkdir other
	echo 'ssl.key.password=' >other/server.properties
	on other/server.properties update --config 'ssl.key.password=CANARY-new'
	expect_rc 1
	expect_err 'own old value, give --replace'
	expect_no 'update it' CANARY
	on other/server.properties update --config 'ssl.key.password=CANARY-new' --replace
	expect_rc 0
	expect_opens ssl.key.password CANARY-new
}

case_update_of_a_plain_key() {
	on server.properties update --config 'sasl.secret=CANARY-new'
	expect_rc 0
	expect_opens sasl.secret CANARY-new
}

# Each hint that puts a path in a command goes through one function; here it is run.
case_a_command_in_a_hint_can_be_copied() {
	local name
	for name in 'my server.properties' "it's.properties" '$HOME.properties' \
	    '-x;touch hit.properties'; do
		cp server.properties "./$name"
		run file encrypt --config nope.key "--config-file=$name" \
		    --local-secrets-file sec.properties --remote-secrets-file "$remote"
		expect_rc 1
		sed -n 's/^  hint: `\(propseal file show .*\)` lists the keys$/\1/p' "$err" >line
		[ -s line ] || fail "no command in the hint for $name"
		sed -i "s|^propseal|'$PROPSEAL'|" line
		sh ./line >shown 2>&1 || fail "not to be copied: $(cat line shown)"
		expect_in shown ssl.key.password
	done
	[ ! -e hit.properties ] || fail 'a name was run as a command'
}

case_update_of_a_missing_key_is_an_error() {
	snapshot
	on server.properties update --config 'nope.key=CANARY-new'
	expect_rc 1
	expect_err 'server.properties: "nope.key": '
	expect_no CANARY
	expect_unchanged
}

case_update_with_cipher_cbc() {
	on server.properties update --config 'sasl.secret=CANARY-new' --cipher cbc
	expect_in sec.properties AES/CBC/PKCS5Padding
	expect_opens sasl.secret CANARY-new
}

case_empty_texts_are_refused() {
	local text
	snapshot
	for text in '' ' ' '# only a comment'; do
		on server.properties add --config "$text"
		expect_rc 2
		expect_err 'add failed: empty list of new configs'
		on server.properties update --config "$text"
		expect_rc 2
		expect_err 'update failed: empty list of update configs'
	done
	expect_unchanged
}

case_key_alone_has_an_empty_value() {
	on server.properties add --config new.password
	expect_rc 0
	expect_opens new.password ''
}

case_value_without_a_key_is_not_shown() {
	snapshot
	on server.properties add --config '=CANARY-new'
	expect_rc 2
	expect_err 'propseal: --config:1: there is no key before the separator'
	expect_no CANARY
	on server.properties add --config ' : CANARY-new'
	expect_rc 2
	expect_no CANARY
	expect_unchanged
}

case_key_given_twice_is_refused() {
	snapshot
	on server.properties add --config $'a.b=CANARY-1\na.b=CANARY-2'
	expect_rc 2
	expect_err '"a.b": the key is given twice'
	expect_no CANARY
	expect_unchanged
}

case_reference_as_a_value_is_refused() {
	snapshot
	on server.properties add --config 'a.b=${file:/x:CANARY}'
	expect_rc 1
	expect_err '"a.b"'
	expect_no CANARY
	expect_unchanged
}

case_comma_and_equals_belong_to_the_value() {
	on server.properties add --config 'a.b=CANARY,x=y'
	expect_opens a.b CANARY,x=y
}

case_lines_are_entries() {
	on server.properties add --config $'a.b=CANARY-1\nc.d : CANARY-2\n'
	expect_rc 0
	expect_opens a.b CANARY-1
	expect_opens c.d CANARY-2
}

case_escapes_are_those_of_properties() {
	on server.properties add --config 'a.b=caf\u00e9 \\ \= x'
	expect_rc 0
	expect_opens a.b 'café \\ = x'
	if grep -q 'begins an escape' "$err"; then fail "a warning about harmless escapes"; fi
}

case_escapes_that_eat_a_backslash_bring_a_warning() {
	on server.properties add --config 'a.b=CANARY\temp'
	expect_rc 0
	expect_err 'a.b: a backslash in --config begins an escape'
	expect_no CANARY
	on server.properties add --config 'a.c=CANARY\domain'
	expect_err 'a.c: a backslash in --config begins an escape'
}

case_lone_backslash_at_the_end_is_refused() {
	snapshot
	on server.properties add --config 'a.b=CANARY\'
	expect_rc 2
	expect_err 'ends with a lone backslash'
	expect_no CANARY
	expect_unchanged
	on server.properties add --config 'a.b=CANARY\\'
	expect_opens a.b 'CANARY\\'
}

# --- the two characters \n in a literal text ---

case_backslash_n_before_a_dotted_key_is_a_line_end() {
	on server.properties add --config 'a.b=CANARY-1\nc.d = CANARY-2\ne.f:CANARY-3'
	expect_rc 0
	expect_opens a.b CANARY-1
	expect_opens c.d CANARY-2
	expect_opens e.f CANARY-3
}

case_backslash_n_before_a_key_of_the_file_is_a_line_end() {
	echo plain=x >>server.properties
	on server.properties add --config 'a.b=CANARY-1\nplain=CANARY-2'
	expect_opens plain CANARY-2
}

case_backslash_n_at_the_end_of_several_entries_is_a_line_end() {
	on server.properties add --config 'a.b=CANARY-1\nc.d=CANARY-2\n'
	expect_opens c.d CANARY-2
}

case_backslash_n_in_a_value_stays_with_a_note() {
	on server.properties add --config 'a.b=C:\new'
	expect_rc 0
	expect_opens a.b 'C:\\new'
	expect_err 'the two characters \n in --config stay'
	on server.properties add --config 'a.c=one\ntwo'
	expect_opens a.c 'one\\ntwo'
}

# As confluent secret takes them apart.
case_backslash_n_before_a_key_of_any_shape_is_a_line_end() {
	local key
	for key in 'users[0].password=' 'ключ=' 'my\ key=' 'password=' 'MY_SECRET=' \
	    'connection-password :' 'ssl.truststore.password ' ' k='; do
		printf 'z=1\n' >c.properties
		on c.properties add --replace --config "a.password=CANARY1\\n${key}CANARY2\\n"
		expect_rc 0
		expect_err ', c.properties (4 entries)'
		on c.properties decrypt --output-file -
		expect_out 'a.password = CANARY1'
		expect_out '= CANARY2'
	done
	on c.properties update --config 'a.password=CANARY3\nk=CANARY4'
	on c.properties decrypt --output-file -
	expect_out 'k = CANARY4'
	on c.properties add --config 'x=CANARY\n'
	on c.properties decrypt --config x --output-file -
	expect_out 'x = CANARY'
}

# Whatever \n of a run stands for, the others do, too.
case_several_backslash_n_are_empty_lines() {
	on server.properties add --config 'a.b=CANARY-1\n\nc.d=CANARY-2\n \n  e.f=CANARY-3\n\n'
	expect_rc 0
	expect_no 'stay in the value'
	expect_opens a.b CANARY-1
	expect_opens c.d CANARY-2
	expect_opens e.f CANARY-3
	on server.properties add --config 'g.h=one\n\ntwo'
	expect_rc 0
	expect_opens g.h 'one\\n\\ntwo'
}

case_backslash_n_that_is_unclear_is_refused() {
	local text
	snapshot
	# A comment would take a part of the password with it.
	for text in 'a.b=C:\new=CANARY' 'a.b=CANARY\ntwo three=4' 'a.b=CANARY\ntwo x' \
	    'a.b=C:\n\new=CANARY' 'a.b=CANARY\n#two=3' 'a.b=CANARY\n !two=3\nc.d=4'; do
		on server.properties add --config "$text"
		expect_rc 2
		expect_err 'it is not clear'
		expect_err '  hint: write \\n'
		expect_no CANARY
	done
	expect_unchanged
}

case_escaped_backslash_before_n_is_a_backslash() {
	on server.properties add --config 'a.b=C:\\new=1'
	expect_rc 0
	expect_opens a.b 'C:\\new=1'
}

# --- where the text comes from ---

case_text_from_a_file() {
	printf '# comment\na.b = CANARY-1\nc.d=CANARY\\\n   -2\n' >text
	on server.properties add --config @text
	expect_rc 0
	expect_changed 'sec.properties (2 entries), server.properties (4 entries)'
	expect_opens a.b CANARY-1
	expect_opens c.d CANARY-2
}

case_text_from_standard_input() {
	feed 'a.b=CANARY-1
' file add --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --config -
	expect_rc 0
	expect_changed 'sec.properties (1 entry), server.properties (3 entries)'
	expect_opens a.b CANARY-1
}

case_backslash_n_in_a_file_is_an_escape() {
	printf 'a.b=CANARY\\nx.y=1\n' >text
	on server.properties add --config @text
	expect_opens a.b 'CANARY\nx.y=1'
}

case_missing_text_file_is_named() {
	snapshot
	on server.properties add --config @nowhere
	expect_rc 1
	expect_err 'propseal: nowhere: no such file'
	expect_unchanged
}

case_bad_escape_in_a_file_names_the_line() {
	printf 'a.b=1\nc.d=CANARY\\u12\n' >text
	snapshot
	on server.properties add --config @text
	expect_rc 1
	expect_err ':2: '
	expect_no CANARY
	expect_unchanged
}

case_literal_values_bring_a_warning() {
	on server.properties add --config 'a.b=CANARY'
	expect_err 'warning: values on the command line can be seen by other users'
	expect_err '  hint: give --config @FILE'
	expect_no CANARY
}

case_dry_run_writes_nothing() {
	local command
	snapshot
	for command in add update; do
		on server.properties $command --config 'ssl.key.password=CANARY-new' --dry-run
		expect_rc 0
		expect_out '-ssl.key.password = ********'
		expect_no CANARY Updated
		on server.properties $command --config 'ssl.key.password=CANARY-new' --dry-run -o json
		expect_json "$out" 'len(d["files"])' 2
		expect_no CANARY Updated
	done
	expect_unchanged
}

case_key_file_and_missing_key() {
	unset CONFLUENT_SECURITY_MASTER_KEY
	on server.properties add --config 'a.b=CANARY'
	expect_rc 1
	expect_err --master-key-file
	expect_no CANARY
	on server.properties add --config 'a.b=CANARY' --master-key-file master.key
	expect_rc 0
}

# What opens them reads UTF-8, and would read another value.
case_bytes_that_do_not_decode_are_refused() {
	printf 'a.b=CANARY\351\377\n' >text
	snapshot
	on server.properties add --config @text
	expect_rc 1
	expect_err 'no UTF-8'
	expect_unchanged
	printf 'a.b=CANARY\\u00e9\n' >text
	on server.properties add --config @text
	expect_rc 0
}

case_a_key_alone_does_not_empty_what_is_there() {
	on server.properties encrypt
	snapshot
	on server.properties update --config ssl.key.password
	expect_rc 2
	expect_err 'no value is given'
	expect_unchanged
	on server.properties add --config - <<<ssl.key.password
	expect_rc 2
	expect_unchanged
	on server.properties update --config 'ssl.key.password='
	expect_rc 0
}

# Once it is sealed, nothing can be seen of it.
case_jaas_that_kafka_refuses_is_told() {
	local module=org.apache.kafka.common.security.plain.PlainLoginModule
	printf 'sasl.jaas.config=%s required password="CANARY1"\n' $module >new
	on server.properties add --config @new
	expect_rc 0
	expect_err '--config @FILE:1: Kafka cannot read this JAAS value: there is no ; at the end'
	printf '# one\nsasl.jaas.config=%s required password="CANARY1;\n' $module >new
	on server.properties update --config @new
	expect_err '--config @FILE:2: Kafka refuses this JAAS value'
	printf 'sasl.jaas.config=%s required password="CANARY1" password="CANARY2";\n' $module >new
	on server.properties update --config @new
	expect_err 'an option is given twice in this JAAS value'
	printf 'sasl.jaas.config=%s required password="CANARY1";\n' $module >new
	on server.properties update --config @new
	expect_rc 0
	grep -q JAAS "$err" && fail 'nothing is wrong with it'
	expect_no CANARY
}

run_cases "$@"
