#!/bin/sh
# A secret's whole life, from the first key to the last, on a scratch copy of the
# demo estate: the commands of Confluent's own walk through `confluent secret`,
# run by propseal, and a proof behind each.  Asks nothing, leaves nothing behind.
#
# usage: share/demo/script.sh [PROGRAM]     PROGRAM: propseal, the one that is installed
#
# The exit status is 1 at the first step that does not do what it says.
set -eu
umask 077
program=$(command -v "${1:-propseal}") || { echo "there is no ${1:-propseal}"; exit 1; }
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
copy=$(mktemp -d "${TMPDIR:-/tmp}/propseal-script.XXXXXX")
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM
cp -R "$(dirname "$0")/." "$copy"
cd "$copy"
chmod -R u+rwX,go-rwx .
unset CONFLUENT_SECURITY_MASTER_KEY
# No settings but these, and no trail of an exercise.
export PROPSEAL_CONFIG='' XDG_STATE_HOME="$copy/.state"
config=connect/connect-distributed.properties
secrets=secrets.properties
remote=/etc/kafka/secrets.properties
steps=0
# The commands are shown there, whatever becomes of their output.
exec 3>&1

step() {
	steps=$((steps + 1))
	printf '\n%d. %s\n' "$steps" "$1"
}

# say COMMAND...: show the command and run it.
say() {
	printf '   $ propseal %s\n' "$*" >&3
	"$program" "$@"
}

# proof WHAT COMMAND...: the command succeeds.
proof() {
	what=$1
	shift
	"$@" >/dev/null 2>&1 || { echo "   not so: $what" >&2; exit 1; }
	echo "   proved: $what"
}

fails() {
	! "$@"
}

# value KEY [FILE]: what the configuration says, opened.
value() {
	"$program" render "${2:-$config}" --local-secrets-file "$secrets" |
	    sed -n "s/^$1 *= *//p"
}

is() {
	[ "$(value "$1")" = "$2" ]
}

cp "$config" original
topic=$(sed -n 's/^config.storage.topic *= *//p' "$config")

step 'Make a master key. Its passphrase comes from a file, and the key is kept by whoever runs this.'
echo 'a long passphrase, chosen with care' >passphrase
say secret master-key generate --local-secrets-file "$secrets" --passphrase @passphrase -o yaml >key
CONFLUENT_SECURITY_MASTER_KEY=$(sed -n 's/^master_key: //p' key)
export CONFLUENT_SECURITY_MASTER_KEY
rm key
proof 'the secrets file holds a wrapped data key, and not the master key' \
    fails grep -qF "$CONFLUENT_SECURITY_MASTER_KEY" "$secrets"

step 'Encrypt two settings of a Connect worker.'
say secret file encrypt --config-file "$config" --local-secrets-file "$secrets" \
    --remote-secrets-file "$remote" --config config.storage.topic,group.id
# shellcheck disable=SC2016
proof 'the worker refers to the secrets file' grep -qF \
    "config.storage.topic=\${securepass:$remote:connect-distributed.properties/config.storage.topic}" "$config"
proof 'the reference stands for the old value' is config.storage.topic "$topic"
proof 'nothing else changed but the list of providers, and a line for its class' test "$(diff original "$config" |
    grep -c '^[<>]')" -eq 7

step 'Decrypt: the values as they are, in a file of their own.'
say secret file decrypt --config-file "$config" --local-secrets-file "$secrets" \
    --output-file opened.properties
proof 'the value is in it' grep -qx "config.storage.topic *= *$topic" opened.properties
proof 'nobody else can read it' test "$(ls -l opened.properties | cut -c5-10)" = '------'
rm opened.properties

step 'Add a key that was not there; its value comes from a file, as arguments are seen by all.'
echo 'ssl.keystore.password = sslPass' >new
say secret file add --config-file "$config" --local-secrets-file "$secrets" \
    --remote-secrets-file "$remote" --config @new
proof 'it opens' is ssl.keystore.password sslPass

step 'Update it.'
echo 'ssl.keystore.password = newSslPass' >new
say secret file update --config-file "$config" --local-secrets-file "$secrets" \
    --remote-secrets-file "$remote" --config @new
proof 'it has the new value' is ssl.keystore.password newSslPass
proof 'and stands nowhere in clear text' fails grep -rqF newSslPass "$config" "$secrets"

step 'Remove it.'
say secret file remove --config-file "$config" --local-secrets-file "$secrets" \
    --config ssl.keystore.password
proof 'it is gone from both files' fails grep -qE '(^|/)ssl.keystore.password' "$config" "$secrets"
rm new

step 'A new data key: every value is sealed again.'
cp "$secrets" before
say secret file rotate --data-key --local-secrets-file "$secrets" --passphrase @passphrase
proof 'the ciphertext is another' fails cmp -s before "$secrets"
proof 'the value is the same' is config.storage.topic "$topic"

step 'A new master key, of a new passphrase.'
echo 'another passphrase, just as long' >passphrase.new
say secret file rotate --master-key --local-secrets-file "$secrets" --passphrase @passphrase \
    --passphrase-new @passphrase.new -o yaml >key
old=$CONFLUENT_SECURITY_MASTER_KEY
proof 'the old key opens nothing any more' fails "$program" file verify . --local-secrets-file "$secrets"
CONFLUENT_SECURITY_MASTER_KEY=$(sed -n 's/^master_key: //p' key)
rm key
proof 'the new one is another, and opens it' test "$old" != "$CONFLUENT_SECURITY_MASTER_KEY"
proof 'the value is still the same' is config.storage.topic "$topic"

step 'What `confluent secret` has no word for: look, and take the estate at once.'
say file show "$config" --local-secrets-file "$secrets" >shown
proof 'show masks what is secret' fails grep -qF "$topic" shown
say audit . >audited || [ $? -eq 3 ]
proof 'the audit finds secrets in clear text' grep -q clear-text-secret audited
say seal . --yes --local-secrets-file "$secrets" --remote-secrets-file "$remote"
say file verify . --local-secrets-file "$secrets"
proof 'none is left in clear text' fails grep -rqE 'demo-(keystore-anchor|lighthouse|tugboat)' \
    kafka connect clients schema-registry

printf '\nall %d steps did what they say\n' "$steps"
