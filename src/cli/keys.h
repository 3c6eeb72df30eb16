#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include <stdbool.h>

#include "secrets/secrets_file.h"

struct buf;
struct error;
struct key;
struct key_ring;
struct options;
struct secrets_file;

/* Master keys as the flags and the user's own propseal.ini have them, and what
 * those say about opening. */

/* key_ring_read for --master-key-file and --master-key-command, or else the environment
 * and the systemd credential; with ${all} those as well. */
struct key_ring *keys_ring(const struct options *o, bool all, struct error *err);

/**
 * master_find(o, s, err):
 * The master key for the secrets file: of the ring, or from a question on the
 * terminal that takes the key or its passphrase.  NULL: ERROR_MISSING,
 * ERROR_KEY.
 */
struct key *master_find(const struct options *o, const struct secrets_file *s, struct error *err);

/* Ask for the key of the secrets file, or its passphrase, on the terminal.  NULL: ${err}. */
struct key *keys_ask(const struct secrets_file *s, struct error *err);

/* Have the shell run the command ${cookie}, and append what it prints to ${out} (secret). */
int keys_command(void *cookie, struct buf *out, struct error *err);

/* Which entries the command may open: --legacy-cbc, tags=required. */
struct secrets_policy keys_policy(const struct options *o);

/* Say once, on standard error, what there is to doubt of the entries that were opened. */
void keys_say_doubts(const struct secrets_file *s);

#endif /* !CLI_KEYS_H */
