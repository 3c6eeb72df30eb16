#!/usr/bin/env bash
# file encrypt.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003,SC2088
. "$(dirname "$0")/lib.sh"

case_default_seals_every_key_with_password_in_it() {
	on server.properties encrypt
	expect_rc 0
	expect_file "$err" 'propseal: note: server.properties:8: sasl.secret stays in clear text, and may be a secret: --config takes it
propseal: changed: sec.properties (3 entries), server.properties (5 entries)'
	expect_opens ssl.keystore.password CANARY-keystore
	expect_opens ssl.key.password CANARY-key
	expect_opens zookeeper.password CANARY-zookeeper
	expect_in server.properties sasl.secret=CANARY-sasl
	expect_not_in sec.properties CANARY
}

case_default_takes_password_in_any_case_and_place() {
	printf 'password=CANARY-1\nPASSWORDx=CANARY-2\nmy.PassWord=CANARY-3\n' >server.properties
	on server.properties encrypt
	expect_rc 0
	expect_not_in server.properties CANARY
}

case_every_other_byte_stays() {
	local want
	want="# a broker
listeners=SSL://:9093

ssl.keystore.password=\${securepass:$remote:server.properties/ssl.keystore.password}
ssl.key.password = \${securepass:$remote:server.properties/ssl.key.password}
  zookeeper.password : \${securepass:$remote:server.properties/zookeeper.password}
sasl.secret=CANARY-sasl
log.dirs=C:\\\\data\\\\new
config.providers=securepass
config.providers.securepass.class=io.confluent.kafka.security.config.provider.SecurePassConfigProvider"
	on server.properties encrypt
	expect_file server.properties "$want"
}

case_a_remote_path_that_no_service_finds_is_told() {
	local remote
	for remote in secrets.properties '~/secrets.properties' /tmp/; do
		cp "$suite/fixture/"*.properties .
		on server.properties encrypt
		expect_rc 0
		expect_err "note: the remote path $remote "
	done
	cp "$suite/fixture/"*.properties .
	remote=/etc/kafka/s.properties on server.properties encrypt
	expect_no 'remote path'
}

case_a_new_secrets_file_that_the_owner_cannot_read_is_told() {
	[ "$(id -u)" = 0 ] || return 0
	rm sec.properties
	chown 12345:12345 server.properties
	chmod 640 server.properties
	on server.properties encrypt
	expect_rc 0
	expect_err 'who reads server.properties cannot read the new secrets file: chown --reference=server.properties sec.properties'
	run doctor server.properties --local-secrets-file sec.properties
	expect_rc 3
	expect_out 'who reads this file cannot read its secrets file'
	expect_out 'hint: let just them read the secrets file'
	chown --reference=server.properties sec.properties
	chmod 640 sec.properties
	run doctor server.properties --local-secrets-file sec.properties
	expect_no 'who reads'
	chmod 600 sec.properties
	chown 0:0 sec.properties
	on server.properties add --config a.b=CANARY
	expect_err 'who reads server.properties cannot read the secrets file'
	# root's file, for a service's group
	chown 0:12345 server.properties
	chmod 600 sec.properties
	run doctor server.properties --local-secrets-file sec.properties
	expect_out 'who reads this file cannot read'
}

case_what_is_left_in_clear_text_is_named() {
	local i
	for i in {1..25}; do echo "s$i.sasl.secret=CANARY-$i"; done >server.properties
	printf '%s\n' 'sasl.jaas.config=M required username="u" password="CANARY";' \
	    'ref.secret=${file:/x:y}' 'empty.secret=' >>server.properties
	on server.properties encrypt -o json
	expect_rc 0
	expect_json "$out" 'len(d["notes"]), d["notes"][-1]' \
	    "(21, '5 more that may be secrets stay in clear text: \`propseal file show\` lists them')"
	expect_json "$out" 'd["notes"][0].startswith("server.properties:1: s1.sasl.secret stays")' True
	expect_no CANARY ref.secret empty.secret
	# What is named is taken, and is not named then.
	sed -i '3,25d' server.properties
	on server.properties encrypt --config s1.sasl.secret,s2.sasl.secret
	expect_rc 0
	expect_no 'stays in clear text'
	on server.properties encrypt
	expect_no 'stays in clear text'
}

case_listed_keys_only() {
	on server.properties encrypt --config ' sasl.secret , ssl.key.password,sasl.secret'
	expect_rc 0
	expect_opens sasl.secret CANARY-sasl
	expect_opens ssl.key.password CANARY-key
	expect_in server.properties CANARY-keystore
}

case_list_from_a_file_and_from_standard_input() {
	printf 'sasl.secret\r\n\n ssl.key.password \n' >keys
	: >none
	on server.properties encrypt --config @none
	expect_rc 2
	expect_err 'no key in --config @none'
	on server.properties encrypt --config @keys
	expect_rc 0
	expect_opens sasl.secret CANARY-sasl
	expect_opens ssl.key.password CANARY-key
	feed 'ssl.keystore.password,zookeeper.password
' file encrypt --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --config -
	expect_rc 0
	expect_opens zookeeper.password CANARY-zookeeper
}

case_blank_list_is_no_list() {
	on server.properties encrypt --config '  '
	expect_rc 0
	expect_opens ssl.key.password CANARY-key
}

case_comma_too_many_is_an_error() {
	local list
	snapshot
	for list in 'sasl.secret,' ',sasl.secret' 'sasl.secret, ,ssl.key.password'; do
		on server.properties encrypt --config "$list"
		expect_rc 1
		expect_err 'configuration key ""'
		expect_err '  hint: there is a comma too many'
	done
	expect_unchanged
}

case_missing_key_is_named_and_nothing_is_sealed() {
	snapshot
	on server.properties encrypt --config sasl.secret,nope.key
	expect_rc 1
	expect_err 'propseal: server.properties: "nope.key": '
	expect_err '  hint: '
	expect_unchanged
}

case_missing_files_are_named() {
	snapshot
	on nowhere.properties encrypt
	expect_rc 1
	expect_err 'propseal: nowhere.properties: no such file'
	expect_err '  hint: check --config-file'
	expect_unchanged
}

case_a_name_that_is_no_file_is_not_called_a_format() {
	local f
	for f in nowhere none/server.conf; do
		on "$f" encrypt
		expect_rc 1
		expect_err "propseal: $f: no such file"
	done
	on . encrypt
	expect_rc 1
	expect_err 'propseal: .: not a regular file'
}

case_unsupported_extension_is_refused() {
	cp server.properties a.yaml
	snapshot
	on a.yaml encrypt
	expect_rc 1
	expect_err 'propseal: a.yaml: unsupported file format'
	expect_err .properties
	expect_unchanged
}

case_secrets_file_is_made_when_there_is_none() {
	umask 0
	rm sec.properties
	on server.properties encrypt
	expect_rc 0
	expect_mode sec.properties 600
	expect_opens ssl.key.password CANARY-key
}

case_second_run_changes_nothing() {
	on server.properties encrypt
	snapshot
	on server.properties encrypt
	expect_rc 0
	expect_err 'nothing to change'
	expect_unchanged
}

case_nothing_to_seal_changes_nothing() {
	printf 'a=1\n' >server.properties
	snapshot
	on server.properties encrypt
	expect_rc 0
	expect_err 'nothing to seal'
	expect_unchanged
}

case_reference_of_another_provider_is_left_with_a_note() {
	printf 'a.password=${file:/x:y}\nb.password=CANARY-b\n' >server.properties
	on server.properties encrypt
	expect_rc 0
	expect_err 'note: server.properties:1: a.password is a reference to another provider'
	expect_in server.properties 'a.password=${file:/x:y}'
	expect_opens b.password CANARY-b
}

case_dry_run_shows_a_masked_diff_and_writes_nothing() {
	snapshot
	on server.properties encrypt --dry-run
	expect_rc 0
	expect_out '-ssl.key.password = ********'
	expect_out "+ssl.key.password = \${securepass:$remote:server.properties/ssl.key.password}"
	expect_no CANARY
	expect_unchanged
}

case_dry_run_as_json() {
	snapshot
	on server.properties encrypt --dry-run -o json
	expect_rc 0
	expect_json "$out" '[f["role"] for f in d["files"]]' "['secrets', 'configuration']"
	expect_no CANARY
	expect_unchanged
}

case_dry_run_hides_other_providers_settings() {
	printf 'config.providers.vault.param.password=CANARY-token\n' >server.properties
	printf '_metadata.password=CANARY-meta\n' >>server.properties
	on server.properties encrypt --dry-run
	expect_rc 0
	expect_out config.providers.vault
	expect_no CANARY
}

case_dry_run_needs_no_right_to_write() {
	chmod 500 .
	on server.properties encrypt --dry-run
	chmod 700 .
	expect_rc 0
}

case_same_base_name_is_refused_without_replace() {
	mkdir other
	printf 'ssl.key.password=CANARY-other\n' >other/server.properties
	on server.properties encrypt
	snapshot
	on other/server.properties encrypt
	expect_rc 1
	expect_err 'sec.properties:'
	expect_err '"server.properties/ssl.key.password"'
	expect_err --replace
	expect_no CANARY
	expect_unchanged
	on other/server.properties encrypt --replace
	expect_rc 0
	expect_opens ssl.key.password CANARY-other
}

case_same_base_name_and_value_is_shared() {
	mkdir other
	printf 'ssl.key.password=CANARY-key\n' >other/server.properties
	on server.properties encrypt
	on other/server.properties encrypt
	expect_rc 0
}

case_cipher_cbc_for_old_brokers() {
	on server.properties encrypt --config sasl.secret --cipher cbc
	expect_rc 0
	expect_in sec.properties 'sasl.secret = ENC[AES/CBC/PKCS5Padding,'
	expect_opens sasl.secret CANARY-sasl
	on server.properties encrypt --cipher gcm
	expect_in sec.properties 'ssl.key.password = ENC[AES/GCM/NoPadding,'
}

case_mode_and_symlink_stay() {
	mkdir real
	mv server.properties real/
	ln -s real/server.properties server.properties
	chmod 640 real/server.properties
	on server.properties encrypt
	expect_rc 0
	[ -L server.properties ] || fail "the symlink is gone"
	expect_mode real/server.properties 640
	expect_in real/server.properties securepass
}

case_hard_links_are_refused() {
	ln server.properties second.properties
	snapshot
	on server.properties encrypt
	expect_rc 1
	expect_err 'server.properties'
	expect_err '  hint: '
	expect_unchanged
}

case_read_only_files_are_refused() {
	local f
	for f in sec.properties server.properties; do
		chmod 444 "$f"
		snapshot
		on server.properties encrypt
		expect_rc 1
		expect_err "propseal: $f: the file is read-only"
		expect_unchanged
		chmod 644 "$f"
	done
}

case_secrets_file_as_configuration_is_refused() {
	on server.properties encrypt
	snapshot
	on sec.properties encrypt
	expect_rc 1
	expect_err 'are the same file'
	cp sec.properties copy.properties
	snapshot
	on copy.properties encrypt
	expect_rc 1
	expect_err 'this is a secrets file'
	expect_unchanged
}

case_bad_escape_names_the_line_and_no_value() {
	printf 'a=1\nb.password=CANARY\\u12zz\n' >server.properties
	snapshot
	on server.properties encrypt
	expect_rc 1
	expect_err 'propseal: server.properties:2: '
	expect_no CANARY
	expect_unchanged
}

case_lost_data_key_is_refused() {
	on server.properties encrypt --config sasl.secret
	sed -i /symmetric_key.0.enc/d sec.properties
	snapshot
	on server.properties encrypt
	expect_rc 4
	expect_err '_metadata.symmetric_key.0.enc'
	expect_unchanged
}

case_remote_path_that_kafka_cannot_read_is_refused() {
	snapshot
	run file encrypt --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file 'C:/secrets}'
	expect_rc 1
	expect_err --remote-secrets-file
	expect_unchanged
}

case_errors_are_json_with_o_json() {
	on server.properties encrypt -o json --config nope.key
	expect_rc 1
	expect_json "$err" 'd["error"]["code"]' missing
	expect_json "$err" 'd["error"]["file"]' server.properties
	expect_json "$err" 'd["error"]["key"]' nope.key
	expect_json "$err" 'd["error"]["exit"]' 1
}

case_control_characters_in_names_do_not_reach_the_terminal() {
	local name=$'bad\e[31m.properties'
	on "$name" encrypt
	expect_rc 1
	expect_no $'\e'
	expect_err 'bad\x1b[31m.properties'
}

case_twenty_at_once_lose_no_entry() {
	local i
	: >server.properties
	for ((i = 0; i < 20; i++)); do printf 'k%d.password=CANARY-%d\n' $i $i >>server.properties; done
	for ((i = 0; i < 20; i++)); do
		on server.properties encrypt --config k$i.password &
	done
	wait
	run file verify --local-secrets-file sec.properties server.properties
	expect_rc 0
	expect_out '20 sealed entries open; 20 references in 1 file, 0 dangling, 0 orphans'
	expect_not_in server.properties CANARY
}

case_a_configuration_is_not_made_a_secrets_file() {
	cp server.properties other.properties
	snapshot
	run file encrypt --config-file server.properties --local-secrets-file other.properties \
	    --remote-secrets-file "$remote"
	expect_rc 1
	expect_err 'this is no secrets file'
	expect_unchanged
}

case_a_shared_entry_is_told() {
	mkdir d1 d2
	echo 'a.password=CANARY' | tee d1/x.properties >d2/x.properties
	on d1/x.properties encrypt
	expect_rc 0
	on d2/x.properties encrypt
	expect_rc 0
	expect_err 'both share it from now on'
}

case_who_else_gets_a_new_value_is_told() {
	mkdir d1 d2
	echo 'a.password=CANARY' | tee d1/x.properties >d2/x.properties
	on d1/x.properties encrypt
	on d2/x.properties encrypt
	expect_no d1/x.properties:
	echo 'a.password=CANARY-new' >d1/x.properties
	on d1/x.properties encrypt --replace
	expect_rc 0
	expect_err 'd2/x.properties:1: refers to the same sealed entry, and gets the new value too'
	echo 'a.password=CANARY-newer' >new
	on d2/x.properties update --config @new
	expect_rc 0
	expect_err 'd1/x.properties:1: refers to the same sealed entry, and gets the new value too'
	on d2/x.properties add --config @new --replace --dry-run
	expect_no 'gets the new value too'
}

case_a_class_that_was_chosen_stays() {
	printf 'config.providers.securepass.class=com.acme.Mine\n' >>server.properties
	on server.properties encrypt
	expect_rc 0
	expect_in server.properties 'config.providers.securepass.class=com.acme.Mine'
	expect_err 'has another class'
}

case_a_second_file_of_one_base_name_gets_a_name_of_its_own() {
	mkdir d1 d2
	echo 'a.password=CANARY1' >d1/x.properties
	echo 'a.password=CANARY2' >d2/x.properties
	on d1/x.properties encrypt
	expect_rc 0
	on d2/x.properties encrypt
	expect_rc 1
	expect_err --base-name
	on d2/x.properties encrypt --base-name d2-x.properties
	expect_rc 0
	expect_in d1/x.properties ':x.properties/a.password}'
	expect_in d2/x.properties ':d2-x.properties/a.password}'
	on d2/x.properties decrypt --base-name d2-x.properties --output-file -
	expect_rc 0
	expect_out CANARY2
	on d2/x.properties encrypt --base-name a/b
	expect_rc 2
}

# confluent secret reads the two escapes of a pair as two U+FFFD.
case_keys_above_the_bmp_stand_in_utf8() {
	printf '\360\237\230\200.password=CANARY1\nb.password=CANARY2\n' >c.properties
	on c.properties encrypt
	expect_rc 0
	expect_in c.properties "$(printf '\360\237\230\200')"'.password=${securepass:'"$remote:c.properties/$(printf '\360\237\230\200').password}"
	expect_in sec.properties "c.properties/$(printf '\360\237\230\200').password = ENC["
	printf '\\uD83D\\uDE00.password=CANARY3\n' >d.properties
	on d.properties encrypt
	expect_in d.properties ':d.properties/\uD83D\uDE00.password}'
	on d.properties decrypt --output-file -
	expect_out CANARY3
}

case_a_name_of_the_file_that_no_reference_can_hold() {
	echo 'a.password=CANARY' >'na}me.properties'
	on 'na}me.properties' encrypt
	expect_rc 1
	expect_err 'the name of the file has a `}`'
	expect_err 'or give --base-name'
	on 'na}me.properties' encrypt --base-name name.properties
	expect_rc 0
	printf 'a}.password=CANARY\n' >key.properties
	on key.properties encrypt
	expect_rc 1
	expect_err 'the key has a `}`'
}

run_cases "$@"
