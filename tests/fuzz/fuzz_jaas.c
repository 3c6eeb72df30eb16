/*
 * JAAS values.  The first bytes say what is done to the one that is read, and
 * to which of its options; every other option is as it was then.
 */
#include "document/jaas.h"
#include "fuzz_support.h"

static const char reference[] =
    "${securepass:/etc/kafka/secrets.properties:server.properties/a.b/c}";

#define REFERENCE_BYTES (sizeof(reference) - 1)

static void
check_option(const struct jaas *j, size_t i, size_t n, size_t *last)
{
	struct jaas_option x = jaas_option(j, i);
	struct buf address;
	size_t found;

	need(x.start >= *last && x.from >= x.start && x.to >= x.from && x.to <= n);
	need(x.inner_from >= x.from && x.inner_to <= x.to && x.inner_from <= x.inner_to);
	need(x.module < jaas_modules(j));
	*last = x.to;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(j, i, "k", 1, &address);
	found = jaas_find(j, buf_cstr(&address) + 2, address.len - 2);
	need(found != JAAS_NONE && (x.shadowed || found == i));
	buf_release(&address);
}

/* The options of ${new} are those of ${old}, but for ${but}, which is gone if ${less}. */
static void
check_others(const struct jaas *old, const char *value, const struct jaas *new,
    const char *new_value, size_t but, bool less)
{
	struct jaas_option x, y;
	size_t k = 0;

	need(jaas_modules(new) == jaas_modules(old));
	need(jaas_count(new) == jaas_count(old) - less);
	for (size_t i = 0; i < jaas_count(old); i++) {
		if (i == but && less)
			continue;
		x = jaas_option(old, i);
		y = jaas_option(new, k++);
		need(x.module == y.module && x.ordinal == y.ordinal &&
		    is_same(x.name, x.name_len, y.name, y.name_len));
		need(i == but || is_same(value + x.from, x.to - x.from, new_value + y.from,
		    y.to - y.from));
	}
}

/* What an edit left.  A dollar and a brace of the old text may make it unreadable. */
static struct jaas *
reparsed(const struct buf *text, const char *old, size_t n)
{
	struct error err;
	struct jaas *j = jaas_parse(text->data, text->len, &err);

	need(j != NULL || (err.code == ERROR_REFUSED && memmem(old, n, "${", 2) != NULL));
	return j;
}

static void
check_replaced(const struct jaas *j, const char *value, size_t n, size_t i)
{
	struct jaas_option x = jaas_option(j, i), y;
	struct jaas *new;
	struct buf text;

	buf_init(&text, BUF_MAX_FILE);
	buf_append(&text, value, x.from);
	buf_append(&text, reference, REFERENCE_BYTES);
	if (x.tight)
		buf_append_char(&text, ' ');
	buf_append(&text, value + x.to, n - x.to);
	if ((new = reparsed(&text, value, n)) != NULL) {
		check_others(j, value, new, (const char *)text.data, i, false);
		y = jaas_option(new, i);
		need(is_same(text.data + y.from, y.to - y.from, reference, REFERENCE_BYTES));
	}
	jaas_free(new);
	buf_release(&text);
}

static void
check_removed(const struct jaas *j, const char *value, size_t n, size_t i)
{
	struct jaas *new;
	struct buf text;
	size_t from, to;
	bool blank;

	blank = jaas_removal(j, i, &from, &to);
	need(from <= to && to <= n);
	buf_init(&text, BUF_MAX_FILE);
	buf_append(&text, value, from);
	if (blank)
		buf_append_char(&text, ' ');
	buf_append(&text, value + to, n - to);
	if ((new = reparsed(&text, value, n)) != NULL)
		check_others(j, value, new, (const char *)text.data, i, true);
	jaas_free(new);
	buf_release(&text);
}

static void
check_inserted(const struct jaas *j, const char *value, size_t n, size_t i, size_t name_len)
{
	struct jaas *new;
	struct buf text, option;
	size_t at;

	buf_init(&text, BUF_MAX_FILE);
	buf_init(&option, BUF_MAX_FILE);
	if (jaas_insertion(j, jaas_option(j, i).module, "zq:x=y\"", name_len, reference,
	    REFERENCE_BYTES, &at, &option, NULL) == 0) {
		need(at <= n);
		buf_append(&text, value, at);
		buf_append(&text, option.data, option.len);
		buf_append(&text, value + at, n - at);
		if ((new = reparsed(&text, value, n)) != NULL)
			need(jaas_count(new) == jaas_count(j) + 1 &&
			    jaas_modules(new) == jaas_modules(j));
		jaas_free(new);
	}
	buf_release(&option);
	buf_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned what = take_byte(&in), which = take_byte(&in);
	char *value = copy_of(in.p, in.n);
	struct error err;
	struct jaas *j = jaas_parse(value, in.n, &err);
	const char *hint;
	size_t last = 0, i;

	need(j != NULL || err.code == ERROR_FORMAT || err.code == ERROR_REFUSED);
	for (i = 0; j != NULL && i < jaas_count(j); i++)
		check_option(j, i, in.n, &last);
	if (j != NULL && jaas_fault(j, &hint) == NULL)
		need(jaas_is_closed(j));
	if (j != NULL && jaas_count(j) > 0) {
		i = which % jaas_count(j);
		if (what % 3 == 0)
			check_replaced(j, value, in.n, i);
		else if (what % 3 == 1)
			check_removed(j, value, in.n, i);
		else
			check_inserted(j, value, in.n, i, which % 8);
	}
	jaas_free(j);
	free(value);
	return 0;
}
