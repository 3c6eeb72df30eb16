#!/usr/bin/env bash
# tutor: every lesson can be played by the lines that it shows, and tells what is not done.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

bin=$suite/bin
mkdir "$bin"
ln -s "$(cd "$(dirname "$PROPSEAL")" && pwd)/propseal" "$bin/propseal"
names='seal diff break find recover rotate restore registry'

# tutor ARGUMENT...  With a state folder of the case's own.
tutor() {
	XDG_STATE_HOME=$PWD/state run tutor "$@"
}

# The lines of the lesson's steps that are to be typed.
commands() {
	sed -n 's/^        //p' "$out"
}

# play COMMAND...  As the learner: in the scratch copy, with the program in the PATH.
play() {
	(cd state/propseal/tutor && umask 022 && PATH=$bin:$PATH sh -c "$1" >/dev/null 2>&1)
}

# A lesson: nothing is ticked before, a step is after its line, and only then the next.
lesson() {
	local line n=0
	tutor "$1"
	expect_rc 0
	commands >lines
	[ -s lines ] || fail "no lines to type"
	tutor --check
	expect_rc 3
	! grep -q '\[x\]' "$out" || fail "$1: done before anything was: $(cat "$out")"
	while IFS= read -r line; do
		play "$line"
		n=$((n + 1))
		tutor --check
		[ "$(grep -c '\[x\]' "$out")" -ge "$n" ] ||
			fail "$1: not done by: $line: $(cat "$out")"
		[ "$n" -eq "$(wc -l <lines)" ] || expect_rc 3
	done <lines
	expect_rc 0
	expect_out 'Done'
	tutor --list
	grep -q "\[x\] .* $1 " "$out" || fail "$1 is not in the list as done"
}

case_lesson_seal() { lesson seal; }
case_lesson_diff() { lesson diff; }
case_lesson_break() { lesson break; }
case_lesson_find() { lesson find; }
case_lesson_recover() { lesson recover; }
case_lesson_rotate() { lesson rotate; }
case_lesson_restore() { lesson restore; }

case_lesson_registry() {
	tutor registry
	expect_rc 0
	commands >lines
	# Any port will do: others may have the one that people get.
	sed -i 's/127.0.0.1:8082 >/127.0.0.1:0 >/' lines
	play "$(sed -n 1p lines)"
	tutor --check
	expect_rc 3
	play "$(sed -n 2p lines | sed 's/&$/\& echo $! > pid/')"
	until_true grep -q 'listening on' state/propseal/tutor/serve.log
	where=$(sed -n 's/.*listening on //p' state/propseal/tutor/serve.log)
	tutor --check
	expect_rc 3
	play "$(sed -n 3p lines | sed "s/127.0.0.1:8082/$where/")"
	tutor --check
	service=$(cat state/propseal/tutor/pid)
	kill "$service"
	until_true is_gone "$service"
	expect_rc 0
}

case_lessons_are_listed() {
	tutor --list
	expect_rc 0
	for name in $names; do
		grep -q " $name " "$out" || fail "no $name in the list"
	done
	! grep -q '\[x\]' "$out" || fail "something is done already"
	[ ! -e state ] || fail "a list makes no scratch copy"
}

case_a_wrong_turn_is_told_and_the_lesson_begins_anew() {
	tutor
	expect_rc 0
	expect_out 'Lesson 1 of 8'
	# Clear text thrown away is not sealed.
	play 'sed -i /password/d server.properties'
	tutor --check
	expect_rc 3
	expect_out '[ ] seal the broker'
	tutor seal
	grep -q password state/propseal/tutor/server.properties || fail "not made anew"
	# What is on goes on.
	tutor 6
	tutor
	expect_out 'Lesson 6 of 8, rotate'
}

case_it_touches_nothing_of_the_learners() {
	before=$(find . -type f ! -path './state/*' -exec cksum {} + | sort)
	export CONFLUENT_SECURITY_MASTER_KEY=not-a-key
	lesson rotate
	rm -f lines
	[ "$before" = "$(find . -type f ! -path './state/*' -exec cksum {} + | sort)" ] ||
		fail "files outside of the scratch copy changed"
	[ "$(stat -c %a state/propseal/tutor)" = 700 ] || fail "others can look into it"
	# A folder that is no scratch copy is not emptied.
	rm -r state
	mkdir -p state/propseal/tutor
	touch state/propseal/tutor/mine
	tutor
	expect_rc 1
	[ -e state/propseal/tutor/mine ] || fail "a folder was emptied that is not the tutor's"
}

# The scratch copy is one: who comes second shows what the first has laid out.
case_several_at_once_wait_for_each_other() {
	local i pids=
	for i in 1 2 3 4; do
		XDG_STATE_HOME=$PWD/state "$PROPSEAL" tutor >"out.$i" 2>"err.$i" &
		pids="$pids $!"
	done
	for i in $pids; do
		wait "$i" || fail "$(cat err.*)"
	done
	for i in 1 2 3 4; do
		cmp -s out.1 "out.$i" || fail "$(cat "out.$i")"
	done
	pids=
	for i in 1 2 1 2; do
		XDG_STATE_HOME=$PWD/state "$PROPSEAL" tutor "$i" >/dev/null 2>>err &
		pids="$pids $!"
	done
	for i in $pids; do
		wait "$i" || fail "$(cat err)"
	done
	[ ! -e state/propseal/.tutor.propseal-lock ] || fail 'the lock is left'
}

case_what_is_no_lesson_is_refused() {
	tutor nonsense
	expect_rc 2
	expect_err 'there is no lesson nonsense'
	tutor --check
	expect_rc 2
	tutor
	echo 'propseal tutor 9 --------' >state/propseal/tutor/.tutor
	tutor
	expect_rc 1
	expect_err '.tutor:1'
}

run_cases
