#!/usr/bin/env bash
# audit: what it finds, what it reads, how it tells it, and its exit status.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016,SC2086
. "$(dirname "$0")/lib.sh"

audit() {
	run audit "$@"
}

# expect_rules FILE [LINE:RULE:KEY]...  What is found in FILE, less modes.
expect_rules() {
	local file=$1 want
	shift
	audit "$file" -o json
	want=$(printf "%s\n" "$@" | sort)
	expect_json "$out" '"\n".join(sorted("%d:%s:%s" % (f["line"], f["rule"], f["key"])
	    for f in d["findings"] if f["rule"] != "open-mode"))' "$want"
}

clean() {
	rm -f server.properties sec.properties master.key pass
}

# expect_way FILE RULE HINT  What is told of FILE under RULE has HINT in its hint.
expect_way() {
	audit . -o json
	expect_json "$out" '{("'"$3"'" in f["hint"]) for f in d["findings"]
	    if f["file"] == "'"$1"'" and f["rule"] == "'"$2"'"}' '{True}'
}

# expect_gone RULE  It was done, and nothing is told under RULE any more.
expect_gone() {
	expect_rc 0
	audit . -o json
	expect_json "$out" '[f["key"] for f in d["findings"] if f["rule"] == "'"$1"'" and
	    not f["suppressed_by"]]' '[]'
}

# What a hint says can be done, and then the finding is gone.
case_hints_for_clear_text_can_be_followed() {
	local value=CANARY-long-enough-1
	chmod 600 server.properties sec.properties
	run seal server.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_gone clear-text-secret
	echo "config.providers.vault.param.token=$value" >p.properties
	expect_way p.properties clear-text-secret 'accept it by `# propseal:ignore clear-text-secret`'
	run seal p.properties --yes --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 1
	sed -i '1i # propseal:ignore clear-text-secret only Connect reads it' p.properties
	run audit .
	expect_gone clear-text-secret
	echo "sasl.password=$value" >client.config
	expect_way client.config clear-text-secret \
	    '`propseal file encrypt --config-format properties --config KEY`'
	on client.config encrypt --config-format properties --config sasl.password
	expect_gone clear-text-secret
	printf '{"db.password": "%s"}' "$value" >C.JSON
	expect_way C.JSON clear-text-secret '`propseal file encrypt --config-format json --config KEY`'
	on C.JSON encrypt --config-format json --config 'db\.password'
	expect_gone clear-text-secret
	printf 'data:\n  a.properties: |\n    ssl.key.password=%s\n' "$value" >map.yaml
	expect_way map.yaml clear-text-secret secretKeyRef
	rm map.yaml
	printf '{"kind": "Pod", "apiVersion": "v1", "spec": {"env": [{"name": "A_TOKEN", "value": "%s"}]}}' \
	    "$value" >pod.json
	expect_way pod.json clear-text-secret secretKeyRef
	printf '[{"Config": {"Env": ["A_PASSWORD=%s"]}}]' "$value" >pod.json
	expect_way pod.json clear-text-secret '`propseal exec`'
	rm pod.json
	printf '{"alice": "%s"}' "$value" >users.json
	expect_way users.json clear-text-secret '`propseal file encrypt --config KEY`'
	expect_way users.json clear-text-secret 'does not tell it to `propseal seal`'
	on users.json encrypt --config alice
	expect_gone clear-text-secret
	printf '{"a": {"db.password": "%s"}}' "$value" >other.json
	expect_way other.json clear-text-secret 'seal it: `propseal seal PATH`'
	rm other.json
	printf 'log4j.rootLogger=INFO\nlog4j.appender.kafka.SslTruststorePassword=%s\n' "$value" \
	    >log4j.properties
	expect_way log4j.properties clear-text-secret '`propseal render` makes of the file'
	run seal log4j.properties --yes --local-secrets-file sec.properties \
	    --remote-secrets-file "$remote"
	expect_gone clear-text-secret
	expect_way log4j.properties unresolvable-here '`propseal render`'
	expect_no orphan-entry
	run render log4j.properties --local-secrets-file sec.properties --output-file clear.out
	expect_rc 0
	expect_in clear.out "$value"
	rm clear.out
	printf '{"db.password":"%s",\n"a"\n}\n' "$value" >broken.json
	expect_way broken.json clear-text-secret 'mend what keeps the file from being read'
	run seal broken.json --yes --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_rc 1
	sed -i 's/"a"/"a":1/' broken.json
	run seal broken.json --yes --local-secrets-file sec.properties --remote-secrets-file "$remote"
	expect_gone clear-text-secret
}

case_hints_for_secrets_files_can_be_followed() {
	local update='file update --config-file server.properties --local-secrets-file sec.properties'
	seal
	cp sec.properties kept.sec
	cp server.properties kept.server
	sed -i 's/^server.properties.ssl.key.password = .*/server.properties\/ssl.key.password = CANARYx/' \
	    sec.properties
	expect_way sec.properties unsealed-entry '`propseal file update`'
	feed 'ssl.key.password=CANARY-new' $update --remote-secrets-file "$remote" --config -
	expect_gone unsealed-entry
	sed -i '/^server.properties.ssl.key.password/s/data:....../data:AAAAAA/' sec.properties
	expect_way sec.properties damaged-entry '`propseal file update`'
	feed 'ssl.key.password=CANARY-new' $update --remote-secrets-file "$remote" --config -
	expect_gone damaged-entry
	cp kept.sec sec.properties
	sed -i '/ssl.key.password/d' sec.properties
	expect_way server.properties dangling-reference '`propseal file add`'
	feed 'ssl.key.password=CANARY-new' ${update/update/add} --remote-secrets-file "$remote" --config -
	expect_gone dangling-reference
	sed -i '/ssl.key.password/d' server.properties
	expect_way sec.properties orphan-entry '`propseal file remove --orphan`'
	on server.properties remove --orphan --config ssl.key.password
	expect_gone orphan-entry
	mv server.properties other.properties
	sed -i '/ssl.keystore.password/d' other.properties
	expect_way sec.properties orphan-entry 'with --base-name and any other --config-file'
	on other.properties remove --orphan --base-name server.properties --config ssl.keystore.password
	expect_gone orphan-entry
	sed -i 's/iterations = .*/iterations = 10000/' sec.properties
	expect_way sec.properties weak-kdf '`propseal file rotate --master-key`'
	printf 'another CANARY horse\n' >new
	run file rotate --master-key --local-secrets-file sec.properties --passphrase-new @new
	expect_gone weak-kdf
}

case_comments_of_jaas_files_are_told_once() {
	cat >jaas.conf <<-'END'
		KafkaServer {
		  org.apache.kafka.common.security.plain.PlainLoginModule required
		  // password="CANARY1"
		  /* password="CANARY2" */
		  /* old:
		   * password="CANARY3"
		     password="CANARY4"
		  */
		  username="u"
		  password="CANARY5";
		};
	END
	chmod 600 jaas.conf
	for unreadable in '' 'yes'; do
		[ -z "$unreadable" ] || sed -i '9s/.*/# password="CANARY6"/' jaas.conf
		run audit jaas.conf -o json
		expect_json "$out" '[f["line"] for f in d["findings"] if f["rule"] == "secret-in-comment"]' \
		    "[3, 4, 6, 7${unreadable:+, 9}]"
		expect_json "$out" '[f["line"] for f in d["findings"] if f["rule"] == "clear-text-secret"]' \
		    '[10]'
		expect_no CANARY
	done
}

# And wherever in a line they begin; what stands behind one that ends is none.
case_comments_within_lines_of_jaas_files_are_told() {
	cat >jaas.conf <<-'END'
		KafkaServer {
		  org.x.PlainLoginModule required /* password="CANARY1" */ username="u"
		  realm="a/*b" // password="CANARY2"
		  url="https://h/x" other="y" /* old:
		    password="CANARY3"
		  end */ serviceName="z" /* nothing */ password="CANARY4" debug="//";
		};
	END
	chmod 600 jaas.conf
	audit jaas.conf -o json
	expect_json "$out" '[(f["line"], f["rule"]) for f in d["findings"] if "weak" not in f["rule"]]' \
	    "[(2, 'secret-in-comment'), (3, 'secret-in-comment'), (5, 'secret-in-comment'), \
(6, 'clear-text-secret')]"
	expect_no CANARY
}

case_json_has_the_agreed_shape() {
	clean
	printf 'a.password=CANARY-long-enough\n' >a.properties
	chmod 600 a.properties
	audit a.properties -o json
	expect_rc 3
	expect_json "$out" 'list(d)' "['schema', 'version', 'root', 'complete', 'files', 'unread', 'counts', 'findings', 'exit']"
	expect_json "$out" 'd["schema"], d["complete"], d["exit"]' "('propseal.audit/1', True, 3)"
	expect_json "$out" 'd["files"]' "{'seen': 1, 'read': 1, 'by_form': {'properties': 1}, 'skipped': {}}"
	expect_json "$out" 'd["counts"]' "{'error': 1, 'warning': 0, 'note': 0, 'suppressed': 0, 'new': 1}"
	expect_json "$out" 'list(d["findings"][0])' "['id', 'rule', 'level', 'file', 'line', 'end_line', 'column', 'end_column', 'key', 'form', 'message', 'hint', 'environment', 'related', 'state', 'suppressed_by']"
	expect_json "$out" '[d["findings"][0][k] for k in ("rule", "level", "file", "line", "column", "end_column", "key", "form", "state")]' \
	    "['clear-text-secret', 'error', 'a.properties', 1, 12, 12, 'a.password', 'properties', 'new']"
	expect_no CANARY
	audit a.properties -o jsonl
	expect_rc 3
	[ "$(wc -l <"$out")" -eq 2 ] || fail "not a line a finding and one more"
	tail -n 1 "$out" >last
	expect_json last 'd["counts"]["error"], d["exit"]' '(1, 3)'
}

case_levels_and_exit_statuses() {
	clean
	echo 'a.password=<to be filled in>' >note.properties
	echo 'a.password=longenoughCANARY' >error.properties
	printf 'SetCredential=\n' >none.service
	chmod 600 ./*
	audit none.service
	expect_rc 0
	audit note.properties
	expect_rc 0
	audit note.properties --fail-on note
	expect_rc 3
	audit note.properties --fail-on warning
	expect_rc 0
	audit error.properties
	expect_rc 3
	audit error.properties --fail-on none
	expect_rc 0
	chmod 604 error.properties
	echo '# a.password=CANARY' >comment.properties
	audit comment.properties --fail-on warning
	expect_rc 0
	audit gone.properties
	expect_rc 1
	expect_err 'gone.properties'
	audit --fail-on nothing .
	expect_rc 2
	audit --update-baseline .
	expect_rc 2
}

case_what_cannot_be_read_is_told() {
	clean
	printf 'a=1\n' >good.properties
	audit .
	expect_rc 0
	printf '\377\376a\0' >utf16.properties
	audit . -o json
	expect_rc 1
	expect_json "$out" 'd["complete"], [u["file"] for u in d["unread"]]' "(False, ['utf16.properties'])"
	printf '{"a": 1, "x.password": "CANARY-CANARY" oops\n"y.password": "CANARY-secret"' >broken.json
	audit . -o json
	expect_rc 3
	expect_json "$out" '[(f["line"], f["key"]) for f in d["findings"] if f["level"] == "error"]' \
	    "[(1, 'x\\\\.password'), (2, 'y.password')]"
	rm ./*.json ./*16.properties
	printf 'a: [1\nb: 2\n' >b.yaml
	audit . -o json
	expect_rc 1
	expect_json "$out" 'd["files"]["read"], d["files"]["by_form"]' "(1, {'properties': 1})"
	printf 'a: {{ x }}\n{%% if y %%}\npassword: CANARY-long-one\n' >b.yaml
	audit b.yaml -o json
	expect_rc 3
	expect_json "$out" 'd["complete"]' True
	# Neither changes anything: what has no form, and what is no text.
	rm ./*.yaml
	printf 'a\0b' >x.txt
	cp x.txt store.jks
	mkfifo pipe.properties
	ln -s / root
	ln -s /etc/passwd link.properties
	mkdir .git && echo 'a.password=CANARY-in-git' >.git/c.properties
	audit . -o json
	expect_rc 0
	expect_json "$out" 'd["files"]["skipped"]' "{'binary': 1, 'special': 1, 'link': 2, 'keystore': 1}"
}

case_rules_for_values() {
	clean
	cat >a.properties <<-'END'
		#old.password=CANARY
		a.password=changeit
		b.password=short
		c.password=long-and-only-here-CANARY
		c.url=https://u:long-CANARY-here@h/
		d.token=<token>
		e.key=-----BEGIN PRIVATE KEY-----\nCANARY
		f.opts=-Xmx1g -Djavax.net.ssl.keyStorePassword=long-CANARY-opt
		g.password=${securepass:/a
		h.password=twice-CANARY-twice
		h.password=again-CANARY-again
		confluent.security.master.key=CANARY-master-key
		i.password=${file:/run/secrets:x}
		sasl.jaas.config=a.LoginModule required username="u" password="CANARY-in-jaas";
	END
	expect_rules a.properties 1:secret-in-comment:old.password \
	    2:clear-text-secret:a.password 2:default-secret:a.password \
	    3:clear-text-secret:b.password 3:weak-secret:b.password \
	    4:clear-text-secret:c.password 5:url-credentials:c.url 6:placeholder:d.token \
	    7:private-key:e.key '8:command-line-secret:f.opts#javax.net.ssl.keyStorePassword' \
	    9:malformed-reference:g.password 10:clear-text-secret:h.password \
	    10:duplicate-key:h.password 11:clear-text-secret:h.password \
	    12:master-key-in-file:confluent.security.master.key \
	    '14:clear-text-secret:sasl.jaas.config#password'
	cp a.properties a.properties.rpmsave
	audit a.properties.rpmsave -o json
	expect_json "$out" 'set(f["rule"] for f in d["findings"] if f["level"] == "error")' "{'backup-secret'}"
	echo 'a.password=CANARY-password' | tee a-backup.properties a-backup-2026-01-31.env \
	    a-backup-sink.properties >a-backup.sh
	audit a-backup.properties a-backup-2026-01-31.env a-backup-sink.properties a-backup.sh -o json
	expect_json "$out" 'sorted((f["file"], f["rule"]) for f in d["findings"] if f["level"] == "error")' \
	    "[('a-backup-2026-01-31.env', 'backup-secret'), ('a-backup-sink.properties', 'clear-text-secret'), ('a-backup.properties', 'backup-secret'), ('a-backup.sh', 'clear-text-secret')]"
	echo 'log4j.x=${securepass:/a:b/c}' >log4j.properties
	expect_rules log4j.properties 1:unresolvable-here:log4j.x
	printf '%s\n' dataDir=/var/lib/zookeeper clientPort=2181 'a.b=${securepass:/a:b/c}' >z.properties
	expect_rules z.properties 3:unresolvable-here:a.b
}

case_rules_for_what_is_not_as_it_was_meant() {
	clean
	cat >a.properties <<-'END'
		ssl.key.password=
		  CANARY-on-a-line-of-its-own
		sasl.jaas.config=a.LoginModule required username="u" \ 
		  password="CANARY-behind-a-blank";
		b.sasl.jaas.config=a.LoginModule required user=1x;
		config.providers.vault.param.token=${file:/run/secrets:x}
		c.x=${file:/run/secrets:x ${file:/run/secrets:y}
		d.x=a password="CANARY-in-an-odd-value"
		e.password=${securepass:/a
		f.opts=-Dx.password="CANARY-of-an-option"
	END
	expect_rules a.properties 1:cut-value:ssl.key.password 3:cut-value:sasl.jaas.config \
	    4:clear-text-secret:password 5:malformed-jaas:b.sasl.jaas.config \
	    6:provider-not-configured:config.providers.vault.param.token \
	    7:malformed-reference:c.x 8:clear-text-secret:d.x 9:malformed-reference:e.password \
	    '10:command-line-secret:f.opts#x.password'
	expect_json "$out" '{f["rule"]: f["level"] for f in d["findings"]
	    if f["rule"][:9] in ("cut-value", "malformed", "provider-")}' \
	    "{'cut-value': 'error', 'malformed-jaas': 'note', 'provider-not-configured': 'error', 'malformed-reference': 'warning'}"
	printf '{"login":"a.LoginModule client.secret='"'"'CANARY-in-json'"'"';"}' >a.json
	expect_rules a.json 1:clear-text-secret:login
	audit . -o json
	expect_no CANARY
}

case_markers_of_a_conflict_are_found_in_every_form() {
	local file
	on server.properties encrypt
	rm server.properties
	{ echo '<<<<<<< ours'; cat sec.properties; echo '======='; echo '>>>>>>> theirs'; } >all
	mv all sec.properties
	printf 'a: 1\n<<<<<<< ours\nb: 1\n=======\nb: 2\n>>>>>>> theirs\n' >a.yaml
	printf 'a=1\n>>>>>>> theirs\na.password=CANARY-long-enough\n' >a.env
	chmod 600 ./*
	audit . -o json
	expect_rc 3
	expect_json "$out" '[(f["file"], f["line"], f["rule"]) for f in d["findings"]
	    if f["level"] == "error"]' \
	    "[('a.env', 2, 'conflict-markers'), ('a.env', 3, 'clear-text-secret'), ('a.yaml', 2, 'conflict-markers'), ('sec.properties', 1, 'conflict-markers')]"
	# Neither a here-document nor a rule of a text is one.
	printf 'cat <<EOF\n<<<<<<<<<<\nEOF\n' >b.sh
	audit b.sh --fail-on note
	expect_rc 0
}

case_rules_for_secrets_files() {
	on server.properties encrypt
	cat >>sec.properties <<-'END'
		server.properties/bare=CANARY
		server.properties/bad=ENC[nonsense]
		server.properties/old=ENC[AES/CBC/PKCS5Padding,data:AAAAAAAAAAAAAAAAAAAAAA==,iv:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
		server.properties/loose=ENC[AES/GCM/NoPadding,data:AAAAAAAAAAAAAAAAAAAAAAAA,iv:AAAAAAAAAAAAAAAA,type:str]
	END
	sed -i 's/iterations *= *.*/iterations = 1000/' sec.properties
	unset CONFLUENT_SECURITY_MASTER_KEY
	audit sec.properties -o json
	expect_json "$out" 'sorted((f["rule"], f["key"].split("/")[-1]) for f in d["findings"])' \
	    "[('damaged-entry', 'bad'), ('legacy-cipher', 'old'), ('unsealed-entry', 'bare'), ('untagged-entry', 'loose'), ('weak-kdf', '_metadata.symmetric_key.0.iterations')]"
	sed 's/^\(_metadata.symmetric_key.0.enc *=\).*/\1 nonsense/' sec.properties >broken.properties
	audit broken.properties -o json
	expect_json "$out" '[f["key"] for f in d["findings"] if f["rule"] == "damaged-entry"]' \
	    "['_metadata.symmetric_key.0.enc', 'server.properties/bad']"
	rm broken.properties
	# The key beside it; elsewhere it is only in a file.
	echo "CONFLUENT_SECURITY_MASTER_KEY=$(cat master.key)" >.env
	audit . -o json
	expect_json "$out" 'sorted(f["rule"] for f in d["findings"] if f["file"] == ".env" and f["level"] == "error")' \
	    "['master-key-beside-secrets', 'master-key-in-file']"
	expect_no "$(cat master.key)"
	mkdir away && mv .env away
	audit . -o json
	expect_json "$out" '[f["rule"] for f in d["findings"] if f["file"] == "away/.env" and f["level"] == "error"]' \
	    "['master-key-in-file']"
}

case_a_key_with_nul_is_told_whole() {
	clean
	printf '{"a\\u0000b-of-some-length.password":"${securepass:/nowhere/s.properties:x/y}"}' \
	    >a.json
	audit a.json -o json
	expect_json "$out" '[f["key"] for f in d["findings"] if f["rule"] == "missing-secrets-file"]' \
	    "['a�b-of-some-length\\\\.password']"
}

case_references_are_resolved_in_their_environment() {
	local name
	for name in a b; do
		mkdir -p $name
		cp sec.properties $name/sec.properties
		printf 'x.password=CANARY-of-%s-long\n' $name >$name/server.properties
		(cd $name && on server.properties encrypt)
	done
	rm -f server.properties sec.properties master.key pass
	chmod 600 */*
	audit . -o json
	expect_rc 0
	expect_json "$out" 'd["findings"]' '[]'
	# What the key says of the entries is another case.
	unset CONFLUENT_SECURITY_MASTER_KEY
	# One's entry is gone: the other's of the same name does not help.
	sed -i '/server.properties.x.password/d' b/sec.properties
	audit . -o json
	expect_rc 3
	expect_json "$out" '[(f["rule"], f["file"], f["key"], f["environment"]) for f in d["findings"]]' \
	    "[('dangling-reference', 'b/server.properties', 'x.password', 'b')]"
	printf '%s\n' 'other.password=${securepass:/nowhere/gone.properties:x/y}' \
	    config.providers=securepass config.providers.securepass.class=\
io.confluent.kafka.security.config.provider.SecurePassConfigProvider >a/other.properties
	printf 'gone.properties/a=ENC[AES/GCM/NoPadding,data:AAAAAAAAAAAAAAAAAAAAAAAA,iv:AAAAAAAAAAAAAAAA,type:str]\n' >>a/sec.properties
	chmod 600 */*
	audit a -o json
	expect_json "$out" '[(f["rule"], f["file"], f["key"]) for f in d["findings"] if f["rule"] != "untagged-entry"]' \
	    "[('missing-secrets-file', 'a/other.properties', 'other.password'), ('orphan-entry', 'a/sec.properties', 'gone.properties/a')]"
	rm -r b a/other.properties
	mkdir c && cp a/sec.properties c && mkdir d && cp a/server.properties d
	audit . -o json
	expect_json "$out" '[(f["rule"], f["file"]) for f in d["findings"] if f["level"] == "warning"]' \
	    "[('unknown-environment', 'd/server.properties')]"
}

case_two_files_of_one_name() {
	on server.properties encrypt
	mkdir a && cp server.properties a
	chmod 600 server.properties a/*
	audit . -o json
	expect_json "$out" '{(f["rule"], f["file"]) for f in d["findings"] if "name" in f["rule"]}' \
	    "{('base-name-collision', 'server.properties')}"
}

case_passphrases_that_anybody_would_try() {
	clean
	printf '%s' '@/tmp/passphrase.txt' >p
	run master-key generate --local-secrets-file sec.properties --passphrase @p
	expect_rc 0
	chmod 600 ./*
	audit sec.properties -o json
	expect_json "$out" 'd["findings"]' '[]'
	audit sec.properties --deep -o json
	expect_rc 3
	expect_json "$out" '[(f["rule"], f["key"]) for f in d["findings"]]' \
	    "[('known-passphrase', '_metadata.master_key.0.salt')]"
	expect_no /tmp/passphrase
}

case_folders_may_be_deep() {
	clean
	python3 - <<-'END'
		import os
		fd = os.open('.', os.O_RDONLY)
		for i in range(1500):
		    os.mkdir('folder', dir_fd=fd)
		    fd, old = os.open('folder', os.O_RDONLY, dir_fd=fd), fd
		    os.close(old)
		f = os.open('a.properties', os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=fd)
		os.write(f, b'a.password=CANARY-long-enough\n')
	END
	audit . -o json
	expect_rc 3
	expect_json "$out" '[(len(f["file"]), f["rule"]) for f in d["findings"]], d["unread"]' \
	    "([(10512, 'clear-text-secret')], [])"
	find . -depth -delete 2>/dev/null
}

case_modes_count() {
	clean
	echo 'a.password=long-enough-CANARY' >a.properties
	chmod 600 a.properties
	expect_rules a.properties 1:clear-text-secret:a.password
	chmod 644 a.properties
	audit a.properties -o json
	expect_json "$out" '[f["rule"] for f in d["findings"]]' "['open-mode', 'clear-text-secret']"
}

case_the_same_secret_elsewhere() {
	clean
	mkdir a b
	echo 'a.password=same-CANARY-secret' >a/a.properties
	echo '{"b":{"password":"same-CANARY-secret"},"c":{"password":"changeit"}}' >b/b.json
	echo 'x.password=changeit' >b/x.properties
	chmod 600 */*
	audit . -o json
	expect_json "$out" '[(f["file"], f["key"], [(r["file"], r["line"], r["key"]) for r in f["related"]])
	    for f in d["findings"] if f["rule"] == "reused-secret"]' \
	    "[('a/a.properties', 'a.password', [('b/b.json', 1, 'b.password')])]"
}

case_ids_stay_when_lines_move() {
	clean
	printf 'a.password=CANARY-one-long\nb.password=CANARY-two-long\na.password=CANARY-xxx-long\n' >a.properties
	audit a.properties -o json
	expect_json "$out" 'len(set(f["id"] for f in d["findings"])) == len(d["findings"])' True
	expect_json "$out" 'all(f["id"].startswith("ps1:") and len(f["id"]) == 20 for f in d["findings"])' True
	cp "$out" before
	printf '# moved\n\na.password=other-CANARY-one\nb.password=other-CANARY-two\na.password=CANARY-xxx-long\n' >a.properties
	audit a.properties -o json
	[ "$(grep -o 'ps1:[0-9a-f]*' before)" = "$(grep -o 'ps1:[0-9a-f]*' "$out")" ] ||
		fail "ids are others, though only lines and values are"
}

case_a_baseline_is_not_written_by_a_link_of_another_user() {
	[ "$(id -u)" = 0 ] || return 0
	ln -s elsewhere base
	chown -h 12345 base
	audit . --baseline base --update-baseline
	expect_rc 1
	expect_err 'base: it is reached by a symbolic link of another user'
	[ ! -e elsewhere ] || fail written
	chown -h 0 base
	audit . --baseline base --update-baseline
	[ -s elsewhere ] || fail 'not written by a link of its own'
}

case_a_baseline_lets_only_new_ones_count() {
	clean
	printf 'a.password=CANARY-one-long\nb.password=CANARY-two-long\n' >a.properties
	chmod 600 a.properties
	audit . --baseline base --update-baseline
	expect_rc 0
	expect_no CANARY
	grep -q CANARY base && fail "the baseline holds a value"
	[ "$(wc -l <base)" -eq 2 ] || fail "not a line a finding"
	audit . --baseline base
	expect_rc 0
	expect_out '2 known from the baseline'
	audit .
	expect_rc 3
	printf 'c.password=CANARY-three-long\n' >>a.properties
	audit . --baseline base -o json
	expect_rc 3
	expect_json "$out" '[(f["key"], f["state"]) for f in d["findings"]], d["counts"]["new"]' \
	    "([('a.password', 'known'), ('b.password', 'known'), ('c.password', 'new')], 1)"
	audit . --baseline base -o html
	expect_out 'new since the baseline'
	# A reason and a day survive an update; behind the day it counts again.
	sed -i '1s/"reason":null,"until":null/"reason":"later","until":"2000-01-01"/' base
	audit . --baseline base -o json
	expect_json "$out" '[f["key"] for f in d["findings"] if f["state"] == "new"]' "['a.password', 'c.password']"
	audit . --baseline base --update-baseline
	grep -q '"reason":"later","until":"2000-01-01"' base || fail "the reason is gone"
	sed -i '1s/2000/2999/' base
	sed -i '/^b.password/d' a.properties
	audit . --baseline base
	expect_rc 0
	expect_err '1 finding is there no more'
	echo nonsense >>base
	audit . --baseline base
	expect_rc 1
	expect_err 'base:4: '
	audit . --baseline missing
	expect_err '--update-baseline makes it'
	expect_rc 1
}

case_a_baseline_keeps_what_could_not_be_read() {
	clean
	printf 'a.password=CANARY-one-long\n' >a.properties
	echo '{"b.password":"CANARY-two-long"}' >b.json
	chmod 600 a.properties b.json
	audit . --baseline base --update-baseline
	sed -i 's/"reason":null/"reason":"later"/' base
	cp base before
	printf '{' >b.json
	audit . --baseline base
	expect_rc 1
	expect_no 'there no more'
	audit . --baseline base --update-baseline
	expect_out 'not read: b.json'
	cmp -s before base || fail "a finding of a file that was not read is gone"
	rm b.json
	audit . --baseline base
	expect_err '1 finding is there no more'
	audit . --baseline base --update-baseline
	[ "$(wc -l <base)" -eq 1 ] || fail "what is gone stays"
}

case_a_baseline_keeps_what_needs_a_key_that_is_not_there() {
	make_sealed
	printf 'CONNECT_PASSWORD=CANARY-of-x-long\n' >.env
	chmod 600 .env
	audit . --baseline base --update-baseline
	sed -i 's/"reason":null/"reason":"later"/' base
	grep -q sealed-and-clear base || fail "it is not told as sealed elsewhere"
	unset CONFLUENT_SECURITY_MASTER_KEY
	audit . --baseline base
	expect_no 'there no more'
	audit . --baseline base --update-baseline
	grep -q 'sealed-and-clear.*later' base || fail "a finding that needs the key is gone"
}

case_a_comment_suppresses() {
	clean
	cat >a.properties <<-'END'
		# propseal:ignore clear-text-secret it is public
		a.password=CANARY-one-long
		# propseal:ignore weak-secret another rule
		b.password=CANARY-two-long
		# propseal:ignore clear-text-secret until=2000-01-01 over
		c.password=CANARY-three-long
		# propseal:ignore clear-text-secret,weak-secret until=2999-01-01 not yet
		d.password=CANARY
		# propseal:ignore clear-text-secret not the next but one

		e.password=CANARY-four-long
	END
	chmod 600 a.properties
	audit a.properties -o json
	expect_rc 3
	expect_json "$out" '[f["key"] for f in d["findings"] if f["suppressed_by"] == "inline"]' \
	    "['a.password', 'd.password', 'd.password']"
	expect_json "$out" 'd["counts"]["suppressed"], d["counts"]["error"]' '(3, 3)'
	audit a.properties --no-suppressions -o json
	expect_json "$out" 'd["counts"]["suppressed"], d["counts"]["error"]' '(0, 5)'
}

case_standard_input() {
	feed 'a.password=CANARY-long-enough' audit - -o json
	expect_rc 3
	expect_json "$out" '[(f["file"], f["form"], f["key"]) for f in d["findings"]]' "[('-', 'properties', 'a.password')]"
	feed '{"connector": {"info": {"config": {"connection.password": "CANARY-long-enough"}}}}' audit - -o json
	expect_json "$out" '[(f["form"], f["key"]) for f in d["findings"]]' \
	    "[('json', 'connector.info.config.connection\\\\.password')]"
	feed '[{"Config": {"Env": ["CONNECT_SASL_PASSWORD=CANARY-long-enough", "PATH=/bin"]}}]' audit - -o json
	expect_json "$out" '[f["key"] for f in d["findings"]]' "['0.Config.Env.0']"
	feed $'apiVersion: v1\nitems:\n- data:\n    password: Q0FOQVJZLWxvbmctZW5vdWdo\n  kind: Secret\n' audit - -o json
	expect_json "$out" '[(f["form"], f["line"], f["key"]) for f in d["findings"]]' "[('yaml', 4, 'items.0.data.password')]"
}

case_staged_content_is_what_counts() {
	clean
	git init -q . && git config user.email a@b && git config user.name n
	echo 'a.password=CANARY-long-enough' >a.properties
	printf 'password: CANARY-long-enough\n' >b.yaml
	echo 'x' >c.java
	git add .
	echo 'a.password=' >a.properties
	audit --staged -o json
	expect_rc 3
	expect_json "$out" '[(f["file"], f["key"]) for f in d["findings"] if f["level"] == "error"]' "[('a.properties', 'a.password'), ('b.yaml', 'password')]"
	git commit -qm x
	audit --staged
	expect_rc 0
	# As many paths as there are given.
	for i in $(seq 70); do
		echo "d.password=CANARY-long-$i" >"d$i.properties"
	done
	git add .
	audit --staged d*.properties -o json
	expect_rc 3
	expect_json "$out" 'len(d["findings"])' 70
	git commit -qm x
	audit --history d*.properties -o json
	expect_json "$out" 'len([f for f in d["findings"] if ":" in f["file"]])' 70
}

case_a_person_sees_how_far_it_is() {
	clean
	for i in $(seq 400); do
		echo "a=$i" >"a$i.properties"
	done
	printf '{' >a0.json
	chmod 600 ./*
	on_terminal '256 files, 0 errors, 0 warnings, 1 not read' '' -- audit .
	expect_rc 1
	# Nothing of it is left before the report.
	sed -n 's/.*0 warnings, 1 not read//p' "$out" | grep -qF "$(printf '\r\033[K')nothing found" ||
		fail "the line is not taken away"
	audit .
	expect_rc 1
	expect_no 'warnings, '
	# Of a few there is none.
	rm a[1-9]*.properties
	on_terminal 'not read' '' -- audit .
	expect_rc 1
	expect_no 'warnings, '
}

case_names_are_told_relative_to_the_root() {
	clean
	mkdir -p deep/er
	echo 'a.password=CANARY-long-enough' >"deep/er/$(printf 'b\377d').properties"
	audit deep -o json
	expect_json "$out" 'd["root"], {f["file"] for f in d["findings"]}' "('.', {'deep/er/b%FFd.properties'})"
	audit "$PWD/deep" -o json
	expect_json "$out" '{f["file"] for f in d["findings"]}' "{'er/b%FFd.properties'}"
	audit ./deep/ -o json
	expect_json "$out" '{f["file"] for f in d["findings"]}' "{'deep/er/b%FFd.properties'}"
}

case_mounted_secrets_of_kubernetes_are_read() {
	clean
	mkdir ..2026_01_31
	echo 'a.password=CANARY-long-enough' >..2026_01_31/a.properties
	ln -s ..2026_01_31 ..data
	ln -s ..data/a.properties a.properties
	audit . -o json
	expect_json "$out" '[f["file"] for f in d["findings"] if f["level"] == "error"]' "['a.properties']"
}

case_files_that_units_name_are_read() {
	clean
	mkdir units
	printf 'DB_PASSWORD=CANARY-long-enough\n' >kafka.vars
	printf '[Service]\nEnvironmentFile=-%s\nEnvironmentFile=/nowhere\n' "$PWD/kafka.vars" >units/a.service
	cp units/a.service units/b.service
	chmod 600 kafka.vars
	audit units -o json
	expect_rc 3
	expect_json "$out" '{(f["file"], f["key"]) for f in d["findings"]}' "{('$PWD/kafka.vars', 'DB_PASSWORD')}"
	audit . -o json
	expect_json "$out" '[f["key"] for f in d["findings"]].count("DB_PASSWORD") >= 1' True
}

case_settings_count() {
	clean
	printf 'pin=CANARY-long-enough\nssl.key.password=CANARY-long-enough2\n' >a.properties
	mkdir left && cp a.properties left
	printf '[files]\nignore = left\n[rules]\nsecret-keys = pin\n' >settings.ini
	chmod 600 a.properties
	PROPSEAL_CONFIG=settings.ini audit . -o json
	expect_json "$out" '[(f["file"], f["key"]) for f in d["findings"]]' \
	    "[('a.properties', 'pin'), ('a.properties', 'ssl.key.password')]"
	expect_json "$out" 'd["files"]["skipped"]' "{'ignored': 1}"
}

# planted  A tree with a CANARY in every form, that none of the reports may hold.
planted() {
	clean
	printf 'a.password=CANARY-p\n#b.password=CANARY-c\nsasl.jaas.config=a.B required password="CANARY-j";\n' >a.properties
	printf '{"password":"CANARY-json"} CANARY-loose' >b.json
	printf 'A { x.LoginModule required password="CANARY-jaas"; };\n' >c_jaas.conf
	printf 'DB_PASSWORD=CANARY-env\n' >.env
	printf '[Service]\nEnvironment=X_PASSWORD=CANARY-unit\nExecStart=/bin/x --password CANARY-arg\n' >d.service
	printf 'password: CANARY-yaml\nurl: https://u:CANARY-url@h\n' >e.yaml
	printf '#!/bin/sh\nexport A_TOKEN=CANARY-sh\ncurl -u u:CANARY-curl x\n' >f.sh
	printf 'password = "CANARY-tf"\n' >g.tf
	printf 'user:CANARY-user\n' >basic.txt
	cp a.properties a.properties.bak
}

case_no_report_holds_a_value() {
	planted
	local form
	for form in human json jsonl sarif html junit; do
		audit . -o $form
		expect_rc 3
		[ "$(wc -c <"$out")" -gt 1000 ] || fail "$form says next to nothing"
		for name in .env a.properties a.properties.bak b.json basic.txt c_jaas.conf \
		    d.service e.yaml f.sh g.tf; do
			grep -q -F "$name" "$out" || fail "$form does not name $name"
		done
		expect_no CANARY
	done
}

# Of a value that is longer by some characters every report is the same.
case_no_report_tells_a_length() {
	planted
	local form
	echo '{"password": "CANARY-json"}' >b.json
	sed -i 's/CANARY/CANARY-of-some-length/g' ./*.properties ./*.bak ./*.json ./*.conf .env \
	    ./*.service ./*.yaml ./*.sh ./*.tf basic.txt
	for form in human json jsonl sarif html junit; do
		audit . -o $form
		cp "$out" "${out%/*}/short.$form"
	done
	sed -i 's/CANARY/CANARYMORETHANBEFORE/g' ./*.properties ./*.bak ./*.json ./*.conf .env \
	    ./*.service ./*.yaml ./*.sh ./*.tf basic.txt
	for form in human json jsonl sarif html junit; do
		audit . -o $form
		diff "${out%/*}/short.$form" "$out" >"${out%/*}/difference" ||
			fail "$form: $(cat "${out%/*}/difference")"
	done
}

case_values_below_the_name_of_a_secret() {
	clean
	cat >a.yaml <<-'END'
		db:
		  password: {value: CANARY-long-value, description: the password}
		  user: {value: CANARY-long-user}
		  apiKey: {plaintext: CANARY-long-key}
		  token: {valueFrom: {secretKeyRef: {name: x, key: y}}}
		  "ssl.key.password": {value: "CANARY-long-dots"}
		  passwordPolicy: {value: CANARY-no-secret}
	END
	cat >b.json <<-'END'
		{"db": {"password": {"value": "CANARY-long-value", "type": "string"},
		"user": {"value": "CANARY-long-user"}},
		"configs": [{"value": "CANARY-long-pair", "source": "X", "name": "ssl.key.password"},
		{"name": "log.dirs", "value": "CANARY-no-secret"}],
		"value": {"name": "database.password", "recommended_values": [],
		"value": "CANARY-long-member"}}
	END
	chmod 600 ./*
	expect_rules a.yaml 2:clear-text-secret:db.password.value \
	    4:clear-text-secret:db.apiKey.plaintext 6:clear-text-secret:db.ssl.key.password.value
	expect_rules b.json 1:clear-text-secret:db.password.value \
	    3:clear-text-secret:configs.0.value 6:clear-text-secret:value.value
	expect_no CANARY
}

# A name claims one form, and there is nothing but lines of another in it.
case_content_beats_a_name() {
	clean
	printf 'ssl.key.password=CANARY-long-one\nlisteners=SSL://:9093\n' >a.yml
	printf '# x\nssl.key.password=CANARY-long-one\nlog.dirs=/x\n' >b.json
	printf 'KAFKA_PASSWORD=CANARY-long-one\nHEAP=4g\n' >c.yaml
	printf 'just a text\n' >d.yml
	printf -- '- A_PASSWORD=CANARY-long-one\n- B=c\n' >e.yml
	printf '{{ if x }}\nssl.key.password=CANARY-long-one\n' >f.yml
	chmod 600 ./*
	audit . -o json
	expect_json "$out" 'd["complete"], d["files"]["by_form"]' \
	    "(True, {'properties': 2, 'env': 1, 'yaml': 3})"
	expect_json "$out" '[(f["file"], f["line"], f["form"], f["key"]) for f in d["findings"] if f["level"] == "error" and f["file"] < "e"]' \
	    "[('a.yml', 1, 'properties', 'ssl.key.password'), ('b.json', 2, 'properties', 'ssl.key.password'), ('c.yaml', 1, 'env', 'KAFKA_PASSWORD')]"
	rm ./*
	# Nor does a name end where its form does.
	printf 'ssl.key.password=CANARY-long-one\nlog.dirs=/x\n' >server.properties.delta
	printf 'A sentence.\n' >server.properties.md
	audit . -o json
	expect_json "$out" 'd["complete"], d["files"]["by_form"]' "(True, {'properties': 1})"
	printf 'db:\n  password: CANARY-long-one\n' >g.json
	audit g.json -o json
	expect_json "$out" '[(f["line"], f["form"], f["key"]) for f in d["findings"] if f["level"] == "error"]' \
	    "[(2, 'yaml', 'db.password')]"
}

case_no_name_holds_a_value() {
	clean
	local form jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.CANARYjwtabcdefgh
	# What looks like an option, a command or a key, and is a secret.
	cat >h.sh <<-END
		mysql -uroot -pCANARYPassword1 db
		docker exec db mysqldump -pCANARY77secret=x db
		zip -aCANARYPassword out a
		gradle -pCANARYPassword=x y
		URLS=(
		  http://u:CANARYurl@h
		  "$jwt"
		)
		\$(x --password a/CANARYsub) http://u:pw9x8@h
	END
	printf 'hosts:\n  https://u:CANARYkey@h:\n    password: abcdefghijklm\n' >i.yaml
	printf '{"https://u:CANARYkey@h":{"password":"abcdefghijklm"}}\n' >j.json
	printf 'args: ["-pCANARYPassword", "db"]\n' >k.yaml
	chmod 600 ./*
	for form in human json jsonl sarif html junit; do
		audit h.sh i.yaml j.json k.yaml -o $form
		expect_rc 3
		expect_no CANARY
	done
	expect_rules h.sh 1:command-line-secret:mysql#p 2:command-line-secret:mysqldump#p \
	    6:url-credentials:URLS 7:clear-text-secret:URLS 9:url-credentials:
	expect_rules i.yaml 3:clear-text-secret:
	expect_rules j.json 1:clear-text-secret:
	audit k.yaml
	expect_rc 0
	# Without a name they have their place in a baseline all the same.
	audit h.sh i.yaml --baseline known --update-baseline
	audit h.sh i.yaml --baseline known
	expect_rc 0
}

case_defaults_of_expansions_are_clear_text() {
	clean
	printf 'services:\n  x:\n    environment:\n      A_PASSWORD: ${A_PASSWORD:-CANARY-default}\n' >compose.yaml
	printf 'B_PASSWORD: ${B_PASSWORD}\nC_PASSWORD: ${C_PASSWORD:?missing-it}\nD_PASSWORD: ${kafka-password}\n' >none.yaml
	printf 'A_PASSWORD=${A_PASSWORD:-CANARY-default}\nB_PASSWORD=${B_PASSWORD:-${C}}\n' >x.env
	cat >x.sh <<-'END'
		#!/bin/sh
		: "${A_PASSWORD:=CANARY-default}"
		B_PASSWORD=${B_PASSWORD-CANARY-default}
		C_PASSWORD=${C_PASSWORD:-}
		: "${D_FOLDER:=/CANARY/long/enough}"
	END
	chmod 600 ./*
	expect_rules compose.yaml 4:clear-text-secret:services.x.environment.A_PASSWORD
	expect_json "$out" 'd["findings"][0]["column"], d["findings"][0]["end_column"]' '(33, 33)'
	expect_rules none.yaml ''
	expect_rules x.env 1:clear-text-secret:A_PASSWORD
	expect_rules x.sh 2:clear-text-secret:A_PASSWORD 3:clear-text-secret:B_PASSWORD \
	    2:reused-secret:A_PASSWORD
	expect_no CANARY
}

case_what_is_cut_off_on_standard_input_is_told() {
	clean
	printf '[{"a":{"b":"c"}' >half.json
	printf '\377\376{\0' >utf16.json
	for name in half.json utf16.json; do
		run audit - <$name
		expect_rc 1
		expect_out 'not read: -'
	done
	feed '{"a":{"b":"c"}}' audit -
	expect_rc 0
}

# Where a finding stands does not tell how long the secret before it is.
case_no_place_tells_how_long_a_secret_is() {
	local n form forms='json jsonl sarif html junit human'
	make_sealed
	rm sec.properties
	for n in 9 40; do
		mkdir -p "t$n" "r$n"
		python3 - "t$n" $n <<-'END'
			import base64, os, sys
			folder, s = sys.argv[1], 'CANARY' + 'x7Kq' * int(sys.argv[2])
			pem = '-----BEGIN PRIVATE KEY-----\\n' + s + '\\n-----END PRIVATE KEY-----\\n'
			encoded = base64.b64encode(('a.password=' + s).encode()).decode()
			def write(name, text):
			    with open(os.open(folder + '/' + name, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as f:
			        f.write(text)
			write('one.json', '{"a.password":"%s","b":{"c.password":"%s"},"u":"http://u:%s@h/","k":"%s",'
			      '"z.password":"${securepass:/no/where:x/y}"}\n' % (s, s, s, pem))
			write('broken.json', '{"a.password":"%s","b":"\\q","c.password":"%s"}\n' % (s, s))
			write('flow.yaml', 'x: {a_password: %s, b_password: "%s", c_password: changeme}\n' % (s, s))
			write('jaas.properties', 'sasl.jaas.config=a.PlainLoginModule required username="u" '
			      'password="%s" token="${securepass:/no:x/y}" secret="%s";\n' % (s, s))
			write('x.sh', 'export A_PASSWORD=%s B_PASSWORD=\'%s\' C_PASSWORD=changeme; '
			      'kafka --password %s --token=%s\n' % (s, s, s, s))
			write('two.sh', 'A_PASSWORD="%s\nmore" B_PASSWORD=%s-more\n' % (s, s))
			write('x.env', 'A_PASSWORD=%s # B_PASSWORD=%s\n' % (s, s))
			write('k.service', '[Service]\nEnvironment=A_PASSWORD=%s B_PASSWORD=%s\n' % (s, s))
			write('x.tf', 'x = { a_password = "%s", b_password = "%s" }\n' % (s, s))
			write('users.json', '{"alice":"%s","bob":"%s"}\n' % (s, s))
			write('secret.yaml', 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n'
			      'data: {x.properties: %s, z_password: %s}\n' % (encoded, encoded))
			write('old.properties', 'a=b\n#x.password=%s y.password=%s\n' % (s, s))
		END
		for form in $forms; do
			(cd "t$n" && exec "$PROPSEAL" audit . -o $form >"../r$n/$form") || [ $? -eq 3 ] || fail "$form"
		done
		(cd "t$n" && exec "$PROPSEAL" audit - -o json <one.json >"../r$n/input")
		grep -rq CANARY "r$n" && fail 'a value is told'
	done
	expect_json r9/json 'len(set(f["file"] for f in d["findings"])), len(d["findings"]) > 30' '(12, True)'
	for form in $forms input; do
		cmp -s "r9/$form" "r40/$form" || fail "$form: $(diff "r9/$form" "r40/$form" | head -c 2000)"
	done
}

case_broken_json_on_one_line_is_searched() {
	printf '{"a.password": "CANARY-a", "b": "\\q", "c.password": "CANARY-c", "d":{"e.password":"CANARY-e"}}\n' >one.json
	chmod 600 one.json
	run audit one.json -o json
	expect_rc 3
	expect_no CANARY
	expect_json "$out" '[(f["key"], f["column"]) for f in d["findings"] if f["level"] == "error"]' \
	    "[('a\\\\.password', 17), ('c.password', 17), ('e.password', 17)]"
}

case_login_configurations_that_are_broken_are_told() {
	clean
	printf 'A {\n x.LoginModule required password="CANARY-open;\n};\n' >kafka_server_jaas.conf
	audit kafka_server_jaas.conf
	expect_rc 1
	expect_out 'not read: kafka_server_jaas.conf'
	printf '\377\376A\0' >kafka_server_jaas.conf
	audit kafka_server_jaas.conf
	expect_rc 1
}

case_what_is_found_at_the_end_can_be_suppressed() {
	clean
	local rules
	cat >a.properties <<-'END'
		# propseal:ignore open-mode it is a test
		# propseal:ignore missing-secrets-file,provider-not-configured made elsewhere
		a.password=${securepass:/nowhere/s.properties:a.properties/a.password}
		# propseal:ignore clear-text-secret,reused-secret it is public
		b.password=CANARY-long-enough
		c.password=CANARY-long-enough
		# propseal:ignore orphan-entry another rule
		d.password=${securepass:/nowhere/s.properties:a.properties/d.password}
	END
	chmod 644 a.properties
	audit a.properties -o json
	expect_json "$out" 'sorted((f["rule"], f["key"]) for f in d["findings"] if f["suppressed_by"] is None)' \
	    "[('clear-text-secret', 'c.password'), ('missing-secrets-file', 'd.password'), ('provider-not-configured', 'd.password')]"
	expect_json "$out" 'sorted((f["rule"], f["key"]) for f in d["findings"] if f["suppressed_by"] == "inline")' \
	    "[('clear-text-secret', 'b.password'), ('missing-secrets-file', 'a.password'), ('open-mode', ''), ('provider-not-configured', 'a.password')]"
	audit a.properties -o json --no-suppressions
	expect_json "$out" 'd["counts"]["suppressed"]' 0
	# Days that are none are over.
	printf '%s\n' '# propseal:ignore * until=2999-1-1' 'b.password=CANARY-long-enough' >b.properties
	audit b.properties
	expect_rc 3
}

case_findings_of_one_kind_have_ids_of_their_own() {
	seal
	sed -i 's/^\(.*ssl.key.password.*\)=.*/\1=CANARY-long-enough/' sec.properties
	mkdir open
	mv sec.properties open
	chmod 666 open/sec.properties
	chmod 777 open
	audit open -o json
	expect_json "$out" 'sum(f["rule"] == "open-mode" for f in d["findings"]) > 1, len({f["id"] for f in d["findings"]}) == len(d["findings"])' \
	    '(True, True)'
}

case_the_folder_of_a_shell_is_no_password() {
	clean
	printf '%s\n' PWD=/home/kafka/bin OLDPWD=/var/lib/kafka-12345678 DB_PWD=/CANARY/long >v.env
	expect_rules v.env 3:clear-text-secret:DB_PWD
	printf '%s\n' 'services:' '  a:' '    environment:' '      - PWD=/srv/kafka/data' \
	    '      - "OLDPWD=/srv/kafka/data"' >docker-compose.yml
	expect_rules docker-compose.yml
	printf '%s\n' '[Service]' 'Environment=PWD=/srv/kafka/data' 'Environment="PWD=CANARY-long-1"' \
	    >a.service
	expect_rules a.service 3:clear-text-secret:PWD
}

case_files_of_one_line_in_yaml() {
	clean
	cat >a.yaml <<-'END'
		apiVersion: v1
		kind: Secret
		data:
		  app.properties: YS5wYXNzd29yZD1DQU5BUlktYmFzZS02NA==
		---
		kind: ConfigMap
		data:
		  b.json: '{"db.password":"CANARY-long-1"}'
		  c.properties: "c.password=CANARY-long-2"
		  d: "{\"password\":\"CANARY-long-3\"}"
		  e: '{{ .Values.password }}'
		  f_password: '{"x":"CANARY-long-4"}'
		  jaas: |
		    org.x.PlainLoginModule required
		    username="a" password="CANARY-long-5";
	END
	expect_rules a.yaml 4:clear-text-secret:a.password '8:clear-text-secret:db\.password' \
	    9:clear-text-secret:c.password 10:clear-text-secret:password \
	    12:clear-text-secret:data.f_password 15:clear-text-secret:data.jaas#password
	printf '%s\n' 'resource "x" "y" {' 'z = <<EOT' \
	    'org.x.PlainLoginModule required password="CANARY-long-6";' EOT '}' >b.tf
	expect_rules b.tf 3:clear-text-secret:z#password
	expect_no CANARY
}

case_users_of_curl() {
	clean
	printf '%s\n' 'curl --user=a:CANARY-long-1 x' 'curl -sSu a:CANARY-long-2 x' \
	    'curl --proxy-user=a:CANARY-long-3 x' 'curl --user=a x' 'curl -sSu a x' \
	    'x --user=a -Su b:c' >a.sh
	expect_rules a.sh 1:command-line-secret:curl#user 2:command-line-secret:curl#u \
	    3:command-line-secret:curl#proxy-user
}

case_lists_of_users_without_any() {
	clean
	local text
	for text in null '[]' '{}' '""' '[null,""]' '{"a":null,"b":""}'; do
		printf '%s' "$text" >users.json
		audit users.json -o json
		expect_rc 0
		expect_json "$out" 'd["complete"], d["findings"]' '(True, [])'
	done
}

case_what_is_unread_passes_no_case() {
	clean
	printf '{"a": "x", broken' >a.json
	printf 'a=b\n' >b.properties
	audit a.json b.properties -o junit
	expect_rc 1
	python3 - "$out" <<-'END' || fail 'a file that is unread passed'
		import sys, xml.etree.ElementTree as e
		r = e.parse(sys.argv[1]).getroot()
		cases = [c.get("name") for c in r.iter("testcase") if c.get("classname") == "clean"]
		assert cases == ["b.properties"], cases
		assert r.get("tests") == "2" and len(list(r.iter("testcase"))) == 2
	END
}

case_many_suppressions_take_no_time() {
	clean
	yes '# propseal:ignore clear-text-secret x' | head -n 40000 >a.properties
	echo 'a.password=CANARY-long-enough' >>a.properties
	chmod 600 a.properties
	timeout 10 "$PROPSEAL" audit a.properties -o json >"$out" || fail "$?"
	expect_json "$out" 'd["counts"]["suppressed"]' 1
}

case_a_line_of_a_megabyte_takes_no_time() {
	clean
	python3 - <<-'END'
		def write(name, text):
		    with open(name, 'w', encoding='utf-8') as f:
		        f.write(text)
		write('a.yml', 'x: {a: \u00e9, ' + ', '.join(f'k{i}: v' for i in range(40000)) +
		      ', password: CANARY-long-enough}\n')
		write('b.json', '{' + ','.join(f'"k{i}.password":"CANARY-long-{i:05}"'
		      for i in range(30000)) + '}')
		write('c.properties', 'a.password=CANARY-long-enough\na.url=' + 'eyJ' * 400000 + '\n')
	END
	chmod 600 ./*
	timeout 10 "$PROPSEAL" audit a.yml -o json >"$out"
	expect_json "$out" 'len(d["findings"]), d["findings"][0]["column"]' '(1, 428911)'
	timeout 10 "$PROPSEAL" audit b.json -o json >"$out"
	expect_json "$out" 'len(d["findings"]), d["findings"][29999]["column"]' '(30000, 17)'
	timeout 10 "$PROPSEAL" audit c.properties -o json >"$out"
	expect_json "$out" 'len(d["findings"])' 1
}

case_what_looks_like_a_report_is_read() {
	clean
	printf '{"a":"ps1:","db.password":"CANARY-long-enough"}\n' >a.json
	printf '{"schema":"propseal.audit/1","db.password":"CANARY-long-enough"}\n' >b.json
	printf 'admin:CANARY-user\n' >basic.txt
	chmod 600 ./*
	expect_rules a.json '1:clear-text-secret:db\.password'
	expect_rules b.json '1:clear-text-secret:db\.password'
	# What it wrote itself tells nothing, whatever its name is.
	audit . -o json
	mv "$out" report.json
	audit . -o jsonl
	mv "$out" lines.json
	audit . --baseline known.json --update-baseline
	for name in report.json lines.json known.json; do
		audit $name
		expect_rc 0
		expect_out 'nothing found; 1 of 1 file read'
	done
}

# Each stands where the password does; its key says in which value, or in what command.
case_passwords_in_statements() {
	clean
	cat >init.yaml <<-'END'
		data:
		  init.sql: |
		    CREATE DATABASE app;
		    CREATE USER app WITH PASSWORD 'CANARY-init-1';
		    CREATE USER b IDENTIFIED BY PASSWORD '*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4';
		    CREATE USER c PASSWORD '$C_PASSWORD';
		  one.sql: ALTER USER app WITH PASSWORD 'CANARY-init-2'
		  init.sh: |
		    #!/bin/bash
		    mysql -e "SET PASSWORD FOR 'e'@'l' = 'CANARY-init-3'"
		    mysql <<-E
		      ALTER USER 'a' IDENTIFIED BY 'CANARY-init-4';
		    E
		  folded: >
		    CREATE USER app
		    WITH PASSWORD 'CANARY-init-5';
	END
	cat >init.sh <<-'END'
		#!/bin/bash
		psql <<< "ALTER USER x PASSWORD 'CANARY-init-6'"
		SQL="CREATE USER app IDENTIFIED BY 'CANARY-init-7'"
		bash -c 'psql -c "ALTER USER x PASSWORD $NEW"'
		mongosh <<< 'db.createUser({ user: "a", pwd: "CANARY-init-9" })'
		mysql -e "GRANT ALL ON x TO 'a'@'%' IDENTIFIED BY '$A_PASSWORD'"
	END
	chmod 600 init.*
	expect_rules init.yaml 4:clear-text-secret:data.init.sql#password \
	    7:clear-text-secret:data.one.sql#password 10:command-line-secret:mysql#password \
	    12:clear-text-secret:mysql#password 15:clear-text-secret:data.folded#password
	expect_rules init.sh 2:command-line-secret:psql#password 3:clear-text-secret:SQL#password \
	    5:command-line-secret:mongosh#password
}

case_words_of_arrays() {
	clean
	cat >arrays.sh <<-'END'
		#!/bin/bash
		ARGS=(--user x --password CANARY-long-1)
		OPTS+=("--token=$TOKEN" # not this one
		  --password
		  CANARY-long-2)
		PASSWORDS=("$FIRST" CANARY-long-3)
		declare -A OF=([user]=x-and-more [password]=CANARY-long-4)
		TOPICS=(password-topic)
		client --password CANARY-long-5
	END
	chmod 600 arrays.sh
	expect_rules arrays.sh 2:command-line-secret:ARGS#password \
	    5:command-line-secret:OPTS#password 6:clear-text-secret:PASSWORDS \
	    7:clear-text-secret:password 9:command-line-secret:client#password
}

case_lists_of_variables_in_blocks_of_yaml() {
	clean
	printf 'extraEnv: |\n  - name: A_PASSWORD\n    value: CANARY-long-enough\n  - name: B\n    value: c\n' >values.yaml
	chmod 600 values.yaml
	expect_rules values.yaml 3:clear-text-secret:0.value
}

# What is told of a text in quotes, or folded, stands where the text begins.
case_texts_whose_lines_are_not_the_files() {
	clean
	printf 'cfg: "x=1\\na.password=CANARY-long-enough"\nb: 1\n' >escaped.yaml
	printf 'x: 1\ncfg: "x=1\n\n\n  a.password=CANARY-long-enough"\n' >quoted.yaml
	printf 'cfg: >\n  x=1\n\n  a.password=CANARY-long-enough\n\nb: 1\n' >folded.yaml
	printf 'cfg: |+\n  x=1\n\n  a.password=CANARY-long-enough\n\n\nb: 1\n' >literal.yaml
	chmod 600 ./*
	expect_rules escaped.yaml 1:clear-text-secret:a.password
	expect_rules quoted.yaml 2:clear-text-secret:a.password
	expect_rules folded.yaml 2:clear-text-secret:a.password
	expect_rules literal.yaml 4:clear-text-secret:a.password
}

# An alias or a mapping as a key has no name; what stands beside it has its own.
case_keys_of_yaml_that_are_no_words() {
	clean
	printf 'a: &x b\n*x : CANARY-long-enough\npassword: CANARY-long-enough\n' >alias.yaml
	printf 'c:\n  d: &x 1\n  ? {a: 1}\n  : {password: CANARY-long-enough}\n  password: CANARY-long-enough\n' >map.yaml
	printf '"": {password: CANARY-long-enough}\n' >empty.yaml
	chmod 600 ./*
	expect_rules empty.yaml 1:clear-text-secret:password
	expect_rules alias.yaml 3:clear-text-secret:password
	expect_rules map.yaml 4:clear-text-secret:c.?.password 4:reused-secret:c.?.password \
	    5:clear-text-secret:c.password
}

case_what_stands_before_a_name_hides_nothing() {
	clean
	printf '\357\273\277A_PASSWORD=CANARY-long-enough\n' >x.env
	printf 'A {\n // password="CANARY-long-enough"\n x.LoginModule required username="a";\n};\n' >x_jaas.conf
	printf '// db_password = "CANARY-long-enough"\n// https://example.org: see there\nname = "x"\n' >x.tf
	chmod 600 ./*
	expect_rules x.env 1:clear-text-secret:A_PASSWORD
	expect_rules x_jaas.conf 2:secret-in-comment:password
	expect_rules x.tf 1:secret-in-comment:db_password
}

case_reports_are_well_formed() {
	planted
	printf 'a<b>&"\001\033[31m\342\200\256.password=CANARY-long-enough\n' >h.properties
	audit . -o junit
	python3 - "$out" <<-'END' || fail "JUnit: $?"
		import sys, xml.etree.ElementTree as E
		r = E.parse(sys.argv[1]).getroot()
		assert r.tag == 'testsuites'
		cases = r.findall('.//testcase')
		assert int(r.get('tests')) == len(cases), (r.get('tests'), len(cases))
		assert int(r.get('failures')) == len(r.findall('.//failure'))
		assert int(r.get('errors')) == len(r.findall('.//error')) == 1
	END
	audit . -o html
	expect_no 'since the baseline'
	python3 - "$out" <<-'END' || fail "HTML: $?"
		import sys, html.parser
		text = open(sys.argv[1], encoding='utf-8').read()
		assert 'http://' not in text and 'https://' not in text and 'src=' not in text
		assert '\033' not in text and '\u202e' not in text
		stack = []
		class P(html.parser.HTMLParser):
		    def handle_starttag(self, tag, attrs):
		        if tag not in ('meta', 'br', 'input'): stack.append(tag)
		    def handle_endtag(self, tag):
		        assert stack.pop() == tag, tag
		P().feed(text)
		assert not stack
		assert 'a&lt;b&gt;&amp;&quot;' in text
		order = [text.index(t) for t in ('By rule', 'By environment', 'By file', 'Not read')]
		assert order == sorted(order)
		# A class of rows that are laid out as blocks is still hidden by the filter.
		assert text.index('tr[hidden]{display:none}') > text.index('tr{display:block')
	END
	audit . -o human
	expect_no "$(printf '\033')"
	# Nor as the other place of a secret.
	mkdir names
	printf 'password=CANARY-long-enough\n' >names/a.properties
	cp names/a.properties "names/$(printf 'b\033[31m').properties"
	audit names -o human
	expect_no "$(printf '\033')"
	expect_out 'also names/b\x1b[31m.properties:1'
	echo 'x=1' >clean.properties
	audit clean.properties -o junit
	expect_rc 0
	expect_out '<testcase classname="clean" name="clean.properties"/>'
}

case_sarif_has_what_code_scanning_wants() {
	planted
	echo 'x.password=CANARY-p' >i.properties
	audit . -o sarif
	python3 - "$out" <<-'END' || fail "SARIF: $?"
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert d['version'] == '2.1.0' and 'sarif' in d['$schema']
		run, = d['runs']
		driver = run['tool']['driver']
		ids = [r['id'] for r in driver['rules']]
		assert len(ids) == len(set(ids)) and set(ids) == {r['ruleId'] for r in run['results']}
		for r in driver['rules']:
		    assert r['name'] and r['shortDescription']['text'] and r['fullDescription']['text']
		    assert r['help']['text'] and r['help']['markdown']
		    assert r['helpUri'].endswith('#' + r['id'])
		    assert r['defaultConfiguration']['level'] in ('error', 'warning', 'note')
		    assert 0 <= float(r['properties']['security-severity']) <= 10
		    assert 'security' in r['properties']['tags']
		for r in run['results']:
		    assert driver['rules'][r['ruleIndex']]['id'] == r['ruleId']
		    where = r['locations'][0]['physicalLocation']
		    assert not where['artifactLocation']['uri'].startswith('/')
		    assert where['artifactLocation']['uriBaseId'] in run['originalUriBaseIds']
		    g = where['region']
		    assert g['startLine'] <= g['endLine'] and 'snippet' not in g
		    assert g['startColumn'] >= 1 and 'endColumn' not in g
		    assert r['partialFingerprints']['propseal/v1'].startswith('ps1:')
		    assert r['baselineState'] == 'new'
		prints = [r['partialFingerprints']['propseal/v1'] for r in run['results']]
		assert len(prints) == len(set(prints))
		assert run['columnKind'] == 'unicodeCodePoints' and run['automationDetails']['id']
		n = run['invocations'][0]['toolExecutionNotifications']
		assert len(n) == 1 and n[0]['locations'][0]['physicalLocation']['artifactLocation']['uri'] == 'b.json'
		assert run['invocations'][0]['exitCode'] == 3
	END
}

# The schema has no more than what is written, so that a misspelt name is a fault.  SARIF_SCHEMA:
# OASIS' own, sarif-schema-2.1.0.json, which is tried as well.
expect_sarif() {
	[ "$rc" -eq 0 ] || [ "$rc" -eq 3 ] || fail "exit status $rc"
	python3 - "$out" "$here/../audit/sarif.schema.json" ${SARIF_SCHEMA:+"$SARIF_SCHEMA"} <<-'END' || fail "not valid SARIF"
		import json, sys, jsonschema
		report, *schemas = (json.load(open(f)) for f in sys.argv[1:])
		for schema in schemas:
		    validator = jsonschema.validators.validator_for(schema)
		    validator.check_schema(schema)
		    for e in validator(schema).iter_errors(report):
		        sys.exit(f"{list(e.absolute_path)}: {e.message}"[:300])
	END
}

case_sarif_is_valid() {
	clean
	echo x=1 >clean.properties
	audit . -o sarif
	expect_sarif
	planted
	mkdir 'a folder %' && cp a.properties 'a folder %'
	printf 'x.password=CANARY-p\n' >"$(printf 'b\377\303\244 [1]{2}.properties')"
	printf '# propseal:ignore clear-text-secret it is public\ny.password=CANARY-p\n' >i.properties
	audit . -o sarif
	expect_sarif
	python3 - "$out" <<-'END' || fail "the tree has not what is to be tried"
		import json, sys
		run, = json.load(open(sys.argv[1]))['runs']
		assert any('suppressions' in r for r in run['results'])
		assert any('relatedLocations' in r for r in run['results'])
		assert run['invocations'][0]['toolExecutionNotifications']
	END
	audit . --baseline base --update-baseline -o sarif
	expect_rc 1
	rm b.json
	audit . --baseline base -o sarif
	expect_sarif
	expect_out '"baselineState":"unchanged"'
	# The test can fail.
	sed -i 's/"startLine":1/"startLine":0/' "$out"
	(expect_sarif) >/dev/null 2>&1 && fail 'everything is taken for valid'
	true
}

# What share/ci runs is a command line that propseal takes.
case_pipelines_run_what_there_is() {
	clean
	local line
	grep -hE '^ *(run|entry|-) *:? *propseal audit' "$here"/../../share/ci/*.yml \
	    "$here/../../.pre-commit-hooks.yaml" | sed 's/.*propseal //; s/ *>.*//' >lines
	[ "$(wc -l <lines)" -eq 3 ] || fail "which lines are there?"
	git init -q .
	while read -r line; do
		# shellcheck disable=SC2086
		run $line
		expect_rc 0
	done <lines
}

# And so are those of the page for whoever audits.
case_the_page_says_what_there_is() {
	clean
	local line
	grep -E '^(    )?([^ ].*\| )?propseal ' "$here/../../share/doc/audit.md" |
	    sed 's/.*propseal //; s/ *[>#\\].*//' >lines
	[ "$(wc -l <lines)" -gt 10 ] || fail "which lines are there?"
	while read -r line; do
		case $line in
		git*) run git install --help ;;
		master-key*) run master-key generate --help ;;
		*) run "${line%% *}" --help ;;
		esac
		expect_rc 0
		for flag in $(grep -oE -- '--[a-z-]+' <<<"$line"); do
			expect_out "$flag"
		done
	done <lines
}

# One environment with two sealed entries, and the key at hand.
make_sealed() {
	printf 'x.password=CANARY-of-x-long\ny.password=CANARY-of-y-long\n' >server.properties
	on server.properties encrypt
	rm -f master.key pass
	chmod 600 ./*
}

# found RULE  File and key of each finding of the rule.
found() {
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(" ".join("%s:%s" % (f["file"], f["key"]) for f in d["findings"] if f["rule"] == sys.argv[2]))' \
	    "$out" "$1"
}

expect_found() {
	[ "$(found "$1")" = "$2" ] || fail "$1: $(found "$1"), expected $2"
}

case_a_sealed_secret_in_clear_text_elsewhere_is_found() {
	make_sealed
	mkdir other
	printf 'CONNECT_PASSWORD=CANARY-of-x-long\nZ_PASSWORD=CANARY-of-z-long\n' >other/.env
	printf '#old.password=CANARY-of-y-long\n' >other/old.properties
	printf 'y.password=CANARY-of-y-long\n' >other/server.properties.bak
	chmod 600 other/* other/.env
	audit . -o json
	expect_rc 3
	expect_found sealed-and-clear "other/.env:CONNECT_PASSWORD other/old.properties:old.password other/server.properties.bak:y.password"
	expect_json "$out" '[(r["file"], r["line"] > 0, r["key"], r["why"]) for f in d["findings"]
	    if f["rule"] == "sealed-and-clear" and f["file"] == "other/.env" for r in f["related"]]' \
	    "[('sec.properties', True, 'server.properties/x.password', 'where it is sealed')]"
	expect_json "$out" '"not_checked" in d' False
	expect_no CANARY
	audit . -o sarif
	expect_json "$out" '[l["physicalLocation"]["artifactLocation"]["uri"] for r in d["runs"][0]["results"]
	    if r["ruleId"] == "sealed-and-clear" for l in r["relatedLocations"]]' \
	    "['sec.properties', 'sec.properties', 'sec.properties']"
	audit .
	expect_out 'sealed in sec.properties:'
	# Without the key nobody knows, and that is said.
	unset CONFLUENT_SECURITY_MASTER_KEY
	audit . -o json
	expect_found sealed-and-clear ''
	expect_json "$out" 'd["not_checked"], d["complete"]' \
	    "([{'file': 'sec.properties', 'reason': 'locked: there is no key', 'rules': ['sealed-and-clear', 'exchanged-entry', 'stale-tag']}], True)"
	audit .
	expect_out 'not checked: sec.properties: locked: there is no key'
	# Another key is none; one that was asked for has to be there.
	printf '%s' 'another passphrase' >pass
	run master-key generate --local-secrets-file s2 --passphrase @pass -o yaml
	sed 's/^master_key: //' "$out" >../other.key
	rm s2 pass
	audit . --master-key-file ../other.key -o json
	expect_json "$out" '[x["reason"] for x in d["not_checked"]]' "['locked: no key that was given opens it']"
	audit . --master-key-file ../no.key
	expect_rc 1
}

case_parts_of_what_is_sealed_whole_count() {
	printf 'sasl.jaas.config=a.PlainLoginModule required username="u" password="CANARY-in-jaas-long";\n' \
	    >server.properties
	on server.properties encrypt --config sasl.jaas.config
	expect_rc 0
	printf 'KAFKA_PASSWORD=CANARY-in-jaas-long\n' >.env
	chmod 600 ./* .env
	audit . -o json
	expect_found sealed-and-clear .env:KAFKA_PASSWORD
}

case_exchanged_stale_and_damaged_entries() {
	make_sealed
	cp sec.properties good
	# Two values changed places.
	python3 - <<-'END'
		import re
		t = open('good').read()
		x = re.search(r'(?m)^server.properties/x.password *= *(.*)$', t)[1]
		y = re.search(r'(?m)^server.properties/y.password *= *(.*)$', t)[1]
		open('sec.properties', 'w').write(t.replace(x, '@').replace(y, x).replace('@', y))
		open('stale', 'w').write(re.sub(r'(?m)(_propseal.tag/server.properties/x.password *= *).*$',
		    r'\1' + 'A' * 22 + '==', t))
		open('damaged', 'w').write(t.replace(x, x.replace('data:', 'data:AAAA')))
		open('malformed', 'w').write(t.replace(x, x.replace('iv:', 'vi:')))
	END
	audit sec.properties -o json
	expect_rc 3
	expect_found exchanged-entry "sec.properties:server.properties/x.password sec.properties:server.properties/y.password"
	expect_found damaged-entry ''
	cp stale sec.properties
	audit sec.properties -o json
	expect_rc 0
	expect_found stale-tag sec.properties:server.properties/x.password
	for name in damaged malformed; do
		cp $name sec.properties
		audit sec.properties -o json
		expect_rc 3
		expect_found damaged-entry sec.properties:server.properties/x.password
	done
	unset CONFLUENT_SECURITY_MASTER_KEY
	audit sec.properties -o json
	expect_found damaged-entry sec.properties:server.properties/x.password
	cp damaged sec.properties
	audit sec.properties -o json
	expect_found damaged-entry ''
	expect_json "$out" '[x["file"] for x in d["not_checked"]]' "['sec.properties']"
}

case_references_that_nothing_resolves() {
	clean
	local class=org.apache.kafka.common.config.provider
	printf 'x=y\n' >"$PWD/known"
	# Of several lines of one key the last one counts.
	cat >a.properties <<-END
		config.providers=file, vault
		config.providers=file,dir
		config.providers.file.class=$class.FileConfigProvider
		config.providers.vault.class=com.example.Vault
		a=\${file:$PWD/known:x}
		b=\${file:$PWD/known:gone}
		c=\${file:/nowhere/at/all:x}
		d=\${vault:/path:x}
		e=\${dir:/run/secrets:x}
		f=\${securepass:/s.properties:a.properties/f}
	END
	chmod 600 ./*
	audit a.properties -o json
	expect_rc 3
	expect_found provider-not-configured "a.properties:d a.properties:e a.properties:f"
	expect_found dangling-reference a.properties:b
	expect_json "$out" '[f["message"] for f in d["findings"] if f["key"] in ("b", "d", "e")]' \
	    "['a reference to a key that its file does not have', 'config.providers does not name its provider', 'its provider has no class']"
	# A service without any; a part of a configuration may have them elsewhere.
	printf '%s\n' 'a.password=${file:/run/secrets:x}' >b.properties
	audit b.properties -o json
	expect_found provider-not-configured ''
	printf '%s\n' bootstrap.servers=a:9092 >>b.properties
	audit b.properties -o json
	expect_found provider-not-configured b.properties:a.password
	# What other programs make of it is not ours to say.
	printf '%s\n' 'a.password=${db.password:changeit}' 'b.password=${DB_PASSWORD:none}' \
	    'c=${env:HOME}' 'd=before ${file:/a:b} behind' >spring.properties
	audit spring.properties -o json
	expect_found provider-not-configured ''
}

case_connectors_have_the_providers_of_their_worker() {
	clean
	local class=org.apache.kafka.common.config.provider.FileConfigProvider
	mkdir -p one two none
	printf '%s\n' group.id=g key.converter=x >one/worker.properties
	sed '$aconfig.providers=file\nconfig.providers.file.class='$class one/worker.properties \
	    >two/worker.properties
	for name in one two none; do
		printf '{"name":"c","config":{"connector.class":"x","a.password":"${file:%s:x}"}}' \
		    "$PWD/known" >$name/c.json
	done
	printf 'x=y\n' >known
	chmod 600 ./*/* known
	audit none -o json
	expect_rc 0
	audit one two -o json
	expect_rc 3
	expect_found provider-not-configured 'one/c.json:config.a\.password'
	expect_found dangling-reference ''
	printf 'z=y\n' >known
	audit two -o json
	expect_found dangling-reference 'two/c.json:config.a\.password'
}

case_modes_of_secrets_files_and_their_folders_count() {
	make_sealed
	mkdir s && mv sec.properties server.properties s
	audit s -o json
	expect_found open-mode ''
	chmod 777 s
	audit s -o json
	expect_found open-mode s:
	expect_json "$out" '[f["message"] for f in d["findings"]]' \
	    "['every user can put other files in the place of those in this folder']"
	chmod 1777 s
	audit s -o json
	expect_found open-mode ''
	chmod 702 s/sec.properties
	audit s -o json
	expect_found open-mode s/sec.properties:
	chmod 600 s/sec.properties
	# The service reads its configuration as one of the group, and not the secrets.
	[ "$(id -u)" -eq 0 ] || return 0
	chgrp 1 s/*
	chmod 640 s/server.properties
	audit s -o json
	expect_found open-mode s/server.properties:
	chmod 640 s/sec.properties
	audit s -o json
	expect_found open-mode ''
}

case_people_are_told_sums_and_what_comes_next() {
	make_sealed
	printf 'x.password=short-one\n# y.password=CANARY-in-a-comment\n' >>server.properties
	printf 'PASSWORD=CANARY-of-the-env-file\nTOKEN=CANARY-of-the-env-too\n' >app.env
	printf '[environment prod]\nsecrets-file = sec.properties\nremote-path = %s\n' "$remote" >propseal.ini
	chmod 600 ./*
	PROPSEAL_CONFIG=propseal.ini audit .
	expect_rc 3
	grep -qx 'server.properties: 1 error, 1 warning, 1 note' "$out" || fail "no sums of the file"
	grep -qx 'app.env: 2 errors' "$out" || fail "no sums of the other file"
	grep -qx 'environment prod: 1 error, 1 warning, 1 note' "$out" || fail "no sums of the environment"
	# The worst is the first step.
	[ "$(sed -n '/^next:/,/^and then:/p' "$out" | grep -c '^  [a-z-]*: ')" -eq 3 ] || fail "not three steps"
	expect_out 'a secret in clear text (2 errors)'
	[ "$(sed -n '/^next:/{n;p}' "$out")" = '  clear-text-secret: a secret in clear text (2 errors)' ] ||
		fail "the worst is not the first"
}

case_ini_and_redis_are_read_like_properties() {
	clean
	cat >grafana.ini <<-'END'
		[database]
		type = postgres
		password = CANARY-of-the-database
		;ssl_mode = disable
		[smtp]
		;password = CANARY-in-a-comment
		password = CANARY-of-the-mail
		[auth]
		token_url = https://idp/token
	END
	cat >redis.conf <<-'END'
		bind 127.0.0.1
		# requirepass foobared
		requirepass CANARY-of-redis
		maxmemory 2gb
	END
	printf '[Other]\nprose that says what\nthe password: is for\nand more of it\n' >prose.cfg
	chmod 600 ./*
	expect_rules grafana.ini 3:clear-text-secret:password 6:secret-in-comment:password \
	    7:clear-text-secret:password
	expect_rules redis.conf 3:clear-text-secret:requirepass
	expect_rules prose.cfg
}

case_quotes_that_belong_to_no_pair_end_nothing() {
	clean
	cat >userlist.txt <<-'END'
		" "connection.password": "CANARY-of-nobody"
		"" "CANARY-of-nobody"
		"a" "
		" " "
		"alice" "CANARY-of-alice"
	END
	chmod 600 ./*
	audit . -o json
	expect_rc 3
	expect_json "$out" '[f["line"] for f in d["findings"] if f["key"] == "alice"]' '[5]'
	expect_no CANARY
}

case_a_default_of_spring_is_clear_text() {
	clean
	cat >application.properties <<-'END'
		a.password=${DB_PASSWORD:CANARY-of-the-database}
		b.password=${DB_PASSWORD:}
		c.password=${VAULT:secret/db:password}
		d.password=${ENV:DB_PASSWORD}
		e.password=${DB_PASSWORD:?not set}
		f.password=${env:db-password}
	END
	chmod 600 application.properties
	audit . -o json
	expect_json "$out" '[f["key"] for f in d["findings"] if f["rule"] == "clear-text-secret"]' "['a.password']"
}

case_json_in_a_variable_is_read() {
	clean
	cat >app.env <<-'END'
		SPRING_APPLICATION_JSON={"spring":{"datasource":{"password":"CANARY-of-spring"}}}
		LOGGING={"level":"info"}
		BROKEN={"password
	END
	chmod 600 app.env
	expect_rules app.env 1:clear-text-secret:spring.datasource.password
}

case_a_list_of_users_is_no_connector() {
	clean
	echo '{"kafka": "CANARY-of-kafka", "c3": "CANARY-of-c3"}' >plain-users.json
	echo '{"name": "users", "connector.class": "Datagen", "max": "200"}' >datagen-users.json
	echo '{"name": "users", "config": {"max": "200"}}' >sink-users.json
	chmod 600 ./*.json
	audit . -o json
	expect_json "$out" '[(f["file"], f["key"]) for f in d["findings"] if f["level"] == "error"]' \
	    "[('plain-users.json', 'kafka'), ('plain-users.json', 'c3')]"
}

case_trees_made_to_stop_an_audit_are_bounded() {
	clean
	mkfifo pipe.properties
	[ "$(id -u)" -ne 0 ] || mknod null.properties c 1 3
	ln -s . loop
	ln -s .. up.properties
	mkdir -p a/b && ln -s ../.. a/b/again
	printf '\376\377\0a' >utf16.yaml
	printf 'a=1\0b=2\n' >nul.properties
	python3 - <<-'END'
		open('deep.json', 'w').write('[' * 200000 + ']' * 200000)
		open('deep.yaml', 'w').write('{a: ' * 50000 + '1' + '}' * 50000)
		open('open.yaml', 'w').write('[' * 100000)
		bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n'
		for i in range(1, 40):
		    bomb += 'a%d: &a%d [%s]\n' % (i, i, ', '.join(['*a%d' % (i - 1)] * 9))
		open('bomb.yaml', 'w').write(bomb + 'password: CANARY-behind-a-bomb\n')
		open('long.properties', 'w').write('x=' + 'y' * (60 << 20) + '\nz.password=CANARY-behind-it\n')
		open('large.properties', 'w').write('x=' + 'y' * (100 << 20) + '\n')
		open('many.env', 'w').write('A=$(' * 100000)
		open('actions.yaml', 'w').write('{{}}' * 1000000 + 'x\npassword: CANARY-behind-actions\n')
		open('begun.yaml', 'w').write('{{\nx\n' * 200000 + 'password: CANARY-behind-them\n')
		open('never.yaml', 'w').write('{{\n' * 4000000 + 'password: CANARY-behind-no-end\n')
		open('chain.yaml', 'w').write('{{\n{{}}' * 500000 + 'x\npassword: CANARY-behind-a-chain\n')
	END
	chmod 600 ./*.yaml ./*.json ./*.env long.properties large.properties nul.properties
	# In the room of some files of 64 MiB; sanitizers take more addresses than there are.
	(
		grep -qa __asan_init "$PROPSEAL" || ulimit -v 1500000
		ulimit -t 120
		audit . -o json
		echo "$rc" >rc
	)
	rc=$(cat rc)
	expect_rc 3
	expect_json "$out" '[(f["file"], f["key"]) for f in d["findings"] if f["level"] == "error"]' \
	    "[('actions.yaml', 'password'), ('begun.yaml', 'password'), ('bomb.yaml', 'password'), ('chain.yaml', 'password'), ('long.properties', 'z.password'), ('never.yaml', 'password')]"
	expect_json "$out" 'sorted(u["file"] for u in d["unread"])' \
	    "['deep.json', 'deep.yaml', 'nul.properties', 'open.yaml', 'utf16.yaml']"
	expect_json "$out" 'd["files"]["skipped"]["too-large"], d["files"]["skipped"]["link"], d["complete"]' "(1, 3, False)"
}

case_a_file_that_is_named_twice_is_told_once() {
	clean
	mkdir a
	printf 'a.password=CANARY-long-enough\n' >a/a.properties
	chmod 600 a/*
	audit a/a.properties a ./a/a.properties a "$PWD/a" -o json
	expect_json "$out" '[f["rule"] for f in d["findings"]], d["files"]["seen"], d["files"]["read"]' \
	    "(['clear-text-secret'], 1, 1)"
}

case_old_secrets_are_told_by_their_age() {
	make_sealed
	printf 'z.password=CANARY-of-z-long\n' >clear.properties
	sed -i 's/created_at *= *.*/created_at = 2020-01-02 03:04:05.678 -0700 PDT m=+0.09/' sec.properties
	chmod 600 ./*
	audit . -o json
	expect_found old-secret ''
	audit . -o json --max-age 90d
	expect_found old-secret sec.properties:_metadata.symmetric_key.0.created_at
	# What stands in a file that nobody touched is as old as that.
	touch -d 2021-01-01 clear.properties sec.properties
	audit . -o json --max-age 1y
	expect_found old-secret "clear.properties:z.password sec.properties:_metadata.symmetric_key.0.created_at sec.properties:server.properties/x.password sec.properties:server.properties/y.password"
	audit . -o json --max-age 36500
	expect_found old-secret ''
	for bad in 0 -1 x 12q ''; do
		audit . --max-age "$bad"
		expect_rc 2
	done
}

case_a_secrets_file_that_is_named_counts() {
	make_sealed
	mkdir a b && mv server.properties a && mv sec.properties b
	printf '[files]\nsecrets-file = %s/b/sec.properties\n' "$PWD" >../user.ini
	audit a -o json
	expect_found missing-secrets-file a/server.properties:x.password\ a/server.properties:y.password
	audit a -o json --local-secrets-file b/sec.properties
	expect_rc 0
	expect_json "$out" 'd["findings"]' '[]'
	printf 'Z_PASSWORD=CANARY-of-x-long\n' >a/.env
	PROPSEAL_CONFIG=$PWD/../user.ini audit a -o json
	expect_found missing-secrets-file ''
	expect_found sealed-and-clear a/.env:Z_PASSWORD
	audit a --local-secrets-file none
	expect_rc 1
}

case_every_rule_has_its_section_in_the_manual() {
	local rules root=$here/../..
	rules=$(sed -n 's/.*= { "\([a-z-]*\)", AUDIT_.*/\1/p' "$root/core/audit/rule.c")
	[ "$(echo "$rules" | wc -l)" -gt 20 ] || fail "which rules are there?"
	for rule in $rules; do
		grep -q "^.Ss $rule\$" "$root/man/propseal-audit.1" || fail "$rule has no section"
	done
}

case_nearly_all_of_every_form_is_found_and_little_else() {
	python3 "$here/../audit/measure.py" "$PROPSEAL" >table ||
		fail "below 0.98: $(cat table)"
	grep -q '^46 passed, 0 failed$' table || fail "$(cat table)"
}

run_cases "$@"
