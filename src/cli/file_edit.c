#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "document/edits.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/rules.h"
#include "secrets/sealed.h"

/*
 * encrypt, add, update and remove: what they do with one file is planned for
 * each --config-file, in one plan against the one secrets file.  Of several, a
 * file that fails is told and left out, and the others are done.
 */

#define LEFT_MAX 20	/* secrets that are left are named up to here */

struct file_edit {
	struct change c;
	int (*plan)(struct file_edit *e, struct configuration *config, struct error *err);
	bool seals;			/* it needs the key, and may make the secrets file */
	size_t files;			/* that are named */
	int failed;			/* exit status for those that are told; 0: none */

	struct key_list keys;		/* encrypt, remove: of --config */
	const char *empty;		/* add, update: said where nothing is in --config */
	struct buf text;		/* and what is */
	bool must_exist;
	size_t count;			/* encrypt by default: values that were found, */
	size_t left;			/* and others that may be secrets and stay */
};

struct seal_options
sealing_options(const struct options *o)
{
	const char *cipher = o->text[FLAG_CIPHER];
	struct seal_options so = {
		.remote = o->text[FLAG_REMOTE_SECRETS_FILE],
		.replace = o->on[FLAG_REPLACE],
		.cipher = SEALED_GCM,
		.rules = config_rules(o->config),
		.provider_class = config_provider_class(o->config),
	};

	if (cipher != NULL && strcmp(cipher, "cbc") == 0)
		so.cipher = SEALED_CBC;
	return so;
}

static struct configuration *
edit_config(const struct file_edit *e, size_t i)
{
	return *(struct configuration **)vec_at(&e->c.configs, i);
}

/* Tell why a file is left out.  -1 with ${err}: it ends the command. */
static int
edit_leave_out(struct file_edit *e, const char *path, struct error *why, struct error *err)
{
	if (e->files == 1 || why->code == ERROR_MEMORY || why->code == ERROR_CRYPTO ||
	    why->code == ERROR_KEY) {
		*err = *why;
		return -1;
	}
	if (why->file[0] == '\0')
		error_place(why, path, 0);
	e->failed = report_error(why);
	return 0;
}

/* Load the configurations, those that are in order, and each once. */
static int
edit_load(struct file_edit *e, const struct options *o, struct error *err)
{
	/* These commands have no other flag that may be given several times. */
	struct { dev_t dev; ino_t ino; } *ids = calloc(o->item_count + 1, sizeof(*ids));
	struct map *seen = map_new();
	int rc = ids == NULL || seen == NULL ? error_memory(err) : 0;
	struct error why;
	struct file_id id;
	size_t other;

	for (size_t i = 0; rc == 0 && i < o->item_count; i++) {
		const char *path = o->items[i].value;

		if (file_identify(path, &id, NULL) == 0 && id.exists) {
			ids[i].dev = id.dev;
			ids[i].ino = id.ino;
			if (map_get(seen, &ids[i], sizeof(*ids), &other)) {
				report_note("%s is the same file as %s, and is changed once",
				    path, o->items[other].value);
				continue;
			}
			if (map_put(seen, &ids[i], sizeof(*ids), i) != 0) {
				rc = error_memory(err);
				break;
			}
		}
		if (change_config(&e->c, path, &why) == NULL)
			rc = edit_leave_out(e, path, &why, err);
	}
	map_free(seen);
	free(ids);
	return rc;
}

static int
edit_open(struct file_edit *e, const struct options *o, struct error *err)
{
	const char *secrets = o->text[FLAG_LOCAL_SECRETS_FILE];

	change_from_flags(&e->c, o);
	e->files = o->item_count;
	if (e->files > 1 && e->c.base_name != NULL) {
		error_set(err, ERROR_USAGE, "--base-name is for one --config-file");
		return error_hint(err, "the sealed entries of several would have the same names");
	}
	if (change_check_base_name(&e->c, err) != 0 || change_files(&e->c,
	    e->files == 1 ? o->items[0].value : NULL, secrets, e->seals, err) != 0)
		return -1;
	return e->files == 1 ? 0 : edit_load(e, o, err);
}

/* The text of add and update, for each file; before anybody is asked for a key. */
static int
edit_check_text(const struct file_edit *e, struct error *err)
{
	struct document *text;

	for (size_t i = 0; e->empty != NULL && i < e->c.configs.len; i++) {
		text = config_text_parse(change_options(&e->c), &e->text,
		    edit_config(e, i)->doc, e->empty, i == 0, err);
		if (text == NULL)
			return -1;
		document_free(text);
	}
	return 0;
}

/* Begin a plan of the files that have not failed. */
static int
edit_begin(struct file_edit *e, const bool *failed, struct error *err)
{
	struct change *c = &e->c;

	if ((c->plan == NULL && change_plan(c, err) != 0) ||
	    (e->seals && seal_prepare(c->plan, c->master, err) != 0))
		return -1;
	/* First of all, two files of one base name. */
	for (size_t i = 0; i < c->configs.len; i++)
		if (!failed[i] && plan_config_edits(c->plan, edit_config(e, i), err) == NULL)
			return -1;
	e->count = e->left = 0;
	return 0;
}

/*
 * Plan all files.  What was planned for one before it failed would be written,
 * too: then it is all planned again, without it.  ${*planned}: how many did not.
 */
static int
edit_plan_all(struct file_edit *e, size_t *planned, struct error *err)
{
	bool *failed = calloc(e->c.configs.len + 1, sizeof(*failed)), again = true;
	int rc = failed == NULL ? error_memory(err) : 0;
	struct scan_users users;
	struct error why;

	scan_users_init(&users, change_options(&e->c), &e->c);
	while (rc == 0 && again) {
		again = false;
		*planned = 0;
		if ((rc = edit_begin(e, failed, err)) == 0)
			plan_set_users(e->c.plan, &users.face);
		for (size_t i = 0; rc == 0 && i < e->c.configs.len; i++) {
			if (failed[i])
				continue;
			if (e->plan(e, edit_config(e, i), &why) == 0) {
				++*planned;
				continue;
			}
			rc = edit_leave_out(e, edit_config(e, i)->path, &why, err);
			failed[i] = again = true;
		}
		if (again) {
			plan_free(e->c.plan);
			e->c.plan = NULL;
		}
	}
	if (e->c.plan != NULL)
		plan_set_users(e->c.plan, NULL);
	scan_users_release(&users);
	free(failed);
	return rc;
}

/* --- what is planned for one file --- */

/* Tell of JAAS in the text that Kafka refuses: once it is sealed nobody sees it. */
static int
note_jaas(struct file_edit *e, const struct document *text, const struct rules *rules,
    struct error *err)
{
	const struct remark *r;
	struct vec remarks;
	int rc;

	vec_init(&remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	rc = inspect_document(rules, text, NULL, &remarks, err);
	for (size_t i = 0; rc == 0 && i < remarks.len; i++) {
		r = vec_at(&remarks, i);
		if (strcmp(r->kind, "jaas") == 0)
			plan_note(e->c.plan, "%s:%zu: %s: %s", document_file(text), r->line,
			    r->text, r->hint);
	}
	vec_release(&remarks);
	return rc;
}

/* add and update: seal each entry of the text. */
static int
plan_put(struct file_edit *e, struct configuration *config, struct error *err)
{
	struct seal_options so = sealing_options(change_options(&e->c));
	struct document *text = config_text_parse(change_options(&e->c), &e->text, config->doc,
	    e->empty, false, err);
	int rc = text == NULL ? -1 : note_jaas(e, text, so.rules, err);
	struct buf value;
	const char *key;
	size_t len;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(text); i++) {
		key = document_key(text, i, &len);
		buf_clear(&value);
		rc = document_value(text, i, &value, err);
		if (rc == 0)
			rc = seal_value(e->c.plan, config, key, len, value.data, value.len,
			    e->must_exist, &so, err);
	}
	buf_release(&value);
	document_free(text);
	return rc;
}

/* What `encrypt` without --config leaves behind. */
struct left {
	struct file_edit *edit;
	const struct configuration *config;
	const struct rules *rules;
	size_t entry;
};

static int
note_left(void *cookie, const struct clear *found, struct error *err)
{
	struct left *l = cookie;
	const struct document *d = l->config->doc;
	bool parameter = inspect_is_provider_parameter(d, l->entry);
	const char *key;
	size_t len;

	(void)err;
	key = document_key(d, l->entry, &len);
	/* That the value of one stays, or options of a login module in it, is told already. */
	if (parameter && (rules_by_default(l->rules, key, len) || found->address_len > len))
		return 0;
	if (l->edit->left++ < LEFT_MAX)
		plan_note_key(l->edit->c.plan, l->config->path, document_line(d, l->entry),
		    found->address, found->address_len, document_shadowed(d, l->entry) ?
		    "stays in clear text in a line that no reader uses, as a later one of the key "
		    "counts: take it out" : parameter ?
		    "stays in clear text: Kafka resolves no references in parameters of config "
		    "providers" : "stays in clear text, and may be a secret: --config takes it");
	return 0;
}

/* The rule of `encrypt` is the reference's; other secrets are named. */
static int
note_all_left(struct file_edit *e, struct configuration *config, const struct rules *rules,
    struct error *err)
{
	const struct document *d = config->doc;
	struct edits *edits = plan_config_edits(e->c.plan, config, err);
	struct left l = { .edit = e, .config = config, .rules = rules };
	struct buf value;
	int rc = edits != NULL ? 0 : -1;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (; rc == 0 && l.entry < document_count(d); l.entry++) {
		buf_clear(&value);
		rc = edits_value(edits, l.entry, &value, err);
		if (rc == 0 && value.len > 0)
			rc = clear_each(rules, d, l.entry, (const char *)value.data, value.len,
			    note_left, &l, err);
	}
	buf_release(&value);
	return rc;
}

static int
plan_encrypt(struct file_edit *e, struct configuration *config, struct error *err)
{
	struct seal_options so = sealing_options(change_options(&e->c));
	size_t count = 0;

	for (size_t i = 0; i < e->keys.count; i++)
		if (seal_key(e->c.plan, config, e->keys.keys[i], e->keys.lens[i], &so, err) != 0)
			return -1;
	if (e->keys.count > 0)
		return 0;
	if (seal_default(e->c.plan, config, &so, &count, err) != 0)
		return -1;
	if (count == 0)
		plan_note(e->c.plan, "%s%snothing to seal: no key contains \"password\"%s",
		    e->files > 1 ? config->path : "", e->files > 1 ? ": " : "",
		    rules_has_secret(so.rules) ? " or is one of secret-keys" : "");
	e->count += count;
	return note_all_left(e, config, so.rules, err);
}

static int
plan_remove(struct file_edit *e, struct configuration *config, struct error *err)
{
	bool orphan = change_options(&e->c)->on[FLAG_ORPHAN];
	const struct key_list *k = &e->keys;

	for (size_t i = 0; i < k->count; i++) {
		if (seal_remove(e->c.plan, config, k->keys[i], k->lens[i], orphan, err) == 0)
			continue;
		if (err->code == ERROR_MISSING &&
		    (k->keys[i][0] == ' ' || k->keys[i][k->lens[i] - 1] == ' '))
			error_hint(err, "remove takes the blanks around a key as a part of it, as "
			    "`confluent secret` does: write KEY,KEY");
		return -1;
	}
	return 0;
}

/* --- the commands --- */

/* Where nothing is sealed, no data key is made either: keep the notes only. */
static int
edit_plan_nothing(struct file_edit *e, struct error *err)
{
	char *notes = strdup(plan_notes(e->c.plan));
	int rc;

	if (notes == NULL)
		return error_memory(err);
	plan_free(e->c.plan);
	e->c.plan = NULL;
	rc = change_plan(&e->c, err);
	for (char *next, *line = notes; rc == 0 && *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		plan_note(e->c.plan, "%s", line);
	}
	free(notes);
	return rc;
}

static int
edit_run(struct file_edit *e, const struct options *o, struct error *err)
{
	size_t planned = 0;

	if (edit_open(e, o, err) != 0)
		return -1;
	if (e->c.configs.len == 0)
		return 0;
	if (e->empty != NULL && config_text_read(o, &e->text, err) != 0)
		return -1;
	if (edit_check_text(e, err) != 0 || (e->seals && change_key(&e->c, err) != 0) ||
	    change_start(&e->c, err) != 0 || edit_plan_all(e, &planned, err) != 0)
		return -1;
	if (planned == 0)
		return 0;
	if (e->left > LEFT_MAX)
		plan_note(e->c.plan, "%zu more that may be secrets stay in clear text: `propseal "
		    "file show` lists them", e->left - LEFT_MAX);
	if (e->plan == plan_encrypt && e->keys.count == 0 && e->count == 0 &&
	    edit_plan_nothing(e, err) != 0)
		return -1;
	/* Of several files those that are told, and others are done. */
	if (e->failed != 0)
		e->failed = 1;
	return change_finish(&e->c, NULL, err);
}

static int
edit_end(struct file_edit *e, int rc, const struct error *err)
{
	int status = change_status(&e->c, rc, err);

	key_list_release(&e->keys);
	buf_release(&e->text);
	return status != 0 ? status : e->failed;
}

/* Run a command that --config gives keys to. */
static int
edit_keys(struct file_edit *e, const struct options *o, bool trim)
{
	struct error err;
	int rc = key_list_read(o, trim, &e->keys, &err);

	if (rc == 0 && e->plan == plan_remove && e->keys.count == 0) {
		error_set(&err, ERROR_USAGE, "no key in --config");
		rc = error_hint(&err, "name the keys to remove, separated by commas");
	}
	if (rc == 0)
		rc = edit_run(e, o, &err);
	return edit_end(e, rc, &err);
}

int
commands_encrypt(const struct options *o)
{
	struct file_edit e = { .plan = plan_encrypt, .seals = true };

	return edit_keys(&e, o, true);
}

int
commands_remove(const struct options *o)
{
	struct file_edit e = { .plan = plan_remove };
	int status = edit_keys(&e, o, false);

	if (status == 0 && !o->on[FLAG_DRY_RUN])
		report_line("Deleted configuration values.");
	return status;
}

int
commands_add(const struct options *o)
{
	struct file_edit e = { .plan = plan_put, .seals = true,
		.empty = "add failed: empty list of new configs" };
	struct error err;
	int rc = edit_run(&e, o, &err);

	return edit_end(&e, rc, &err);
}

/* What the reference says; the file is changed even if nobody hears it. */
static const char done[] = "Updated the encrypted secrets.\n";

int
commands_update(const struct options *o)
{
	struct file_edit e = { .plan = plan_put, .seals = true, .must_exist = true,
		.empty = "update failed: empty list of update configs" };
	struct error err;
	int rc = edit_run(&e, o, &err), status = edit_end(&e, rc, &err);

	if (status == 0 && !o->on[FLAG_DRY_RUN] && options_format(o) != OUTPUT_JSON &&
	    output_write_fd(STDOUT_FILENO, "standard output", done, sizeof(done) - 1, &err) != 0) {
		error_hint(&err, "the files are changed");
		return report_error(&err);
	}
	return status;
}
