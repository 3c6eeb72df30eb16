#ifndef REGISTRY_BASE_DATA_RECORDS_H
#define REGISTRY_BASE_DATA_RECORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/data_file.h"

struct error;

/*
 * With a topic, what users.json, tokens.json, bindings.json and roles.json of the data
 * folder would say are records that all nodes have.  Whoever reads or changes the files
 * through data_file.h reads and changes the records then: each user, token and role by
 * its name, each binding by what it binds.
 */
enum data_kind { DATA_USERS = 1, DATA_TOKENS, DATA_BINDINGS, DATA_ROLES, DATA_KINDS };

/* The file of a kind. */
const char *data_kind_file(enum data_kind kind);

/* One record to be changed: texts of JSON. */
struct data_record {
	const char *name;
	char *was, *value;		/* NULL: it was not there; it goes */
};

typedef int data_record_visit_fn(void *cookie, const char *name, const char *value, size_t n,
    struct error *err);

struct data_records {
	const char *data;		/* the folder */
	void *cookie;

	/* Another number after each change; 0: the files are in force. */
	uint64_t (*stamp)(void *cookie);

	/* Until then: may these be changed here, or would that be lost?  -1, ERROR_BUSY. */
	int (*may_edit_files)(void *cookie, struct error *err);
	int (*read)(void *cookie, enum data_kind kind, data_record_visit_fn *visit,
	    void *visit_cookie, struct error *err);

	/* All of them or none; ERROR_STALE: one is not what it was. */
	int (*write)(void *cookie, enum data_kind kind, const struct data_record *records,
	    size_t n, struct error *err);
};

/* From here on, until NULL is given; both while nobody else asks.  ${r} must last. */
void data_records_use(const struct data_records *r);

/* A file's object of the ${*count} records that ${r}->read tells; ${texts} NULL, or what each
 * says under its name.  The caller decrefs both, also after -1.  ERROR_DAMAGED: one is no
 * JSON. */
int data_records_root(const struct data_records *r, enum data_kind kind, json_t **root,
    json_t **texts, size_t *count, struct error *err);

/* Visit the records that a file's object makes. */
int data_records_of(enum data_kind kind, const json_t *root, data_record_visit_fn *visit,
    void *cookie, struct error *err);

#endif /* !REGISTRY_BASE_DATA_RECORDS_H */
