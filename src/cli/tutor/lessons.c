#include "cli/tutor/tutor.h"

/* The key of a result in JSON. */
#define KEY_OF "sed -n 's/.*master_key.: *.\\([^,]*\\).*/\\1/p' | tr -d '\"'"

/* The values are nobody's. */
#define BROKER_SECRET "crane-77-loads-harbour"
#define CLIENT_SECRET "gull-15-over-the-quay"

const char tutor_files[] =
	"printf '%s\\n' 'broker.id=1' 'listeners=SASL_SSL://:9093' "
	    "'ssl.keystore.location=/etc/kafka/broker.p12' "
	    "'ssl.keystore.password=" BROKER_SECRET "' > server.properties\n"
	"printf '%s\\n' 'bootstrap.servers=localhost:9093' 'security.protocol=SASL_SSL' "
	    "'# who talks to the brokers' 'ssl.key.password=" CLIENT_SECRET "' "
	    "> client.properties\n"
	"echo 'a passphrase for lessons only' > passphrase\n"
	"\"$0\" master-key generate --local-secrets-file secrets.properties "
	    "--passphrase @passphrase -o json | "
	    KEY_OF " > key\n";

#define SEALING " --local-secrets-file secrets.properties " \
	"--remote-secrets-file /etc/kafka/secrets.properties --master-key-file key"
#define SEALED "\"$0\" seal . --yes" SEALING "\n"
#define VERIFY "\"$0\" file verify . --master-key-file key"

/* Another letter in the ciphertext of the client's entry. */
#define BREAK "sed -i '/^client/{s/data:A/data:B/;t;s/data:./data:A/;}' secrets.properties"

const struct tutor_lesson tutor_lessons[TUTOR_LESSONS] = {
	{ "seal", "Take secrets out of a configuration",
	    "Two files hold passwords in clear text: server.properties and client.properties. "
	    "There is an empty secrets file, and the master key in the file key (in earnest it "
	    "would never lie beside it). Sealing puts the value, encrypted, into the secrets file "
	    "and leaves a reference where it was.", "",
	    {
		{ "let the audit say what is wrong",
		    "propseal audit . -o json > report.json",
		    "grep -q clear-text-secret report.json" },
		{ "seal the broker's password",
		    "propseal seal server.properties --yes" SEALING,
		    "! grep -q " BROKER_SECRET " server.properties && "
		    "grep -q '{securepass:' server.properties" },
		{ "see that everything opens",
		    "propseal file verify server.properties --master-key-file key > said.txt",
		    "test -e said.txt && ! grep -q " BROKER_SECRET " server.properties && "
		    "\"$0\" file verify server.properties --master-key-file key" },
	    },
	    "The comment, the order and every other byte of the file are as they were." },
	{ "diff", "Read a change before it is made",
	    "Every change can be shown first. Lines with - go, lines with + come; values are "
	    "masked. Nothing is written by --dry-run.", "",
	    {
		{ "have the plan for client.properties in a file",
		    "propseal seal client.properties --dry-run" SEALING " > plan.diff",
		    "grep -q '^+.*{securepass:' plan.diff && "
		    "! grep -q " CLIENT_SECRET " plan.diff" },
		{ "which line of client.properties would change? its number goes to answer",
		    "echo 4 > answer",
		    "test \"$(cat answer)\" = 4 && "
		    "grep -qx 'ssl.key.password=" CLIENT_SECRET "' client.properties" },
	    },
	    "The same diff is behind p in the interface, and before every question." },
	{ "break", "Break a sealed value",
	    "Sealed values are encrypted and checked: who changes a letter cannot make another "
	    "value of it, only a broken one. Keep a copy of the secrets file, then change a "
	    "letter behind data: in the line that begins with client.", SEALED,
	    {
		{ "keep a copy", "cp secrets.properties secrets.kept",
		    "grep -q ^client secrets.kept" },
		{ "break the client's value (any editor does)", BREAK,
		    "test -e secrets.kept && ! cmp -s secrets.properties secrets.kept" },
		{ "see that nobody gets a value out of it",
		    "propseal file verify . --master-key-file key > said.txt 2>&1 || true",
		    "grep -q client.properties/ said.txt && ! " VERIFY },
	    },
	    "Exit status 4 says: wrong key or damaged data. Nothing of the value is printed." },
	{ "find", "Find out what is broken",
	    "Something in this folder does not open. Let propseal say what: which file, which "
	    "line, which key.", SEALED BREAK "\n",
	    {
		{ "ask for everything", "propseal file verify . --master-key-file key > said.txt "
		    "2>&1 || true", "grep -q client.properties/ said.txt" },
		{ "write the key of the broken entry, as in client.properties, to answer",
		    "echo ssl.key.password > answer",
		    "test \"$(cat answer)\" = ssl.key.password" },
		{ "who else is hurt? open the other file alone",
		    "propseal file decrypt --config-file server.properties "
		    "--local-secrets-file secrets.properties --output-file - "
		    "--master-key-file key > /dev/null && touch other-is-fine",
		    "test -e other-is-fine" },
	    },
	    "In the interface the same entry has an X on both sides." },
	{ "recover", "Put a new value in place of a broken one",
	    "A value that is damaged is gone, unless there is a copy (lesson restore). Who knows "
	    "it, or makes a new one, seals that in its place.", SEALED BREAK "\n",
	    {
		{ "seal a new value for the client",
		    "printf 'ssl.key.password=" "heron-42-fishes-alone" "\\n' | "
		    "propseal file update --config-file client.properties --config -"
		    SEALING,
		    VERIFY " && \"$0\" file decrypt --config-file client.properties "
		    "--local-secrets-file secrets.properties --output-file - "
		    "--master-key-file key | grep -v -q " CLIENT_SECRET },
		{ "see that everything opens again",
		    "propseal file verify . --master-key-file key > said.txt",
		    "test -e said.txt && " VERIFY },
	    },
	    "The reference in client.properties did not change: services need a restart only." },
	{ "rotate", "Change the master key",
	    "Somebody left who knew the key. A new passphrase gives a new master key; the data "
	    "key is wrapped anew, values stay as they are.", SEALED
	    "cp secrets.properties .before\n",
	    {
		{ "write down a new passphrase", "echo 'another one, made today' > new",
		    "test -s new" },
		{ "rotate, and keep the new key",
		    "propseal file rotate --master-key --local-secrets-file secrets.properties "
		    "--passphrase @passphrase --passphrase-new @new "
		    "--master-key-file key -o json | "
		    KEY_OF " > new.key",
		    "! cmp -s secrets.properties .before && "
		    "\"$0\" file verify . --master-key-file new.key" },
		{ "see that the old key opens nothing any more",
		    "propseal file decrypt --config-file server.properties "
		    "--local-secrets-file secrets.properties --output-file - "
		    "--master-key-file key || touch locked-out",
		    "test -e locked-out && ! \"$0\" file decrypt "
		    "--config-file server.properties --local-secrets-file secrets.properties "
		    "--output-file - --master-key-file key" },
	    },
	    "After that, every host gets the new secrets file and the new key, then a restart." },
	{ "restore", "Bring a lost secrets file back",
	    "The secrets file is gone; there is a copy in backup/. The copy and its master key "
	    "are all that is needed: configurations only hold references.", SEALED
	    "mkdir backup && mv secrets.properties backup/secrets.kept\n",
	    {
		{ "see what the references say now",
		    "propseal file verify server.properties > said.txt 2>&1 || true",
		    "test -s said.txt" },
		{ "bring the copy back, for you alone",
		    "cp backup/secrets.kept secrets.properties && chmod 600 secrets.properties",
		    "cmp -s backup/secrets.kept secrets.properties && "
		    "test -z \"$(find secrets.properties -perm /077)\"" },
		{ "prove it", "propseal file verify . --master-key-file key && touch proved",
		    "test -e proved && " VERIFY },
	    },
	    "A backup that nobody ever opened is a hope. Prove it now and then." },
	{ "registry", "Give secrets out over REST",
	    "The Secret Registry keeps versions of secrets and gives them to who may have them. "
	    "It is a service of its own; its data folder holds everything, encrypted.",
	    "head -c 32 /dev/urandom | base64 > registry.key\n",
	    {
		{ "add a user, and give the role that may do everything",
		    "echo 'a password for lessons' > password && "
		    "propseal registry user add harbour --data data < password && "
		    "propseal registry role grant SystemAdmin --principal harbour --data data",
		    "\"$0\" registry role list --data data | grep -q harbour" },
		{ "start it (in another terminal, or behind &)",
		    "propseal registry serve --data data --master-key-file registry.key "
		    "--listen 127.0.0.1:8082 > serve.log 2>&1 &",
		    "grep -q 'listening on' serve.log" },
		{ "store a secret",
		    "echo gull-16-flies | propseal registry put lessons password "
		    "--url http://127.0.0.1:8082 --user harbour --password-file password",
		    "url=http://$(sed -n 's/.*listening on //p' serve.log | head -n 1)\n"
		    "test \"$(\"$0\" registry get lessons password --url $url "
		    "--user harbour --password-file password)\" = gull-16-flies" },
	    },
	    "Stop it with kill %1, or ^C in its terminal. Connect reads the same by "
	    "${secret:lessons:password}." },
};
