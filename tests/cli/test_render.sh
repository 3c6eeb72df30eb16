#!/usr/bin/env bash
# propseal render: the resolved file, or chosen entries in some form.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

# server.properties sealed, before.properties as it was.
sealed() {
	cp server.properties before.properties
	on server.properties encrypt --config ssl.keystore.password,ssl.key.password,sasl.secret
	expect_rc 0
}

render() {
	run render server.properties --local-secrets-file sec.properties "$@"
}

expect_same() {
	cmp -s "$1" "$2" || fail "$1 and $2 differ: $(diff "$1" "$2")"
}

case_sealed_and_rendered_it_is_the_same_file() {
	sealed
	render
	expect_rc 0
	expect_same "$out" before.properties
	[ ! -s "$err" ] || fail "said something"
}

case_other_bytes_are_untouched() {
	printf '# c\r\n! d\n\n\tx.password   CANARY-x\r\ny : \\\n   1\r\nconfig.providers=vault\n' \
	    >server.properties
	sealed2=$(sed 's/CANARY-x/CANARY-x/' server.properties; echo x)
	on server.properties encrypt
	sed -i 's/^# c/# c2/' server.properties
	render
	expect_rc 0
	[ "$(cat "$out"; echo x)" = "${sealed2/\# c/\# c2}" ] || fail "$(diff -a "$out" server.properties)"
}

case_output_goes_to_a_new_file_for_the_owner_only() {
	sealed
	umask 0
	render --output-file clear.properties
	expect_rc 0
	expect_changed 'new clear.properties'
	expect_same clear.properties before.properties
	expect_mode clear.properties 600
	[ ! -e .clear.properties.propseal-tmp ] || fail "a leftover"
}

case_a_file_for_each_value() {
	sealed
	run render server.properties --local-secrets-file sec.properties --dir values
	expect_rc 1
	expect_no CANARY
	mkdir values
	umask 0
	render --dir values
	expect_rc 0
	expect_no CANARY
	expect_err 'new values/ssl.key.password'
	[ "$(ls values)" = $'sasl.secret\nssl.key.password\nssl.keystore.password' ] ||
	    fail "files: $(ls values)"
	for file in values/*; do
		expect_mode "$file" 600
	done
	expect_file values/ssl.key.password CANARY-key
	[ "$(wc -c <values/ssl.key.password)" -eq 10 ] || fail "it has a line end"
	# Again, over them; and chosen ones, plain ones too.
	render --dir values
	expect_rc 0
	rm -r values && mkdir values
	render --dir values --config ssl.key.password,listeners
	expect_rc 0
	[ "$(ls values)" = $'listeners\nssl.key.password' ] || fail "files: $(ls values)"
	expect_rc 0
	render --dir values --config no.such.key
	expect_rc 1
	expect_err no.such.key
	rm values/*
	render --dir values --dry-run
	expect_rc 0
	expect_no CANARY
	[ -z "$(ls values)" ] || fail "files: $(ls values)"
	render --dir values --output-file x
	expect_rc 2
	render --dir values --format env
	expect_rc 2
}

case_no_file_when_one_value_does_not_open() {
	sealed
	mkdir values
	sed -i '/ssl.key.password/s/data:/data:AAAA/' sec.properties
	render --dir values
	[ "$rc" -ne 0 ] || fail "exit status 0"
	expect_no CANARY
	[ -z "$(ls -A values)" ] || fail "files: $(ls -A values)"
}

case_a_key_that_is_no_name_of_a_file() {
	printf 'a/b.password=CANARY-1\nc.password=CANARY-2\n' >server.properties
	on server.properties encrypt
	mkdir values
	render --dir values
	expect_rc 1
	expect_err 'a/b.password'
	[ -z "$(ls -A values)" ] || fail "files: $(ls -A values)"
	render --dir values --config c.password
	expect_rc 0
	expect_file values/c.password CANARY-2
}

case_output_into_an_old_file_keeps_its_mode_with_a_warning() {
	sealed
	echo old >clear.properties
	chmod 644 clear.properties
	render --output-file clear.properties
	expect_rc 0
	expect_err 'others can read clear.properties'
	expect_same clear.properties before.properties
}

case_output_does_not_replace_what_it_is_made_from() {
	sealed
	snapshot
	render --output-file server.properties
	expect_rc 1
	expect_err 'the output would overwrite the configuration file'
	render --output-file ./sec.properties
	expect_rc 1
	expect_no CANARY
	expect_unchanged
}

case_dry_run_writes_nothing() {
	sealed
	snapshot
	render --output-file clear.properties --dry-run
	expect_rc 0
	expect_out '(new file)'
	expect_no CANARY
	render --dry-run
	expect_rc 2
	expect_unchanged
}

case_chosen_keys_are_lines() {
	sealed
	render --config 'ssl.key.password, log.dirs'
	expect_rc 0
	expect_file "$out" 'ssl.key.password=CANARY-key
log.dirs=C:\\data\\new'
	echo ssl.key.password >keys
	render --config @keys
	expect_rc 0
	expect_file "$out" 'ssl.key.password=CANARY-key'
	render --config nope
	expect_rc 1
	expect_err 'server.properties: "nope": this configuration key is not present'
	expect_no CANARY
}

case_json_is_flat() {
	sealed
	render --format json
	expect_rc 0
	expect_json "$out" 'd["ssl.keystore.password"], d["log.dirs"], d["zookeeper.password"]' \
	    "('CANARY-keystore', 'C:\\\\data\\\\new', 'CANARY-zookeeper')"
	expect_json "$out" '[k for k in d if "provider" in k]' '[]'
	render --format json --config sasl.secret
	expect_json "$out" 'd' "{'sasl.secret': 'CANARY-sasl'}"
}

case_env_can_be_read_by_a_shell() {
	sealed
	printf '%s' "odd-key_x=a'b\n\$(touch pwned)\`x\`\\\\" >text
	on server.properties add --config @text
	expect_rc 0
	render --format env
	expect_rc 0
	# shellcheck disable=SC1090
	(
		. "$out"
		# shellcheck disable=SC2153
		[ "$SSL_KEY_PASSWORD" = CANARY-key ] && [ "$LOG_DIRS" = 'C:\data\new' ] &&
		    [ "$ODD___KEY__X" = "a'b
\$(touch pwned)\`x\`\\" ]
	) || fail "not what was sealed"
	[ ! -e pwned ] || fail "a value was run"
}

# What confluent-docker-utils makes of the names (env_to_props).
image_keys() {
	python3 -c 'import re, sys
for line in open(sys.argv[1]):
    name = re.match(r"KAFKA_(\w+)=", line).group(1).lower()
    name = re.sub("(?<=[^_])_(?=[^_])", ".", name)
    print(name.replace("___", "-").replace("__", "_"))' "$out"
}

case_names_are_those_that_the_images_read() {
	printf '%s\n' 'listener.name.sasl_ssl.ssl.keystore.password=two' \
	    'listener.name.internal.scram-sha-512.x=1' 'ssl.key.password=one' 'A.b=3' 'a..b=4' \
	    'c/d=5' >e.properties
	# Nothing refers to a secrets file, and so none is needed.
	run render e.properties --format env --prefix KAFKA_
	expect_rc 0
	expect_out "KAFKA_LISTENER_NAME_SASL__SSL_SSL_KEYSTORE_PASSWORD='two'"
	expect_out "KAFKA_LISTENER_NAME_INTERNAL_SCRAM___SHA___512_X='1'"
	[ "$(image_keys | head -n 3)" = 'listener.name.sasl_ssl.ssl.keystore.password
listener.name.internal.scram-sha-512.x
ssl.key.password' ] || fail "an image reads other keys: $(image_keys)"
	for key in A.b a..b c/d; do
		expect_err "$key is read back as another key"
	done
	[ "$(grep -c 'read back' "$err")" = 3 ] || fail 'more keys are noted'
	run render e.properties --format env
	expect_rc 0
	expect_no 'read back'
	run render e.properties --prefix KAFKA_
	expect_rc 2
	expect_err 'add --format env'
	run render e.properties --format env --prefix 1-
	expect_rc 2
}

case_colliding_names_are_refused() {
	printf 'a.b=1\nA/b=CANARY\n' >server.properties
	render --format env
	expect_rc 1
	expect_err 'server.properties:2: "A/b": two keys get the same name'
	expect_err 'a.b gets it too'
	expect_no CANARY
	render --format env --config a.b
	expect_rc 0
	expect_file "$out" "A_B='1'"
}

case_references_to_other_providers_stay() {
	sealed
	# shellcheck disable=SC2016
	echo 'x=${vault:a:b}' >>server.properties
	render
	expect_rc 0
	expect_out 'x=${vault:a:b}'
	expect_err 'server.properties:12: x refers to another provider'
	render --format json --config x
	expect_rc 0
	expect_err 'x refers to another provider'
}

case_nothing_to_resolve_is_said() {
	cp server.properties before.properties
	render
	expect_rc 0
	expect_same "$out" before.properties
	expect_err 'nothing to resolve'
}

case_json_files_come_back_byte_for_byte() {
	printf '{\n  "name": "c",\n  "config": {"connection.password" : "CANARY \\"q\\"",\n    "n": 5, "x": ["CANARY-1", {"y": null}]}\n}' \
	    >c.json
	cp c.json before.json
	run file encrypt --config-file c.json --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --config 'config.connection\.password,config.x.0'
	expect_rc 0
	expect_not_in c.json CANARY
	run render c.json --local-secrets-file sec.properties
	expect_rc 0
	expect_same "$out" before.json
	run render c.json --local-secrets-file sec.properties --format json \
	    --config 'config.connection\.password'
	expect_rc 0
	expect_json "$out" 'list(d.values())' "['CANARY \"q\"']"
	run render c.json --local-secrets-file sec.properties --config config.x
	expect_rc 1
	expect_err 'this is an object or array'
	expect_no CANARY
}

case_options_inside_jaas_come_back() {
	cat >j.properties <<-'END'
		sasl.jaas.config=a.PlainLoginModule required \
		    username="me" \
		    password="CANARY one; two";
		l.sasl.jaas.config=a.PlainLoginModule required password='CANARY\u00e9';
	END
	cp j.properties before.properties
	on j.properties encrypt
	expect_rc 0
	expect_not_in j.properties CANARY
	run render j.properties --local-secrets-file sec.properties
	expect_rc 0
	sed 's/\\u00E9/\\u00e9/' "$out" >clear.properties
	expect_same clear.properties before.properties
}

case_dangling_and_damaged_fail_without_output() {
	sealed
	cp sec.properties good
	sed -i '/^server.properties\/ssl.key.password/d' sec.properties
	render
	expect_rc 1
	expect_err 'server.properties:5: "ssl.key.password": dangling reference'
	expect_err '  hint: restore the entry server.properties/ssl.key.password in sec.properties'
	[ ! -s "$out" ] || fail "output"
	sed '/^server.properties\/ssl.key.password/s/data:..../data:AAAA/' good >sec.properties
	render --output-file clear.properties
	expect_rc 4
	expect_err 'sec.properties:'
	[ ! -e clear.properties ] || fail "a file was made"
	expect_no CANARY
	# Other keys can still be had.
	render --config sasl.secret
	expect_rc 0
}

case_the_wrong_key_is_refused() {
	sealed
	CONFLUENT_SECURITY_MASTER_KEY=bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU=
	render
	expect_rc 4
	unset CONFLUENT_SECURITY_MASTER_KEY
	render
	expect_rc 1
	expect_err 'no master key'
	render --master-key-file master.key
	expect_rc 0
}

case_usage() {
	run render
	expect_rc 2
	run render server.properties
	expect_rc 0
	seal
	mkdir elsewhere
	mv sec.properties elsewhere
	run render server.properties
	expect_rc 1
	expect_err 'server.properties:4: "ssl.keystore.password": no secrets file is known that lies at /mnt/secrets/secrets.properties'
	expect_err --local-secrets-file
	expect_no CANARY
	mv elsewhere/sec.properties .
	run render server.properties
	expect_rc 0
	expect_out CANARY-key
	run render nowhere.properties --local-secrets-file sec.properties
	expect_rc 1
	run render sec.properties --local-secrets-file sec.properties
	expect_rc 1
	render --format xml
	expect_rc 2
	run render server.properties --local-secrets-file nowhere
	expect_rc 1
	expect_err 'check --local-secrets-file'
	run render --help
	expect_rc 0
	expect_out '--format properties|json|env'
}

case_on_a_terminal_there_is_a_note() {
	sealed
	on_terminal 'clear text on a terminal' '' -- render \
	    server.properties --local-secrets-file sec.properties
	expect_rc 0
	expect_out CANARY-key
}

case_a_full_disk_is_an_error() {
	[ -e /dev/full ] || return 0
	sealed
	"$PROPSEAL" render server.properties --local-secrets-file sec.properties >/dev/full 2>"$err"
	rc=$?
	expect_rc 1
	expect_no CANARY
}

case_no_secret_is_on_the_command_line_or_left_behind() {
	sealed
	render --output-file clear.properties
	rm clear.properties before.properties
	[ "$(find . -mindepth 1 | sort | tr '\n' ' ')" = \
	    './master.key ./pass ./sec.properties ./server.properties ' ] || fail "$(find .)"
}

# With Java at hand: what its reader finds is what it found before.
case_java_reads_the_same() {
	command -v javac >/dev/null || return 0
	cat >R.java <<-'END'
		import java.io.*;
		import java.util.*;
		public class R {
			public static void main(String[] a) throws Exception {
				Properties p = new Properties();
				p.load(new FileInputStream(a[0]));
				for (Map.Entry<Object, Object> e : new TreeMap<>(p).entrySet())
					System.out.println(e);
			}
		}
	END
	javac R.java || return 0
	printf 'a\\u00e9.password=\\u00fc\\t x\\\\\\n y\\\n  z\n\\ b.password=  CANARY \nc.password=\n' \
	    >>server.properties
	printf 'd.password:=\\#\\!:=\ne.password \\ lead\nlast.password=CANARY' >>server.properties
	java R server.properties >before
	on server.properties encrypt
	expect_rc 0
	[ "$(java R server.properties | grep -c securepass:)" -eq 9 ] || fail "not all was sealed"
	render --output-file clear.properties
	expect_rc 0
	java R clear.properties >after
	expect_same before after
}

run_cases "$@"
