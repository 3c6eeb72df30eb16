#include <sys/file.h>
#include <sys/stat.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/interface.h"
#include "cli/keys.h"
#include "common/args.h"
#include "common/process.h"
#include "common/report.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "trail/trail.h"
#include "ui/lessons.h"
#include "ui/options.h"

/*
 * The lessons of `propseal tutor`: each is played in a scratch folder with
 * files that are made for it.  Scripts are sh(1), run in that folder; $0 is
 * this program.  They see none of the learner's own keys.
 */

struct tutor_step {
	const char *what;	/* what to do, for people */
	const char *command;	/* the line that does it, as it is typed */
	const char *check;	/* a script: status 0 where it is done */
};

#define TUTOR_STEPS 5

struct tutor_lesson {
	const char *name;
	const char *title;
	const char *text;	/* what it is about */
	const char *setup;	/* a script that makes its files, after tutor_files */
	struct tutor_step steps[TUTOR_STEPS];	/* up to one without a text */
	const char *after;	/* what to take along */
};

#define TUTOR_LESSONS 8

/* The key of a result in JSON. */
#define KEY_OF "sed -n 's/.*master_key.: *.\\([^,]*\\).*/\\1/p' | tr -d '\"'"

/* The values are nobody's. */
#define BROKER_SECRET "crane-77-loads-harbour"
#define CLIENT_SECRET "gull-15-over-the-quay"

/* A script that makes the files of every lesson. */
static const char tutor_files[] =
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
#define BREAK_IN(file) "sed -i '/^client/{s/data:A/data:B/;t;s/data:./data:A/;}' " file
#define BREAK BREAK_IN("secrets.properties")

static const struct tutor_lesson tutor_lessons[TUTOR_LESSONS] = {
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

/*
 * `propseal tutor`: which lesson is on is kept in the file .tutor of the scratch folder,
 * which also says that the folder is ours to empty: "propseal tutor LESSON DONE", DONE a
 * letter for each lesson that was ever finished.
 */

#define STATE_NAME ".tutor"
#define STATE_HEAD "propseal tutor "
#define LOCK_MS 10000
#define TUTOR_WAIT_MS 60000	/* for others that lay a lesson out or look at one */
#define PATH_BYTES_MAX 4096
#define SCRIPT_MAX ((size_t)64 << 10)
#define TEXT_MAX ((size_t)64 << 10)
#define COLUMNS 78
#define STATUS_OPEN 3	/* something is still to be done */

struct tutor {
	char program[PATH_MAX];
	char folder[PATH_MAX];
	size_t lesson;
	char done[TUTOR_LESSONS + 1];	/* '+' or '-' for each */
};

/* --- the scratch folder --- */

/* This program, and the scratch folder, which need not be there. */
static int
tutor_place(char program[PATH_MAX], char folder[PATH_MAX], struct error *err)
{
	struct buf path;
	bool fits;
	ssize_t n = readlink("/proc/self/exe", program, PATH_MAX - 1);

	if (n <= 0)
		return error_io(err, NULL, "cannot find this program");
	program[n] = '\0';
	buf_init(&path, PATH_MAX);
	fits = file_in_home("XDG_STATE_HOME", "/.local/state", "tutor", &path) &&
	    buf_check(&path, NULL) == 0 && path.len < PATH_MAX;
	if (fits)
		memcpy(folder, buf_cstr(&path), path.len + 1);
	buf_release(&path);
	if (fits)
		return 0;
	error_set(err, ERROR_MISSING, "there is no place for a scratch copy");
	return error_hint(err, "set HOME, or XDG_STATE_HOME, to a folder of yours");
}

/* Run a script in ${where}; $0 is ${program}, $2 ${folder}.  ${*status} is its exit status.
 * What it says is not shown, and it has no key of the learner's. */
static int
tutor_script(const char *program, const char *where, const char *folder, const char *script,
    int *status, struct error *err)
{
	const char *argv[] = { "/bin/sh", "-c", NULL, program, where, folder, NULL };
	struct child c = { .argv = argv };
	struct buf text;
	int rc;

	buf_init(&text, SCRIPT_MAX);
	buf_printf(&text, "exec >/dev/null 2>&1 </dev/null\nunset CONFLUENT_SECURITY_MASTER_KEY "
	    "PROPSEAL_REGISTRY_URL\numask 077\ncd \"$1\" || exit 99\n%s\n", script);
	argv[2] = buf_cstr(&text);
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = child_run(&c, status, NULL, err);
	buf_release(&text);
	return rc;
}

static int
tutor_run(const struct tutor *t, const char *where, const char *script, int *status,
    struct error *err)
{
	return tutor_script(t->program, where, t->folder, script, status, err);
}

static void
tutor_path(const struct tutor *t, const char *name, struct buf *out)
{
	buf_init(out, PATH_BYTES_MAX);
	buf_printf(out, "%s/%s", t->folder, name);
}

/* Of several at once one looks and lays out, and the others wait: they show what is on then. */
static struct lock *
tutor_lock(const struct tutor *t, struct error *err)
{
	const char *const path = t->folder;
	char *parent = file_folder(path);
	struct lock *l = NULL;

	if (parent == NULL)
		error_memory(err);
	else if (file_make_folders(parent, err) == 0)
		l = lock_files(&path, 1, TUTOR_WAIT_MS, change_waiting, NULL, err);
	free(parent);
	if (l == NULL && err->code == ERROR_BUSY)
		error_hint(err, "the scratch copy is there once for each user: let that "
		    "`propseal tutor` end, or set XDG_STATE_HOME to another place");
	return l;
}

/* 1: a lesson is on, 0: there is no scratch copy. */
static int
tutor_load(struct tutor *t, struct error *err)
{
	const size_t head = sizeof(STATE_HEAD) - 1;
	struct buf path, text;
	struct error why;
	const char *p;
	int rc;

	tutor_path(t, STATE_NAME, &path);
	buf_init(&text, 4096);
	rc = file_read(buf_cstr(&path), &text, NULL, &why);
	p = buf_cstr(&text);
	if (rc != 0 && why.code == ERROR_MISSING) {
		rc = 0;
	} else if (rc != 0) {
		*err = why;
	} else if (text.len != head + TUTOR_LESSONS + 3 || memcmp(p, STATE_HEAD, head) != 0 ||
	    p[head] < '1' || p[head] >= '1' + TUTOR_LESSONS) {
		error_set(err, ERROR_FORMAT, "this does not say which lesson is on");
		error_place(err, buf_cstr(&path), 1);
		rc = error_hint(err, "remove the folder, and begin anew");
	} else {
		t->lesson = (size_t)(p[head] - '1');
		memcpy(t->done, p + head + 2, TUTOR_LESSONS);
		rc = 1;
	}
	buf_release(&text);
	buf_release(&path);
	return rc;
}

static int
tutor_save(const struct tutor *t, struct error *err)
{
	struct buf path, text;
	int rc;

	tutor_path(t, STATE_NAME, &path);
	buf_init(&text, 4096);
	buf_printf(&text, STATE_HEAD "%zu %s\n", t->lesson + 1, t->done);
	rc = replace_file_locked(buf_cstr(&path), LOCK_MS, &text, err);
	buf_release(&text);
	buf_release(&path);
	return rc;
}

static int
tutor_make_folder(const struct tutor *t, struct error *err)
{
	int status = 0;

	if (tutor_run(t, "/", "mkdir -- \"$2\"", &status, err) != 0)
		return -1;
	if (status == 0)
		return 0;
	error_set(err, ERROR_EXISTS, "the folder of the scratch copy cannot be made, or is no "
	    "such copy");
	error_place(err, t->folder, 0);
	return error_hint(err, "move it away, or set XDG_STATE_HOME to another place");
}

/* Lay out the files of a lesson, in place of what was there. */
static int
tutor_start(struct tutor *t, size_t lesson, bool there, struct error *err)
{
	struct buf script;
	int status = 0, rc = 0;

	if (!there)
		rc = tutor_make_folder(t, err);
	t->lesson = lesson;
	if (rc == 0)
		rc = tutor_save(t, err);
	buf_init(&script, SCRIPT_MAX);
	buf_printf(&script, "set -e\nfind . -mindepth 1 ! -name " STATE_NAME " -delete\n%s%s",
	    tutor_files, tutor_lessons[lesson].setup);
	if (rc == 0)
		rc = tutor_run(t, t->folder, buf_cstr(&script), &status, err);
	buf_release(&script);
	if (rc != 0 || status == 0)
		return rc;
	error_set(err, ERROR_IO, "the files of lesson %s could not be made",
	    tutor_lessons[lesson].name);
	return error_place(err, t->folder, 0);
}

/* --- what is shown --- */

/* Words, broken to lines that begin with ${indent} blanks. */
static void
append_wrapped(struct buf *out, const char *text, size_t indent)
{
	size_t column = 0, n;

	for (; *text != '\0'; text += n) {
		while (*text == ' ')
			text++;
		n = strcspn(text, " ");
		if (column == 0 || column + 1 + n > COLUMNS) {
			buf_printf(out, "%s%*s", column > 0 ? "\n" : "", (int)indent, "");
			column = indent;
		} else {
			buf_append_char(out, ' ');
			column++;
		}
		buf_append(out, text, n);
		column += n;
	}
	buf_append_char(out, '\n');
}

static size_t
steps_count(const struct tutor_lesson *l)
{
	size_t n = 0;

	while (n < TUTOR_STEPS && l->steps[n].what != NULL)
		n++;
	return n;
}

/* How many steps are done, and the first that is not. */
static int
tutor_check(const struct tutor *t, bool done[TUTOR_STEPS], size_t *first, struct error *err)
{
	const struct tutor_lesson *l = &tutor_lessons[t->lesson];
	const size_t n = steps_count(l);
	int status = 0;

	*first = n;
	for (size_t i = n; i-- > 0;) {
		if (tutor_run(t, t->folder, l->steps[i].check, &status, err) != 0)
			return -1;
		done[i] = status == 0;
		if (!done[i])
			*first = i;
	}
	return 0;
}

static void
append_lesson(struct buf *out, const struct tutor *t, const bool done[TUTOR_STEPS], size_t first)
{
	const struct tutor_lesson *l = &tutor_lessons[t->lesson];

	buf_printf(out, "Lesson %zu of %d, %s: %s\n\n", t->lesson + 1, TUTOR_LESSONS, l->name,
	    l->title);
	append_wrapped(out, l->text, 0);
	buf_printf(out, "\nIt is played here, on files that are nobody's:\n\n    cd '%s'\n\n",
	    t->folder);
	for (size_t i = 0; i < steps_count(l); i++) {
		buf_printf(out, "  [%c] ", done[i] ? 'x' : ' ');
		buf_append_str(out, l->steps[i].what);
		buf_append_char(out, '\n');
		buf_printf(out, "        %s\n", l->steps[i].command);
	}
	buf_append_char(out, '\n');
	if (first < steps_count(l)) {
		buf_printf(out, "Next: %s.\n`propseal tutor --check` sees whether it is done; "
		    "`propseal tutor %s` begins the lesson anew.\n", l->steps[first].what, l->name);
		return;
	}
	append_wrapped(out, l->after, 0);
	if (t->lesson + 1 < TUTOR_LESSONS)
		buf_printf(out, "Done. `propseal tutor %s` goes on.\n",
		    tutor_lessons[t->lesson + 1].name);
	else
		buf_printf(out, "Done, and that was the last one. The scratch copy stays until you "
		    "remove it.\n");
}

static int
tutor_show(struct tutor *t, bool check, int *status, struct error *err)
{
	bool done[TUTOR_STEPS] = { false };
	struct buf out;
	size_t first;
	int rc = tutor_check(t, done, &first, err);
	bool all = rc == 0 && first == steps_count(&tutor_lessons[t->lesson]);

	if (all && t->done[t->lesson] != '+') {
		t->done[t->lesson] = '+';
		rc = tutor_save(t, err);
	}
	buf_init(&out, TEXT_MAX);
	if (rc == 0) {
		append_lesson(&out, t, done, first);
		rc = output_write(&out, err);
	}
	*status = check && !all ? STATUS_OPEN : 0;
	buf_release(&out);
	return rc;
}

static int
tutor_list(const struct tutor *t, bool there, struct error *err)
{
	struct buf out;
	int rc;

	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < TUTOR_LESSONS; i++)
		buf_printf(&out, "%c [%c] %zu  %-9s %s\n", there && i == t->lesson ? '>' : ' ',
		    t->done[i] == '+' ? 'x' : ' ', i + 1, tutor_lessons[i].name,
		    tutor_lessons[i].title);
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* By its name or its number. */
static int
tutor_find(const char *name, size_t *out, struct error *err)
{
	for (size_t i = 0; i < TUTOR_LESSONS; i++)
		if (strcmp(name, tutor_lessons[i].name) == 0 ||
		    (name[0] == (char)('1' + i) && name[1] == '\0')) {
			*out = i;
			return 0;
		}
	error_set(err, ERROR_USAGE, "there is no lesson %s", name);
	return error_hint(err, "`propseal tutor --list` names them");
}

/* Begin ${lesson} if it is named or none is on, and show what is on. */
static int
tutor_play(struct tutor *t, const struct options *o, size_t lesson, int *status,
    struct error *err)
{
	struct lock *lock = tutor_lock(t, err);
	int there = lock != NULL ? tutor_load(t, err) : -1;
	int rc = there == -1 ? -1 : 0;

	if (rc == 0 && (o->arg_count > 0 || there == 0))
		rc = tutor_start(t, lesson, there == 1, err);
	if (rc == 0)
		rc = tutor_show(t, o->on[FLAG_CHECK], status, err);
	lock_release(lock);
	return rc;
}

int
commands_tutor(const struct options *o)
{
	struct tutor t = { .lesson = 0 };
	size_t lesson = 0;
	struct error err;
	int status = 0, there;
	int rc;

	if (o->on[FLAG_SCREEN])
		return commands_tutor_screen(o, o->arg_count > 0 ? o->args[0] : NULL);
	memset(t.done, '-', TUTOR_LESSONS);
	rc = tutor_place(t.program, t.folder, &err);
	there = rc == 0 ? tutor_load(&t, &err) : -1;
	rc = there == -1 ? -1 : 0;
	if (rc == 0 && o->on[FLAG_LIST]) {
		rc = tutor_list(&t, there == 1, &err);
	} else if (rc == 0 && o->on[FLAG_CHECK] && there == 0) {
		error_set(&err, ERROR_USAGE, "no lesson is on");
		rc = error_hint(&err, "`propseal tutor` begins the first one");
	} else if (rc == 0 && (o->arg_count == 0 ||
	    (rc = tutor_find(o->args[0], &lesson, &err)) == 0)) {
		rc = tutor_play(&t, o, lesson, &status, &err);
	}
	return rc == 0 ? status : report_error(&err);
}

/*
 * The tutor on the screen: the interface on the files of a lesson, which are made for each of
 * them anew, in a folder that is removed in the end.  Its trail and its rotations are there, too.
 * As long as a tutor lives the folder is locked; one that is not is what a killed one left.
 */

#define SCREEN_FOLDER "tutor-screen-XXXXXX"	/* beside the scratch copy */
#define SCREEN_TRIES 100

/* Run in the scratch folder; what a lesson seals into is made with one passphrase. */
static const char screen_files[] =
	"set -e\n"
	"find . -mindepth 1 -delete\n"
	"mkdir -p files/harbour\n"
	"cd files/harbour\n"
	"printf '%s\\n' '# broker of the harbour' 'broker.id=1' "
	    "'listeners=SASL_SSL://:9093' 'ssl.keystore.location=/etc/kafka/broker.p12' "
	    "'ssl.keystore.password=crane-77-loads-harbour' "
	    "'ssl.key.password=heron-42-fishes-alone' > server.properties\n"
	"printf '%s\\n' 'bootstrap.servers=localhost:9093' 'security.protocol=SASL_SSL' "
	    "'ssl.truststore.password=gull-15-over-the-quay' > client.properties\n"
	"cd ../..\n"
	"echo '" LESSONS_PASSPHRASE "' > passphrase\n"
	"\"$0\" master-key generate --local-secrets-file files/harbour/secrets.properties "
	    "--passphrase @passphrase -o json | "
	    "sed -n 's/.*master_key.: *.\\([^,]*\\).*/\\1/p' | tr -d '\"}' > key\n"
	"test -s key\n";

#define SEAL(where) "\"$0\" seal files/" where " --yes " \
	"--local-secrets-file files/" where "/secrets.properties " \
	"--remote-secrets-file /etc/kafka/secrets.properties --master-key-file key\n"

static const char *const screen_scripts[] = {
	[LESSON_CLEAR] = "",
	[LESSON_SEALED] = SEAL("harbour")
	    "echo 'ssl.key.password=stork-8-comes-back' | \"$0\" file update "
	    "--config-file files/harbour/server.properties --config - "
	    "--local-secrets-file files/harbour/secrets.properties "
	    "--remote-secrets-file /etc/kafka/secrets.properties --master-key-file key\n",
	[LESSON_BROKEN] = SEAL("harbour") BREAK_IN("files/harbour/secrets.properties") "\n",
	/* The second file would come minutes later. */
	[LESSON_STOPPED] = "mkdir files/quay\n"
	    "cp files/harbour/*.properties files/quay\n" SEAL("harbour") SEAL("quay")
	    "\"$0\" rotation plan files --data-key --master-key-file key\n"
	    "cp files/harbour/secrets.properties before\n"
	    "\"$0\" rotation apply --rate 0.01 --master-key-file key & pid=$!\n"
	    "while cmp -s before files/harbour/secrets.properties; do\n"
	    "kill -0 $pid; sleep 0.05; done\n"
	    "kill -9 $pid\n",
};

struct screen {
	char program[PATH_MAX], folder[PATH_MAX];
	char files[PATH_MAX], state[PATH_MAX], trail[PATH_MAX], key[PATH_MAX];
	char *state_before;	/* NULL: it was not set */
	int lock;		/* of the folder, for as long as this lives */
};

static int
screen_script(const struct screen *s, const char *script, struct error *err)
{
	int status = 0;

	if (tutor_script(s->program, s->folder, s->folder, script, &status, err) != 0)
		return -1;
	if (status == 0)
		return 0;
	error_set(err, ERROR_IO, "the files of the lesson could not be made");
	return error_place(err, s->folder, 0);
}

static void
screen_remove(const struct screen *s, const char *folder)
{
	struct error err;
	int status;

	(void)tutor_script(s->program, "/", folder, "rm -rf -- \"$2\"", &status, &err);
}

/* The folder, if it is ours and nobody has it: open and locked.  -1: it is not. */
static int
screen_lock(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st, named;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    lstat(folder, &named) == 0 && named.st_ino == st.st_ino &&
	    named.st_dev == st.st_dev)
		return fd;
	close(fd);
	return -1;
}

/* Remove what tutors left that were killed. */
static void
screen_sweep(const struct screen *s, const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *e;
	char path[PATH_MAX];
	int lock;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strlen(e->d_name) != strlen(SCREEN_FOLDER) ||
		    strncmp(e->d_name, SCREEN_FOLDER, strcspn(SCREEN_FOLDER, "X")) != 0 ||
		    snprintf(path, sizeof(path), "%s/%s", parent, e->d_name) >= PATH_MAX ||
		    (lock = screen_lock(path)) == -1)
			continue;
		screen_remove(s, path);
		close(lock);
	}
	if (dir != NULL)
		closedir(dir);
}

/* A folder of our own, which others cannot look into. */
static int
screen_open(struct screen *s, struct error *err)
{
	const char *before = getenv("XDG_STATE_HOME");
	char place[PATH_MAX];
	int status = 0;

	if (before != NULL && (s->state_before = strdup(before)) == NULL)
		return error_memory(err);
	if (tutor_place(s->program, place, err) != 0)
		return -1;
	*strrchr(place, '/') = '\0';
	if (tutor_script(s->program, "/", place, "mkdir -p -- \"$2\"", &status, err) != 0)
		return -1;
	screen_sweep(s, place);
	/* Who sweeps at this moment may take it away before it is locked. */
	for (int i = 0; s->lock == -1 && i < SCREEN_TRIES; i++) {
		if (snprintf(s->folder, sizeof(s->folder), "%s/" SCREEN_FOLDER, place) >=
		    PATH_MAX - 64 || mkdtemp(s->folder) == NULL)
			return error_io(err, place, "cannot make a folder for the lessons");
		s->lock = screen_lock(s->folder);
	}
	if (s->lock == -1)
		return error_io(err, s->folder, "cannot lock the folder for the lessons");
	snprintf(s->files, sizeof(s->files), "%.4000s/files", s->folder);
	snprintf(s->state, sizeof(s->state), "%.4000s/state", s->folder);
	snprintf(s->trail, sizeof(s->trail), "%.4000s/state/propseal/trail.jsonl", s->folder);
	snprintf(s->key, sizeof(s->key), "%.4000s/key", s->folder);
	return setenv("XDG_STATE_HOME", s->state, 1) == 0 ? 0 : error_memory(err);
}

static void
screen_close(struct screen *s)
{
	screen_remove(s, s->folder);
	close(s->lock);
	if (s->state_before != NULL)
		(void)setenv("XDG_STATE_HOME", s->state_before, 1);
	else
		(void)unsetenv("XDG_STATE_HOME");
	free(s->state_before);
}

static struct key_ring *
screen_keys(void *cookie, struct error *err)
{
	return keys_ring(cookie, false, err);
}

/* One lesson: its files, and the interface on them. */
static int
screen_lesson(struct screen *s, const struct options *o, struct lessons *l, struct error *err)
{
	const struct trail trail = { .path = s->trail, .makes_folders = 2, .keep_days = KEPT_DAYS,
		.command = LESSONS_COMMAND };
	const char *const paths[] = { s->files };
	struct options own = *o;
	struct ui_options ui;
	struct buf script;
	int rc;

	buf_init(&script, SCRIPT_MAX);
	buf_printf(&script, "%s%s", screen_files, screen_scripts[lessons_files(l->lesson)]);
	rc = screen_script(s, buf_cstr(&script), err);
	buf_release(&script);
	if (rc != 0)
		return -1;
	/* The learner's own keys open nothing here, and stay out of it. */
	own.text[FLAG_MASTER_KEY_COMMAND] = own.text[FLAG_MASTER_KEY_VARIABLE] = NULL;
	own.text[FLAG_MASTER_KEY_FILE] = s->key;
	interface_look(o, &ui);
	ui.paths = paths;
	ui.path_count = 1;
	ui.remote_path = "/etc/kafka/secrets.properties";
	ui.keys = screen_keys;
	ui.keys_cookie = &own;
	ui.trail = &trail;
	ui.lessons = l;
	memset(l->steps, 0, sizeof(l->steps));
	l->next = LESSONS;
	return ui_run(&ui);
}

int
commands_tutor_screen(const struct options *o, const char *name)
{
	struct lessons l = { .lesson = name != NULL ? lessons_find(name) : 0 };
	struct screen s = { .lock = -1 };
	struct error err;
	int rc;

	if (l.lesson == LESSONS) {
		error_set(&err, ERROR_USAGE, "there is no lesson %s on the screen", name);
		error_hint(&err, "without a name it begins with the first; they have numbers from "
		    "1 to %d", LESSONS);
		return report_error(&err);
	}
	if (screen_open(&s, &err) != 0) {
		free(s.state_before);
		return report_error(&err);
	}
	while ((rc = screen_lesson(&s, o, &l, &err)) == 0 && l.next != LESSONS)
		l.lesson = l.next;
	screen_close(&s);
	return rc == -1 ? report_error(&err) : rc;
}
