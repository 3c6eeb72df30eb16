#!/usr/bin/env bash
# doctor, on a root of the test's own: units, processes and kernel settings are files there.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

variable=CONFLUENT_SECURITY_MASTER_KEY

# All is well: sealed, private, and a root with nothing in it.
make_well() {
	on server.properties encrypt --config \
	    ssl.keystore.password,ssl.key.password,zookeeper.password,sasl.secret
	[ "$rc" -eq 0 ] || fail "cannot seal"
	mkdir estate root
	mv sec.properties server.properties estate/
	chmod 755 estate
	chmod 640 estate/*
	mkdir -p root/proc/sys/kernel root/etc/systemd/system root/usr/lib/systemd/system
	echo core >root/proc/sys/kernel/core_pattern
	printf 'Filename\tType\tSize\tUsed\tPriority\n' >root/proc/swaps
}

doctor() {
	run doctor --root root "$@"
	expect_no CANARY "$(cat master.key)"
}

# expect_check LEVEL CHECK FILE...: there is exactly one such check in the JSON output.
expect_check() {
	expect_json "$out" "len([f for f in d['checks'] if (f['level'], f['check']) ==
	    ('$1', '$2') and (f['file'] or '') == '${3:-}'])" 1
}

expect_no_check() {
	expect_json "$out" "[f for f in d['checks'] if f['check'] == '$1']" '[]'
}

# expect_finding LEVEL RULE FILE: the same of what the audit finds.
expect_finding() {
	expect_json "$out" "len([f for f in d['findings'] if (f['level'], f['rule'],
	    f['file']) == ('$1', '$2', '$3')])" 1
}

expect_no_finding() {
	expect_json "$out" "[f for f in d['findings'] if f['rule'] == '$1']" '[]'
}

# process PID 'WORDS...' [VARIABLE=VALUE...]: a process of ours; % between words.
process() {
	local dir=root/proc/$1
	mkdir -p "$dir"
	printf '%s%%' "$2" | tr % '\0' >"$dir/cmdline"
	shift 2
	[ $# -eq 0 ] || printf '%s\0' "$@" >"$dir/environ"
	[ $# -gt 0 ] || : >"$dir/environ"
	ln -sfn "$PWD/estate" "$dir/cwd"
}

# unit NAME LINE...
unit() {
	local file=root/$1
	mkdir -p "$(dirname "$file")"
	shift
	printf '%s\n' '[Unit]' 'Description=x' '[Service]' "$@" '[Install]' 'WantedBy=y' >"$file"
}

start='ExecStart=/usr/bin/kafka-server-start /etc/kafka/server.properties'

# --- the key and the secrets file ---

case_all_is_well() {
	make_well
	snapshot
	doctor estate
	expect_rc 0
	expect_out "ok: the master key comes from the environment variable $variable"
	expect_out 'estate/sec.properties: ok: the master key opens the data key'
	expect_out 'estate/sec.properties: ok: all 4 sealed entries open'
	expect_out 'ok: all 4 references resolve'
	expect_out 'estate/sec.properties: ok: only its owner can write the secrets file'
	expect_out 'ok: there is no swap'
	expect_out 'checks: 0 errors, 0 warnings, 0 notes'
	expect_unchanged
	doctor estate -o json
	expect_rc 0
	expect_json "$out" '(d["schema"], d["counts"]["error"], d["exit"], d["findings"],
	    set(f["level"] for f in d["checks"]))' \
	    "('propseal.doctor/2', 0, 0, [], {'ok'})"
}

case_the_current_folder_is_the_default() {
	make_well
	cd estate || exit 1
	run doctor --root ../root
	expect_rc 0
	expect_out 'sec.properties: ok: all 4 sealed entries open'
}

case_key_not_in_reach() {
	make_well
	unset CONFLUENT_SECURITY_MASTER_KEY
	doctor estate -o json
	expect_rc 3
	expect_check error key
	chmod 600 master.key
	doctor estate --master-key-file master.key
	expect_rc 0
	expect_out 'ok: the master key comes from --master-key-file'
	mkdir credentials
	cp master.key credentials/propseal.master-key
	CREDENTIALS_DIRECTORY=$PWD/credentials doctor estate
	expect_rc 0
	expect_out 'ok: the master key comes from the systemd credential propseal.master-key'
}

case_key_of_another_file() {
	make_well
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	doctor estate --master-key-file wrong.key -o json
	expect_rc 3
	expect_check error key estate/sec.properties
}

case_key_file_that_others_read() {
	make_well
	chmod 644 master.key
	doctor estate --master-key-file master.key -o json
	expect_rc 3
	expect_check error key-file master.key
	chmod 640 master.key
	doctor estate --master-key-file master.key -o json
	expect_rc 0
	expect_check warning key-file master.key
}

case_damaged_and_dangling() {
	make_well
	sed -i '/^server.properties.ssl.key.password/s/data:..../data:AAAA/' estate/sec.properties
	sed -i '/ssl.keystore.password/d' estate/sec.properties
	doctor estate -o json
	expect_rc 3
	expect_no_check damaged-entry
	expect_finding error damaged-entry estate/sec.properties
	expect_finding error dangling-reference estate/server.properties
	expect_json "$out" "[f['key'] for f in d['findings'] if f['rule'] == 'dangling-reference']" \
	    "['ssl.keystore.password']"
	expect_no_check references
	# The audit tells nothing of a file that is in none of the paths.
	mv estate/sec.properties .
	printf '[environment here]\nsecrets-file = %s\n' "$PWD/sec.properties" >propseal.ini
	PROPSEAL_CONFIG=$PWD/propseal.ini doctor estate -o json
	expect_rc 3
	expect_json "$out" "sum(f['check'] == 'damaged-entry' for f in d['checks']) + sum(f['rule'] == 'damaged-entry' for f in d['findings'])" 1
}

case_no_data_key() {
	make_well
	sed -i '/symmetric_key.0.enc/d' estate/sec.properties
	doctor estate -o json
	expect_rc 3
	expect_check error data-key estate/sec.properties
}

case_secrets_file_elsewhere_or_nowhere() {
	make_well
	mv estate/sec.properties .
	chmod 600 sec.properties
	doctor estate -o json
	expect_rc 3
	expect_check note secrets-file
	expect_json "$out" "set(f['rule'] for f in d['findings'])" "{'missing-secrets-file'}"
	doctor estate --local-secrets-file sec.properties -o json
	expect_rc 0
	expect_check ok references
	expect_json "$out" "d['findings'], d['files']['read']" '([], 2)'
	doctor estate --local-secrets-file nowhere -o json
	expect_rc 3
	expect_check error secrets-file nowhere
}

case_two_secrets_files() {
	make_well
	cp estate/sec.properties estate/second.properties
	doctor estate -o json
	expect_rc 0
	expect_json "$out" "set(f['rule'] for f in d['findings'])" "{'unknown-environment'}"
	expect_check ok entries estate/sec.properties
	expect_check ok entries estate/second.properties
}

case_weak_derivation_and_old_cipher() {
	run file encrypt --config-file server.properties --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote" --cipher cbc
	expect_rc 0
	sed -i 's/iterations = .*/iterations = 10000/' sec.properties
	mkdir -p root
	doctor sec.properties -o json
	expect_rc 0
	expect_finding warning weak-kdf sec.properties
	expect_json "$out" "set(f['level'] for f in d['findings'] if f['rule'] == 'legacy-cipher')" \
	    "{'warning'}"
}

case_changed_by_another_program() {
	make_well
	cp -r estate other
	printf 'ssl.key.password=CANARY-2\n' >new
	run file update --config-file other/server.properties --remote-secrets-file "$remote" \
	    --local-secrets-file other/sec.properties --config @new
	expect_rc 0
	sed -i "s|^server.properties/ssl.key.password = .*|$(grep \
	    '^server.properties/ssl.key.password' other/sec.properties)|" estate/sec.properties
	doctor estate -o json
	expect_rc 0
	expect_no_check stale-tag
	expect_finding note stale-tag estate/sec.properties
}

# --- files ---

# expect_modes LIST: what is told of modes, all of it by the audit.
expect_modes() {
	expect_json "$out" '[(f["file"], f["message"], f["hint"]) for f in d["findings"] if f["rule"] == "open-mode"]' "$1"
	expect_json "$out" '[c["check"] for c in d["checks"] if c["check"] in ("writable", "folder", "readers")]' '[]'
}

case_modes_of_the_secrets_file() {
	make_well
	doctor estate -o json
	expect_modes '[]'
	chmod 660 estate/sec.properties
	doctor estate -o json
	expect_rc 0
	local found="[('estate/sec.properties', 'its group can write this secrets file, and so exchange what is sealed in it', 'chmod g-w')]"
	alone_in_group && found='[]'
	expect_modes "$found"
	chmod 662 estate/sec.properties
	doctor estate -o json
	expect_modes "[('estate/sec.properties', 'every user can write this secrets file, and so exchange what is sealed in it', 'chmod go-w')]"
	# Nobody else is in the group that a user has for himself.
	if [ "$(id -u)" -eq 0 ]; then
		chown 4711:4711 estate/sec.properties
		chmod 664 estate/sec.properties
		doctor estate -o json
		expect_modes '[]'
		chown 0:0 estate/sec.properties
	fi
	# The service's user is not in the group that may read it.
	[ "$(id -u)" -eq 0 ] || return 0
	chgrp 1 estate/*
	chmod 640 estate/server.properties
	chmod 600 estate/sec.properties
	doctor estate -o json
	expect_modes "[('estate/server.properties', 'who reads this file cannot read its secrets file', 'let just them read the secrets file: give it the owner and the group of this file with chown, and chmod 640')]"
}

case_clear_text_that_everybody_reads() {
	make_well
	echo 'x.password=CANARY-x' >>estate/server.properties
	doctor estate -o json
	expect_rc 3
	expect_finding error clear-text-secret estate/server.properties
	expect_no_finding open-mode
	chmod 644 estate/server.properties
	doctor estate -o json
	expect_rc 3
	expect_finding warning open-mode estate/server.properties
	doctor estate
	expect_out '  clear-text-secret: a secret in clear text'
	expect_out '    hint: seal it: '
	# Without a secret it may be read.
	sed -i '$d' estate/server.properties
	doctor estate
	expect_rc 0
	chmod 646 estate/server.properties
	doctor estate -o json
	expect_rc 0
	expect_modes "[('estate/server.properties', 'every user can write this file', 'chmod o-w')]"
	# With a secret, it is the secret that counts.
	echo 'x.password=CANARY-x' >>estate/server.properties
	doctor estate -o json
	expect_rc 3
	expect_modes "[('estate/server.properties', 'every user can read the secrets in this file, and write it', 'chmod o-rwx')]"
	chmod 604 estate/server.properties
	doctor estate -o json
	expect_modes "[('estate/server.properties', 'every user can read the secrets in this file', 'chmod o-rwx')]"
	# Nobody reads what may only be run.
	chmod 601 estate/server.properties
	doctor estate -o json
	expect_modes '[]'
}

case_findings_are_those_of_the_audit() {
	make_well
	printf 'x.password=CANARY-x\n#y.password=CANARY\n' >>estate/server.properties
	chmod 644 estate/server.properties
	cp estate/server.properties estate/server.properties.bak
	printf 'a: 1\n' >estate/a.yaml
	printf 'db.password=CANARY-long-enough' >estate/db.env
	run audit estate -o json
	expect_rc 3
	cp "$out" audit.json
	doctor estate -o json
	expect_rc 3
	python3 -c 'import json
a, d = (json.load(open(f)) for f in ("audit.json", "'"$out"'"))
d.pop("checks")
assert len(a["findings"]) > 5
a["schema"] = d["schema"] = None
assert a == d, (a, d)' || fail 'doctor tells it another way'
}

case_folder_that_everybody_writes() {
	make_well
	chmod 777 estate
	doctor estate -o json
	expect_rc 0
	expect_modes "[('estate', 'every user can put other files in the place of those in this folder', 'chmod o-w, or make the folder sticky with chmod +t')]"
	chmod 1777 estate
	doctor estate -o json
	expect_rc 0
	expect_modes '[]'
	chmod 775 estate
	doctor estate -o json
	expect_rc 0
	local found="[('estate', 'its group can put another file in the place of the secrets file in this folder', 'chmod g-w')]"
	alone_in_group && found='[]'
	expect_modes "$found"
	# In a folder without a secrets file it may.
	mv estate/sec.properties .
	doctor estate -o json
	expect_modes '[]'
	chmod 777 estate
	(cd estate && exec "$PROPSEAL" doctor . -o json >"$out")
	expect_modes "[('.', 'every user can put other files in the place of those in this folder', 'chmod o-w, or make the folder sticky with chmod +t')]"
}

case_unreadable_configuration() {
	make_well
	printf 'a=\\u12\n' >estate/bad.properties
	doctor estate -o json
	expect_rc 1
	expect_json "$out" "d['complete'], [u['file'] for u in d['unread']]" \
	    "(False, ['estate/bad.properties'])"
}

case_copies_that_lie_around() {
	make_well
	local name
	for name in server.properties.orig server.properties~ server.properties.rpmsave \
	    server.properties.2024-01-01@12:00~ x.json.bak; do
		echo 'x.password=CANARY-old' >"estate/$name"
		chmod 600 "estate/$name"
	done
	echo '{ "x.password": "CANARY-old" }' >estate/x.json.bak
	chmod 644 estate/server.properties.orig
	cp estate/server.properties estate/server.properties.old
	cp estate/sec.properties estate/sec.properties.bak
	: >estate/.server.properties.swp
	echo 'x.password=CANARY-other' >estate/notes.bak
	doctor estate -o json
	expect_rc 3
	for name in server.properties.orig server.properties~ server.properties.rpmsave \
	    server.properties.2024-01-01@12:00~ x.json.bak notes.bak; do
		expect_finding error backup-secret "estate/$name"
	done
	expect_check warning copy estate/.server.properties.swp
	expect_check note copy estate/sec.properties.bak
	# It is no secrets file that a reference could mean.
	expect_no_finding unknown-environment
	expect_json "$out" "len([f for f in d['checks'] if f['check'] == 'copy'])" 2
}

# --- units ---

case_key_in_the_clear_in_a_unit() {
	make_well
	unit etc/systemd/system/kafka.service "$start"
	unit etc/systemd/system/kafka.service.d/override.conf '# Environment=x' \
	    "Environment=A=b \"$variable=$(cat master.key)\" \\" "  C=d"
	doctor estate -o json
	expect_rc 3
	expect_finding error master-key-in-file \
	    root/etc/systemd/system/kafka.service.d/override.conf
	expect_json "$out" "[f['line'] for f in d['findings'] if f['rule'] == 'master-key-in-file']" '[5]'
	expect_check ok unit root/etc/systemd/system/kafka.service
	# Empty, it takes an inherited one away: that is no key.
	unit etc/systemd/system/kafka.service.d/override.conf "Environment=$variable="
	doctor estate -o json
	expect_no_finding master-key-in-file
}

case_key_in_a_file_of_variables() {
	make_well
	unit usr/lib/systemd/system/connect.service "EnvironmentFile=-/etc/default/connect*" \
	    'ExecStart=/usr/bin/connect-distributed /etc/kafka/connect.properties'
	mkdir -p root/etc/default
	echo "$variable=$(cat master.key)" >root/etc/default/connect-env
	chmod 644 root/etc/default/connect-env
	doctor estate -o json
	expect_rc 3
	expect_finding error master-key-in-file root/etc/default/connect-env
	expect_finding warning open-mode root/etc/default/connect-env
	chmod 600 root/etc/default/connect-env
	doctor estate -o json
	expect_rc 3
	expect_finding error master-key-in-file root/etc/default/connect-env
	expect_no_finding open-mode
	expect_check ok unit root/usr/lib/systemd/system/connect.service
	echo '# nothing' >root/etc/default/connect-env
	doctor estate -o json
	expect_no_finding master-key-in-file
	expect_check note unit-without-key root/usr/lib/systemd/system/connect.service
}

# Paths, units and what they name may lead to the same file more than once.
case_what_several_ways_lead_to_is_told_once() {
	make_well
	for name in connect kafka; do
		unit etc/systemd/system/$name.service 'EnvironmentFile=/etc/default/both' \
		    'Environment=KAFKA_PASSWORD=CANARY-long-enough-'$name \
		    'ExecStart=/usr/bin/kafka-server-start /etc/kafka/x.properties'
	done
	mkdir -p root/etc/default
	echo 'SSL_PASSWORD=CANARY-of-both' >root/etc/default/both
	for path in estate root/etc; do
		doctor $path -o json
		expect_rc 3
		expect_finding error clear-text-secret root/etc/default/both
		expect_finding error clear-text-secret root/etc/systemd/system/kafka.service
		expect_finding error clear-text-secret root/etc/systemd/system/connect.service
		expect_no_finding reused-secret
	done
	# Two names of one file are both told.
	echo 'x.password=CANARY-linked' >estate/one.properties
	ln estate/one.properties estate/two.properties
	doctor estate -o json
	expect_finding error clear-text-secret estate/one.properties
	expect_finding error clear-text-secret estate/two.properties
}

case_unit_that_lacks_the_key() {
	make_well
	mkdir -p root/etc/kafka
	cp estate/server.properties root/etc/kafka/
	unit etc/systemd/system/kafka.service "$start"
	doctor estate -o json
	expect_rc 3
	expect_check error unit-without-key root/etc/systemd/system/kafka.service
	# In another way than by a variable.
	unit etc/systemd/system/kafka.service \
	    'LoadCredentialEncrypted=propseal.master-key:/etc/creds/key' "$start"
	doctor estate -o json
	expect_rc 0
	expect_check ok unit root/etc/systemd/system/kafka.service
	unit etc/systemd/system/kafka.service "PassEnvironment=LANG $variable" "$start"
	doctor estate -o json
	expect_rc 0
	unit etc/systemd/system/kafka.service "SetCredential=propseal.master-key:CANARY" "$start"
	doctor estate -o json
	expect_rc 3
	expect_finding error master-key-in-file root/etc/systemd/system/kafka.service
	# What is not sealed needs none.
	unit etc/systemd/system/kafka.service "$start"
	echo 'a=b' >root/etc/kafka/server.properties
	doctor estate -o json
	expect_rc 0
	expect_check ok unit root/etc/systemd/system/kafka.service
}

case_hidden_units_count_for_what_they_expose() {
	make_well
	mkdir -p root/etc/kafka
	cp estate/server.properties root/etc/kafka/
	unit usr/lib/systemd/system/kafka.service "Environment=$variable=$(cat master.key)" "$start"
	unit etc/systemd/system/kafka.service "$start"
	doctor estate -o json
	expect_rc 3
	expect_finding error master-key-in-file root/usr/lib/systemd/system/kafka.service
	expect_check error unit-without-key root/etc/systemd/system/kafka.service
	ln -sf /dev/null root/etc/systemd/system/kafka.service
	doctor estate -o json
	expect_no_check unit-without-key
}

case_other_units_are_passed_over() {
	make_well
	unit etc/systemd/system/sshd.service 'ExecStart=/usr/sbin/sshd -D'
	doctor estate -o json
	expect_rc 0
	expect_no_check unit
	expect_no_check unit-without-key
}

case_the_variable_that_the_secrets_file_names() {
	make_well
	sed -i 's/envvar = .*/envvar = OTHER_KEY/' estate/sec.properties
	unit etc/systemd/system/kafka.service "Environment=OTHER_KEY=$(cat master.key)" "$start"
	OTHER_KEY=$(cat master.key) doctor estate -o json
	expect_rc 3
	expect_finding error master-key-in-file root/etc/systemd/system/kafka.service
	expect_check ok key
}

# --- processes ---

case_process_that_lacks_the_key() {
	make_well
	process 41 '/usr/lib/jvm/bin/java%-Xmx1g%kafka.Kafka%server.properties' A=b
	process 42 "/usr/bin/java%kafka.Kafka%$PWD/nowhere.properties" A=b
	process 43 'bash%-c%server.properties' A=b
	doctor estate -o json
	expect_rc 3
	expect_check error process-without-key
	doctor estate
	expect_out 'error: process 41 (java server.properties) has references'
}

case_processes_that_hold_the_key() {
	make_well
	process 41 'java%kafka.Kafka%server.properties' A=b "$variable=$(cat master.key)"
	process 42 '-bash' "$variable=$(cat master.key)"
	process 43 'vim' A=b
	process 44 'env' "$variable="
	doctor estate -o json
	expect_rc 0
	expect_check note process
	expect_check warning exposed-process
	doctor estate
	expect_out "note: process 41 (java server.properties) has the master key in $variable"
	expect_out "warning: process 42 (-bash) has the master key in $variable"
}

case_key_in_a_command_line() {
	make_well
	process 41 "env%$variable=$(cat master.key)%kafka-server-start" A=b
	doctor estate -o json
	expect_rc 3
	expect_check error command-line-secret
}

case_real_processes() {
	make_well
	# This shell has the key in its environment, and /proc says so.
	[ -r "/proc/$$/environ" ] || return 0
	sleep 60 &
	run doctor estate
	kill "$!"
	expect_no CANARY "$(cat master.key)"
	expect_out "process $! (sleep) has the master key in $variable"
}

# --- the system ---

case_swap_and_core_files() {
	make_well
	printf '/dev/sda2 partition 1 0 -2\n' >>root/proc/swaps
	echo '|/usr/lib/systemd/systemd-coredump %P %u' >root/proc/sys/kernel/core_pattern
	(
		ulimit -l 64
		doctor estate -o json
		expect_rc 0
		expect_check warning memory
		expect_check note core
	) || exit 1
	printf 'Filename\n/dev/zram0 partition 1 0 -2\n' >root/proc/swaps
	doctor estate -o json
	expect_check ok memory
}

run_cases "$@"
