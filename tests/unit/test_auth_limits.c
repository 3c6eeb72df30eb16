/* What is held against whoever tries too often. */
#include "auth_support.h"

/* --- failures --- */

static void
test_after_too_many_failures_an_address_must_wait(void **state)
{
	struct auth_options o = plain;
	char id[13], token[128];
	struct auth *a;
	struct call c;
	int i;

	(void)state;
	o.failures_max = 5;
	put_user("alice", "s3cret");
	snprintf(token, sizeof(token), "%s", token_for("worker", 0, id));
	a = open_with(&o);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "192.0.2.1", &c), AUTH_OK);
	for (i = 0; i < 5; i++)
		assert_int_equal(try_from(a, basic("alice", "no"), "192.0.2.1", &c), AUTH_WRONG);
	assert_int_equal(try_from(a, basic("alice", "no"), "192.0.2.1", &c), AUTH_TOO_MANY);
	assert_true(c.check.retry_after >= 1 && c.check.retry_after <= 60);
	assert_true(c.at_once);
	/* A right password that is not remembered is not even looked at ... */
	user_add("carol", "s3cret");
	for (i = 0; i < 5; i++)
		assert_int_equal(try_from(a, basic("carol", "no"), "192.0.2.1", &c), AUTH_WRONG);
	assert_int_equal(try_from(a, basic("carol", "s3cret"), "192.0.2.1", &c), AUTH_TOO_MANY);
	assert_true(c.at_once);
	/* ... but that of an account that nobody tried is. */
	user_add("bob", "s3cret");
	assert_int_equal(try_from(a, basic("bob", "s3cret"), "192.0.2.1", &c), AUTH_OK);
	/* Who is known goes on working, and so does who cannot be guessed. */
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "192.0.2.1", &c), AUTH_OK);
	assert_int_equal(try_from(a, bearer(token), "192.0.2.1", &c), AUTH_OK);
	assert_int_equal(try_from(a, NULL, "192.0.2.1", &c), AUTH_NONE);
	/* Others are not punished. */
	assert_int_equal(try_from(a, basic("alice", "no"), "192.0.2.2", &c), AUTH_WRONG);
	auth_close(a);
}

static void
test_who_was_right_once_is_checked_also_after_failures_of_others(void **state)
{
	struct auth_options o = plain;
	struct auth *a;
	struct call c;

	(void)state;
	o.failures_max = 2;
	o.cache_ms = 1;
	put_user("alice", "s3cret");
	a = open_with(&o);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	while (try_from(a, basic("alice", "no"), "::1", &c) != AUTH_TOO_MANY)
		;
	usleep(20000);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	assert_false(c.at_once);
	/* After a change it is looked at once more, and is one like others then. */
	user_add("alice", "new");
	try_from(a, basic("alice", "s3cret"), "::1", &c);
	assert_int_equal(c.check.result, AUTH_TOO_MANY);
	assert_false(c.at_once);
	try_from(a, basic("alice", "s3cret"), "::1", &c);
	assert_int_equal(c.check.result, AUTH_TOO_MANY);
	assert_true(c.at_once);
	assert_int_equal(try_from(a, basic("alice", "new"), "::1", &c), AUTH_TOO_MANY);
	assert_int_equal(try_from(a, basic("alice", "new"), "192.0.2.7", &c), AUTH_OK);
	auth_close(a);
}

static void
test_no_credentials_are_no_failure(void **state)
{
	struct auth_options o = plain;
	struct auth *a;
	struct call c;

	(void)state;
	o.failures_max = 1;
	a = open_with(&o);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(try_from(a, NULL, "::1", &c), AUTH_NONE);
		assert_int_equal(try_from(a, "Digest x", "::1", &c), AUTH_NONE);
		assert_false(c.check.report_failure);
	}
	auth_close(a);
}

static void
add_folded(void *cookie, const char *peer, uint64_t folded)
{
	(void)peer;
	*(uint64_t *)cookie += folded;
}

static void
test_ten_thousand_failures_make_few_lines_and_the_right_total(void **state)
{
	struct auth_options o = plain;
	uint64_t total = 0;
	int i, lines = 0;
	struct auth *a;
	struct call c;

	(void)state;
	o.failures_max = 20;
	a = open_with(&o);
	for (i = 0; i < 10000; i++) {
		try_from(a, "Bearer wrong", "192.0.2.1", &c);
		if (c.check.report_failure) {
			lines++;
			total += 1 + c.check.folded;
		} else
			assert_int_equal(c.check.folded, 0);
	}
	assert_true(lines >= 1 && lines < 100);
	auth_folded(a, true, add_folded, &total);
	assert_int_equal(total, 10000);
	auth_folded(a, true, add_folded, &total);
	assert_int_equal(total, 10000);
	auth_close(a);
}

/* --- the throttle, with a clock of our own --- */

static uint64_t
failures(struct throttle *t, const char *peer, int64_t now, int n, int *lines)
{
	uint64_t folded, total = 0;
	bool report;

	for (int i = 0; i < n; i++) {
		throttle_failure(t, peer, NULL, now, &report, &folded);
		if (report) {
			(*lines)++;
			total += 1 + folded;
		}
	}
	return total;
}

static void
test_a_minute_later_an_address_may_try_again(void **state)
{
	struct throttle *t = throttle_new(3, THROTTLE_LINES, THROTTLE_WINDOW_MS, NULL);
	unsigned after = 0;
	int lines = 0;

	(void)state;
	failures(t, "::1", 1000, 3, &lines);
	assert_true(throttle_refuses(t, "::1", NULL, 1000, &after));
	assert_int_equal(after, 60);
	assert_true(throttle_refuses(t, "::1", NULL, 60001, &after));
	assert_int_equal(after, 1);
	assert_false(throttle_refuses(t, "::1", NULL, 61000, &after));
	failures(t, "::1", 61000, 2, &lines);
	assert_false(throttle_refuses(t, "::1", NULL, 61000, &after));
	throttle_free(t);
	t = throttle_new(0, THROTTLE_LINES, THROTTLE_WINDOW_MS, NULL);
	failures(t, "::1", 1000, 1000, &lines);
	assert_false(throttle_refuses(t, "::1", NULL, 1000, &after));
	throttle_free(t);
}

static void
test_an_account_is_refused_at_one_address(void **state)
{
	struct throttle *t = throttle_new(1, THROTTLE_LINES, THROTTLE_WINDOW_MS, NULL);
	uint64_t folded;
	unsigned after;
	bool report;

	(void)state;
	throttle_failure(t, "192.0.2.1", "alice", 0, &report, &folded);
	assert_true(throttle_refuses(t, "192.0.2.1", "alice", 0, &after));
	assert_false(throttle_refuses(t, "192.0.2.1", "alic", 0, &after));
	assert_false(throttle_refuses(t, "192.0.2.1", "", 0, &after));
	assert_false(throttle_refuses(t, "192.0.2.1", NULL, 0, &after));
	assert_false(throttle_refuses(t, "192.0.2.2", "alice", 0, &after));
	throttle_failure(t, "2001:db8::1", "alice", 0, &report, &folded);
	assert_true(throttle_refuses(t, "2001:db8::2", "alice", 0, &after));
	throttle_free(t);
}

static void
test_neighbours_of_an_ipv6_network_count_together(void **state)
{
	struct throttle *t = throttle_new(1, THROTTLE_LINES, THROTTLE_WINDOW_MS, NULL);
	unsigned after;
	int lines = 0;

	(void)state;
	failures(t, "2001:db8::1", 0, 1, &lines);
	assert_true(throttle_refuses(t, "2001:db8::ffff:1", NULL, 0, &after));
	assert_false(throttle_refuses(t, "2001:db8:0:1::1", NULL, 0, &after));
	failures(t, "::ffff:192.0.2.1", 0, 1, &lines);
	assert_true(throttle_refuses(t, "192.0.2.1", NULL, 0, &after));
	assert_false(throttle_refuses(t, "192.0.2.2", NULL, 0, &after));
	failures(t, "unix", 0, 1, &lines);
	assert_true(throttle_refuses(t, "unix", NULL, 0, &after));
	assert_false(throttle_refuses(t, "", NULL, 0, &after));
	throttle_free(t);
}

static void
test_no_failure_of_many_addresses_goes_uncounted(void **state)
{
	struct throttle *t = throttle_new(20, THROTTLE_LINES, THROTTLE_WINDOW_MS, NULL);
	uint64_t total = 0;
	char peer[32];
	int i, lines = 0;

	(void)state;
	for (i = 0; i < 30000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d", i & 255, i >> 8 & 255, i >> 16);
		total += failures(t, peer, i, 7, &lines);
	}
	throttle_folded(t, 30000, true, add_folded, &total);
	assert_int_equal(total, 7 * 30000);
	throttle_free(t);
}

static void
test_folded_failures_are_handed_over_in_time(void **state)
{
	struct throttle *t = throttle_new(20, THROTTLE_LINES, THROTTLE_WINDOW_MS, NULL);
	uint64_t total, late = 0;
	int lines = 0;

	(void)state;
	total = failures(t, "::1", 0, 100, &lines);
	assert_int_equal(lines, THROTTLE_LINES);
	throttle_folded(t, 5000, false, add_folded, &late);
	assert_int_equal(late, 0);
	throttle_folded(t, 10000, false, add_folded, &late);
	assert_int_equal(total + late, 100);
	/* Or the next failure carries them along. */
	total = failures(t, "::1", 15000, 10, &lines);
	assert_int_equal(total, 0);
	total += failures(t, "::1", 21000, 1, &lines);
	assert_int_equal(total, 11);
	throttle_free(t);
}

/* --- the rate --- */

static void
test_a_rate_is_kept(void **state)
{
	struct rate *r = rate_new(10, 5, NULL);
	unsigned after = 0;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_true(rate_take(r, "a", 1000000, &after));
	assert_false(rate_take(r, "a", 1000000, &after));
	assert_int_equal(after, 1);
	assert_true(rate_take(r, "b", 1000000, &after));
	assert_false(rate_take(r, "a", 1099999, &after));
	assert_true(rate_take(r, "a", 1100000, &after));
	assert_false(rate_take(r, "a", 1100000, &after));
	for (i = 0; i < 5; i++)
		assert_true(rate_take(r, "a", (int64_t)1 << 60, &after));
	assert_false(rate_take(r, "a", (int64_t)1 << 60, &after));
	rate_free(r);
	r = rate_new(0, 0, NULL);
	for (i = 0; i < 1000; i++)
		assert_true(rate_take(r, "a", 0, &after));
	rate_free(r);
	r = rate_new(2, 0, NULL);
	assert_true(rate_take(r, "a", 5, &after));
	assert_true(rate_take(r, "a", 5, &after));
	assert_false(rate_take(r, "a", 5, &after));
	rate_free(r);
}

static void
test_a_principal_over_its_rate_is_told_when(void **state)
{
	struct auth_options o = plain;
	unsigned after = 0;
	struct auth *a;
	int i, taken = 0;

	(void)state;
	o.rate_limit = 1;
	o.rate_burst = 3;
	a = open_with(&o);
	for (i = 0; i < 100; i++)
		taken += auth_rate(a, "alice", &after);
	assert_true(taken >= 3 && taken < 100);
	assert_int_equal(after, 1);
	assert_true(auth_rate(a, "bob", &after));
	auth_close(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(test_after_too_many_failures_an_address_must_wait),
		AUTH_TEST(test_who_was_right_once_is_checked_also_after_failures_of_others),
		AUTH_TEST(test_no_credentials_are_no_failure),
		AUTH_TEST(test_ten_thousand_failures_make_few_lines_and_the_right_total),
		AUTH_TEST(test_a_minute_later_an_address_may_try_again),
		AUTH_TEST(test_an_account_is_refused_at_one_address),
		AUTH_TEST(test_neighbours_of_an_ipv6_network_count_together),
		AUTH_TEST(test_no_failure_of_many_addresses_goes_uncounted),
		AUTH_TEST(test_folded_failures_are_handed_over_in_time),
		AUTH_TEST(test_a_rate_is_kept),
		AUTH_TEST(test_a_principal_over_its_rate_is_told_when),
	};

	return cmocka_run_group_tests_name("auth_limits", tests, NULL, NULL);
}
