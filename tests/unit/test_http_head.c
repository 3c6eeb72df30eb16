#include "unit.h"

#include "base/buf.h"
#include "registry/http/http_internal.h"

#define H "Host: h\r\n"

static struct http_head head;
static char text[64 * 1024];

/* Find the end and parse, with all bytes at once; the status. */
static int
parse_bytes(const char *raw, size_t n)
{
	struct http_head_scan scan = { 0, 0 };
	int status;
	size_t end;

	assert_true(n < sizeof(text));
	memcpy(text, raw, n);
	end = http_head_end(&scan, text, n, &status);
	if (status != 0)
		return status;
	if (end == 0)
		return -1;
	return http_head_parse(&head, text, end);
}

static int
parse(const char *raw)
{
	return parse_bytes(raw, strlen(raw));
}

static void
check_all(const char *const *raw, size_t n, int status)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int got = parse(raw[i]);

		if (got != status)
			fail_msg("%d for %s", got, raw[i]);
	}
}

#define assert_all(list, status) check_all(list, sizeof(list) / sizeof(list[0]), status)

static const char *
value_of(const char *name)
{
	size_t i = 0;
	const struct http_field *f = http_head_find(&head, name, &i);

	return f != NULL ? f->value : NULL;
}

static void
test_reads_a_request(void **state)
{
	(void)state;
	assert_int_equal(parse("GET /a%2Fb?x=1?y HTTP/1.1\r\nHost: h:80\r\n"
	    "X-A:\t v w \t\r\nE:\r\n\r\n"), 0);
	assert_int_equal(head.method, HTTP_GET);
	assert_string_equal(head.method_name, "GET");
	assert_string_equal(head.path, "/a%2Fb");
	assert_string_equal(head.query, "x=1?y");
	assert_int_equal(head.count, 3);
	assert_string_equal(value_of("host"), "h:80");
	assert_string_equal(value_of("x-a"), "v w");
	assert_string_equal(value_of("E"), "");
	assert_null(value_of("X"));
	assert_true(head.keep);
	assert_false(head.chunked);
	assert_int_equal(head.length, 0);
}

static void
test_the_end_is_found_at_every_cut(void **state)
{
	static const char raw[] = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nrest";
	size_t whole = sizeof(raw) - 1 - 4;
	struct http_head_scan scan = { 0, 0 };
	size_t n;
	int status;

	(void)state;
	for (n = 1; n < whole; n++) {
		assert_int_equal(http_head_end(&scan, raw, n, &status), 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(http_head_end(&scan, raw, sizeof(raw) - 1, &status), whole);
}

static void
test_one_empty_line_before_is_let_pass(void **state)
{
	(void)state;
	assert_int_equal(parse("\r\nGET / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.path, "/");
	assert_int_equal(parse("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"), 400);
}

static void
test_methods(void **state)
{
	(void)state;
	assert_int_equal(parse("PATCH / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_int_equal(head.method, HTTP_PATCH);
	assert_int_equal(parse("get / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_int_equal(head.method, HTTP_OTHER);
	assert_string_equal(head.method_name, "get");
	assert_int_equal(parse("BREW / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_int_equal(head.method, HTTP_OTHER);
}

static void
test_bad_request_lines(void **state)
{
	static const char *const bad[] = {
		"GET /\r\n" H "\r\n",
		"GET\r\n" H "\r\n",
		" GET / HTTP/1.1\r\n" H "\r\n",
		"GET  / HTTP/1.1\r\n" H "\r\n",
		"GET /  HTTP/1.1\r\n" H "\r\n",
		"GET / HTTP/1.1 \r\n" H "\r\n",
		"GET /a b HTTP/1.1\r\n" H "\r\n",
		"GET / http/1.1\r\n" H "\r\n",
		"GET / HTTP/1.11\r\n" H "\r\n",
		"GET / HTTP/1\r\n" H "\r\n",
		"GET / HTTP/a.b\r\n" H "\r\n",
		"G@T / HTTP/1.1\r\n" H "\r\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1\r\n" H "\r\n",
		"GET a HTTP/1.1\r\n" H "\r\n",
		"GET * HTTP/1.1\r\n" H "\r\n",
		"GET /#a HTTP/1.1\r\n" H "\r\n",
		"GET /\x7f HTTP/1.1\r\n" H "\r\n",
		"GET /\t HTTP/1.1\r\n" H "\r\n",
		"CONNECT h:443 HTTP/1.1\r\n" H "\r\n",
		"GET / HTTP/1.1\n" H "\r\n",
		"GET / HTTP/1.1\r\r\n" H "\r\n",
	};

	(void)state;
	assert_all(bad, 400);
	assert_int_equal(parse("OPTIONS * HTTP/1.1\r\n" H "\r\n"), 0);
	assert_int_equal(parse_bytes("GET /a\0b HTTP/1.1\r\n" H "\r\n", 30), 400);
	assert_int_equal(parse_bytes("GET / HTTP/1.1\0\r\n" H "\r\n", 28), 400);
}

static void
test_versions(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/2.0\r\n" H "\r\n"), 505);
	assert_int_equal(parse("GET / HTTP/1.2\r\n" H "\r\n"), 505);
	assert_int_equal(parse("GET / HTTP/0.9\r\n" H "\r\n"), 505);
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	assert_false(head.keep);
	assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 0);
	assert_true(head.keep);
	assert_int_equal(parse("GET / HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n"), 0);
	assert_false(head.keep);
}

static void
test_absolute_targets(void **state)
{
	(void)state;
	assert_int_equal(parse("GET http://a.b:8/p?q HTTP/1.1\r\nHost: other\r\n\r\n"), 0);
	assert_string_equal(head.path, "/p");
	assert_string_equal(head.query, "q");
	assert_string_equal(value_of("Host"), "a.b:8");
	assert_int_equal(parse("GET HTTPS://a?q=/ HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.path, "/");
	assert_string_equal(head.query, "q=/");
	assert_string_equal(value_of("Host"), "a");
	assert_int_equal(parse("GET http://[::1] HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.path, "/");
	assert_string_equal(head.query, "");
	assert_string_equal(value_of("Host"), "[::1]");
	assert_int_equal(parse("GET http://u@h/ HTTP/1.1\r\n" H "\r\n"), 400);
	assert_int_equal(parse("GET http:///p HTTP/1.1\r\n" H "\r\n"), 400);
	assert_int_equal(parse("GET ftp://h/ HTTP/1.1\r\n" H "\r\n"), 400);
	assert_int_equal(parse("GET http://h/ HTTP/1.1\r\n\r\n"), 400);
}

static void
test_bad_header_lines(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n" H "A : b\r\n\r\n",
		"GET / HTTP/1.1\r\n" H " A: b\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n",
		"GET / HTTP/1.1\r\n A: b\r\n" H "\r\n",
		"GET / HTTP/1.1\r\n" H "A\r\n\r\n",
		"GET / HTTP/1.1\r\n" H ": b\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A b: c\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A(: c\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A: b\nB: c\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "\xc3\xa9: b\r\n\r\n",
	};

	(void)state;
	assert_all(bad, 400);
	assert_int_equal(parse_bytes("GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n", 35), 400);
	assert_int_equal(parse("GET / HTTP/1.1\r\n" H "A: caf\xe9\r\n\r\n"), 0);
}

static void
test_hosts(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a:\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: :80\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: []\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a%20b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: \"><x\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
	};
	static const char *const good[] = {
		"GET / HTTP/1.1\r\nHost: registry.example:8443\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: my_host\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
	};

	(void)state;
	assert_all(bad, 400);
	assert_all(good, 0);
}

static void
test_body_framing(void **state)
{
	static const char *const bad[] = {
		"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\ncontent-length: 6\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 9999999999999999999\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunkedx\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;x=1\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b" "chunked\r\n\r\n",
		"POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n",
	};

	(void)state;
	assert_all(bad, 400);
	assert_int_equal(parse("POST / HTTP/1.1\r\n" H "Content-Length: 0012 \r\n\r\n"), 0);
	assert_int_equal(head.length, 12);
	assert_int_equal(parse("POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"), 0);
	assert_true(head.chunked);
}

static void
test_expectations(void **state)
{
	(void)state;
	assert_int_equal(parse("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n"), 0);
	assert_true(head.expect);
	assert_int_equal(parse("POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n"), 417);
	assert_int_equal(parse("POST / HTTP/1.0\r\n" H "Expect: 100-continue\r\n\r\n"), 0);
	assert_false(head.expect);
	assert_int_equal(parse("GET / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_false(head.expect);
}

static void
test_what_is_too_long(void **state)
{
	static char raw[48 * 1024];
	int n;

	(void)state;
	n = snprintf(raw, sizeof(raw), "GET /%0*d HTTP/1.1\r\n" H "\r\n",
	    (int)HTTP_TARGET_MAX - 1, 0);
	assert_int_equal(parse_bytes(raw, (size_t)n), 0);
	n = snprintf(raw, sizeof(raw), "GET /%0*d HTTP/1.1\r\n" H "\r\n", (int)HTTP_TARGET_MAX, 0);
	assert_int_equal(parse_bytes(raw, (size_t)n), 414);
	n = snprintf(raw, sizeof(raw), "GET /%0*d", 10000, 0);
	assert_int_equal(parse_bytes(raw, (size_t)n), 414);
	n = snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nHost: h\r\nA: %0*d\r\n\r\n", 16000, 0);
	assert_int_equal(parse_bytes(raw, (size_t)n), 0);
	n = snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nHost: h\r\nA: %0*d\r\n\r\n", 17000, 0);
	assert_int_equal(parse_bytes(raw, (size_t)n), 431);
	n = snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nHost: h\r\nA: %0*d", 17000, 0);
	assert_int_equal(parse_bytes(raw, (size_t)n), 431);
}

static void
test_too_many_headers(void **state)
{
	static char raw[8192];
	size_t n;
	int i;

	(void)state;
	n = (size_t)snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\n" H);
	for (i = 1; i < HTTP_FIELDS_MAX; i++)
		n += (size_t)snprintf(raw + n, sizeof(raw) - n, "A: b\r\n");
	(void)snprintf(raw + n, sizeof(raw) - n, "\r\n");
	assert_int_equal(parse(raw), 0);
	assert_int_equal(head.count, HTTP_FIELDS_MAX);
	(void)snprintf(raw + n, sizeof(raw) - n, "A: b\r\n\r\n");
	assert_int_equal(parse(raw), 431);
}

/* --- chunked --- */

/* The status for ${raw} in pieces of ${piece} bytes; all must be used up at 200. */
static int
decode(const char *raw, size_t piece, struct buf *body, size_t max)
{
	struct http_chunked c;
	size_t n = strlen(raw);
	size_t at = 0;
	int status = 0;

	http_chunked_init(&c);
	buf_clear(body);
	while (at < n && status == 0) {
		size_t take = n - at < piece ? n - at : piece;

		at += http_chunked_feed(&c, raw + at, take, body, max, &status);
	}
	return status == 200 && at < n ? -1 : status;
}

static void
test_chunks_at_every_cut(void **state)
{
	static const char raw[] = "5\r\nhello\r\n00A;x=\"y\"\r\n, chunked!\r\n"
	    "1 \r\n.\r\n0\r\nT: v\r\n\r\n";
	struct buf body;
	size_t piece;

	(void)state;
	buf_init(&body, 100);
	for (piece = 1; piece < sizeof(raw); piece++) {
		assert_int_equal(decode(raw, piece, &body, 100), 200);
		assert_string_equal(buf_cstr(&body), "hello, chunked!.");
	}
	buf_release(&body);
}

static void
test_chunks_end_where_they_say(void **state)
{
	struct http_chunked c;
	struct buf body;
	int status;

	(void)state;
	buf_init(&body, 100);
	http_chunked_init(&c);
	assert_int_equal(http_chunked_feed(&c, "0\r\n\r\nGET /", 10, &body, 100, &status), 5);
	assert_int_equal(status, 200);
	buf_release(&body);
}

static void
test_bad_chunks(void **state)
{
	static const char *const bad[] = {
		"\r\n", "x\r\n", "+5\r\n", "-1\r\n", "0x5\r\n", " 5\r\n", ";\r\n", "5\nhello",
		"5\r\nhello0\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n", "5\r\nhello\rX",
		"123456789\r\n",
		"5;\x01\r\n", "5\rX", "0\r\n\rX", "0\r\n: \x01\r\n", "0\r\n folded\r\n\r\n",
		"0\r\nA: b\rX",
		"5,5\r\n", "5\r\nhello\r\n\r\n",
	};
	struct buf body;
	size_t i;

	(void)state;
	buf_init(&body, 100);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int status = decode(bad[i], 100, &body, 100);

		if (status != 400)
			fail_msg("%d for %s", status, bad[i]);
	}
	buf_release(&body);
}

static void
test_chunks_have_limits(void **state)
{
	static char raw[16 * 1024];
	struct buf body;

	(void)state;
	buf_init(&body, 100);
	assert_int_equal(decode("a\r\n0123456789\r\n0\r\n\r\n", 3, &body, 10), 200);
	assert_int_equal(decode("b\r\n", 3, &body, 10), 413);
	assert_int_equal(decode("5\r\n01234\r\n6\r\n", 3, &body, 10), 413);
	assert_int_equal(decode("ffffffff\r\n", 3, &body, 10), 413);
	(void)snprintf(raw, sizeof(raw), "5;%0*d\r\n", (int)HTTP_CHUNKED_LINE_MAX + 1, 0);
	assert_int_equal(decode(raw, 1000, &body, 10), 400);
	(void)snprintf(raw, sizeof(raw), "0\r\nA: %0*d\r\n", (int)HTTP_CHUNKED_TRAILER_MAX, 0);
	assert_int_equal(decode(raw, 1000, &body, 10), 400);
	buf_release(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_request),
		cmocka_unit_test(test_the_end_is_found_at_every_cut),
		cmocka_unit_test(test_one_empty_line_before_is_let_pass),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_bad_request_lines),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_absolute_targets),
		cmocka_unit_test(test_bad_header_lines),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_body_framing),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_what_is_too_long),
		cmocka_unit_test(test_too_many_headers),
		cmocka_unit_test(test_chunks_at_every_cut),
		cmocka_unit_test(test_chunks_end_where_they_say),
		cmocka_unit_test(test_bad_chunks),
		cmocka_unit_test(test_chunks_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
