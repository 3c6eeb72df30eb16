#!/usr/bin/env bash
# The client of the Secret Registry: registry put, get, list and so on, and
# references ${secret:...} in render and exec, against registries of this suite.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$suite"' EXIT
for name in URL USER PASSWORD_FILE TOKEN_FILE CA CERT CERT_KEY; do
	unset "PROPSEAL_REGISTRY_$name"
done
unset name PROPSEAL_REGISTRY_MASTER_KEY

# --- the registries ---

# ready URL [CA]: wait for /health/ready, at most 20 s.
ready() {
	python3 - "$@" <<-'END'
		import ssl, sys, time, urllib.request
		context = ssl.create_default_context(cafile=sys.argv[2]) if sys.argv[2:] else None
		if context:
		    context.verify_flags |= ssl.VERIFY_X509_STRICT
		for i in range(400):
		    try:
		        with urllib.request.urlopen(sys.argv[1] + '/health/ready', timeout=5,
		                                    context=context) as answer:
		            sys.exit(answer.status != 200)
		    except OSError:
		        time.sleep(0.05)
		sys.exit('never ready: ' + sys.argv[1])
	END
}

# serve NAME SCHEME LINE...: a registry with these settings; its URL in $url.
serve() {
	local data=$suite/$1 scheme=$2 i
	shift 2
	mkdir -m 700 "$data"
	printf '%s\n' "$@" >"$data.settings"
	printf 'CANARY-of-alice' | "$PROPSEAL" registry user add alice --data "$data"
	printf 'CANARY-of-rob' | "$PROPSEAL" registry user add rob --data "$data"
	"$PROPSEAL" registry role grant SystemAdmin --principal alice --data "$data"
	"$PROPSEAL" registry role grant ResourceOwner --principal rob --path robs --data "$data"
	"$PROPSEAL" registry role grant DeveloperRead --principal rob --path closed --data "$data"
	: >"$data.err"
	"$PROPSEAL" registry serve --data "$data" --listen 127.0.0.1:0 \
	    --config "$data.settings" --master-key-file "$suite/registry.key" \
	    >"$data.out" 2>"$data.err" &
	servers+=($!)
	for ((i = 0; i < 400; i++)); do
		url=$(sed -n "s|^propseal: listening on .*:\([0-9]*\)\$|$scheme://127.0.0.1:\1|p" \
		    "$data.err")
		[ -z "$url" ] || return 0
		sleep 0.05
	done
	cat "$data.err"
	exit 1
}

certificates() {
	python3 - "$suite" <<-'END'
		import subprocess, sys
		folder = sys.argv[1] + '/'


		def openssl(*words):
		    subprocess.run(['openssl', *words], check=True, capture_output=True)


		for ca in ('ca', 'other-ca'):
		    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
		            '-nodes', '-days', '7', '-subj', '/CN=' + ca,
		            '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
		            '-keyout', folder + ca + '.key', '-out', folder + ca + '.pem')
		for name, subject in (('server', 'IP:127.0.0.1'), ('client', 'DNS:client')):
		    open(folder + 'ext', 'w').write('subjectAltName=' + subject +
		        '\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n')
		    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
		            '-subj', '/CN=rob', '-keyout', folder + name + '.key',
		            '-out', folder + name + '.csr')
		    openssl('x509', '-req', '-in', folder + name + '.csr', '-CA', folder + 'ca.pem',
		            '-CAkey', folder + 'ca.key', '-CAcreateserial', '-days', '7',
		            '-extfile', folder + 'ext', '-out', folder + name + '.pem')
	END
}

printf 'CANARY-of-alice\n' >"$suite/alice"
printf 'CANARY-of-rob' >"$suite/rob"
printf 'CANARY-guess' >"$suite/guess"
(umask 077 && head -c 32 /dev/urandom | base64 >"$suite/registry.key")
certificates || { echo "the certificates cannot be made"; exit 1; }
serve first http ''
first=$url
"$PROPSEAL" registry token create --principal alice --data "$suite/first" >"$suite/token" 2>&1
sed -i '/^propseal: note/d' "$suite/token"
serve second http ''
second=$url
serve old http 'rest.compat=mredjem'
old=$url
serve named http 'config.provider.name=vault'
named=$url
serve tls https "ssl.certificate=$suite/server.pem" "ssl.key=$suite/server.key" \
    "ssl.client.ca=$suite/ca.pem" ssl.client.auth=requested
tls=$url
ready "$first" && ready "$second" && ready "$old" && ready "$named" && ready "$tls" "$suite/ca.pem" || exit 1

# --- talking to them ---

# registry COMMAND...  With the first one, as alice.
registry() {
	local command=$1
	shift
	run registry "$command" --url "$first" --user alice --password-file "$suite/alice" "$@"
}

# put VALUE PATH KEY FLAG...
put() {
	local value=$1
	shift
	feed "$value" registry put --url "$first" --user alice --password-file "$suite/alice" "$@"
}

expect_value() {
	registry get "$1" "$2"
	expect_rc 0
	printf %s "$3" | cmp -s - "$out" || fail "another value"
}

expect_versions() {
	registry list "$1" "$2"
	[ "$(tr '\n' ' ' <"$out")" = "$3 " ] || fail "versions: $(tr '\n' ' ' <"$out")"
}

# --- put and get ---

case_put_prints_the_version_and_get_the_value_alone() {
	put CANARY-1 plain password
	expect_rc 0
	expect_file "$out" 'plain password: version 1'
	expect_no CANARY
	put CANARY-2 plain password -o json
	expect_json "$out" 'd["path"], d["key"], d["version"], len(d)' \
	    "('plain', 'password', 2, 3)"
	expect_no CANARY
	expect_value plain password CANARY-2
	registry get plain password 1
	expect_file "$out" CANARY-1
	registry get plain password -o json
	expect_json "$out" 'd["secret"], d["version"], d["path"], d["key"]' \
	    "('CANARY-2', 2, 'plain', 'password')"
	[ ! -s "$err" ] || fail 'something on standard error'
}

case_one_line_end_is_dropped() {
	put $'a\nb\n' lines a
	expect_value lines a $'a\nb'
	put $'a\r\n' lines a
	expect_value lines a a
	put $'a\n\n' lines a
	expect_value lines a $'a\n'
	put $'\r' lines a
	expect_value lines a $'\r'
}

case_a_value_may_be_any_text() {
	local text=$' "quoted\\ \t\x01\x7f ü€😀 %41 ${x:y} '
	put "$text" text any
	expect_rc 0
	expect_value text any "$text"
	printf 'a\0b' >value
	registry put text nul --file value
	expect_rc 0
	registry get text nul
	cmp -s value "$out" || fail 'another value'
	put '' text empty
	expect_rc 0
	expect_value text empty ''
	put $'\n' text empty
	expect_value text empty ''
	head -c 200000 /dev/zero | tr '\0' '"' >value
	registry put text long --file value
	expect_rc 0
	registry get text long
	cmp -s value "$out" || fail 'another value'
}

case_what_is_no_text_is_refused() {
	put $'CANARY\xff' bad utf8
	expect_rc 1
	expect_err 'the value is not UTF-8'
	expect_no CANARY
	put $'\xed\xa0\x80' bad utf8
	expect_rc 1
	registry list bad
	[ ! -s "$out" ] || fail 'something was stored'
	head -c 300000 /dev/zero | tr '\0' x >value
	registry put bad long --file value
	expect_rc 1
	expect_err 'the registry answered 413'
	head -c 2000000 /dev/zero | tr '\0' x >value
	registry put bad long --file value
	expect_rc 1
}

case_put_from_a_file() {
	printf 'CANARY-file\n' >value
	registry put files a --file value
	expect_rc 0
	expect_value files a CANARY-file
	registry put files a --file gone
	expect_rc 1
	expect_err gone
	expect_versions files a 1
}

case_put_on_a_terminal_asks_twice() {
	on_terminal 'Value: ' 'CANARY-typed\n' 'again: ' 'CANARY-typed\n' -- \
	    registry put typed a --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 0
	expect_out 'echo at questions: off off, at the end: on'
	expect_no CANARY
	expect_value typed a CANARY-typed
}

case_get_on_a_terminal_ends_the_line() {
	put CANARY-1 shown a
	on_terminal -- registry get shown a --url "$first" \
	    --user alice --password-file "$suite/alice"
	expect_rc 0
	grep -q $'^CANARY-1\r$' "$out" || fail 'no line of its own'
}

case_check_and_set() {
	put one cas a --cas 0
	expect_rc 0
	put CANARY-two cas a --cas 0
	expect_rc 1
	expect_err 'the registry answered 409'
	expect_err 'registry history'
	expect_no CANARY
	put two cas a --cas 1
	expect_rc 0
	for wrong in x -1 1x '' ' 1' 99999999999; do
		put three cas a --cas="$wrong"
		expect_rc 2
		expect_err '--cas takes the number of a version'
	done
	expect_versions cas a '1 2'
}

case_time_to_live() {
	put CANARY brief a --ttl 1
	expect_rc 0
	put CANARY brief b --ttl 100000
	expect_value brief b CANARY
	registry history brief b
	expect_out ', expires 2'
	gone() {
		registry get brief a
		[ "$rc" -eq 1 ] && grep -q 'answered 404' "$err"
	}
	until_true gone
	put x brief a --ttl 0
	expect_rc 2
	put x brief a --ttl soon
	expect_rc 2
}

case_what_is_not_there() {
	registry get nowhere a
	expect_rc 1
	expect_err 'the registry answered 404'
	expect_err 'registry list shows what is there'
	put x there a
	registry get there b
	expect_rc 1
	registry get there a 2
	expect_rc 1
	registry get there a two
	expect_rc 1
	expect_err 'answered 422'
	registry history there b
	expect_rc 1
	registry list nowhere
	expect_rc 0
	expect_silent
}

case_names_of_every_kind() {
	local path
	for path in 'two words' '100%' '%41' 'jürgen' 'a?b#c&d' 'a+b' "it's \"x\"" '...' -dash; do
		put "CANARY-$path" -- "$path" a.b-c_D
		expect_rc 0
		registry get -- "$path" a.b-c_D
		expect_file "$out" "CANARY-$path"
		registry list --prefix="$path"
		expect_file "$out" "$path"
		python3 - "$path" >c.json <<-'END'
			import json, sys
			name = sys.argv[1]
			print(json.dumps({'name': name, 'config': {'p': '${secret:%s:a.b-c_D}' % name}}))
		END
		registry resolve c.json
		expect_json "$out" 'd["config"]["p"]' "CANARY-$path"
		registry delete --yes -- "$path" a.b-c_D 1
		expect_rc 0
	done
}

case_names_that_a_registry_refuses() {
	local path
	for path in a/b a:b 'a}' 'a*' . .. ' a' $'a\tb' $'a\x1b[31m' $'\xff'; do
		put CANARY -- "$path" key
		expect_rc 1
		expect_err 'the registry answered 4'
		expect_no CANARY $'\x1b'
	done
	put CANARY conn 'a b'
	expect_rc 1
	expect_err 'answered 422'
}

case_empty_names_never_reach_the_registry() {
	put x full a
	registry delete full '' --yes
	expect_rc 2
	expect_err 'argument 2 is empty'
	registry delete '' --yes
	expect_rc 2
	registry delete full a '' --yes
	expect_rc 2
	put x '' a
	expect_rc 2
	expect_versions full a 1
}

# --- lists ---

case_lists_of_three_levels() {
	put x list-a one
	put x list-a two
	put x list-a two
	put x list-b one
	registry list --prefix list-
	expect_file "$out" $'list-a\nlist-b'
	registry list --prefix list-b -o json
	expect_json "$out" d "['list-b']"
	registry list --prefix 'list-%'
	expect_rc 0
	expect_silent
	registry list
	expect_out list-a
	registry list list-a
	expect_file "$out" $'one\ntwo'
	registry list list-a two
	expect_file "$out" $'1\n2'
	registry list list-a two -o json
	expect_json "$out" d '[1, 2]'
	registry list list-a --prefix o
	expect_rc 2
	expect_err '--prefix is for the list of paths'
}

case_history_tells_who_and_when() {
	put CANARY-1 told a
	put CANARY-2 told a
	registry delete told a 1 --yes
	registry history told a
	expect_rc 0
	[ "$(wc -l <"$out")" -eq 2 ] || fail 'not two versions'
	grep -q '^ *1  deleted .* created 2.* by .*alice, deleted 2.* by .*alice' "$out" ||
	    fail 'version 1'
	grep -q '^ *2  live .* created 2.* by .*alice$' "$out" || fail 'version 2'
	expect_no CANARY
	registry history told a -o json
	expect_json "$out" '[v["state"] for v in d["versions"]]' "['deleted', 'live']"
}

# --- delete ---

case_delete_and_undelete() {
	put CANARY-1 del a
	put CANARY-2 del a
	put CANARY-3 del b
	registry delete del a 2 --yes
	expect_rc 0
	expect_value del a CANARY-1
	registry undelete del a 2
	expect_rc 0
	expect_err 'version 2 is there, not deleted'
	expect_value del a CANARY-2
	# One that was not deleted did not come back.
	registry undelete del a 1
	expect_rc 0
	expect_err 'version 1 is there, not deleted'
	registry delete del a --yes
	expect_rc 0
	registry list del
	expect_file "$out" b
	registry delete del --yes
	expect_rc 0
	registry list del
	[ ! -s "$out" ] || fail 'keys are left'
	registry undelete del b 1
	expect_value del b CANARY-3
	registry delete nowhere --yes
	registry undelete del a 7
	expect_rc 1
	expect_err 'the registry answered 404'
}

case_what_is_destroyed_is_gone() {
	put CANARY-1 des a
	put CANARY-2 des a
	registry delete des a 1 --destroy --yes
	expect_rc 0
	expect_err destroyed
	registry undelete des a 1
	expect_rc 1
	expect_err 'the registry answered 409'
	registry delete des a --destroy --yes
	expect_rc 2
	expect_err 'one version at a time'
	expect_value des a CANARY-2
}

case_delete_asks() {
	put x ask a
	registry delete ask a 1
	expect_rc 2
	expect_err '--yes deletes without a question'
	expect_versions ask a 1
	local word status
	for word in 'n 1' 'y 0'; do
		on_terminal 'Delete version 1 of ask a? [y/N] ' "${word% *}\\n" -- \
		    registry delete ask a 1 --url "$first" --user alice \
		    --password-file "$suite/alice"
		expect_rc "${word#* }"
	done
	registry list ask a
	[ ! -s "$out" ] || fail 'it is still there'
	put x ask a
	on_terminal 'Destroy for good version 2 of ask a? [y/N] ' '\n' -- \
	    registry delete ask a 2 --destroy --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 1
	expect_versions ask a 2
}

# --- rotation ---

case_rotate_seals_every_secret_again() {
	put CANARY-1 turn a
	registry rotate
	expect_rc 0
	expect_err 'sealed with a new data key'
	expect_value turn a CANARY-1
	registry rotate -o json
	expect_rc 0
	expect_json "$out" 'd["running"], d["done"] == d["total"] > 0' '(False, True)'
	on_terminal 'records sealed again' '' -- registry rotate \
	    --url "$first" --user alice --password-file "$suite/alice"
	expect_rc 0
	expect_value turn a CANARY-1
	run registry rotate --url "$first" --user rob --password-file "$suite/rob"
	expect_rc 1
	expect_err 'the registry answered 403'
}

# --- backup ---

case_backup_makes_a_copy_that_is_a_registry() {
	put CANARY-1 saved a
	registry backup copy.db
	expect_rc 0
	expect_err backups/copy.db
	registry backup copy.db
	expect_rc 1
	expect_err 'the registry answered 409'
	registry backup -o json
	expect_rc 0
	expect_json "$out" 'd["file"].startswith("registry-2")' True
	head -c 15 "$suite/first/backups/copy.db" | grep -q 'SQLite format 3' || fail 'no database'
	run registry backup --url "$first" --user rob --password-file "$suite/rob"
	expect_rc 1
	expect_err 'the registry answered 403'
}

# --- export and import ---

into_second() {
	run registry "$@" --url "$second" --user alice --password-file "$suite/alice"
}

case_export_and_import_keep_every_version() {
	local text=$'CANARY "\\\n\tü'
	put "$text" 'move me' a
	put CANARY-2 'move me' a
	put CANARY-gone 'move me' a
	registry delete 'move me' a 3 --yes
	put CANARY-4 'move me' a
	registry export --output-file export.json
	expect_rc 0
	expect_err 'every value in clear text'
	expect_no CANARY
	expect_mode export.json 600
	grep '"move me"' export.json >part.json
	expect_not_in export.json CANARY-gone
	python3 - <<-'END' || fail 'another export'
		import json
		all = [json.loads(line) for line in open('part.json')]
		assert [(s['path'], s['key'], s['version'], s['secret']) for s in all] == [
		    ('move me', 'a', 1, 'CANARY "\\\n\t\u00fc'), ('move me', 'a', 2, 'CANARY-2'),
		    ('move me', 'a', 4, 'CANARY-4')], all
	END
	chmod 600 part.json
	into_second import --from part.json
	expect_rc 0
	expect_err '3 versions are imported'
	into_second import --from part.json
	expect_rc 0
	into_second list 'move me' a
	expect_file "$out" $'1\n2\n3'
	into_second get 'move me' a 1
	printf %s "$text" | cmp -s - "$out" || fail 'another value'
	into_second get 'move me' a
	expect_file "$out" CANARY-4
}

# What a registry knows of a key, without what is its own affair.
known_of() {
	python3 - "$1" <<-'END'
		import base64, json, sys, urllib.request
		login = 'Basic ' + base64.b64encode(b'alice:CANARY-of-alice').decode()
		request = urllib.request.Request(
		    sys.argv[1] + '/secret/paths/dated/keys/k/metadata', headers={'Authorization': login})
		found = json.load(urllib.request.urlopen(request))
		print(json.dumps([found['metadata'], [[v['createdAt'], v['expiresAt'], v['state']]
		                  for v in found['versions']]]))
	END
}

case_export_and_import_keep_dates_and_metadata() {
	python3 - "$first" <<-'END' || fail 'cannot store'
		import base64, json, sys, urllib.request
		login = 'Basic ' + base64.b64encode(b'alice:CANARY-of-alice').decode()
		for body in ({'secret': 'CANARY-1'}, {'secret': 'CANARY-2', 'ttl': 3600},
		             {'secret': 'CANARY-3', 'metadata': {'team': 'a "b"', 'n': ''}}):
		    urllib.request.urlopen(urllib.request.Request(
		        sys.argv[1] + '/secret/paths/dated/keys/k/versions', json.dumps(body).encode(),
		        {'Authorization': login, 'Content-Type': 'application/json'}))
	END
	registry export --output-file dated.json
	expect_rc 0
	grep '"dated"' dated.json >part.json
	chmod 600 part.json
	sleep 1.1
	into_second import --from part.json
	expect_rc 0
	[ "$(known_of "$first")" = "$(known_of "$second")" ] ||
	    fail "$(known_of "$first")" "$(known_of "$second")"
	into_second import --from part.json
	expect_rc 0
	into_second list dated k
	expect_file "$out" $'1\n2\n3'
}

case_export_never_writes_over_a_file() {
	put x over a
	printf mine >export.json
	registry export --output-file export.json
	expect_rc 1
	expect_err 'the file is there already'
	expect_err 'hint: give another name'
	expect_file export.json mine
	registry export --output-file -
	expect_rc 0
	expect_out '"path":"over"'
	registry export
	expect_rc 2
}

case_export_says_what_may_not_be_read() {
	put CANARY-closed closed a
	run registry export --output-file - --url "$first" --user rob --password-file "$suite/rob"
	expect_rc 0
	expect_err '1 keys are left out'
	expect_no CANARY
}

case_an_import_goes_on_where_it_ended() {
	printf '%s\n' '{"path":"again","key":"a","version":1,"secret":"CANARY-1"}' \
	    '{"path":"again","key":"a","version":2,"secret":"CANARY-2"}' \
	    '{"path":"again","key":"","version":1,"secret":"CANARY-3"}' >export.json
	into_second import --from export.json
	expect_rc 1
	expect_err 'export.json:3'
	expect_err 'run it again to go on'
	expect_no CANARY
	sed -i 's/"key":""/"key":"b"/' export.json
	into_second import --from export.json
	expect_rc 0
	into_second list again a
	expect_file "$out" $'1\n2'
	# Another value as the same version is not passed over silently.
	printf '%s\n' '{"path":"again","key":"a","version":2,"secret":"CANARY-9"}' >export.json
	into_second import --from export.json
	expect_rc 1
	expect_err 'export.json:1'
	expect_err 'put this one by hand'
	expect_no CANARY
}

case_bad_exports_are_refused() {
	local line
	for line in 'CANARY' '[]' '{"path":"p","key":"k","version":1}' \
	    '{"path":"p","key":"k","secret":"CANARY"}' \
	    '{"path":"p\u0000q","key":"k","version":1,"secret":"CANARY"}' \
	    '{"path":"p","key":"k","version":1,"secret":7}'; do
		printf '\n%s\n' "$line" >export.json
		into_second import --from export.json
		expect_rc 1
		expect_err 'export.json:2'
		expect_no CANARY
	done
	into_second import --from gone.json
	expect_rc 1
	into_second import
	expect_rc 2
}

case_import_from_a_running_registry() {
	local kind from
	for kind in first old; do
		from=${!kind}
		feed CANARY-1 registry put "from $kind%" a --url "$from" --user alice \
		    --password-file "$suite/alice"
		feed CANARY-2 registry put "from $kind%" a --url "$from" --user alice \
		    --password-file "$suite/alice"
		expect_rc 0
		expect_out "from $kind% a: version 2"
		feed CANARY-closed registry put closed a --url "$from" --user alice \
		    --password-file "$suite/alice"
		feed CANARY-rob registry put robs "$kind" --url "$from" --user alice \
		    --password-file "$suite/alice"
		# What rob sees of it, then all.
		into_second import --from "$from" --from-user rob --from-password-file "$suite/rob"
		expect_rc 0
		expect_err 'keys are left out'
		into_second get robs "$kind"
		expect_file "$out" CANARY-rob
	done
	for kind in first old; do
		into_second import --from "${!kind}" --from-user alice \
		    --from-password-file "$suite/alice"
		# Both have a path `closed`, with the same value.
		expect_rc 0
		expect_no CANARY
	done
	into_second import --from "$first" --from-token-file "$suite/token"
	expect_rc 0
	for kind in first old; do
		into_second list "from $kind%" a
		expect_file "$out" $'1\n2'
		into_second get "from $kind%" a 1
		expect_file "$out" CANARY-1
	done
	into_second import --from "$first"
	expect_rc 1
	expect_err 'the registry answered 401'
	into_second import --from http://registry.invalid
	expect_rc 1
	expect_err --insecure-http
}

# --- references of connectors ---

case_validate_and_resolve_a_connector() {
	put CANARY-1 sink password
	printf '%s' '{"name":"sink","config":{"a":"x${secret:sink:password}y","n":1}}' >good.json
	registry validate good.json
	expect_rc 0
	expect_err 'every reference is good'
	registry validate good.json -o json
	expect_json "$out" 'd["valid"], d["references"]' '(True, 1)'
	registry resolve good.json
	expect_rc 0
	expect_json "$out" 'd["config"]["a"], d["config"]["n"], d["name"]' \
	    "('xCANARY-1y', 1, 'sink')"
	printf '%s\n' '# kept' 'name=sink' 'a = x${secret:sink:password}y' 'b=\u00e9' >good.properties
	registry validate good.properties
	expect_rc 0
	expect_err 'every reference is good'
	registry resolve good.properties
	expect_json "$out" 'd["a"], d["b"]' "('xCANARY-1y', 'é')"
	echo 'b=${secret:sink:gone}' >>good.properties
	registry validate good.properties
	expect_rc 3
	expect_err good.properties
	printf '%s' '{"name":"sink","config":{"a":"${secret:sink:password}"}}' |
	    "$PROPSEAL" registry validate - --url "$first" --user alice \
	    --password-file "$suite/alice" >"$out" 2>"$err"
	rc=$?
	expect_rc 0
	printf '%s' '{"name":"sink","a":"${secret:other:password}","b":"${secret:sink:gone}"}' \
	    >bad.json
	registry validate bad.json
	expect_rc 3
	expect_err bad.json
	expect_err 'the registry answered 400'
	expect_err gone
	expect_no CANARY
	registry resolve bad.json -o json
	expect_rc 1
	expect_json "$err" 'd["error"]["file"], d["error"]["exit"]' "('bad.json', 1)"
	expect_no CANARY
}

case_the_name_of_a_connector() {
	put CANARY-1 sink password
	printf '%s' ' {"a":"${secret:sink:password}"}' >noname.json
	registry validate noname.json
	expect_rc 1
	expect_err 'give --connector NAME'
	registry validate noname.json --connector sink
	expect_rc 0
	registry resolve noname.json --connector sink
	expect_json "$out" 'd["a"], d["name"]' "('CANARY-1', 'sink')"
	registry validate noname.json --connector other
	expect_rc 3
	printf '{}' >empty.json
	registry validate empty.json --connector 'si"nk'
	expect_rc 0
	printf '{"config":{"name":"sink","a":"${secret:sink:password}"}}' >inner.json
	registry validate inner.json
	expect_rc 0
	registry validate inner.json --connector other
	expect_rc 3
	printf '[]' >array.json
	registry validate array.json --connector sink
	expect_rc 1
	expect_err 'no JSON object'
	printf '{\n"a":' >cut.json
	registry validate cut.json
	expect_err cut.json:2
	registry validate gone.json
	expect_rc 1
	expect_err gone.json
}

# --- render and exec ---

# with_registry COMMAND...: as alice, by the environment.
with_registry() {
	export PROPSEAL_REGISTRY_URL=$first PROPSEAL_REGISTRY_USER=alice
	export PROPSEAL_REGISTRY_PASSWORD_FILE=$suite/alice
	run "$@"
}

case_render_resolves_references_to_a_registry() {
	put $'CANARY-1\nü' 'my conn' password
	printf '%s\n' 'a=${secret:my conn:password}' 'b=x${secret:my conn:password}y' \
	    'c=${env:HOME}' '# kept' >c.properties
	run render c.properties --url "$first" --user alice --password-file "$suite/alice"
	expect_rc 0
	expect_in "$out" 'a=CANARY-1\n\u00FC'
	expect_in "$out" 'b=xCANARY-1\n\u00FCy'
	expect_in "$out" 'c=${env:HOME}'
	expect_in "$out" '# kept'
	expect_err 'c.properties:3: c refers to another provider'
	run render c.properties --url "$first" --user alice --password-file "$suite/alice" \
	    --output-file made.properties
	expect_rc 0
	expect_mode made.properties 600
	expect_in made.properties CANARY-1
	printf 'before\n' >made.properties
	run render c.properties --url "$first" --user alice --password-file "$suite/alice" \
	    --output-file made.properties --dry-run
	expect_rc 0
	expect_no CANARY
	expect_file made.properties before
	run render c.properties --url "$first" --user alice --password-file "$suite/alice" \
	    --output-file made.properties
	expect_rc 0
	expect_in made.properties CANARY-1
	run render c.properties --url "$first" --user alice --password-file "$suite/alice" \
	    --output-file c.properties
	expect_rc 1
	expect_err 'would overwrite the configuration file'
	run render c.properties --url "$first" --token-file "$suite/token" --format json --config a
	expect_json "$out" 'd["a"]' $'CANARY-1\nü'
	run render c.properties
	expect_rc 0
	expect_err 'c.properties:1: a refers to another provider'
	run render c.properties --local-secrets-file sec.properties
	expect_rc 0
	expect_in "$out" 'a=${secret:my conn:password}'
	expect_no CANARY
}

# A worker's login may have references resolved, and may not read values as such.
case_render_as_a_connect_worker() {
	local i
	"$PROPSEAL" registry role grant ConnectWorker --principal w --path wpath \
	    --data "$suite/first"
	"$PROPSEAL" registry token create --principal w --data "$suite/first" >w.token 2>w.err
	put $'CANARY-1\nü' wpath password
	put CANARY-2 wpath user
	printf '%s\n' 'a=${secret:wpath:password}' 'b=${secret:wpath:user}' >c.properties
	for ((i = 0; i < 100; i++)); do	# until the service has seen the role
		run render c.properties --url "$first" --token-file w.token
		[ "$rc" -ne 0 ] || break
		sleep 0.1
	done
	expect_rc 0
	expect_in "$out" 'a=CANARY-1\n\u00FC'
	expect_in "$out" 'b=CANARY-2'
	run registry get wpath password --url "$first" --token-file w.token
	expect_rc 1
	expect_no CANARY
	printf '%s\n' 'a=${secret:wpath:none}' >c.properties
	run render c.properties --url "$first" --token-file w.token
	expect_rc 1
	expect_err '${secret:wpath:none}'
	put CANARY-3 another password
	printf '%s\n' 'a=${secret:another:password}' >c.properties
	run render c.properties --url "$first" --token-file w.token
	expect_rc 1
	expect_no CANARY
}

# A registry whose provider has another name gives the reference back as it is.
case_render_takes_no_reference_for_a_value() {
	"$PROPSEAL" registry role grant ConnectWorker --principal w --path wpath \
	    --data "$suite/named"
	"$PROPSEAL" registry token create --principal w --data "$suite/named" >w.token 2>w.err
	printf CANARY-1 | "$PROPSEAL" registry put wpath password --url "$named" --user alice \
	    --password-file "$suite/alice" >put.out 2>&1
	printf '%s\n' 'a=${secret:wpath:password}' >c.properties
	run render c.properties --url "$named" --token-file w.token
	expect_rc 1
	expect_err '${secret:wpath:password}: the registry does not resolve it'
	[ ! -s "$out" ] || fail 'something is rendered'
	rm -rf d
	mkdir d
	run render c.properties --dir d --url "$named" --token-file w.token
	expect_rc 1
	[ -z "$(ls d)" ] || fail 'something is rendered'
	run render c.properties --url "$named" --user alice --password-file "$suite/alice"
	expect_rc 0
	expect_in "$out" 'a=CANARY-1'
}

case_render_resolves_both_kinds_of_references() {
	put CANARY-there both password
	on server.properties encrypt --config ssl.key.password
	printf '%s\n' 'there=${secret:both:password}' >>server.properties
	with_registry render server.properties --local-secrets-file sec.properties \
	    --master-key-file master.key
	expect_rc 0
	expect_out 'ssl.key.password = CANARY-key'
	expect_out 'there=CANARY-there'
	rm sec.properties
	with_registry render server.properties
	expect_rc 1
	expect_err 'or give --local-secrets-file'
	expect_no CANARY-key CANARY-there
}

case_an_unknown_key_is_named_with_its_line() {
	printf '%s\n' '' 'x=1' 'password=${secret:nowhere:gone}' >c.properties
	with_registry render c.properties
	expect_rc 1
	expect_err 'propseal: c.properties:3: "password": ${secret:nowhere:gone}: the registry answered 404'
	with_registry render c.properties --local-secrets-file sec.properties
	expect_rc 1
	expect_err 'propseal: c.properties:3: "password": ${secret:nowhere:gone}: the registry answered 404'
	with_registry render c.properties -o json
	expect_json "$err" 'd["error"]["file"], d["error"]["line"], d["error"]["key"]' \
	    "('c.properties', 3, 'password')"
	with_registry exec --config-file c.properties -- cat {}
	expect_rc 125
	expect_err 'c.properties:3: "password"'
	printf '%s\n' 'password=${secret:gone}' >c.properties
	with_registry render c.properties
	expect_rc 1
	expect_err 'c.properties:1: "password": a registry'
	V='${secret:nowhere:gone}' with_registry exec -- true
	expect_rc 125
	expect_err 'the environment: "V": ${secret:nowhere:gone}: the registry answered 404'
}

case_exec_resolves_references_to_a_registry() {
	put CANARY-run run password
	printf '%s\n' 'a=${secret:run:password}' >c.properties
	with_registry exec --config-file c.properties --env VALUE=a -- sh -c 'cat "$1"; echo $VALUE' x {}
	expect_rc 0
	expect_file "$out" $'a=CANARY-run\nCANARY-run'
	V='<${secret:run:password}>' with_registry exec -- printenv V
	expect_file "$out" '<CANARY-run>'
	V='${secret:run:password}' with_registry exec -- cat /proc/self/cmdline
	expect_no CANARY
	# Without a registry they are the command's business.
	unset "${!PROPSEAL_REGISTRY_@}"
	V='${secret:run:password}' run exec -- printenv V
	expect_file "$out" '${secret:run:password}'
	# A broken pipe of the command is its own, whatever the client does with signals.
	V='${secret:run:password}' with_registry exec -- python3 -c \
	    'import signal; print(signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN or
	    signal.SIGPIPE in signal.pthread_sigmask(signal.SIG_BLOCK, []))'
	V='${secret:run:password}' with_registry exec -- grep -E 'Sig(Blk|Ign)' /proc/self/status
	grep -E 'Sig(Blk|Ign)' /proc/self/status >signals || fail 'no status'
	cmp -s "$out" signals || fail 'other signals are off than for a command without exec'
}

case_exec_resolves_both_kinds_of_references() {
	put CANARY-there both password
	on server.properties encrypt --config ssl.key.password
	sed -i "s|$remote|$PWD/sec.properties|" server.properties
	printf '%s\n' 'there=${secret:both:password}' >>server.properties
	with_registry exec --config-file server.properties --env A=ssl.key.password --env B=there -- \
	    sh -c 'echo $A $B'
	expect_rc 0
	expect_file "$out" 'CANARY-key CANARY-there'
}

case_a_registry_is_asked_only_if_it_is_needed() {
	printf 'a=1\n' >c.properties
	run render c.properties --url http://127.0.0.1:1
	expect_rc 0
	expect_out a=1
	run exec --url http://127.0.0.1:1 -- echo fine
	expect_rc 0
	printf 'a=${secret:x:y}\n' >c.properties
	run render c.properties --url http://127.0.0.1:1
	expect_rc 1
	expect_err 'http://127.0.0.1:1: cannot connect: Connection refused'
	run exec --url http://127.0.0.1:1 --config-file c.properties -- cat {}
	expect_rc 125
}

# --- who, and where ---

case_a_registry_that_is_not_there() {
	run registry list --url http://127.0.0.1:1
	expect_rc 1
	expect_err 'http://127.0.0.1:1: cannot connect: Connection refused'
	run registry list --url http://127.0.0.1:1 -o json
	expect_json "$err" 'd["error"]["code"], d["error"]["file"]' "('io', 'http://127.0.0.1:1')"
	run registry list --url https://registry.invalid
	expect_rc 1
	expect_err 'https://registry.invalid: cannot connect: '
	run registry list --url nonsense
	expect_rc 2
	expect_err 'begins neither with'
	run registry list --url http://alice:CANARY@127.0.0.1
	expect_rc 2
	expect_err 'say it by --user'
	expect_no CANARY
}

# A server that gives one answer after the other, whatever it is asked; its port gets into ./port.
# Its end is waited for by `wait "$answering"`: in a suite with services of its own a
# bare wait of bash 5.3 turns for ever.
answer_with() {
	python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
s.settimeout(30)
print(s.getsockname()[1], flush=True)
for answer in sys.argv[1:]:
    c = s.accept()[0]
    c.recv(65536)
    c.sendall(answer.encode().decode("unicode_escape").encode("latin-1"))
    c.close()
' "$@" >port &
	answering=$!
	until_true grep -q . port
}

case_what_answers_is_no_registry() {
	answer_with 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>' \
	    'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n' \
	    'nonsense\r\n\r\n' '' 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["x' \
	    'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'
	run registry list --url "http://127.0.0.1:$(cat port)"
	expect_rc 1
	expect_err 'is the URL that of a Secret Registry?'
	run registry list --url "http://127.0.0.1:$(cat port)"
	expect_rc 1
	expect_err 'the registry answered 302'
	for _ in 1 2 3; do
		run registry list --url "http://127.0.0.1:$(cat port)"
		expect_rc 1
		expect_err "http://127.0.0.1:$(cat port): "
		[ ! -s "$out" ] || fail 'something on standard output'
	done
	run registry list --url "http://127.0.0.1:$(cat port)"
	expect_rc 1
	expect_err 'the registry answered 500'
	wait "$answering"
}

case_where_to_look_for_what_may_have_been_done() {
	local late='HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n' login
	login=(--user alice --password-file "$suite/alice")
	answer_with "$late" "$late" "$late"
	login+=(--url "http://127.0.0.1:$(cat port)")
	feed '{}' registry role define Reader "${login[@]}"
	expect_rc 1
	expect_err 'it may have been done: look with `propseal registry role show`'
	run registry role remove Reader "${login[@]}"
	expect_rc 1
	expect_err 'it may have been done: look with `propseal registry role show`'
	run registry role grant Reader --principal rob "${login[@]}"
	expect_rc 1
	expect_err 'it may have been done: look with `propseal registry role list`'
	wait "$answering"
}

case_what_roles_are_told_drives_no_terminal() {
	python3 -c '
import socket
body = rb"""{"roles":{"A\u001b[2J":{"scope":["\u009bx",5],"operations":["\u202eY"]}}}"""
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
c.recv(65536)
c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
c.close()
' >port &
	answering=$!
	until_true grep -q . port
	run registry role show --url "http://127.0.0.1:$(cat port)" --user alice \
	    --password-file "$suite/alice"
	expect_rc 0
	expect_file "$out" 'A\x1b[2J         (\u{009b}x -) \u{202e}Y'
	wait "$answering"
}

case_a_wrong_password_and_a_missing_right() {
	run registry list --url "$first"
	expect_rc 1
	expect_err 'the registry answered 401'
	expect_err '--password-file'
	run registry list --url "$first" --user alice --password-file "$suite/guess"
	expect_rc 1
	expect_err 'the registry answered 401'
	expect_no CANARY
	put x conn password
	run registry get conn password --url "$first" --user rob --password-file "$suite/rob" -o json
	expect_rc 1
	expect_json "$err" '"403" in d["error"]["text"], "role grant" in d["error"]["hint"]' \
	    '(True, True)'
	run registry list --url "$first" --user alice:x --password-file "$suite/alice"
	expect_rc 2
	run registry list --url "$first" --user alice
	expect_rc 2
	expect_err '--password-file FILE'
	run registry list --url "$first" --user alice --password-file gone
	expect_rc 1
	expect_err gone
}

case_a_password_is_asked_for() {
	on_terminal 'Password of alice: ' 'CANARY-of-alice\n' -- \
	    registry list --prefix nothing --url "$first" --user alice
	expect_rc 0
	expect_out 'echo at questions: off, at the end: on'
	expect_no CANARY
	put CANARY-1 asked a
	printf '%s\n' 'a=${secret:asked:a}' >c.properties
	on_terminal 'Password of alice: ' 'CANARY-of-alice\n' -- \
	    render c.properties --url "$first" --user alice \
	    --output-file made
	expect_rc 0
	expect_file made a=CANARY-1
}

case_tokens() {
	run registry list --prefix nothing --url "$first" --token-file "$suite/token"
	expect_rc 0
	PROPSEAL_REGISTRY_TOKEN_FILE=$suite/token run registry list --url "$first"
	expect_rc 0
	# A user on the command line goes before it.
	PROPSEAL_REGISTRY_TOKEN_FILE=$suite/token run registry list --url "$first" --user alice \
	    --password-file "$suite/guess"
	expect_rc 1
	: >empty
	run registry list --url "$first" --token-file empty
	expect_rc 1
	expect_err 'empty: this is no token'
	printf 'CANARY\r\nX-Header: 1\n' >bad
	run registry list --url "$first" --token-file bad
	expect_rc 1
	expect_err 'bad: this is no token'
	expect_no CANARY
}

case_the_environment_says_what_flags_do_not() {
	with_registry registry list --prefix nothing
	expect_rc 0
	PROPSEAL_REGISTRY_URL=http://127.0.0.1:1 run registry list --url "$first" \
	    --token-file "$suite/token" --prefix nothing
	expect_rc 0
	# Of two that name a registry the stronger one gets no login of the other's.
	PROPSEAL_REGISTRY_TOKEN_FILE=$suite/token with_registry registry list --url "$second"
	expect_rc 1
	expect_err 'the registry answered 401'
	with_registry registry list --prefix nothing --url "$first"
	expect_rc 0
}

# What stands beside one user is not sent under the name of another: rob's login with alice's
# password would be answered with 401, and is not tried.
case_a_password_goes_with_the_user_beside_it() {
	with_registry registry list --user rob </dev/null
	expect_rc 2
	expect_err 'there is no password for rob'
	with_registry registry list --prefix nothing --user alice
	expect_rc 0
	with_registry registry list --user rob --password-file "$suite/rob"
	expect_rc 0
	# One that stands alone is for whoever is named.
	unset PROPSEAL_REGISTRY_URL PROPSEAL_REGISTRY_USER PROPSEAL_REGISTRY_PASSWORD_FILE
	PROPSEAL_REGISTRY_PASSWORD_FILE=$suite/rob run registry list --url "$first" --user rob
	expect_rc 0
	local login=("url = $first" "user = alice" "password-file = $suite/alice")
	with_ini "${login[@]}" -- registry list --user rob </dev/null
	expect_rc 2
	expect_err 'there is no password for rob'
	with_ini "${login[@]}" -- registry list --prefix nothing --user alice
	expect_rc 0
	PROPSEAL_REGISTRY_USER=rob with_ini "${login[@]}" -- registry list </dev/null
	expect_rc 2
	# A password file of a flag is another one for the same user, and goes before a token.
	with_ini "url = $first" 'user = alice' "password-file = $suite/guess" \
	    "token-file = $suite/guess" -- registry list --prefix nothing \
	    --password-file "$suite/alice"
	expect_rc 0
	# Of a certificate that a flag names the key stands in its file, or is named, too.
	cat "$suite/client.pem" "$suite/client.key" >both.pem
	with_ini "url = $tls" "cert = $suite/server.pem" "cert-key = $suite/server.key" \
	    "ca = $suite/ca.pem" -- registry list --cert both.pem --prefix nothing
	expect_no 'that fits the certificate'
	with_ini "url = $tls" "cert-key = $suite/client.key" "ca = $suite/ca.pem" -- \
	    registry list --cert "$suite/client.pem" --prefix nothing
	expect_no 'that fits the certificate'
}

# with_ini LINE... -- ARGUMENT...: run with these lines in [registry] of the user's file.
with_ini() {
	echo '[registry]' >own.ini
	while [ "$1" != -- ]; do
		echo "$1" >>own.ini
		shift
	done
	shift
	PROPSEAL_CONFIG=$PWD/own.ini run "$@"
}

case_propseal_ini_says_what_the_environment_does_not() {
	local login=("url = $first" "user = alice" "password-file = $suite/alice")
	with_ini "${login[@]}" -- registry list --prefix nothing
	expect_rc 0
	cp "$suite/token" .
	with_ini "url = $first" 'token-file = token' -- registry list --prefix nothing
	expect_rc 0
	# A user of a flag goes before it; there is nobody to ask for his password.
	with_ini "url = $first" 'token-file = token' -- registry list --user rob
	expect_rc 2
	printf '%s\n' 'a=${secret:run:nothing}' >c.properties
	with_ini 'url = http://127.0.0.1:1' -- render c.properties
	expect_rc 1
	expect_err 127.0.0.1:1
}

# It would open the second one, too, but that is not the one that it is for.
case_the_login_of_propseal_ini_goes_to_its_own_registry_only() {
	local login=("url = $first" "user = alice" "password-file = $suite/alice")
	with_ini "url = $second" "${login[@]:1}" -- registry list --prefix nothing
	expect_rc 0
	with_ini "${login[@]}" -- registry list --prefix nothing --url "$second"
	expect_rc 1
	expect_err 'the registry answered 401'
	PROPSEAL_REGISTRY_URL=$second with_ini "${login[@]}" -- registry list --prefix nothing
	expect_rc 1
	expect_err 'the registry answered 401'
	with_ini "${login[@]}" -- registry list --prefix nothing --url "$second" --user alice \
	    --password-file "$suite/alice"
	expect_rc 0
}

# Two files are the user's own; the one that $PROPSEAL_CONFIG names counts more.
case_the_login_of_one_propseal_ini_is_not_for_the_url_of_another() {
	mkdir -p home/.config/propseal
	export HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/.config
	printf '%s\n' '[registry]' "url = $first" 'user = alice' "password-file = $suite/alice" \
	    >home/.config/propseal/propseal.ini
	chmod 600 home/.config/propseal/propseal.ini
	with_ini "url = $second" -- registry list --prefix nothing
	expect_rc 1
	expect_err 'the registry answered 401'
	# A stronger login is for the URL below it.
	printf '%s\n' '[registry]' "url = $first" >home/.config/propseal/propseal.ini
	with_ini 'user = alice' "password-file = $suite/alice" -- registry list --prefix nothing
	expect_rc 0
}

case_clear_text_beyond_this_host_is_refused() {
	run registry list --url http://registry.invalid:1
	expect_rc 1
	expect_err 'in clear text'
	expect_err --insecure-http
	run registry list --url http://registry.invalid:1 --insecure-http
	expect_rc 1
	expect_no 'in clear text'
	printf '%s\n' 'a=${secret:a:b}' >c.properties
	run render c.properties --url http://registry.invalid:1
	expect_rc 1
	expect_err 'in clear text'
	[ ! -s "$out" ] || fail 'something on standard output'
}

case_tls() {
	feed CANARY-1 registry put secure a --url "$tls" --user alice \
	    --password-file "$suite/alice" --ca "$suite/ca.pem"
	expect_rc 0
	PROPSEAL_REGISTRY_CA=$suite/ca.pem run registry get secure a --url "$tls" --user alice \
	    --password-file "$suite/alice"
	expect_file "$out" CANARY-1
	printf '%s\n' 'a=${secret:secure:a}' 'b=${secret:secure:a}' >c.properties
	run render c.properties --url "$tls" --user alice --password-file "$suite/alice" \
	    --ca "$suite/ca.pem"
	expect_file "$out" $'a=CANARY-1\nb=CANARY-1'
	into_second import --from "$tls" --from-user alice --from-password-file "$suite/alice" \
	    --ca "$suite/ca.pem"
	expect_rc 0
}

case_a_certificate_of_somebody_else_is_refused() {
	run registry list --url "$tls" --user alice --password-file "$suite/alice" \
	    --ca "$suite/other-ca.pem"
	expect_rc 1
	expect_err 'its certificate is not to be trusted'
	expect_err '--ca FILE'
	run registry list --url "$tls" --user alice --password-file "$suite/alice"
	expect_rc 1
	expect_err 'its certificate is not to be trusted'
	# Another name of the same host.
	run registry list --url "https://127.1:${tls##*:}" --user alice \
	    --password-file "$suite/alice" --ca "$suite/ca.pem"
	expect_rc 1
	expect_err 'its certificate is not to be trusted'
	run registry list --url "$tls" --ca gone.pem
	expect_rc 1
	expect_err gone.pem
	run registry list --url "https://127.0.0.1:${first##*:}" --ca "$suite/ca.pem"
	expect_rc 1
	run registry list --url "http://127.0.0.1:${tls##*:}"
	expect_rc 1
}

case_the_certificates_of_propseal_ini_are_for_its_own_registry_only() {
	local own=("cert = $suite/client.pem" "cert-key = $suite/client.key")
	local ca=(--ca "$suite/ca.pem")
	with_ini "url = $tls" "ca = $suite/ca.pem" "${own[@]}" -- registry list robs
	expect_rc 0
	with_ini "url = $first" "${own[@]}" -- registry list robs --url "$tls" "${ca[@]}"
	expect_rc 1
	expect_err 'the registry answered 401'
	with_ini "url = $first" "${own[@]}" -- registry list robs --url "$tls" "${ca[@]}" \
	    --cert "$suite/client.pem" --cert-key "$suite/client.key"
	expect_rc 0
	with_ini "url = $first" "ca = $suite/ca.pem" -- registry list robs --url "$tls"
	expect_rc 1
	expect_err 'its certificate is not to be trusted'
	# One that stands beside no registry vouches for any.
	with_ini "ca = $suite/ca.pem" -- registry list robs --url "$tls" \
	    --cert "$suite/client.pem" --cert-key "$suite/client.key"
	expect_rc 0
}

case_a_certificate_of_our_own() {
	run registry list robs --url "$tls" --ca "$suite/ca.pem" --cert "$suite/client.pem" \
	    --cert-key "$suite/client.key"
	expect_rc 0
	run registry list robs --url "$tls" --ca "$suite/ca.pem" --cert "$suite/client.pem" \
	    --cert-key "$suite/ca.key"
	expect_rc 1
	expect_err 'no private key that fits'
	run registry list robs --url "$tls" --ca "$suite/ca.pem" --cert "$suite/rob"
	expect_rc 1
	expect_err 'no certificate could be read'
}

case_errors_are_json_with_o_json() {
	registry get nowhere a -o json
	expect_rc 1
	expect_json "$err" 'd["error"]["code"], d["error"]["exit"]' "('missing', 1)"
	registry delete conn a 1 -o json
	expect_rc 2
	expect_json "$err" 'd["error"]["code"]' usage
	registry put conn -o json
	expect_rc 2
	expect_json "$err" 'd["error"]["text"], d["error"]["hint"]' \
	    "('missing: PATH KEY', 'it takes PATH KEY')"
}

case_help_of_each_command() {
	local c
	run registry --help
	expect_rc 0
	for c in serve user token role audit put get list history delete undelete rotate import \
	    export validate resolve; do
		expect_out "registry $c"
		"$PROPSEAL" registry $c --help >help || fail "no help of $c"
		expect_in help "usage: propseal registry $c"
		[ "$(wc -L <help)" -le 110 ] || fail "long lines in the help of $c"
	done
	run registry
	expect_rc 2
	run registry gett
	expect_rc 2
	expect_err 'did you mean `propseal registry get`?'
}

# --- users, tokens and roles where it runs ---

# as_dora PASSWORD FILE COMMAND...
as_dora() {
	local command=$2
	printf %s "$1" >dora
	shift 2
	run registry "$command" --url "$first" --user dora --password-file dora "$@"
}

case_users_tokens_and_roles_are_changed_where_it_runs() {
	local token id
	feed CANARY-of-dora registry user add dora --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 0
	expect_err "changed: $first: user add dora"
	expect_no CANARY
	feed CANARY-again registry user add dora --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 1
	expect_err 409
	expect_err '--replace gives the user'
	feed '' registry user add emma --url "$first" --user alice --password-file "$suite/alice"
	expect_rc 2
	expect_err 'the password is empty'
	as_dora CANARY-of-dora list
	expect_rc 0
	as_dora CANARY-of-dora get doras key
	expect_rc 1
	expect_err 403
	registry role grant ResourceOwner --principal dora --path doras -o json
	expect_rc 0
	expect_json "$out" 'd["schema"], d["files"][0]["entries"][0]["key"]' \
	    "('propseal.change/1', 'ResourceOwner')"
	feed CANARY-value registry put doras key --url "$first" --user dora --password-file dora
	expect_rc 0
	registry role list --principal User:dora -o json
	expect_json "$out" '[(r["role"], r["pattern"], r["path"]) for r in d]' \
	    "[('ResourceOwner', 'LITERAL', 'doras')]"
	registry role list --principal dora
	grep -qE '^dora +ResourceOwner +LITERAL +doras' "$out" || fail "$(cat "$out")"
	registry user list -o json
	expect_json "$out" '[u["state"] for u in d if u["name"] == "dora"]' "['active']"
	# A token is printed once, and ends when it is revoked.
	registry token create --principal dora --ttl 3600
	expect_rc 0
	cp "$out" token
	id=$(cut -c4-15 token)
	expect_err "$id"
	run registry get doras key --url "$first" --token-file token
	expect_file "$out" CANARY-value
	registry token list
	grep -q "^$id  *dora " "$out" || fail "no token $id"
	registry token revoke "$(cat token)"
	expect_rc 2
	expect_no "$(cut -c17- token)"
	registry token revoke "$id"
	expect_rc 0
	run registry get doras key --url "$first" --token-file token
	expect_rc 1
	expect_err 401
	registry user disable dora
	expect_rc 0
	as_dora CANARY-of-dora get doras key
	expect_rc 1
	expect_err 401
	registry user enable dora
	feed CANARY-other registry user add dora --replace --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 0
	as_dora CANARY-other get doras key
	expect_rc 0
	registry role revoke ResourceOwner --principal dora --path doras
	expect_rc 0
	as_dora CANARY-other get doras key
	expect_rc 1
	registry user remove dora
	expect_rc 0
	as_dora CANARY-other get doras key
	expect_rc 1
	expect_err 401
	feed CANARY-new registry user add newcomer --replace --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 0
	registry user remove newcomer
}

case_what_roles_allow_is_said_where_it_runs() {
	feed '{"scope":["path"],"operations":["SecretRead"]}' registry role define Reader \
	    --url "$first" --user alice --password-file "$suite/alice"
	expect_rc 0
	expect_err "$first: role define Reader"
	registry role show Reader
	expect_rc 0
	[ "$(cat "$out")" = 'Reader           (path) SecretRead' ] || fail "$(cat "$out")"
	registry role show -o json
	expect_json "$out" 'len(d["roles"]), d["roles"]["Reader"]["scope"]' "(13, ['path'])"
	registry role remove Reader
	expect_rc 0
	registry role show Reader
	expect_rc 1
	expect_err 'there is no such role'
}

case_changing_users_where_it_runs_is_refused_as_it_should_be() {
	registry user remove nobody
	expect_rc 1
	expect_err 404
	expect_err 'registry user list'
	registry role grant NoSuchRole --principal rob
	expect_rc 1
	expect_err 'no such role'
	run registry user remove alice --url "$first" --user rob --password-file "$suite/rob"
	expect_rc 1
	expect_err 403
	registry role revoke SystemAdmin --principal alice
	expect_rc 1
	expect_err 'nobody would be left'
	registry user list --data data
	expect_rc 2
	expect_err 'exclude each other'
	registry user add
	expect_rc 2
	feed '{"scope":["all"]}' registry role define Bad --url "$first" --user alice \
	    --password-file "$suite/alice"
	expect_rc 1
	expect_err 422
	registry role remove Nobody
	expect_rc 1
	expect_err 'registry role show'
	registry token create
	expect_rc 2
	expect_err '--principal'
	run registry user list
	expect_rc 2
	expect_err '--url'
}

run_cases "$@"
