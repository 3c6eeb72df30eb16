#include "registry/api/handlers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/helper.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/audit/audit.h"
#include "registry/http/http.h"
#include "registry/keys/keyring.h"
#include "registry/base/settings.h"
#include "registry/store/store.h"

/* The audit log's HMAC of a text and its check, and backups. */

#define BACKUP_NAME_MAX 100

/* A string member of the body, to be freed with json_decref(*root); NULL: the
 * request was failed. */
static const json_t *
string_of_body(struct exchange *x, const char *member, json_t **root)
{
	struct buf *body = http_body(x->r);
	enum body_result result;
	const json_t *value;
	char why[256];

	result = body_object(body->data, body->len, root, why, sizeof(why));
	buf_clear(body);
	if (result != BODY_OK) {
		answer_fail(x, result == BODY_SYNTAX ? 400 : 422, result == BODY_SYNTAX ? 0 : 42201,
		    "%s", why);
		return NULL;
	}
	value = json_object_get(*root, member);
	if (json_is_string(value))
		return value;
	answer_fail(x, 422, 42201, "The body needs a member \"%s\", a string", member);
	return NULL;
}

/* An object of one text. */
static void
answer_member(struct exchange *x, const char *name, const char *text)
{
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_text(out, name, text);
	json_out_end(out);
	answer_send(x, 200);
}

void
admin_hash(struct exchange *x)
{
	json_t *root = NULL;
	const json_t *input = string_of_body(x, "input", &root);
	char hash[AUDIT_HMAC_TEXT];

	if (input != NULL) {
		if (audit_hmac(x->api->parts.audit, json_string_value(input),
		    json_string_length(input), hash) == 0) {
			answer_member(x, "hash", hash);
		} else {
			answer_fail(x, 500, 50001, "The HMAC cannot be computed");
		}
	}
	json_decref(root);
}

static void
audit_file_name(const struct settings *s, char out[PATH_MAX])
{
	if (s->audit_file != NULL)
		(void)snprintf(out, PATH_MAX, "%s", s->audit_file);
	else
		(void)snprintf(out, PATH_MAX, "%s/audit.log", s->data);
}

struct tail {
	struct error err;
	uint64_t limit;
	int result;
};

static int
add_line(void *cookie, const char *text, size_t n)
{
	struct exchange *x = cookie;

	x->count++;
	json_out_raw_n(&x->json, NULL, text, n);
	return x->body.failed ? -1 : 0;
}

/* On the helper's thread: each line is a JSON object as it stands. */
static void
tail(struct exchange *x)
{
	struct tail *t = x->work;
	char file[PATH_MAX];

	audit_file_name(request_settings(x), file);
	json_out_array(answer_json(x), NULL);
	t->result = audit_tail(file, (size_t)t->limit, add_line, x, &t->err);
	json_out_end(&x->json);
}

static void
tailed(struct exchange *x)
{
	const struct tail *t = x->work;

	x->has_count = true;
	if (t->result == 0) {
		answer_send(x, 200);
		return;
	}
	buf_clear(&x->body);
	answer_fail(x, 500, 50001, "The audit log cannot be read again here");
}

#define TAIL_DEFAULT 100
#define TAIL_MAX 1000

void
admin_audit(struct exchange *x)
{
	struct tail *t = exchange_work(x, sizeof(*t), free);

	if (t == NULL)
		return;
	t->limit = TAIL_DEFAULT;
	if (request_number(x, "limit", 1, TAIL_MAX, &t->limit) != -1)
		helper_run(x, tail, tailed);
}

struct verify {
	struct error err;
	uint64_t lines;
	int result;
};

/* On the helper's thread. */
static void
verify(struct exchange *x)
{
	struct verify *v = x->work;
	char file[PATH_MAX];

	audit_file_name(request_settings(x), file);
	v->result = audit_verify(file, keyring_audit_key(store_keyring(request_store(x))),
	    &v->lines, &v->err);
}

static void
verified(struct exchange *x)
{
	const struct verify *v = x->work;
	const char *name = strrchr(v->err.file, '/');

	x->has_count = true;
	x->count = v->lines;
	if (v->result == 0) {
		struct json_out *out = answer_json(x);

		json_out_object(out, NULL);
		json_out_uint(out, "lines", v->lines);
		json_out_end(out);
		answer_send(x, 200);
	} else if (v->err.code == ERROR_DAMAGED) {
		answer_fail(x, 409, 0, "The audit log is broken in %s, line %zu: %s",
		    name != NULL ? name + 1 : v->err.file, v->err.line, v->err.text);
	} else {
		answer_error(x, &v->err);
	}
}

void
admin_verify(struct exchange *x)
{
	if (exchange_work(x, sizeof(struct verify), free) != NULL)
		helper_run(x, verify, verified);
}

struct backup {
	struct error err;
	int result;
	char name[BACKUP_NAME_MAX + 1];
};

/* On the helper's thread: into DATA/backups, never over a file. */
static void
backup(struct exchange *x)
{
	struct backup *b = x->work;
	char folder[PATH_MAX], file[PATH_MAX + BACKUP_NAME_MAX + 2];
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "%s/backups", request_settings(x)->data);
	(void)snprintf(file, sizeof(file), "%s/%s", folder, b->name);
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		b->result = error_io(&b->err, NULL, "the folder for backups cannot be made");
	else if (lstat(file, &st) == 0)
		b->result = error_set(&b->err, ERROR_EXISTS, "there is a backup of that name");
	else
		b->result = store_backup(request_store(x), file, &b->err);
}

static void
backed_up(struct exchange *x)
{
	const struct backup *b = x->work;

	if (b->result == 0) {
		answer_member(x, "file", b->name);
	} else if (b->err.code == ERROR_EXISTS) {
		answer_fail(x, 409, 0, "There is a backup of that name; take another name");
	} else {
		answer_error(x, &b->err);
	}
}

static void
backup_intended(struct exchange *x)
{
	helper_run(x, backup, backed_up);
}

static bool
is_backup_name(const char *name, size_t n)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-";

	return n > 0 && n <= BACKUP_NAME_MAX && name[0] != '.' && strspn(name, allowed) == n;
}

void
admin_backup(struct exchange *x)
{
	json_t *root = NULL;
	const json_t *file = string_of_body(x, "file", &root);
	struct backup *b;

	if (file != NULL && !is_backup_name(json_string_value(file), json_string_length(file)))
		answer_fail(x, 422, 42201, "\"file\" is a name of 1 to %d of A-Z a-z 0-9 . _ - "
		    "not beginning with a dot; it is put into the data folder's backups",
		    BACKUP_NAME_MAX);
	else if (file != NULL && (b = exchange_work(x, sizeof(*b), free)) != NULL) {
		memcpy(b->name, json_string_value(file), json_string_length(file));
		answer_intend(x, backup_intended);
	}
	json_decref(root);
}
