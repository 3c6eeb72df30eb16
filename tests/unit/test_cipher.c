#include <sys/mman.h>
#include <limits.h>

#include "aes_vectors.h"
#include "base/buf.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define ROOM 2000

static struct cipher *
cipher_from_hex(const char *hex)
{
	unsigned char bytes[32];
	size_t n = unit_hex(hex, bytes, sizeof(bytes));
	struct key *k = key_from_bytes(bytes, n, NULL);
	struct cipher *c;

	assert_non_null(k);
	c = cipher_new(k, NULL);
	assert_non_null(c);
	key_free(k);
	return c;
}

static struct cipher *
new_cipher(size_t length)
{
	struct key *k = key_new_random(length, NULL);
	struct cipher *c = cipher_new(k, NULL);

	assert_non_null(c);
	key_free(k);
	return c;
}

/* Failed to open: the code, nothing added, and nothing left in memory. */
static void
assert_refused(int result, const struct error *err, const struct buf *out, const char *why)
{
	static const char text[] = "the sealed value does not open: wrong key or damaged data";

	if (result != -1 || err->code != ERROR_DAMAGED || strcmp(err->text, text) != 0)
		fail_msg("%s: %d, %s", why, result, err->text);
	assert_int_equal(out->len, 3);
	assert_memory_equal(out->data, "old", 3);
	assert_true(unit_all_zero(out->data + 3, out->cap - 3));
	assert_false(out->failed);
}

static void
test_gcm_known_answers(void **state)
{
	unsigned char iv[12], in[ROOM], plain[ROOM];
	struct error err;
	struct buf out;
	size_t i, n, len;
	int result;

	(void)state;
	buf_init_secret(&out, ROOM);
	for (i = 0; i < COUNT(gcm_vectors); i++) {
		const struct gcm_vector *v = &gcm_vectors[i];
		struct cipher *c = cipher_from_hex(v->key);

		assert_int_equal(unit_hex(v->iv, iv, sizeof(iv)), 12);
		n = unit_hex(v->cipher, in, sizeof(in));
		len = n + unit_hex(v->tag, in + n, sizeof(in) - n);
		buf_clear(&out);
		buf_append_str(&out, "old");
		result = cipher_open(c, iv, 12, in, len, &out, &err);
		if (v->plain == NULL)
			assert_refused(result, &err, &out, v->name);
		else {
			assert_int_equal(unit_hex(v->plain, plain, sizeof(plain)), n);
			if (result == -1 || out.len != 3 + n || memcmp(out.data + 3, plain, n) != 0)
				fail_msg("%s", v->name);
		}
		cipher_free(c);
	}
	buf_release(&out);
}

static void
test_gcm_goes_round_at_every_length(void **state)
{
	unsigned char iv[12], plain[ROOM];
	struct buf sealed, out;
	size_t key_len, n, i;

	(void)state;
	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 7);
	buf_init(&sealed, ROOM + 16);
	buf_init_secret(&out, ROOM);
	for (key_len = 16; key_len <= 32; key_len += 8) {
		struct cipher *c = new_cipher(key_len);

		for (n = 0; n <= sizeof(plain); n += n < 70 ? 1 : 193) {
			buf_clear(&sealed);
			buf_clear(&out);
			assert_int_equal(cipher_seal(c, plain, n, iv, &sealed, NULL), 0);
			assert_int_equal(sealed.len, n + 16);
			assert_int_equal(cipher_open(c, iv, 12, sealed.data, sealed.len, &out, NULL), 0);
			assert_int_equal(out.len, n);
			assert_memory_equal(out.data, plain, n);
		}
		cipher_free(c);
	}
	buf_release(&sealed);
	buf_release(&out);
}

static void
test_gcm_refuses_every_flipped_bit_and_length(void **state)
{
	struct cipher *c = new_cipher(32);
	struct cipher *other = new_cipher(32);
	unsigned char iv[16] = { 0 };
	struct buf sealed, out;
	struct error err;
	size_t bit, n;

	(void)state;
	buf_init(&sealed, 100);
	buf_init_secret(&out, 100);
	buf_append_str(&out, "old");
	assert_int_equal(cipher_seal(c, "some secret", 11, iv, &sealed, NULL), 0);
	for (bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_refused(cipher_open(c, iv, 12, sealed.data, sealed.len, &out, &err),
		    &err, &out, "bit");
		sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (bit = 0; bit < 8 * 12; bit++) {
		iv[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_refused(cipher_open(c, iv, 12, sealed.data, sealed.len, &out, &err),
		    &err, &out, "bit of the iv");
		iv[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (n = 0; n < sealed.len; n++)
		assert_refused(cipher_open(c, iv, 12, sealed.data, n, &out, &err),
		    &err, &out, "cut");
	for (n = 0; n <= 16; n++) {
		if (n != 12)
			assert_refused(cipher_open(c, iv, n, sealed.data, sealed.len, &out, &err),
			    &err, &out, "iv length");
	}
	assert_refused(cipher_open(other, iv, 12, sealed.data, sealed.len, &out, &err),
	    &err, &out, "other key");
	/* After all that it still opens. */
	assert_int_equal(cipher_open(c, iv, 12, sealed.data, sealed.len, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "oldsome secret");
	buf_release(&sealed);
	buf_release(&out);
	cipher_free(c);
	cipher_free(other);
	cipher_free(NULL);
}

static int
compare_ivs(const void *a, const void *b)
{
	return memcmp(a, b, 12);
}

static void
test_no_iv_comes_twice(void **state)
{
	enum { N = 5000 };
	static unsigned char ivs[N][12];
	struct cipher *c = new_cipher(32);
	unsigned char cbc[16];
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 100);
	for (i = 0; i < N; i++) {
		buf_clear(&out);
		assert_int_equal(cipher_seal(c, "x", 1, ivs[i], &out, NULL), 0);
		if (i % 5 == 0)
			assert_int_equal(cipher_seal_cbc(c, "x", 1, cbc, &out, NULL), 0);
		assert_false(unit_all_zero(ivs[i], 12));
	}
	qsort(ivs, N, sizeof(*ivs), compare_ivs);
	for (i = 1; i < N; i++)
		assert_memory_not_equal(ivs[i - 1], ivs[i], 12);
	buf_release(&out);
	cipher_free(c);
}

struct forked {
	struct cipher *cipher;
	unsigned char *iv;	/* in shared memory */
};

static void
seal_in_child(void *arg)
{
	struct forked *f = arg;
	struct buf out;

	buf_init(&out, 100);
	if (cipher_seal(f->cipher, "x", 1, f->iv, &out, NULL) == -1)
		_exit(1);
	buf_release(&out);
}

static void
test_a_forked_child_has_ivs_of_its_own(void **state)
{
	struct forked f = { new_cipher(32), NULL };
	unsigned char iv[12];
	struct buf out;
	int status;

	(void)state;
	buf_init(&out, 100);
	f.iv = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(f.iv, MAP_FAILED);
	assert_int_equal(cipher_seal(f.cipher, "x", 1, iv, &out, NULL), 0);
	status = unit_in_child(seal_in_child, &f);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(cipher_seal(f.cipher, "x", 1, iv, &out, NULL), 0);
	assert_false(unit_all_zero(f.iv, 12));
	assert_memory_not_equal(iv, f.iv, 12);
	munmap(f.iv, 4096);
	buf_release(&out);
	cipher_free(f.cipher);
}

static void
make_cipher_in_child(void *arg)
{
	struct error err;

	if (cipher_new(arg, &err) != NULL || err.code != ERROR_KEY)
		_exit(1);
}

static void
test_a_key_wiped_by_fork_makes_no_cipher(void **state)
{
	struct key *k = key_new_random(32, NULL);
	int status;

	(void)state;
	status = unit_in_child(make_cipher_in_child, k);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	key_free(k);
}

/*
 * The IV with which the first block of cbc_vectors[${i}] opens to ${want}:
 * D(C1) is P1 xor IV, so the IV is D(C1) xor ${want}.
 */
static void
steer_first_block(const struct cbc_vector *v, const unsigned char want[16],
    unsigned char iv[16], unsigned char block[16])
{
	unsigned char plain[ROOM], cipher[ROOM];
	size_t i;

	unit_hex(v->iv, iv, 16);
	unit_hex(v->plain, plain, sizeof(plain));
	unit_hex(v->cipher, cipher, sizeof(cipher));
	memcpy(block, cipher, 16);
	for (i = 0; i < 16; i++)
		iv[i] ^= plain[i] ^ want[i];
}

/*
 * The published messages have no padding.  Two more blocks give them some: the
 * last is C1 again, steered by the block before it to sixteen bytes of 16.
 */
static void
test_cbc_known_answers(void **state)
{
	unsigned char pad[16], iv[16], steer[16], in[ROOM], plain[ROOM];
	struct buf out;
	size_t i, n;

	(void)state;
	memset(pad, 16, sizeof(pad));
	buf_init_secret(&out, ROOM);
	for (i = 0; i < COUNT(cbc_vectors); i++) {
		const struct cbc_vector *v = &cbc_vectors[i];
		struct cipher *c = cipher_from_hex(v->key);

		n = unit_hex(v->cipher, in, sizeof(in) - 32);
		assert_int_equal(unit_hex(v->plain, plain, sizeof(plain)), n);
		steer_first_block(v, pad, steer, in + n + 16);
		memcpy(in + n, steer, 16);
		unit_hex(v->iv, iv, sizeof(iv));
		buf_clear(&out);
		if (cipher_open_cbc(c, iv, 16, in, n + 32, &out, NULL) == -1 ||
		    out.len != n + 16 || memcmp(out.data, plain, n) != 0)
			fail_msg("%s", v->name);
		cipher_free(c);
	}
	buf_release(&out);
}

static void
test_cbc_goes_round_at_every_length(void **state)
{
	unsigned char iv[16], plain[100];
	struct buf sealed, out;
	size_t key_len, n;

	(void)state;
	memset(plain, 3, sizeof(plain));
	buf_init(&sealed, 200);
	buf_init_secret(&out, 200);
	for (key_len = 16; key_len <= 32; key_len += 8) {
		struct cipher *c = new_cipher(key_len);

		for (n = 0; n <= sizeof(plain); n++) {
			buf_clear(&sealed);
			buf_clear(&out);
			assert_int_equal(cipher_seal_cbc(c, plain, n, iv, &sealed, NULL), 0);
			assert_int_equal(sealed.len, n / 16 * 16 + 16);
			assert_int_equal(cipher_open_cbc(c, iv, 16, sealed.data, sealed.len, &out,
			    NULL), 0);
			assert_int_equal(out.len, n);
			assert_memory_equal(out.data, plain, n);
			assert_true(unit_all_zero(out.data + n, out.cap - n));
		}
		cipher_free(c);
	}
	buf_release(&sealed);
	buf_release(&out);
}

static void
test_cbc_tells_no_padding_fault_from_another(void **state)
{
	const struct cbc_vector *v = &cbc_vectors[0];
	struct cipher *c = cipher_from_hex(v->key);
	unsigned char want[16], iv[16], block[16];
	struct error err;
	struct buf out;
	size_t pad, at;

	(void)state;
	buf_init_secret(&out, 100);
	for (pad = 0; pad < 256; pad++) {
		buf_clear(&out);
		buf_append_str(&out, "old");
		memset(want, 'x', sizeof(want));
		memset(want + 16 - (pad < 16 ? pad : 16), (int)pad, pad < 16 ? pad : 16);
		want[15] = (unsigned char)pad;
		steer_first_block(v, want, iv, block);
		if (pad == 0 || pad > 16) {
			assert_refused(cipher_open_cbc(c, iv, 16, block, 16, &out, &err),
			    &err, &out, "padding length");
			continue;
		}
		assert_int_equal(cipher_open_cbc(c, iv, 16, block, 16, &out, NULL), 0);
		assert_int_equal(out.len, 3 + 16 - pad);
		assert_memory_equal(out.data + 3, want, 16 - pad);
		assert_true(unit_all_zero(out.data + out.len, pad));
		/* Each byte of it counts, in every bit, but for the last: see above. */
		for (at = 16 - pad; at < 15; at++) {
			buf_truncate(&out, 3);
			want[at] ^= (unsigned char)(1 << at % 8);
			steer_first_block(v, want, iv, block);
			assert_refused(cipher_open_cbc(c, iv, 16, block, 16, &out, &err),
			    &err, &out, "padding byte");
			want[at] ^= (unsigned char)(1 << at % 8);
		}
	}
	buf_release(&out);
	cipher_free(c);
}

static void
test_cbc_refuses_lengths(void **state)
{
	struct cipher *c = new_cipher(32);
	unsigned char iv[17], in[64] = { 0 };
	struct buf sealed, out;
	struct error err;
	size_t n;

	(void)state;
	buf_init(&sealed, 100);
	buf_init_secret(&out, 100);
	buf_append_str(&out, "old");
	assert_int_equal(cipher_seal_cbc(c, "secret", 6, iv, &sealed, NULL), 0);
	memcpy(in, sealed.data, 16);
	for (n = 0; n <= 17; n++) {
		if (n != 16) {
			assert_refused(cipher_open_cbc(c, iv, 16, in, n, &out, &err),
			    &err, &out, "length");
			assert_refused(cipher_open_cbc(c, iv, n, in, 16, &out, &err),
			    &err, &out, "iv length");
		}
	}
	assert_int_equal(cipher_open_cbc(c, iv, 16, in, 16, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "oldsecret");
	buf_release(&sealed);
	buf_release(&out);
	cipher_free(c);
}

static void
test_buffers_that_will_not_do(void **state)
{
	struct cipher *c = new_cipher(32);
	unsigned char iv[16], iv_cbc[16];
	struct buf sealed, cbc, out;
	struct error err;

	(void)state;
	buf_init(&sealed, 22);
	buf_init(&cbc, 22);
	assert_int_equal(cipher_seal(c, "secret", 6, iv, &sealed, &err), 0);
	assert_int_equal(cipher_seal_cbc(c, "secret", 6, iv_cbc, &cbc, &err), 0);
	/* Plaintext goes to secret memory only. */
	buf_init(&out, 100);
	assert_int_equal(cipher_open(c, iv, 12, sealed.data, sealed.len, &out, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(cipher_open_cbc(c, iv_cbc, 16, cbc.data, cbc.len, &out, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_null(out.data);
	/* No room. */
	buf_init_secret(&out, 5);
	assert_int_equal(cipher_open(c, iv, 12, sealed.data, sealed.len, &out, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	buf_release(&out);
	assert_int_equal(cipher_seal(c, "x", 1, iv, &sealed, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(sealed.len, 22);
	/* More than OpenSSL can count. */
	buf_init(&out, SIZE_MAX);
	assert_int_equal(cipher_seal(c, "x", (size_t)INT_MAX, iv, &out, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(cipher_seal_cbc(c, "x", SIZE_MAX, iv, &out, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	buf_release(&sealed);
	buf_release(&cbc);
	buf_release(&out);
	cipher_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcm_known_answers),
		cmocka_unit_test(test_gcm_goes_round_at_every_length),
		cmocka_unit_test(test_gcm_refuses_every_flipped_bit_and_length),
		cmocka_unit_test(test_no_iv_comes_twice),
		cmocka_unit_test(test_a_forked_child_has_ivs_of_its_own),
		cmocka_unit_test(test_a_key_wiped_by_fork_makes_no_cipher),
		cmocka_unit_test(test_cbc_known_answers),
		cmocka_unit_test(test_cbc_goes_round_at_every_length),
		cmocka_unit_test(test_cbc_tells_no_padding_fault_from_another),
		cmocka_unit_test(test_cbc_refuses_lengths),
		cmocka_unit_test(test_buffers_that_will_not_do)
	};

	return cmocka_run_group_tests_name("cipher", tests, NULL, NULL);
}
