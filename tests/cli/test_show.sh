#!/usr/bin/env bash
# file show.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

show() {
	run file show server.properties "$@"
}

# Key, value, state, sensitive, line of entry $1, as python prints them.
expect_entry() {
	expect_json "$out" "[list(e.values())[:5] for e in d['entries'] if e['key'] == '$1']" "$2"
}

# Tags stand under the names of passwords, and are none.
case_a_secrets_file_holds_nothing_in_clear_text() {
	seal
	run file show sec.properties
	expect_rc 0
	expect_no 'plain !'
	expect_no 'clear text'
	run file show sec.properties -o json
	expect_json "$out" '[e["key"] for e in d["entries"] if e["sensitive"] or e["value"] is None]' '[]'
}

case_a_configuration_from_standard_input() {
	seal
	feed "$(cat server.properties)" file show -
	expect_rc 0
	expect_out 'sealed          ssl.key.password'
	feed "$(cat server.properties)" file show - --reveal -o json
	expect_rc 0
	expect_json "$out" '[e["value"] for e in d["entries"] if e["key"] == "ssl.key.password"]' \
	    "['CANARY-key']"
	feed ' {"a":{"password":"CANARY"}}' file show - -o json
	expect_rc 0
	expect_json "$out" 'd["format"], d["entries"][0]["key"]' "('json', 'a.password')"
	expect_no CANARY
	feed 'a=1' file show - --config-format json
	expect_rc 1
	expect_err 'propseal: standard input:1: '
	feed "$(cat server.properties)" render - --format env --config ssl.key.password
	expect_rc 0
	expect_file "$out" "SSL_KEY_PASSWORD='CANARY-key'"
	feed '{"a":"b"}' render /dev/stdin
	expect_rc 0
	expect_file "$out" '{"a":"b"}'
	snapshot
	feed 'a.password=CANARY' file encrypt --config-file - --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 2
	expect_err 'standard input cannot be changed'
	expect_unchanged
}

case_json_has_the_agreed_shape() {
	show -o json
	expect_rc 0
	expect_json "$out" 'list(d)' "['schema', 'file', 'format', 'entries']"
	expect_json "$out" 'd["file"], d["format"]' "('server.properties', 'properties')"
	expect_json "$out" 'list(d["entries"][0])' "['key', 'value', 'state', 'sensitive', 'line', 'checked']"
	expect_entry listeners "[['listeners', 'SSL://:9093', 'plain', False, 2]]"
}

case_sensitive_plain_values_are_null_unless_revealed() {
	show -o json
	expect_entry ssl.key.password "[['ssl.key.password', None, 'plain', True, 5]]"
	expect_no CANARY
	show -o json --reveal
	expect_entry zookeeper.password \
	    "[['zookeeper.password', 'CANARY-zookeeper', 'plain', True, 6]]"
}

case_human_table_masks() {
	show
	expect_rc 0
	expect_out 'plain !'
	expect_out '********'
	expect_out '6 entries, 6 plain (4 secrets in clear text !)'
	expect_no CANARY
	show --reveal
	expect_out CANARY-keystore
}

case_sealed_entries_show_their_reference() {
	on server.properties encrypt
	show -o json
	expect_entry ssl.key.password "[['ssl.key.password', '\${securepass:$remote:server.properties/ssl.key.password}', 'sealed', True, 5]]"
	show -o json --local-secrets-file sec.properties
	expect_json "$out" '[e["state"] for e in d["entries"]].count("sealed")' 3
	expect_no CANARY
}

case_reveal_opens_sealed_entries() {
	on server.properties encrypt
	show -o json --local-secrets-file sec.properties --reveal
	expect_rc 0
	expect_entry ssl.key.password "[['ssl.key.password', 'CANARY-key', 'sealed', True, 5]]"
	show --local-secrets-file sec.properties --reveal
	expect_out CANARY-zookeeper
}

case_reveal_without_a_secrets_file_shows_references() {
	on server.properties encrypt
	unset CONFLUENT_SECURITY_MASTER_KEY
	show -o json --reveal
	expect_rc 0
	expect_json "$out" '[e["value"][:12] for e in d["entries"] if e["state"] == "sealed"][0]' \
	    '${securepass'
	expect_out CANARY-sasl
}

case_reveal_needs_the_right_key() {
	on server.properties encrypt
	unset CONFLUENT_SECURITY_MASTER_KEY
	show --local-secrets-file sec.properties
	expect_rc 0
	show --local-secrets-file sec.properties --reveal
	expect_rc 1
	expect_no CANARY
	show --local-secrets-file sec.properties --reveal --master-key-file master.key
	expect_rc 0
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	show --local-secrets-file sec.properties --reveal --master-key-file wrong.key
	expect_rc 4
	expect_no CANARY
}

case_what_was_not_opened_is_told() {
	on server.properties encrypt
	show
	expect_no 'not checked'
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	show --master-key-file wrong.key
	expect_rc 0
	expect_out '3 sealed (3 not checked: no key that is there opens the secrets file)'
	unset CONFLUENT_SECURITY_MASTER_KEY
	show
	expect_rc 0
	expect_out '3 sealed (3 not checked: there is no key)'
}

case_every_state_has_its_word() {
	on server.properties encrypt
	sed -i '/ssl.keystore.password/d; /zookeeper.password/s/ENC.*/ENC[rubbish]/' sec.properties
	echo 'x.password=${vault:a:b}' >>server.properties
	show -o json --local-secrets-file sec.properties
	expect_rc 0
	expect_json "$out" '[(e["key"], e["state"]) for e in d["entries"] if "password" in e["key"]]' \
	    "[('ssl.keystore.password', 'dangling'), ('ssl.key.password', 'sealed'), \
('zookeeper.password', 'damaged'), ('x.password', 'other-provider')]"
}

case_revealing_a_damaged_entry_is_exit_4_after_the_rest() {
	on server.properties encrypt
	sed -i '/ssl.key.password/s/data:..../data:AAAA/' sec.properties
	show -o json --local-secrets-file sec.properties --reveal
	expect_rc 4
	expect_entry zookeeper.password "[['zookeeper.password', 'CANARY-zookeeper', 'sealed', True, 6]]"
	expect_json "$out" '[e["state"] for e in d["entries"] if e["key"] == "ssl.key.password"]' \
	    "['damaged']"
	expect_json "$err" 'd["error"]["code"]' damaged
}

case_duplicate_keys_are_listed_once_where_the_last_stands() {
	printf 'a=1\nb=2\na=3\n' >server.properties
	show -o json
	expect_json "$out" '[(e["key"], e["value"], e["line"]) for e in d["entries"]]' \
	    "[('b', '2', 2), ('a', '3', 3)]"
}

case_odd_values_are_valid_json() {
	printf 'a=\\u0001\\t"\\\\\nb=\351\nc=\\ud83d\\ude00\nd\\ e=\n' >server.properties
	show -o json
	expect_rc 0
	expect_json "$out" '[e["value"] for e in d["entries"]] == ["\x01\t\"\\", "\ufffd", "\U0001f600", ""]' True
	expect_json "$out" 'd["entries"][3]["key"]' 'd e'
}

case_values_cannot_drive_the_terminal() {
	printf 'a=\\u001b[31m\\u202e\nk\\u001by=1\n' >server.properties
	show
	expect_no $'\e' $'\xe2\x80\xae'
	expect_out 'k\x1by'
}

case_empty_file() {
	: >server.properties
	show -o json
	expect_json "$out" 'd["entries"]' '[]'
	show
	expect_out '0 entries'
}

case_problems_are_named() {
	run file show nowhere.properties
	expect_rc 1
	expect_err 'propseal: nowhere.properties: no such file'
	printf 'a=1\n\nb=\\uX\n' >server.properties
	show
	expect_rc 1
	expect_err 'propseal: server.properties:3: '
	run file show pass
	expect_rc 1
	expect_err 'propseal: pass: unsupported file format'
	show -o json
	expect_json "$err" 'd["error"]["line"]' 3
}

case_changes_nothing() {
	on server.properties encrypt
	snapshot
	chmod 500 .
	show --local-secrets-file sec.properties --reveal
	chmod 700 .
	expect_rc 0
	expect_unchanged
}

case_a_thousand_entries() {
	seq 1000 | sed 's/.*/k&.password=CANARY-&/' >server.properties
	on server.properties encrypt
	show -o json --local-secrets-file sec.properties --reveal
	expect_json "$out" '[e["value"] for e in d["entries"]][999]' CANARY-1000
	expect_json "$out" 'len(d["entries"])' 1002
}

# expect_count N FILE  show, git check and doctor find N secrets in clear text.
expect_count() {
	run file show "$2"
	if [ "$1" -gt 0 ]; then
		expect_out "($1 secret$([ "$1" -eq 1 ] || echo s) in clear text !)"
	else
		expect_no 'in clear text'
	fi
	chmod 600 "$2"
	run git check "$2" -o json
	expect_json "$out" 'd["counts"]["error"]' "$1"
	expect_rc "$(($1 > 0 ? 3 : 0))"
	run doctor "$2" -o json
	expect_json "$out" 'd["counts"]["error"]' "$1"
}

case_one_count_is_told_everywhere() {
	cat >a.properties <<-'END'
		connection.url=jdbc:postgresql://db/x?user=u&password=CANARY1&ssl=true
		connection.uri=mongodb+srv://u:CANARY2@m/x
		azblob.account.key=CANARY3
		jira.api.token=CANARY4
		connection.pass=CANARY5
		camel.kamelet.aws-s3-sink.secretKey=CANARY6
		gcs.credentials.json={"private_key":"CANARY7"}
		sasl.jaas.config=a.PlainLoginModule required username="u" password="CANARY8" user_a="CANARY9";
		transforms.x.y=-----BEGIN PRIVATE KEY-----\nCANARYa
		http.headers=Authorization: Bearer CANARYb
	END
	expect_count 11 a.properties
	run file show a.properties
	expect_no CANARY
	run file show a.properties --reveal
	expect_out CANARY7
	printf '{"name":"c","config":{"connection.password":"CANARY1","apiKey":"CANARY2",
	    "url":"https://u:CANARY3@h","sasl.jaas.config":"a.LoginModule required;"}}' >c.json
	expect_count 3 c.json
}

case_secrets_in_what_a_value_is_made_of() {
	local key=MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjCANARYCANARYCANARYCANARY
	cat >a.properties <<-END
		a={"x":{"password":"CANARY1"},"api_key":"CANARY2"}
		b=jdbc:oracle:oci:scott/CANARY3@h
		connection.properties=user=u,password=CANARY4
		d=jdbc:mysql://address=(host=h)(user=u)(password=CANARY5)/x
		e=$key
		f={"password":"\${file:/x:y}"}
		sasl.jaas.config=a.LoginModule required keyStorePass="CANARY6";
		api.key.value=CANARY7
	END
	expect_count 7 a.properties
	run file show a.properties
	expect_no CANARY
	printf '{"config":{"a":"{\\"x\\":\\"{\\\\\\"secretKey\\\\\\":\\\\\\"CANARY1\\\\\\"}\\"}",
	    "b":"ssl=true\\npassword=CANARY2","c":"%s","d":{"password":["CANARY3"]}}}' "$key" >c.json
	expect_count 4 c.json
	run file show c.json
	expect_no CANARY
}

# The name that tells of it stands in another member, around it or before it.
case_another_member_tells_of_a_secret_in_json() {
	cat >c.json <<-'END'
		{"env":[{"name":"DB_PASSWORD","value":"CANARY1"},{"name":"LOG_DIR","value":"/var/log"},
		    {"value":"CANARY2","name":"API_TOKEN"},{"name":"A_PASSWORD","value":"${env:A}"}],
		 "Tags":[{"Key":"client_secret","Value":"CANARY3"}],
		 "Parameters":[{"ParameterKey":"DbPassword","ParameterValue":"CANARY4"}],
		 "api_token":{"value":"CANARY5"},
		 "args":["--user","root","--password","CANARY6","--port","1"]}
	END
	expect_count 6 c.json
	run file show c.json
	expect_no CANARY
	expect_out '/var/log'
	expect_out root
	run file show c.json -o json
	expect_no CANARY
	run git textconv c.json
	expect_no CANARY
	cp c.json d.json
	on d.json encrypt
	expect_err 'd.json:1: env.0.value stays in clear text'
	run seal c.json --yes --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	grep -q CANARY c.json && fail 'a secret is left'
	run render c.json --local-secrets-file sec.properties
	for n in 1 2 3 4 5 6; do
		expect_out "\"CANARY$n\""
	done
}

case_passwords_in_statements_of_sql_are_clear_text() {
	cat >a.properties <<-'END'
		a.init.sql=CREATE USER x IDENTIFIED BY 'CANARY1'
		b.statements=SET search_path=x; ALTER ROLE x WITH LOGIN PASSWORD 'CANARY2'; CREATE USER y PASSWORD 'CANARY3'
		c.sql=SELECT id FROM users WHERE password IS NOT NULL
		d.sql=CREATE USER x IDENTIFIED BY '${file:/x:y}'
	END
	expect_count 2 a.properties
	run file show a.properties
	expect_no CANARY
	expect_out 'NOT NULL'
	run git textconv a.properties
	expect_no CANARY
	run seal a.properties --yes --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 0
	grep -q CANARY a.properties && fail 'a secret is left'
	run render a.properties --local-secrets-file sec.properties
	expect_out "PASSWORD 'CANARY2'"
}

# Its keys are names, by which nothing is sealed.
case_seal_names_passwords_in_lists_of_users() {
	echo 'alice=CANARY-a-long-one' >users.properties
	run seal users.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_err 'users.properties:1: alice stays in clear text, as this is a list of users'
	grep -q CANARY "$err" && fail 'a secret is shown'
	expect_in users.properties CANARY-a
}

# A line that a later one of its key hides is as readable.
case_hidden_lines_are_counted_too() {
	printf 'a.password=CANARY-hidden\na.password=CANARY-used\n' >a.properties
	expect_count 2 a.properties
	run file show a.properties
	expect_err 'a.properties:1: a secret in clear text in a line that no reader uses'
	printf 'a.password=CANARY-hidden\na.password=${securepass:/x:y/z}\n' >a.properties
	run file show a.properties
	expect_out '(1 secret in clear text !)'
	printf 'sasl.jaas.config=a.Module required x="u" password="CANARY-%s" user_a="CANARY-o%s";\n' \
	    1 1 2 2 >a.properties
	expect_count 4 a.properties
}

case_the_default_of_a_variable_is_clear_text() {
	cat >a.properties <<-'END'
		a.password=${A_PASSWORD:-CANARY1}
		b.password=${B_PASSWORD:pw-CANARY2}
		api.token=${TOKEN:-<token>}
		c.password=${C_PASSWORD:-}
		d.password=${env:D_PASSWORD}
		region=${REGION:-CANARY3}
	END
	expect_count 2 a.properties
	run file show a.properties
	expect_no CANARY1
	expect_no CANARY2
	run git textconv a.properties
	expect_no CANARY1
	on a.properties encrypt
	expect_err 'a.properties:1: the default of this variable is a secret in clear text'
	expect_in a.properties CANARY1
}

# A comment is as readable as what it stands beside, and stays when the options are sealed.
case_a_password_in_a_comment_of_jaas_is_clear_text() {
	local module=org.apache.kafka.common.security.plain.PlainLoginModule
	cat >a.properties <<-END
		a.jaas.config=$module required \\
		  /* password="CANARY1" */ username="u" password="\${securepass:/r:a.properties/x}";
		b.jaas.config=$module required // password = 'CANARY2'\n username="u";
		c.jaas.config=$module required username="u"; // password=CANARY3;
		d.jaas.config=$module required username="u" /* old */ password /* password="CANARY4" */="CANARY5";
		e.jaas.config=$module required // password="", a password="<yours>" or password="\${x:y}"\n url="//password=a";
		config.providers=securepass
		config.providers.securepass.class=io.confluent.kafka.security.config.provider.SecurePassConfigProvider
	END
	sed -i 1,2d a.properties
	expect_count 3 a.properties
	run audit a.properties
	expect_out 'a password in a comment of a JAAS value (2 errors)'
	expect_out 'hint: take the comment out'
	cat >a.properties <<-END
		a.jaas.config=$module required \\
		  /* password="CANARY1" */ username="u" password="CANARY6";
	END
	on a.properties encrypt
	expect_rc 0
	expect_err 'a.properties:1: a comment in this JAAS value holds a password'
	run file show a.properties
	expect_out '(1 secret in clear text !)'
	for what in 'file show a.properties' 'git textconv a.properties' 'file verify .'; do
		# shellcheck disable=SC2086
		run $what
		expect_no CANARY
	done
}

# Of a placeholder in a comment each beginning is looked at once: in the square, this never ends.
case_a_comment_of_jaas_that_is_one_long_placeholder_is_read_once() {
	{
		printf 'sasl.jaas.config=a.B required a="b"; // '
		seq 400000 | sed 's/.*/password=</' | tr -d '\n'
		echo '>;'
	} >a.properties
	expect_count 0 a.properties
}

# Java takes it for a character of the first key, and no editor shows it.
case_a_byte_order_mark_is_told_once() {
	local told='server.properties:1: the file begins with a byte order mark' w
	sed -i '1s/^/\xef\xbb\xbf/' server.properties
	for w in 'file show server.properties' 'file verify .' 'audit .'; do
		# shellcheck disable=SC2086
		run $w
		case $w in
		audit*) expect_no 'byte order mark' ;;
		*verify*)
			expect_rc 0
			[ "$(grep -c 'byte order mark' "$out")" -eq 1 ] || fail 'not once'
			expect_out 'save it as UTF-8 without one'
			;;
		*)
			expect_rc 0
			[ "$(grep -c 'byte order mark' "$err")" -eq 1 ] || fail 'not once'
			expect_err "$told"
			expect_err "sed -i '1s/^"
			;;
		esac
	done
	on server.properties encrypt
	expect_rc 0
	[ "$(grep -c 'byte order mark' "$err")" -eq 1 ] || fail 'not once'
	expect_err "$told"
	# The way out is one.
	sed -i '1s/^\xef\xbb\xbf//' server.properties
	run file show server.properties
	expect_rc 0
	expect_no 'byte order mark'
}

case_what_only_sounds_like_a_secret_is_none() {
	cat >a.properties <<-'END'
		password.encoder.iterations=4096
		password.encoder.cipher.algorithm=AES/CBC/PKCS5Padding
		listener.name.x.ssl.keystore.password.file=/run/secrets/p
		confluent.password.policy=strict
		sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;
		connection.url=jdbc:postgresql://db/x?user=u
		aws.access.key.id=AKIAIOSFODNN7EXAMPLE
		a.password=${file:/run/secrets:p}
		b.password=<password>
		c.password=
		d.password={{ vault_password }}
		basic.auth.user.info=$KEY:$SECRET
	END
	expect_count 0 a.properties
	run file show a.properties
	expect_out strict
	run file encrypt --config-file a.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	run file show a.properties
	expect_out 4096
}

run_cases "$@"
