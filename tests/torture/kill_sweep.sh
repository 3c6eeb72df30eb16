#!/usr/bin/env bash
# Kill a command at every system call that touches a file, one after the other.
#
# usage: tests/torture/kill_sweep.sh PROGRAM
#
# After each kill every secret must be readable, or in clear text where it
# was; and the same command, run again, must finish the work and leave nothing
# behind.  (States that look the same are finished once.)  Each kill is one test.
set -u
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
torture_start "${1:-build/propseal}"
need_strace
need_openssl
make_fixtures

all_sealed="sealed sealed sealed sealed sealed"
removed="gone sealed gone sealed sealed"

# allowed NAME PLACES: may the command leave this when it is killed?
allowed() {
	case $1 in
	encrypt) [[ $2 =~ ^((plain|sealed)\ ){3}sealed\ sealed$ ]] ;;
	remove) [ "$2" = "$all_sealed" ] || [ "$2" = "$removed" ] ;;
	*) [ "$2" = "$all_sealed" ] ;;
	esac
}

has_orphans() {
	grep -qF -e "$server/${secret_keys[0]} " -e "$server/${secret_keys[2]} " "run/$secrets"
}

# Which key opens the files now?  The new one, once it was put in place.
use_key() {
	export CONFLUENT_SECURITY_MASTER_KEY=$old_key
	if [ "$1" = rotate_master_key ] && ! cmp -s "sealed/$secrets" "run/$secrets"; then
		CONFLUENT_SECURITY_MASTER_KEY=$(derive_new_key)
	fi
}

# finish NAME STATE: run the command again, as a user would; else sets $why.
finish() {
	local again=do_$1 expect=0
	if [ "$1 $2" = "remove $removed" ]; then
		# Killed between its two files, or when all was done.
		again=do_remove_orphans
		has_orphans || expect=1
	elif [ "$1" = rotate_master_key ] &&
	    [ "$CONFLUENT_SECURITY_MASTER_KEY" != "$old_key" ]; then
		expect=4	# all was done: the old passphrase is none any more
	fi
	in_run "$again"
	if [ "$status" -ne "$expect" ]; then
		why="the second run: exit $status instead of $expect: $(cat err)"
		return 1
	fi
	use_key "$1"
}

# is_finished NAME: all is as if it had never been killed; else sets $why.
is_finished() {
	local state left expect=$all_sealed
	[ "$1" != remove ] || expect=$removed
	state=$(places)
	left=$(leftovers)
	if [ "$state" != "$expect" ]; then
		why="run again: $state"
	elif [ -n "$left" ]; then
		why="run again: left behind: $left"
	elif ! cmp -s "run/$server" "$1.server"; then
		why="run again: $server differs from that of a run that was not killed"
	elif [ "$1" = remove ] && has_orphans; then
		why="run again: the orphans stay"
	elif [ "$(cd run && stat -c %a "$secrets" "$server" | tr '\n' ' ')" != "600 644 " ]; then
		why="run again: the modes differ"
	else
		return 0
	fi
	return 1
}

# kill_at NAME FIXTURE CALL ORDINAL
kill_at() {
	local state left look why
	fixture "$2"
	export CONFLUENT_SECURITY_MASTER_KEY=$old_key
	in_run "do_$1" strace -f -qq -o /dev/null -e "trace=$3" -e "inject=$3:signal=KILL:when=$4"
	if [ "$status" -ne 137 ]; then
		fail "$1: no kill at $3 $4 (exit $status)"
		return
	fi
	use_key "$1"
	# Looking removes what is left.
	left=$(leftovers)
	state=$(places)
	[[ $state != *lost* ]] || losses=$((losses + 1))
	[[ $left != *-tmp* ]] || aside=$((aside + 1))
	if ! allowed "$1" "$state"; then
		fail "$1: killed at $3 $4: $state"
		return
	fi
	look="$state / same: $(same_as "$2") / left: $left"
	if [ -z "${seen[$look]:-}" ]; then
		seen[$look]=1
		if ! finish "$1" "$state" || ! is_finished "$1"; then
			fail "$1: killed at $3 $4: $why"
			return
		fi
	fi
	pass
}

# sweep NAME FIXTURE
sweep() {
	local call n count=0 before=$failed
	declare -A seen=()
	losses=0 aside=0
	export CONFLUENT_SECURITY_MASTER_KEY=$old_key
	if ! calls "$2" "do_$1" >points; then
		fail "$1 does not run"
		return
	fi
	# What all of it makes of the configuration.
	cp "run/$server" "$1.server"
	while read -r call n; do
		count=$((count + 1))
		kill_at "$1" "$2" "$call" "$n"
	done <points
	[ "$count" -gt 20 ] || fail "$1: only $count system calls seen"
	printf '%-17s %3d kill points, %d losses, %d failures; %d states, %d kills left a file aside\n' \
	    "${1//_/ }" "$count" "$losses" "$((failed - before))" "${#seen[@]}" "$aside"
}

sweep encrypt plain
sweep remove sealed
sweep rotate_data_key sealed
sweep rotate_master_key sealed
torture_end
