#ifndef ROTATION_LINES_H
#define ROTATION_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/mac.h"

struct error;

/*
 * Lines of a file of a rotation session: `SUM WORD WORD ...`, where SUM is the
 * head, in 16 hexadecimal digits, of SHA-256 over the digest of the line
 * before (32 zeroes before the first) and the words.  So a line that was cut,
 * changed, moved or lost from the middle is noticed; of the last one only
 * that it was cut.  Words are percent-encoded, `-` is none, and a blank stands between two.
 */
struct lines {
	const struct digest *digest;
	unsigned char sum[DIGEST_SHA256];	/* of the last line */
};

void lines_begin(struct lines *l, const struct digest *d);

/* Append the line of ${words} to ${out}, with its sum and line end.  ERROR_CRYPTO; a failure
 * of the buffer stays in it. */
int lines_append(struct lines *l, struct buf *out, const struct buf *words, struct error *err);

enum lines_read {
	LINES_END,
	LINES_LINE,
	LINES_CUT,	/* the last line is not whole, or its sum does not fit */
	LINES_DAMAGED	/* a line that others follow is not as it was written */
};

/**
 * lines_next(l, text, n, at, words, len):
 * The words of the line at ${*at} of the ${n} bytes, and go on behind it.
 */
enum lines_read lines_next(struct lines *l, const char *text, size_t n, size_t *at,
    const char **words, size_t *len);

/* A file of lines, of which some are in memory at a time. */
struct lines_file {
	int fd;			/* as the path, not owned */
	const char *path;
	struct buf part;
	size_t at;		/* of the next line in the part */
	uint64_t before;	/* bytes of the file before the part */
	bool whole;		/* the part goes to the file's end */
};

/* From its beginning.  ERROR_IO. */
int lines_file_begin(struct lines_file *f, int fd, const char *path, struct error *err);
void lines_file_end(struct lines_file *f);

/* The words of the next line, until the next call.  ERROR_IO, ERROR_MEMORY. */
int lines_file_next(struct lines *l, struct lines_file *f, enum lines_read *got, const char **words,
    size_t *len, struct error *err);

/* Where the next line begins. */
uint64_t lines_at(const struct lines_file *f);

/* Where a line is that was read or written, and what tells that it is still that one: its own sum
 * would take those of the lines before it. */
struct lines_spot {
	uint64_t at : 40;
	uint64_t check : 24;
};

/* Of the line of ${words} at ${at}. */
struct lines_spot lines_spot(uint64_t at, const void *words, size_t n);

/* Words to write: each with a blank before it, if it is not the first. */
void lines_put(struct buf *words, const char *text);	/* NULL: none */
void lines_put_number(struct buf *words, uint64_t n);
void lines_put_bytes(struct buf *words, const void *bytes, size_t n);	/* in hexadecimal */

/* What is left to read of a line. */
struct words {
	const char *at;
	size_t len;
};

/* Read a line again, into ${line}.  ERROR_DAMAGED: it is another; ERROR_IO, ERROR_MEMORY. */
int lines_again(int fd, const char *path, struct lines_spot spot, struct buf *line,
    struct words *w, struct error *err);

/* The next word: decoded, with a NUL, to be freed by the caller; NULL: there
 * is none, or no memory.  ${*none} (may be NULL): it is `-`. */
char *words_text(struct words *w, bool *none);
void words_skip(struct words *w, size_t n);
bool words_number(struct words *w, uint64_t max, uint64_t *out);
bool words_bytes(struct words *w, void *out, size_t n);

#endif /* !ROTATION_LINES_H */
