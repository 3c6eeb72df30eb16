#!/usr/bin/env bash
# registry serve: what it says about its settings, and how it asks for the master key.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"
unset PROPSEAL_REGISTRY_MASTER_KEY

key=CANARY-of-the-registry

# refused LINE...  A start with these settings is refused.
refused() {
	printf '%s\n' "$@" >conf
	printf '%s\n' "$key" >registry.key
	chmod 600 registry.key
	timeout 10 "$PROPSEAL" registry serve --data data --config conf \
	    --master-key-file registry.key --listen 127.0.0.1:0 >"$out" 2>"$err"
	rc=$?
	[ "$rc" -eq 1 ] || [ "$rc" -eq 2 ] || fail "exit status $rc"
	expect_err '  hint: '
	expect_no 'listening on' CANARY
}

# serve LINE...  Starts with these settings and is ended when it listens.
serve() {
	local i
	printf '%s\n' "$@" >conf
	printf '%s\n' "$key" >registry.key
	chmod 600 registry.key
	: >"$err"
	"$PROPSEAL" registry serve --data data --config conf --master-key-file registry.key \
	    --listen 127.0.0.1:0 >"$out" 2>"$err" &
	for ((i = 0; i < 400; i++)); do
		if grep -q 'listening on' "$err" || ! kill -0 $! 2>/dev/null; then break; fi
		sleep 0.05
	done
	kill $! 2>/dev/null
	wait $!
	rc=$?
	expect_rc 0
	expect_err 'listening on'
}

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	    -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" 2>/dev/null || fail "no certificate"
}

# --- settings ---

case_a_key_that_stands_twice() {
	refused 'audit.keep = 1' '' 'audit.keep = 2'
	expect_err 'conf:3: "audit.keep": '
	expect_err 'line 1'
	[ ! -e data ] || fail "a folder was made"
}

case_a_section_without_its_end() {
	refused '[audit' 'keep = 1'
	expect_err 'conf:1: '
}

case_values_that_cannot_be_taken() {
	refused 'audit.file = ${file:no/such}'
	expect_err 'conf:1: "audit.file": '
	expect_err 'no/such'
	refused '' '[master.encryption]' 'key = ${env:NO_SUCH_VARIABLE}'
	expect_err 'conf:3: "master.encryption.key": '
	expect_err NO_SUCH_VARIABLE
}

case_files_that_settings_name() {
	refused 'audit.file = no/such/audit.log'
	expect_err 'no/such/audit.log: "audit.file": cannot open the audit log: No such file'
	expect_err 'in a folder that is there'
	refused 'auth.jwt.jwks.file = none.json' 'auth.jwt.issuer = a' 'auth.jwt.audience = b'
	expect_err 'none.json: "auth.jwt.jwks.file": there is no such'
	expect_err 'a JSON Web Key Set'
}

case_settings_of_a_store_in_kafka() {
	refused 'kafkastore.topik = a'
	expect_err 'conf:1: "kafkastore.topik": '
	refused 'kafkastore.bootstrap.servers = broker:9092'
	expect_err 'conf:1: "kafkastore.bootstrap.servers": '
	serve 'kafkastore.topic = a' 'kafkastore.sasl.jaas.config = CANARY'
	[ "$(grep -c warning "$err")" -eq 1 ] || fail "not one warning"
	expect_err 'kafkastore.topic and others'
	expect_no CANARY
	serve 'audit.keep = 1'
	expect_no warning
}

# store.log=kafka: what librdkafka has nothing for is refused, and a node that never
# saw the topic does not start without the brokers.  (tests/kafka/log has brokers.)
case_topic_as_the_truth() {
	refused 'store.log = kafka'
	expect_err '"kafkastore.bootstrap.servers": store.log=kafka needs'
	refused 'store.log = kafka' 'kafkastore.bootstrap.servers = 127.0.0.1:1' \
	    'kafkastore.ssl.truststore.location = t.jks'
	if grep -q 'no librdkafka' "$err"; then
		expect_err 'store.log=local'
		return
	fi
	expect_err 'conf:3: "kafkastore.ssl.truststore.location": '
	expect_err 'ssl.truststore.type=PEM'
	refused 'store.log = kafka' 'kafkastore.bootstrap.servers = SASL_PLAINTEXT://127.0.0.1:1' \
	    'kafkastore.init.timeout.ms = 2000' 'kafkastore.sasl.mechanism = PLAIN' \
	    'kafkastore.sasl.username = u' 'kafkastore.sasl.password = CANARY'
	expect_err 'the brokers 127.0.0.1:1 cannot be asked: '
	expect_err 'hint: look at kafkastore.bootstrap.servers'
	expect_no CANARY
}

# What `registry copy` refuses before it needs a broker.
case_copy_without_brokers() {
	serve 'audit.keep = 1'
	printf 'store.log = kafka\nkafkastore.bootstrap.servers = 127.0.0.1:1\n%s\n' \
	    'kafkastore.init.timeout.ms = 1000' >topic
	copy() { run registry copy "$1" --data "$2" --settings topic --master-key-file registry.key; }
	copy elsewhere data
	expect_rc 2
	expect_err 'copy goes to kafka or to local'
	mkdir -m 700 empty
	copy local empty
	expect_err 'empty/registry.db: there is no database'
	copy local data
	grep -q 'no librdkafka' "$err" && return
	expect_err 'the database is not the copy of a topic'
	copy kafka data
	expect_err 'the brokers 127.0.0.1:1 cannot be asked: '
	printf 'audit.keep = 1\n' >topic
	copy kafka data
	expect_err 'store.log=kafka needs'
}

case_files_of_tls() {
	certificate a
	certificate b
	refused 'ssl.certificate = none.pem'
	expect_err 'none.pem: "ssl.certificate": cannot be read: No such file or directory'
	refused 'ssl.certificate = a.pem'
	expect_err 'a.pem: "ssl.certificate": '
	expect_err 'ssl.key not set'
	refused 'ssl.certificate = a.pem' 'ssl.key = none.key'
	expect_err 'none.key: "ssl.key": cannot be read: No such file or directory'
	refused 'ssl.certificate = a.pem' 'ssl.key = b.key'
	expect_err 'b.key: "ssl.key": the key'
	expect_err 'private key that belongs to ssl.certificate'
	refused 'ssl.certificate = a.key' 'ssl.key = a.key'
	expect_err 'a.key: "ssl.'
	refused 'ssl.certificate = a.pem' 'ssl.key = a.key' 'ssl.client.ca = none.pem'
	expect_err 'none.pem: "ssl.client.ca": cannot be read: No such file or directory'
	refused 'ssl.certificate = a.pem' 'ssl.key = a.key' 'ssl.client.ca = b.key'
	expect_err 'b.key: "ssl.client.ca": '
	serve 'ssl.certificate = a.pem' 'ssl.key = a.key' 'ssl.client.ca = b.pem' \
	    'ssl.client.auth = required'
}

case_settings_of_tls_that_would_do_nothing() {
	certificate a
	refused 'ssl.key = a.key'
	expect_err '"ssl.key": '
	refused 'ssl.client.ca = a.pem'
	expect_err '"ssl.client.ca": '
	refused 'ssl.certificate = a.pem' 'ssl.key = a.key' 'ssl.client.auth = required'
	expect_err '"ssl.client.auth=required": '
}

# --- the master key on a terminal ---

serving=(registry serve --data data --listen 127.0.0.1:0)

# typed [EXPECT SEND]... -- "${serving[@]}" FLAG...  serve on a terminal; sets rc.
typed() {
	on_terminal "$@"
	expect_no CANARY
}

case_a_new_registry_asks_twice() {
	typed 'new registry: ' "$key\\n" 'again: ' "$key-\\n" 'not the same' '' \
	    'new registry: ' "$key\\n" 'again: ' "$key\\n" 'listening on' SIGTERM -- "${serving[@]}"
	expect_rc 0
	expect_out 'echo at questions: off off off off on, at the end: on'
	# What was typed is the key.
	serve 'audit.keep = 1'
}

case_a_registry_asks_once_and_again_when_it_is_wrong() {
	serve 'audit.keep = 1'
	typed 'of the registry: ' "$key\\n" 'listening on' SIGTERM -- "${serving[@]}"
	expect_rc 0
	expect_out 'echo at questions: off on, at the end: on'
	typed 'of the registry: ' 'CANARY that is wrong\n' 'of the registry: ' 'short\n' \
	    'of the registry: ' "$key\\n" 'listening on' SIGTERM -- "${serving[@]}"
	expect_rc 0
	typed 'of the registry: ' 'CANARY that is wrong\n' 'of the registry: ' \
	    'CANARY that is wrong\n' 'of the registry: ' 'CANARY that is wrong\n' -- "${serving[@]}"
	expect_rc 4
	expect_no 'listening on'
}

case_verifying_the_audit_log_asks_too() {
	serve 'audit.keep = 1'
	typed 'of the registry: ' "$key\\n" 'is whole' '' -- registry audit verify --data data
	expect_rc 0
	typed 'of the registry: ' 'CANARY that is wrong\n' -- registry audit verify --data data
	expect_rc 4
	expect_no 'is whole'
	run registry audit verify --data data
	expect_rc 1
	expect_err 'no master secret for the registry'
}

case_the_question_can_be_left() {
	typed 'registry: ' 'CANARY\x03' -- "${serving[@]}"
	expect_rc 130
	expect_out 'at the end: on'
	typed 'registry: ' SIGTERM -- "${serving[@]}"
	expect_rc 143
	typed 'registry: ' '\n' -- "${serving[@]}"
	expect_rc 1
	expect_out 'nothing was entered'
	[ ! -e data ] || fail "a folder was made"
}

case_a_key_that_is_there_is_not_asked_for() {
	printf '%s\n' "$key" >registry.key
	chmod 600 registry.key
	typed 'listening on' SIGTERM -- "${serving[@]}" --master-key-file registry.key
	expect_rc 0
	expect_no 'registry: '
	printf '%s = %s\n' master.encryption.key "$key" >conf
	typed 'listening on' SIGTERM -- "${serving[@]}" --settings conf
	expect_rc 0
	PROPSEAL_REGISTRY_MASTER_KEY=$key typed 'listening on' SIGTERM -- "${serving[@]}"
	expect_rc 0
	mv registry.key propseal.registry-key
	CREDENTIALS_DIRECTORY=. typed 'listening on' SIGTERM -- "${serving[@]}"
	expect_rc 0
	typed -- "${serving[@]}" --master-key-file none
	expect_rc 1
	expect_out 'no such file'
}

case_without_a_terminal_it_is_an_error() {
	run registry serve --data data --listen 127.0.0.1:0
	expect_rc 1
	expect_err 'no master secret for the registry'
	expect_err '--master-key-file FILE'
}

# --- the program that serves ---

case_service_is_a_program_of_its_own() {
	local service=${PROPSEAL%/*}/propseal-registryd
	"$service" --version >"$out" || fail 'no version'
	expect_out "propseal-registryd $("$PROPSEAL" --version | cut -d ' ' -f 2)"
	"$service" --help >"$out" || fail 'no help'
	expect_out '  registry serve'
	"$service" serve >"$out" 2>"$err" && fail 'it served without a folder'
	expect_err 'missing: --data'
	"$service" put a b >"$out" 2>"$err" && fail 'it knows put'
	expect_err 'unknown command: put'
	# propseal has none of what only the service needs.
	! ldd "$PROPSEAL" | grep -E 'sqlite|rdkafka' || fail 'propseal loads it'
}

case_missing_service_is_told() {
	[ ! -e /usr/local/libexec/propseal/propseal-registryd ] || return 0
	mkdir alone
	cp "$PROPSEAL" alone/propseal
	alone/propseal registry serve --data data >"$out" 2>"$err" && fail 'it served'
	expect_err 'propseal: propseal-registryd is not installed'
	expect_err 'hint: this command needs it beside propseal, or in /'
	# What talks with a registry elsewhere needs none.
	alone/propseal registry list --url http://127.0.0.1:9 >"$out" 2>"$err" && fail 'an answer'
	expect_err 127.0.0.1:9
}

run_cases "$@"
