#!/usr/bin/env bash
# Secrets inside JAAS values.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

scram=org.apache.kafka.common.security.scram.ScramLoginModule
plain=org.apache.kafka.common.security.plain.PlainLoginModule

# What the reference of an option of jaas.properties looks like.
ref() {
	printf '${securepass:%s:jaas.properties/%s}' "$remote" "$1"
}

config() {
	cat >jaas.properties
}

line_is() {
	grep -qxF -e "$1" jaas.properties || fail "no line: $1"
}

case_only_the_value_of_the_option_changes() {
	config <<-'END'
	# kept
	sasl.jaas.config = org.apache.kafka.common.security.scram.ScramLoginModule  required \
	    username="admin"   password = "CANARY two words; \\"and\\" more" ;
	END
	on jaas.properties encrypt
	expect_rc 0
	line_is "    username=\"admin\"   password = $(ref "sasl.jaas.config/$scram/password") ;"
	line_is 'sasl.jaas.config = org.apache.kafka.common.security.scram.ScramLoginModule  required \'
	expect_not_in jaas.properties CANARY
	on jaas.properties decrypt --output-file -
	expect_rc 0
	expect_file "$out" "sasl.jaas.config/$scram/password = \"CANARY two words; \\\\\"and\\\\\" more\""
}

case_a_diff_names_an_option_once() {
	config <<-'END'
	sasl.jaas.config=a.ScramLoginModule required password="CANARY";
	END
	on jaas.properties encrypt --dry-run
	expect_rc 0
	name=sasl.jaas.config/a.ScramLoginModule/password
	grep -qxF -e "-$name = ********" "$out" || fail 'what goes is not named'
	grep -qxF -e "+$name = $(ref "$name")" "$out" || fail 'what comes is not named'
}

case_every_module_and_the_second_of_a_class() {
	config <<-'END'
	listener.name.x.sasl.jaas.config=a.ScramLoginModule required password="CANARY1"; a.PlainLoginModule optional password="CANARY2"; a.ScramLoginModule required password="CANARY3"
	END
	on jaas.properties encrypt
	expect_rc 0
	expect_not_in jaas.properties CANARY
	k=listener.name.x.sasl.jaas.config
	for name in a.ScramLoginModule a.PlainLoginModule 'a.ScramLoginModule#2'; do
		grep -qF "$(ref "$k/$name/password")" jaas.properties || fail "no $name"
	done
	on jaas.properties decrypt --output-file - --config "$k/a.ScramLoginModule#2/password"
	expect_rc 0
	expect_out 'CANARY3'
}

case_secrets_without_the_word_password() {
	config <<-'END'
	sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="me" clientSecret="CANARY";
	END
	on jaas.properties encrypt
	expect_rc 0
	grep -q 'clientId="me" clientSecret=${securepass:' jaas.properties || fail 'not sealed'
	expect_not_in jaas.properties CANARY
}

case_a_second_run_changes_nothing() {
	config <<< "sasl.jaas.config=$plain required username=\"u\" password=\"CANARY\";"
	on jaas.properties encrypt
	expect_rc 0
	snapshot
	on jaas.properties encrypt
	expect_rc 0
	expect_unchanged
}

case_the_whole_value() {
	config <<< "sasl.jaas.config=$plain required username=\"u\" password=\"CANARY\";"
	on jaas.properties encrypt --config sasl.jaas.config
	expect_rc 0
	line_is "sasl.jaas.config=$(ref sasl.jaas.config)"
}

case_half_sealed_values_are_not_sealed_whole() {
	config <<< "sasl.jaas.config=$plain required username=\"CANARY u\" password=\"CANARY\";"
	on jaas.properties encrypt
	snapshot
	on jaas.properties encrypt --config sasl.jaas.config
	expect_rc 1
	expect_err 'the value has references in it'
	expect_unchanged
}

case_what_can_be_read_in_two_ways_is_refused() {
	config <<< "sasl.jaas.config=$plain required username=\"u\" password=CANARY\"b\";"
	snapshot
	on jaas.properties encrypt
	expect_rc 1
	expect_err 'jaas.properties:1: '
	expect_err 'hint: '
	expect_no CANARY
	expect_unchanged
}

case_add_update_remove_options() {
	config <<< "sasl.jaas.config=$plain required username=\"u\";"
	on jaas.properties add --config - <<< "sasl.jaas.config/$plain/password=CANARY two words"
	expect_rc 0
	line_is "sasl.jaas.config=$plain required username=\"u\" password=$(ref "sasl.jaas.config/$plain/password");"
	on jaas.properties decrypt --output-file - --config "sasl.jaas.config/$plain/password"
	expect_out '"CANARY two words"'
	on jaas.properties update --config - <<< "sasl.jaas.config/$plain/password=CANARY2"
	expect_rc 0
	on jaas.properties decrypt --output-file - --config "sasl.jaas.config/$plain/password"
	expect_out 'CANARY2'
	run file remove --config-file jaas.properties --local-secrets-file sec.properties \
	    --config "sasl.jaas.config/$plain/password"
	expect_rc 0
	line_is "sasl.jaas.config=$plain required username=\"u\" ;"
	grep -q jaas.properties/ sec.properties && fail 'the sealed entry is still there'
	return 0
}

case_hidden_lines_are_sealed_too() {
	config <<-END
	sasl.jaas.config=$plain required password="CANARY old";
	sasl.jaas.config=$plain required password="CANARY";
	END
	on jaas.properties encrypt
	expect_rc 0
	expect_not_in jaas.properties CANARY
}

case_show_masks_what_is_still_clear() {
	config <<< "sasl.jaas.config=$plain required password=\"CANARY\" sasl.password=\"CANARY2\";"
	on jaas.properties encrypt --config "sasl.jaas.config/$plain/password"
	expect_rc 0
	run file show jaas.properties --local-secrets-file sec.properties -o json
	expect_rc 0
	expect_no CANARY
	expect_out '"value":null,"state":"plain","sensitive":true'
	run file show jaas.properties --local-secrets-file sec.properties -o json --reveal
	expect_out 'password=\"CANARY\" sasl.password=\"CANARY2\";'
}

case_verify_knows_the_options() {
	config <<< "sasl.jaas.config=$plain required password=\"CANARY\"; $scram required password=\"CANARY\";"
	on jaas.properties encrypt
	run file verify --local-secrets-file sec.properties jaas.properties
	expect_rc 0
	expect_out '2 references in 1 file, 0 dangling, 0 orphans'
	sed -i "\\|^jaas.properties/sasl.jaas.config/$scram|d" sec.properties
	run file verify --local-secrets-file sec.properties jaas.properties
	expect_rc 3
	expect_out "dangling: \"sasl.jaas.config/$scram/password\""
}

case_whose_password_it_is_is_no_secret() {
	config <<< "sasl.jaas.config=$plain required oauth.password.grant.username=\"joe\" oauth.password.grant.password=\"CANARY\";"
	on jaas.properties encrypt
	expect_rc 0
	expect_in jaas.properties 'oauth.password.grant.username="joe"'
	expect_not_in jaas.properties CANARY
}

run_cases
