#ifndef REGISTRY_AUDIT_AUDIT_EVENT_H
#define REGISTRY_AUDIT_AUDIT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_event;
struct audit_options;
struct audit_style;
struct error;

/* The longest body of a line; no event comes near it, as each text is cut. */
#define AUDIT_EVENT_MAX (64U << 10)

/* What is the same in every event, put together once. */

/* ERROR_LIMIT: the names in ${o} are too long. */
struct audit_style *audit_style_new(const struct audit_options *o, struct error *err);
void audit_style_free(struct audit_style *s);

/* An event of the audit log's own: its method is "AuditLog". */
struct audit_own {
	const char *phase;	/* start, stop, torn, checkpoint, resumed, abandoned, reopen */
	const char *message;	/* NULL: none */
	bool has_count;
	uint64_t count;		/* bytes of a torn line, events refused */
	bool has_open;
	uint64_t open;		/* checkpoint: the first intent without outcome, 0: none */
};

/**
 * audit_event_write(s, e, own, out):
 * Write the middle of an event's line into ${out} of AUDIT_EVENT_MAX bytes:
 * from `,"source":` to the brace that ends "data".  ${own} may be NULL; its
 * members then come first.  Returns the length.
 */
size_t audit_event_write(const struct audit_style *s, const struct audit_event *e,
    const struct audit_own *own, char *out);

/* Does the method change what is stored or who may do what? */
bool audit_event_changes(const char *method);

#endif /* !REGISTRY_AUDIT_AUDIT_EVENT_H */
