#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "document/document.h"
#include "secrets/compare.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

/* Two values; the buffers serve every pair. */
struct pair {
	const struct secrets_file *s;	/* NULL or locked: nothing is resolved */
	struct buf a;
	struct buf b;
	struct buf resolved_a;
	struct buf resolved_b;
};

const char *
compare_name(enum compare_result r)
{
	switch (r) {
	case COMPARE_SAME:
		return "same";
	case COMPARE_FORM:
		return "equal";
	case COMPARE_DIFFERENT:
		return "different";
	case COMPARE_UNKNOWN:
		return "unknown";
	case COMPARE_ONLY_A:
		return "only-a";
	case COMPARE_ONLY_B:
		return "only-b";
	}
	return "";
}

static bool
compare_refers(const struct buf *value)
{
	struct reference r;
	size_t start, end = 0;

	while (resolve_next((const char *)value->data, value->len, end, &r, &start, &end))
		if (reference_is_ours(&r))
			return true;
	return false;
}

/* 1: resolved, 0: that cannot be done, -1: an error of another kind. */
static int
compare_resolve(const struct pair *p, const struct buf *value, struct buf *out, struct error *err)
{
	struct error why;

	buf_clear(out);
	if (p->s == NULL || secrets_file_cipher(p->s) == NULL)
		return 0;
	if (resolve_value(p->s, NULL, (const char *)value->data, value->len, out, NULL, &why) == 0)
		return 1;
	if (why.code == ERROR_MISSING || why.code == ERROR_DAMAGED)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

static int
compare_values(struct pair *p, enum compare_result *result, struct error *err)
{
	bool a = compare_refers(&p->a), b = compare_refers(&p->b);
	int rc_a = 1, rc_b = 1;

	*result = COMPARE_SAME;
	if (secret_equal(p->a.data, p->a.len, p->b.data, p->b.len))
		return 0;
	*result = COMPARE_DIFFERENT;
	if (!a && !b)
		return 0;
	if ((rc_a = compare_resolve(p, &p->a, &p->resolved_a, err)) == -1 ||
	    (rc_b = compare_resolve(p, &p->b, &p->resolved_b, err)) == -1)
		return -1;
	if (rc_a == 0 || rc_b == 0)
		*result = COMPARE_UNKNOWN;
	else if (secret_equal(p->resolved_a.data, p->resolved_a.len, p->resolved_b.data,
	    p->resolved_b.len))
		*result = COMPARE_FORM;
	return 0;
}

static int
compare_load(struct buf *out, const struct document *d, size_t i, struct error *err)
{
	buf_clear(out);
	return document_value(d, i, out, err);
}

int
compare_documents(const struct document *a, const struct document *b,
    const struct secrets_file *s,
    int (*each)(void *cookie, const struct compare_entry *e, struct error *err), void *cookie,
    struct error *err)
{
	struct pair p = { .s = s };
	struct compare_entry e;
	int rc = 0;

	buf_init_secret(&p.a, BUF_MAX_FILE);
	buf_init_secret(&p.b, BUF_MAX_FILE);
	buf_init_secret(&p.resolved_a, BUF_MAX_FILE);
	buf_init_secret(&p.resolved_b, BUF_MAX_FILE);
	for (e.a = 0; e.a < document_count(a) && rc == 0; e.a++) {
		if (document_shadowed(a, e.a))
			continue;
		e.key = document_key(a, e.a, &e.len);
		e.b = document_find(b, e.key, e.len);
		e.result = COMPARE_ONLY_A;
		if (e.b != DOCUMENT_NONE && ((rc = compare_load(&p.a, a, e.a, err)) != 0 ||
		    (rc = compare_load(&p.b, b, e.b, err)) != 0 ||
		    (rc = compare_values(&p, &e.result, err)) != 0))
			break;
		rc = each(cookie, &e, err);
	}
	e.a = DOCUMENT_NONE;
	e.result = COMPARE_ONLY_B;
	for (e.b = 0; e.b < document_count(b) && rc == 0; e.b++) {
		e.key = document_key(b, e.b, &e.len);
		if (!document_shadowed(b, e.b) &&
		    document_find(a, e.key, e.len) == DOCUMENT_NONE)
			rc = each(cookie, &e, err);
	}
	buf_release(&p.resolved_b);
	buf_release(&p.resolved_a);
	buf_release(&p.b);
	buf_release(&p.a);
	return rc;
}
