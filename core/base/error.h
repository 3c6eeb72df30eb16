#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

/*
 * Every failure of core is returned, never printed: a function that can fail
 * takes a struct error as its last argument, returns -1 or NULL, and fills
 * the error; on success the error is left untouched.  The argument may be
 * NULL when the caller does not want to know.
 *
 * Errors and buffers need each other: buf.h tells failure by these codes, and a
 * key is made visible here in a buffer.
 */
enum error_code {
	ERROR_NONE = 0,
	ERROR_USAGE,	/* a request that makes no sense */
	ERROR_IO,	/* a system call failed */
	ERROR_FORMAT,	/* a file cannot be read as what it should be */
	ERROR_MISSING,	/* a file, key or entry is not there */
	ERROR_EXISTS,	/* something is there that must not be overwritten */
	ERROR_REFUSED,	/* doing it would lose or leak something */
	ERROR_STALE,	/* a file changed between plan and apply */
	ERROR_KEY,	/* no key, or a wrong key or passphrase */
	ERROR_DAMAGED,	/* sealed data that is malformed or fails authentication */
	ERROR_BUSY,	/* another process holds the lock */
	ERROR_LIMIT,	/* larger than a stated maximum */
	ERROR_MEMORY,
	ERROR_UNKNOWN,	/* it may have been done or not */
	ERROR_CRYPTO	/* OpenSSL failed for a reason of its own */
};

/* All texts are NUL-terminated; an over-long one is cut.  None ever holds a secret. */
struct error {
	enum error_code code;
	size_t line;		/* 1-based, 0: no line */
	char file[1024];	/* "": no file */
	char key[512];		/* "": no key; control characters made visible */
	char text[1024];	/* what went wrong */
	char hint[1024];	/* what to do about it, "": nothing to say */
};

/**
 * error_set(err, code, fmt, ...):
 * Start a new error: set ${code} and the text, empty everything else.
 * Always returns -1, so that a function can end with `return error_set(...)`.
 */
int error_set(struct error *err, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * error_io(err, file, what):
 * Set ERROR_IO with the text "<what>: <strerror(errno)>" at ${file}, with a
 * hint where errno suggests one (ENOSPC, EROFS, EACCES).  Returns -1.
 */
int error_io(struct error *err, const char *file, const char *what);

/* error_memory(err): set ERROR_MEMORY.  Returns -1. */
int error_memory(struct error *err);

/* ${size} bytes, zeroed, to be freed; NULL: ERROR_MEMORY. */
void *error_alloc(size_t size, struct error *err);

/* Add a place, a key, or a hint to an error that is set.  Each returns -1. */
int error_place(struct error *err, const char *file, size_t line);
int error_key(struct error *err, const char *key, size_t len);
int error_hint(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* error_code_name(code): a stable word for machines, such as "wrong-key". */
const char *error_code_name(enum error_code code);

/**
 * error_exit_status(code):
 * The program's exit status for a failure: 1 failed and nothing changed,
 * 2 usage, 4 wrong key or damaged data, 5 busy (design.md, "Command line").
 */
int error_exit_status(enum error_code code);

#endif /* !BASE_ERROR_H */
