#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Times as text.  All are UTC, and their names of days and months are English
 * whatever the locale is.
 */
enum time_form {
	TIME_MILLISECONDS,	/* 2026-01-31T12:00:00.123Z (RFC 3339) */
	TIME_SECONDS,		/* 2026-01-31T12:00:00Z */
	TIME_SPACED,		/* 2026-01-31 12:00:00 */
	TIME_NAME,		/* 20260131T120000Z, for the name of a file */
	TIME_HTTP		/* Sat, 31 Jan 2026 12:00:00 GMT (RFC 9110, 5.6.7) */
};

#define TIME_TEXT 32		/* bytes for any of them, with a NUL */

struct timespec;

/* Now: milliseconds since 1970, UTC. */
int64_t time_now(void);

/* The same of the time of a file, say. */
int64_t time_of(const struct timespec *t);

/**
 * time_text(ms, form, out):
 * ${ms} is in milliseconds since 1970, UTC; one before 0000 or after 9999 is
 * written as the last second of 9999.  Returns the length.
 */
int time_text(int64_t ms, enum time_form form, char out[TIME_TEXT]);

/**
 * time_parse(text, form, ms):
 * The time that time_text writes as ${text} in TIME_MILLISECONDS or
 * TIME_SECONDS; the first takes one to three digits behind the point, or no
 * point either.  False: it is no such text, or no such day.
 */
bool time_parse(const char *text, enum time_form form, int64_t *ms);

#endif /* !BASE_TIME_H */
