#include "cli/git/clear_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "cli/findings.h"
#include "merge/markers.h"
#include "secrets/clear.h"
#include "secrets/loose.h"
#include "secrets/metadata.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"

#define SEAL_IT "seal it with `propseal file encrypt`, or `git commit --no-verify` if it is " \
	"no secret"

struct place {
	struct clear_check *c;
	const char *path;
	const struct document *d;
	size_t entry;
};

static void
add(struct clear_check *c, enum finding_level level, const char *kind, const char *path,
    size_t line, const char *key, size_t len, const char *text, const char *hint)
{
	struct error what;

	error_set(&what, ERROR_NONE, "%s", text);
	error_place(&what, path, line);
	error_key(&what, key, len);
	error_hint(&what, "%s", hint);
	findings_add(c->findings, level, kind, &what);
}

void
clear_check_unreadable(struct clear_check *c, const struct error *why)
{
	c->unreadable++;
	findings_add(c->findings, FINDING_PROBLEM, "unreadable", why);
}

static int
add_clear(void *cookie, const struct clear *found, struct error *err)
{
	const struct place *p = cookie;

	(void)err;
	add(p->c, FINDING_PROBLEM, "clear-text", p->path, document_line(p->d, p->entry),
	    found->address, found->address_len, "a secret in clear text", SEAL_IT);
	return 0;
}

/*
 * Lines that no reader takes for an entry.  What is commented out is told, and
 * does not stop a commit; what stands behind a place where the file cannot be
 * read any more does.
 */
static void
check_loose(struct clear_check *c, const char *path, const struct document *d)
{
	const struct buf *b = document_bytes(d);
	size_t at = 0, start = 0, end;
	struct loose_place place = { 0, 1 };
	struct loose l;

	if (document_format(d) != DOCUMENT_PROPERTIES && document_problem(d, NULL) == 0)
		return;
	while (loose_next(c->rules, (const char *)b->data, b->len, &place, &l)) {
		for (; at < document_count(d); at++) {
			document_span(d, at, &start, &end);
			if (l.value < end)
				break;
		}
		if (at < document_count(d) && l.value >= start)
			continue;
		add(c, l.commented ? FINDING_WARNING : FINDING_PROBLEM,
		    l.commented ? "commented-out" : "clear-text", path, l.line, l.key, l.key_len,
		    l.commented ? "a secret in clear text in a line that is commented out" :
		    "a secret in clear text", l.commented ?
		    "if it is or was in use, take it out and change it" : SEAL_IT);
	}
}

static int
check_configuration(struct clear_check *c, const char *path, const struct document *d,
    struct error *err)
{
	struct place place = { c, path, d, 0 };
	struct buf value;
	const char *key;
	size_t len;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (; rc == 0 && place.entry < document_count(d); place.entry++) {
		key = document_key(d, place.entry, &len);
		buf_clear(&value);
		rc = document_value(d, place.entry, &value, err);
		if (rc == 0 && value.len > 0)
			rc = clear_each(c->rules, key, len, (const char *)value.data, value.len,
			    add_clear, &place, err);
	}
	buf_release(&value);
	check_loose(c, path, d);
	return rc;
}

/* Of a secrets file: is the entry what it should be?  NULL: yes. */
static const char *
wrong_with(const struct document *d, size_t i, const struct buf *value, const char **kind)
{
	struct sealed parts;
	struct error why;
	static const char *const texts[] = { "the sealed value is malformed",
		"a value in clear text in a secrets file", "the wrapped data key is malformed" };
	const char *key;
	size_t len;
	bool is_key;

	key = document_key(d, i, &len);
	is_key = strlen(SECRETS_DATA_KEY) == len && memcmp(key, SECRETS_DATA_KEY, len) == 0;
	*kind = "damaged";
	if (sealed_claims(value->data, value->len) || is_key)
		return sealed_parse(value->data, value->len, &parts, &why) == 0 ? NULL :
		    texts[is_key ? 2 : 0];
	if (metadata_is_key(d, i) || tag_names(key, len) || value->len == 0)
		return NULL;
	*kind = "clear-text";
	return texts[1];
}

static int
check_secrets_file(struct clear_check *c, const char *path, const struct document *d,
    struct error *err)
{
	const char *key, *wrong, *kind;
	struct buf value;
	size_t len;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d); i++) {
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) != 0)
			break;
		if ((wrong = wrong_with(d, i, &value, &kind)) == NULL)
			continue;
		key = document_key(d, i, &len);
		add(c, FINDING_PROBLEM, kind, path, document_line(d, i), key, len, wrong,
		    "restore the line from the last commit, or set the value anew with "
		    "`propseal file update`");
	}
	buf_release(&value);
	return rc;
}

int
clear_check_content(struct clear_check *c, const char *path, struct buf *content,
    struct error *err)
{
	enum document_format format;
	struct document *d = NULL;
	struct error why;
	size_t line;
	int rc = 0;

	if (!document_format_of(path, &format))
		goto done;
	c->files++;
	if ((line = markers_line(content)) > 0) {
		findings_say(c->findings, FINDING_PROBLEM, "conflict", path, line,
		    "keep one of the two sides and remove the lines of markers",
		    "the markers of a merge conflict are in it");
		goto done;
	}
	d = document_parse(content, format, path, &why);
	if (d == NULL || (format == DOCUMENT_PROPERTIES && document_problem(d, &why) != 0))
		clear_check_unreadable(c, &why);
	else if (document_problem(d, &why) != 0)
		/* Other programs' JSON may have comments, say. */
		findings_add(c->findings, FINDING_WARNING, "unreadable", &why);
	if (d == NULL)
		goto done;
	/* What stands before the problem is checked nevertheless. */
	rc = secrets_file_recognise(d) ? check_secrets_file(c, path, d, err) :
	    check_configuration(c, path, d, err);
done:
	document_free(d);
	buf_release(content);
	return rc;
}
