#include "aes_vectors.h"
#include "base/buf.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define ROOM 2000

/* "The Galois/Counter Mode of Operation (GCM)", McGrew and Viega, appendix B,
 * test case 16: AES-256 with associated data. */
#define KEY_16 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define IV_16 "cafebabefacedbaddecaf888"
#define AD_16 "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define PLAIN_16 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CIPHER_16 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
#define TAG_16 "76fc6ece0f4e1768cddf8853bb2d551b"

static const struct aead_data none = { NULL, 0 };

/* Failed to open: the code, nothing added, and nothing left in memory. */
static void
assert_refused(int result, const struct error *err, const struct buf *out)
{
	assert_int_equal(result, -1);
	assert_int_equal(err->code, ERROR_DAMAGED);
	assert_int_equal(out->len, 3);
	assert_memory_equal(out->data, "old", 3);
	assert_true(unit_all_zero(out->data + 3, out->cap - 3));
	assert_false(out->failed);
}

/* NIST's vectors (those with 256 bits), all on one object. */
static void
test_known_answers_without_associated_data(void **state)
{
	unsigned char key[32], iv[12], in[ROOM], plain[ROOM];
	struct aead *a = aead_new(NULL);
	struct error err;
	size_t tried = 0;
	struct buf out;

	(void)state;
	assert_non_null(a);
	buf_init_secret(&out, ROOM);
	for (size_t i = 0; i < COUNT(gcm_vectors); i++) {
		const struct gcm_vector *v = &gcm_vectors[i];
		size_t n;
		int result;

		if (unit_hex(v->key, key, sizeof(key)) != 32)
			continue;
		assert_int_equal(unit_hex(v->iv, iv, sizeof(iv)), 12);
		n = unit_hex(v->cipher, in, sizeof(in));
		(void)unit_hex(v->tag, in + n, sizeof(in) - n);
		buf_clear(&out);
		buf_append_str(&out, "old");
		result = aead_open(a, key, iv, none, in, n + 16, &out, &err);
		if (v->plain == NULL) {
			assert_refused(result, &err, &out);
		} else {
			assert_int_equal(unit_hex(v->plain, plain, sizeof(plain)), n);
			if (result == -1 || out.len != 3 + n || memcmp(out.data + 3, plain, n) != 0)
				fail_msg("%s", v->name);
		}
		tried++;
	}
	assert_true(tried > 5);
	buf_release(&out);
	aead_free(a);
}

static void
test_known_answer_with_associated_data(void **state)
{
	unsigned char key[32], iv[12], ad[20], in[80], plain[60];
	struct aead *a = aead_new(NULL);
	struct error err;
	struct buf out;
	size_t n;

	(void)state;
	unit_hex(KEY_16, key, sizeof(key));
	unit_hex(IV_16, iv, sizeof(iv));
	unit_hex(AD_16, ad, sizeof(ad));
	unit_hex(PLAIN_16, plain, sizeof(plain));
	n = unit_hex(CIPHER_16, in, sizeof(in));
	unit_hex(TAG_16, in + n, sizeof(in) - n);
	buf_init_secret(&out, ROOM);
	assert_int_equal(aead_open(a, key, iv, (struct aead_data){ ad, 20 }, in, n + 16, &out,
	    NULL), 0);
	assert_int_equal(out.len, sizeof(plain));
	assert_memory_equal(out.data, plain, sizeof(plain));
	/* One byte of it less, or none: it does not open. */
	buf_clear(&out);
	buf_append_str(&out, "old");
	assert_refused(aead_open(a, key, iv, (struct aead_data){ ad, 19 }, in, n + 16, &out,
	    &err), &err, &out);
	assert_refused(aead_open(a, key, iv, none, in, n + 16, &out, &err), &err, &out);
	buf_release(&out);
	aead_free(a);
}

static void
test_goes_round_with_another_key_each_time(void **state)
{
	unsigned char key[32], iv[12], before[12] = { 0 }, plain[ROOM];
	struct aead *a = aead_new(NULL);
	struct buf sealed, out;

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 7);
	buf_init(&sealed, ROOM + 16);
	buf_init_secret(&out, ROOM);
	for (size_t n = 0; n <= sizeof(plain); n += n < 70 ? 1 : 193) {
		struct aead_data ad = { plain, n % 40 };

		memset(key, (int)n, sizeof(key));
		buf_clear(&sealed);
		buf_clear(&out);
		assert_int_equal(aead_seal(a, key, ad, plain, n, iv, &sealed, NULL), 0);
		assert_int_equal(sealed.len, n + 16);
		assert_memory_not_equal(iv, before, 12);
		memcpy(before, iv, 12);
		assert_int_equal(aead_open(a, key, iv, ad, sealed.data, sealed.len, &out, NULL), 0);
		assert_int_equal(out.len, n);
		if (n > 0)
			assert_memory_equal(out.data, plain, n);
	}
	buf_release(&sealed);
	buf_release(&out);
	aead_free(a);
}

static void
test_refuses_every_flipped_bit(void **state)
{
	unsigned char key[32] = { 1 }, iv[12], ad[] = "bound to this";
	struct aead_data bound = { ad, sizeof(ad) };
	struct aead *a = aead_new(NULL);
	struct { unsigned char *p; size_t n; } parts[4];
	struct buf sealed, out;
	struct error err;

	(void)state;
	buf_init(&sealed, ROOM);
	buf_init_secret(&out, ROOM);
	assert_int_equal(aead_seal(a, key, bound, "a value", 7, iv, &sealed, NULL), 0);
	parts[0].p = key; parts[0].n = sizeof(key);
	parts[1].p = iv; parts[1].n = sizeof(iv);
	parts[2].p = ad; parts[2].n = sizeof(ad);
	parts[3].p = sealed.data; parts[3].n = sealed.len;
	buf_append_str(&out, "old");
	for (size_t i = 0; i < COUNT(parts); i++)
		for (size_t bit = 0; bit < 8 * parts[i].n; bit++) {
			parts[i].p[bit / 8] ^= (unsigned char)(1 << bit % 8);
			assert_refused(aead_open(a, key, iv, bound, sealed.data, sealed.len, &out,
			    &err), &err, &out);
			parts[i].p[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	for (size_t n = 0; n < sealed.len; n++)
		assert_refused(aead_open(a, key, iv, bound, sealed.data, n, &out, &err), &err,
		    &out);
	assert_int_equal(aead_open(a, key, iv, bound, sealed.data, sealed.len, &out, &err), 0);
	buf_release(&sealed);
	buf_release(&out);
	aead_free(a);
}

static void
test_plaintext_goes_to_secret_memory_only(void **state)
{
	unsigned char key[32] = { 1 }, iv[12];
	struct aead *a = aead_new(NULL);
	struct buf sealed, out;
	struct error err;

	(void)state;
	buf_init(&sealed, ROOM);
	buf_init(&out, ROOM);
	assert_int_equal(aead_seal(a, key, none, "a value", 7, iv, &sealed, NULL), 0);
	assert_int_equal(aead_open(a, key, iv, none, sealed.data, sealed.len, &out, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(out.len, 0);
	buf_release(&sealed);
	buf_release(&out);
	aead_free(a);
	aead_free(NULL);
}

/* A child of a fork never uses the IVs that its parent will use. */
static void
test_a_child_draws_other_ivs(void **state)
{
	unsigned char key[32] = { 1 }, iv[12], theirs[12];
	struct aead *a = aead_new(NULL);
	struct buf sealed;
	int fds[2];
	pid_t pid;

	(void)state;
	buf_init(&sealed, ROOM);
	assert_int_equal(aead_seal(a, key, none, "a value", 7, iv, &sealed, NULL), 0);
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (aead_seal(a, key, none, "a value", 7, iv, &sealed, NULL) == 0)
			(void)!write(fds[1], iv, sizeof(iv));
		_exit(0);
	}
	assert_int_equal(read(fds[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(aead_seal(a, key, none, "a value", 7, iv, &sealed, NULL), 0);
	assert_memory_not_equal(iv, theirs, sizeof(iv));
	close(fds[0]);
	close(fds[1]);
	buf_release(&sealed);
	aead_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers_without_associated_data),
		cmocka_unit_test(test_known_answer_with_associated_data),
		cmocka_unit_test(test_goes_round_with_another_key_each_time),
		cmocka_unit_test(test_refuses_every_flipped_bit),
		cmocka_unit_test(test_plaintext_goes_to_secret_memory_only),
		cmocka_unit_test(test_a_child_draws_other_ivs),
	};

	(void)cbc_vectors;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
