/* Random files, edited at random: what a reader gets is what was written. */
#include "seal/render.h"
#include "seal/seal.h"
#include "estate_fixture.h"

#define ROUNDS 400
#define LINES 8

static uint32_t seed;
static uint32_t round_number;	/* for messages */

static unsigned
pick(unsigned n)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % n;
}

/* One line of a file; keys come again, and so do values. */
static void
append_line(struct buf *out)
{
	static const char *const keys[] = { "a.password", "b.password", "c.secret", "d", "e.f",
		"password", "sasl.jaas.config" };
	static const char *const values[] = { "CANARY-one", "CANARY two", "CANARY\\u00e9", "",
		"x", "CANARY\\\\three\\n", "CANARY\\\n   four" };
	static const char *const separators[] = { "=", " = ", ":", " " };
	static const char *const ends[] = { "\n", "\n", "\r\n" };
	unsigned k = pick(sizeof(keys) / sizeof(*keys));

	if (pick(8) == 0)
		buf_append_str(out, pick(2) == 0 ? "# remark" : "");
	else {
		buf_append_str(out, keys[k]);
		buf_append_str(out, separators[pick(4)]);
		if (k == 6)
			buf_printf(out, "a.M required u=\"%s\" password=\"%s%u\";", values[pick(3)],
			    values[pick(3)], pick(3));
		else
			buf_append_str(out, values[pick(7)]);
	}
	buf_append_str(out, ends[pick(3)]);
}

static void
append_file(struct buf *out)
{
	for (unsigned i = pick(LINES); i > 0; i--)
		append_line(out);
}

/* Drop, repeat, move and write lines anew, in clear text. */
static void
edit(const struct buf *clear, struct buf *out)
{
	const char *p = (const char *)clear->data, *end = p + clear->len, *next;

	while (p < end) {
		next = memchr(p, '\n', (size_t)(end - p));
		next = next == NULL ? end : next + 1;
		switch (pick(8)) {
		case 0:
			break;
		case 1:
			append_line(out);
			break;
		case 2:
			buf_append(out, p, (size_t)(next - p));
			append_line(out);
			break;
		default:
			buf_append(out, p, (size_t)(next - p));
		}
		p = next;
	}
}

/* A file in which some values are sealed, by name and by rule. */
static void
seal_some(struct world *w, const char *config)
{
	static const struct seal_options replace = { .remote = REMOTE, .replace = true };

	world_prepare(w, MODERN, MODERN_MASTER, config);
	assert_int_equal(seal_default(w->p, w->c, &replace, NULL, &w->err), 0);
	(void)world_seal_key(w, pick(2) == 0 ? "c.secret" : "d");
	world_apply(w);
	assert_int_equal(secrets_file_unlock(w->s, w->master, NULL), 0);
}

/* Every entry that a reader finds in one is in the other, providers aside. */
static void
assert_reads_as(const struct buf *text, const char *want)
{
	struct document *a = fixture_document((const char *)text->data, text->len);
	struct document *b = fixture_document(want, strlen(want));
	struct buf value;
	const char *key;
	size_t len, i, j;

	buf_init_secret(&value, 65536);
	for (i = 0; i < document_count(b); i++) {
		if (document_shadowed(b, i))
			continue;
		key = document_key(b, i, &len);
		j = document_find(a, key, len);
		assert_int_not_equal(j, DOCUMENT_NONE);
		buf_clear(&value);
		assert_int_equal(document_value(b, i, &value, NULL), 0);
		if (!document_value_is(a, j, (const char *)value.data, value.len))
			fail_msg("%.*s differs", (int)len, key);
	}
	for (i = 0; i < document_count(a); i++) {
		key = document_key(a, i, &len);
		if (len < 16 || memcmp(key, "config.providers", 16) != 0)
			assert_int_not_equal(document_find(b, key, len), DOCUMENT_NONE);
	}
	buf_release(&value);
	document_free(b);
	document_free(a);
}

/* No entry of the file is left that nothing in it refers to. */
static void
assert_no_orphans(const struct world *w)
{
	const struct document *d = secrets_file_document(w->s);
	const struct buf *config = document_bytes(w->c->doc);
	const char *name;
	size_t len, before = strlen("server.properties/");

	for (size_t i = 0; i < document_count(d); i++) {
		name = document_key(d, i, &len);
		/* Those of the fixture were orphans from the start. */
		if (len < before || memcmp(name, "server.properties/", before) != 0 ||
		    memmem(name, len, "ssl.", 4) != NULL || memmem(name, len, "listener", 8) != NULL)
			continue;
		if (memmem(config->data, config->len, name, len) == NULL)
			fail_msg("round %u: %.*s", (unsigned)round_number, (int)len, name);
	}
}

static void
one_round(void)
{
	struct buf config, edited, clear, after;
	struct document *d;
	struct world w;
	int rc;

	buf_init(&config, 65536);
	buf_init(&edited, 65536);
	buf_init_secret(&clear, 65536);
	buf_init_secret(&after, 65536);
	append_file(&config);
	seal_some(&w, buf_cstr(&config));
	assert_int_equal(render_document(w.p, w.c, RENDER_PERSON, &clear, &w.err), 0);
	edit(&clear, &edited);
	d = fixture_document(edited.len > 0 ? (const char *)edited.data : "", edited.len);
	rc = rewrite_plan(w.p, w.c, d, w.master, &fixture_options, &w.err);
	document_free(d);
	if (rc != 0)
		fail_msg("%s:%zu: %s\n%s", w.err.file, w.err.line, w.err.text, buf_cstr(&edited));
	/* world_apply renders what is shown; the text itself is what counts. */
	if (fixture_file(w.p, PLAN_CONFIG) != NULL) {
		struct buf content;

		fixture_text(&content, (const char *)fixture_file(w.p, PLAN_CONFIG)->content->data,
		    fixture_file(w.p, PLAN_CONFIG)->content->len);
		assert_int_equal(fixture_verify(w.p, fixture_file(w.p, PLAN_CONFIG), &content, NULL),
		    0);
		world_apply(&w);
		configuration_free(w.c);
		w.c = fixture_config_bytes("etc/server.properties", content.len > 0 ?
		    (const char *)content.data : "", content.len);
		buf_release(&content);
	} else
		world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	assert_int_equal(render_document(w.p, w.c, RENDER_PERSON, &after, &w.err), 0);
	assert_reads_as(&after, buf_cstr(&edited));
	assert_no_orphans(&w);
	/* What is new and secret by its name is not in the file. */
	for (size_t i = 0; i < document_count(w.c->doc); i++) {
		size_t len, n;
		const char *key = document_key(w.c->doc, i, &len);
		const unsigned char *raw = document_raw_value(w.c->doc, i, &n);

		if (memmem(key, len, "password", 8) != NULL)
			assert_null(memmem(raw, n, "CANARY", 6));
	}
	buf_release(&after);
	buf_release(&clear);
	buf_release(&edited);
	buf_release(&config);
	world_close(&w);
}

static void
test_a_reader_gets_what_was_edited(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		seed = round_number = i;
		one_round();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reader_gets_what_was_edited)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
