#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/flag.h"

struct buf;
struct error;
struct options;

/*
 * What a secret flag's value stands for: @FILE a file, - standard input,
 * fd:N an open descriptor; anything else is the text itself.
 */
bool source_is_literal(const struct options *o, enum flag_id id);

/**
 * source_read(o, id, max, out, err):
 * Append the bytes that flag ${id} stands for to ${out} (secret).  A literal
 * text brings a warning.  ERROR_MISSING (no such file), ERROR_IO, ERROR_LIMIT.
 */
int source_read(const struct options *o, enum flag_id id, struct buf *out,
    struct error *err);

/* A passphrase may have so many bytes, its line end included. */
#define SOURCE_PASSPHRASE_MAX 65536

/**
 * source_passphrase(o, id, text, twice, out, err):
 * The passphrase of flag ${id}, normalised, into the empty ${out} (secret).
 * Without the flag it is asked for with ${text} on the terminal, twice if
 * ${twice}; ERROR_USAGE when there is none.  ERROR_KEY: empty or blank.
 */
int source_passphrase(const struct options *o, enum flag_id id,
    const char *text, bool twice, struct buf *out, struct error *err);

/**
 * source_passphrases(o, old, new, err):
 * Both --passphrase and --passphrase-new.  When both name one stream, its
 * first line is the old one and its second line the new one.
 */
int source_passphrases(const struct options *o, struct buf *old,
    struct buf *new, struct error *err);

#endif /* !SOURCE_H */
