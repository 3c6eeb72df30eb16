#ifndef ESTATE_COLLECT_H
#define ESTATE_COLLECT_H

struct document;
struct error;
struct estate_file;
struct rules;
struct secrets_file;

/**
 * collect_entries(f, d, s, r):
 * Fill ${f}'s entries from its document: each entry, and behind one that
 * holds JAAS each option that is a secret or a reference, under its address
 * (<key>/<LoginModule>/<option>); such an entry is no secret itself then.
 * -1: no memory.
 */
int collect_entries(struct estate_file *f, const struct document *d,
    const struct secrets_file *s, const struct rules *r);

/* Free what collect_entries made. */
void collect_forget(struct estate_file *f);

#endif /* !ESTATE_COLLECT_H */
