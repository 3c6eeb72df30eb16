#!/usr/bin/env bash
# Let each system call that touches a file fail, one after the other.
#
# usage: tests/torture/fault_sweep.sh PROGRAM
#
# A command whose call fails either says so, exits 1 and leaves every file as
# it was, byte for byte, with nothing beside them; or it did all of its work
# in spite of it.  Each failed call is one test.  On a disk that is full, and
# on files that are read-only, the message must say why.
set -u
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
torture_start "${1:-build/propseal}"
need_openssl
make_fixtures

# untouched FIXTURE: all is as it was; else sets $why.
untouched() {
	local left
	left=$(leftovers)
	# The lock's sidecar may stay when locking or removing it is what failed.
	[[ $1 =~ unlinkat|fcntl ]] || [ -z "$left" ] || why="left behind: $left"
	[[ $left != *-tmp* ]] || why="left behind: $left"
	[ "$(same_as "${1%% *}")" = "server client secrets" ] ||
	    why="not as before: only $(same_as "${1%% *}") unchanged"
	[ -z "$why" ]
}

# said WORD...: the error names a file, says why, and no secret; else sets $why.
said() {
	local word value
	grep -q '^propseal: .*: ' err || why="no message: $(cat err)"
	for word; do
		grep -qi -- "$word" err || why="the message does not say '$word': $(cat err)"
	done
	for value in "${secret_values[@]}" "${client_values[@]}" "$old_key"; do
		! grep -qF -- "$value" err out || why="the message tells a secret"
	done
	[ -z "$why" ]
}

# finished NAME: all of its work is done; else sets $why.
finished() {
	local expect="sealed sealed sealed sealed sealed"
	[ "$1" != remove ] || expect="gone sealed gone sealed sealed"
	[ "$(places)" = "$expect" ] || why="exit $status and $(places)"
	cmp -s "run/$server" "$1.server" || why="exit $status and $server is not right"
	[ -z "$why" ]
}

# fail_at NAME FIXTURE CALL ORDINAL ERROR
fail_at() {
	local why=''
	fixture "$2"
	export CONFLUENT_SECURITY_MASTER_KEY=$old_key
	in_run "do_$1" strace -f -qq -o /dev/null -e "trace=$3" -e "inject=$3:error=$5:when=$4"
	if [ "$status" -eq 0 ]; then
		succeeded=$((succeeded + 1))
		[ "$1" != rotate_master_key ] || CONFLUENT_SECURITY_MASTER_KEY=$(printed_key <out)
		finished "$1"
	elif [ "$status" -ne 1 ]; then
		why="exit $status: $(cat err)"
	elif [ "$1 $3" = "rotate_master_key write" ] && grep -q "standard output" err; then
		# The key could not be shown; the passphrase gives it.
		CONFLUENT_SECURITY_MASTER_KEY=$(derive_new_key)
		said "in force" && finished "$1"
	else
		said && untouched "$2 $3"
	fi
	if [ -z "$why" ]; then
		pass
	else
		fail "$1: $5 at $3 $4: $why"
	fi
}

# Which errors a call may give.
errors_of() {
	case $1 in
	close | fcntl | fchmod* | fchown*) echo EIO ;;
	exit_group | fadvise64) ;;
	*) echo ENOSPC EIO ;;
	esac
}

# sweep NAME FIXTURE
sweep() {
	local call n error count=0 before=$failed
	succeeded=0
	export CONFLUENT_SECURITY_MASTER_KEY=$old_key
	if ! calls "$2" "do_$1" >points; then
		fail "$1 does not run"
		return
	fi
	cp "run/$server" "$1.server"
	while read -r call n; do
		for error in $(errors_of "$call"); do
			count=$((count + 1))
			fail_at "$1" "$2" "$call" "$n" "$error"
		done
	done <points
	[ "$count" -gt 20 ] || fail "$1: only $count calls could fail"
	printf '%-17s %3d failed calls, %d in spite of which all was done, %d failures\n' \
	    "${1//_/ }" "$count" "$succeeded" "$((failed - before))"
}

# refused TITLE FIXTURE WORD...: the command that ran left all as it was and said so.
refused() {
	local title=$1 from=$2 why=''
	shift 2
	if [ "$status" -ne 1 ]; then
		why="exit $status"
	else
		said "$@" && untouched "$from"
	fi
	if [ -z "$why" ]; then
		pass
		printf '%s: %s\n' "$title" "$(head -n 1 err)"
	else
		fail "$title: $why"
	fi
}

read_only() {
	local command from
	for command in encrypt remove; do
		from=sealed
		[ "$command" != encrypt ] || from=plain
		fixture "$from"
		chmod 0444 "run/$secrets"
		in_run "do_$command"
		refused "read-only secrets file, ${command//_/ }" "$from" "$secrets" read-only
	done
	fixture plain
	chmod 0444 "run/$server"
	in_run do_encrypt
	refused "read-only configuration" plain "$server" read-only
}

# How to get mounts of our own: as root, or as root of a user namespace.
own_mounts() {
	local how
	for how in -m -rm; do
		if unshare $how mount -t tmpfs none "$work" 2>/dev/null; then
			echo "$how"
			return
		fi
	done
}

full_disk() {
	local command
	mounts=$(own_mounts)
	if [ -z "$mounts" ]; then
		echo "skipped: full disk (may not mount)"
		skipped=$((skipped + 1))
		return
	fi
	for command in encrypt remove rotate_data_key rotate_master_key; do
		from=sealed
		[ "$command" != encrypt ] || from=plain
		rm -rf run
		mkdir run
		in_run "do_$command" on_full_disk
		rm -rf run
		mv kept run
		refused "full disk, ${command//_/ }" "$from" "no space left" "free space"
	done
}

# Run "$@" in $from on a tmpfs that has no page left; what is then there goes to kept/.
# shellcheck disable=SC2317 # called by in_run
on_full_disk() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare "$mounts" bash -c '
		mount -t tmpfs -o size=64k none . && cd "$PWD" && cp -a "$1/." . || exit 99
		cat /dev/zero >full 2>/dev/null
		"${@:2}"
		status=$?
		rm full
		cp -a . "$0"
		exit $status' "$work/kept" "$work/$from" "$@"
}

if command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
	sweep encrypt plain
	sweep remove sealed
	sweep rotate_data_key sealed
	sweep rotate_master_key sealed
else
	echo "skipped: calls that fail (strace is missing, or may not trace here)"
	skipped=$((skipped + 1))
fi
export CONFLUENT_SECURITY_MASTER_KEY=$old_key
read_only
full_disk
torture_end
