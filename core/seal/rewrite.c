#include "seal/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "crypto/random.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "seal/rewrite_state.h"
#include "seal/rewrite_value.h"
#include "seal/seal.h"
#include "secrets/secrets_file.h"

#define PARTS_MAX ((size_t)1 << 24)

static int
begin(struct rewriting *r, struct error *err)
{
	buf_init_secret(&r->value, BUF_MAX_FILE);
	buf_init_secret(&r->raw, BUF_MAX_FILE);
	buf_init_secret(&r->plain, BUF_MAX_FILE);
	buf_init_secret(&r->text, BUF_MAX_FILE);
	buf_init(&r->name, BUF_MAX_FILE);
	buf_init(&r->fresh, BUF_MAX_FILE);
	vec_init(&r->parts, sizeof(struct rewrite_part), PARTS_MAX);
	if (random_bytes(r->digest_key, sizeof(r->digest_key), err) != 0)
		return -1;
	r->flags = calloc(document_count(secrets_file_document(r->s)) + 1, 1);
	r->digests = calloc(document_count(r->c->doc) + 1, sizeof(*r->digests));
	r->known = map_new();
	if (r->flags == NULL || r->digests == NULL || r->known == NULL)
		return error_memory(err);
	/* What is put back may be a part of a value, so these are secret. */
	r->e = edits_new(r->edited, true, err);
	return r->e == NULL ? -1 : 0;
}

static void
end(struct rewriting *r)
{
	edits_free(r->e);
	map_free(r->known);
	free(r->digests);
	free(r->flags);
	vec_release(&r->parts);
	buf_release(&r->fresh);
	buf_release(&r->name);
	buf_release(&r->text);
	buf_release(&r->plain);
	buf_release(&r->raw);
	buf_release(&r->value);
}

/* Is the text what the file holds already? */
static bool
is_unchanged(const struct rewriting *r, const struct buf *text)
{
	const struct buf *old = document_bytes(r->c->doc);

	return text->len == old->len &&
	    (text->len == 0 || memcmp(text->data, old->data, text->len) == 0);
}

/* Plan the new text, moved from ${text}. */
static int
plan_text(struct rewriting *r, struct buf *text, struct error *err)
{
	struct document *new = NULL;
	struct edits *shown = NULL;
	struct buf copy;
	bool complete;
	int rc = -1;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, text->data, text->len);
	if (buf_check(&copy, err) != 0 || (new = document_parse(&copy,
	    document_format(r->c->doc), r->c->path, err)) == NULL ||
	    document_problem(new, err) != 0 ||
	    (shown = rewrite_shown(r->c->doc, new, &complete, err)) == NULL)
		goto done;
	if (!complete)
		plan_note(r->p, "%s: more than these entries changes: comments, their order, or "
		    "how they are written", r->c->path);
	rc = plan_rewrite_config(r->p, r->c, shown, text, err);
	if (rc == 0)
		shown = NULL;
done:
	edits_free(shown);
	document_free(new);
	buf_release(&copy);
	return rc;
}

static int
run(struct rewriting *r, struct error *err)
{
	struct buf text;
	int rc = 0;

	if (rewrite_scan_old(r, err) != 0 || rewrite_check_comments(r, err) != 0 ||
	    rewrite_mark_changed(r, err) != 0)
		return -1;
	for (size_t i = 0; i < document_count(r->edited) && rc == 0; i++)
		if (!document_shadowed(r->edited, i))
			rc = rewrite_apply(r, i, err);
	if (rc != 0 || rewrite_remove_unused(r, err) != 0 ||
	    (r->sealed && provider_add_to(r->e, err) != 0))
		return -1;
	buf_init_secret(&text, BUF_MAX_FILE);
	rc = edits_render(r->e, &text, err);
	if (rc == 0 && !is_unchanged(r, &text))
		rc = plan_text(r, &text, err);
	buf_release(&text);
	return rc;
}

int
rewrite_plan(struct plan *p, struct configuration *c, const struct document *edited,
    const struct key *master, const struct seal_options *o, struct error *err)
{
	struct rewriting r = { .p = p, .s = plan_secrets(p), .c = c, .edited = edited,
		.master = master, .o = o };
	int rc = begin(&r, err);

	if (rc == 0)
		rc = run(&r, err);
	end(&r);
	return rc;
}
