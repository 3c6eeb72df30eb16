#include "base/buf.h"
#include "unit.h"

static struct buf_pool *
start(void)
{
	struct buf_pool *p = buf_pool_new(NULL);

	assert_non_null(p);
	return p;
}

static void
test_what_was_given_is_taken_again_empty_and_wiped(void **state)
{
	struct buf_pool *p = start();
	const unsigned char *pages;
	struct buf a, b;

	(void)state;
	buf_init_secret(&a, 100);
	buf_init_secret(&b, 50);
	buf_append_str(&a, "a passphrase");
	pages = a.data;
	buf_pool_give(p, &a);
	assert_null(a.data);
	assert_int_equal(a.len + a.cap, 0);
	assert_int_equal(a.max, 100);

	buf_pool_take(p, &b);
	assert_ptr_equal(b.data, pages);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 50);
	assert_true(b.secret);
	assert_true(unit_all_zero(b.data, b.cap));
	buf_append(&b, "0123456789", 10);
	assert_int_equal(buf_check(&b, NULL), 0);
	assert_int_equal(b.len, 10);

	/* Its own maximum holds, however large the pages are. */
	assert_true(b.cap > 50);
	for (int i = 0; i < 5; i++)
		buf_append(&b, "0123456789", 10);
	assert_int_equal(buf_check(&b, NULL), -1);
	buf_release(&b);
	buf_pool_free(p);
}

static void
test_a_failure_does_not_stay_with_the_pages(void **state)
{
	struct buf_pool *p = start();
	struct buf b;

	(void)state;
	buf_init_secret(&b, 4);
	buf_append(&b, "ab", 2);
	buf_append(&b, "cdefgh", 6);
	assert_true(b.failed);
	buf_pool_give(p, &b);
	assert_false(b.failed);
	buf_pool_take(p, &b);
	assert_non_null(b.data);
	buf_append(&b, "ab", 2);
	assert_int_equal(buf_check(&b, NULL), 0);
	buf_release(&b);
	buf_pool_free(p);
}

static void
test_plain_used_and_large_buffers_have_no_part_in_it(void **state)
{
	struct buf_pool *p = start();
	const unsigned char *pages;
	struct buf b, plain;

	(void)state;
	/* Nothing rests there: one gets none. */
	buf_init_secret(&b, 1 << 20);
	buf_pool_take(p, &b);
	assert_null(b.data);

	/* A large one goes back to the system. */
	assert_int_equal(buf_reserve(&b, BUF_POOL_BYTES + 1), 0);
	buf_pool_give(p, &b);
	assert_null(b.data);
	buf_pool_take(p, &b);
	assert_null(b.data);

	/* A plain one is released, and gets no secret pages. */
	buf_init(&plain, 100);
	buf_append_str(&plain, "text");
	buf_pool_give(p, &plain);
	assert_null(plain.data);
	buf_append_str(&b, "x");
	buf_pool_give(p, &b);
	buf_pool_take(p, &plain);
	assert_null(plain.data);

	/* One that has pages keeps them. */
	buf_append_str(&b, "y");
	pages = b.data;
	buf_pool_take(p, &b);
	assert_ptr_equal(b.data, pages);
	assert_int_equal(b.len, 1);
	buf_release(&b);
	buf_pool_free(p);
}

static void
test_no_more_rest_there_than_the_maximum(void **state)
{
	static struct buf bufs[BUF_POOL_COUNT + 1];
	struct buf_pool *p = start();
	size_t i, n = 0;

	(void)state;
	for (i = 0; i <= BUF_POOL_COUNT; i++) {
		buf_init_secret(&bufs[i], 100);
		buf_append_char(&bufs[i], 'x');
	}
	for (i = 0; i <= BUF_POOL_COUNT; i++)
		buf_pool_give(p, &bufs[i]);
	for (i = 0; i <= BUF_POOL_COUNT; i++) {
		buf_pool_take(p, &bufs[i]);
		n += bufs[i].data != NULL;
	}
	assert_int_equal(n, BUF_POOL_COUNT);
	for (i = 0; i <= BUF_POOL_COUNT; i++)
		buf_release(&bufs[i]);
	buf_pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_given_is_taken_again_empty_and_wiped),
		cmocka_unit_test(test_a_failure_does_not_stay_with_the_pages),
		cmocka_unit_test(test_plain_used_and_large_buffers_have_no_part_in_it),
		cmocka_unit_test(test_no_more_rest_there_than_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
