# shellcheck shell=bash
# What the torture tests share.  To be sourced, with the program as $1.

passed=0 failed=0 skipped=0
here=$PWD

# Last line, exit status.
torture_end() {
	trap - EXIT
	cd / || exit 1
	rm -rf "$work"
	local more=
	[ "$skipped" -eq 0 ] || more=", $skipped skipped"
	echo "$passed passed, $failed failed$more"
	[ "$failed" -eq 0 ]
	exit
}

torture_skip() {
	echo "skipped: $1"
	skipped=$((skipped + 1))
	torture_end
}

# torture_start PROGRAM: a folder to work in.
torture_start() {
	program=$1
	case $program in
	/*) ;;
	*) program=$here/$program ;;
	esac
	[ -x "$program" ] || { echo "usage: $0 PROGRAM" >&2; exit 2; }
	work=$(mktemp -d "${TMPDIR:-/tmp}/propseal-torture.XXXXXX") || exit 1
	trap 'cd /; rm -rf "$work" "$work.state"' EXIT
	trap 'exit 130' INT TERM HUP
	cd "$work" || exit 1
	umask 022
	unset CREDENTIALS_DIRECTORY
	export XDG_STATE_HOME=$work.state
	# Leak checks need ptrace, which strace has.
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
}

need_strace() {
	command -v strace >/dev/null || torture_skip "strace is not installed"
	strace -qq -o /dev/null true 2>/dev/null || torture_skip "strace may not trace here"
}

need_openssl() {
	command -v openssl >/dev/null || torture_skip "openssl is not installed"
}

pass() {
	passed=$((passed + 1))
}

# fail TEXT
fail() {
	failed=$((failed + 1))
	echo "FAIL $1"
}

# --- the estate: three clear-text secrets, two sealed, in two files ---

secret_keys=(ssl.keystore.password ssl.key.password listener.ssl.truststore.password)
secret_values=(Keystore-pw-1 'Key:pw=2 #x' Truststore-pw-3)
client_keys=(sasl.password ssl.password)
client_values=(Client-pw-4 Client-pw-5)

server=server.properties client=client.properties secrets=secrets.properties
remote=/etc/kafka/secrets.properties

write_configs() {
	cat >"$server" <<-END
		# the broker, café
		broker.id=1

		${secret_keys[0]}=${secret_values[0]}
		  log.dirs : /var/lib/kafka\\
		    /data
		${secret_keys[1]}=${secret_values[1]}
		! ${secret_keys[2]} below
		${secret_keys[2]}=${secret_values[2]}
		zookeeper.connect=localhost\:2181
	END
	cat >"$client" <<-END
		${client_keys[0]}=${client_values[0]}
		${client_keys[1]}=${client_values[1]}
	END
}

# The key in the table that `master-key generate` and `rotate` print.
printed_key() {
	sed -n 's/^| Master Key | \([^ ]*\) |$/\1/p'
}

seal_file() {
	"$program" file encrypt --config-file "$1" --local-secrets-file "$secrets" \
	    --remote-secrets-file "$remote"
}

# Makes the folders plain (server is clear text) and sealed (nothing is).
make_fixtures() {
	printf 'first passphrase\n' >old.pass
	printf 'second passphrase\n' >new.pass
	mkdir plain sealed
	cd plain || exit 1
	write_configs
	old_key=$("$program" master-key generate --local-secrets-file "$secrets" \
	    --passphrase @../old.pass 2>/dev/null | printed_key)
	export CONFLUENT_SECURITY_MASTER_KEY=$old_key
	if [ -z "$old_key" ] || ! seal_file "$client" 2>../log; then
		cat ../log
		echo "cannot make the fixture"
		exit 1
	fi
	cp -a . ../sealed
	cd ../sealed || exit 1
	seal_file "$server" || exit 1
	cd ..
}

# fixture NAME: a fresh copy of it to work in, run/.
fixture() {
	rm -rf run "$work.state"
	cp -a "$1" run
}

# --- the commands that change files, run in run/ ---
# Each takes what to run it behind: strace and its flags, or nothing.

do_encrypt() {
	"$@" "$program" file encrypt --config-file "$server" --local-secrets-file "$secrets" \
	    --remote-secrets-file "$remote"
}
do_remove() {
	"$@" "$program" file remove --config-file "$server" --local-secrets-file "$secrets" \
	    --config "${secret_keys[0]},${secret_keys[2]}"
}
do_remove_orphans() {
	"$@" "$program" file remove --config-file "$server" --local-secrets-file "$secrets" \
	    --config "${secret_keys[0]},${secret_keys[2]}" --orphan
}
do_rotate_data_key() {
	"$@" "$program" file rotate --data-key --local-secrets-file "$secrets" \
	    --passphrase @../old.pass
}
do_rotate_master_key() {
	"$@" "$program" file rotate --master-key --local-secrets-file "$secrets" \
	    --passphrase @../old.pass --passphrase-new @../new.pass
}

# in_run COMMAND PREFIX...: output to the files out and err, status to $status.
in_run() {
	status=0
	(cd run && "$@") >out 2>err </dev/null || status=$?
}

# --- what must hold ---

# The master key that ../new.pass gives under the file's salt.
derive_new_key() {
	local salt
	salt=$(sed -n 's/^_metadata\.master_key\.0\.salt *= *//p' "run/$secrets")
	openssl kdf -keylen 32 -kdfopt digest:SHA512 -kdfopt pass:'second passphrase' \
	    -kdfopt "salt:$salt" -kdfopt iter:220000 -binary PBKDF2 2>/dev/null | openssl base64 -A
}

opened() {
	(cd run && "$program" file decrypt --config-file "$1" --local-secrets-file "$secrets" \
	    --output-file -) 2>/dev/null
}

# Where a secret is: plain, sealed (and opens), gone (no such key), or lost.
place_of() {
	local file=$1 key=$2 value=$3 text=$4
	if grep -qxF -- "$key=$value" "run/$file"; then
		echo plain
	elif ! grep -qF -- "$key=" "run/$file"; then
		echo gone
	elif printf '%s\n' "$text" | grep -qxF -- "$key = $value"; then
		echo sealed
	else
		echo lost
	fi
}

# The places of all five secrets, such as "plain plain plain sealed sealed".
places() {
	local text i all=
	text=$(opened "$server")
	for i in 0 1 2; do
		all+="$(place_of "$server" "${secret_keys[i]}" "${secret_values[i]}" "$text") "
	done
	text=$(opened "$client")
	for i in 0 1; do
		all+="$(place_of "$client" "${client_keys[i]}" "${client_values[i]}" "$text") "
	done
	echo "${all% }"
}

# Files of run/ whose bytes are those of a fixture, such as "server client".
same_as() {
	local file all=
	for file in "$server" "$client" "$secrets"; do
		! cmp -s "$1/$file" "run/$file" || all+="${file%.properties} "
	done
	echo "${all% }"
}

# Names in run/ beyond the three files.
leftovers() {
	(cd run && find . ! -name . ! -name "$server" ! -name "$client" ! -name "$secrets" \
	    -printf '%f ')
}

# --- strace ---

# Everything that can change a file or a name, or give a descriptor away.
# (`?`: not every architecture has it.)
file_calls='openat,?open,?creat,write,pwrite64,writev,?pwritev,ftruncate,?truncate,fallocate'
file_calls+=',linkat,?link,symlinkat,?symlink,renameat2,?renameat,?rename,unlinkat,?unlink'
file_calls+=',fsync,fdatasync,syncfs,fchmod,fchmodat,?chmod,fchown,fchownat,?chown'
file_calls+=',fsetxattr,setxattr,fremovexattr,fcntl,flock,close'

# calls FIXTURE COMMAND: "NAME ORDINAL" of each such call that the command
# makes once it has started (it begins by hardening itself).
calls() {
	fixture "$1"
	in_run "$2" strace -f -qq -o ../trace -e "trace=$file_calls,prctl,exit_group"
	[ "$status" -eq 0 ] || { cat err >&2; return 1; }
	awk '{
		sub(/^[0-9]+ +/, "")
		name = $0
		if (!sub(/\(.*/, "", name) || name !~ /^[a-z_0-9]+$/)
			next
		n[name]++
		if (name == "prctl" && /PR_SET_DUMPABLE/)
			started = 1
		else if (started && name != "prctl")
			print name, n[name]
	}' trace
}
