#ifndef DOCUMENT_JAAS_SCAN_H
#define DOCUMENT_JAAS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The tokens of a JAAS value.  Every byte is passed once, so time is linear.
 * Each function passes one token, or what is between two, and moves ${at}
 * behind it; -1: it is refused, and the error is set.
 */
struct jaas_scan {
	const unsigned char *p;
	size_t n;
	size_t at;
	size_t brace;		/* the next `}` from where it was last asked for; n: none */
	size_t slash;		/* 1 + the last unquoted value with a `/`, 0: none */
	bool led;		/* that, or another, starts with it */
	bool hiding;		/* a comment, or a line end in quotes, was passed */
	bool cut;		/* a `//` comment reached the end of the value */
	bool certain;		/* it is JAAS, good or bad */
	struct error *err;
};

/* Where a byte is, from ${at} on, or n. */
size_t jaas_scan_find(const struct jaas_scan *s, size_t at, int c);
bool jaas_scan_is_at(const struct jaas_scan *s, size_t at, unsigned char c);

/* Fail with the column of ${at}, what is there, and a hint; no byte of the value. */
int jaas_scan_refuse(const struct jaas_scan *s, size_t at, const char *what, const char *hint);

#define JAAS_HINT_QUOTES "write the option's value in double quotes"
#define JAAS_HINT_FORM "the form is: <LoginModule class> required <option>=\"<value>\" ...;"

/* Blanks and comments. */
int jaas_scan_gap(struct jaas_scan *s);

/* A class, a flag or a name: a word, or text in quotes that needs no decoding. */
int jaas_scan_name(struct jaas_scan *s, uint32_t *name, uint32_t *len);

/* An option's value, which starts behind blanks, at ${*from}. */
int jaas_scan_value(struct jaas_scan *s, uint32_t *from);

/* At the end: whatever was passed can have had no other meaning. */
int jaas_scan_end(const struct jaas_scan *s);

#endif /* !DOCUMENT_JAAS_SCAN_H */
