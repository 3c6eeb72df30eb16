#include "registry/api/request.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "registry/api/answer.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/http/http.h"
#include "registry/store/store.h"

const struct settings *
request_settings(const struct exchange *x)
{
	return x->api->parts.settings;
}

struct store *
request_store(const struct exchange *x)
{
	return x->api->parts.store;
}

struct state *
request_state(const struct exchange *x)
{
	return store_state(x->api->parts.store);
}

bool
request_mredjem(const struct exchange *x)
{
	return x->api->parts.settings->compat == REST_MREDJEM;
}

const char *
request_param(const struct exchange *x, enum param p, size_t *n)
{
	*n = x->match.params[p].len;
	return x->match.params[p].text;
}

const char *
request_principal(const struct exchange *x)
{
	return x->check.principal;
}

bool
request_allows(struct exchange *x, enum operation op, const char *path, size_t n)
{
	return access_allows(x->api->parts.access, x->check.principal, op, path, n, &x->why);
}

/* 1: true; 0: false or not there; -1: something else. */
static int
flag(const struct exchange *x, const char *name)
{
	const char *query = http_query(x->r);
	const char *value;
	struct buf text;
	int found, result = -1;

	if (*query == '\0')
		return 0;
	buf_init(&text, TARGET_BYTES_MAX);
	found = target_query(query, name, &text);
	value = buf_cstr(&text);
	if (found == 1 && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0))
		result = 1;
	else if (found == 0 || (found == 1 && (strcmp(value, "false") == 0 ||
	    strcmp(value, "0") == 0)))
		result = 0;
	buf_release(&text);
	return result;
}

bool
request_flag(const struct exchange *x, const char *name)
{
	return flag(x, name) == 1;
}

bool
request_flag_odd(const struct exchange *x, const char *name)
{
	return flag(x, name) == -1;
}

int
request_query(struct exchange *x, const char *name, struct buf *out)
{
	const char *query = http_query(x->r);
	int found = *query != '\0' ? target_query(query, name, out) : 0;

	if (found != -1 && !out->failed)
		return found;
	answer_fail(x, 400, 0, "the query's %s is not UTF-8 in percent-encoding", name);
	return -1;
}

/* All of ${text} as a decimal number without sign; false: none, or too large. */
static bool
parse(const struct buf *text, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < text->len; i++) {
		unsigned digit = (unsigned)(text->data[i] - '0');

		if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return text->len > 0;
}

int
request_number(struct exchange *x, const char *name, uint64_t low, uint64_t high, uint64_t *value)
{
	struct buf text;
	int found;

	buf_init(&text, TARGET_BYTES_MAX);
	found = request_query(x, name, &text);
	if (found == 1 && (!parse(&text, value) || *value < low || *value > high)) {
		answer_fail(x, 422, 0, "%s must be a number from %" PRIu64 " to %" PRIu64, name,
		    low, high);
		found = -1;
	}
	buf_release(&text);
	return found;
}
