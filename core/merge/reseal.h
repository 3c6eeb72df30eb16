#ifndef MERGE_RESEAL_H
#define MERGE_RESEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct document;
struct secrets_file;

/* One version of a secrets file under the data key of another (inside core/merge). */
struct reseal {
	const struct secrets_file *from;	/* unlocked */
	const struct secrets_file *to;		/* unlocked */
	const struct secrets_file *base;	/* what ${from} was made from */
	const struct document *base_made;	/* ${base} under ${to}'s key; NULL: there is none */
	size_t sealed;		/* out: values that ${to} has not, sealed anew */
	bool failed;		/* out: an entry did not open; it is as it was */
	struct error why;
};

/**
 * reseal_document(x, out, err):
 * A new document like x->from's, in which a value that x->to has under the
 * same name stands in the text that it has there, with its tag; one that
 * x->from has from x->base stands as in x->base_made; any other is sealed
 * and tagged anew.  The caller frees ${*out}.
 */
int reseal_document(struct reseal *x, struct document **out, struct error *err);

#endif /* !MERGE_RESEAL_H */
