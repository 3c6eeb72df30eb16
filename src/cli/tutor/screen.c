#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/interface.h"
#include "cli/keys.h"
#include "cli/tutor/tutor.h"
#include "common/args.h"
#include "common/report.h"
#include "trail/trail.h"
#include "ui/lessons.h"
#include "ui/options.h"
#include "ui/ui.h"

/*
 * The tutor on the screen: the interface on the files of a lesson, which are made for each of
 * them anew, in a folder that is removed in the end.  Its trail and its rotations are there, too.
 */

#define SCRIPT_MAX ((size_t)64 << 10)
#define KEEP_DAYS 30

/* Run in the scratch folder; what a lesson seals into is made with one passphrase. */
static const char files_script[] =
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

static const char *const scripts[] = {
	[LESSON_CLEAR] = "",
	[LESSON_SEALED] = SEAL("harbour")
	    "echo 'ssl.key.password=stork-8-comes-back' | \"$0\" file update "
	    "--config-file files/harbour/server.properties --config - "
	    "--local-secrets-file files/harbour/secrets.properties "
	    "--remote-secrets-file /etc/kafka/secrets.properties --master-key-file key\n",
	/* Another letter in the ciphertext. */
	[LESSON_BROKEN] = SEAL("harbour")
	    "sed -i '/^client/{s/data:A/data:B/;t;s/data:./data:A/;}' "
	    "files/harbour/secrets.properties\n",
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

/* A folder of our own, which others cannot look into. */
static int
screen_open(struct screen *s, struct error *err)
{
	const char *before = getenv("XDG_STATE_HOME");
	char place[PATH_MAX];
	int status = 0;

	if (before != NULL && (s->state_before = strdup(before)) == NULL)
		return error_memory(err);
	if (tutor_place(s->program, place, err) != 0 ||
	    tutor_script(s->program, "/", place, "mkdir -p -- \"${2%/*}\"", &status, err) != 0)
		return -1;
	if (snprintf(s->folder, sizeof(s->folder), "%s-screen-XXXXXX", place) >= PATH_MAX - 64 ||
	    mkdtemp(s->folder) == NULL)
		return error_io(err, place, "cannot make a folder for the lessons");
	snprintf(s->files, sizeof(s->files), "%.4000s/files", s->folder);
	snprintf(s->state, sizeof(s->state), "%.4000s/state", s->folder);
	snprintf(s->trail, sizeof(s->trail), "%.4000s/state/propseal/trail.jsonl", s->folder);
	snprintf(s->key, sizeof(s->key), "%.4000s/key", s->folder);
	return setenv("XDG_STATE_HOME", s->state, 1) == 0 ? 0 : error_memory(err);
}

static void
screen_close(struct screen *s)
{
	struct error err;
	int status;

	(void)tutor_script(s->program, "/", s->folder, "rm -rf -- \"$2\"", &status, &err);
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
	const struct trail trail = { .path = s->trail, .makes_folders = 2, .keep_days = KEEP_DAYS,
		.command = LESSONS_COMMAND };
	const char *const paths[] = { s->files };
	struct options own = *o;
	struct ui_options ui;
	struct buf script;
	int rc;

	buf_init(&script, SCRIPT_MAX);
	buf_printf(&script, "%s%s", files_script, scripts[lessons_files(l->lesson)]);
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
	struct screen s = { .state_before = NULL };
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
