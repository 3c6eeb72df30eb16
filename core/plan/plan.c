#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

#define FILES_MAX 1000000
#define FIRSTS_MAX 100000000
#define NOTES_MAX ((size_t)1 << 20)
#define NOTE_KEY_MAX 200	/* bytes of a key that a note shows */

struct plan {
	struct secrets_file *secrets;
	const struct resolver *resolver;
	const struct plan_users *users;
	struct vec files;	/* of struct item *, in the order of their making */
	struct item *secrets_item;
	struct map *configs;	/* by base name: the number of their item */
	struct item *last;	/* the configuration's that was asked for last */
	bool removing;		/* plan_set_order was called with true */
	bool adding;		/* and with false */
	struct buf notes;
	struct buf scratch;
	struct buf texts[3];	/* plan_buffer */
	struct buf first;	/* what plan_first is asked, */
	struct vec firsts;	/* of char *: and was asked */
	struct map *firsts_index;
	char *remote;		/* the last of plan_put_remote */
	struct key *data_key;
	struct cipher *cipher;	/* of data_key */
	struct tagger *tagger;	/* of data_key */
	struct key *master;
};

/* A file of the plan, with what the plan owns of it. */
struct item {
	struct plan_file file;			/* first, so that it leads to its item */
	size_t number;				/* in plan's files */
	const struct configuration *config;	/* CONFIG */
	char *path;				/* OUTPUT */
	struct file_id id;			/* OUTPUT */
	struct buf content;			/* OUTPUT, CONFIG */
	bool asked;				/* CONFIG: plan_first_of */
};

struct plan *
plan_new(struct secrets_file *s, struct error *err)
{
	struct plan *p;

	if ((p = error_alloc(sizeof(*p), err)) == NULL)
		return NULL;
	p->secrets = s;
	vec_init(&p->files, sizeof(struct item *), FILES_MAX);
	vec_init(&p->firsts, sizeof(char *), FIRSTS_MAX);
	buf_init(&p->notes, NOTES_MAX);
	buf_init(&p->first, BUF_MAX_FILE);
	for (size_t i = 0; i < sizeof(p->texts) / sizeof(p->texts[0]); i++)
		buf_init(&p->texts[i], BUF_MAX_FILE);
	buf_init_secret(&p->scratch, BUF_MAX_FILE);
	if ((p->firsts_index = map_new()) == NULL || (p->configs = map_new()) == NULL) {
		plan_free(p);
		error_memory(err);
		return NULL;
	}
	return p;
}

static void
item_free(struct item *item)
{
	if (item == NULL)
		return;
	edits_free(item->file.edits);
	buf_release(&item->content);
	free(item->path);
	free(item);
}

static struct item *
plan_item_at(const struct plan *p, size_t i)
{
	return *(struct item **)vec_at(&p->files, i);
}

static void
plan_forget_keys(struct plan *p)
{
	tagger_free(p->tagger);
	cipher_free(p->cipher);
	key_free(p->data_key);
	key_free(p->master);
	p->tagger = NULL;
	p->cipher = NULL;
	p->data_key = p->master = NULL;
}

void
plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->files.len; i++)
		item_free(plan_item_at(p, i));
	vec_release(&p->files);
	map_free(p->configs);
	map_free(p->firsts_index);
	vec_release_strings(&p->firsts);
	buf_release(&p->notes);
	buf_release(&p->first);
	for (size_t i = 0; i < sizeof(p->texts) / sizeof(p->texts[0]); i++)
		buf_release(&p->texts[i]);
	buf_release(&p->scratch);
	free(p->remote);
	plan_forget_keys(p);
	free(p);
}

static struct item *
item_new(struct plan *p, enum plan_role role, const char *path, const struct file_id *id,
    struct error *err)
{
	struct item *item, **slot;

	if ((item = calloc(1, sizeof(*item))) == NULL || (slot = vec_push(&p->files)) == NULL) {
		free(item);
		error_memory(err);
		return NULL;
	}
	*slot = item;
	item->number = p->files.len - 1;
	buf_init_secret(&item->content, BUF_MAX_FILE);
	item->file.role = role;
	item->file.path = path;
	item->file.id = id;
	return item;
}

/* Does the file change at all? */
static bool
item_changes(const struct item *item)
{
	return item->file.content != NULL ||
	    (item->file.edits != NULL && edits_count(item->file.edits) > 0);
}

size_t
plan_file_count(const struct plan *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->files.len; i++)
		count += item_changes(plan_item_at(p, i));
	return count;
}

const struct plan_file *
plan_next(const struct plan *p, const struct plan_file *f)
{
	static const enum plan_role adding[] = { PLAN_SECRETS, PLAN_CONFIG, PLAN_OUTPUT };
	static const enum plan_role removing[] = { PLAN_CONFIG, PLAN_SECRETS, PLAN_OUTPUT };
	const enum plan_role *order = plan_order(p) == PLAN_REMOVING ? removing : adding;
	size_t r = 0, i = 0;

	while (f != NULL && order[r] != f->role)
		r++;
	if (f != NULL)
		i = ((const struct item *)f)->number + 1;
	for (; r < 3; r++, i = 0) {
		for (; i < p->files.len; i++) {
			const struct item *item = plan_item_at(p, i);

			if (item->file.role == order[r] && item_changes(item))
				return &item->file;
		}
	}
	return NULL;
}

bool
plan_is_empty(const struct plan *p)
{
	return plan_next(p, NULL) == NULL;
}

void
plan_set_order(struct plan *p, bool removing)
{
	if (removing)
		p->removing = true;
	else
		p->adding = true;
}

enum plan_order
plan_order(const struct plan *p)
{
	return !p->removing ? PLAN_ADDING : p->adding ? PLAN_BOTH : PLAN_REMOVING;
}

const char *
plan_notes(const struct plan *p)
{
	/* plan_note leaves the text NUL-terminated. */
	return p->notes.len == 0 || p->notes.failed ? "" : (const char *)p->notes.data;
}

void
plan_note(struct plan *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_append_visible(&p->notes, text, strlen(text));
	buf_append_char(&p->notes, '\n');
	(void)buf_cstr(&p->notes);
}

void
plan_note_key(struct plan *p, const char *path, size_t line, const char *key, size_t len,
    const char *what)
{
	struct buf shown;

	buf_init(&shown, 8 * NOTE_KEY_MAX);
	text_append_visible(&shown, key, len > NOTE_KEY_MAX ? NOTE_KEY_MAX : len);
	if (line > 0)
		plan_note(p, "%s:%zu: %s %s", path, line, buf_cstr(&shown), what);
	else
		plan_note(p, "%s: %s %s", path, buf_cstr(&shown), what);
	buf_release(&shown);
}

void
plan_set_resolver(struct plan *p, const struct resolver *r)
{
	p->resolver = r;
}

void
plan_set_users(struct plan *p, const struct plan_users *u)
{
	p->users = u;
}

int
plan_user(const struct plan *p, const struct configuration *c, const char *name, size_t len,
    const char **path, size_t *line, struct error *err)
{
	return p->users == NULL ? 0 : p->users->find(p->users->cookie, c, name, len, path, line,
	    err);
}

const struct resolver *
plan_resolver(const struct plan *p)
{
	return p->resolver;
}

struct secrets_file *
plan_secrets(const struct plan *p)
{
	return p->secrets;
}

struct edits *
plan_secrets_edits(struct plan *p, struct error *err)
{
	struct item *item = p->secrets_item;

	if (item != NULL)
		return item->file.edits;
	item = item_new(p, PLAN_SECRETS, secrets_file_path(p->secrets),
	    secrets_file_id(p->secrets), err);
	if (item == NULL)
		return NULL;
	p->secrets_item = item;
	item->file.edits = edits_new(secrets_file_document(p->secrets), false, err);
	return item->file.edits;
}

static int
same_base_name(const char *a, const char *b, struct error *err)
{
	error_set(err, ERROR_REFUSED, "%s has the same base name: both would use the same "
	    "sealed entries", a);
	error_place(err, b, 0);
	return error_hint(err, "use another secrets file for one of the two, or rename it");
}

/* The item of a configuration, NULL: none.  ${*clash}: another has its base name. */
static struct item *
plan_find_config(const struct plan *p, const struct configuration *c, bool *clash,
    struct error *err)
{
	struct item *item;
	size_t number;

	*clash = false;
	if (p->last != NULL && p->last->config == c)
		return p->last;
	if (!map_get(p->configs, c->base, strlen(c->base), &number))
		return NULL;
	item = plan_item_at(p, number);
	if (item->config == c)
		return item;
	same_base_name(item->config->path, c->path, err);
	*clash = true;
	return NULL;
}

/* A new item for the configuration, which has none. */
static struct item *
plan_add_config(struct plan *p, const struct configuration *c, struct error *err)
{
	struct item *item = item_new(p, PLAN_CONFIG, c->path, &c->id, err);

	if (item == NULL)
		return NULL;
	item->config = c;
	if (map_put(p->configs, c->base, strlen(c->base), item->number) == 0)
		return p->last = item;
	error_memory(err);
	return NULL;
}

struct edits *
plan_config_edits(struct plan *p, struct configuration *c, struct error *err)
{
	struct item *item;
	bool clash;

	if ((item = plan_find_config(p, c, &clash, err)) != NULL)
		return item->file.edits;
	if (clash || (item = plan_add_config(p, c, err)) == NULL)
		return NULL;
	item->file.edits = edits_new(c->doc, false, err);
	return item->file.edits;
}

int
plan_rewrite_config(struct plan *p, struct configuration *c, struct edits *shown,
    struct buf *content, struct error *err)
{
	struct item *item;
	bool clash;

	if (plan_find_config(p, c, &clash, err) != NULL)
		return error_set(err, ERROR_REFUSED, "%s is changed by this plan already", c->path);
	if (clash || (item = plan_add_config(p, c, err)) == NULL)
		return -1;
	item->file.edits = shown;
	buf_move(&item->content, content);
	item->file.content = &item->content;
	return 0;
}

struct buf *
plan_scratch(struct plan *p)
{
	buf_clear(&p->scratch);
	return &p->scratch;
}

struct buf *
plan_buffer(struct plan *p, enum plan_buffer which)
{
	buf_clear(&p->texts[which]);
	return &p->texts[which];
}

int
plan_asked(struct plan *p, const char *kind, const char *file, const char *what, size_t len,
    struct error *err)
{
	struct buf *all = &p->first;
	size_t ignored;

	buf_clear(all);
	buf_append(all, kind, strlen(kind) + 1);
	buf_append(all, file, strlen(file) + 1);
	buf_append(all, what, len);
	if (buf_check(all, err) != 0)
		return -1;
	return !map_get(p->firsts_index, all->data, all->len, &ignored);
}

int
plan_first(struct plan *p, const char *kind, const char *file, const char *what, size_t len,
    struct error *err)
{
	const struct buf *all = &p->first;
	int rc = plan_asked(p, kind, file, what, len, err);
	char *copy;

	if (rc != 1)
		return rc;
	copy = vec_push_string(&p->firsts, (const char *)all->data, all->len);
	return copy != NULL && map_put(p->firsts_index, copy, all->len, 0) == 0 ? 1 :
	    error_memory(err);
}

bool
plan_first_of(struct plan *p, const struct configuration *c)
{
	bool clash, first;
	struct item *item = plan_find_config(p, c, &clash, NULL);

	first = item != NULL && !item->asked;
	if (first)
		item->asked = true;
	return first;
}

int
plan_add_output(struct plan *p, const char *path, const struct file_id *expected,
    struct buf *content, struct error *err)
{
	struct item *item;
	struct file_id id;
	char *copy;

	if (expected != NULL)
		id = *expected;
	else if (file_identify(path, &id, err) != 0)
		return -1;
	if ((copy = strdup(path)) == NULL)
		return error_memory(err);
	if ((item = item_new(p, PLAN_OUTPUT, copy, NULL, err)) == NULL) {
		free(copy);
		return -1;
	}
	item->path = copy;
	item->id = id;
	item->file.id = &item->id;
	buf_move(&item->content, content);
	item->file.content = &item->content;
	return 0;
}

int
plan_use_key(struct plan *p, const struct key *data_key, struct error *err)
{
	struct key *copy = key_copy(data_key, err);
	struct cipher *c = copy != NULL ? cipher_new(copy, err) : NULL;
	struct tagger *t = c != NULL ? tagger_new(copy, err) : NULL;

	if (t == NULL) {
		cipher_free(c);
		key_free(copy);
		return -1;
	}
	tagger_free(p->tagger);
	cipher_free(p->cipher);
	key_free(p->data_key);
	p->data_key = copy;
	p->cipher = c;
	p->tagger = t;
	return 0;
}

void
plan_take_back_secrets(struct plan *p)
{
	if (p->secrets_item != NULL)
		edits_clear(p->secrets_item->file.edits);
	plan_forget_keys(p);
}

const struct key *
plan_data_key(const struct plan *p)
{
	return p->data_key;
}

struct cipher *
plan_cipher(const struct plan *p)
{
	return p->cipher != NULL ? p->cipher :
	    p->secrets != NULL ? secrets_file_cipher(p->secrets) : NULL;
}

/* What tags the entries that plan_cipher seals, NULL with it. */
static struct tagger *
plan_tagger(const struct plan *p)
{
	return p->tagger != NULL ? p->tagger :
	    p->secrets != NULL ? secrets_file_tagger(p->secrets) : NULL;
}

int
plan_expect_master(struct plan *p, const struct key *master, struct error *err)
{
	struct key *copy = key_copy(master, err);

	if (copy == NULL)
		return -1;
	key_free(p->master);
	p->master = copy;
	return 0;
}

const struct key *
plan_expected_master(const struct plan *p)
{
	return p->master;
}

int
plan_put_remote(struct plan *p, const char *remote, struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);
	char key[sizeof(SECRETS_REMOTE) + 20];
	int first;

	if (e == NULL)
		return -1;
	/* Mostly it is the same for all values. */
	if (p->remote != NULL && strcmp(p->remote, remote) == 0)
		return 0;
	first = plan_first(p, "remote", "", remote, strlen(remote), err);
	free(p->remote);
	p->remote = first != -1 ? strdup(remote) : NULL;
	if (first != 1 || secrets_file_notes(p->secrets, remote, strlen(remote)))
		return first == -1 ? -1 : 0;
	for (size_t i = 0;; i++) {
		snprintf(key, sizeof(key), SECRETS_REMOTE "%zu", i);
		if (document_find(edits_document(e), key, strlen(key)) != DOCUMENT_NONE)
			continue;
		if ((first = plan_first(p, "remote", key, "", 0, err)) == -1)
			return -1;
		if (first == 1)
			return edits_insert(e, DOCUMENT_NONE, key, strlen(key), remote,
			    strlen(remote), err);
	}
}

int
plan_put_tag(struct plan *p, size_t entry, const char *name, size_t len, const void *text,
    size_t n, struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);
	char tag[TAG_TEXT + 1];
	struct buf key;
	size_t at;
	int rc;

	if (tag_find(edits_document(e), name, len, entry, &at, err) != 0 ||
	    tagger_text(plan_tagger(p), name, len, text, n, tag, err) != 0)
		return -1;
	if (at != DOCUMENT_NONE)
		return edits_set(e, at, tag, TAG_TEXT, err);
	buf_init(&key, BUF_MAX_FILE);
	buf_append_str(&key, TAG_PREFIX);
	buf_append(&key, name, len);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = edits_insert(e, entry, (const char *)key.data, key.len, tag, TAG_TEXT, err);
	buf_release(&key);
	return rc;
}

int
plan_put_sealed(struct plan *p, size_t i, const char *name, size_t len, const void *text,
    size_t n, struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);
	char tag[TAG_TEXT + 1];
	size_t at;
	int rc;

	if (e == NULL || tag_find(edits_document(e), name, len, i, &at, err) != 0)
		return -1;
	if (i == DOCUMENT_NONE && at == DOCUMENT_NONE)
		return tagger_text(plan_tagger(p), name, len, text, n, tag, err) != 0 ? -1 :
		    edits_insert_two(e, name, len, text, n, TAG_PREFIX, tag, TAG_TEXT, err);
	rc = i != DOCUMENT_NONE ? edits_set(e, i, text, n, err) :
	    edits_insert(e, DOCUMENT_NONE, name, len, text, n, err);
	return rc != 0 ? -1 : plan_put_tag(p, i, name, len, text, n, err);
}

int
plan_seal(struct plan *p, size_t i, const char *name, size_t len, enum sealed_cipher cipher,
    const void *plain, size_t n, struct error *err)
{
	struct buf *text = plan_buffer(p, PLAN_SEALED);

	return sealed_seal(plan_cipher(p), cipher, plain, n, text, err) != 0 ? -1 :
	    plan_put_sealed(p, i, name, len, text->data, text->len, err);
}

int
plan_writes_sealed(struct plan *p, const char *name, size_t len, struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);
	size_t change;

	if (e == NULL || edits_find(e, name, len, &change, err) != 0)
		return -1;
	return change != DOCUMENT_NONE && edits_at(e, change).kind != EDIT_REMOVE;
}

static int
remove_lines(struct plan *p, size_t i, size_t *count, struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);

	if (e == NULL)
		return -1;
	for (*count = 0; i != DOCUMENT_NONE; ++*count) {
		if (edits_remove(e, i, err) != 0)
			return -1;
		i = document_previous(edits_document(e), i);
	}
	return 0;
}

int
plan_remove_sealed(struct plan *p, const char *name, size_t len, size_t *count, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	size_t entry = secrets_file_find(s, name, len), tag, tags;

	if (tag_find(secrets_file_document(s), name, len, entry, &tag, err) != 0 ||
	    remove_lines(p, entry, count, err) != 0)
		return -1;
	return remove_lines(p, tag, &tags, err);
}
