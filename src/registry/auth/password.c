#include "registry/auth/password.h"

#include "base/error.h"
#include "base/secmem.h"
#include "base/equal.h"
#include "crypto/random.h"
#include "crypto/scrypt.h"

static bool
has_control(const unsigned char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return true;
	}
	return false;
}

int
password_make(struct password *out, const void *text, size_t n, struct error *err)
{
	*out = (struct password){
		.N = PASSWORD_N, .r = PASSWORD_R, .p = PASSWORD_P, .salt_len = PASSWORD_SALT
	};
	if (n == 0)
		return error_set(err, ERROR_USAGE, "the password is empty");
	if (n > PASSWORD_MAX)
		return error_set(err, ERROR_USAGE, "the password is longer than %d bytes",
		    PASSWORD_MAX);
	if (has_control(text, n)) {
		error_set(err, ERROR_USAGE, "there is a control character in the password");
		return error_hint(err, "give one line without tabs; a line end at its end does not "
		    "count");
	}
	if (random_bytes(out->salt, out->salt_len, err) != 0)
		return -1;
	return scrypt_derive(text, n, out->salt, out->salt_len, out->N, out->r, out->p,
	    out->hash, sizeof(out->hash), err);
}

bool
password_is_sane(const struct password *p)
{
	return p->N >= PASSWORD_N_MIN && (p->N & (p->N - 1)) == 0 && p->r >= 1 && p->p >= 1 &&
	    p->N <= SCRYPT_N_MAX && p->r <= SCRYPT_R_MAX && p->p <= SCRYPT_P_MAX &&
	    (uint64_t)128 * p->N * p->r * p->p <= PASSWORD_COST_MAX &&
	    p->salt_len >= 8 && p->salt_len <= PASSWORD_SALT_MAX;
}

int
password_check(const struct password *p, const void *text, size_t n)
{
	unsigned char hash[PASSWORD_HASH];
	int rc = -1;

	if (scrypt_derive(text, n, p->salt, p->salt_len, p->N, p->r, p->p, hash,
	    sizeof(hash), NULL) == 0)
		rc = secret_equal(hash, sizeof(hash), p->hash, sizeof(p->hash));
	secmem_wipe(hash, sizeof(hash));
	return rc;
}
