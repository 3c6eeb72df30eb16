#ifndef SECRETS_PASSPHRASE_H
#define SECRETS_PASSPHRASE_H

struct buf;
struct error;

/**
 * passphrase_normalise(p, err):
 * Drop exactly one final "\n", as the reference does.  ERROR_KEY when what is
 * left is empty or blank.
 */
int passphrase_normalise(struct buf *p, struct error *err);

#endif /* !SECRETS_PASSPHRASE_H */
