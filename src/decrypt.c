#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "change.h"
#include "commands.h"
#include "key_list.h"
#include "options.h"
#include "output.h"
#include "plan/lock.h"
#include "plan/plan.h"
#include "plan/unseal.h"
#include "report.h"
#include "secrets/secrets_file.h"

static void
warn_readable(const char *path)
{
	struct file_id id;

	if (file_identify(path, &id, NULL) == 0 && id.exists && (id.mode & 077) != 0)
		report_warning("chmod 600 it", "others can read %s, which keeps its mode %03o",
		    path, (unsigned int)(id.mode & 07777));
}

/*
 * Only the output is locked: opened files are as they were at one moment, and
 * reading must work in folders that cannot be written.
 */
static int
write_file(struct change *c, const char *path, struct buf *text, struct error *err)
{
	const struct options *o = c->o;

	if (change_check_output(c, path, err) != 0)
		return -1;
	if (!o->on[FLAG_DRY_RUN]) {
		c->lock = lock_files(&path, 1, options_lock_timeout(o), change_waiting, NULL, err);
		if (c->lock == NULL)
			return -1;
	}
	if ((c->plan = plan_new(c->secrets, err)) == NULL ||
	    plan_add_output(c->plan, path, text, err) != 0)
		return -1;
	warn_readable(path);
	return change_finish(c, err);
}

static int
decrypt(struct change *c, const struct options *o, const struct key_list *keys, struct buf *text,
    struct error *err)
{
	const char *path = o->text[FLAG_OUTPUT_FILE];
	bool to_stdout = strcmp(path, "-") == 0;

	if (to_stdout && o->on[FLAG_DRY_RUN]) {
		error_set(err, ERROR_USAGE, "--dry-run is for --output-file with a file");
		return error_hint(err, "`propseal file show` lists the entries");
	}
	if (change_open(c, o, false, err) != 0 || change_key(c, err) != 0 ||
	    secrets_file_unlock(c->secrets, c->master, err) != 0)
		return -1;
	if (unseal_to_text(c->config, c->secrets, keys->keys, keys->lens, keys->count,
	    o->on[FLAG_ANY_NAME], text, err) != 0)
		return -1;
	if (text->len == 0)
		report_note("nothing to open: no value refers to a sealed entry");
	return to_stdout ? output_write(text, err) : write_file(c, path, text, err);
}

int
commands_decrypt(const struct options *o)
{
	struct change c = { 0 };
	struct error err;
	struct key_list keys;
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = key_list_read(o, true, &keys, &err);
	if (rc == 0)
		rc = decrypt(&c, o, &keys, &text, &err);
	key_list_release(&keys);
	buf_release(&text);
	return change_status(&c, rc, &err);
}
