#include <pthread.h>

#include <openssl/crypto.h>

#include "base/secmem.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "crypto/memory.h"
#include "canary.h"

#define MASKED 16

/* The first bytes of a key, XOR 0x5a. */
static void
mask_key(const struct key *k, unsigned char masked[MASKED])
{
	const unsigned char *bytes = key_bytes(k);

	for (size_t i = 0; i < MASKED; i++)
		masked[i] = bytes[i] ^ 0x5a;
}

static void
test_contexts_leave_no_key_on_the_heap(void **state)
{
	struct key *k = key_new_random(32, NULL);
	unsigned char masked[MASKED], iv[AEAD_IV], sum[MAC_BYTES];
	struct cipher *c = cipher_new(k, NULL);
	struct mac *m = mac_new(k, "a purpose", NULL);
	struct aead *a = aead_new(NULL);
	struct buf out;

	(void)state;
	assert_true(c != NULL && m != NULL && a != NULL);
	mask_key(k, masked);
	buf_init(&out, 4096);
	assert_int_equal(cipher_seal(c, "text", 4, iv, &out, NULL), 0);
	assert_int_equal(aead_seal(a, key_bytes(k), (struct aead_data){ NULL, 0 }, "text", 4, iv,
	    &out, NULL), 0);
	assert_int_equal(mac_sum(m, "name", 4, "text", 4, sum, NULL), 0);
	/* A sanitizer has no heap that is called so. */
	assert_int_not_equal(heap_holds_masked(masked, MASKED), 1);
	cipher_free(c);
	mac_free(m);
	aead_free(a);
	/* A sanitizer has no heap that is called so. */
	assert_int_not_equal(heap_holds_masked(masked, MASKED), 1);
	buf_release(&out);
	key_free(k);
}

/* What was made in a section is secret, moved or freed outside of it; the rest is not. */
static void
test_sections_say_where_memory_comes_from(void **state)
{
	unsigned char *secret, *moved, *plain;

	(void)state;
	plain = OPENSSL_malloc(100);
	openssl_memory_enter();
	openssl_memory_enter();
	secret = OPENSSL_malloc(100);
	openssl_memory_leave();
	moved = OPENSSL_malloc(300);
	openssl_memory_leave();
	assert_true(plain != NULL && secret != NULL && moved != NULL);
	memset(secret, 0xa5, 100);
	memset(moved, 0xa5, 300);
	moved = OPENSSL_realloc(moved, 3000);
	assert_non_null(moved);
	assert_int_equal(moved[299], 0xa5);
	OPENSSL_free(secret);
	/* Wiped, and still there for the next one. */
	assert_true(unit_all_zero(secret, 100));
	openssl_memory_enter();
	assert_ptr_equal(OPENSSL_malloc(90), secret);
	openssl_memory_leave();
	OPENSSL_free(secret);
	OPENSSL_free(moved);
	OPENSSL_free(plain);
}

static void
test_large_ones_are_the_heaps(void **state)
{
	unsigned char *large;

	(void)state;
	openssl_memory_enter();
	large = OPENSSL_malloc(1 << 20);
	openssl_memory_leave();
	assert_non_null(large);
	memset(large, 1, 1 << 20);
	OPENSSL_free(large);
}

static void *
make_contexts(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		struct key *k = key_new_random(32, NULL);
		struct cipher *c = cipher_new(k, NULL);
		struct mac *m = mac_new(k, "a purpose", NULL);

		assert_true(c != NULL && m != NULL);
		cipher_free(c);
		mac_free(m);
		key_free(k);
	}
	return NULL;
}

static void
test_threads_make_contexts_at_a_time(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_contexts, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
seal_in_child(void *arg)
{
	struct key *k = key_new_random(32, NULL);
	struct cipher *c = cipher_new(k, NULL);
	unsigned char iv[AEAD_IV];
	struct buf out;

	(void)arg;
	buf_init(&out, 4096);
	_exit(c != NULL && cipher_seal(c, "text", 4, iv, &out, NULL) == 0 ? 0 : 1);
}

/* It finds the pieces empty, and makes its own. */
static void
test_a_forked_child_begins_anew(void **state)
{
	struct key *k = key_new_random(32, NULL);
	struct cipher *c = cipher_new(k, NULL);
	int status;

	(void)state;
	assert_non_null(c);
	status = unit_in_child(seal_in_child, NULL);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cipher_free(c);
	key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contexts_leave_no_key_on_the_heap),
		cmocka_unit_test(test_sections_say_where_memory_comes_from),
		cmocka_unit_test(test_large_ones_are_the_heaps),
		cmocka_unit_test(test_threads_make_contexts_at_a_time),
		cmocka_unit_test(test_a_forked_child_begins_anew)
	};

	/* Before OpenSSL is used: as the programs do first of all. */
	if (openssl_memory_begin(false, NULL) != 0)
		return 1;
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
