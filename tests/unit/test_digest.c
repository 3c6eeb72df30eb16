#include <pthread.h>

#include "crypto/mac.h"
#include "unit.h"

/* FIPS 180-2, appendix B.1 to B.3, and the digest of nothing. */
static void
test_known_answers(void **state)
{
	static const struct {
		const char *text, *want;
	} vectors[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	unsigned char want[DIGEST_SHA256], out[DIGEST_SHA256];
	struct digest *d = digest_new(NULL);
	char *many = malloc(1000000);

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		unit_hex(vectors[i].want, want, sizeof(want));
		assert_int_equal(digest_sha256(d, vectors[i].text, strlen(vectors[i].text), out), 0);
		assert_memory_equal(out, want, sizeof(want));
	}
	assert_non_null(many);
	memset(many, 'a', 1000000);
	unit_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", want,
	    sizeof(want));
	assert_int_equal(digest_sha256(d, many, 1000000, out), 0);
	assert_memory_equal(out, want, sizeof(want));
	free(many);
	digest_free(d);
	digest_free(NULL);
}

static void *
digest_many(void *arg)
{
	unsigned char want[DIGEST_SHA256], out[DIGEST_SHA256];
	uintptr_t wrong = 0;

	unit_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", want,
	    sizeof(want));
	for (int i = 0; i < 2000; i++)
		if (digest_sha256(arg, "abc", 3, out) == -1 || memcmp(out, want, 32) != 0)
			wrong++;
	return (void *)wrong;
}

static void
test_threads_share_one(void **state)
{
	struct digest *d = digest_new(NULL);
	pthread_t threads[4];
	void *wrong;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, digest_many, d), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	digest_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_threads_share_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
