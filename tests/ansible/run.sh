#!/usr/bin/env bash
# The Ansible collection on this host: its playbook twice, check mode, and a
# template that comes back in clear text; tasks written for `confluent secret`,
# with propseal in its place; then what ansible-test says of the collection.
#
# Of its sanity tests those run that fetch nothing.  SANITY=all runs all of them,
# which takes ensurepip (Debian: python3-venv) and PyPI.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v ansible-playbook >/dev/null || { echo "ansible-playbook (ansible-core) is not installed"; exit 77; }
PROPSEAL=$(cd "$(dirname "${PROPSEAL:-build/propseal}")" && pwd)/propseal
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/propseal-ansible.XXXXXX") || exit 1
trap 'rm -rf "$SCRATCH"' EXIT
TEMPLATE=$PWD/share/demo/kafka/server.properties
export PROPSEAL SCRATCH TEMPLATE AGAIN='' PROPSEAL_CONFIG='' LC_ALL=C.UTF-8
export ANSIBLE_COLLECTIONS_PATH=$PWD/share/ansible ANSIBLE_COLLECTIONS_PATHS=$PWD/share/ansible
export ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_INVENTORY_UNPARSED_WARNING=False HOME=$SCRATCH
unset CONFLUENT_SECURITY_MASTER_KEY
umask 077
passed=0 failed=0

# play NAME CHANGED [ARGUMENT...]: that many tasks change something, none fails.
play() {
	local name=$1 changed=$2 said
	shift 2
	if said=$(ansible-playbook "$@" "tests/ansible/${PLAYBOOK:-playbook}.yml" 2>&1) &&
	    grep -q "changed=$changed .*failed=0" <<<"$said" && ! grep -q CANARY <<<"$said"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL %s, %s changes\n%s\n' "$name" "$changed" "$said"
	fi
}

# ansible-test's tests, in a folder of the name that it wants, under git.
sanity() {
	local own=$SCRATCH/collections/ansible_collections/propseal tests
	local fetching='ansible-doc|changelog|import|pep8|pylint|runtime-metadata|validate-modules|yamllint'
	if [ "${SANITY:-}" = all ]; then
		fetching=none
		# In place of what ansible-test 2.14 would fetch from a host of its own.
		mkdir -p "$HOME/.ansible/test/cache"
		printf '%s\n' 'import ensurepip, sys' 'ensurepip.bootstrap()' \
		    'from pip._internal.cli.main import main' 'sys.exit(main(["install"] + sys.argv[1:]))' \
		    >"$HOME/.ansible/test/cache/get_pip_21_3_1.py"
	fi
	mkdir -p "$own" && cp -R share/ansible/ansible_collections/propseal/kafka "$own/" && cd "$own/kafka" || return
	git init -q && git add -A
	tests=$(ansible-test sanity --list-tests 2>/dev/null | grep -vxE "$fetching")
	[ "$(wc -w <<<"$tests")" -ge 19 ] || { echo "ansible-test lists too few tests: $tests"; return 1; }
	# shellcheck disable=SC2046,SC2086 # names, to be split
	ansible-test sanity --python "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
	    $(printf -- '--test %s ' $tests)
}

# Beside the plays: both wait as much as they work.
sanity >"$SCRATCH/sanity" 2>&1 &
sanity=$!
echo 'a long passphrase' >"$SCRATCH/pass"
"$PROPSEAL" master-key generate --local-secrets-file "$SCRATCH/secrets.properties" \
    --passphrase "@$SCRATCH/pass" -o yaml 2>/dev/null | sed -n 's/^master_key: //p' >"$SCRATCH/master.key"
play "first run" 4
play "second run" 0
sum=$(cat "$SCRATCH"/*.properties | sha256sum)
AGAIN=template play "in check mode, a template that comes back" 1 --check --diff
if [ "$sum" = "$(cat "$SCRATCH"/*.properties | sha256sum)" ]; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	echo "FAIL check mode changed a file"
fi
AGAIN=template play "a template that comes back" 4
play "after it" 0
# New keys: planned only in check mode, made once, and left as they are when it is run again.
export ROTATE=yes
echo 'CANARY another passphrase' >"$SCRATCH/pass.new"
sum=$(cat "$SCRATCH"/*.properties | sha256sum)
play "a rotation in check mode" 1 --check
if [ "$sum" != "$(cat "$SCRATCH"/*.properties | sha256sum)" ] || [ -e "$SCRATCH/session" ]; then
	failed=$((failed + 1))
	echo "FAIL check mode left something of a rotation"
fi
play "a rotation" 1
if [ "$sum" = "$(cat "$SCRATCH"/*.properties | sha256sum)" ]; then
	failed=$((failed + 1))
	echo "FAIL the keys are the old ones"
fi
# Who keeps the key in a vault puts the new one there.
cut -f 2 "$SCRATCH/new.keys" >"$SCRATCH/master.key"
echo 'secrets_protection_masterkey: the old one' >"$SCRATCH/vault.yml"
# shellcheck disable=SC2016 # for the editor's shell
printf '%s\n' '#!/bin/sh' 'sed -i "s|: .*|: $(cat "$SCRATCH/master.key")|" "$1"' >"$SCRATCH/editor"
chmod +x "$SCRATCH/editor"
export ANSIBLE_VAULT_PASSWORD_FILE=$SCRATCH/pass
if ansible-vault encrypt "$SCRATCH/vault.yml" >"$SCRATCH/said" 2>&1 && EDITOR=$SCRATCH/editor ansible-vault edit \
    "$SCRATCH/vault.yml" && ansible localhost -e "@$SCRATCH/vault.yml" -m debug -a var=secrets_protection_masterkey |
    grep -qF ": \"$(cat "$SCRATCH/master.key")\""; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	printf 'FAIL the new key into the vault\n'
	cat "$SCRATCH/said"
fi
unset ANSIBLE_VAULT_PASSWORD_FILE
sum=$(cat "$SCRATCH"/*.properties | sha256sum)
play "after it" 0
if [ "$sum" != "$(cat "$SCRATCH"/*.properties | sha256sum)" ]; then
	failed=$((failed + 1))
	echo "FAIL a second run changed a file"
fi
# A role of the other program's commands: nothing but its name is replaced.
PLAYBOOK=role play "tasks of confluent secret" 5
sum=$(cat "$SCRATCH"/role/*.properties | sha256sum)
PLAYBOOK=role play "tasks of confluent secret, again" 1
if [ "$sum" != "$(cat "$SCRATCH"/role/*.properties | sha256sum)" ]; then
	failed=$((failed + 1))
	echo "FAIL tasks of confluent secret changed a file again"
fi
if ! command -v ansible-test >/dev/null; then
	echo "ansible-test is not installed: the sanity tests are left out"
elif wait "$sanity"; then
	passed=$((passed + $(grep -c '^Running sanity test' "$SCRATCH/sanity")))
else
	failed=$((failed + 1))
	printf 'FAIL sanity tests\n'
	cat "$SCRATCH/sanity"
fi
"$PROPSEAL" audit "$SCRATCH/server.properties" "$SCRATCH/secrets.properties" >/dev/null || {
	failed=$((failed + 1))
	echo "FAIL something is left in clear text"
}
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
