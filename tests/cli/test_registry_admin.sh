#!/usr/bin/env bash
# registry user, token, role: the files of the data folder, from the command line.
# shellcheck disable=SC1091,SC2154,SC2034,SC2016
. "$(dirname "$0")/lib.sh"

# registry ARGUMENT...  With the data folder of the case.
registry() {
	run registry "$@" --data data
}

# A password as it comes from a pipe; sets rc.
add_user() {
	local name=$1 password=$2
	shift 2
	feed "$password" registry user add "$name" --data data "$@"
}

# knows NAME PASSWORD: does the file hold this password?
knows() {
	python3 - "$1" "$2" <<-'END'
		import base64, hashlib, json, os, sys
		s = json.load(open("data/users.json"))["users"][sys.argv[1]]["scrypt"]
		h = hashlib.scrypt(os.fsencode(sys.argv[2]), salt=base64.b64decode(s["salt"]),
		    n=s["N"], r=s["r"], p=s["p"], maxmem=1 << 28, dklen=32)
		sys.exit(base64.b64decode(s["hash"]) != h)
	END
}

expect_knows() {
	knows "$1" "$2" || fail "$1 has another password"
}

# --- users ---

case_a_user_is_added_before_the_first_start() {
	add_user alice CANARY-1
	expect_rc 0
	[ ! -s "$out" ] || fail "something on standard output"
	expect_file "$err" 'propseal: changed: data: user add alice'
	expect_mode data 700
	expect_mode data/users.json 600
	expect_knows alice CANARY-1
	expect_not_in data/users.json CANARY
	[ "$(ls -A data)" = users.json ] || fail "left in the folder: $(ls -A data)"
}

case_one_line_end_is_dropped() {
	add_user a $'CANARY-1\n'
	expect_knows a CANARY-1
	add_user b $'CANARY-1\r\n'
	expect_knows b CANARY-1
	add_user c $' CANARY-1 '
	expect_knows c ' CANARY-1 '
}

case_control_characters_are_refused() {
	local password
	for password in $'CANARY\n\n' $'CANARY\r' $'CAN\nARY' $'CAN\tARY' $'\x7fCANARY' $'CANARY\x1b['; do
		add_user a "$password"
		expect_rc 2
		expect_err 'a control character in the password'
		expect_err '  hint: '
		expect_no CAN
	done
	[ ! -e data ] || fail "a folder was made"
}

case_a_short_password_is_warned_about() {
	add_user a CANARY7
	expect_rc 0
	expect_err 'warning: the password is shorter than 8 bytes'
	expect_no CANARY
	expect_knows a CANARY7
	add_user b x
	expect_rc 0
	expect_knows b x
	add_user c CANARY-8
	expect_rc 0
	expect_no CANARY
	add_user c CANARY7
	expect_rc 1
	expect_no warning
}

case_a_password_may_hold_anything() {
	add_user a 'CANARY:pä\"$x'
	expect_rc 0
	expect_knows a 'CANARY:pä\"$x'
	add_user b $'\xff\xfe'
	expect_rc 0
	expect_knows b $'\xff\xfe'
}

case_no_password_and_one_that_is_too_long() {
	add_user a ''
	expect_rc 2
	expect_err 'the password is empty'
	add_user a $'\n'
	expect_rc 2
	add_user a "$(printf '%1025s' x)"
	expect_rc 2
	expect_err 'longer than 1024 bytes'
	[ ! -e data ] || fail "a folder was made"
	add_user a "$(printf '%1024s' x)"
	expect_rc 0
}

case_an_existing_user_needs_replace() {
	add_user alice CANARY-1
	add_user User:alice CANARY-2
	expect_rc 1
	expect_err '--replace'
	expect_knows alice CANARY-1
	add_user alice CANARY-2 --replace
	expect_rc 0
	expect_knows alice CANARY-2
	registry user list -o json
	expect_json "$out" '[u["name"] for u in d]' "['alice']"
}

case_users_are_listed_and_removed() {
	add_user bob x
	add_user 'jürgen o.' x
	registry user list
	expect_rc 0
	expect_out bob
	expect_out 'jürgen o.'
	registry user disable bob
	expect_rc 0
	registry user list -o json
	expect_json "$out" 'sorted((u["name"], u["state"]) for u in d)' \
	    "[('bob', 'disabled'), ('jürgen o.', 'active')]"
	registry user enable bob
	registry user list -o json
	expect_json "$out" '{u["state"] for u in d}' "{'active'}"
	registry user disable nobody
	expect_rc 1
	expect_err 'there is no such user'
	registry user remove bob
	expect_rc 0
	registry user remove bob
	expect_rc 1
	expect_err 'there is no such user'
	registry user list -o json
	expect_json "$out" '[u["name"] for u in d]' "['jürgen o.']"
}

case_what_stays_of_a_removed_user_is_said() {
	add_user alice x
	registry token create --principal alice
	registry role grant Operator --principal alice
	registry user remove alice
	expect_rc 0
	expect_err 'roles of alice stay granted'
}

case_bad_names() {
	local name
	for name in '' User: a:b ' a' $'a\tb' $'\xff'; do
		add_user "$name" x
		expect_rc 2
	done
	[ ! -e data ] || fail "a folder was made"
}

case_a_terminal_is_asked_twice() {
	on_terminal 'Password: ' 'CANARY-1\n' 'again: ' 'CANARY-1\n' -- \
	    registry user add alice --data data
	expect_rc 0
	expect_out 'echo at questions: off off, at the end: on'
	expect_no CANARY
	expect_knows alice CANARY-1
}

case_a_damaged_file_is_not_written_over() {
	mkdir data
	printf '{"users":{"bob":' >data/users.json
	add_user alice x
	expect_rc 1
	expect_err data/users.json
	expect_file data/users.json '{"users":{"bob":'
	registry user list
	expect_rc 1
}

case_files_of_a_newer_release_are_not_listed() {
	mkdir data
	printf '{"format":2,"users":{}}' >data/users.json
	printf '{"format":2,"tokens":{}}' >data/tokens.json
	registry user list
	expect_rc 1
	expect_err 'data/users.json: the format is not 1'
	registry token list
	expect_rc 1
	expect_err 'data/tokens.json: the format is not 1'
	printf '{"tokens":{"abcdefghijkl":{}}}' >data/tokens.json
	registry token list
	expect_rc 1
	expect_err 'data/tokens.json: "abcdefghijkl": '
}

case_unknown_members_stay() {
	mkdir data
	printf '{"later":[1,{"x":null}],"users":{}}' >data/users.json
	add_user alice x
	expect_rc 0
	expect_json data/users.json 'd["later"]' "[1, {'x': None}]"
}

case_a_data_folder_that_cannot_be_made() {
	feed x registry user add alice --data no/such/folder
	expect_rc 1
	expect_err no/such/folder
	: >file
	feed x registry user add alice --data file
	expect_rc 1
}

case_many_at_once_lose_nothing() {
	local i
	for ((i = 0; i < 16; i++)); do
		"$PROPSEAL" registry role grant DeveloperRead --principal "p$i" --path "conn-$i" \
		    --data data &
	done
	wait
	registry role list -o json
	expect_json "$out" 'len(d)' 16
}

# --- tokens ---

case_a_token_is_shown_once() {
	local token id
	registry token create --principal User:worker
	expect_rc 0
	token=$(cat "$out")
	[[ $token =~ ^ps_[a-z2-7]{12}_[A-Za-z0-9_-]{43}$ ]] || fail "not a token: $token"
	id=${token:3:12}
	expect_err "$id"
	expect_not_in data/tokens.json "${token:16}"
	expect_mode data/tokens.json 600
	registry token list -o json
	expect_json "$out" 'd[0]["id"], d[0]["principal"], d[0]["expires"]' \
	    "('$id', 'worker', None)"
	registry token revoke "$id"
	expect_rc 0
	registry token revoke "$id"
	expect_rc 1
	registry token list -o json
	expect_json "$out" d '[]'
}

case_a_token_with_an_end() {
	registry token create --principal worker --ttl 60 -o json
	expect_rc 0
	expect_json "$out" 'd["principal"], len(d["token"])' "('worker', 59)"
	registry token list
	expect_out Z
	registry token list -o json
	expect_json "$out" 'd[0]["expires"] > d[0]["created"]' True
}

case_a_token_needs_a_principal() {
	registry token create
	expect_rc 2
	expect_err '--principal is missing'
	registry token revoke nothing
	expect_rc 2
}

# --- roles ---

case_roles_are_granted_listed_and_revoked() {
	registry role grant SystemAdmin --principal adm
	expect_rc 0
	expect_err 'changed: '
	registry role grant SystemAdmin --principal adm -o json
	expect_json "$out" 'd["schema"], d["changed"], d["files"][0]["entries"][0]["op"]' \
	    "('propseal.change/1', True, 'grant')"
	registry role grant ResourceOwner --principal User:own --path conn-a
	expect_rc 0
	registry role grant ResourceOwner --principal pre --prefix team1-
	expect_rc 0
	registry role grant ResourceOwner --principal pre --prefix team1-
	expect_rc 0
	registry role list -o json
	expect_json "$out" '[(b["principal"], b["role"], b["pattern"], b["path"]) for b in d]' \
	    "[('adm', 'SystemAdmin', 'CLUSTER', None), ('own', 'ResourceOwner', 'LITERAL', 'conn-a'), ('pre', 'ResourceOwner', 'PREFIXED', 'team1-')]"
	registry role list --principal own
	expect_out conn-a
	expect_no team1- adm
	registry role revoke ResourceOwner --principal own
	expect_rc 1
	registry role revoke ResourceOwner --principal own --path conn-a
	expect_rc 0
	registry role list -o json
	expect_json "$out" 'len(d)' 2
}

case_grants_that_make_no_sense() {
	local arguments
	while read -r -a arguments; do
		registry role grant "${arguments[@]}"
		expect_rc 2
	done <<-'END'
		NoSuchRole --principal p
		SystemAdmin --principal p --path conn-a
		ResourceOwner --principal p
		ResourceOwner --principal p --path a --prefix a
		ResourceOwner --principal p --path *
		ResourceOwner --principal p --path a/b
		ResourceOwner --path a
	END
	registry role grant ResourceOwner --principal p --prefix ''
	expect_rc 2
	expect_err 'an empty prefix would be every path'
	run registry role grant SystemAdmin --principal p
	expect_rc 2
	[ ! -e data/bindings.json ] || fail "bindings were written"
}

case_the_built_in_roles_are_shown() {
	run registry role show
	expect_rc 0
	expect_out ConnectWorker
	run registry role show UserAdmin
	expect_out 'SecretWrite'
	expect_no SecretRead SystemAdmin
	run registry role show -o json
	expect_json "$out" 'len(d["roles"]), sorted(d["roles"]["AuditAdmin"])' \
	    "(12, ['operations', 'scope'])"
	run registry role show Nobody
	expect_rc 1
}

case_a_roles_file_takes_their_place() {
	mkdir data
	run registry role show -o json
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
d["roles"]["UserAdmin"]["operations"].append("SecretRead")
del d["roles"]["Operator"]
json.dump(d, open("data/roles.json", "w"))' "$out"
	registry role show UserAdmin
	expect_out SecretRead
	registry role grant Operator --principal op
	expect_rc 2
	mv data/roles.json data/roles.away
	registry role grant Operator --principal op
	expect_rc 0
	mv data/roles.away data/roles.json
	registry role list
	expect_rc 0
	expect_err 'grant nothing'
	printf '{"roles":{"UserAdmin":{}}}' >data/roles.json
	registry role show
	expect_rc 1
	expect_err data/roles.json
}

case_what_a_role_allows_is_said() {
	local reader='{"scope":["path"],"operations":["SecretList","SecretRead"],"description":"r"}'
	feed "$reader" registry role define Reader --data data
	expect_rc 0
	expect_err 'role define Reader'
	registry role show Reader
	[ "$(cat "$out")" = 'Reader           (path) SecretList SecretRead' ] || fail "$(cat "$out")"
	run registry role show --data data -o json
	expect_json "$out" 'len(d["roles"])' 13
	registry role grant Reader --principal rob
	expect_rc 2
	registry role grant Reader --principal rob --path p
	expect_rc 0
	registry role remove Operator
	expect_rc 0
	registry role remove Operator
	expect_rc 1
	expect_err 'there is no such role'
	cp data/roles.json before
	for bad in '' '{' '[]' '{}' '{"scope":["path"],"operations":["AuditRead"]}' \
	    '{"scope":["all"],"operations":[]}' '{"scope":["path"],"operations":["X"]}' \
	    '{"scope":["path"],"operations":[],"more":1}' \
	    '{"scope":["path"],"scope":["path"],"operations":[]}'; do
		feed "$bad" registry role define Reader --data data
		expect_rc 1
	done
	cp data/roles.json whole
	for bad in '{"roles":[1]}' '{"roles":{"A":{"scope":["path"]}}}' '{"roles":5}'; do
		printf %s "$bad" >data/roles.json
		feed "$reader" registry role define Reader --data data
		expect_rc 1
		expect_err 'data/roles.json'
		registry role remove A
		expect_rc 1
		expect_file data/roles.json "$bad"
	done
	cp whole data/roles.json
	feed "$reader" registry role define 'not a name' --data data
	expect_rc 1
	cmp before data/roles.json || fail 'it was changed'
	feed "$reader" registry role define SystemAdmin --data data -o json
	expect_json "$out" 'd["changed"], d["files"][0]["entries"][0]["op"]' "(True, 'define')"
}

# --- where they are records of a topic ---

case_files_that_are_not_in_force_are_left_alone() {
	add_user alice CANARY-1
	touch data/in-topic
	add_user bob CANARY-2
	expect_rc 1
	expect_err 'in its topic'
	expect_err '--url'
	registry token create --principal alice
	expect_rc 1
	registry role grant SystemAdmin --principal alice
	expect_rc 1
	registry user list
	expect_rc 1
	expect_err 'in its topic'
	[ "$(ls data)" = "$(printf 'in-topic\nusers.json')" ] || fail "in the folder: $(ls data)"
	run registry role show
	expect_rc 0
}

run_cases "$@"
