#!/usr/bin/env bash
# Every command that README.md and share/doc show does what they say.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
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

mentions() {
	python3 "$here/mentions.py" "$PROPSEAL" "$@" >"$out" 2>"$err"
	rc=$?
}

case_what_documents_and_pages_name_is_there() {
	mentions "$root"/*.md "$root"/share/*/*.md "$root"/share/*/*/README.md "$root"/man/*.[1-8]
	expect_rc 0
	[ "$(sed -n 's/ commands.*//p' "$out")" -gt 150 ] || fail 'too few commands are found'
}

case_what_messages_name_is_there() {
	find "$root/core" "$root/ui" "$root/src" -name '*.c' >files
	mapfile -t files <files
	mentions "${files[@]}"
	expect_rc 0
	[ "$(sed -n 's/ commands.*//p' "$out")" -gt 100 ] || fail 'too few commands are found'
}

# What the page about nodes says is in node.properties, which nothing else than a node reads.
case_settings_of_a_node_are_there() {
	local said
	sed -n '/^```/,/^```/s/^\([a-z][a-z.]*=\)/\1/p' "$root/share/doc/kafka.md" >node.properties
	[ "$(grep -c '^' node.properties)" -ge 10 ] || fail 'too few settings are found'
	head -c 32 /dev/urandom | base64 >registry.key
	chmod 600 registry.key
	run registry serve --data data --settings node.properties --master-key-file registry.key
	[ "$rc" -ne 0 ] || fail 'there are no such certificates'
	said=$(cat "$err")
	case $said in
	*'no such setting'*|*node.properties:*) fail "$said" ;;
	esac
	sed -i 's/^listeners/listen/' node.properties
	run registry serve --data data --settings node.properties --master-key-file registry.key
	expect_err 'no such setting'
}

# mentioned TEXT LINE...: a document, or page, of these lines is refused for this.
mentioned() {
	local text=$1
	shift
	printf '%s\n' "$@" >"$name"
	mentions "$name"
	expect_rc 1
	expect_out "$text"
}

case_what_is_not_there_is_met() {
	local name=x.md
	mentioned 'x.md:1: no command frobnicate' 'Call `propseal frobnicate`.'
	mentioned 'no command file frob' '```sh' 'cd x && propseal file frob' '```'
	mentioned 'x.md:2: file show has no --frob' '```sh' 'propseal file show x \' '    --frob' '```'
	mentioned 'has no -z' '    $ propseal registry user add -z'
	printf '%s\n' '`propseal . --read-only`, `propseal PATH...`, `sudo propseal file show x -o json`' \
	    '`propseal exec --config-file x -- cmd --frob`, `propseal secret file rotate --data-key`' >x.md
	mentions x.md
	expect_rc 0
	expect_out '5 commands, 0'
	mentioned 'x.md:1: no command has --frob' 'With `--frob=x` it does.'
	name=x.c
	mentioned 'x.c:1: no command frob' 'puts("Proof: propseal frob x\n"' '    "more");'
	mentioned 'file show has no --frob' 'hint("call `propseal file "' '    "show x --frob`");'
	name=x.1
	mentioned 'no command has --frob' 'With' '.Fl -yes , -frob'
	mentioned 'x.1:2: no section Nowhere' '.Sh NAME' 'see .Sx Nowhere .'
	mentioned 'no page propseal-none(3)' '.Xr propseal-none 3'
	mentioned 'doctor has no --frob' '.Dl propseal doctor --frob'
	mentioned 'x.1:2: no command frobnicate' '.Bd -literal' '$ propseal frobnicate' '.Ed'
}

run_cases "$@"
