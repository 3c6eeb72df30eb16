#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/keys.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "rotation/rotation.h"
#include "seal/keying.h"
#include "seal/render.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

/* A key of 32 bytes has 44 characters; the frame around it is short. */
#define KEY_TEXT_MAX 1024

struct passphrases {
	struct buf old;
	struct buf new;
};

/* The table of the reference: one row of two columns. */
static void
append_key_table(struct buf *out, const struct buf *key)
{
	size_t i;
	int row;

	for (row = 0; row < 3; row++) {
		if (row == 1) {
			buf_append_str(out, "| Master Key | ");
			buf_append(out, key->data, key->len);
			buf_append_str(out, " |\n");
			continue;
		}
		buf_append_str(out, "+------------+");
		for (i = 0; i < key->len + 2; i++)
			buf_append_char(out, '-');
		buf_append_str(out, "+\n");
	}
}

/*
 * Apply a plan that brings a new master key, and print it on standard output
 * as `confluent secret` does (a table or YAML; JSON has it in the result), and
 * on standard error the advice to save it.
 */
int
file_finish_with_key(struct change *c, const struct key *k, struct error *err)
{
	enum output_format format = options_format(change_options(c));
	struct buf key, text;
	int rc = -1;

	buf_init_secret(&key, KEY_TEXT_MAX);
	buf_init_secret(&text, KEY_TEXT_MAX);
	key_append_base64(k, &key);
	if (buf_check(&key, err) != 0)
		goto out;
	rc = change_finish(c, k, err);
	if (rc != 0 || c->dry)
		goto out;
	if (format == OUTPUT_HUMAN)
		append_key_table(&text, &key);
	else if (format == OUTPUT_YAML) {
		buf_append_str(&text, "master_key: ");
		buf_append(&text, key.data, key.len);
		buf_append_char(&text, '\n');
	}
	rc = output_write(&text, err);
	if (rc == 0)
		report_line("Save the master key. It cannot be retrieved later.");
	else
		error_hint(err, KEY_NOT_SEEN);
out:
	buf_release(&key);
	buf_release(&text);
	return rc;
}

static int
generate(struct change *c, const struct options *o, struct buf *passphrase, struct error *err)
{
	struct key *master = NULL;
	int rc;

	if (change_open(c, o, true, err) != 0)
		return -1;
	if (source_passphrase(o, FLAG_PASSPHRASE, "Passphrase of the new master key: ", true,
	    passphrase, err) != 0 || change_start(c, err) != 0)
		return -1;
	rc = rotate_generate(c->plan, passphrase->data, passphrase->len, &master, err);
	if (rc == 0)
		rc = file_finish_with_key(c, master, err);
	key_free(master);
	return rc;
}

int
commands_generate(const struct options *o)
{
	struct change c = { 0 };
	struct buf passphrase;
	struct error err;
	int rc;

	buf_init_secret(&passphrase, SOURCE_PASSPHRASE_MAX);
	rc = generate(&c, o, &passphrase, &err);
	buf_release(&passphrase);
	return change_status(&c, rc, &err);
}

/* The values of ${id}, which may be given several times, into ${out} (with room for all that
 * were given); how many there are. */
static size_t
decrypt_named(const struct options *o, enum flag_id id, const char **out)
{
	size_t n = 0;

	for (size_t i = 0; i < o->item_count; i++)
		if (o->items[i].id == id)
			out[n++] = o->items[i].value;
	return n;
}

/* Do the two paths name one file, there or not? */
static bool
decrypt_is_one_file(const char *a, const char *b)
{
	const char *const paths[] = { a, b };
	struct file_id file[2], folder[2];

	for (size_t i = 0; i < 2; i++) {
		char *up = file_folder(paths[i]);
		bool known = up != NULL && file_identify(up, &folder[i], NULL) == 0 &&
		    file_identify(paths[i], &file[i], NULL) == 0;

		free(up);
		if (!known)
			return false;
	}
	return file_id_same(&file[0], &file[1]) || (file_id_same(&folder[0], &folder[1]) &&
	    strcmp(file_basename(a), file_basename(b)) == 0);
}

/* ERROR_USAGE unless there is an output for each of ${n} files, or one for all. */
static int
decrypt_check(const struct options *o, const char *const outputs[], size_t m, size_t n,
    struct error *err)
{
	if (n > 1 && o->text[FLAG_BASE_NAME] != NULL) {
		error_set(err, ERROR_USAGE, "--base-name is for one --config-file");
		return error_hint(err, "call it for each file");
	}
	if (m != 1 && m != n) {
		error_set(err, ERROR_USAGE, "%zu --output-file for %zu --config-file", m, n);
		return error_hint(err, "give one for each, in the same order, or one for all");
	}
	for (size_t i = 0; i < m && m > 1; i++) {
		for (size_t j = 0; j < i; j++)
			if (decrypt_is_one_file(outputs[i], outputs[j])) {
				error_set(err, ERROR_USAGE, "two --output-file are %s", outputs[i]);
				return error_hint(err, "give it alone, for all --config-file");
			}
		if (output_is_stream(outputs[i])) {
			error_set(err, ERROR_USAGE, "--output-file %s is no file, and stands "
			    "beside others", outputs[i]);
			return error_hint(err, "give it alone, for all --config-file");
		}
	}
	return 0;
}

/* Append what is opened of each configuration to ${texts}: to its own, or all to the first. */
static int
decrypt_open(struct change *c, const struct key_list *keys, struct buf texts[], bool in_one,
    struct error *err)
{
	for (size_t i = 0; i < c->configs.len; i++) {
		const struct configuration *config =
		    *(struct configuration **)vec_at(&c->configs, i);
		struct buf *text = &texts[in_one ? 0 : i];
		size_t before;

		/* Which of them has a key, nobody could tell. */
		if (in_one && c->configs.len > 1) {
			buf_append_str(text, "# ");
			text_append_visible(text, config->path, strlen(config->path));
			buf_append_char(text, '\n');
		}
		before = text->len;
		if (render_opened(config, c->secrets, keys->keys, keys->lens, keys->count,
		    change_options(c)->on[FLAG_ANY_NAME], text, err) != 0)
			return -1;
		if (text->len == before && c->configs.len > 1)
			report_note("%s: nothing to open: no value refers to a sealed entry",
			    config->path);
		else if (text->len == before)
			report_note("nothing to open: no value refers to a sealed entry");
	}
	return 0;
}

/* ${paths}, ${outputs}, ${texts}: with room for all that were given. */
static int
decrypt(struct change *c, const struct options *o, const struct key_list *keys,
    const char **paths, const char **outputs, struct buf texts[], struct error *err)
{
	size_t n = decrypt_named(o, FLAG_CONFIG_FILES, paths);
	size_t m = decrypt_named(o, FLAG_OUTPUT_FILES, outputs);

	if (decrypt_check(o, outputs, m, n, err) != 0)
		return -1;
	change_from_flags(c, o);
	if (change_check_base_name(c, err) != 0 ||
	    change_files(c, paths[0], o->text[FLAG_LOCAL_SECRETS_FILE], false, err) != 0)
		return -1;
	for (size_t i = 1; i < n; i++)
		if (change_config(c, paths[i], err) == NULL)
			return -1;
	if (change_key(c, err) != 0 || secrets_file_unlock(c->secrets, c->master, err) != 0 ||
	    decrypt_open(c, keys, texts, m == 1, err) != 0)
		return -1;
	keys_say_doubts(c->secrets);
	return m == 1 ? change_write_output(c, outputs[0], texts, err) :
	    change_write_outputs(c, outputs, texts, m, err);
}

int
commands_decrypt(const struct options *o)
{
	const size_t n = o->item_count + 1;
	struct change c = { 0 };
	struct key_list keys = { 0 };
	const char **names = calloc(2 * n, sizeof(*names));
	struct buf *texts = calloc(n, sizeof(*texts));
	struct error err;
	int rc;

	for (size_t i = 0; texts != NULL && i < n; i++)
		buf_init_secret(&texts[i], BUF_MAX_FILE);
	if (names == NULL || texts == NULL)
		rc = error_memory(&err);
	else
		rc = key_list_read(o, true, &keys, &err);
	if (rc == 0)
		rc = decrypt(&c, o, &keys, names, names + n, texts, &err);
	key_list_release(&keys);
	for (size_t i = 0; texts != NULL && i < n; i++)
		buf_release(&texts[i]);
	free(texts);
	free(names);
	return change_status(&c, rc, &err);
}

/* The old one is not needed: who has the key can do without. */
static int
read_passphrases(const struct options *o, struct passphrases *p, struct error *err)
{
	if (o->on[FLAG_MASTER_KEY])
		return source_passphrases(o, &p->old, &p->new, err);
	if (o->given[FLAG_PASSPHRASE_NEW]) {
		error_set(err, ERROR_USAGE, "--passphrase-new is for a new master key");
		return error_hint(err, "add --master-key, or leave --passphrase-new out");
	}
	return o->given[FLAG_PASSPHRASE] ?
	    source_passphrase(o, FLAG_PASSPHRASE, NULL, false, &p->old, err) : 0;
}

/* The passphrase, if one was given, must be the one of the key that was found. */
static int
check_passphrase(const struct change *c, const struct buf *passphrase, struct error *err)
{
	struct key *derived = NULL;
	int rc;

	if (!change_options(c)->given[FLAG_PASSPHRASE])
		return 0;
	rc = secrets_file_check_passphrase(c->secrets, passphrase->data, passphrase->len,
	    c->master, &derived, err);
	key_free(derived);
	return rc;
}

/* As at the end of a rotation: no former value stays. */
static void
rotate_forget(const struct change *c)
{
	const char *file = secrets_file_path(c->secrets);
	struct error err;
	size_t count;

	if (c->trail == NULL || c->trail->path == NULL || apply_done(&c->applied) == 0)
		return;
	if (kept_forget(c->trail->path, &file, 1, &count, &err) != 0)
		report_warning("remove the folder", "%s: %s: former values of the history are not "
		    "wiped", err.file, err.text);
	else if (count > 0)
		report_note("wiped: what undid %zu change%s in the history", count,
		    count == 1 ? "" : "s");
}

static int
rotate_rotate(struct change *c, const struct options *o, struct passphrases *p, struct error *err)
{
	bool master_too = o->on[FLAG_MASTER_KEY];
	bool data_too = o->on[FLAG_DATA_KEY] || !master_too;
	struct key *new_master = NULL;
	int rc = -1;

	if (change_open(c, o, false, err) != 0 || read_passphrases(o, p, err) != 0 ||
	    change_key(c, err) != 0 || change_start(c, err) != 0 ||
	    check_passphrase(c, &p->old, err) != 0)
		return -1;
	/* What `rotation` does to each of its files. */
	if (rotation_one(c->plan, (master_too ? ROTATION_MASTER_KEY : 0) |
	    (data_too ? ROTATION_DATA_KEY : 0), c->master, p->new.data, p->new.len, &new_master,
	    err) != 0)
		return -1;
	rc = master_too ? file_finish_with_key(c, new_master, err) : change_finish(c, NULL, err);
	key_free(new_master);
	rotate_forget(c);
	return rc;
}

int
commands_rotate(const struct options *o)
{
	struct change c = { 0 };
	struct passphrases p;
	struct error err;
	int rc;

	buf_init_secret(&p.old, SOURCE_PASSPHRASE_MAX);
	buf_init_secret(&p.new, SOURCE_PASSPHRASE_MAX);
	rc = rotate_rotate(&c, o, &p, &err);
	buf_release(&p.old);
	buf_release(&p.new);
	return change_status(&c, rc, &err);
}
