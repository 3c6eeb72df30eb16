/*
 * What is said of a configuration, and what of it is shown: remarks, secrets
 * in clear text, lines that are no entries, and the text for `git diff`.  The
 * first byte says the format.
 */
#include "base/vec.h"
#include "fuzz_support.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/secrets_file.h"

static void
check_remarks(const struct document *d)
{
	const struct remark *r;
	struct vec remarks;
	size_t last = 0, at = 0, hidden = 0, found = 0;
	struct remark cut;

	vec_init(&remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	need(inspect_document(NULL, d, NULL, &remarks, NULL) == 0);
	for (size_t i = 0; i < remarks.len; i++) {
		r = vec_at(&remarks, i);
		need(r->entry >= last && r->kind != NULL);
		need(r->level == REMARK_PART || (r->text != NULL && r->hint != NULL));
		need(r->hides_value || !r->hides_key);
		last = r->entry;
		if (r->entry == DOCUMENT_NONE)
			continue;
		need(r->entry < document_count(d) && r->line > 0);
		if (r->level == REMARK_CUT && strcmp(r->kind, "cut-value") == 0)
			need(inspect_is_cut(NULL, d, r->entry, &cut) && cut.line == r->line);
		hidden += r->hides_value && (i == 0 ||
		    ((const struct remark *)vec_at(&remarks, i - 1))->entry != r->entry ||
		    !((const struct remark *)vec_at(&remarks, i - 1))->hides_value);
	}
	for (size_t i = 0; i < document_count(d); i++)
		found += inspect_hidden(&remarks, &at, i) != NULL;
	need(found == hidden);
	(void)inspect_foreign(d);
	vec_release(&remarks);
}

static void
check_loose(const char *text, size_t n)
{
	struct loose_place place = { .line = 1 };
	struct loose l;
	size_t last = 0;

	while (loose_next(NULL, text, n, &place, &l)) {
		need(l.line > last && l.value + l.value_len <= n);
		need(l.key >= text && l.key + l.key_len <= text + n);
		last = l.line;
	}
	place = (struct loose_place){ .line = 1, .unread = true };
	for (last = 0; loose_next(NULL, text, n, &place, &l); last = l.line) {
		need(l.line >= last && l.value + l.value_len <= n);
		need(l.key >= text && l.key + l.key_len <= text + l.value);
	}
}

static void
check_mask(const struct document *d)
{
	struct buf out, value;
	size_t count = 0;
	struct clear_count one;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d); i++) {
		need(clear_in_entry(NULL, d, i, &value, &one, NULL) == 0);
		need(one.sensitive || one.clear == 0);
		count += one.clear;
	}
	buf_release(&value);
	buf_init(&out, BUF_MAX_FILE);
	need(mask_append(d, NULL, NULL, NULL, &out, NULL, NULL) == 0);
	/* Without a secret in it the text is as it was. */
	if (count == 0 && !secrets_file_recognise(d) && memmem(document_bytes(d)->data,
	    document_bytes(d)->len, "ENC[", 4) == NULL && memmem(out.data, out.len,
	    "<clear text>", 12) == NULL)
		need(is_same(out.data, out.len, document_bytes(d)->data, document_bytes(d)->len));
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned what = take_byte(&in);
	char *text = copy_of(in.p, in.n);
	struct document *d = fuzz_parse(in.p, in.n, what & 1 ? &document_json :
	    &document_properties);

	check_loose(text, in.n);
	if (d != NULL && in.n > 0) {
		check_remarks(d);
		check_mask(d);
	}
	document_free(d);
	free(text);
	return 0;
}
