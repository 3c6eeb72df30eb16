#ifndef INTERFACE_JOB_H
#define INTERFACE_JOB_H

#include "base/buf.h"
#include "ui/registry_source.h"

struct remote;

/* A request with copies of everything that it needs. */
struct job {
	struct job *next;
	unsigned long id;
	enum registry_kind kind;
	char *path, *key;	/* "" when not part of it */
	unsigned int version, cas, delay_ms;
	struct buf value;	/* secret */
};

struct job *job_new(unsigned long id, const struct registry_request *r, struct error *err);
void job_free(struct job *j);

/* Does a value go over the connection? */
bool job_is_secret(const struct job *j);

/* Do it: ask the registry, and fill ${out}, also when it failed. */
void job_run(const struct job *j, struct remote *r, struct registry_answer *out);

#endif /* !INTERFACE_JOB_H */
