#!/usr/bin/env bash
# Secrets in clear text that no key tells of, and values that the service reads otherwise.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

login='org.apache.kafka.common.security.plain.PlainLoginModule required'

# refused FILE CAUSE [RULE]: encrypt and the commit's check tell it, and nothing shows or loses it.
refused() {
	snapshot
	on "$1" encrypt
	expect_rc 1
	expect_err "$2"
	expect_unchanged
	run file show "$1"
	expect_rc 0
	expect_no CANARY
	run file show "$1" -o json
	expect_no CANARY
	run git check "$1"
	expect_rc 3
	expect_out " ${3-cut-value} "
	expect_no CANARY
	run git textconv "$1"
	expect_no CANARY
	run doctor "$1"
	expect_rc 3
	expect_out " ${3-cut-value} "
	expect_no CANARY
	echo x=y >other.properties
	run file diff "$1" other.properties
	expect_no CANARY
	run file diff other.properties "$1" -o json
	expect_no CANARY
	run file verify --local-secrets-file sec.properties "$1"
	expect_rc 3
	expect_out "$2"
	expect_no CANARY
}

case_a_pem_value_without_continuation() {
	printf '%s\n' 'a=1' 'ssl.keystore.key=-----BEGIN PRIVATE KEY-----' 'MIICANARYBODY==' \
	    'CANARYCANARYCANARYCANARY+/' '-----END PRIVATE KEY-----' 'z=1' >k.properties
	refused k.properties 'a PEM value is cut here'
	expect_out 'k.properties:2'
	run file show k.properties
	expect_out 'plain           z '
	printf '%s\n' 'ssl.keystore.key=' '-----BEGIN RSA PRIVATE KEY-----' \
	    'Proc-Type: 4,ENCRYPTED' 'CANARYx' '-----END RSA PRIVATE KEY-----' >k.properties
	refused k.properties 'a PEM value is cut here'
	printf '%s\n' 'ssl.keystore.key=-----BEGIN PRIVATE KEY-----' 'CANARYCANARYCANARY' \
	    'z=1' >k.properties
	refused k.properties 'a PEM value is cut here'
	printf '%s\n' 'ssl.keystore.key=\' '-----BEGIN PRIVATE KEY-----' 'CANARYCANARYCANARY' \
	    '-----END PRIVATE KEY-----' 'z=1' >k.properties
	refused k.properties 'a PEM value is cut here'
	printf '%s\n' 'odd="-----BEGIN CERTIFICATE-----\nMIIx\n-----END CERTIFICATE-----\n\' \
	    '-----BEGIN PRIVATE KEY-----' 'CANARYCANARYCANARY' '-----END PRIVATE KEY-----"' 'z=1' \
	    >k.properties
	refused k.properties 'a PEM value is cut here'
}

case_a_pem_value_that_goes_on_is_sealed() {
	printf '%s\n' 'ssl.keystore.key=-----BEGIN PRIVATE KEY-----\n\' 'MIICANARYBODY==\n\' \
	    '-----END PRIVATE KEY-----' 'z=1' >k.properties
	on k.properties encrypt --config ssl.keystore.key
	expect_rc 0
	expect_not_in k.properties CANARY
}

case_a_pem_value_in_new_entries() {
	printf '%s\n' 'ssl.keystore.key=-----BEGIN PRIVATE KEY-----' 'MIICANARYBODY==' \
	    '-----END PRIVATE KEY-----' >text
	snapshot
	on server.properties add --config @text
	expect_rc 1
	expect_err 'a PEM value is cut here'
	expect_unchanged
}

case_jaas_cut_by_a_blank_behind_the_backslash() {
	local blank
	for blank in ' ' '	' '  '; do
		printf 'sasl.jaas.config=%s \\%s\n  username="u" \\\n  password="CANARY";\nz=1\n' \
		    "$login" "$blank" >j.properties
		refused j.properties 'there is a blank behind the backslash'
		expect_out 'j.properties:1'
	done
	on j.properties encrypt --config sasl.jaas.config
	expect_rc 1
	expect_unchanged
	printf 'a.sasl.jaas.config=%s username="u" \\\n  x="y" \\ \npassword="CANARY";\n' "$login" \
	    >j.properties
	refused j.properties 'there is a blank behind the backslash'
	expect_out 'j.properties:2'
}

case_jaas_cut_by_a_doubled_backslash() {
	local text='the backslash at the end of the line is doubled'
	printf '%s\n' "sasl.jaas.config=$login \\\\" 'username="u" \\' 'password=CANARY;' 'z=1' \
	    >j.properties
	refused j.properties "$text"
	expect_out 'j.properties:1'
	printf '%s\n' 'sasl.jaas.config=\\' "$login"' \\' 'clientSecret="CANARY";' 'z=1' >j.properties
	refused j.properties "$text"
	run file show j.properties
	expect_out 'plain           z '
	printf '%s\n' 'api.token=\\' '  CANARY' 'z=1' >j.properties
	refused j.properties "$text"
	printf '%s\n' 'ssl.key.password=C:\\x\\' '  z=1' >j.properties
	on j.properties encrypt
	expect_rc 0
}

case_jaas_without_its_backslash() {
	printf 'sasl.jaas.config=%s\n  username="u"\n  password="CANARY";\n' "$login" >j.properties
	refused j.properties 'the next line is read as another key'
	printf 'sasl.jaas.config=%s username="u"\ndb_token="CANARY";\n' "$login" >j.properties
	refused j.properties 'the next line is read as another key'
	printf 'sasl.jaas.config=\n  %s username="u" password="CANARY";\n' "$login" >j.properties
	refused j.properties 'the next line is read as another key'
}

case_jaas_of_its_own_behind_broken_jaas() {
	printf '%s\n' "a.sasl.jaas.config=$login username=\"u\" \\" '  password="CANARYa\"b" ;' \
	    "b.sasl.jaas.config=$login username=\"u\" password=\"CANARYb\";" >j.properties
	run file show j.properties
	expect_out 'b.sasl.jaas.config'
	expect_no CANARY
	run seal j.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	expect_err 'j.properties:1: Kafka refuses this JAAS value'
	expect_not_in j.properties CANARY
	grep -q 'b.sasl.jaas.config=.*username="u" password=\${securepass:' j.properties ||
	    fail 'the second is not sealed by itself'
	run file verify j.properties
	expect_out 'j.properties:1: jaas: "a.sasl.jaas.config": Kafka refuses this JAAS value'
	run git check j.properties
	expect_no CANARY
}

case_a_url_with_a_password_in_an_option_of_jaas() {
	printf '%s%s\n' "sasl.jaas.config=$login tokenUri=\"https://u:CANARYa@h/token\" " \
	    'db="jdbc:mysql://h/d?user=u&password=CANARYb" plain="https://h/?a=b";' >j.properties
	run file show j.properties
	expect_no CANARY
	expect_out '2 secrets in clear text'
	run git check j.properties
	expect_rc 3
	expect_out 'url-credentials           sasl.jaas.config#tokenUri'
	expect_out 'url-credentials           sasl.jaas.config#db'
	expect_no '#plain'
	on j.properties encrypt
	expect_err 'tokenUri stays in clear text'
	run seal j.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 0
	expect_not_in j.properties CANARY
	run git check j.properties sec.properties
	expect_rc 0
	mkdir home
	printf '[rules]\npublic-keys = /db\n' >home/propseal.ini
	printf '%s\n' "sasl.jaas.config=$login db=\"https://u:known@h\";" >k.properties
	PROPSEAL_CONFIG=home/propseal.ini run git check k.properties
	expect_rc 0
}

case_a_login_configuration_with_a_url() {
	printf '%s\n' 'KafkaClient {' "  $login" '  tokenUri="https://u:CANARY@h/token";' '};' \
	    >kafka_client_jaas.conf
	run git check kafka_client_jaas.conf
	expect_rc 3
	expect_out 'url-credentials           KafkaClient#tokenUri'
	expect_no CANARY
}

case_seal_leaves_a_reference_that_is_not_closed() {
	printf '%s\n' 'a.password=${file:/x:CANARYa' 'b.password=${securepass:/x:CANARYb' \
	    "sasl.jaas.config=$login password=\"\${file:/x:CANARYc\";" \
	    'c.password=x${file:CANARYd' 'd.password=CANARYe' >u.properties
	run seal u.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 1
	for key in a b; do
		expect_err "\"$key.password\": a reference is not closed"
	done
	expect_err '"sasl.jaas.config": a reference is not closed'
	for kept in CANARYa CANARYb CANARYc; do
		grep -q "$kept" u.properties || fail "$kept is gone"
	done
	expect_not_in u.properties CANARYd
	expect_not_in u.properties CANARYe
	on u.properties encrypt --config a.password
	expect_rc 0
	expect_not_in u.properties CANARYa
}

case_a_secret_in_a_line_that_a_later_one_hides() {
	printf '%s\n' 'a.password=CANARY-kept' 'b=1' >h.properties
	on h.properties encrypt
	printf 'a.password=CANARYold\n' | cat - h.properties >new
	cp new h.properties
	printf 'c.token=CANARYc\nc.token=${file:/x:y}\nd.password=CANARYd\nd.password=CANARYe\n' \
	    >>h.properties
	run file show h.properties
	expect_err 'h.properties:1: a secret in clear text in a line that no reader uses'
	expect_err '3 such lines'
	expect_no CANARY
	run git check h.properties sec.properties
	expect_out 'take the line out: a later one of its key counts'
	on h.properties encrypt --dry-run
	expect_out 'a.password stays in clear text in a line that no reader uses'
	run seal h.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 1
	expect_err 'h.properties:1: "a.password": a secret in clear text in a line that no reader'
	expect_err '"c.token": a secret in clear text in a line that no reader uses'
	grep -c 'no reader uses' "$err" | grep -qx 3 || fail 'd.password is told as well, or twice'
	expect_not_in h.properties CANARYd
	run seal h.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_err 'nothing was changed'
}

# Sealed under the keys of its lines, it would be no part of the value any more, and an orphan.
case_seal_leaves_what_was_cut_off() {
	printf '%s\n' "a.sasl.jaas.config=$login \\ " '  username="u" \' '  password="CANARY-a";' \
	    "b.sasl.jaas.config=$login" '  username="u"' '  password="CANARY-b";' \
	    'c.password=CANARYc' >j.properties
	run file show j.properties
	expect_no CANARY
	run seal j.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_rc 1
	expect_in j.properties 'password="CANARY-a";'
	expect_in j.properties 'password="CANARY-b";'
	expect_not_in j.properties CANARYc
}

# A blank that came behind the backslash later makes no orphan of what is referred to.
case_a_reference_in_what_was_cut_off_is_in_use() {
	printf '%s\n' "a.sasl.jaas.config=$login username=\"u\" \\" '  password="CANARY";' \
	    >j.properties
	on j.properties encrypt
	expect_rc 0
	sed -i '1s/\\$/\\ /' j.properties
	run file verify j.properties --local-secrets-file sec.properties
	expect_out 'there is a blank behind the backslash'
	expect_out '1 reference in 1 file, 0 dangling, 0 orphans'
	run file show j.properties
	expect_no CANARY
}

case_another_secret_on_the_next_line() {
	printf 'ssl.key.password=\n  CANARY\nz=1\n' >s.properties
	refused s.properties 'the next line is read as another key'
	printf 'my.password=abc\\ \n  CANARY\n' >s.properties
	refused s.properties 'there is a blank behind the backslash'
	printf 'ssl.key.password=\n  CANARY=x\n' >s.properties
	refused s.properties 'the next line is read as another key'
	printf 'ssl.key.password=\nCANARY\nz=1\n' >s.properties
	refused s.properties 'the next line is read as another key'
	run file show s.properties
	expect_out 'plain           z '
}

case_what_only_looks_like_it_is_no_finding() {
	printf '  ssl.key.password=\n  CANARY.x=1\n' >s.properties
	printf 'ssl.key.password=\n  listeners.x=1\nssl.keystore.password=\nhost=x\n' >>s.properties
	printf 'sasl.jaas.config=%s username="u";\nname="quoted"\n' "$login" >>s.properties
	run git check s.properties
	expect_rc 0
	on s.properties encrypt
	expect_rc 0
}

case_a_password_in_an_odd_value() {
	printf 'user_admin=x password="CANARY" \\\n  y\nz=1\n' >o.properties
	refused o.properties 'a password in a value whose key is none of a secret' clear-text-secret
	printf "{\"login\":\"%s client.secret='CANARY';\"}" "$login" >o.json
	refused o.json 'a password in a value whose key is none of a secret' clear-text-secret
	printf 'login=%s username=u password=CANARY;\n' "$login" >o.properties
	refused o.properties 'a password in a value whose key is none of a secret' clear-text-secret
	printf 'login=%s username=u password=${file:/x:CANARY};\n' "$login" >o.properties
	run git check o.properties
	expect_rc 0
	printf 'opts=-Dpassword="" -Dx.password="${file:/x:CANARY}"\n' >o.properties
	run git check o.properties
	expect_rc 0
	printf '[rules]\npublic-keys = user_admin\n' >ini
	printf 'user_admin=x password="CANARY"\n' >o.properties
	PROPSEAL_CONFIG=$PWD/ini run git check o.properties
	expect_rc 0
}

case_files_that_are_no_text() {
	printf 'ssl.key.password=CANARY\n' | iconv -t UTF-16 >u.properties
	cp u.properties u.json
	printf 'a.password=CANARY\0\n' >n.properties
	local file
	for file in u.properties u.json n.properties; do
		snapshot
		on "$file" encrypt
		expect_rc 1
		expect_err 'iconv -f UTF-16 -t UTF-8'
		expect_unchanged
		run git check "$file"
		expect_rc 1
		expect_out "not read: $file: "
		run file show "$file"
		expect_rc 1
		expect_no CANARY
	done
}

case_bytes_that_are_no_utf8() {
	printf 'ssl.key.password=CANARY\344\n' >l.properties
	snapshot
	on l.properties encrypt
	expect_rc 1
	expect_err 'no UTF-8'
	on l.properties encrypt --config ssl.key.password
	expect_rc 1
	printf 'sasl.jaas.config=%s password="CANARY\344";\n' "$login" >l.properties
	on l.properties encrypt
	expect_rc 1
	expect_err 'no UTF-8'
}

case_utf8_that_kafka_reads_as_latin1_is_told() {
	printf 'ssl.key.password=CANARY\303\244\n' >l.properties
	on l.properties encrypt
	expect_rc 0
	expect_err 'l.properties:1: ssl.key.password has characters beyond ASCII: Kafka read them as ISO 8859-1'
	printf 'ssl.key.password=CANARY\\u00e4\n' >l.properties
	on l.properties encrypt --replace
	expect_rc 0
	grep -q 'ISO 8859-1' "$err" && fail 'an escape is told'
	printf '{"a.password":"CANARY\303\244"}' >l.json
	on l.json encrypt
	expect_rc 0
	grep -q 'ISO 8859-1' "$err" && fail 'JSON is UTF-8'
	true
}

case_a_reference_that_is_not_closed() {
	printf 'x.sasl.jaas.config=a.B required user="${sa:x" password="CANARY";\n' >u.properties
	snapshot
	on u.properties encrypt
	expect_rc 1
	expect_err 'u.properties:1'
	expect_err 'not closed'
	expect_unchanged
	on u.properties encrypt --config x.sasl.jaas.config/a.B/password
	expect_rc 1
	expect_unchanged
	printf 'a.password=${file:/CANARY:x\n' >u.properties
	on u.properties encrypt
	expect_rc 1
	expect_err 'a reference is not closed'
	on u.properties encrypt --config a.password
	expect_rc 0
}

case_a_reference_behind_one_that_is_not_closed() {
	on server.properties encrypt
	printf 'x.sasl.jaas.config=a.B required user="${sa:x" password=${securepass:%s:%s} z="}";\n' \
	    "$remote" server.properties/ssl.key.password >u.properties
	run file verify --local-secrets-file sec.properties u.properties server.properties
	expect_rc 3
	expect_out 'takes the reference behind it with it'
	run git check u.properties
	expect_out 'malformed-reference       x.sasl.jaas.config'
}

case_jaas_that_kafka_refuses_is_told() {
	local value
	for value in 'CANARY@pwd' '1CANARY' 'CANARY/word' '-CANARY' 'CANARY#1'; do
		printf 'sasl.jaas.config=%s username="u" password=%s;\n' "$login" "$value" >j.properties
		on j.properties encrypt --replace
		expect_rc 0
		expect_err 'j.properties:1: Kafka cannot read an unquoted value'
		expect_err 'double quotes'
		run file verify --local-secrets-file sec.properties j.properties
		expect_out 'Kafka cannot read an unquoted value'
		run doctor --local-secrets-file sec.properties j.properties
	done
	printf 'sasl.jaas.config=%s username="u" password=CANARY-.$_9\n' "$login" >j.properties
	on j.properties encrypt --replace
	expect_rc 0
	expect_err 'there is no ; at the end'
	run doctor j.properties
	expect_out ' malformed-jaas '
	printf 'sasl.jaas.config=%s password="CANARY@1";\n' "$login" >j.properties
	on j.properties encrypt --replace
	grep -q 'Kafka cannot' "$err" && fail 'quoted'
	true
}

case_an_option_given_twice_is_told() {
	printf 'sasl.jaas.config=%s password="CANARY1" password="CANARY2";\n' "$login" >j.properties
	on j.properties encrypt
	expect_rc 0
	expect_err 'given twice'
	expect_not_in j.properties CANARY
}

case_placeholders_are_left_and_told() {
	printf '%s\n' 'a.password=********' 'b.password=xxxxx' 'c.password={{ vault_x }}' \
	    'd.password=ENC(AbC=)' 'e.password=<the password>' 'f.password=YOUR_PASSWORD' \
	    'g.password=$ANSIBLE_VAULT;1.1;AES256' 'h.password=CANARY' 'i.password=x' \
	    "j.sasl.jaas.config=$login password=\"*****\";" 'k.password=\u2022\u2022' \
	    'l.password=your-password' 'm.password=yourselfCANARY' >p.properties
	on p.properties encrypt
	expect_rc 0
	local key
	for key in a b c d e f g j k l; do
		grep -q "$key\.[a-z.]* holds a placeholder" "$err" || fail "$key is not told"
	done
	[ "$(grep -c securepass: p.properties)" = 3 ] || fail 'others are sealed'
	expect_not_in p.properties CANARY
}

case_variables_of_other_tools() {
	printf '%s\n' 'a.password=${DB_PASSWORD}' 'b.password=$${DB_PASSWORD}' \
	    'c.password=$(cat /run/pw)' "d.sasl.jaas.config=$login password=\"\${PW}\";" \
	    'e.password=$DB_PASSWORD' 'f.password=$ecretCANARY' 'g.password=${file:/x:y}' \
	    >v.properties
	on v.properties encrypt
	expect_rc 0
	local key
	for key in a b c d; do
		grep -q "$key\.[a-z.]* holds a placeholder" "$err" || fail "$key is not told"
	done
	expect_err 'e.password looks like a variable of a shell, and is sealed as it stands'
	[ "$(grep -c '{securepass:' v.properties)" = 2 ] || fail 'others are sealed'
	expect_not_in v.properties CANARY
}

case_a_named_placeholder_is_sealed_and_told() {
	printf 'a.password=********\n' >p.properties
	on p.properties encrypt --config a.password
	expect_rc 0
	expect_err 'a.password looks like a placeholder or a mask, and is sealed as it stands'
	expect_in p.properties securepass:
	on p.properties update --config 'a.password=<secret>'
	expect_rc 0
	expect_err 'looks like a placeholder'
}

case_null_stays_null() {
	printf '{"a.password":null,"b.password":"CANARY","c":{"x_password":null,"y":1}}' >n.json
	on n.json encrypt
	expect_rc 0
	expect_in n.json '"a.password":null'
	expect_err 'is null'
	on n.json encrypt --config 'c.*'
	expect_rc 0
	expect_in n.json '"x_password":null'
}

case_parameters_of_config_providers_stay() {
	printf '%s\n' 'config.providers=vault' 'config.providers.vault.class=x.Vault' \
	    'config.providers.vault.param.auth.password=CANARY1' \
	    "config.providers.vault.param.sasl.jaas.config=$login password=\"CANARY2\";" \
	    'config.providers.vault.param.vault.token=CANARY4' \
	    'ssl.key.password=CANARY3' >w.properties
	on w.properties encrypt
	expect_rc 0
	expect_err 'vault.token stays in clear text: Kafka resolves no references in parameters'
	expect_no '--config takes it'
	[ "$(grep -c 'param.auth.password' "$err")" -eq 1 ] || fail 'it is told twice'
	expect_in w.properties CANARY1
	expect_in w.properties CANARY2
	expect_not_in w.properties CANARY3
	expect_err 'param.auth.password is a parameter of a config provider'
	snapshot
	on w.properties encrypt --config config.providers.vault.param.auth.password
	expect_rc 1
	expect_err 'Kafka resolves no references in them'
	on w.properties add --config config.providers.vault.param.token=CANARY
	expect_rc 1
	expect_unchanged
	printf 'config.providers.vault.param.x=${file:/x:y}\n' >>w.properties
	run file verify --local-secrets-file sec.properties w.properties
	expect_rc 3
	expect_out 'w.properties:8: provider-parameter: "config.providers.vault.param.x"'
	printf '{"config.providers.vault.param.password":"CANARY","a.password":"CANARY"}' >w.json
	on w.json encrypt
	expect_in w.json 'param.password":"CANARY"'
}

case_connectors_get_no_provider_lines() {
	local text
	for text in '{"connector.class":"x","a.password":"CANARY"}' \
	    '[{"name":"a","config":{"connector.class":"x","a.password":"CANARY"}}]' \
	    '{"one":{"info":{"config":{"connector.class":"x","a.password":"CANARY"}}}}' \
	    '{"name":"a","config":{"connector.class":"x","a.password":"CANARY"}}'; do
		printf '%s' "$text" >c.json
		on c.json encrypt --replace
		expect_rc 0
		expect_err 'the Connect worker resolves the references'
		expect_in c.json securepass:
		expect_not_in c.json providers
	done
	printf 'name=a\nconnector.class=x\na.password=CANARY\n' >c.properties
	on c.properties encrypt
	expect_err 'the Connect worker resolves the references'
	expect_not_in c.properties providers
	printf 'my.connector.classes=x\nmyconnector.class=y\na.password=CANARY\n' >d.properties
	on d.properties encrypt
	expect_in d.properties config.providers=securepass
}

case_files_in_which_nothing_resolves_references() {
	printf 'dataDir=/var/lib/zookeeper\nclientPort=2181\nssl.keyStore.password=CANARY\n' \
	    >zookeeper.properties
	printf 'bootstrap.servers=h:1\nsasl.username=u\nsasl.password=CANARY\n' >librdkafka.properties
	printf 'log4j.rootLogger=INFO\nlog4j.appender.smtp.SMTPPassword=CANARY\n' >log4j.properties
	local name
	for name in zookeeper librdkafka log4j; do
		on $name.properties encrypt
		expect_rc 0
		expect_err ", which resolves no references"
		run file verify --local-secrets-file sec.properties $name.properties
		expect_rc 3
		expect_out 'nothing resolves the references in this file'
	done
	printf '{"bootstrap.servers": "h:1", "sasl.username": "u", "sasl.password": "CANARY"}' >c.json
	on c.json encrypt
	expect_rc 0
	expect_err 'c.json looks like a file of librdkafka, which resolves no references'
	run file verify --local-secrets-file sec.properties c.json
	expect_rc 3
	expect_out 'nothing resolves the references in this file'
}

case_what_is_sealed_where_nothing_resolves_it_is_told_once() {
	printf 'dataDir=/x\nclientPort=2181\nssl.keyStore.password=CANARY\n' >zookeeper.properties
	printf 'appender.m.type = SMTP\nappender.m.smtpPassword = CANARY\n' >log4j2.properties
	run seal . --dry-run --local-secrets-file sec.properties --remote-secrets-file "$remote"
	grep -c 'zookeeper.properties looks like a file of ZooKeeper' "$out" | grep -qx 1 ||
	    fail 'ZooKeeper is not told once'
	expect_out 'log4j2.properties looks like a file of log4j'
	on log4j2.properties encrypt --config appender.m.smtpPassword
	expect_err 'looks like a file of log4j'
	on zookeeper.properties encrypt
	on zookeeper.properties encrypt
	grep -c 'resolves no references' "$err" | grep -qx 1 || fail 'not told once'
	expect_no 'zookeeper.properties:0'
}

case_what_the_kernel_makes_up_is_no_configuration() {
	local target status why
	[ -r /proc/self/environ ] || return 0
	mkfifo fifo
	# NUL bytes are told; what is text, and what is no file, is passed over.
	for target in /proc/self/environ=1 /proc/self/status=0 /dev/zero=0 fifo=0; do
		status=${target#*=}
		target=${target%=*}
		why='not a '
		# The program's own is closed to everybody but root, itself included.
		[ "$(id -u)" -eq 0 ] || [ "$target" != /proc/self/environ ] || why='Permission denied'
		ln -sf "$target" p.properties
		run file show p.properties
		expect_rc 1
		expect_err "$why"
		expect_no "$CONFLUENT_SECURITY_MASTER_KEY"
		run git check p.properties
		expect_rc "$status"
		expect_no "$CONFLUENT_SECURITY_MASTER_KEY"
		run git textconv p.properties
		expect_err "$why"
		expect_no "$CONFLUENT_SECURITY_MASTER_KEY"
		on p.properties encrypt
		expect_rc 1
	done
	run git check .
	expect_rc 3
}

case_nothing_that_is_shown_drives_a_terminal() {
	local odd
	odd=$(printf 'a\302\2332J\033[2J\342\200\256b\342\201\246c\302\255d\363\240\201\201e\177f')
	printf '%s=%s\nk=%s\n%s.password=CANARY\n' "$odd" "$odd" "$odd" "$odd" >o.properties
	printf '# %s\n' "$odd" >>o.properties
	mkdir -p "d$odd"
	cp o.properties "d$odd/o.properties"
	local command
	for command in 'file show o.properties' 'file show o.properties -o json' \
	    'git textconv o.properties' 'git check .' 'git check . -o json' 'doctor .' \
	    'doctor . -o json' 'audit .' 'audit . -o json' 'audit . -o jsonl' 'audit . -o sarif' \
	    'audit . -o html' 'audit . -o junit' 'file diff o.properties server.properties' \
	    'file verify --local-secrets-file sec.properties . -o json' \
	    'render o.properties --local-secrets-file sec.properties --format json'; do
		# shellcheck disable=SC2086
		run $command
		[ -s "$out" ] || fail "$command says nothing"
		if LC_ALL=C grep -q "$(printf '\302\233\|\033\|\342\200\256\|\342\201\246\|\302\255\|\363\240\|\177')" "$out" "$err"; then
			fail "$command passes it on"
		fi
	done
	run file show o.properties -o json
	python3 -c 'import json, sys
assert json.load(sys.stdin)["entries"][1]["value"] == sys.argv[1]' "$odd" <"$out" ||
	    fail 'JSON gives another value'
}

case_a_value_cut_in_an_editor() {
	printf '%s\n' '#!/bin/sh' 'printf "%s\n" "my.password=" "  CANARY" >>"$1"' >editor.sh
	chmod +x editor.sh
	snapshot
	EDITOR=./editor.sh run edit server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --yes
	expect_rc 1
	expect_err 'the next line is read as another key'
	expect_unchanged
}

case_a_named_key_beside_what_was_cut_is_sealed_and_told() {
	printf 'ssl.key.password=\n  CANARY1\na.token=CANARY2\n' >c.properties
	on c.properties encrypt --config a.token
	expect_rc 0
	expect_err 'c.properties:1: the value ends here, and the next line is read as another key'
	expect_not_in c.properties CANARY2
	printf 'x.jaas=%s password=1CANARY;\n' "$login" >j.properties
	on j.properties encrypt --config "x.jaas/${login% *}/password"
	expect_rc 0
	expect_err 'Kafka cannot read an unquoted value'
}

run_cases "$@"
