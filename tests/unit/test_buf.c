#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "unit.h"

/* Each test runs with a plain and with a secret buffer. */
static void
start(struct buf *b, size_t max, int secret)
{
	if (secret)
		buf_init_secret(b, max);
	else
		buf_init(b, max);
	assert_int_equal(b->secret, secret);
	assert_null(b->data);
}

static void
test_appends_add_up(void **state)
{
	struct buf b;
	size_t i;
	int secret;

	(void)state;
	for (secret = 0; secret < 2; secret++) {
		start(&b, 1000000, secret);
		for (i = 0; i < 50000; i++)
			buf_append_char(&b, (char)('a' + i % 26));
		buf_append_str(&b, "end");
		buf_append(&b, "\0x", 2);
		buf_append(&b, NULL, 0);
		assert_int_equal(buf_check(&b, NULL), 0);
		assert_int_equal(b.len, 50005);
		for (i = 0; i < 50000; i++)
			assert_int_equal(b.data[i], 'a' + i % 26);
		assert_memory_equal(b.data + 50000, "end\0x", 5);
		buf_release(&b);
		assert_null(b.data);
		assert_int_equal(b.len + b.cap, 0);
		assert_int_equal(b.max, 1000000);
		assert_int_equal(b.secret, secret);
	}
}

static void
test_growth_is_geometric(void **state)
{
	struct buf b;
	size_t i, cap = 0;
	int secret, changes;

	(void)state;
	for (secret = 0; secret < 2; secret++) {
		start(&b, 10000000, secret);
		changes = 0;
		for (i = 0; i < 1000000; i++) {
			buf_append_char(&b, 'x');
			changes += b.cap != cap;
			cap = b.cap;
		}
		assert_in_range(changes, 1, 30);
		assert_int_equal(buf_check(&b, NULL), 0);
		buf_release(&b);
	}
	/* What is asked for at once is not doubled on top. */
	start(&b, 10000000, 1);
	assert_int_equal(buf_reserve(&b, 1000000), 0);
	assert_in_range(b.cap, 1000000, 1100000);
	buf_release(&b);
}

static void
test_the_maximum_is_exact_and_failure_is_sticky(void **state)
{
	struct error err;
	struct buf b;
	int secret;

	(void)state;
	for (secret = 0; secret < 2; secret++) {
		start(&b, 5, secret);
		buf_append_str(&b, "12345");
		assert_int_equal(buf_check(&b, &err), 0);
		assert_string_equal(buf_cstr(&b), "12345");
		buf_append_str(&b, "6");
		buf_truncate(&b, 0);
		buf_append_str(&b, "a");
		assert_int_equal(b.len, 0);
		assert_true(b.failed);
		assert_int_equal(buf_reserve(&b, 1), -1);
		assert_string_equal(buf_cstr(&b), "");
		assert_int_equal(buf_check(&b, &err), -1);
		assert_int_equal(err.code, ERROR_LIMIT);
		buf_clear(&b);
		assert_int_equal(buf_check(&b, &err), 0);
		buf_append_str(&b, "b");
		assert_string_equal(buf_cstr(&b), "b");
		assert_int_equal(buf_reserve(&b, SIZE_MAX), -1);
		buf_release(&b);
		assert_false(b.failed);
	}
}

static void
test_no_memory_is_reported(void **state)
{
	struct error err;
	struct buf b;

	(void)state;
	/* An absurd size, which no allocator gives. */
	start(&b, SIZE_MAX, 1);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 4), -1);
	assert_int_equal(buf_check(&b, &err), -1);
	assert_int_equal(err.code, ERROR_MEMORY);
	buf_release(&b);
}

static void
test_cstr_at_every_fill(void **state)
{
	struct buf b;
	size_t i;
	int secret;

	(void)state;
	for (secret = 0; secret < 2; secret++) {
		start(&b, 9000, secret);
		assert_string_equal(buf_cstr(&b), "");
		for (i = 0; i < 9000; i++) {
			buf_append_char(&b, 'x');
			assert_int_equal(buf_cstr(&b)[i + 1], '\0');
			assert_int_equal(b.len, i + 1);
		}
		assert_int_equal(strlen(buf_cstr(&b)), 9000);
		buf_release(&b);
	}
	start(&b, 0, 0);
	assert_string_equal(buf_cstr(&b), "");
	assert_false(b.failed);
	buf_release(&b);
}

static void
test_printf(void **state)
{
	struct error err;
	struct buf b;

	(void)state;
	start(&b, 10, 0);
	buf_printf(&b, "%s-%d", "abc", 42);
	buf_printf(&b, "%s", "");
	buf_printf(&b, "%04d", 7);
	assert_string_equal(buf_cstr(&b), "abc-420007");
	buf_printf(&b, "%c", 'x');
	assert_int_equal(buf_check(&b, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	buf_release(&b);

	start(&b, 100, 1);
	buf_printf(&b, "%s", "abc");
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_check(&b, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	buf_release(&b);
}

static void
test_the_first_reason_stays(void **state)
{
	struct error err;
	struct buf b;

	(void)state;
	start(&b, 10, 0);
	assert_int_equal(buf_fail(&b, ERROR_REFUSED), -1);
	assert_int_equal(buf_fail(&b, ERROR_LIMIT), -1);
	assert_int_equal(buf_check(&b, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	buf_release(&b);
}

static void
test_what_a_secret_buffer_drops_is_wiped(void **state)
{
	struct buf b;

	(void)state;
	start(&b, 1000, 1);
	buf_append_str(&b, "keep+secret");
	buf_truncate(&b, 100);
	assert_int_equal(b.len, 11);
	buf_truncate(&b, 4);
	assert_string_equal(buf_cstr(&b), "keep");
	assert_true(unit_all_zero(b.data + 4, b.cap - 4));
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_true(unit_all_zero(b.data, b.cap));
	buf_release(&b);
}

static void
test_move(void **state)
{
	struct buf a, b;
	const unsigned char *data;

	(void)state;
	start(&a, 10, 0);
	start(&b, 99, 1);
	buf_append_str(&a, "old");
	buf_append_str(&b, "new");
	data = b.data;
	buf_move(&a, &b);
	assert_ptr_equal(a.data, data);
	assert_true(a.secret);
	assert_int_equal(a.max, 99);
	assert_string_equal(buf_cstr(&a), "new");
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
	assert_true(b.secret);
	buf_move(&a, &a);
	assert_string_equal(buf_cstr(&a), "new");
	buf_append_str(&b, "again");
	assert_string_equal(buf_cstr(&b), "again");
	buf_release(&a);
	buf_release(&b);
	buf_release(&b);
}

static void
test_take(void **state)
{
	struct buf b;
	char *text;

	(void)state;
	start(&b, 10, 0);
	assert_null(buf_take(&b));
	buf_append_str(&b, "taken");
	text = buf_take(&b);
	assert_memory_equal(text, "taken", 5);
	free(text);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
	buf_append_str(&b, "longer than 10");
	assert_null(buf_take(&b));
	buf_release(&b);
	start(&b, 10, 1);
	buf_append_str(&b, "secret");
	assert_null(buf_take(&b));
	assert_string_equal(buf_cstr(&b), "secret");
	buf_release(&b);
}

static void
test_vec_grows_zeroed_up_to_its_maximum(void **state)
{
	struct vec v;
	uint64_t *item;
	size_t i;

	(void)state;
	vec_init(&v, sizeof(*item), 1001);
	for (i = 0; i < 1001; i++) {
		item = vec_push(&v);
		assert_non_null(item);
		assert_int_equal(*item, 0);
		*item = i + 1;
	}
	assert_null(vec_push(&v));
	assert_int_equal(v.len, 1001);
	for (i = 0; i < v.len; i++) {
		item = vec_at(&v, i);
		assert_int_equal(*item, i + 1);
	}
	vec_release(&v);
	assert_int_equal(v.len, 0);
	item = vec_push(&v);
	assert_non_null(item);
	assert_int_equal(*item, 0);
	vec_release(&v);
	vec_init(&v, SIZE_MAX / 2, 10);
	assert_null(vec_push(&v));
}

static void
test_a_settled_buffer_keeps_its_bytes_and_grows(void **state)
{
	static const size_t sizes[] = { 0, 1, 64, 2000, 2048, 2049, 5000 };
	unsigned char bytes[5000];
	struct buf b;

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_init_secret(&b, BUF_MAX_FILE);
		buf_append(&b, bytes, sizes[i]);
		buf_settle(&b);
		buf_settle(&b);
		if (sizes[i] > 0 && sizes[i] <= 2048)
			assert_in_range(b.cap, sizes[i], 2048);
		assert_int_equal(b.len, sizes[i]);
		assert_memory_equal(b.data != NULL ? b.data : bytes, bytes, sizes[i]);
		buf_append(&b, bytes, sizeof(bytes));
		assert_int_equal(buf_check(&b, NULL), 0);
		assert_int_equal(b.len, sizes[i] + sizeof(bytes));
		assert_memory_equal(b.data, bytes, sizeof(bytes));
		assert_memory_equal(b.data + sizes[i], bytes, sizeof(bytes));
		buf_release(&b);
	}
}

struct drained {
	unsigned char bytes[1000000];
	size_t len;
	size_t most;	/* in one piece */
	int why;	/* it takes no more */
};

static int
take_away(void *cookie, const unsigned char *bytes, size_t n)
{
	struct drained *d = cookie;

	assert_true(n <= sizeof(d->bytes) - d->len);
	memcpy(d->bytes + d->len, bytes, n);
	d->len += n;
	d->most = n > d->most ? n : d->most;
	return d->why;
}

static void
test_a_buffer_that_drains(void **state)
{
	static struct drained d;
	static unsigned char large[3 * BUF_DRAIN];
	struct error err;
	struct buf b;
	size_t n = 0;

	(void)state;
	buf_init_drain(&b, sizeof(d.bytes), take_away, &d);
	for (; n < 300000; n++) {
		buf_append_char(&b, (char)(n % 251));
		/* Who writes may look at what was written last. */
		assert_int_equal(b.data[b.len - 1], n % 251);
	}
	assert_true(b.secret && b.cap <= BUF_DRAIN && d.most <= BUF_DRAIN);
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (unsigned char)((n + i) % 251);
	buf_append(&b, large, sizeof(large));
	assert_int_equal(b.data[b.len - 1], large[sizeof(large) - 1]);
	assert_true(b.cap <= BUF_DRAIN);
	n += sizeof(large);
	buf_drain(&b);
	assert_int_equal(buf_check(&b, &err), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(d.len, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(d.bytes[i], i % 251);
	/* What has drained counts towards the maximum. */
	while (n + sizeof(large) <= sizeof(d.bytes)) {
		buf_append(&b, large, sizeof(large));
		n += sizeof(large);
	}
	assert_false(b.failed);
	buf_append(&b, large, sizeof(d.bytes) - n + 1);
	assert_int_equal(buf_check(&b, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	buf_release(&b);
	/* It fails with what takes the bytes away. */
	memset(&d, 0, sizeof(d));
	d.why = ERROR_LIMIT;
	buf_init_drain(&b, sizeof(d.bytes), take_away, &d);
	buf_append(&b, large, sizeof(large));
	assert_int_equal(buf_check(&b, &err), -1);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends_add_up),
		cmocka_unit_test(test_a_buffer_that_drains),
		cmocka_unit_test(test_growth_is_geometric),
		cmocka_unit_test(test_the_maximum_is_exact_and_failure_is_sticky),
		cmocka_unit_test(test_no_memory_is_reported),
		cmocka_unit_test(test_cstr_at_every_fill),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_the_first_reason_stays),
		cmocka_unit_test(test_what_a_secret_buffer_drops_is_wiped),
		cmocka_unit_test(test_a_settled_buffer_keeps_its_bytes_and_grows),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_vec_grows_zeroed_up_to_its_maximum)
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
