#ifndef ESTATE_ESTATE_FILE_H
#define ESTATE_ESTATE_FILE_H

struct error;
struct estate_file;
struct rules;
struct secrets_file;

/* One file of an estate (inside core/estate): made, filled, told anew, freed. */

/* A file with a path and nothing else.  NULL: no memory. */
struct estate_file *estate_file_new(const char *path);

/* Read the file and fill keys, lines and states; what cannot be read becomes
 * its problem.  -1: ERROR_MEMORY. */
int estate_file_load(struct estate_file *f, const struct secrets_file *s,
    const struct rules *r, struct error *err);

/* Give it a problem (copied).  -1: ERROR_MEMORY. */
int estate_file_fail(struct estate_file *f, const struct error *problem,
    struct error *err);

/* Tell the states of its references against another secrets file. */
void estate_file_restate(struct estate_file *f, const struct secrets_file *s);

void estate_file_free(struct estate_file *f);

#endif /* !ESTATE_ESTATE_FILE_H */
