#!/usr/bin/env bash
# Every command that README.md and share/doc show does what they say.
# shellcheck disable=SC1091,SC2154,SC2016
. "$(dirname "$0")/lib.sh"

root=$here/../..

document() {
	python3 "$here/documents.py" "$PROPSEAL" "$root" "$root/$1" || exit 1
}

for file in "$root"/README.md "$root"/share/doc/*.md; do
	name=${file##*/}
	file=${file#"$root"/}
	eval "case_${name//[^a-zA-Z]/_}() { document '$file'; }"
done

# A document that shows a wrong status, or another output, fails.
case_a_wrong_document_fails() {
	printf '```sh\nfalse  # exit 1\npropseal --version\n```\n' >good.md
	python3 "$here/documents.py" "$PROPSEAL" "$root" good.md || fail "good.md"
	printf '```sh\npropseal file show nowhere\n```\n' >status.md
	printf '```console\n$ echo one\ntwo\n```\n' >output.md
	printf '```console\n$ echo one two\none …\n$ printf "a\\nb\\nc\\n"\na\n...\n```\n' >any.md
	python3 "$here/documents.py" "$PROPSEAL" "$root" status.md && fail "status.md"
	python3 "$here/documents.py" "$PROPSEAL" "$root" output.md && fail "output.md"
	python3 "$here/documents.py" "$PROPSEAL" "$root" any.md || fail "any.md"
}

run_cases
