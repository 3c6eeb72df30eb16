#include "ui/preview.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/tree.h"

#define TEXT_MAX ((size_t)64 << 20)
#define LINES_MAX 10000000
#define CLEAR_MARK "<clear text"	/* as mask_append has them, up to a ">" */
#define SEALED_MARK "<sealed: "

void
preview_init(struct preview *p)
{
	buf_init(&p->text, TEXT_MAX);
	vec_init(&p->lines, sizeof(struct preview_line), LINES_MAX);
	vec_init(&p->values, sizeof(struct preview_value), LINES_MAX);
	p->file = NULL;
	p->environment = NULL;
}

void
preview_release(struct preview *p)
{
	vec_release(&p->values);
	vec_release(&p->lines);
	buf_release(&p->text);
}

const struct preview_line *
preview_line(const struct preview *p, size_t i)
{
	return vec_at(&p->lines, i);
}

const struct preview_value *
preview_value(const struct preview *p, size_t i)
{
	return vec_at(&p->values, i);
}

const char *
preview_text(const struct preview *p, const struct preview_line *l)
{
	return (const char *)p->text.data + l->at;
}

/* Lines have the numbers that they have in the file, where a secret may be of several. */
static int
preview_break(struct preview *p, const struct vec *folds, struct error *err)
{
	const char *start = buf_cstr(&p->text), *at = start, *end = start + p->text.len;
	size_t number = 1, fold = 0;
	const struct mask_fold *x;
	struct preview_line *l;

	while (at < end) {
		l = vec_push(&p->lines);
		if (l == NULL)
			return error_memory(err);
		*l = (struct preview_line){ .at = (size_t)(at - start), .number = number,
		    .len = strcspn(at, "\r\n") };
		l->clear = memmem(at, l->len, CLEAR_MARK, sizeof(CLEAR_MARK) - 1) != NULL;
		at += l->len;
		for (; fold < folds->len; fold++) {
			x = vec_at(folds, fold);
			if (x->at > (size_t)(at - start))
				break;
			number += x->lines;
		}
		at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
		number++;
	}
	return 0;
}

/* The next mark that begins so, from ${from} on. */
static bool
preview_find_mark(const char *text, size_t n, size_t from, const char *mark, size_t *start,
    size_t *end)
{
	const char *at = memmem(text + from, n - from, mark, strlen(mark));
	const char *close = at != NULL ? memchr(at, '>', (size_t)(text + n - at)) : NULL;

	if (close == NULL)
		return false;
	*start = (size_t)(at - text);
	*end = (size_t)(close - text) + 1;
	return true;
}

/* The next reference to what an entry refers to. */
static bool
preview_find_reference(const char *text, size_t n, size_t from, const struct estate_entry *e,
    size_t *start, size_t *end)
{
	struct reference r;

	for (; resolve_next(text, n, from, &r, start, end); from = *end)
		if (e->name == NULL ? !reference_is_ours(&r) : reference_is_ours(&r) &&
		    r.name_len == e->name_len && memcmp(r.name, e->name, e->name_len) == 0)
			return true;
	return false;
}

static bool
preview_is_taken(const struct preview *p, size_t first, size_t line, size_t from)
{
	const struct preview_value *v;

	for (size_t i = p->values.len; i-- > 0; ) {
		v = preview_value(p, i);
		if (v->line < first)
			break;
		if (v->line == line && v->to > v->from && v->from == from)
			return true;
	}
	return false;
}

/* Where is it, on the lines ${first} to ${last}, but for places that are taken?  Else false, and
 * its place is the first line. */
static bool
preview_place(const struct preview *p, size_t first, size_t last, struct preview_value *v)
{
	const char *mark = v->entry == NULL ? SEALED_MARK : CLEAR_MARK;
	const bool marked = v->entry == NULL || v->letter == '!';

	for (v->line = first; v->line <= last; v->line++) {
		const struct preview_line *l = preview_line(p, v->line);
		const char *text = preview_text(p, l);

		for (v->to = 0; marked ?
		    preview_find_mark(text, l->len, v->to, mark, &v->from, &v->to) :
		    preview_find_reference(text, l->len, v->to, v->entry, &v->from, &v->to);)
			if (!preview_is_taken(p, first, v->line, v->from))
				return true;
	}
	v->line = first;
	v->from = v->to = 0;
	return false;
}

/* How many lines of the masked text an entry that begins on line ${i} of it may have. */
static size_t
preview_last_line(const struct preview *p, size_t i, size_t next)
{
	size_t last = i;

	while (last + 1 < p->lines.len && preview_line(p, last + 1)->number < next)
		last++;
	return last;
}

/* An entry on line ${number} of the file, with all the places where a reference to the same stands
 * before line ${next}.  ${*line}: that of the one before. */
static int
preview_add(struct preview *p, size_t *line, size_t number, size_t next,
    const struct preview_value *v, struct error *err)
{
	struct preview_value placed = *v, *to;
	size_t last;
	bool more;

	while (*line + 1 < p->lines.len && preview_line(p, *line + 1)->number <= number)
		++*line;
	if (p->lines.len == 0)
		return 0;
	last = preview_last_line(p, *line, next);
	more = preview_place(p, *line, last, &placed);
	do {
		to = vec_push(&p->values);
		if (to == NULL)
			return error_memory(err);
		*to = placed;
	} while (more && placed.entry != NULL && placed.letter != '!' &&
	    preview_place(p, *line, last, &placed));
	return 0;
}

/* The line on which the first entry of the document behind line ${number} begins. */
static size_t
preview_next_entry(const struct document *d, size_t *i, size_t number)
{
	while (*i < document_count(d) && document_line(d, *i) <= number)
		++*i;
	return *i < document_count(d) ? document_line(d, *i) : SIZE_MAX;
}

static int
preview_add_entries(struct preview *p, const struct document *d, struct error *err)
{
	size_t line = 0, next = 0;
	int rc = 0;

	for (size_t i = 0; i < p->file->count && rc == 0; i++) {
		const struct estate_entry *e = &p->file->entries[i];
		struct preview_value v = { .letter = entry_letter(e), .entry = e };

		if (v.letter != ' ')
			rc = preview_add(p, &line, e->line, preview_next_entry(d, &next, e->line),
			    &v, err);
	}
	return rc;
}

static int
preview_add_sealed(struct preview *p, struct error *err)
{
	const struct secrets_file *s = p->environment->secrets;
	const struct document *d = secrets_file_document(s);
	size_t line = 0;
	int rc = 0;

	for (size_t i = 0; i < document_count(d) && rc == 0; i++) {
		struct preview_value v = { .sealed = i, .letter = state_of_sealed(s, i) ==
		    STATE_DAMAGED ? 'X' : 'S' };

		if (secrets_file_is_sealed(s, i))
			rc = preview_add(p, &line, document_line(d, i), i + 1 < document_count(d) ?
			    document_line(d, i + 1) : SIZE_MAX, &v, err);
	}
	return rc;
}

static int
preview_compare(const void *a, const void *b)
{
	const struct preview_value *one = a, *other = b;

	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	return one->from < other->from ? -1 : one->from > other->from;
}

/* The values of each line, in the order in which they stand on it. */
static void
preview_sort(struct preview *p)
{
	struct preview_line *l;

	if (p->values.len > 0)
		qsort(p->values.items, p->values.len, sizeof(struct preview_value),
		    preview_compare);
	for (size_t i = p->values.len; i-- > 0;) {
		l = vec_at(&p->lines, preview_value(p, i)->line);
		l->first = i;
		l->count++;
	}
}

/* It is looked up by name: what was kept of it before may be gone. */
static const struct estate_file *
preview_find_file(const struct model *m, const char *path)
{
	for (size_t i = 0; i < estate_count(m->estate); i++)
		if (strcmp(estate_file(m->estate, i)->path, path) == 0)
			return estate_file(m->estate, i);
	return NULL;
}

int
preview_load(struct preview *p, const struct model *m, const char *path, bool secrets,
    struct environment *x, struct error *err)
{
	struct configuration *c = configuration_load(path, m->options->scope, err);
	const struct secrets_file *s = secrets && x != NULL ? x->secrets : NULL;
	struct vec folds;
	int rc;

	if (c == NULL)
		return -1;
	preview_release(p);
	preview_init(p);
	p->file = secrets ? NULL : preview_find_file(m, path);
	p->environment = secrets ? x : NULL;
	vec_init(&folds, sizeof(struct mask_fold), TEXT_MAX);
	rc = mask_append(c->doc, s, NULL, m->options->rules, &p->text, &folds, err);
	/* A NUL in it ends no line. */
	for (size_t i = 0; rc == 0 && i < p->text.len; i++)
		if (p->text.data[i] == '\0')
			p->text.data[i] = ' ';
	if (rc == 0)
		rc = preview_break(p, &folds, err);
	if (rc == 0 && p->file != NULL)
		rc = preview_add_entries(p, c->doc, err);
	else if (rc == 0 && s != NULL)
		rc = preview_add_sealed(p, err);
	preview_sort(p);
	vec_release(&folds);
	configuration_free(c);
	return rc == 0 ? buf_check(&p->text, err) : rc;
}

const struct preview_value *
preview_stops(const struct preview *p, const struct preview_line *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (strchr("DX?", preview_value(p, l->first + i)->letter) != NULL)
			return preview_value(p, l->first + i);
	return NULL;
}

size_t
preview_append_read(const struct preview *p, const struct preview_line *l,
    const struct preview_value *v, const char *bullets, struct buf *out)
{
	const struct preview_value *stops = preview_stops(p, l);
	const char *text = preview_text(p, l);
	size_t at = 0, before = 0;

	if (stops != NULL) {
		buf_append_str(out, stops->letter == 'D' ?
		    "no such entry: the service would not start" : stops->letter == 'X' ?
		    "does not open: the service would not start" :
		    "it is not known which secrets file this names");
		return 0;
	}
	for (size_t i = 0; i < l->count; i++) {
		const struct preview_value *x = preview_value(p, l->first + i);

		if (x->letter == 'O' || x->to == x->from)
			continue;
		buf_append(out, text + at, x->from - at);
		if (x == v)
			before = out->len;
		buf_append_str(out, bullets);
		at = x->to;
	}
	buf_append(out, text + at, l->len - at);
	return before;
}

/* What is known of a sealed entry itself. */
static void
preview_say_sealed(const struct secrets_file *s, size_t i, struct buf *out)
{
	const struct document *d = secrets_file_document(s);
	struct sealed sealed;
	enum tag_state tag;
	struct error err;
	size_t len;
	const char *raw = (const char *)document_raw_value(d, i, &len);

	if (sealed_parse(raw, len, &sealed, &err) == 0)
		buf_append_str(out, sealed.cipher == SEALED_GCM ? ", AES/GCM" : ", AES/CBC");
	if (secrets_file_was_opened(s, i, &tag))
		buf_printf(out, ", tag %s", tag_state_name(tag));
}

static void
preview_say_entry(const struct model *m, const struct estate_entry *e, struct buf *out)
{
	const struct environment *x = e->environment;
	const char *in = x != NULL ? model_show_path(m, x->path) : "";
	const struct reference r = { .name = e->name, .name_len = e->name_len };
	size_t i;

	switch (e->state) {
	case STATE_PLAIN:
		buf_append_str(out, "a secret in clear text");
		break;
	case STATE_SEALED:
		buf_printf(out, "%s: %s in %s", e->checked ? "opens" : "not checked, locked",
		    e->name, in);
		i = x->secrets != NULL ? resolve_entry(x->secrets, &r) : DOCUMENT_NONE;
		if (i != DOCUMENT_NONE)
			preview_say_sealed(x->secrets, i, out);
		break;
	case STATE_DANGLING:
		buf_printf(out, "the service would not start: no such entry in %s", in);
		break;
	case STATE_DAMAGED:
		buf_printf(out, "the service would not start: does not open: %s in %s", e->name,
		    in);
		break;
	case STATE_OTHER:
		buf_append_str(out, "of another provider");
		break;
	default:
		buf_append_str(out, "it is not known which secrets file this names");
		break;
	}
}

void
preview_say(const struct preview *p, const struct model *m, const struct preview_value *v,
    struct buf *out)
{
	const struct secrets_file *s;

	buf_printf(out, "%c ", v->letter);
	if (v->entry != NULL) {
		preview_say_entry(m, v->entry, out);
		return;
	}
	s = p->environment->secrets;
	buf_append_str(out, v->letter == 'X' ? "does not open" :
	    secrets_file_cipher(s) != NULL ? "opens" : "not checked, locked");
	preview_say_sealed(s, v->sealed, out);
}
