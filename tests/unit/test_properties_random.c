/*
 * Random documents against a slow reading of the rules in three plain passes
 * (join the lines, split key from value, undo the escapes), and the writer
 * against the reader.
 */
#include "document/edits.h"
#include "document/properties.h"
#include "document_support.h"

#define DOCUMENTS 20000
#define MAX_SIZE 120
#define MAX_ENTRIES (MAX_SIZE + 1)

struct bytes {
	unsigned char p[4 * MAX_SIZE];
	size_t n;
};

struct reading {
	struct bytes key[MAX_ENTRIES];
	struct bytes value[MAX_ENTRIES];
	size_t count;
	bool bad;
};

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

/* The next line of the file without its line end, which is 0 to 2 bytes long. */
static size_t
natural_line(const unsigned char *p, size_t n, size_t *line_end)
{
	size_t len = 0;

	while (len < n && p[len] != '\n' && p[len] != '\r')
		len++;
	*line_end = len == n ? 0 : 1;
	if (len + 1 < n && p[len] == '\r' && p[len + 1] == '\n')
		*line_end = 2;
	return len;
}

/* Take a logical line from the front of the file; false when there is none. */
static bool
logical_line(const unsigned char **p, size_t *n, struct bytes *line)
{
	const unsigned char *text;
	size_t len, line_end, run;

	line->n = 0;
	while (*n > 0) {
		text = *p;
		len = natural_line(text, *n, &line_end);
		*p += len + line_end;
		*n -= len + line_end;
		for (; len > 0 && is_blank(*text); len--)
			text++;
		if (line->n == 0 && (len == 0 || *text == '#' || *text == '!'))
			continue;
		memcpy(line->p + line->n, text, len);
		line->n += len;
		for (run = 0; run < len && text[len - run - 1] == '\\'; run++)
			;
		if (run % 2 == 0)
			return true;
		line->n--;
		if (*n == 0)
			return line->n > 0 || line_end < 2;
	}
	return line->n > 0;
}

/* Units of UTF-16, except that other bytes stand for themselves above 0xffff. */
static bool
undo_escapes(const unsigned char *p, size_t n, uint32_t *units, size_t *count)
{
	size_t i, k;

	for (i = 0, *count = 0; i < n; i++, (*count)++) {
		if (p[i] != '\\') {
			units[*count] = 0x10000U + p[i];
			continue;
		}
		i++;
		units[*count] = 0x10000U + (p[i] == 't' ? '\t' : p[i] == 'n' ? '\n' :
		    p[i] == 'r' ? '\r' : p[i] == 'f' ? '\f' : p[i]);
		if (p[i] != 'u')
			continue;
		units[*count] = 0;
		for (k = 0; k < 4; k++) {
			const char *digits = "0123456789abcdef0123456789ABCDEF";
			const char *digit = ++i < n && p[i] != 0 ? strchr(digits, p[i]) : NULL;

			if (digit == NULL)
				return false;
			units[*count] = units[*count] * 16 + (uint32_t)(digit - digits) % 16;
		}
	}
	return true;
}

static void
put(struct bytes *out, uint32_t byte)
{
	out->p[out->n++] = (unsigned char)byte;
}

static bool
decode(const unsigned char *p, size_t n, struct bytes *out)
{
	uint32_t units[4 * MAX_SIZE];
	uint32_t u;
	size_t i, count;

	out->n = 0;
	if (!undo_escapes(p, n, units, &count))
		return false;
	for (i = 0; i < count; i++) {
		u = units[i];
		if (u >= 0x10000) {
			put(out, u & 0xff);
		} else if (u < 0x80) {
			put(out, u);
		} else if (u < 0x800) {
			put(out, 0xc0 | u >> 6);
			put(out, 0x80 | (u & 0x3f));
		} else if (u >> 10 == 0x36 && i + 1 < count && units[i + 1] >> 10 == 0x37) {
			u = 0x10000 + ((u & 0x3ff) << 10 | (units[++i] & 0x3ff));
			put(out, 0xf0 | u >> 18);
			put(out, 0x80 | (u >> 12 & 0x3f));
			put(out, 0x80 | (u >> 6 & 0x3f));
			put(out, 0x80 | (u & 0x3f));
		} else {
			put(out, 0xe0 | u >> 12);
			put(out, 0x80 | (u >> 6 & 0x3f));
			put(out, 0x80 | (u & 0x3f));
		}
	}
	return true;
}

static void
read_slowly(const unsigned char *p, size_t n, struct reading *r)
{
	struct bytes line;
	size_t key, value;
	bool separated;

	r->count = 0;
	r->bad = false;
	while (logical_line(&p, &n, &line)) {
		for (key = 0; key < line.n; key++) {
			if (is_blank(line.p[key]) || line.p[key] == '=' || line.p[key] == ':')
				break;
			if (line.p[key] == '\\')
				key++;
		}
		separated = false;
		for (value = key; value < line.n; value++) {
			if (is_blank(line.p[value]))
				continue;
			if (separated || (line.p[value] != '=' && line.p[value] != ':'))
				break;
			separated = true;
		}
		if (!decode(line.p, key, &r->key[r->count]) ||
		    !decode(line.p + value, line.n - value, &r->value[r->count])) {
			r->bad = true;
			return;
		}
		r->count++;
	}
}

static void
compare(const struct document *d, const struct reading *r, const unsigned char *p, size_t n)
{
	char text[8 * MAX_SIZE];
	bool same = document_count(d) == r->count && (document_problem(d, NULL) == -1) == r->bad;
	size_t i;

	for (i = 0; same && i < r->count; i++) {
		same = key_is(d, i, r->key[i].p, r->key[i].n) &&
		    value_is(d, i, r->value[i].p, r->value[i].n);
	}
	if (!same)
		fail_msg("read differently: %s", shown(p, n, text, sizeof(text)));
}

static void
assert_printed_back(const struct document *d, const unsigned char *p, size_t n)
{
	struct error err = { 0 };
	struct edits *e = edits_new(d, false, &err);
	struct buf out;

	buf_init_secret(&out, BUF_MAX_FILE);
	assert_int_equal(edits_render(e, &out, &err), 0);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.data, p, n);
	buf_release(&out);
	edits_free(e);
}

/* The index against a search. */
static void
compare_index(const struct document *d, const struct reading *r)
{
	size_t i, k, before, last;

	for (i = 0; i < r->count; i++) {
		before = last = DOCUMENT_NONE;
		for (k = 0; k < r->count; k++) {
			if (!key_is(d, k, r->key[i].p, r->key[i].n))
				continue;
			last = k;
			before = k < i ? k : before;
		}
		assert_int_equal(document_find(d, (char *)r->key[i].p, r->key[i].n), last);
		assert_int_equal(document_previous(d, i), before);
		assert_int_equal(document_shadowed(d, i), last != i);
	}
}

static void
test_random_documents_read_as_the_rules_say(void **state)
{
	static struct reading r;
	unsigned char p[MAX_SIZE];
	uint64_t seed = 1;
	size_t entries = 0, bad = 0;
	struct document *d;
	size_t i, n;

	(void)state;
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_document(&seed, p, sizeof(p));
		read_slowly(p, n, &r);
		d = parse(p, n);
		compare(d, &r, p, n);
		compare_index(d, &r);
		if (n > 0)
			assert_printed_back(d, p, n);
		document_free(d);
		entries += r.count;
		bad += r.bad;
	}
	assert_true(entries > DOCUMENTS && bad > 100 && bad < DOCUMENTS / 2);
}

static size_t
random_bytes(uint64_t *seed, char *out, size_t size)
{
	static const char nasty[] = "\\ =:#!\t\n\f\ru0aA\x01\x7f\xc3\xa9\xe2\x82\xac\xed\xa0\xbd\xb8"
	    "\x80\xf0\x9f\x98\xff";
	size_t n = random_below(seed, (uint32_t)size + 1);
	size_t i;

	for (i = 0; i < n; i++) {
		/* The literal's own NUL is one of them. */
		out[i] = random_below(seed, 4) == 0 ? (char)random_below(seed, 256) :
		    nasty[random_below(seed, sizeof(nasty))];
	}
	return n;
}

static void
test_what_is_written_reads_back(void **state)
{
	static const char *const separators[] = { "=", " = ", ":", ": " };
	char key[24], value[24], text[256];
	uint64_t seed = 2;
	struct document *d;
	struct buf out;
	size_t i, klen, vlen;

	(void)state;
	buf_init(&out, 4096);
	for (i = 0; i < DOCUMENTS; i++) {
		klen = random_bytes(&seed, key, sizeof(key));
		vlen = random_bytes(&seed, value, sizeof(value));
		buf_clear(&out);
		properties_append_key(&out, key, klen);
		buf_append_str(&out, separators[i % 4]);
		properties_append_value(&out, value, vlen);
		assert_null(memchr(out.data, '\n', out.len));
		assert_null(memchr(out.data, '\r', out.len));
		d = parse(out.data, out.len);
		if (document_count(d) != 1 || !key_is(d, 0, key, klen) ||
		    !value_is(d, 0, value, vlen))
			fail_msg("reads back differently: %s",
			    shown(out.data, out.len, text, sizeof(text)));
		document_free(d);
	}
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_documents_read_as_the_rules_say),
		cmocka_unit_test(test_what_is_written_reads_back)
	};

	return cmocka_run_group_tests_name("properties-random", tests, NULL, NULL);
}
