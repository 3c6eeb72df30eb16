#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/key_list.h"
#include "common/options.h"
#include "common/output.h"
#include "seal/unseal.h"
#include "common/report.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"

/* What another program sealed over opens, but not in silence. */
static void
note_changed(const struct secrets_file *s)
{
	size_t changed = tagger_changed(secrets_file_tagger(s));

	if (changed > 0)
		report_note("%zu sealed entries were changed by another program since propseal "
		    "sealed them; `propseal file verify` lists them", changed);
}

static int
decrypt(struct change *c, const struct options *o, const struct key_list *keys, struct buf *text,
    struct error *err)
{
	const char *path = o->text[FLAG_OUTPUT_FILE];
	bool to_stdout = output_is_stdout(path);

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
	note_changed(c->secrets);
	if (text->len == 0)
		report_note("nothing to open: no value refers to a sealed entry");
	return to_stdout ? output_write(text, err) : change_write_output(c, path, text, err);
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
