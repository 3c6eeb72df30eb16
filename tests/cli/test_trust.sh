#!/usr/bin/env bash
# Who can write the secrets file, but has no key, neither reads nor forges a
# value through what propseal does: AES-CBC, tags, and what is said of them.
# shellcheck disable=SC1091,SC2154,SC2016
. "$(dirname "$0")/lib.sh"

vectors=$here/../conformance/vectors

# A file of an old release, all in CBC; the master key is exported.
old_release() {
	cp "$vectors/$1/"*.properties .
	mv secrets.properties sec.properties
	CONFLUENT_SECURITY_MASTER_KEY=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["master_key"])' "$vectors/$1/facts.json")
	export CONFLUENT_SECURITY_MASTER_KEY
}

# lines N WORD  So many lines of clear text.
lines() {
	seq 1 "$1" | sed "s/.*/k&.password = CANARY-$2&/"
}

# many N  A configuration of so many secrets, sealed.
many() {
	lines "$1" '' >many.properties
	on many.properties encrypt
	expect_rc 0
}

# In place of the tags, those of file $1.
old_tags() {
	grep -v '^_propseal.tag/' sec.properties >untagged
	{ cat untagged && grep '^_propseal.tag/' "$1"; } >sec.properties
}

# Exchange the values of two entries of sec.properties.
exchange() {
	python3 - "$1" "$2" <<-'END'
		import sys
		lines = [l.split(" = ", 1) for l in open("sec.properties")]
		place = {l[0]: i for i, l in enumerate(lines)}
		a, b = (place["many.properties/" + k] for k in sys.argv[1:])
		lines[a][1], lines[b][1] = lines[b][1], lines[a][1]
		open("sec.properties", "w").writelines(" = ".join(l) for l in lines)
	END
}

verify() {
	run file verify --local-secrets-file sec.properties "$@"
}

# --- tags ---

# As the reference's `file rotate --data-key` leaves them.
case_tags_of_another_data_key_are_stale_and_told_once() {
	many 3000
	cp sec.properties before
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	old_tags before
	on many.properties decrypt --output-file out
	expect_rc 0
	lines 3000 '' | cmp -s - out || fail 'other values'
	[ "$(grep -c '3000 sealed entries were changed by another program' "$err")" -eq 1 ] ||
	    fail 'not told once'
	run render many.properties --local-secrets-file sec.properties
	expect_rc 0
	expect_err '3000 sealed entries were changed'
	run exec --local-secrets-file sec.properties --config-file many.properties \
	    --env X=k7.password -- sh -c '[ "$X" = CANARY-7 ]'
	expect_rc 0
	expect_err '3000 sealed entries were changed'
	verify
	expect_rc 3
	expect_out '3000 changed by another program'
	[ "$(wc -l <"$out")" -lt 40 ] || fail 'each is told'
	verify -o json
	expect_json "$out" '(d["changed"], d["damaged"], d["open"])' '(3000, 0, 3000)'
	# Those that references had opened before are told alike.
	verify many.properties -o json
	expect_json "$out" '(d["changed"], d["damaged"], d["open"], d["tagged"])' \
	    '(3000, 0, 3000, 3000)'
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	expect_err '3000 sealed entries were changed'
	verify
	expect_rc 0
}

# Stale under the same data key, as after the reference's `file encrypt`, and two of them
# exchanged besides.
case_exchanged_entries_are_found_among_stale_ones() {
	many 300
	cp sec.properties before
	lines 300 new- >many.properties
	on many.properties encrypt --replace
	expect_rc 0
	cp sec.properties fresh
	# A hundred and fifty have old tags; the values of two others were exchanged.
	grep -v '^_propseal.tag/' fresh >sec.properties
	grep '^_propseal.tag/' before | head -150 >>sec.properties
	grep '^_propseal.tag/' fresh | tail -150 >>sec.properties
	cp sec.properties half
	on many.properties decrypt --output-file out
	expect_rc 0
	expect_err '150 sealed entries were changed'
	rm out
	exchange k200.password k290.password
	on many.properties decrypt --output-file out
	expect_rc 4
	expect_err 'k200.password": the value was sealed for another entry, many.properties/k290.password'
	verify
	expect_rc 4
	expect_out '2 do not'
	# Of two whose values stand in each other's place with their tags.
	cp half sec.properties
	exchange k200.password k290.password
	sed -i 's|tag/many.properties/k200\.|tag/@|; s|tag/many.properties/k290\.|tag/many.properties/k200.|
	    s|tag/@|tag/many.properties/k290.|' sec.properties
	verify
	expect_rc 4
	expect_out '2 do not'
	# A copy of one that is in order.
	cp half sec.properties
	value=$(sed -n 's|^many.properties/k299.password = ||p' sec.properties)
	sed -i "s|^many.properties/k250.password = .*|many.properties/k250.password = $value|" \
	    sec.properties
	verify
	expect_rc 4
	expect_out '1 does not'
}

case_entries_without_a_tag_beside_tagged_ones_are_told() {
	many 4
	sed -i '/^_propseal.tag.*k2\./d' sec.properties
	on many.properties decrypt --output-file out
	expect_rc 0
	expect_err '1 sealed entries have no tag'
	verify
	expect_rc 0
	expect_out '1 without an integrity tag'
	# All of the reference's have none, and that says nothing.
	sed -i '/^_propseal.tag/d' sec.properties
	on many.properties decrypt --output-file out
	expect_rc 0
	expect_no 'no tag'
}

# A value that the tag of another entry vouches for is that one's, tag or none.
case_a_copy_without_a_tag_does_not_open() {
	many 4
	value=$(sed -n 's|^many.properties/k1.password = ||p' sec.properties)
	sed -i "s|^many.properties/k2.password = .*|many.properties/k2.password = $value|
	    /^_propseal.tag.*k2\\./d" sec.properties
	local command
	for command in "file decrypt --config-file many.properties --output-file -" \
	    "render many.properties" "file rotate --data-key --passphrase @pass"; do
		# shellcheck disable=SC2086
		run $command --local-secrets-file sec.properties
		expect_rc 4
		expect_err 'k2.password": the value was sealed for another entry, many.properties/k1.password'
		expect_no CANARY
	done
	verify -o json
	expect_rc 4
	expect_json "$out" '(d["damaged"], d["open"])' '(1, 3)'
	# The tag of the other gone as well, nothing tells whose it is.
	sed -i '/^_propseal.tag.*k1\./d' sec.properties
	verify
	expect_rc 0
	expect_out '2 without an integrity tag'
}

case_tags_can_be_required() {
	many 4
	mkdir -p home/.config/propseal
	printf '[keys]\ntags = required\n' >home/.config/propseal/propseal.ini
	unset PROPSEAL_CONFIG
	export HOME=$PWD/home
	on many.properties decrypt --output-file out
	expect_rc 0
	rm out
	sed -i '/^_propseal.tag.*k2\./d' sec.properties
	on many.properties decrypt --output-file out
	expect_rc 1
	expect_err 'k2.password": tags are required'
	expect_err 'file rotate --data-key'
	[ ! -e out ] || fail 'it was written'
	verify
	expect_rc 3
	expect_out 'unchecked'
	sed -i 's|^\(_propseal.tag.*k3\..*\) = .*|\1 = AAAAAAAAAAAAAAAAAAAAAA==|' sec.properties
	verify
	expect_rc 3
	expect_out '2 not opened'
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	verify
	expect_rc 0
	# It is the user's to say, and not who can write to the folder.
	printf '[keys]\ntags = any\n' >propseal.ini
	verify
	expect_rc 1
	expect_err "the user's own propseal.ini"
}

# --- AES-CBC ---

case_cbc_without_a_tag_is_not_opened_in_a_file_of_today() {
	many 2
	on server.properties encrypt --cipher cbc
	expect_rc 0
	# With its tag it opens.
	on server.properties decrypt --output-file out
	expect_rc 0
	rm out
	verify
	expect_rc 0
	sed -i '/^_propseal.tag.server.properties.ssl.key.password/d' sec.properties
	on server.properties decrypt --output-file out
	expect_rc 1
	expect_err 'ssl.key.password": the value is in the old AES-CBC form'
	expect_err 'file rotate --data-key'
	run render server.properties --local-secrets-file sec.properties
	expect_rc 1
	run exec --local-secrets-file sec.properties --config-file server.properties \
	    --env X=ssl.key.password -- true
	expect_rc 125
	run file show server.properties --local-secrets-file sec.properties --reveal -o json
	expect_no 'old AES-CBC form was'
	verify
	expect_rc 3
	expect_out '1 not opened'
	verify -o json
	expect_json "$out" '[f["kind"] for f in d["findings"]]' "['unchecked']"
	on server.properties decrypt --output-file out --legacy-cbc
	expect_rc 0
	run file show server.properties --local-secrets-file sec.properties --reveal --legacy-cbc
	expect_rc 0
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	verify
	expect_rc 0
}

# forge N [BYTE]  N entries in CBC with other bits in their IVs: some would open.
forge() {
	python3 - "$1" <<-'END'
		import base64, re, sys
		text = open("sec.properties").read()
		data, iv = re.findall(r"CBC/PKCS5Padding,data:([^,]*),iv:([^,]*)", text)[-1]
		iv = base64.b64decode(iv)
		with open("sec.properties", "a") as f:
		    for g in range(int(sys.argv[1])):
		        forged = base64.b64encode(iv[:15] + bytes([iv[15] ^ g])).decode()
		        f.write(f"x/{g} = ENC[AES/CBC/PKCS5Padding,data:{data[-24:]},iv:{forged},type:str]\n")
	END
}

# Nothing tells which of them would open, though some do.
case_verify_is_no_padding_oracle() {
	on server.properties encrypt --cipher cbc
	expect_rc 0
	forge 256
	verify
	expect_rc 3
	expect_out '256 not opened'
	[ "$(grep -c 'unchecked: "x/[0-9]*": the value is in the old' "$out")" -eq 256 ] ||
	    fail 'they are told apart'
}

case_a_file_of_an_old_release_opens_with_a_warning() {
	old_release cbc-1000
	on server.properties decrypt --output-file out
	expect_rc 0
	expect_err 'values in the old AES-CBC form were opened'
	expect_err 'file rotate --data-key'
	run render server.properties --local-secrets-file sec.properties
	expect_rc 0
	expect_err 'values in the old AES-CBC form were opened'
	verify
	expect_rc 0
	expect_out 'values in the old AES-CBC form were opened'
	run file show server.properties --local-secrets-file sec.properties -o json
	expect_json "$out" 'set(e["state"] for e in d["entries"] if e["state"] != "plain")' \
	    "{'sealed'}"
	run file show server.properties --local-secrets-file sec.properties --reveal -o json
	expect_rc 1
	run file show server.properties --local-secrets-file sec.properties --reveal --legacy-cbc
	expect_rc 0
}

# One bit a run, and not which entry nor how many.
case_a_damaged_file_of_an_old_release_names_the_file_only() {
	old_release cbc-1000
	forge 2
	sed -i '$d' sec.properties
	verify
	cp "$err" first
	rc_first=$rc
	forge 256
	verify
	expect_rc "$rc_first"
	expect_rc 4
	cmp -s "$err" first || fail 'another answer'
	expect_err 'propseal: sec.properties: not all values in the old AES-CBC form open'
	on server.properties decrypt --output-file out
	expect_rc 4
	[ ! -e out ] || fail 'something was written'
	[ "$(sed 's/hint.*//' "$err")" = "$(sed 's/hint.*//' first)" ] || fail 'another answer'
}

case_rotating_the_master_key_tags_what_it_leaves_in_cbc() {
	old_release cbc-1000
	printf '%s' "$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["passphrase"])' "$vectors/cbc-1000/facts.json")" >old
	echo CANARY-new-passphrase >new
	run file rotate --master-key --local-secrets-file sec.properties --passphrase @old \
	    --passphrase-new @new -o json
	expect_rc 0
	CONFLUENT_SECURITY_MASTER_KEY=$(python3 -c 'import json, sys
print(json.load(sys.stdin)["master_key"])' <"$out")
	expect_in sec.properties '0.enc = ENC[AES/GCM'
	expect_in sec.properties 'ENC[AES/CBC'
	on server.properties decrypt --output-file out
	expect_rc 0
	expect_no CBC
	verify
	expect_rc 0
}

# --- metadata of others ---

# The reference skips every key that begins with _metadata, and so do we.
case_metadata_of_a_newer_generation_is_left_alone() {
	many 2
	cat >>sec.properties <<-'END'
		_metadata.symmetric_key.1.envvar = OTHER_MASTER_KEY
		_metadata.symmetric_key.1.enc = ENC[AES/GCM/NoPadding,data:sqqfXiJSzdKbjuP2YRJlvj7JHe6pK7Ru,iv:HGKvj5wyXH81uxgV,type:str]
	END
	tail -n 2 sec.properties >newer
	verify many.properties
	expect_rc 0
	run file rotate --data-key --local-secrets-file sec.properties --passphrase @pass
	expect_rc 0
	grep -F 'symmetric_key.1.' sec.properties | cmp -s - newer || fail 'it was changed'
}

case_numbers_that_are_none_count_as_absent() {
	many 2
	for number in '220000 ' 220000.0 '' many; do
		sed -i "s/^\(_metadata.*iterations =\).*/\1 $number/" sec.properties
		on many.properties decrypt --output-file out
		expect_rc 0
	done
}

run_cases
