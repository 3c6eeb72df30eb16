#!/usr/bin/env bash
# propseal exec: a command gets resolved values, and nobody else does.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003,SC1083,SC1010
. "$(dirname "$0")/lib.sh"

# A reference as others have it in their environment: it names sec.properties.
ref() {
	printf '${securepass:%s:server.properties/%s}' "$PWD/sec.properties" "$1"
}

sealed() {
	cp server.properties before.properties
	remote=$PWD/sec.properties
	on server.properties encrypt --config ssl.keystore.password,ssl.key.password,sasl.secret
	expect_rc 0
}

# x ARGUMENT...  exec with the secrets file.
x() {
	run exec --local-secrets-file sec.properties "$@"
}

case_variables_are_resolved() {
	sealed
	export A B C D
	A=$(ref ssl.key.password)
	# shellcheck disable=SC2089 # the quotes are the value's
	B="jaas password=\"$(ref ssl.key.password)\" u=\"$(ref sasl.secret)\";"
	C='${other:a:b}' D=plain
	x -- sh -c 'printf "%s\n" "$A" "$B" "$C" "$D"'
	expect_rc 0
	expect_file "$out" 'CANARY-key
jaas password="CANARY-key" u="CANARY-sasl";
${other:a:b}
plain'
	[ ! -s "$err" ] || fail "said something"
}

case_references_say_where_the_secrets_file_is() {
	sealed
	A=$(ref ssl.key.password) run exec -- sh -c 'echo "$A"'
	expect_rc 0
	expect_file "$out" CANARY-key
	A='${securepass:/nowhere/s:server.properties/x}' run exec -- echo not run
	expect_rc 125
	expect_err 'propseal: the environment: "A": no secrets file is known that lies at /nowhere/s'
	expect_err 'or give --local-secrets-file'
	A=$(ref ssl.key.password) B='${securepass:/other:x/y}' run exec -- echo not run
	expect_rc 125
	expect_err 'propseal: the environment: "B": no secrets file is known that lies at /other'
	expect_no 'not run'
	# Several keys are for nobody to keep.
	A=$(ref ssl.key.password) B='${securepass:/other:x/y}' run exec --keep-key -- echo not run
	expect_rc 2
	expect_err 'there is no one key to keep'
	expect_no 'not run'
}

case_a_reference_that_is_not_closed_is_told() {
	sealed
	# shellcheck disable=SC2090 # another test has quotes in B
	export A B C
	A='${securepass:/CANARY:server.properties/ssl.key.password' B='${other:a b' C='${HOME'
	x -- sh -c 'printf "%s\n" "$A" "$B" "$C" >seen'
	expect_rc 0
	printf '%s\n' "$A" "$B" "$C" | cmp - seen || fail "not as it was"
	expect_err 'the environment: "A": a reference is not closed: the command gets it as text'
	expect_err 'close it with `}`'
	expect_no '"B"'
	expect_no '"C"'
	expect_no CANARY
	# It takes the reference behind it with it.
	A="\${x:y $(ref ssl.key.password)" x -- true
	expect_rc 0
	expect_err 'the environment: "A": a reference is not closed'
}

case_without_references_no_key_is_asked_for() {
	sealed
	unset CONFLUENT_SECURITY_MASTER_KEY
	run exec -- echo done
	expect_rc 0
	expect_file "$out" done
	x -- echo done
	expect_rc 0
}

case_one_value_of_a_file_goes_to_a_variable() {
	sealed
	x --config-file server.properties --env PW=ssl.key.password --env DIRS=log.dirs \
	    -- sh -c 'printf "%s %s\n" "$PW" "$DIRS"'
	expect_rc 0
	expect_file "$out" 'CANARY-key C:\data\new'
	printf 'ssl.key.password=CANARY-b\n' >b.properties
	x --config-file server.properties --env A=ssl.key.password --config-file b.properties \
	    --env B=ssl.key.password -- sh -c 'echo "$A" "$B"'
	expect_file "$out" 'CANARY-key CANARY-b'
}

case_the_command_opens_a_resolved_copy() {
	sealed
	x --config-file server.properties -- cat {}
	expect_rc 0
	cmp -s "$out" before.properties || fail "another text"
	x --config-file server.properties -- sh -c 'cat "${1#--config=}"; cat <"$2"' sh --config={} {}
	cat before.properties before.properties | cmp -s - "$out" || fail "another text"
	x --config-file server.properties --env-path CONFIG -- sh -c 'echo "$CONFIG"; sh -c "cat \$CONFIG"'
	expect_out /proc/self/fd/
	expect_out CANARY-key
}

case_several_files_are_numbered() {
	sealed
	printf 'b=CANARY-b\n' >b.properties
	x --config-file server.properties --config-file b.properties -- cat {2} {1}
	expect_rc 0
	cat b.properties before.properties | cmp -s - "$out" || fail "another text"
	x --config-file server.properties --config-file b.properties -- cat {}
	expect_rc 2
	expect_err 'which of the files is meant'
	x --config-file server.properties --config-file b.properties -- cat {1} {3}
	expect_rc 2
}

case_braces_of_the_command_can_be_kept() {
	sealed
	x --config-file server.properties --file F -- echo {{}} {a} {{1}} '{' {0} '{{'
	expect_rc 0
	expect_file "$out" '{} {a} {1} { {0} {{'
	run exec -- echo {} {1} {{}}
	expect_file "$out" '{} {1} {{}}'
}

case_the_copy_cannot_be_changed_and_has_no_name() {
	sealed
	snapshot
	x --config-file server.properties -- sh -c 'echo x >>"$1"; stat -Lc "%a %h" "$1"; cat "$1"' sh {}
	expect_rc 0
	expect_out '400 0'
	tail -n +2 "$out" | cmp -s - before.properties || fail "it was changed"
	expect_unchanged
}

case_a_copy_with_a_name_is_removed_afterwards() {
	sealed
	x --config-file server.properties --named -- \
	    sh -c 'echo "$1"; stat -c %a "$1" "$(dirname "$1")"; cat "$1"' sh {}
	expect_rc 0
	path=$(head -n 1 "$out")
	case $path in
	*/server.properties) ;;
	*) fail "the path is $path" ;;
	esac
	[ "$(sed -n 2,3p "$out")" = '600
700' ] || fail "modes"
	expect_out CANARY-key
	[ ! -e "$(dirname "$path")" ] || fail "$path is still there"
}

case_a_copy_with_a_name_goes_however_we_end() {
	local signal path
	sealed
	for signal in TERM INT HUP KILL; do
		plainly "$PROPSEAL" exec --local-secrets-file sec.properties --config-file server.properties \
		    --named -- sh -c 'echo "$1" >path.new; mv path.new path; exec sleep 30' sh {} \
		    >"$out" 2>"$err" &
		pid=$!
		until_true [ -s path ]
		path=$(cat path)
		kill -$signal $pid
		wait $pid
		until_true [ ! -e "$(dirname "$path")" ]
		rm path
	done
}

case_the_key_does_not_go_to_the_command() {
	sealed
	A=$(ref ssl.key.password) x -- sh -c 'env; cat /proc/self/environ'
	expect_rc 0
	expect_out CANARY-key
	expect_no "$CONFLUENT_SECURITY_MASTER_KEY" CONFLUENT_SECURITY
	# Nor when nothing is resolved.
	x -- env
	expect_no "$CONFLUENT_SECURITY_MASTER_KEY"
	run exec -- env
	expect_no "$CONFLUENT_SECURITY_MASTER_KEY"
}

# The variable that the secrets file names is anybody's, and may be PATH.
case_only_the_variable_of_the_key_is_dropped() {
	seal
	sed -i 's/envvar = .*/envvar = PATH/' sec.properties
	run exec --local-secrets-file sec.properties --config-file server.properties \
	    --env S=ssl.key.password -- /bin/sh -c 'echo "${PATH:?} ${CONFLUENT_SECURITY_MASTER_KEY-none}"'
	expect_rc 0
	expect_out "$PATH none"
	export OUR_KEY=$CONFLUENT_SECURITY_MASTER_KEY
	unset CONFLUENT_SECURITY_MASTER_KEY
	sed -i 's/envvar = .*/envvar = OUR_KEY/' sec.properties
	run exec --local-secrets-file sec.properties --config-file server.properties \
	    --master-key-variable OUR_KEY --env S=ssl.key.password -- /bin/sh -c 'echo "${OUR_KEY-none}"'
	expect_rc 0
	expect_out none
}

case_the_key_goes_to_the_command_when_asked_to() {
	local key=$CONFLUENT_SECURITY_MASTER_KEY
	sealed
	x --keep-key -- sh -c 'echo "$CONFLUENT_SECURITY_MASTER_KEY"'
	expect_file "$out" "$key"
	unset CONFLUENT_SECURITY_MASTER_KEY
	x --keep-key --master-key-file master.key -- sh -c 'echo "$CONFLUENT_SECURITY_MASTER_KEY"'
	expect_file "$out" "$key"
	# A key of another source is not dropped in silence where nothing says what it opens.
	unset CONFLUENT_SECURITY_MASTER_KEY
	mkdir credentials && cp master.key credentials/propseal.master-key
	CREDENTIALS_DIRECTORY=$PWD/credentials run exec --keep-key -- echo not run
	expect_rc 2
	expect_err 'give --local-secrets-file'
	CREDENTIALS_DIRECTORY=$PWD/credentials run exec --keep-key --local-secrets-file sec.properties -- \
	    sh -c 'echo "$CONFLUENT_SECURITY_MASTER_KEY"'
	expect_rc 0
	expect_out "$key"
	CONFLUENT_SECURITY_MASTER_KEY=$key run exec --keep-key -- \
	    sh -c 'echo "$CONFLUENT_SECURITY_MASTER_KEY"'
	expect_file "$out" "$key"
}

case_exit_status_is_passed_on() {
	run exec -- sh -c 'exit 42'
	expect_rc 42
	run exec -- true
	expect_rc 0
	run exec -- sh -c 'kill -TERM $$'
	expect_rc 143
	run exec -- sh -c 'kill -KILL $$'
	expect_rc 137
}

case_signals_are_passed_on() {
	local signal
	for signal in TERM INT HUP USR1 QUIT; do
		plainly "$PROPSEAL" exec -- bash -c "trap 'echo got $signal; exit 9' $signal
		    touch ready; while :; do sleep 0.05; done" >"$out" 2>"$err" &
		pid=$!
		until_true [ -e ready ]
		kill -$signal $pid
		wait $pid
		rc=$?
		expect_rc 9
		expect_out "got $signal"
		rm ready
	done
}

case_a_signal_without_a_trap_ends_both() {
	"$PROPSEAL" exec -- sh -c 'echo $$ >child.new; mv child.new child; exec sleep 30' &
	pid=$!
	until_true [ -s child ]
	kill -TERM $pid
	wait $pid
	rc=$?
	expect_rc 143
	if kill -0 "$(cat child)" 2>/dev/null; then fail "the command still runs"; fi
}

case_the_command_ends_when_we_are_killed() {
	"$PROPSEAL" exec -- sh -c 'echo $$ >child.new; mv child.new child; exec sleep 30' &
	pid=$!
	until_true [ -s child ]
	kill -KILL $pid
	wait $pid
	until_true is_gone "$(cat child)"
}

case_ignored_signals_stay_ignored() {
	(
		trap '' HUP PIPE
		run exec -- grep SigIgn /proc/self/status
		expect_rc 0
		# HUP is bit 0, PIPE is bit 12.
		[ $(($(sed 's/.*\(....\)$/0x\1/' "$out") & 0x1001)) -eq $((0x1001)) ] || fail "reset"
	) || exit 1
	run exec -- grep SigIgn /proc/self/status
	[ $(($(sed 's/.*\(....\)$/0x\1/' "$out") & 0x1000)) -eq 0 ] || fail "PIPE is ignored"
	run exec -- grep SigBlk /proc/self/status
	expect_out 0000000000000000
}

case_limits_and_mask_are_those_of_the_caller() {
	umask 027
	ulimit -Sn 77
	ulimit -Sc "$(ulimit -Hc)"
	run exec -- sh -c 'umask; ulimit -Sn; ulimit -Sc; ulimit -Hc'
	expect_rc 0
	expect_file "$out" "0027
77
$(ulimit -Sc)
$(ulimit -Hc)"
}

case_the_command_can_be_traced_again() {
	[ -r /proc/self/limits ] || return 0
	run exec -- sh -c 'stat -c %u /proc/$$/environ'
	expect_file "$out" "$(id -u)"
}

case_no_descriptor_but_its_own_is_inherited() {
	sealed
	A=$(ref ssl.key.password) x --config-file server.properties --file F -- \
	    sh -c 'ls -l /proc/$$/fd'
	expect_rc 0
	[ "$(grep -c memfd "$out")" -eq 1 ] || fail "not one descriptor of a copy"
	if grep -q -e properties -e propseal-lock "$out"; then fail "a file is open"; fi
}

case_no_secret_is_on_a_command_line() {
	sealed
	A=$(ref ssl.key.password) x --config-file server.properties --env B=sasl.secret -- \
	    sh -c 'tr "\0" " " </proc/$PPID/cmdline; tr "\0" " " </proc/$$/cmdline' sh {}
	expect_rc 0
	expect_no CANARY
	expect_out /proc/self/fd/
}

is_closed() {
	[ "$(stat -c %U "/proc/$pid/environ")" = root ] && [ -e ready ]
}

# How often a process and its children have a text in memory or environment.
count_in() {
	python3 - "$@" <<-'END'
		import os
		import sys
		texts = [t.encode() for t in sys.argv[2:]]
		found = 0

		def look(pid):
		    global found
		    data = open(f'/proc/{pid}/environ', 'rb').read()
		    found += sum(data.count(t) for t in texts)
		    with open(f'/proc/{pid}/mem', 'rb', 0) as mem:
		        for line in open(f'/proc/{pid}/maps'):
		            span, mode = line.split()[:2]
		            a, b = (int(x, 16) for x in span.split('-'))
		            if 'r' not in mode or '[v' in line or b - a > 1 << 28:
		                continue
		            try:
		                mem.seek(a)
		                data = mem.read(b - a)
		                found += sum(data.count(t) for t in texts)
		            except OSError:
		                pass

		look(sys.argv[1])
		for child in open(f'/proc/{sys.argv[1]}/task/{sys.argv[1]}/children').read().split():
		    if os.readlink(f'/proc/{child}/exe') == os.readlink(f'/proc/{sys.argv[1]}/exe'):
		        look(child)
		print(found)
	END
}

case_nothing_of_a_secret_stays_with_us() {
	local arguments
	# Only root may look.
	[ "$(id -u)" -eq 0 ] && [ -r "/proc/$$/task/$$/children" ] || return 0
	# A sanitizer keeps a copy of the environment for itself.
	if grep -q __asan_init "$PROPSEAL"; then return 0; fi
	sealed
	while read -r -a arguments; do
		A=$(ref ssl.key.password) "$PROPSEAL" exec "${arguments[@]}" -- \
		    sh -c 'touch ready; exec sleep 30' &
		pid=$!
		until_true is_closed
		found=$(count_in "$pid" CANARY-key "$CONFLUENT_SECURITY_MASTER_KEY")
		[ "$(count_in "$pid" local-secrets-file)" -gt 0 ] || fail "nothing is found at all"
		kill $pid
		wait $pid
		rm ready
		[ "$found" = 0 ] || fail "$found times in memory with ${arguments[*]}"
	done <<-'END'
		--local-secrets-file sec.properties
		--local-secrets-file sec.properties --config-file server.properties --file F
		--local-secrets-file sec.properties --config-file server.properties --file F --named
		--local-secrets-file sec.properties --keep-key
	END
	"$PROPSEAL" exec -- sh -c 'touch ready; exec sleep 30' &
	pid=$!
	until_true is_closed
	found=$(count_in "$pid" "$CONFLUENT_SECURITY_MASTER_KEY")
	kill $pid
	wait $pid
	[ "$found" = 0 ] || fail "the key is in memory although nobody needed it"
}

case_a_dangling_reference_stops_it() {
	sealed
	A=$(ref nope) x -- echo run
	expect_rc 125
	expect_err 'propseal: the environment: "A": dangling reference'
	sed -i '/ssl.key.password/d' sec.properties
	x --config-file server.properties -- cat {}
	expect_rc 125
	expect_err 'server.properties:5: "ssl.key.password": dangling reference'
	expect_no run CANARY
}

case_a_wrong_key_stops_it() {
	sealed
	echo bm90IHRoZSBrZXkgb2YgdGhpcyBzZWNyZXRzIGZpbGU= >wrong.key
	A=$(ref ssl.key.password) x --master-key-file wrong.key -- echo run
	expect_rc 125
	unset CONFLUENT_SECURITY_MASTER_KEY
	A=$(ref ssl.key.password) x -- echo run
	expect_rc 125
	expect_err 'no master key'
	expect_no run
}

case_a_value_with_a_nul_cannot_be_a_variable() {
	printf 'n.password=CANARY\\u0000x\n' >n.properties
	on n.properties encrypt
	expect_rc 0
	x --config-file n.properties --env N=n.password -- echo run
	expect_rc 125
	expect_err 'the value has a NUL'
	expect_no run CANARY
	x --config-file n.properties -- cat {}
	expect_rc 0
	expect_out 'n.password=CANARY\u0000x'
}

case_a_value_too_long_for_a_variable_is_said() {
	python3 -c 'print("n.password=CANARY" + 200000 * "x")' >n.properties
	on n.properties encrypt
	expect_rc 0
	x --config-file n.properties --env N=n.password -- echo run
	expect_rc 126
	expect_err 'Argument list too long'
	expect_err 'give the command a file'
	x --config-file n.properties -- wc -c {}
	expect_rc 0
	expect_out 200018
}

case_commands_that_cannot_run() {
	sealed
	PATH=/usr/bin:/bin run exec -- no-such-command-here
	expect_rc 127
	expect_err 'no-such-command-here: no such command'
	run exec -- ./server.properties
	expect_rc 126
	expect_err 'Permission denied'
	run exec -- /
	expect_rc 126
}

case_json_has_the_status_too() {
	PATH=/usr/bin:/bin run exec -o json -- no-such-command-here
	expect_rc 127
	expect_json "$err" 'd["error"]["exit"]' 127
	A='${securepass:/nowhere/s:server.properties/x}' run exec -o json -- true
	expect_rc 125
	expect_json "$err" 'd["error"]["exit"]' 125
}

# In a container propseal may be the first process, which is given orphans.
case_the_first_process_leaves_no_zombies() {
	local alone=(unshare --user --map-root-user --pid --fork --mount-proc)
	"${alone[@]}" true 2>/dev/null || return 0
	"${alone[@]}" "$PROPSEAL" exec -- sh -c '
		(sleep 0.1 & sleep 0.2 &)
		sleep 0.6
		for p in /proc/[0-9]*; do grep "^State:.*Z" "$p/status"; done
		exit 7' >"$out" 2>"$err"
	rc=$?
	expect_rc 7
	expect_silent
}

case_usage() {
	sealed
	run exec
	expect_rc 2
	run exec --
	expect_rc 2
	x --config-file server.properties -- true
	expect_rc 2
	expect_err 'the command gets nothing of this --config-file'
	x --env A=b -- true
	expect_rc 2
	expect_err 'without a --config-file before it'
	x --config-file server.properties --env 1A=log.dirs -- true
	expect_rc 2
	x --config-file server.properties --env A -- true
	expect_rc 2
	x --config-file server.properties --file A=b -- true
	expect_rc 2
	x --config-file server.properties --env A=nope -- true
	expect_rc 125
	expect_err 'server.properties: "nope": this configuration key is not present'
	x --config-file sec.properties --file A -- true
	expect_rc 125
	run exec --help
	expect_rc 0
	expect_out 'usage: propseal exec -- COMMAND [ARGUMENT...] [flags]'
}

case_flags_of_the_command_are_its_own() {
	run exec -- echo --help -o json --version
	expect_rc 0
	expect_file "$out" '--help -o json --version'
	run exec -- sh -c 'echo -- "$@"' sh -- x
	expect_file "$out" '-- -- x'
}

case_on_a_terminal_the_interrupt_comes_once() {
	python3 "$here/on_terminal.py" 'ready' '\x03' -- "$PROPSEAL" exec -- bash -c \
	    'n=0; trap "n=\$((n + 1))" INT; echo ready; sleep 0.5; sleep 0.5; echo "got $n"' \
	    >"$out" 2>&1
	rc=$?
	expect_rc 0
	expect_out 'got 1'
}

case_on_a_terminal_it_stops_and_continues_with_the_command() {
	python3 "$here/on_terminal.py" 'ready' '\x1a' 'stopped' '' 'line: ' 'x\n' -- \
	    "$PROPSEAL" exec -- bash -c 'echo ready; sleep 0.5; read -p "line: " x; echo "<$x>"' \
	    >"$out" 2>&1
	rc=$?
	expect_rc 0
	expect_out '<x>'
}

run_cases "$@"
