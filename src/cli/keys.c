#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/process.h"
#include "common/report.h"
#include "crypto/key.h"
#include "file/file.h"
#include "secrets/key_source.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* A passphrase may have so many bytes, its line end included. */
#define ANSWER_MAX 65536

#define TRIES 3

/* The user's command and what it prints. */
struct key_command {
	int ends[2];	/* of the pipe that is its standard output */
	struct buf *out;
	struct error why;
	int rc;
};

/* It runs: read all that it prints, so that it never waits for us. */
static void
key_command_read(void *cookie)
{
	struct key_command *k = cookie;

	close(k->ends[1]);
	k->ends[1] = -1;
	k->rc = file_read_fd(k->ends[0], "the output of --master-key-command", k->out, &k->why);
	close(k->ends[0]);
	k->ends[0] = -1;
}

static int
key_command_failed(int status, struct error *err)
{
	if (status > 128)
		error_set(err, ERROR_KEY, "--master-key-command was ended by signal %d",
		    status - 128);
	else
		error_set(err, ERROR_KEY, "--master-key-command failed with status %d", status);
	return error_hint(err, "it has to print the master key in base64, and to exit with 0");
}

/* It asks on the terminal if it likes. */
int
keys_command(void *cookie, struct buf *out, struct error *err)
{
	const char *const argv[] = { "/bin/sh", "-c", cookie, NULL };
	struct key_command k = { .out = out };
	struct child c = { .argv = argv, .trusted = true, .started = key_command_read,
		.cookie = &k };
	int status = 0, rc;

	if (pipe2(k.ends, O_CLOEXEC) != 0)
		return error_io(err, "", "cannot make a pipe");
	c.out = k.ends[1];
	rc = child_run(&c, &status, NULL, err);
	for (int i = 0; i < 2; i++)
		if (k.ends[i] != -1)
			close(k.ends[i]);
	if (rc != 0)
		return -1;
	if (status != 0)
		return key_command_failed(status, err);
	if (k.rc != 0 && err != NULL)
		*err = k.why;
	return k.rc;
}

struct key_ring *
keys_ring(const struct options *o, bool all, struct error *err)
{
	const char *command = o->text[FLAG_MASTER_KEY_COMMAND];
	const struct key_source from = {
		.file = o->text[FLAG_MASTER_KEY_FILE],
		.command = command != NULL ? keys_command : NULL,
		.cookie = (void *)(uintptr_t)command,
		.variables = o->text[FLAG_MASTER_KEY_VARIABLE],
		.all = all,
	};

	return key_ring_read(&from, err);
}

struct secrets_policy
keys_policy(const struct options *o)
{
	struct secrets_policy policy = { .cbc = SECRETS_CBC_TAGGED };
	const char *tags = o->config != NULL ? config_get(o->config, SETTING_TAGS)->text : NULL;

	if (o->on[FLAG_LEGACY_CBC])
		policy.cbc = SECRETS_CBC_ALL;
	else if (o->command->reads_legacy)
		policy.cbc = SECRETS_CBC_LEGACY;
	policy.tags_required = tags != NULL && strcmp(tags, "required") == 0;
	return policy;
}

void
keys_say_doubts(const struct secrets_file *s)
{
	const char *path = secrets_file_path(s);
	struct secrets_doubts doubts;
	struct error err;

	if (secrets_file_doubts(s, &doubts, &err) != 0) {
		report_error(&err);
		return;
	}
	if (doubts.cbc)
		report_warning("`propseal file rotate --data-key` seals them anew",
		    "%s: values in the old AES-CBC form were opened, which notices no change",
		    path);
	if (doubts.stale > 0)
		report_note("%s: %zu sealed entries were changed by another program since propseal "
		    "sealed them; `propseal file rotate --data-key` tags them anew", path,
		    doubts.stale);
	if (doubts.untagged > 0)
		report_note("%s: %zu sealed entries have no tag beside others that have one: "
		    "another program sealed them, or took the tags away", path, doubts.untagged);
}

/* Does the key open the data key?  Without a data key nobody can tell. */
static bool
unlocks(const struct secrets_file *s, const struct key *k)
{
	const char *wrapped = secrets_file_metadata(s)->data_key;
	struct key *data_key;

	if (wrapped == NULL)
		return true;
	data_key = wrap_open(k, wrapped, strlen(wrapped), NULL);
	key_free(data_key);
	return data_key != NULL;
}

/* What was typed is the key in base64, or else the passphrase. */
static struct key *
from_answer(const struct secrets_file *s, const struct buf *answer, struct error *err)
{
	struct key *k;

	k = key_from_base64((const char *)answer->data, answer->len, NULL);
	if (k != NULL && unlocks(s, k))
		return k;
	key_free(k);
	k = NULL;
	if (secrets_file_metadata(s)->data_key == NULL) {
		error_set(err, ERROR_KEY, "this is not a master key, and a passphrase cannot be "
		    "checked: the secrets file has no data key yet");
		error_place(err, secrets_file_path(s), 0);
		error_hint(err, "give the master key itself");
		return NULL;
	}
	secrets_file_check_passphrase(s, answer->data, answer->len, NULL, &k, err);
	return k;
}

struct key *
keys_ask(const struct secrets_file *s, struct error *err)
{
	struct key *k = NULL;
	struct buf answer, text;
	int i;

	buf_init(&text, 8192);
	buf_init_secret(&answer, ANSWER_MAX);
	buf_printf(&text, "Master key or passphrase for %s: ", secrets_file_path(s));
	for (i = 0; i < TRIES && k == NULL; i++) {
		if (i > 0)
			report_error(err);
		buf_clear(&answer);
		if (askpass_line(buf_cstr(&text), &answer, err) != 0)
			break;
		k = from_answer(s, &answer, err);
		if (k == NULL && err->code != ERROR_KEY)
			break;
	}
	buf_release(&answer);
	buf_release(&text);
	return k;
}

struct key *
master_find(const struct options *o, const struct secrets_file *s, struct error *err)
{
	struct key_ring *ring = keys_ring(o, false, err);
	const struct key *found;
	const char *where;
	struct key *k = NULL;

	if (ring == NULL)
		return NULL;
	if ((found = key_ring_for(ring, s, &where)) != NULL) {
		report_detail("the master key comes from %s", where);
		k = key_copy(found, err);
	} else if (askpass_available()) {
		k = keys_ask(s, err);
	} else {
		key_ring_missing(s, err);
	}
	key_ring_free(ring);
	return k;
}
