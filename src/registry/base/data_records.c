#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/secmem.h"
#include "base/vec.h"
#include "registry/base/data_records.h"

#define RECORD_MAX ((size_t)256 << 10)	/* bytes of one's text */
#define NAME_MAX_BYTES 1023		/* of a binding's name */
#define TRIES 20			/* while others are quicker */

static const struct data_records *records;

static const struct {
	const char *file, *member;
} kinds[DATA_KINDS] = {
	[DATA_USERS] = { USERS_FILE, "users" },
	[DATA_TOKENS] = { TOKENS_FILE, "tokens" },
	[DATA_BINDINGS] = { BINDINGS_FILE, "bindings" },
	[DATA_ROLES] = { ROLES_FILE, "roles" },
};

const char *
data_kind_file(enum data_kind kind)
{
	return kinds[kind].file;
}

/* 0: it is none of the files. */
static enum data_kind
kind_of(const char *path)
{
	size_t n;
	unsigned kind;

	if (records == NULL)
		return (enum data_kind)0;
	n = strlen(records->data);
	if (strncmp(path, records->data, n) != 0 || path[n] != '/')
		return (enum data_kind)0;
	for (kind = DATA_USERS; kind < DATA_KINDS && strcmp(path + n + 1, kinds[kind].file) != 0;
	    kind++)
		;
	return (enum data_kind)(kind % DATA_KINDS);
}

static bool
records_have(const char *path, struct file_id *id)
{
	uint64_t stamp;

	if (kind_of(path) == 0 || (stamp = records->stamp(records->cookie)) == 0)
		return false;
	/* No file has a link to it and no owner's right. */
	*id = (struct file_id){ .exists = true, .size = (off_t)stamp };
	return true;
}

/* --- from a file's object to records --- */

/* What a binding is known by: what it binds.  No part has a line end, unless somebody
 * has put it into the file: then it is not read either. */
static int
binding_name(const json_t *item, char out[NAME_MAX_BYTES + 1], struct error *err)
{
	static const char *const parts[] = { "role", "principal", "pattern", "path" };
	const char *text;
	size_t n, used = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		text = json_string_value(json_object_get(item, parts[i]));
		n = text != NULL ? strlen(text) : 0;
		if (used + n + 1 > NAME_MAX_BYTES || (text == NULL && i < 3))
			return error_set(err, ERROR_FORMAT, "there is a binding without a role, "
			    "principal or pattern, or one that is too long");
		if (n > 0)
			memcpy(out + used, text, n);
		used += n;
		out[used++] = '\n';
	}
	out[used - 1] = '\0';
	return 0;
}

/* Its JSON on one line, into ${out} (cleared). */
static int
record_text(const json_t *value, struct buf *out, struct error *err)
{
	struct json_out o;

	buf_clear(out);
	json_out_init(&o, out);
	(void)data_json_write(&o, NULL, value, NULL, NULL);
	return json_out_finish(&o, err);
}

int
data_records_of(enum data_kind kind, const json_t *root, data_record_visit_fn *visit,
    void *cookie, struct error *err)
{
	json_t *table = json_object_get(root, kinds[kind].member), *value;
	char name_of[NAME_MAX_BYTES + 1];
	struct buf text;
	const char *name;
	size_t i;
	int rc = 0;

	/* Hashes of passwords. */
	buf_init_secret(&text, RECORD_MAX);
	if (kind == DATA_BINDINGS) {
		json_array_foreach(table, i, value) {
			if ((rc = binding_name(value, name_of, err)) != 0 ||
			    (rc = record_text(value, &text, err)) != 0 ||
			    (rc = visit(cookie, name_of, buf_cstr(&text), text.len, err)) != 0)
				break;
		}
	} else {
		json_object_foreach(table, name, value) {
			if (strlen(name) > NAME_MAX_BYTES)
				rc = data_file_bad(name, "the name is too long", err);
			if (rc != 0 || (rc = record_text(value, &text, err)) != 0 ||
			    (rc = visit(cookie, name, buf_cstr(&text), text.len, err)) != 0)
				break;
		}
	}
	buf_release(&text);
	return rc;
}

/* --- and back --- */

struct making {
	json_t *table;			/* array or object */
	json_t *texts;			/* of each name; NULL: nobody asks */
	size_t count;
};

static int
make_one(void *cookie, const char *name, const char *value, size_t n, struct error *err)
{
	struct making *m = cookie;
	json_t *o = json_loadb(value, n, JSON_DECODE_ANY, NULL);
	int rc;

	if (o == NULL) {
		error_set(err, ERROR_DAMAGED, "a record is no JSON");
		return error_key(err, name, strlen(name));
	}
	m->count++;
	rc = json_is_array(m->table) ? json_array_append_new(m->table, o) :
	    json_object_set_new(m->table, name, o);
	if (rc == 0 && m->texts != NULL)
		rc = json_object_set_new(m->texts, name, json_stringn(value, n));
	return rc == 0 ? 0 : error_memory(err);
}

int
data_records_root(const struct data_records *r, enum data_kind kind, json_t **root,
    json_t **texts, size_t *count, struct error *err)
{
	struct making m = { .table = kind == DATA_BINDINGS ? json_array() : json_object(),
	    .texts = texts != NULL ? json_object() : NULL };

	*count = 0;
	*root = json_pack("{s:i,s:o}", "format", 1, kinds[kind].member, m.table);
	if (texts != NULL)
		*texts = m.texts;
	if (*root == NULL || (texts != NULL && m.texts == NULL))
		return error_memory(err);
	if (r->read(r->cookie, kind, make_one, &m, err) != 0)
		return -1;
	*count = m.count;
	return 0;
}

static int
records_read(const char *path, json_t **root, struct error *err)
{
	size_t count;
	int rc = data_records_root(records, kind_of(path), root, NULL, &count, err);

	if (rc == 0 && count > 0)
		return 0;
	json_decref(*root);
	*root = NULL;
	return rc;
}

/* --- a change --- */

struct comparing {
	json_t *texts;			/* as it was; what was looked at is taken out */
	struct vec changes;		/* struct data_record */
};

static char *
copy_of(const json_t *text)
{
	return text != NULL ? strdup(json_string_value(text)) : NULL;
}

static int
compare_one(void *cookie, const char *name, const char *value, size_t n, struct error *err)
{
	struct comparing *c = cookie;
	json_t *was = json_object_get(c->texts, name);
	struct data_record *r;
	bool same = was != NULL && json_string_length(was) == n &&
	    memcmp(json_string_value(was), value, n) == 0;

	if (!same) {
		if ((r = vec_push(&c->changes)) == NULL)
			return error_memory(err);
		*r = (struct data_record){ strdup(name), copy_of(was), strdup(value) };
		if (r->name == NULL || r->value == NULL || (was != NULL && r->was == NULL))
			return error_memory(err);
	}
	(void)json_object_del(c->texts, name);
	return 0;
}

/* What is left is not there any more. */
static int
compare_rest(struct comparing *c, struct error *err)
{
	struct data_record *r;
	const char *name;
	json_t *was;

	json_object_foreach(c->texts, name, was) {
		if ((r = vec_push(&c->changes)) == NULL)
			return error_memory(err);
		*r = (struct data_record){ strdup(name), copy_of(was), NULL };
		if (r->name == NULL || r->was == NULL)
			return error_memory(err);
	}
	return 0;
}

static void
record_wipe(char *text)
{
	if (text != NULL)
		secmem_wipe(text, strlen(text));
	free(text);
}

static void
comparing_release(struct comparing *c)
{
	for (size_t i = 0; i < c->changes.len; i++) {
		struct data_record *r = vec_at(&c->changes, i);

		free((void *)(uintptr_t)r->name);
		record_wipe(r->was);
		record_wipe(r->value);
	}
	vec_release(&c->changes);
}

static int
edit_once(enum data_kind kind, data_file_change_fn *change, void *cookie, struct error *err)
{
	struct comparing c = { .texts = NULL };
	json_t *root = NULL;
	size_t count;
	int rc = -1;

	vec_init(&c.changes, sizeof(struct data_record), SIZE_MAX);
	if (data_records_root(records, kind, &root, &c.texts, &count, err) == 0 &&
	    (rc = change(cookie, root, err)) == 1) {
		rc = data_records_of(kind, root, compare_one, &c, err);
		if (rc == 0)
			rc = compare_rest(&c, err);
		if (rc == 0 && c.changes.len > 0)
			rc = records->write(records->cookie, kind, c.changes.items,
			    c.changes.len, err);
	}
	comparing_release(&c);
	json_decref(c.texts);
	json_decref(root);
	return rc;
}

static int
records_edit(const char *path, data_file_change_fn *change, void *cookie, struct error *err)
{
	enum data_kind kind = kind_of(path);
	struct error why = { .code = ERROR_NONE };
	int rc = -1;

	for (int i = 0; i < TRIES && rc != 0; i++) {
		why = (struct error){ .code = ERROR_NONE };
		rc = edit_once(kind, change, cookie, &why);
		if (rc != 0 && why.code != ERROR_STALE)
			break;
	}
	if (rc != 0 && err != NULL)
		*err = why;
	return rc;
}

static int
records_may_edit_files(struct error *err)
{
	return records->may_edit_files(records->cookie, err);
}

void
data_records_use(const struct data_records *r)
{
	static const struct data_source source = { records_have, records_read, records_edit,
	    records_may_edit_files };

	records = r;
	data_file_from(r != NULL ? &source : NULL);
}
