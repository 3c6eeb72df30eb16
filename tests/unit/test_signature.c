#include <pthread.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/mac.h"
#include "unit.h"

/* RFC 7515, appendix A.2 (RS256) and A.3 (ES256): signing input, signature,
 * and the key's numbers. */
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RS_INPUT "eyJhbGciOiJSUzI1NiJ9." PAYLOAD
#define RS_SIGNATURE "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7" \
	"AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4" \
	"BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K" \
	"0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv" \
	"hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB" \
	"p0igcN_IoypGlUPQGe77Rw"
#define RS_N "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp" \
	"-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW" \
	"vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs" \
	"LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k" \
	"G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2" \
	"PAcDTW9gb54h4FRWyuXpoQ"
#define RS_E "AQAB"
#define ES_INPUT "eyJhbGciOiJFUzI1NiJ9." PAYLOAD
#define ES_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA" \
	"pmWQxfKTUJqPP3-Kg6NU1Q"
#define ES_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define ES_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

/* The order of P-256 (SEC 2, section 2.4.2). */
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static size_t
decode(const char *text, unsigned char *out, size_t size)
{
	struct buf b;
	size_t n;

	buf_init(&b, size);
	assert_int_equal(base64url_decode(&b, text, strlen(text)), 0);
	n = b.len;
	memcpy(out, b.data, n);
	buf_release(&b);
	return n;
}

static struct verify_key *
rsa_key(void)
{
	unsigned char n[256], e[3];
	struct verify_key *k;

	k = verify_key_rsa(n, decode(RS_N, n, sizeof(n)), e, decode(RS_E, e, sizeof(e)), NULL);
	assert_non_null(k);
	return k;
}

static struct verify_key *
p256_key(void)
{
	unsigned char x[32], y[32];
	struct verify_key *k;

	assert_int_equal(decode(ES_X, x, sizeof(x)), 32);
	assert_int_equal(decode(ES_Y, y, sizeof(y)), 32);
	k = verify_key_p256(x, y, NULL);
	assert_non_null(k);
	return k;
}

static void
assert_every_change_is_refused(const struct verify_key *k, const char *input,
    unsigned char *sig, size_t n)
{
	char *other = strdup(input);
	size_t len = strlen(input);

	for (size_t i = 0; i < n; i++) {
		sig[i] ^= 1;
		assert_false(verify_key_check(k, input, len, sig, n));
		sig[i] ^= 0x81;
		assert_false(verify_key_check(k, input, len, sig, n));
		sig[i] ^= 0x80;
	}
	for (size_t i = 0; i < len; i++) {
		other[i] ^= 1;
		assert_false(verify_key_check(k, other, len, sig, n));
		other[i] ^= 1;
	}
	assert_false(verify_key_check(k, input, len - 1, sig, n));
	assert_false(verify_key_check(k, input, 0, sig, n));
	assert_false(verify_key_check(k, input, len, sig, n - 1));
	assert_false(verify_key_check(k, input, len, sig, 0));
	assert_true(verify_key_check(k, input, len, sig, n));
	free(other);
}

static void
test_rs256_known_answer(void **state)
{
	struct verify_key *k = rsa_key();
	unsigned char sig[257] = { 0 };

	(void)state;
	assert_int_equal(verify_key_kind(k), SIGNATURE_RS256);
	assert_int_equal(decode(RS_SIGNATURE, sig, sizeof(sig)), 256);
	assert_every_change_is_refused(k, RS_INPUT, sig, 256);
	assert_false(verify_key_check(k, RS_INPUT, strlen(RS_INPUT), sig, 257));
	verify_key_free(k);
}

static void
test_es256_known_answer(void **state)
{
	struct verify_key *k = p256_key();
	unsigned char sig[65] = { 0 };

	(void)state;
	assert_int_equal(verify_key_kind(k), SIGNATURE_ES256);
	assert_int_equal(decode(ES_SIGNATURE, sig, sizeof(sig)), 64);
	assert_every_change_is_refused(k, ES_INPUT, sig, 64);
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 65));
	verify_key_free(k);
	verify_key_free(NULL);
}

/* The signature that fits every message where r and s are not looked at. */
static void
test_es256_numbers_out_of_range(void **state)
{
	struct verify_key *k = p256_key();
	unsigned char order[32], sig[64] = { 0 };

	(void)state;
	unit_hex(P256_ORDER, order, sizeof(order));
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 64));
	decode(ES_SIGNATURE, sig, sizeof(sig));
	memset(sig, 0, 32);
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 64));
	memcpy(sig, order, 32);
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 64));
	decode(ES_SIGNATURE, sig, sizeof(sig));
	memset(sig + 32, 0, 32);
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 64));
	memcpy(sig + 32, order, 32);
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 64));
	memset(sig, 0xff, 64);
	assert_false(verify_key_check(k, ES_INPUT, strlen(ES_INPUT), sig, 64));
	verify_key_free(k);
}

static void
assert_no_rsa_key(const void *n, size_t nlen, const void *e, size_t elen)
{
	struct error err = { 0 };

	assert_null(verify_key_rsa(n, nlen, e, elen, &err));
	assert_int_equal(err.code, ERROR_KEY);
}

static void
test_bounds_of_rsa_keys(void **state)
{
	static unsigned char n[1026], e[] = { 1, 0, 1 }, wide[9] = { 1, 0, 0, 0, 0, 0, 0, 0, 1 };
	struct verify_key *k;

	(void)state;
	memset(n, 0xff, sizeof(n));
	assert_no_rsa_key(n, 0, e, 3);
	assert_no_rsa_key(n, 1, e, 3);
	assert_no_rsa_key(n, 255, e, 3);
	assert_no_rsa_key(n, 1025, e, 3);
	/* 2047 bits in 256 bytes. */
	n[0] = 0x7f;
	assert_no_rsa_key(n, 256, e, 3);
	/* Zeros in front do not make it longer. */
	n[0] = 0;
	assert_no_rsa_key(n, 256, e, 3);
	k = verify_key_rsa(n, 257, e, 3, NULL);
	assert_non_null(k);
	verify_key_free(k);
	k = verify_key_rsa(n, 1025, e, 3, NULL);
	assert_non_null(k);
	verify_key_free(k);
	n[256] = 0xfe;
	assert_no_rsa_key(n, 257, e, 3);
	n[256] = 0xff;
	assert_no_rsa_key(n, 257, e, 0);
	assert_no_rsa_key(n, 257, e, 1);
	assert_no_rsa_key(n, 257, e, 2);
	assert_no_rsa_key(n, 257, "\0\0", 2);
	assert_no_rsa_key(n, 257, wide, 9);
	k = verify_key_rsa(n, 257, "\0\3", 2, NULL);
	assert_non_null(k);
	verify_key_free(k);
}

static void
test_points_that_are_not_on_the_curve(void **state)
{
	unsigned char x[32], y[32], none[32] = { 0 }, all[32];
	struct error err = { 0 };

	(void)state;
	decode(ES_X, x, sizeof(x));
	decode(ES_Y, y, sizeof(y));
	y[31] ^= 1;
	assert_null(verify_key_p256(x, y, &err));
	assert_int_equal(err.code, ERROR_KEY);
	assert_null(verify_key_p256(none, none, &err));
	memset(all, 0xff, sizeof(all));
	assert_null(verify_key_p256(all, all, &err));
	y[31] ^= 1;
	assert_null(verify_key_p256(y, x, &err));
}

/* An RSA key's and a curve's signatures are not taken for each other. */
static void
test_kinds_do_not_mix(void **state)
{
	struct verify_key *rsa = rsa_key();
	struct verify_key *p256 = p256_key();
	unsigned char rs[256], es[64];

	(void)state;
	decode(RS_SIGNATURE, rs, sizeof(rs));
	decode(ES_SIGNATURE, es, sizeof(es));
	assert_false(verify_key_check(p256, RS_INPUT, strlen(RS_INPUT), rs, sizeof(rs)));
	assert_false(verify_key_check(p256, RS_INPUT, strlen(RS_INPUT), rs, 64));
	assert_false(verify_key_check(rsa, ES_INPUT, strlen(ES_INPUT), es, sizeof(es)));
	assert_false(verify_key_check(rsa, ES_INPUT, strlen(ES_INPUT), rs, sizeof(rs)));
	verify_key_free(rsa);
	verify_key_free(p256);
}

struct shared {
	const struct verify_key *rsa, *p256;
	unsigned char rs[256], es[64];
};

static void *
check_many(void *arg)
{
	const struct shared *s = arg;
	uintptr_t wrong = 0;

	for (int i = 0; i < 50; i++) {
		wrong += !verify_key_check(s->rsa, RS_INPUT, strlen(RS_INPUT), s->rs, 256);
		wrong += !verify_key_check(s->p256, ES_INPUT, strlen(ES_INPUT), s->es, 64);
		wrong += verify_key_check(s->p256, RS_INPUT, strlen(RS_INPUT), s->es, 64);
	}
	return (void *)wrong;
}

static void
test_threads_share_a_key(void **state)
{
	struct verify_key *rsa = rsa_key();
	struct verify_key *p256 = p256_key();
	struct shared s = { .rsa = rsa, .p256 = p256 };
	pthread_t threads[4];
	void *wrong;

	(void)state;
	decode(RS_SIGNATURE, s.rs, sizeof(s.rs));
	decode(ES_SIGNATURE, s.es, sizeof(s.es));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_many, &s), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	verify_key_free(rsa);
	verify_key_free(p256);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rs256_known_answer),
		cmocka_unit_test(test_es256_known_answer),
		cmocka_unit_test(test_es256_numbers_out_of_range),
		cmocka_unit_test(test_bounds_of_rsa_keys),
		cmocka_unit_test(test_points_that_are_not_on_the_curve),
		cmocka_unit_test(test_kinds_do_not_mix),
		cmocka_unit_test(test_threads_share_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
