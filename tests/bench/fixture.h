#ifndef FIXTURE_H
#define FIXTURE_H

struct buf;

/* The secrets file asks for few iterations, so that the KDF does not drown the rest. */
#define FIXTURE_PASSPHRASE "a passphrase for measuring"
#define FIXTURE_ITERATIONS 1000

/* The variable with the master key of fixture_secrets. */
extern char *fixture_environment[];

/* Append a secrets file with metadata only, and set the variable. */
void fixture_secrets(struct buf *file);

#endif /* !FIXTURE_H */
