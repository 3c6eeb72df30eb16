#include "plan/target.h"

#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "document/jaas.h"

void
target_init(struct target *t)
{
	memset(t, 0, sizeof(*t));
	buf_init_secret(&t->value, BUF_MAX_FILE);
}

void
target_release(struct target *t)
{
	jaas_free(t->jaas);
	buf_release(&t->value);
	target_init(t);
}

int
target_jaas(const struct document *d, size_t i, struct target *t, struct error *err)
{
	struct error why = { .code = ERROR_NONE };
	const char *key;
	size_t len;

	target_release(t);
	key = document_key(d, i, &len);
	if (!jaas_key(key, len))
		return 0;
	if (document_value(d, i, &t->value, err) != 0)
		return -1;
	t->jaas = jaas_parse(t->value.data, t->value.len, &why);
	t->kind = TARGET_ENTRY;
	t->entry = i;
	if (t->jaas != NULL)
		return 1;
	target_release(t);
	if (why.code == ERROR_FORMAT)
		return 0;
	error_set(err, why.code, "%s", why.text);
	error_place(err, document_file(d), document_line(d, i));
	error_key(err, key, len);
	return error_hint(err, "%s", why.hint);
}

/* The option or module that the rest of the key behind the entry's names. */
static void
find_option(struct target *t, const char *path, size_t len)
{
	const char *slash = memchr(path, '/', len);

	if ((t->option = jaas_find(t->jaas, path, len)) != JAAS_NONE) {
		t->kind = TARGET_OPTION;
	} else if (slash != NULL && slash + 1 < path + len &&
	    (t->module = jaas_find_module(t->jaas, path, len)) != JAAS_NONE) {
		t->kind = TARGET_NEW_OPTION;
		t->name = slash + 1;
		t->name_len = len - (size_t)(slash + 1 - path);
	} else {
		t->kind = TARGET_NONE;
	}
}

int
target_find(const struct document *d, const char *key, size_t len, struct target *t,
    struct error *err)
{
	const char *slash = key;
	size_t i;
	int rc;

	target_release(t);
	if ((i = document_find(d, key, len)) != DOCUMENT_NONE) {
		t->kind = TARGET_ENTRY;
		t->entry = i;
		return 0;
	}
	while ((slash = memchr(slash, '/', len - (size_t)(slash - key))) != NULL) {
		i = document_find(d, key, (size_t)(slash - key));
		slash++;
		if (i == DOCUMENT_NONE)
			continue;
		if ((rc = target_jaas(d, i, t, err)) != 1) {
			if (rc != 0)
				return -1;
			continue;
		}
		find_option(t, slash, len - (size_t)(slash - key));
		t->key = key;
		t->key_len = len;
		return 0;
	}
	return 0;
}
