#include "base/buf.h"
#include "base/error.h"
#include "crypto/mac.h"
#include "file/file.h"
#include "files.h"
#include "rotation/lines.h"
#include "unit.h"

static const char *const names[] = { "plain", "", "-", "with blank", "100% \n\t", "\xc3\xa9", NULL };
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* Three lines of words. */
static void
write_lines(const struct digest *d, struct buf *out)
{
	struct lines l;
	struct buf words;

	lines_begin(&l, d);
	buf_init(&words, 4096);
	for (uint64_t i = 0; i < 3; i++) {
		buf_clear(&words);
		lines_put_number(&words, i);
		for (size_t k = 0; k < NAMES; k++)
			lines_put(&words, names[k]);
		lines_put_bytes(&words, "\x00\xff", 2);
		assert_int_equal(lines_append(&l, out, &words, NULL), 0);
	}
	assert_int_equal(buf_check(out, NULL), 0);
	buf_release(&words);
}

/* How many whole lines there are, and what ends them. */
static size_t
read_lines(const struct digest *d, const char *text, size_t n, enum lines_read *end, size_t *at)
{
	struct words w = { NULL, 0 };
	struct lines l;
	size_t count = 0;

	*at = 0;
	lines_begin(&l, d);
	while ((*end = lines_next(&l, text, n, at, &w.at, &w.len)) == LINES_LINE)
		count++;
	return count;
}

static void
test_words_come_back(void **state)
{
	struct digest *d = digest_new(NULL);
	struct words w = { NULL, 0 };
	unsigned char bytes[2];
	struct lines l;
	uint64_t number;
	struct buf out;
	size_t at = 0;
	bool none;
	char *text;

	(void)state;
	buf_init(&out, 65536);
	write_lines(d, &out);
	lines_begin(&l, d);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(lines_next(&l, (const char *)out.data, out.len, &at, &w.at, &w.len),
		    LINES_LINE);
		assert_true(words_number(&w, 9, &number));
		assert_int_equal(number, i);
		for (size_t k = 0; k < NAMES; k++) {
			text = words_text(&w, &none);
			assert_int_equal(none, names[k] == NULL);
			if (names[k] != NULL)
				assert_string_equal(text, names[k]);
			free(text);
		}
		assert_true(words_bytes(&w, bytes, 2));
		assert_memory_equal(bytes, "\x00\xff", 2);
		assert_null(words_text(&w, &none));
		assert_false(none);
	}
	assert_int_equal(at, out.len);
	buf_release(&out);
	digest_free(d);
}

/* Cut at any byte: the whole lines before it, and where they end. */
static void
test_a_cut_anywhere(void **state)
{
	struct digest *d = digest_new(NULL);
	enum lines_read end;
	struct buf out;
	size_t at, whole, count;

	(void)state;
	buf_init(&out, 65536);
	write_lines(d, &out);
	for (size_t n = 0; n <= out.len; n++) {
		whole = count = 0;
		for (size_t i = 0; i < n; i++)
			if (out.data[i] == '\n') {
				whole = i + 1;
				count++;
			}
		assert_int_equal(read_lines(d, (const char *)out.data, n, &end, &at), count);
		assert_int_equal(at, whole);
		assert_int_equal(end, n == whole ? LINES_END : LINES_CUT);
	}
	buf_release(&out);
	digest_free(d);
}

/* Any byte that is another one, and any line that is missing from the middle. */
static void
test_a_change_anywhere(void **state)
{
	struct digest *d = digest_new(NULL);
	enum lines_read end;
	struct buf out;
	size_t at, line = 0, length;

	(void)state;
	buf_init(&out, 65536);
	write_lines(d, &out);
	length = (size_t)((unsigned char *)memchr(out.data, '\n', out.len) - out.data) + 1;
	for (size_t i = 0; i < out.len; i++) {
		unsigned char was = out.data[i];

		out.data[i] = was == 'A' ? 'B' : 'A';
		/* The line, and where its end was changed what was joined to it, is not read. */
		assert_int_equal(read_lines(d, (const char *)out.data, out.len, &end, &at), line);
		assert_int_not_equal(end, LINES_END);
		out.data[i] = was;
		line += was == '\n';
	}
	assert_int_equal(read_lines(d, (const char *)out.data + length, out.len - length, &end,
	    &at), 0);
	assert_int_equal(end, LINES_DAMAGED);
	memmove(out.data + length, out.data + 2 * length, out.len - 2 * length);
	assert_int_equal(read_lines(d, (const char *)out.data, out.len - length, &end, &at), 1);
	buf_release(&out);
	digest_free(d);
}

/* The same of a file. */
static size_t
read_file_lines(const struct digest *d, const void *bytes, size_t n, enum lines_read *end,
    uint64_t *at)
{
	struct words w = { NULL, 0 };
	struct lines_file f;
	struct lines l;
	size_t count = 0;
	int fd;

	(void)unlink("lines");
	files_put_bytes("lines", bytes, n, 0600);
	lines_begin(&l, d);
	assert_int_not_equal(fd = open("lines", O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(lines_file_begin(&f, fd, "lines", NULL), 0);
	while (lines_file_next(&l, &f, end, &w.at, &w.len, NULL) == 0 && *end == LINES_LINE)
		count++;
	*at = lines_at(&f);
	assert_true(f.part.cap < 4 * 65536);
	lines_file_end(&f);
	close(fd);
	return count;
}

/* Of a file that is longer than what is read at once. */
static void
test_a_long_file(void **state)
{
	enum { LINES = 2000 };
	static char name[200];
	struct digest *d = digest_new(NULL);
	struct buf out, words;
	enum lines_read end;
	struct error err;
	struct lines l;
	size_t before = 0;
	uint64_t at;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	buf_init(&out, (size_t)1 << 20);
	buf_init(&words, 4096);
	lines_begin(&l, d);
	for (uint64_t i = 0; i < LINES; i++) {
		before = out.len;
		buf_clear(&words);
		lines_put_number(&words, i);
		lines_put(&words, name + i % 100);
		assert_int_equal(lines_append(&l, &out, &words, NULL), 0);
	}
	assert_int_equal(read_file_lines(d, out.data, out.len, &end, &at), LINES);
	assert_int_equal(end, LINES_END);
	assert_int_equal(at, out.len);
	assert_int_equal(read_file_lines(d, out.data, out.len - 1, &end, &at), LINES - 1);
	assert_int_equal(end, LINES_CUT);
	assert_int_equal(at, before);
	for (size_t i = 65536; i < out.len; i += 65536)
		for (size_t n = i - 1; n <= i + 1; n++) {
			(void)read_file_lines(d, out.data, n, &end, &at);
			assert_int_equal(end, at == n ? LINES_END : LINES_CUT);
			assert_true(at <= n && out.data[at - 1] == '\n' &&
			    memchr(out.data + at, '\n', n - at) == NULL);
		}
	out.data[before / 2] ^= 1;
	assert_true(read_file_lines(d, out.data, out.len, &end, &at) < LINES / 2 + 200);
	assert_int_equal(end, LINES_DAMAGED);
	assert_int_equal(file_open("none", &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_int_equal(file_open(".", &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	buf_release(&words);
	buf_release(&out);
	digest_free(d);
}

/* A line is found by its spot, as long as it is the one that was written there. */
static void
test_a_line_again(void **state)
{
	static char name[3000];
	struct lines_spot spots[20];
	struct digest *d = digest_new(NULL);
	struct buf out, words;
	struct words w;
	struct error err;
	struct lines l;
	uint64_t number;
	char *text;
	int fd;

	(void)state;
	buf_init(&out, 1U << 20);
	buf_init(&words, 4096);
	lines_begin(&l, d);
	for (size_t i = 0; i < 20; i++) {
		memset(name, 'a' + (int)i, i * 150);
		name[i * 150] = '\0';
		buf_clear(&words);
		lines_put_number(&words, i);
		lines_put(&words, name);
		spots[i] = lines_spot(out.len, words.data, words.len);
		assert_int_equal(lines_append(&l, &out, &words, NULL), 0);
	}
	(void)unlink("lines");
	files_put_bytes("lines", (const char *)out.data, out.len, 0600);
	assert_int_not_equal(fd = open("lines", O_RDWR | O_CLOEXEC), -1);
	for (size_t i = 20; i-- > 0;) {
		assert_int_equal(lines_again(fd, "lines", spots[i], &words, &w, &err), 0);
		assert_true(words_number(&w, 20, &number));
		assert_int_equal(number, i);
		assert_non_null(text = words_text(&w, NULL));
		assert_int_equal(strlen(text), i * 150);
		free(text);
	}
	/* Another digit, another line, the last one cut. */
	assert_int_equal(pwrite(fd, "8", 1, (off_t)spots[7].at + 17), 1);
	assert_int_equal(lines_again(fd, "lines", spots[7], &words, &w, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_string_equal(err.file, "lines");
	spots[8].at = spots[9].at;
	assert_int_equal(lines_again(fd, "lines", spots[8], &words, &w, &err), -1);
	assert_int_equal(ftruncate(fd, (off_t)out.len - 1), 0);
	assert_int_equal(lines_again(fd, "lines", spots[19], &words, &w, &err), -1);
	assert_int_equal(ftruncate(fd, (off_t)spots[19].at), 0);
	assert_int_equal(lines_again(fd, "lines", spots[19], &words, &w, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	close(fd);
	assert_int_equal(lines_again(fd, "lines", spots[0], &words, &w, &err), -1);
	assert_int_equal(err.code, ERROR_IO);
	buf_release(&words);
	buf_release(&out);
	digest_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_come_back),
		cmocka_unit_test(test_a_cut_anywhere),
		cmocka_unit_test(test_a_line_again),
		cmocka_unit_test(test_a_change_anywhere),
		cmocka_unit_test_setup_teardown(test_a_long_file, files_setup, files_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
