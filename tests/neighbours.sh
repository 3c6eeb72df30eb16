#!/usr/bin/env bash
# What share/ has for systemd and Kubernetes, as far as it runs on one machine.
set -u
cd "$(dirname "$0")/.." || exit 1
program=${PROPSEAL:-$PWD/build/propseal}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/propseal-neighbours.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
export PROPSEAL_CONFIG='' LC_ALL=C.UTF-8
unset CONFLUENT_SECURITY_MASTER_KEY
umask 077
passed=0 failed=0

# check NAME COMMAND...: it says nothing and ends with 0, or it is told.
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1) && [ -z "$said" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL %s\n%s\n' "$name" "$said"
	fi
}

# The drop-in of ${1}, on a unit of that name.
verify_unit() {
	local unit=$1
	mkdir -p "$scratch/units/$unit.service.d"
	printf '[Service]\nUser=daemon\nExecStart=/bin/true\n' >"$scratch/units/$unit.service"
	sed "s|/usr/bin/propseal|$program|" "share/systemd/kafka/$unit.conf" \
	    >"$scratch/units/$unit.service.d/propseal.conf"
	SYSTEMD_UNIT_PATH=$scratch/units: systemd-analyze verify --man=no --recursive-errors=no "$unit.service"
}

# The key of a credentials folder reaches the service, and no other way does.
credential_is_given() {
	mkdir -p "$scratch/credentials"
	cp "$scratch/master.key" "$scratch/credentials/propseal.master-key"
	# shellcheck disable=SC2016 # for the command's shell
	CREDENTIALS_DIRECTORY=$scratch/credentials "$program" exec --keep-key \
	    --local-secrets-file "$scratch/sealed/secrets.properties" -- sh -c 'test "$CONFLUENT_SECURITY_MASTER_KEY" = "$(cat "$1")"' sh "$scratch/master.key"
}

# The init container's command, with the folders that the pod mounts.
init_container() {
	python3 - "$scratch" "$program" <<-'END'
		import subprocess, sys, yaml
		scratch, program = sys.argv[1:]
		pod = yaml.safe_load(open('share/kubernetes/init-container.yaml'))
		spec = pod['spec']
		container = spec['initContainers'][0]
		mounts = {m['mountPath'] for m in container['volumeMounts']}
		volumes = {v['name'] for v in spec['volumes']}
		for c in spec['initContainers'] + spec['containers']:
		    assert {m['name'] for m in c['volumeMounts']} <= volumes
		command = [program, '-q'] + [scratch + a if a.startswith(tuple(mounts)) else a for a in container['command'][1:]]
		done = subprocess.run(command)
		assert done.returncode == 0, done
		text = open(scratch + '/rendered/server.properties').read()
		assert 'demo-keystore-anchor' in text and 'securepass' not in text
		list(yaml.safe_load_all(open('share/kubernetes/external-secrets.yaml')))
	END
}

mkdir "$scratch/sealed" "$scratch/key" "$scratch/rendered"
echo 'a long passphrase' >"$scratch/pass"
"$program" -q master-key generate --local-secrets-file "$scratch/sealed/secrets.properties" \
    --passphrase "@$scratch/pass" -o yaml | sed -n 's/^master_key: //p' >"$scratch/master.key"
cp "$scratch/master.key" "$scratch/key/key"
cp share/demo/kafka/server.properties "$scratch/sealed/"
"$program" -q seal "$scratch/sealed" --yes --master-key-file "$scratch/master.key" \
    --local-secrets-file "$scratch/sealed/secrets.properties" \
    --remote-secrets-file /etc/kafka/secrets.properties >/dev/null

if command -v systemd-analyze >/dev/null; then
	for file in share/systemd/kafka/*.conf; do
		unit=${file##*/}
		check "$file" verify_unit "${unit%.conf}"
	done
else
	echo "systemd-analyze is not installed: the drop-ins are not verified"
fi
check "the key by a systemd credential" credential_is_given
if python3 -c 'import yaml' 2>/dev/null; then
	check "the init container" init_container
else
	echo "python3-yaml is not installed: the manifests are not read"
fi
check "no secret in the examples" sh -c '"$1" audit --fail-on warning share/kubernetes share/systemd share/ansible |
    grep -v "^nothing found"; exit 0' sh "$program"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
