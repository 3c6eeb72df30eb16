#!/usr/bin/env bash
# Completion scripts for bash, zsh and fish, made from the command table.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC1003
. "$(dirname "$0")/lib.sh"

# Words of the command table: every command, as `group name` or `name`.
commands() {
	{ "$PROPSEAL" --help && "$PROPSEAL" registry --help; } |
	    sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\) .*/\1/p' |
	    sed 's/ *$//' | grep -v -x -e help -e version -e registry
}

# with_bash WORD...: what bash is offered for the last word, sorted, in $offered.
with_bash() {
	[ -e ../script ] || "$PROPSEAL" completion bash >../script
	offered=$(bash --norc --noprofile -c '
		. ../script
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_propseal
		[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"
	' bash "$PROPSEAL" "$@" 2>../errors | sort | tr '\n' ' ')
	offered=${offered% }
	[ ! -s ../errors ] || fail "bash says: $(cat ../errors)"
}

expect_offer() {
	[ "$offered" = "$1" ] || fail "offered: $offered; expected: $1"
}

expect_offered() {
	case " $offered " in
	*" $1 "*) ;;
	*) fail "offered: $offered; not: $1" ;;
	esac
}

case_bash_completes_commands() {
	with_bash fil
	expect_offer file
	with_bash ''
	expect_offered config
	expect_offered completion
	expect_offered help
	with_bash file e
	expect_offer encrypt
	with_bash file ''
	expect_offered rotate
	expect_offered show
	with_bash secret file dec
	expect_offer decrypt
	with_bash config ''
	expect_offer 'check show'
	with_bash registry un
	expect_offer undelete
	with_bash registry role ''
	expect_offer 'define grant list remove revoke show'
	with_bash registry put s
	expect_offer ''
	with_bash registry validate s
	expect_offer 'sec.properties server.properties'
	with_bash registry put --ca pa
	expect_offer pass
	with_bash completion ''
	expect_offer 'bash fish zsh'
}

case_bash_completes_what_follows_an_action() {
	with_bash registry role grant Connect
	expect_offer 'ConnectManager ConnectWorker'
	with_bash registry role grant ConnectWorker ''
	expect_offer ''
	with_bash registry user add ''
	expect_offer ''
	with_bash help registry un
	expect_offer undelete
	with_bash help 'fi'
	expect_offer file
	with_bash help file encrypt ''
	expect_offer ''
	with_bash file show --col
	expect_offer --color
	with_bash file show --color n
	expect_offer never
}

case_bash_offers_paths_in_place_of_a_command() {
	with_bash serv
	expect_offer server.properties
}

case_bash_completes_flags_of_the_command() {
	with_bash file encrypt --loc
	expect_offer '--local-secrets-file --lock-timeout'
	with_bash file encrypt --re
	expect_offer '--remote-secrets-file --replace'
	with_bash file show --re
	expect_offer --reveal
	# Behind other flags, with values that look like commands.
	with_bash file rotate --passphrase show --local-secrets-file file --data
	expect_offer --data-key
}

case_bash_completes_values_by_their_kind() {
	mkdir folder
	with_bash file encrypt --config-file ser
	expect_offer server.properties
	with_bash file encrypt -o ''
	expect_offer 'human json'
	with_bash master-key generate --output ''
	expect_offer 'human json yaml'
	with_bash file encrypt --cipher g
	expect_offer gcm
	with_bash file encrypt --lock-timeout ''
	expect_offer ''
	with_bash file show s
	expect_offer 'sec.properties server.properties'
}

case_bash_takes_words_apart_as_bash_does() {
	with_bash file encrypt --output =
	expect_offer 'human json'
	with_bash file encrypt --output = j
	expect_offer json
	with_bash file encrypt --config-file = ser
	expect_offer server.properties
	with_bash master-key generate --passphrase @ pa
	expect_offer pass
	with_bash master-key generate --passphrase =@ pa
	expect_offer pass
	with_bash master-key generate --passphrase pa
	expect_offer ''
}

case_bash_completes_keys_of_the_file() {
	with_bash file encrypt --config-file server.properties --config ssl.
	expect_offer 'ssl.key.password ssl.keystore.password'
	with_bash file encrypt --config-file = server.properties --config sasl.secret,ssl.key.
	expect_offer sasl.secret,ssl.key.password
	with_bash file update --config-file server.properties --config ssl.key.
	expect_offer ssl.key.password=
	with_bash file encrypt --config-file gone.properties --config ssl.
	expect_offer ''
	with_bash file encrypt --config ssl.
	expect_offer ''
}

case_bash_runs_nothing_that_stands_in_a_key() {
	cat >evil.properties <<-'END'
		a$(touch${IFS}HACKED)=1
		b`touch\ HACKED`=1
		c;touch=1
		d\ e=1
		fine.key=1
	END
	with_bash file encrypt --config-file evil.properties --config ''
	expect_offer fine.key
	[ ! -e HACKED ] || fail 'a command in a key was run'
}

case_bash_keeps_blanks_in_file_names() {
	touch 'two words.properties'
	with_bash file show two
	expect_offer 'two words.properties'
}

case_bash_really_completes_on_a_terminal() {
	"$PROPSEAL" completion bash >script
	mkdir bin
	ln -s "$PROPSEAL" bin/propseal
	PATH=$PWD/bin:$PATH python3 - <<-'END' >"$out" 2>"$err" || fail 'no answer'
		import fcntl, os, pty, select, struct, sys, termios, time
		pid, fd = pty.fork()
		if pid == 0:
		    # Wide, as at the edge the shell draws in more than one piece.
		    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 250, 0, 0))
		    os.environ['PS1'] = 'ready> '
		    os.environ['INPUTRC'] = '/dev/null'
		    os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
		seen = b''
		def until(text):
		    global seen
		    end = time.time() + 20
		    while text not in seen:
		        if time.time() > end:
		            sys.exit('no %r in %r' % (text, seen))
		        if select.select([fd], [], [], 0.1)[0]:
		            seen += os.read(fd, 4096)
		    seen = seen[seen.index(text) + len(text):]
		until(b'ready> ')
		os.write(fd, b'. ./script\n')
		until(b'ready> ')
		for typed, rest in [
		        (b'propseal fi', b'le '), (b'encr', b'ypt '), (b'--config-fi', b'le '),
		        (b'server.prop', b'erties '), (b'--config ssl.key.', b'password'),
		        (b',sasl.s', b'ecret'), (b' --output=js', b'on '),
		        (b'--master-key-file mas', b'ter.key ')]:
		    os.write(fd, typed + b'\t')
		    until(typed + rest)
		os.write(fd, b'\x15propseal master-key generate --passphrase @pa\t')
		until(b'@pass ')
		os.write(fd, b'\x15exit\n')
		print('completed')
	END
	expect_out completed
}

# with_zsh WORD...: what the script for zsh offers for the last word, one a line,
# in the file offered; compadd and its friends are stand-ins that print.
with_zsh() {
	[ -e ../_propseal ] || "$PROPSEAL" completion zsh >../_propseal
	zsh -f -c '
		compdef() { : }
		compset() { PREFIX=${PREFIX#${~2}} }
		_files() { print -r -- FILES }
		_normal() { print -r -- COMMAND $words }
		_describe() { print -rl -- ${(P)5} }
		. ../_propseal
		words=("$@") CURRENT=$# PREFIX=$words[-1]
		_propseal
	' zsh "$PROPSEAL" "$@" >offered 2>../errors
	[ ! -s ../errors ] || fail "zsh says: $(cat ../errors)"
}

# with_fish LINE: what fish offers at the end of it, one a line, in the file offered.
with_fish() {
	[ -e ../propseal.fish ] || "$PROPSEAL" completion fish >../propseal.fish
	HOME=$PWD fish -N -c "source ../propseal.fish
	    complete -C '$1'" >offered 2>"$err"
}

case_every_shell_has_every_command_and_flag() {
	local group name flag
	mkdir -p bin
	ln -s "$PROPSEAL" bin/propseal
	PATH=$PWD/bin:$PATH
	commands >list
	[ "$(wc -l <list)" -ge 12 ] || fail 'too few commands'
	while read -r group name; do
		"$PROPSEAL" $group $name --help |
		    sed -n '/^Flags:/,$s/^ .*--\([a-z-]*\).*/\1/p' >flags
		with_bash $group $name
		expect_offered "${name:-$group}"
		with_bash "$group" $name --
		while read -r flag; do
			expect_offered "--$flag"
		done <flags
		if command -v zsh >/dev/null; then
			with_zsh $group $name
			expect_in offered "${name:-$group}:"
			with_zsh "$group" $name --
			while read -r flag; do
				expect_in offered "--$flag:"
			done <flags
		fi
		command -v fish >/dev/null || continue
		with_fish "propseal $group${name:+ $name}"
		expect_in offered "${name:-$group}"
		with_fish "propseal $group${name:+ $name} --"
		while read -r flag; do
			expect_in offered "--$flag"
		done <flags
	done <list
	grep -q __complete list && fail 'a hidden command is listed'
	true
}

case_zsh_completes_by_kind() {
	command -v zsh >/dev/null || return 0
	with_zsh ser
	expect_in offered FILES
	expect_in offered 'config:commands: config ...'
	with_zsh secret file encrypt --config-file=ser
	expect_in offered FILES
	with_zsh file encrypt -o ''
	[ "$(tr '\n' ' ' <offered)" = 'human json ' ] || fail '-o'
	with_zsh file update --config-file server.properties --config ''
	expect_in offered ssl.key.password=
	with_zsh file encrypt --config-file server.properties --config ssl.key.password,
	expect_in offered sasl.secret
	with_zsh exec --env A=b -- env gre
	expect_in offered 'COMMAND env gre'
}

# A word of the line may be a passphrase: no process has it in its arguments.
case_words_are_not_in_argv() {
	local shell
	cat >spy <<-'END'
		#!/bin/sh
		printf '%s\n' "$*" >>"$SPIED"
		exec cat >/dev/null
	END
	chmod +x spy
	export SPIED=$PWD/spied
	"$PROPSEAL" completion bash >../script
	bash --norc --noprofile -c '
		. ../script
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_propseal
	' bash "$PWD/spy" file rotate --passphrase CANARY --d
	expect_in spied '__complete -'
	! grep CANARY spied || fail 'a passphrase is in the arguments'
}

case_scripts_are_clean() {
	"$PROPSEAL" completion bash >script.bash
	bash -n script.bash || fail 'bash -n'
	if command -v shellcheck >/dev/null; then
		shellcheck -S warning -s bash script.bash >"$out" || fail 'shellcheck'
	fi
}

case_zsh_takes_its_script() {
	command -v zsh >/dev/null || return 0
	"$PROPSEAL" completion zsh >_propseal
	zsh -n _propseal || fail 'zsh -n'
	zsh -f -c 'autoload -U compinit && compinit -u -D && . ./_propseal &&
	    [[ $_comps[propseal] = _propseal ]]' 2>"$err" || fail 'zsh did not take it'
}

case_fish_takes_its_script() {
	command -v fish >/dev/null || return 0
	mkdir bin
	ln -s "$PROPSEAL" bin/propseal
	"$PROPSEAL" completion fish >propseal.fish
	fish -n propseal.fish || fail 'fish -n'
	offers() {
		HOME=$PWD PATH=$PWD/bin:$PATH fish -N -c "source propseal.fish
		    complete -C '$1'" 2>"$err" | cut -f 1 | sort | tr '\n' ' '
	}
	[ "$(offers 'propseal file e')" = 'encrypt ' ] || fail "file e: $(offers 'propseal file e')"
	[ "$(offers 'propseal secret config ')" = 'check show ' ] || fail 'config'
	[ "$(offers 'propseal file encrypt -o ')" = 'human json ' ] || fail '-o'
	[ "$(offers 'propseal file update --config-file server.properties --config ssl.key.')" = \
	    'ssl.key.password= ' ] || fail 'keys'
	[ "$(offers 'propseal file show serv')" = 'server.properties ' ] || fail 'files'
	[ "$(offers 'propseal master-key generate --passphrase @pa')" = '@pass ' ] || fail '@FILE'
}

case_unknown_shell_is_a_usage_error() {
	run completion tcsh
	expect_rc 2
	expect_err 'it takes bash|zsh|fish'
	run completion
	expect_rc 2
}

case_keys_are_printed_without_a_word_on_errors() {
	run __complete server.properties
	expect_rc 0
	expect_out ssl.key.password
	expect_no CANARY
	run __complete gone.properties
	expect_rc 1
	expect_silent
	run --help
	expect_no __complete
	run __complet
	expect_rc 2
	expect_no 'did you mean `propseal __complete'
}

run_cases "$@"
