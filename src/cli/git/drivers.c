#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "merge/merge.h"
#include "plan/configuration.h"
#include "secrets/key_source.h"
#include "secrets/mask.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

#define MASTERS_MAX 40
#define NAMES_SHOWN 8

struct view {
	struct buf raw;			/* secret */
	struct document *doc;		/* NULL: cannot be read, or that of the secrets file */
	struct secrets_file *secrets;	/* NULL: it is none */
	struct key_ring *keys;
	const struct key *master;	/* NULL: not at hand */
};

/* The arguments of git's merge driver: %O %A %B, and %P for messages. */
struct versions {
	const struct options *o;
	const char *path[MERGE_SIDES];
	const char *name;		/* what the file is called in the work tree */
	const struct trail *trail;
	struct file_id id[MERGE_SIDES];
	struct buf bytes[MERGE_SIDES];	/* secret */
	struct secrets_file *s[MERGE_SIDES];	/* all, or none: one cannot be read as that */
	struct key_ring *ring;
	struct key *asked;
	const struct key *masters[MASTERS_MAX];	/* the ring's, and the one that was asked for */
	size_t master_count;
};

/* As what it is: a secrets file, or else a configuration file. */
static void
git_textconv_parse(struct view *v, const char *path)
{
	const struct document_format *format = document_format_of(path);
	struct buf copy;

	buf_init_secret(&copy, BUF_MAX_FILE);
	/* A secrets file may have any name. */
	if (format == NULL)
		format = DOCUMENT_ENTRIES;
	if (format == DOCUMENT_ENTRIES) {
		buf_append(&copy, v->raw.data, v->raw.len);
		v->secrets = secrets_file_parse(path, &copy, NULL);
		if (v->secrets != NULL &&
		    !secrets_file_recognise(secrets_file_document(v->secrets)) &&
		    secrets_file_sealed_count(v->secrets) == 0) {
			secrets_file_free(v->secrets);
			v->secrets = NULL;
		}
	}
	if (v->secrets == NULL) {
		buf_clear(&copy);
		buf_append(&copy, v->raw.data, v->raw.len);
		v->doc = document_parse(&copy, format, path, NULL);
	}
	buf_release(&copy);
}

/* Nobody is asked: a diff may show many files, and needs no key. */
static void
git_textconv_find_key(struct view *v, const struct options *o)
{
	if ((v->keys = keys_ring(o, false, NULL)) == NULL)
		return;
	v->master = key_ring_for(v->keys, v->secrets, NULL);
	if (v->master != NULL && v->secrets != NULL)
		(void)secrets_file_unlock(v->secrets, v->master, NULL);
}

static int
git_textconv_show(struct view *v, const struct rules *rules, struct error *err)
{
	const struct document *d = v->secrets != NULL ? secrets_file_document(v->secrets) : v->doc;
	struct buf text, shown;
	int rc;

	if (d == NULL)
		return output_write(&v->raw, err);
	buf_init(&text, BUF_MAX_FILE);
	buf_init(&shown, 8 * BUF_MAX_FILE);
	rc = mask_append(d, v->secrets, v->master, rules, &text, NULL, err);
	/* A pager passes on what it is given. */
	text_append_lines(&shown, text.data, text.len);
	if (rc == 0 && (rc = buf_check(&shown, err)) == 0)
		rc = output_write(&shown, err);
	buf_release(&shown);
	buf_release(&text);
	return rc;
}

int
commands_git_textconv(const struct options *o)
{
	struct view v = { .doc = NULL };
	struct config *config;
	struct file_id id;
	struct error err;

	/* A diff must not fail: not for propseal.ini either. */
	config = config_load(&err);
	if (config == NULL)
		report_error(&err);
	buf_init_secret(&v.raw, BUF_MAX_FILE);
	if (configuration_read(o->args[0], &v.raw, &id, &err) != 0)
		report_error(&err);
	else {
		git_textconv_parse(&v, o->args[0]);
		git_textconv_find_key(&v, o);
		if (git_textconv_show(&v, config_rules(config), &err) != 0)
			report_error(&err);
	}
	key_ring_free(v.keys);
	secrets_file_free(v.secrets);
	document_free(v.doc);
	buf_release(&v.raw);
	config_free(config);
	return 0;
}

static int
git_merge_load(struct versions *v, struct error *err)
{
	struct buf copy;
	struct error why;
	size_t i;

	for (i = 0; i < MERGE_SIDES; i++)
		if (file_read(v->path[i], &v->bytes[i], &v->id[i], err) != 0)
			return -1;
	for (i = 0; i < MERGE_SIDES; i++) {
		buf_init_secret(&copy, BUF_MAX_FILE);
		buf_append(&copy, v->bytes[i].data, v->bytes[i].len);
		v->s[i] = secrets_file_parse(v->name, &copy, &why);
		buf_release(&copy);
		if (v->s[i] != NULL)
			continue;
		if (why.code == ERROR_MEMORY)
			return error_memory(err);
		while (i-- > 0) {
			secrets_file_free(v->s[i]);
			v->s[i] = NULL;
		}
		report_error(&why);
		break;
	}
	return 0;
}

static void
add_master(struct versions *v, const struct key *k)
{
	if (k != NULL && v->master_count < MASTERS_MAX)
		v->masters[v->master_count++] = k;
}

/*
 * Every one that is at hand: the sides may need one each.  Without one the
 * merge goes on: an error would leave ours without a marker.
 */
static void
find_masters(struct versions *v)
{
	struct error why;

	if (!rekey_needs_master(v->s))
		return;
	if ((v->ring = keys_ring(v->o, true, &why)) == NULL) {
		report_error(&why);
		return;
	}
	for (size_t i = 0; i < key_ring_count(v->ring); i++)
		add_master(v, key_ring_key(v->ring, i));
	if (v->master_count > 0 || !askpass_available())
		return;
	add_master(v, v->asked = master_find(v->o, v->s[MERGE_THEIRS], &why));
	if (v->master_count == 0)
		report_error(&why);
}

/* The entries that the merge gives another value, adds or removes: for the trail. */
static int
add_changed(const struct document *of, const struct document *in, bool only_missing,
    struct vec *names, struct error *err)
{
	const unsigned char *value, *other;
	const char *key;
	size_t len, n, m, at;

	for (size_t i = 0; i < document_count(of); i++) {
		key = document_key(of, i, &len);
		value = document_raw_value(of, i, &n);
		at = document_find(in, key, len);
		if (at != DOCUMENT_NONE) {
			other = document_raw_value(in, at, &m);
			if (only_missing || (n == m && memcmp(value, other, n) == 0))
				continue;
		}
		if (!tag_names(key, len) && vec_push_string(names, key, len) == NULL)
			return error_memory(err);
	}
	return 0;
}

static int
git_merge_changed(const struct versions *v, const struct buf *text, struct vec *names,
    struct error *err)
{
	const struct document *ours = secrets_file_document(v->s[MERGE_OURS]), *merged;
	struct secrets_file *s;
	struct buf copy;
	int rc;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, text->data, text->len);
	s = secrets_file_parse(v->name, &copy, err);
	buf_release(&copy);
	if (s == NULL)
		return -1;
	merged = secrets_file_document(s);
	rc = add_changed(merged, ours, false, names, err);
	if (rc == 0)
		rc = add_changed(ours, merged, true, names, err);
	secrets_file_free(s);
	return rc;
}

/* Put the merged file in the place of ours, which git moves to where it belongs.  With a conflict
 * (${clean} is false) which entries change is not decided. */
static int
git_merge_write_file(const struct versions *v, const struct buf *text, bool clean,
    struct error *err)
{
	const char *path = v->path[MERGE_OURS];
	struct trail_part part = { .path = v->name, .role = "secrets" };
	struct lock *lock;
	struct vec names;
	struct buf notes;
	uint64_t change;
	int rc;

	if (buf_equal(text, &v->bytes[MERGE_OURS]))
		return 0;
	lock = lock_files(&path, 1, options_lock_timeout(v->o), change_waiting, NULL, err);
	if (lock == NULL)
		return -1;
	vec_init(&names, sizeof(char *), 1U << 24);
	buf_init(&notes, BUF_MAX_FILE);
	rc = clean ? git_merge_changed(v, text, &names, err) : 0;
	part.keys = (const char *const *)names.items;
	part.key_count = names.len;
	if (rc == 0 && (rc = trail_intend_parts(v->trail, &part, 1, &change, &notes, err)) == 0) {
		rc = replace_file(path, &v->id[MERGE_OURS], text, err);
		part.done = rc == 0;
		part.why = rc == 0 ? NULL : err->text;
		trail_conclude_parts(v->trail, change, &part, 1, &notes);
	}
	change_say_lines(buf_cstr(&notes));
	buf_release(&notes);
	vec_release_strings(&names);
	lock_release(lock);
	return rc;
}

/* What the entries are, with commas. */
static void
append_names(struct buf *out, struct buf *names)
{
	const char *p = buf_cstr(names);
	size_t n = 0, len;

	for (; *p != '\0'; p += len + 1) {
		len = strcspn(p, "\n");
		if (n++ == NAMES_SHOWN) {
			buf_append_str(out, ", ...");
			break;
		}
		buf_append_str(out, n > 1 ? ", " : "");
		buf_append(out, p, len);
		if (p[len] == '\0')
			break;
	}
}

static int
say_conflicts(const struct versions *v, struct merge_result *m, const struct rekey *r,
    struct error *err)
{
	char word[TEXT_WORD_MAX];
	struct buf names;

	buf_init(&names, 4096 + (1U << 20));
	append_names(&names, &m->names);
	if (m->whole)
		error_set(err, ERROR_REFUSED, "conflict: the two files cannot be merged by entry");
	else
		error_set(err, ERROR_REFUSED, "%zu conflict%s: %s", m->conflicts,
		    m->conflicts == 1 ? "" : "s", buf_cstr(&names));
	error_place(err, v->name, 0);
	if (r != NULL && r->incomplete)
		error_hint(err, "%s; with that key as --master-key-file of merge.propseal.driver "
		    "or in the environment, `git checkout --merge -- %s` merges again with fewer "
		    "conflicts", r->why.text, text_word(v->name, word));
	else
		error_hint(err, "keep one of the two sides of each conflict in %s, remove the "
		    "lines of markers, then `git add` it", v->name);
	buf_release(&names);
	return -1;
}

/* Is what was merged without a conflict a secrets file?  Parts of its metadata
 * may come from both sides. */
static bool
git_merge_is_readable(const struct versions *v, const struct buf *text)
{
	struct secrets_file *s;
	struct buf copy;
	bool readable;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, text->data, text->len);
	s = secrets_file_parse(v->name, &copy, NULL);
	readable = s != NULL;
	secrets_file_free(s);
	buf_release(&copy);
	return readable;
}

static int
merge_secrets(struct versions *v, struct buf *text, struct error *err)
{
	struct merge_result result = { .conflicts = 0 };
	struct rekey r;
	int rc;

	find_masters(v);
	rc = rekey_prepare(v->s, v->masters, v->master_count, &r, err);
	if (rc == 0)
		rc = merge_documents(&r.in, text, &result, err);
	if (rc == 0 && result.conflicts == 0 && !git_merge_is_readable(v, text)) {
		merge_result_release(&result);
		buf_clear(text);
		rc = merge_whole(&v->bytes[MERGE_OURS], &v->bytes[MERGE_THEIRS], text, &result,
		    err);
	}
	if (rc == 0)
		rc = git_merge_write_file(v, text, result.conflicts == 0, err);
	if (rc == 0 && result.conflicts > 0)
		rc = say_conflicts(v, &result, &r, err);
	else if (rc == 0 && r.resealed > 0)
		report_note("%s: %zu %s sealed again under the data key of the other side",
		    v->name, r.resealed, r.resealed == 1 ? "entry" : "entries");
	merge_result_release(&result);
	rekey_release(&r);
	return rc;
}

static int
merge_unreadable(struct versions *v, struct buf *text, struct error *err)
{
	struct merge_result result;
	int rc;

	rc = merge_whole(&v->bytes[MERGE_OURS], &v->bytes[MERGE_THEIRS], text, &result, err);
	if (rc == 0)
		rc = git_merge_write_file(v, text, false, err);
	if (rc == 0)
		rc = say_conflicts(v, &result, NULL, err);
	merge_result_release(&result);
	return rc;
}

int
commands_git_merge(const struct options *o)
{
	struct versions v = {
		.o = o,
		.path = { o->args[0], o->args[1], o->args[2] },
		.name = o->arg_count > 3 ? o->args[3] : o->args[1],
	};
	struct config *config;
	struct error err;
	struct buf text;
	int rc;

	/* What is merged may be a propseal.ini, too, and then it cannot be read. */
	if ((config = config_load(&err)) == NULL)
		report_error(&err);
	v.trail = config_trail_of(config, o->command);
	buf_init_secret(&text, BUF_MAX_FILE);
	for (size_t i = 0; i < MERGE_SIDES; i++)
		buf_init_secret(&v.bytes[i], BUF_MAX_FILE);
	rc = git_merge_load(&v, &err);
	if (rc == 0)
		rc = v.s[0] != NULL ? merge_secrets(&v, &text, &err) :
		    merge_unreadable(&v, &text, &err);
	for (size_t i = 0; i < MERGE_SIDES; i++) {
		secrets_file_free(v.s[i]);
		buf_release(&v.bytes[i]);
	}
	key_free(v.asked);
	key_ring_free(v.ring);
	buf_release(&text);
	config_free(config);
	return rc == 0 ? 0 : report_error(&err);
}
