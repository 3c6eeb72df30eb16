#include "secrets/clear.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/jaas.h"
#include "secrets/reference.h"
#include "secrets/rules.h"

static bool
is_clear(const char *value, size_t n)
{
	struct reference r;

	return n > 0 && !reference_parse(value, n, &r);
}

static int
option(const struct rules *r, const struct jaas *j, size_t i, const char *key, size_t len,
    const char *value, clear_fn *each, void *cookie, struct error *err)
{
	struct jaas_option o = jaas_option(j, i);
	struct clear c = { .from = o.inner_from, .to = o.inner_to,
		.text = value + o.inner_from };
	struct buf address;
	int rc;

	if (!rules_option(r, j, i, key, len) || !is_clear(c.text, c.to - c.from))
		return 0;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(j, i, key, len, &address);
	c.address = buf_cstr(&address);
	c.address_len = address.len;
	rc = buf_check(&address, err);
	if (rc == 0)
		rc = each(cookie, &c, err);
	buf_release(&address);
	return rc;
}

int
clear_each(const struct rules *r, const char *key, size_t len, const char *value, size_t n,
    clear_fn *each, void *cookie, struct error *err)
{
	const struct clear whole = { key, len, 0, n, value };
	struct error why;
	struct jaas *j;
	int rc = 0;

	if (!is_clear(value, n))
		return 0;
	if (jaas_key(key, len)) {
		j = jaas_parse(value, n, &why);
		for (size_t i = 0; j != NULL && rc == 0 && i < jaas_count(j); i++)
			rc = option(r, j, i, key, len, value, each, cookie, err);
		jaas_free(j);
		if (j != NULL)
			return rc;
		if (why.code == ERROR_MEMORY)
			return error_memory(err);
	}
	return rules_sensitive(r, key, len) ? each(cookie, &whole, err) : 0;
}

static int
count_one(void *cookie, const struct clear *c, struct error *err)
{
	(void)c;
	(void)err;
	++*(size_t *)cookie;
	return 0;
}

int
clear_in_document(const struct rules *r, const struct document *d, size_t *count,
    struct error *err)
{
	struct buf value;
	const char *key;
	size_t len;
	int rc = 0;

	*count = 0;
	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		key = document_key(d, i, &len);
		if (!rules_sensitive(r, key, len) && !jaas_key(key, len))
			continue;
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) == 0 && value.len > 0)
			rc = clear_each(r, key, len, (const char *)value.data, value.len,
			    count_one, count, err);
	}
	buf_release(&value);
	return rc;
}
