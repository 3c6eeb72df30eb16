#!/usr/bin/env bash
# What share/ has for systemd and Kubernetes, as far as it runs on one machine.
set -u
cd "$(dirname "$0")/.." || exit 1
program=${PROPSEAL:-$PWD/build/propseal}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/propseal-neighbours.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
export PROPSEAL_CONFIG='' LC_ALL=C.UTF-8 XDG_STATE_HOME=$scratch/state
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

# The commands of the manual on rotation from a line that begins like ${1} to one like ${2}.
recipe() {
	awk -v from="$1" -v to="$2" 'index($0, to) == 1 { on = 0 } on && sub(/^\.Dl /, "") {
		gsub(/^"|"$/, ""); gsub(/\\e/, "\\"); gsub(/\\\(aq/, "\047"); print }
		index($0, from) == 1 { on = 1 }' man/propseal-rotation.7
}

# A key out of the file of a rotation.
recipe_of_the_key() (
	recipe '.Ss Setting the master key' '.Bl' >"$scratch/recipe/commands"
	cd "$scratch/recipe" || exit
	printf '%s\t%s\n' prod/secrets.properties "$(cat ../master.key)" prod/secrets.json another >new.keys
	# shellcheck disable=SC1091 # the manual's
	. ./commands
	[ "$(cat key)" = "$(cat ../master.key)" ] && [ "$(wc -l <key)" = 0 ]
)

# What is encrypted for this host opens again, by the name that the units ask for.
recipe_of_systemd() (
	recipe '.It systemd, as a credential' '.It systemd, as a variable' >"$scratch/recipe/lines"
	line=$(grep -x 'LoadCredentialEncrypted=.*' "$scratch/recipe/lines") || exit
	grep -L -x "$line" share/systemd/kafka/*.conf
	cd "$scratch/recipe" || exit
	grep -v LoadCredential lines | sed "s|/etc/credstore.encrypted|$PWD/store|" >commands
	export SYSTEMD_CREDENTIAL_SECRET=$PWD/host.secret
	# shellcheck disable=SC1091
	. ./commands 2>said || cat said
	systemd-creds decrypt --name=propseal.master-key "store/${line##*/}" - | cmp - key
)

# What kubectl would apply: key and files as they are, under the names that the pod mounts.
recipe_of_kubernetes() (
	recipe '.It Kubernetes' '.El' >"$scratch/recipe/commands"
	cp "$scratch"/sealed/* "$scratch/recipe/"
	cd "$scratch/recipe" || exit
	# shellcheck disable=SC2317 # the manual calls it
	kubectl() { if [ "$1" = apply ]; then cat && echo ---; else command kubectl "$@"; fi; }
	# shellcheck disable=SC1091
	. ./commands >applied.yaml
	cd "$OLDPWD" && python3 - "$scratch/recipe/" <<-'END'
		import base64, sys, yaml
		folder = sys.argv[1]
		made = {d['metadata']['name']: d for d in yaml.safe_load_all(open(folder + 'applied.yaml')) if d}
		pod = yaml.safe_load(open('share/kubernetes/init-container.yaml'))
		volumes = {v['name']: v for v in pod['spec']['volumes']}
		secret = made.pop(volumes['key']['secret']['secretName'])
		files = made.pop(volumes['sealed']['configMap']['name'])
		assert not made and secret['kind'] == 'Secret' and files['kind'] == 'ConfigMap', made
		assert base64.b64decode(secret['data']['key']) == open(folder + 'key', 'rb').read()
		assert sorted(files['data']) == ['secrets.properties', 'server.properties']
		for name, text in files['data'].items():
		    assert text == open(folder + name).read(), name
	END
)

mkdir "$scratch/sealed" "$scratch/key" "$scratch/rendered" "$scratch/recipe"
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
check "the manual: a key out of the file of a rotation" recipe_of_the_key
if command -v systemd-creds >/dev/null; then
	check "the manual: systemd-creds" recipe_of_systemd
else
	echo "systemd-creds is not installed: its recipe is not tried"
fi
if python3 -c 'import yaml' 2>/dev/null; then
	check "the init container" init_container
	if command -v kubectl >/dev/null; then
		check "the manual: kubectl" recipe_of_kubernetes
	else
		echo "kubectl is not installed: its recipe is not tried"
	fi
else
	echo "python3-yaml is not installed: the manifests are not read"
fi
check "no secret in the examples" sh -c '"$1" audit --fail-on warning share/kubernetes share/systemd share/ansible |
    grep -v "^nothing found"; exit 0' sh "$program"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
