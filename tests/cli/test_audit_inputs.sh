#!/usr/bin/env bash
# audit of what is no file of a folder: processes, connectors, a git repository's history.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

audit() {
	run audit "$@"
	expect_no CANARY
}

# --- processes ---

# jvm WORD...  A process that is called java, with these arguments; sets $jvm.
jvm() {
	mkfifo hold.$$ 2>/dev/null
	rm -f ready
	(exec -a /usr/lib/jvm/bin/java bash -c ': >ready; read -r x <hold.'$$ "$@") &
	jvm=$!
	for _ in {1..200}; do
		[ -e ready ] && return
		sleep 0.02
	done
	fail 'the process does not start'
}

case_processes_of_kafka() {
	KAFKA_OPTS='-Djavax.net.ssl.trustStorePassword=CANARY-in-opts' \
	    SASL_PASSWORD='it'"'"'s "CANARY" $in-environment' NOTE=nothing \
	    jvm -cp /opt/kafka/libs/x.jar -Xmx1g -Djavax.net.ssl.keyStorePassword=CANARY-in-argument \
	    kafka.Kafka server.properties --override 'ssl.key.password=CANARY it'"'"'s `one`'
	audit --processes -o json
	kill "$jvm"
	expect_rc 3
	expect_json "$out" "[(f['file'].split('/')[3], f['rule'], f['key'])
	    for f in d['findings'] if f['file'].startswith('/proc/$jvm/')]" \
	    "[('cmdline', 'command-line-secret', 'java#javax.net.ssl.keyStorePassword'), ('cmdline', 'command-line-secret', 'ssl.key.password'), ('environ', 'clear-text-secret', 'SASL_PASSWORD'), ('environ', 'command-line-secret', 'KAFKA_OPTS#javax.net.ssl.trustStorePassword')]"
	# A line is the number of an argument.
	expect_json "$out" "[f['line'] for f in d['findings'] if f['file'] == '/proc/$jvm/cmdline']" '[7, 11]'
	expect_json "$out" "set(f['hint'].split()[0] for f in d['findings'] if f['rule'] == 'clear-text-secret' and '$jvm' in f['file'])" "{'start'}"
	# The key is what the service is started with, and no folder is looked at.
	expect_no "$CONFLUENT_SECURITY_MASTER_KEY" master-key-in-file
	expect_json "$out" "[f['file'] for f in d['findings'] if f['file'][0] != '/']" '[]'
}

case_other_processes_are_none_of_its_business() {
	jvm -Dx.password=CANARY-of-another -cp kafka.Kafka org.example.Main
	audit --processes -o json
	kill "$jvm"
	expect_json "$out" "[f for f in d['findings'] if '/$jvm/' in f['file']]" '[]'
}

case_doctor_looks_at_them_too() {
	mkdir -p root/proc/41
	printf '%s\0' java kafka.Kafka -Dx.password=CANARY-in-argument >root/proc/41/cmdline
	: >root/proc/41/environ
	run doctor --root root . -o json
	expect_rc 3
	expect_no CANARY
	expect_json "$out" "[f['rule'] for f in d['findings'] if f['file'] == 'root/proc/41/cmdline']" \
	    "['command-line-secret']"
}

# --- Connect ---

# worker [TLS]  A server that answers as a Connect worker does; sets $port.
worker() {
	python3 - "$@" >port 2>/dev/null <<-'END' &
		import base64, http.server, json, ssl, sys
		class Worker(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        login = self.headers.get("Authorization")
		        want = "Basic " + base64.b64encode(b"auditor:CANARY-login").decode()
		        status = 401 if "login" in sys.argv and login != want else 200
		        if self.path != "/base/connectors?expand=info":
		            status = 404
		        body = json.dumps({
		            "jdbc": {"info": {"name": "jdbc", "type": "sink", "config": {
		                "connection.password": "CANARY-of-a-connector",
		                "connection.user": "app",
		                "ssl.key.password": "${securepass:/s:jdbc/k}",
		                "sasl.jaas.config": 'M required username="u" password="CANARY-in-jaas-x";'}}},
		            "clean": {"info": {"name": "clean", "config": {"topics": "a"}}}}).encode()
		        open("asked", "a").write(self.command + " " + self.path + "\n")
		        self.send_response(status)
		        self.send_header("Content-Length", str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		    def log_message(self, *a):
		        pass
		server = http.server.HTTPServer(("127.0.0.1", 0), Worker)
		if "tls" in sys.argv:
		    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		    context.load_cert_chain("cert.pem", "key.pem")
		    server.socket = context.wrap_socket(server.socket, server_side=True)
		print(server.server_port, flush=True)
		server.serve_forever()
	END
	server=$!
	trap 'kill "$server" 2>/dev/null' EXIT
	for _ in {1..250}; do
		[ -s port ] && break
		sleep 0.02
	done
	port=$(cat port)
}

connectors="[('clear-text-secret', 'jdbc.info.config.connection\\\\.password'), ('clear-text-secret', 'jdbc.info.config.sasl\\\\.jaas\\\\.config#password')]"

case_connectors_of_a_worker() {
	worker
	audit --connect-url "http://127.0.0.1:$port/base/" -o json
	expect_rc 3
	expect_json "$out" "[(f['rule'], f['key']) for f in d['findings']]" "$connectors"
	expect_json "$out" "set((f['file'], f['form']) for f in d['findings'])" \
	    "{('http://127.0.0.1:$port/base/connectors?expand=info', 'json')}"
	[ "$(cat asked)" = 'GET /base/connectors?expand=info' ] || fail 'it asked for more than one thing'
	expect_out 'PUT /connectors/NAME/config'
	worker=$(python3 -c 'import json, sys
l = [r["locations"][0]["physicalLocation"]["artifactLocation"]
    for r in json.load(open(sys.argv[1]))["runs"][0]["results"]]
print(l[0])' <("$PROPSEAL" audit --connect-url "http://127.0.0.1:$port/base" -o sarif))
	[ "$worker" = "{'uri': 'http://127.0.0.1:$port/base/connectors?expand=info'}" ] ||
		fail "SARIF names $worker"
	kill "$server"
}

# Their references are the worker's to resolve, wherever the export lies.
case_an_export_of_connectors_lacks_no_provider() {
	rm -f ./*.properties
	echo '{"j":{"info":{"config":{"connector.class":"x.Y","a.password":"${vault:p:k}"}}}}' >export.json
	audit export.json -o json
	expect_rc 0
	expect_json "$out" 'd["findings"]' '[]'
}

case_connectors_over_tls_with_a_password() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 \
	    -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	printf 'CANARY-login\n' >login
	worker tls login
	audit --connect-url "https://127.0.0.1:$port/base" --ca cert.pem --connect-user auditor \
	    --connect-password-file login -o json
	expect_rc 3
	expect_json "$out" "[(f['rule'], f['key']) for f in d['findings']]" "$connectors"
	audit --connect-url "https://127.0.0.1:$port/base" --ca cert.pem
	expect_rc 1
	expect_err 'status 401'
	expect_err '--connect-user'
	audit --connect-url "https://127.0.0.1:$port/base"
	expect_rc 1
	audit --connect-url "https://127.0.0.1:$port/base" --ca cert.pem --connect-user auditor
	expect_rc 2
	# What is said of a registry is not for the worker: neither whom to trust nor who we are.
	export PROPSEAL_REGISTRY_CA=cert.pem
	audit --connect-url "https://127.0.0.1:$port/base" --connect-user auditor \
	    --connect-password-file login
	expect_rc 1
	expect_err 'not to be trusted'
	export PROPSEAL_REGISTRY_CERT=gone.pem
	printf '[registry]\ncert-key = gone.key\n' >own.ini
	PROPSEAL_CONFIG=own.ini audit --connect-url "https://127.0.0.1:$port/base" --ca cert.pem \
	    --connect-user auditor --connect-password-file login
	expect_rc 3
	kill "$server"
}

case_a_worker_that_is_none() {
	worker
	audit --connect-url "http://127.0.0.1:$port"
	expect_rc 1
	expect_err 'status 404'
	expect_err 'such as http://localhost:8083'
	kill "$server"
	wait "$server" 2>/dev/null
	audit --connect-url "http://127.0.0.1:$port"
	expect_rc 1
	audit --connect-url http://connect.example:8083
	expect_rc 1
	expect_err '--insecure-http'
	audit --connect-url http://u:CANARY@127.0.0.1/
	expect_rc 2
}

# --- history ---

commit() {
	git add -A
	git -c user.name=x -c user.email=x@y commit -qm "$1"
	commit=$(git rev-parse --short=12 HEAD)
}

case_what_was_committed_once() {
	local first second third merged
	rm -f server.properties sec.properties master.key pass
	git init -q -b main .
	mkdir conf
	printf 'a.password=CANARY-one-long\nb=1\n' >conf/a.properties
	printf 'x.password=CANARY-no-configuration\n' >conf/a.c
	commit first
	first=$commit
	printf '\na.password=CANARY-one-long\nb.password=changeit\n' >conf/a.properties
	echo 'a.password=<to be filled in>' >conf/.env
	ln -s a.properties conf/link.properties
	commit second
	second=$commit
	git checkout -qb side
	echo 'DB_PASSWORD=CANARY-two-long' >conf/.env
	commit side
	third=$commit
	git checkout -q main
	git rm -q conf/a.properties
	commit gone
	git -c user.name=x -c user.email=x@y merge -q --no-commit side 2>/dev/null
	echo 'c.password=CANARY-of-the-merge' >conf/c.properties
	commit merge
	merged=$commit
	git rm -rq conf
	commit empty
	audit . -o json
	expect_rc 0
	audit . --history -o json
	expect_rc 3
	expect_json "$out" '[(f["file"], f["line"], f["rule"], f["key"]) for f in d["findings"]]' \
	    "[('$first:conf/a.properties', 1, 'clear-text-secret', 'a.password'), ('$second:conf/a.properties', 3, 'clear-text-secret', 'b.password'), ('$third:conf/.env', 1, 'clear-text-secret', 'DB_PASSWORD'), ('$merged:conf/c.properties', 1, 'clear-text-secret', 'c.password')]"
	expect_out 'change the secret: who has a clone has it'
	git show "$third:conf/.env" | grep -q CANARY-two || fail 'the place is none of git'
	# A place in it.
	audit conf/.env --history -o json
	expect_rc 1
	mkdir conf && : >conf/.env
	audit conf/.env --history -o json
	expect_rc 3
	expect_json "$out" '[f["key"] for f in d["findings"]]' "['DB_PASSWORD']"
	# What is known is known.
	audit . --history --baseline base --update-baseline
	expect_rc 0
	audit . --history --baseline base
	expect_rc 0
	cd / || exit 1
	audit --history "$suite"/none 2>/dev/null
	expect_rc 1
}

case_history_needs_a_repository() {
	rm -f server.properties
	GIT_CEILING_DIRECTORIES=$PWD audit . --history
	expect_rc 1
	expect_err 'git'
}

# --- logs ---

# logs VALUE...  Seal an estate and make logs with what is in them.
logs() {
	printf 'a.password=CANARY-of-a-log\nb.password=changeit\nc.password=CANARY\nd.secret=long "CANARY" \\\\ %%s\n' >server.properties
	printf 'sasl.jaas.config=a.PlainLoginModule required username="u" password="CANARY-in-a-jaas";\n' >>server.properties
	on server.properties encrypt --config a.password,b.password,c.password,d.secret,sasl.jaas.config
	[ "$rc" -eq 0 ] || fail 'cannot seal'
	mkdir estate logs logs/old
	mv server.properties sec.properties estate
	chmod 600 estate/*
}

case_sealed_values_in_logs() {
	logs
	printf 'INFO starting\n\303\244 password=CANARY-of-a-log, again CANARY-of-a-log\n' >logs/a.log
	printf 'xCANARY-of-a-log CANARY-of-a-logy changeit CANARY long\n' >logs/b.log
	printf 'WARN config = {d=long "CANARY" \\ %%s}\nCANARY-in-a-jaas' >logs/old/c.out
	gzip -c logs/a.log >logs/old/d.log.gz
	ln -s /etc logs/link
	audit estate --logs logs -o json
	expect_rc 3
	expect_json "$out" '[(f["file"], f["line"], f["column"], f["rule"], f["key"], [(r["file"], r["key"]) for r in f["related"]]) for f in d["findings"]]' \
	    "[('logs/a.log', 2, 12, 'sealed-and-clear', 'server.properties/a.password', [('estate/sec.properties', 'server.properties/a.password')]), ('logs/old/c.out', 1, 18, 'sealed-and-clear', 'server.properties/d.secret', [('estate/sec.properties', 'server.properties/d.secret')]), ('logs/old/c.out', 2, 1, 'sealed-and-clear', 'server.properties/sasl.jaas.config', [('estate/sec.properties', 'server.properties/sasl.jaas.config')])]"
	expect_json "$out" 'set(f["hint"] for f in d["findings"])' "{'change the secret, and keep it from being logged'}"
	expect_json "$out" '[u["file"] for u in d["unread"]]' "['logs/old/d.log.gz']"
	for form in human jsonl sarif html junit; do
		audit estate --logs logs -o $form
		expect_rc 3
		expect_out a.log
	done
	rm logs/a.log logs/old/*
	audit estate --logs logs
	expect_rc 0
	# Without a key it says so, and finds nothing.
	printf 'CANARY-of-a-log\n' >logs/a.log
	unset CONFLUENT_SECURITY_MASTER_KEY
	audit estate --logs logs
	expect_rc 0
	expect_out 'no sealed value is open'
	audit estate --logs nowhere
	expect_rc 0
}

# Wherever it is cut while it is read.
case_sealed_values_anywhere_in_a_long_log() {
	logs
	python3 - <<-'END'
		import random
		r = random.Random(7)
		with open('where', 'w') as w:
		    for i in range(60):
		        at = 262144 * r.choice([1, 2]) + r.randrange(-300, 300)
		        text = bytearray(r.choice(b'abc \n') for _ in range(600000))
		        text[at:at + 17] = b' CANARY-of-a-log '
		        line = text.count(b'\n', 0, at + 1) + 1
		        open('logs/%02d.log' % i, 'wb').write(text)
		        w.write('%d %d\n' % (line, at + 1 - text.rfind(b'\n', 0, at + 1)))
	END
	audit estate --logs logs -o json
	expect_json "$out" '"\n".join("%d %d" % (f["line"], f["column"]) for f in d["findings"])' "$(cat where)"
}

# --- .gitignore ---

# Trees and patterns at random: what is left is what git calls untracked.
case_what_gitignore_leaves_out_is_what_git_does() {
	rm -f ./*
	python3 - "$PROPSEAL" <<-'END' || fail 'see above'
		import json, os, random, shutil, subprocess, sys
		r = random.Random(4711)
		names = ['a', 'b', 'ab', 'a.b', 'target', '.x', 'a b', '!n', '#h', 'x*y']
		words = names + ['*', '**', '?', 'a*', '*b', '[ab]', '[!a]', '[^a]', 'a[a-c]', '\\*', 'x\\*y', '\\!n', '\\#h', '*.b', '.*']
		def pattern():
		    p = '/'.join(r.choice(words) for _ in range(r.choice([1, 1, 1, 2, 3])))
		    if r.random() < .3: p = r.choice(['**/', '/', 'a/**/', '**/a/', 'a/']) + p
		    if r.random() < .2: p += r.choice(['/', '/**', '/*', ' ', '\\ ', '\r'])
		    if r.random() < .3: p = '!' + p
		    return p if r.random() > .05 else r.choice(['', '# no', '/', '!', '!/'])
		def folder(path, depth):
		    os.makedirs(path, exist_ok=True)
		    for n in r.sample(names, 5):
		        here = os.path.join(path, n)
		        if depth < 3 and r.random() < .5:
		            folder(here, depth + 1)
		        else:
		            with open(here + '.env' if r.random() < .7 else here, 'w') as f:
		                f.write('#!/bin/sh\nA_PASSWORD=long-enough-CANARY\n')
		    if depth == 0 or r.random() < .5:
		        with open(os.path.join(path, '.gitignore'), 'w') as f:
		            f.write('\n'.join(pattern() for _ in range(r.randrange(1, 7))))
		def found(path, *flags):
		    out = subprocess.run([sys.argv[1], 'audit', path, '-o', 'json', *flags], stdout=subprocess.PIPE).stdout
		    d = json.loads(out)
		    assert d['complete'] and b'CANARY' not in out, d['unread']
		    return {f['file'] for f in d['findings'] if f['rule'] == 'clear-text-secret'}, d
		less = 0
		for i in range(20):
		    folder('t', 0)
		    subprocess.run(['git', 'init', '-q', 't'], check=True)
		    with open('t/.git/info/exclude', 'w') as f: f.write(pattern() + '\n')
		    left = subprocess.run(['git', '-C', 't', 'ls-files', '-zco', '--exclude-standard'],
		        stdout=subprocess.PIPE, check=True).stdout.decode().split('\0')
		    all, _ = found('t')
		    want = all & {'t/' + f for f in left}
		    got, d = found('t', '--gitignore')
		    assert got == want, (i, got ^ want, subprocess.getoutput('cd t; find . -name .gitignore | xargs -d "\n" grep -H ""; cat .git/info/exclude'))
		    less += got != all
		    assert got == all or d['files']['skipped']['gitignore'] > 0
		    # A folder in it has the files above it.
		    for n in sorted(os.listdir('t'))[:2]:
		        part = os.path.join('t', n)
		        if os.path.isdir(part) and n != '.git' and any(f.startswith(part + '/') for f in want):
		            assert found(part, '--gitignore')[0] == {f for f in want if f.startswith(part + '/')}, (i, part)
		    shutil.rmtree('t')
		assert less > 5, less
	END
}

case_gitignore_counts_only_where_it_is_asked_for() {
	rm -f ./*
	mkdir -p repo/conf
	printf '*.env\n' >repo/.gitignore
	echo A_PASSWORD=CANARY-long-enough >repo/conf/a.env
	audit repo -o json
	expect_rc 3
	audit repo --gitignore -o json
	expect_rc 0
	expect_json "$out" 'd["files"]["skipped"]["gitignore"]' 1
	# One that cannot be read leaves nothing out, and is told.
	rm repo/.gitignore
	mkdir repo/.gitignore
	audit repo --gitignore -o json
	expect_rc 3
	expect_json "$out" '[u["file"] for u in d["unread"]], d["complete"]' "(['repo/.gitignore'], False)"
}

run_cases "$@"
