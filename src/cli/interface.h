#ifndef CLI_INTERFACE_H
#define CLI_INTERFACE_H

#include <stdbool.h>

#include "base/buf.h"
#include "ui/registry.h"

struct buf;
struct error;
struct findings_source;
struct options;
struct registry_answer;
struct registry_request;
struct remote;
struct ui_options;

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

/* How the interface looks and behaves, as flags and settings say; all else is for the caller. */
void interface_look(const struct options *o, struct ui_options *ui);

/* audit/audit.c: what the interface takes from `propseal audit`. */
void interface_findings(const struct options *o, struct findings_source *out);

#endif /* !CLI_INTERFACE_H */
