#!/usr/bin/env bash
# share/demo/script.sh: a secret's whole life, without a question.
# shellcheck disable=SC1091,SC2154,SC2034
. "$(dirname "$0")/lib.sh"

script=$here/../../share/demo/script.sh

# walk PROGRAM  Run it in an empty folder for temporary files.
walk() {
	mkdir -p scratch
	TMPDIR=$PWD/scratch "$script" "$1" >"$out" 2>"$err"
	rc=$?
	[ -z "$(ls -A scratch)" ] || fail "left behind: $(ls -A scratch)"
}

case_every_step_does_what_it_says() {
	walk "$PROPSEAL"
	expect_rc 0
	expect_out 'all 9 steps did what they say'
	expect_out 'proved: the old key opens nothing any more'
	expect_no 'newSslPass' 'a long passphrase'
}

# stands_in LINE  A program that does LINE before it does what propseal does.
stands_in() {
	printf '#!/bin/sh\n%s\nexec %s "$@"\n' "$1" "$PROPSEAL" >other
	chmod +x other
}

case_a_step_that_does_nothing_is_met() {
	local what
	for what in encrypt update remove; do
		stands_in "case \"\$2 \$3\" in \"file $what\") exit 0 ;; esac"
		walk ./other
		expect_rc 1
		expect_err 'not so:'
	done
	stands_in 'case "$2 $4" in "file --data-key") exit 0 ;; esac'
	walk ./other
	expect_rc 1
	expect_err 'not so: the ciphertext is another'
	stands_in 'case "$2" in verify) exit 0 ;; esac'
	walk ./other
	expect_rc 1
	expect_err 'not so: the old key opens nothing any more'
}

case_no_program() {
	walk ./nowhere
	expect_rc 1
	expect_out 'there is no ./nowhere'
}

run_cases "$@"
