#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/error.h"
#include "base/text.h"

/* A part of what an audit found, as an audit of its own. */

static int
part_copy_texts(struct vec *to, const struct vec *from, struct error *err)
{
	for (size_t i = 0; i < from->len; i++)
		if (vec_push_string(to, vec_string(from, i), strlen(vec_string(from, i))) == NULL)
			return error_memory(err);
	return 0;
}

static int
part_copy_unread(struct vec *to, const struct vec *from, struct error *err)
{
	for (size_t i = 0; i < from->len; i++) {
		const struct audit_unread *u = vec_at(from, i);

		if (audit_keep_unread(to, u->file, u->reason, err) != 0)
			return -1;
	}
	return 0;
}

/* Where values are sealed: what the findings' ->sealed are numbers of. */
static int
part_copy_sealed(struct audit *part, const struct audit *a, struct error *err)
{
	for (size_t i = 0; i < a->sealed.len; i++) {
		struct audit_place *p = vec_push(&part->sealed);

		if (p == NULL)
			return error_memory(err);
		*p = *(const struct audit_place *)vec_at(&a->sealed, i);
		p->finding = NULL;
		p->file = strdup(p->file);
		p->key = text_copy(p->key, p->key_len);
		if (p->file == NULL || p->key == NULL)
			return error_memory(err);
	}
	return 0;
}

/* ${numbers}: of each finding of ${a} its number in the part, AUDIT_NONE: it is not there. */
static int
part_copy_findings(struct audit *part, const struct audit *a, audit_keep_fn *keep,
    const void *cookie, size_t *numbers, struct error *err)
{
	for (size_t i = 0; i < a->findings.len; i++) {
		const struct audit_finding *f = audit_finding(a, i);
		struct audit_finding *copy;
		char *key;

		numbers[i] = AUDIT_NONE;
		if (keep != NULL && !keep(cookie, f))
			continue;
		if ((key = text_copy(f->key, f->key_len)) == NULL ||
		    (copy = vec_push(&part->findings)) == NULL) {
			free(key);
			return error_memory(err);
		}
		*copy = *f;
		copy->key = key;
		numbers[i] = part->findings.len - 1;
	}
	/* The next place of the same secret is the next one that is kept. */
	for (size_t i = 0; i < a->findings.len; i++) {
		size_t next = audit_finding(a, i)->related;

		while (next != AUDIT_NONE && numbers[next] == AUDIT_NONE)
			next = audit_finding(a, next)->related;
		if (numbers[i] != AUDIT_NONE)
			audit_finding(part, numbers[i])->related =
			    next != AUDIT_NONE ? numbers[next] : AUDIT_NONE;
	}
	return 0;
}

struct audit *
audit_part(const struct audit *a, audit_keep_fn *keep, const void *cookie, struct error *err)
{
	size_t *numbers = calloc(a->findings.len + 1, sizeof(*numbers));
	struct audit *part = numbers != NULL ? audit_new(a->o, err) : NULL;

	if (numbers == NULL)
		error_memory(err);
	if (part != NULL && (part_copy_texts(&part->files, &a->files, err) != 0 ||
	    part_copy_unread(&part->unread, &a->unread, err) != 0 ||
	    part_copy_unread(&part->locked, &a->locked, err) != 0 ||
	    part_copy_sealed(part, a, err) != 0 ||
	    part_copy_findings(part, a, keep, cookie, numbers, err) != 0)) {
		audit_free(part);
		part = NULL;
	}
	free(numbers);
	if (part == NULL)
		return NULL;
	part->counts = a->counts;
	part->of = a->finished ? a : NULL;
	part->finished = true;
	return part;
}
