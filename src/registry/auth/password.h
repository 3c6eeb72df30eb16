#ifndef REGISTRY_AUTH_PASSWORD_H
#define REGISTRY_AUTH_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * What is kept of a password: scrypt with these parameters.  About 60 ms and
 * 32 MiB; a client that comes again is found in the memory of what was right,
 * so that this is paid once, and by whoever guesses.
 */
#define PASSWORD_MAX 1024	/* bytes */
#define PASSWORD_SHORT 8	/* fewer bytes than these are worth a warning */
#define PASSWORD_N (1U << 15)
#define PASSWORD_R 8U
#define PASSWORD_P 1U
#define PASSWORD_SALT 16	/* bytes of a new salt */
#define PASSWORD_SALT_MAX 64
#define PASSWORD_HASH 32

/* What a file may ask for, against denial of service. */
#define PASSWORD_N_MIN (1U << 10)
#define PASSWORD_COST_MAX ((uint64_t)64 << 20)	/* 128 * N * r * p */

struct password {
	uint32_t N, r, p;
	size_t salt_len;
	unsigned char salt[PASSWORD_SALT_MAX];
	unsigned char hash[PASSWORD_HASH];
};

/* ERROR_USAGE unless ${n} is 1 to PASSWORD_MAX and there is no control
 * character, which HTTP Basic cannot carry (RFC 7617, section 2). */
int password_make(struct password *out, const void *text, size_t n, struct error *err);

/* Are the parameters within the bounds above? */
bool password_is_sane(const struct password *p);

/* 1: right, 0: wrong, -1: scrypt failed. */
int password_check(const struct password *p, const void *text, size_t n);

#endif /* !REGISTRY_AUTH_PASSWORD_H */
