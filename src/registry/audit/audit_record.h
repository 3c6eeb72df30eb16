#ifndef REGISTRY_AUDIT_AUDIT_RECORD_H
#define REGISTRY_AUDIT_AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

/* A line of the audit log, read back.  Texts are NULL when absent. */
struct audit_record {
	void *root;		/* the JSON; the texts are in it */
	const char *time, *principal, *phase, *request_id;
	const char *method;	/* without "secret-registry." */
	const char *value_hmac, *idempotency_hmac, *message, *client, *operation;
	char *path, *key;	/* decoded from the CRN */
	size_t path_len, key_len;
	long long version;
	long long status;	/* 0: none */
	bool has_granted, granted;
};

/* False: it is not such a line, or no memory.  Release also then. */
bool audit_record_read(const char *line, size_t n, struct audit_record *out);
void audit_record_release(struct audit_record *r);

#endif /* !REGISTRY_AUDIT_AUDIT_RECORD_H */
