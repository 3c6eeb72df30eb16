#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/jaas.h"
#include "secrets/inspect.h"
#include "secrets/keys.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"
#include "secrets/value.h"

#define PEM_BEGIN "-----BEGIN"
#define PEM_END "-----END"

struct inspecting {
	const struct rules *r;
	const struct document *d;
	const struct secrets_file *s;
	struct vec *remarks;
	struct buf value;	/* of the entry, decoded; secret */
	struct buf opened;	/* with its references resolved; secret */
	bool cuts;		/* that is all that is asked for */
	bool refers;		/* an entry refers to a sealed one */
	struct error *err;
};

static const char refused_text[] = "Kafka refuses this JAAS value, or reads it otherwise than it "
    "looks";
static const char refused_hint[] = "write values with blanks, quotes or other signs in double "
    "quotes, a quote or backslash in them behind a backslash, and that twice in .properties; "
    "`propseal file encrypt --dry-run` says where";

/* Two values; the buffers serve every pair. */
struct pair {
	const struct compare_sides *sides;
	struct buf a;
	struct buf b;
	struct buf resolved_a;
	struct buf resolved_b;
};

static bool
inspect_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool
inspect_begins(const void *bytes, size_t n, const char *with)
{
	size_t len = strlen(with);

	return n >= len && memcmp(bytes, with, len) == 0;
}

static bool
inspect_is_reference(const struct buf *value)
{
	struct reference r;

	return value->len > 0 && reference_parse((const char *)value->data, value->len, &r);
}

/* Is the next entry on the line behind this one's last? */
static bool
inspect_goes_on(const struct document *d, size_t i)
{
	size_t start, end, next, ignored;

	if (!document_format(d)->lines || i + 1 >= document_count(d))
		return false;
	document_span(d, i, &start, &end);
	document_span(d, i + 1, &next, &ignored);
	return next == end;
}

static bool
inspect_is_indented(const struct document *d, size_t i)
{
	size_t start, end;

	document_span(d, i, &start, &end);
	return inspect_is_blank(document_bytes(d)->data[start]);
}

/* Does the value end with a backslash, and blanks that keep it from going on? */
static bool
inspect_ends_in_blank(const struct document *d, size_t i)
{
	size_t n, slashes = 0;
	const unsigned char *raw = document_raw_value(d, i, &n);
	size_t all = n;

	while (n > 0 && inspect_is_blank(raw[n - 1]))
		n--;
	while (slashes < n && raw[n - 1 - slashes] == '\\')
		slashes++;
	return n < all && slashes % 2 == 1;
}

/* Does it end with backslashes that stand for themselves, so that it does not go on? */
static bool
inspect_ends_doubled(const struct document *d, size_t i)
{
	size_t n, slashes = 0;
	const unsigned char *raw = document_raw_value(d, i, &n);

	while (slashes < n && raw[n - 1 - slashes] == '\\')
		slashes++;
	return slashes > 0 && slashes % 2 == 0;
}

/* Does the value look like the rest of a JAAS value: quoted, or up to its `;`? */
static bool
inspect_is_jaas_rest(const struct document *d, size_t i, bool *last)
{
	size_t n;
	const unsigned char *raw = document_raw_value(d, i, &n);

	while (n > 0 && (inspect_is_blank(raw[n - 1]) || raw[n - 1] == '\\'))
		n--;
	*last = n > 0 && raw[n - 1] == ';';
	return *last || (n > 0 && (raw[0] == '"' || raw[0] == '\''));
}

static bool
inspect_is_base64_line(const struct document *d, size_t i)
{
	const unsigned char *p = document_bytes(d)->data;
	size_t start, end;

	document_span(d, i, &start, &end);
	while (end > start && p[end - 1] <= ' ')
		end--;
	if (end - start < 16)
		return false;
	for (; start < end; start++)
		if (!ascii_is_alnum(p[start]) && strchr("+/=", p[start]) == NULL)
			return false;
	return true;
}

/* Of several objects the last counts: a chain of certificates may be whole, and the key not. */
static bool
inspect_opens_pem(const unsigned char *p, size_t n)
{
	const unsigned char *last = NULL, *at = p;

	while ((at = memmem(at, n - (size_t)(at - p), PEM_BEGIN, strlen(PEM_BEGIN))) != NULL)
		last = at++;
	return last != NULL &&
	    memmem(last, n - (size_t)(last - p), PEM_END, strlen(PEM_END)) == NULL;
}

/* Text that begins a PEM object and does not end it; ${i}: where it stands. */
static bool
inspect_is_open_pem(const struct document *d, size_t i)
{
	size_t len, n;
	const char *key = document_key(d, i, &len);
	const unsigned char *raw = document_raw_value(d, i, &n);

	if (!document_format(d)->lines)
		return false;
	if (inspect_begins(key, len, PEM_BEGIN))
		return memmem(raw, n, PEM_END, strlen(PEM_END)) == NULL;
	return n > 0 && strchr("-\\\"'", raw[0]) != NULL && inspect_opens_pem(raw, n);
}

/* The entry behind the body of the PEM object that begins at entry ${i}. */
static size_t
inspect_pem_end(const struct document *d, size_t i)
{
	const char *key;
	size_t j, len;

	for (j = i + 1; j < document_count(d) && !inspect_is_open_pem(d, j); j++) {
		key = document_key(d, j, &len);
		if (inspect_begins(key, len, PEM_END))
			return j + 1;
	}
	for (j = i + 1; j < document_count(d) && inspect_is_base64_line(d, j); j++)
		;
	return j;
}

/* What Kafka would go on reading: JAAS without its last `;`, or nothing yet. */
static bool
inspect_is_open_jaas(const struct document *d, size_t i, struct buf *value)
{
	struct error why = { .code = ERROR_NONE };
	struct jaas *j;
	bool open;

	buf_clear(value);
	if (document_value(d, i, value, NULL) != 0 || inspect_is_reference(value))
		return false;
	if (value->len == 0)
		return true;
	j = jaas_parse(value->data, value->len, &why);
	/* What is no JAAS at all is not told by what follows it. */
	open = j != NULL ? !jaas_is_closed(j) : why.code == ERROR_REFUSED ||
	    inspect_ends_in_blank(d, i) || inspect_ends_doubled(d, i);
	jaas_free(j);
	return open;
}

/* The entry behind the lines that entry ${i}, which is open JAAS, was cut from. */
static size_t
inspect_jaas_end(const struct document *d, size_t i)
{
	bool last = false, indented;
	size_t j = i, len;
	const char *key;

	for (; !last && inspect_goes_on(d, j); j++) {
		key = document_key(d, j + 1, &len);
		indented = inspect_is_indented(d, j + 1);
		/* Another JAAS value is none of this one, whatever is wrong with it. */
		if (!indented && jaas_key(key, len))
			break;
		if (!inspect_is_jaas_rest(d, j + 1, &last) && !indented &&
		    !(j == i && inspect_ends_in_blank(d, i)) && !inspect_ends_doubled(d, j))
			break;
	}
	return j + 1;
}

/* A word by itself at the begin of a line, which is no key that anybody writes? */
static bool
inspect_is_word(const struct document *d, size_t i)
{
	size_t len, lower = 0;
	const char *key = document_key(d, i, &len);

	while (lower < len && ascii_is_lower(key[lower]))
		lower++;
	return document_is_bare(d, i) && len > 3 && memchr(key, '.', len) == NULL &&
	    (lower < len || key_class(key, len) == KEY_OTHER);
}

/* The same for another secret: indented lines, of which none looks like an entry. */
static size_t
inspect_secret_end(const struct document *d, size_t i)
{
	size_t j = i, len;
	const char *key;

	while (inspect_ends_in_blank(d, j) && inspect_goes_on(d, j))
		j++;
	if (j == i && inspect_goes_on(d, j) && inspect_is_word(d, j + 1))
		j++;
	for (; inspect_goes_on(d, j) && inspect_is_indented(d, j + 1); j++) {
		key = document_key(d, j + 1, &len);
		if (!document_is_bare(d, j + 1) && memchr(key, '.', len) != NULL)
			break;
	}
	return j + 1;
}

static const char pem_text[] = "a PEM value is cut here: its other lines are read as keys";
static const char blank_text[] =
    "the value ends here: there is a blank behind the backslash at the end of the line";
static const char doubled_text[] =
    "the value ends here: the backslash at the end of the line is doubled, and so a part of it";
static const char cut_text[] =
    "the value ends here, and the next line is read as another key";

/* ${*end}: the entry behind what was cut off.  ${jaas}: the key is one of JAAS. */
static bool
inspect_find_cut(const struct inspecting *x, struct buf *value, size_t i, bool jaas,
    struct remark *out, size_t *end)
{
	const struct document *d = x->d;
	size_t len, n;
	const char *key = document_key(d, i, &len);
	bool empty;

	if (inspect_is_open_pem(d, i) && (*end = inspect_pem_end(d, i)) > i + 1) {
		*out = (struct remark){ .level = REMARK_CUT, .kind = "cut-value", .entry = i,
			.line = document_line(d, i), .hides_value = true, .text = pem_text,
			.hint = "write it in one line with \\n between its lines, or end each "
			    "line but the last with \\n\\" };
		return true;
	}
	(void)document_raw_value(d, i, &n);
	empty = n == 0 || (n == 2 && inspect_ends_doubled(d, i));
	if ((!jaas && !empty && !inspect_ends_in_blank(d, i)) || !inspect_goes_on(d, i))
		return false;
	if (jaas && inspect_is_open_jaas(d, i, value))
		*end = inspect_jaas_end(d, i);
	else if ((empty || inspect_ends_in_blank(d, i)) && !inspect_is_indented(d, i) &&
	    !document_is_bare(d, i) && rules_sensitive(x->r, key, len))
		*end = inspect_secret_end(d, i);
	else
		return false;
	if (*end == i + 1)
		return false;
	*out = (struct remark){ .level = REMARK_CUT, .kind = "cut-value", .entry = i,
		.line = document_line(d, i + 1) - 1, .hides_value = true,
		.text = inspect_ends_in_blank(d, i) ? blank_text : inspect_ends_doubled(d, i) ?
		    doubled_text : cut_text,
		.hint = "end each line but the last of a value with one backslash, and nothing "
		    "behind it" };
	return true;
}

bool
inspect_is_cut(const struct rules *r, const struct document *d, size_t i, struct remark *out)
{
	const struct inspecting x = { .r = r, .d = d };
	struct buf value;
	size_t end, len;
	const char *key = document_key(d, i, &len);
	bool cut;

	buf_init_secret(&value, BUF_MAX_FILE);
	cut = inspect_find_cut(&x, &value, i, jaas_key(key, len), out, &end);
	buf_release(&value);
	return cut;
}

static int
inspect_add(struct inspecting *x, const struct remark *remark)
{
	struct remark *kept = vec_push(x->remarks);

	if (kept == NULL)
		return error_memory(x->err);
	*kept = *remark;
	return 0;
}

static int
inspect_say(struct inspecting *x, size_t i, enum remark_level level, const char *kind,
    const char *text, const char *hint)
{
	return inspect_add(x, &(struct remark){ .level = level, .kind = kind, .entry = i,
	    .line = document_line(x->d, i), .text = text, .hint = hint });
}

/* What was cut off: option names may be seen, what might be the secret itself not. */
static int
inspect_add_rest(struct inspecting *x, size_t from, size_t end, bool jaas)
{
	struct remark rest = { .level = REMARK_PART, .kind = "cut-value", .hides_value = true };
	const unsigned char *raw;
	const char *key;
	size_t n, len;
	int rc = 0;

	for (rest.entry = from; rc == 0 && rest.entry < end; rest.entry++) {
		raw = document_raw_value(x->d, rest.entry, &n);
		key = document_key(x->d, rest.entry, &len);
		/* A reference has the name of an option before it, and what it names is in use. */
		rest.hides_key = !jaas || !(text_contains_nocase(key, len, "loginmodule") ||
		    (n > 0 && (raw[0] == '"' || raw[0] == '\'')) || inspect_begins(raw, n, "${"));
		rest.line = document_line(x->d, rest.entry);
		rc = inspect_add(x, &rest);
	}
	return rc;
}

static bool
inspect_is_name_char(unsigned char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* Is it a secret, as a comment has it: in quotes, or one word?  ${*len}: how long it is. */
static bool
inspect_is_secret_word(const unsigned char *p, size_t n, size_t *len)
{
	const bool quoted = n > 0 && (*p == '"' || *p == '\'');
	enum value_kind kind;
	size_t to = quoted;

	while (to < n && (quoted ? p[to] != *p : p[to] > ' ' && p[to] != ';'))
		to++;
	*len = to;
	kind = value_kind((const char *)p + quoted, to - quoted);
	return kind != VALUE_EMPTY && kind != VALUE_REFERENCE && kind != VALUE_PLACEHOLDER;
}

/* Is there an option in it as JAAS has them, <name>="...", whose name is a secret's?  ${comment}:
 * it is one, in which quotes may be missing, and a placeholder is no secret. */
static bool
inspect_has_option(const unsigned char *p, size_t n, bool comment)
{
	size_t i, start, end, len;

	for (i = 1; i + 1 < n; i++) {
		if (p[i] != '=')
			continue;
		for (start = end = i; end > 0 && p[end - 1] <= ' '; end--)
			;
		for (start = end; start > 0 && inspect_is_name_char(p[start - 1]); start--)
			;
		if (!jaas_option_is_secret((const char *)p + start, end - start))
			continue;
		for (end = i + 1; end < n && p[end] <= ' '; end++)
			;
		/* Neither empty, nor a reference alone. */
		if (comment ? inspect_is_secret_word(p + end, n - end, &len) : end + 1 < n &&
		    (p[end] == '"' || p[end] == '\'') && p[end + 1] != p[end] &&
		    !inspect_begins(p + end + 1, n - end - 1, "${"))
			return true;
		/* What a placeholder has in it is none, either. */
		if (comment && len > 0)
			i = end + len - 1;
	}
	return false;
}

/* Is there one in a comment of the JAAS value?  Comments stand where no option's value does. */
static bool
inspect_has_comment(const struct buf *value)
{
	struct jaas *j = memchr(value->data, '/', value->len) != NULL ?
	    jaas_parse(value->data, value->len, NULL) : NULL;
	struct jaas_option o = { .to = 0 };
	bool found = false;
	size_t at, end;

	for (size_t k = 0; j != NULL && !found && k <= jaas_count(j); k++) {
		at = o.to;
		end = value->len;
		if (k < jaas_count(j)) {
			o = jaas_option(j, k);
			end = o.from;
		}
		while (at + 1 < end && (value->data[at] != '/' || (value->data[at + 1] != '/' &&
		    value->data[at + 1] != '*')))
			at++;
		found = at < end && inspect_has_option(value->data + at, end - at, true);
	}
	jaas_free(j);
	return found;
}

/* The first `${`, NULL: there is none.  By its dollar, as there are few: memmem looks at each
 * byte. */
static const char *
inspect_find_open(const char *p, size_t n)
{
	const char *end = p + n;

	while (end - p > 1 && (p = memchr(p, '$', (size_t)(end - p) - 1)) != NULL) {
		if (p[1] == '{')
			return p;
		p++;
	}
	return NULL;
}

/*
 * Kafka reads from `${` up to the next `}`, whatever is in between: a
 * reference that is not closed takes the next one with it.
 */
static bool
inspect_swallows(const char *value, size_t n)
{
	struct reference r;
	size_t start, end = 0;

	while (resolve_next(value, n, end, &r, &start, &end))
		if (inspect_find_open(value + start + 2, end - start - 2) != NULL)
			return true;
	return false;
}

/* `${<provider>:` and no `}` any more. */
static bool
inspect_is_unclosed(const char *value, size_t n)
{
	const char *p, *end;
	size_t left;

	if (n == 0)
		return false;
	end = value + n;
	while ((p = inspect_find_open(value, (size_t)(end - value))) != NULL) {
		left = (size_t)(end - p);
		if (memchr(p, '}', left) == NULL)
			return memchr(p, ':', left) != NULL;
		value = p + 2;
	}
	return false;
}

bool
inspect_is_unclosed_ours(const void *value, size_t n)
{
	static const char ours[] = "${" REFERENCE_PROVIDER ":";

	return n > 0 && memmem(value, n, ours, sizeof(ours) - 1) != NULL &&
	    (inspect_swallows(value, n) || inspect_is_unclosed(value, n));
}

bool
inspect_is_unclosed_reference(const void *value, size_t n)
{
	return inspect_begins(value, n, "${") && inspect_is_unclosed(value, n);
}

/* ${resolved}: its references are; ${whole}: it was one reference. */
static int
inspect_jaas(struct inspecting *x, size_t i, const struct buf *value, bool resolved, bool whole)
{
	struct error why = { .code = ERROR_NONE };
	struct jaas *j = jaas_parse(value->data, value->len, &why);
	const char *hint, *text;
	int rc = 0;

	if (j == NULL && resolved && !whole)
		rc = inspect_say(x, i, REMARK_WRONG, "jaas", "with what its references stand for, "
		    "Kafka cannot read this JAAS value", "unseal the option, write it in double "
		    "quotes and seal it again");
	else if (j == NULL && why.code == ERROR_REFUSED)
		rc = inspect_say(x, i, REMARK_NOTE, "jaas", refused_text, refused_hint);
	if (j == NULL)
		return rc;
	if ((text = jaas_fault(j, &hint)) != NULL)
		rc = inspect_say(x, i, REMARK_NOTE, "jaas", text, hint);
	for (size_t k = 0; rc == 0 && k < jaas_count(j); k++) {
		if (!jaas_option(j, k).shadowed)
			continue;
		rc = inspect_say(x, i, REMARK_NOTE, "jaas", "an option is given twice in this JAAS "
		    "value: Kafka takes the last", "take the wrong one out");
		break;
	}
	jaas_free(j);
	return rc;
}

static int
inspect_references(struct inspecting *x, size_t i)
{
	const char *value = (const char *)x->value.data;
	struct reference r;
	size_t start, end = 0, len;
	const char *key = document_key(x->d, i, &len);
	bool ours = false;

	if (value_default(value, x->value.len, &end, &start) && rules_secret(x->r, key, len,
	    value + start, x->value.len - start - 1) == SECRET_CLEAR)
		return inspect_add(x, &(struct remark){ .level = REMARK_NOTE,
		    .kind = "clear-default", .entry = i, .line = document_line(x->d, i),
		    .hides_value = true, .text = "the default of this variable is a secret in "
		    "clear text", .hint = "take the default out: the variable has the secret" });
	end = 0;
	while (resolve_next(value, x->value.len, end, &r, &start, &end)) {
		if (inspect_find_open(value + start + 2, end - start - 2) != NULL)
			return inspect_say(x, i, REMARK_WRONG, "unclosed-reference", "a `${` that "
			    "is not closed takes the reference behind it with it", "close it with "
			    "`}`, or write it without `{`");
		ours = ours || reference_is_ours(&r);
	}
	if (inspect_is_unclosed(value + end, x->value.len - end))
		return inspect_add(x, &(struct remark){ .level = rules_sensitive(x->r, key, len) &&
		    inspect_begins(value, x->value.len, "${") ? REMARK_CUT : REMARK_NOTE,
		    .kind = "unclosed-reference", .entry = i, .line = document_line(x->d, i),
		    .text = "a reference is not closed: Kafka takes it as text",
		    .hint = "close it with `}`; if it is text, name the key with --config" });
	x->refers = x->refers || ours;
	if (end > 0 && inspect_is_provider_parameter(x->d, i))
		return inspect_say(x, i, REMARK_WRONG, "provider-parameter", "Kafka resolves no "
		    "references in the parameters of config providers: the provider gets this "
		    "text", "write the value in clear text into a file that only the service can "
		    "read");
	return 0;
}

/* What the decoded value tells by itself. */
static int
inspect_value(struct inspecting *x, size_t i, bool jaas)
{
	size_t others = 0, len;
	const char *key = document_key(x->d, i, &len);
	const char *value = (const char *)x->value.data;
	bool refers, whole;

	if (inspect_find_open(value, x->value.len) != NULL && inspect_references(x, i) != 0)
		return -1;
	if ((whole = inspect_is_reference(&x->value)) && !jaas)
		return 0;
	if (!jaas)
		return !(inspect_has_option(x->value.data, x->value.len, false) ||
		    value_is_jaas(x->value.data, x->value.len)) ||
		    rules_sensitive(x->r, key, len) || rules_public(x->r, key, len) ? 0 :
		    inspect_add(x, &(struct remark){ .level = REMARK_CUT, .kind = "odd-value",
		    .entry = i, .line = document_line(x->d, i), .hides_value = true,
		    .text = "a password in a value whose key is none of a secret: is it the rest "
		    "of a value that was cut in a line before?", .hint = "if it is not, seal it "
		    "by naming the key with --config, or list the key in public-keys" });
	if (inspect_has_comment(&x->value) && inspect_add(x, &(struct remark){
	    .level = REMARK_NOTE, .kind = INSPECT_JAAS_COMMENT, .entry = i,
	    .line = document_line(x->d, i), .hides_value = true, .text = "a comment in this JAAS "
	    "value holds a password in clear text, which no sealing takes away", .hint = "take "
	    "the comment out, and change the password if it is or was in use" }) != 0)
		return -1;
	refers = x->s != NULL && secrets_file_cipher(x->s) != NULL &&
	    resolve_finds_ours(value, x->value.len);
	buf_clear(&x->opened);
	/* What does not resolve is other findings' business. */
	if (refers &&
	    resolve_value(x->s, NULL, value, x->value.len, &x->opened, &others, NULL) == 0)
		return inspect_jaas(x, i, &x->opened, true, whole);
	return whole ? 0 : inspect_jaas(x, i, &x->value, false, false);
}

/* Is there anything in the bytes that inspect_value could have something to say of? */
static bool
inspect_is_worth(const unsigned char *raw, size_t n)
{
	/* Every text of JSON stands in quotes, and quotes in it behind backslashes. */
	if (n > 1 && raw[0] == '"' && raw[n - 1] == '"') {
		raw++;
		n -= 2;
	}
	for (size_t i = 0; i < n; i++)
		if (raw[i] == '"' || raw[i] == '\'' || raw[i] == '$' || raw[i] == '\\')
			return true;
	return value_has_module(raw, n);
}

/* Java's readers take a byte order mark for a character of the first key. */
static int
inspect_mark(struct inspecting *x)
{
	const struct buf *all = document_bytes(x->d);

	if (!document_format(x->d)->lines || document_count(x->d) == 0 ||
	    !inspect_begins((const char *)all->data, all->len, "\xef\xbb\xbf"))
		return 0;
	return inspect_add(x, &(struct remark){ .level = REMARK_NOTE,
	    .kind = INSPECT_BYTE_ORDER_MARK, .entry = 0, .line = document_line(x->d, 0),
	    .text = "the file begins with a byte order mark, which services read as a part of "
	    "this key: save it as UTF-8 without one",
	    .hint = "this takes it away: sed -i '1s/^\\xef\\xbb\\xbf//' FILE" });
}

static int
inspect_entries(struct inspecting *x)
{
	const struct document *d = x->d;
	/* Without the letter, or an escape that may stand for it, no key is one. */
	const bool any_jaas = document_has_any(d, "jJ\\");
	const unsigned char *raw;
	struct remark cut;
	const char *key;
	size_t end, len, n;
	int rc = 0;
	bool jaas;

	buf_init_secret(&x->value, BUF_MAX_FILE);
	buf_init_secret(&x->opened, BUF_MAX_FILE);
	rc = inspect_mark(x);
	for (size_t i = 0; rc == 0 && i < document_count(d); i = end) {
		end = i + 1;
		key = document_key(d, i, &len);
		jaas = any_jaas && jaas_key(key, len);
		if (inspect_find_cut(x, &x->value, i, jaas, &cut, &end)) {
			if ((rc = inspect_add(x, &cut)) == 0)
				rc = inspect_add_rest(x, i + 1, end, jaas);
			continue;
		}
		raw = document_raw_value(d, i, &n);
		if (x->cuts || n == 0 || !(jaas || inspect_is_worth(raw, n)))
			continue;
		buf_clear(&x->value);
		if ((rc = document_value(d, i, &x->value, x->err)) == 0 && x->value.len > 0)
			rc = inspect_value(x, i, jaas);
	}
	if (rc == 0 && x->refers && inspect_foreign(d) != NULL)
		rc = inspect_add(x, &(struct remark){ .level = REMARK_WRONG,
		    .kind = "unresolvable-here", .entry = DOCUMENT_NONE,
		    .text = "nothing resolves the references in this file: it is one of log4j, "
		    "librdkafka or ZooKeeper", .hint = "give the program the values with "
		    "`propseal render` or `propseal exec`" });
	buf_release(&x->opened);
	buf_release(&x->value);
	return rc;
}

int
inspect_document(const struct rules *r, const struct document *d, const struct secrets_file *s,
    struct vec *remarks, struct error *err)
{
	struct inspecting x = { .r = r, .d = d, .s = s, .remarks = remarks, .err = err };

	return inspect_entries(&x);
}

int
inspect_cuts(const struct rules *r, const struct document *d, struct vec *remarks,
    struct error *err)
{
	struct inspecting x = { .r = r, .d = d, .remarks = remarks, .cuts = true, .err = err };

	return inspect_entries(&x);
}

const struct remark *
inspect_hidden(const struct vec *remarks, size_t *at, size_t i)
{
	const struct remark *r;

	for (; *at < remarks->len; ++*at) {
		r = vec_at(remarks, *at);
		if (r->entry > i)
			return NULL;
		if (r->entry == i && r->hides_value)
			return r;
	}
	return NULL;
}

/* Is one of the references in the value written as Kafka's are, ${provider:...}? */
static bool
inspect_has_provider(const char *p, size_t n)
{
	const char *end = p + n, *close;

	while ((p = inspect_find_open(p, (size_t)(end - p))) != NULL) {
		if ((close = memchr(p, '}', (size_t)(end - p))) == NULL)
			return false;
		if (memchr(p, ':', (size_t)(close - p)) != NULL)
			return true;
		p += 2;
	}
	return false;
}

bool
inspect_is_variable(const void *value, size_t n)
{
	const char *p = value;

	if (n < 2 || p[0] != '$' || value_kind(value, n) != VALUE_REFERENCE)
		return false;
	for (size_t i = 1; i < n; i++)
		if (!ascii_is_alnum(p[i]) && p[i] != '_')
			return false;
	return true;
}

/* As text it may be a password, or its hash: $NAME, $2a$10$... */
static bool
inspect_is_dollar_text(const char *p, size_t n)
{
	return n > 1 && p[0] == '$' && (ascii_is_alnum(p[1]) || p[1] == '_') &&
	    memchr(p, '{', n) == NULL && !inspect_begins(p, n, "$ANSIBLE_VAULT");
}

const char *
inspect_placeholder(const void *value, size_t n)
{
	switch (value_kind(value, n)) {
	case VALUE_PLACEHOLDER:
		return "a placeholder or a mask";
	case VALUE_REFERENCE:
		/* References of Kafka are not asked about. */
		return inspect_is_dollar_text(value, n) || inspect_has_provider(value, n) ? NULL :
		    "another tool's template or ciphertext";
	default:
		return NULL;
	}
}

/* config.providers.<name>.param.<any>, with dots as the format spells them. */
bool
inspect_names_provider_parameter(const struct document_format *f, const char *key, size_t len)
{
	const char *param;
	char middle[16];
	size_t n = strlen(f->providers), dot = strlen(f->dot);

	if (len <= n + dot || memcmp(key, f->providers, n) != 0 ||
	    memcmp(key + n, f->dot, dot) != 0)
		return false;
	key += n + dot;
	len -= n + dot;
	memcpy(middle, f->dot, dot);
	memcpy(middle + dot, "param", 5);
	memcpy(middle + dot + 5, f->dot, dot);
	param = memmem(key, len, middle, 2 * dot + 5);
	/* A provider's name is one word. */
	return param != NULL && param > key && memchr(key, '.', (size_t)(param - key)) == NULL;
}

bool
inspect_is_provider_parameter(const struct document *d, size_t i)
{
	size_t len;
	const char *key = document_key(d, i, &len);

	return inspect_names_provider_parameter(document_format(d), key, len);
}

const char *
inspect_why_left(const struct document *d, size_t i, const void *value, size_t n)
{
	if (document_is_null(d, i))
		return "is null, which is no secret, and was left as it is";
	if (inspect_is_provider_parameter(d, i))
		return "is a parameter of a config provider, in which Kafka resolves no "
		    "references, and was left in clear text";
	if (inspect_placeholder(value, n) != NULL)
		return "holds a placeholder, a mask or a template, and was left as it is; name it "
		    "with --config if it is a secret";
	return NULL;
}

static bool
inspect_has(const struct document *d, const char *key)
{
	return document_find(d, key, strlen(key)) != DOCUMENT_NONE;
}

const char *
inspect_foreign(const struct document *d)
{
	const bool lines = document_format(d)->lines;
	const char *key;
	size_t len;

	if (inspect_has(d, lines ? "sasl.username" : "sasl\\.username") &&
	    inspect_has(d, lines ? "sasl.password" : "sasl\\.password") &&
	    !inspect_has(d, lines ? "sasl.jaas.config" : "sasl\\.jaas\\.config"))
		return "librdkafka";
	if (!lines)
		return NULL;
	for (size_t i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &len);
		if (inspect_begins(key, len, "log4j.") || (inspect_begins(key, len, "appender.") &&
		    text_contains_nocase(key, len, ".type")))
			return "log4j";
		if (inspect_begins(key, len, "server.") && len > 7 &&
		    ascii_is_digit(key[7]) && inspect_has(d, "clientPort"))
			return "ZooKeeper";
	}
	return inspect_has(d, "dataDir") && (inspect_has(d, "clientPort") ||
	    inspect_has(d, "secureClientPort")) ? "ZooKeeper" : NULL;
}

const char *
compare_name(enum compare_result r)
{
	switch (r) {
	case COMPARE_SAME:
		return "same";
	case COMPARE_FORM:
		return "equal";
	case COMPARE_DIFFERENT:
		return "different";
	case COMPARE_UNKNOWN:
		return "unknown";
	case COMPARE_ONLY_A:
		return "only-a";
	case COMPARE_ONLY_B:
		return "only-b";
	}
	return "";
}

static bool
compare_refers(const struct buf *value)
{
	struct reference r;
	size_t start, end = 0;

	while (resolve_next((const char *)value->data, value->len, end, &r, &start, &end))
		if (reference_is_ours(&r))
			return true;
	return false;
}

/* 1: resolved, 0: that cannot be done, -1: an error of another kind. */
static int
compare_resolve(const struct pair *p, const struct resolver *r, const struct buf *value,
    struct buf *out, struct error *err)
{
	const struct secrets_file *s = p->sides->s;
	struct error why;

	buf_clear(out);
	if (s != NULL ? secrets_file_cipher(s) == NULL : r == NULL)
		return 0;
	if (resolve_value(s, s != NULL ? NULL : r, (const char *)value->data, value->len, out,
	    NULL, &why) == 0)
		return 1;
	if (why.code == ERROR_MISSING || why.code == ERROR_DAMAGED)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

static int
compare_values(struct pair *p, enum compare_result *result, struct error *err)
{
	bool a = compare_refers(&p->a), b = compare_refers(&p->b);
	int rc_a = 1, rc_b = 1, alike = 1;

	*result = COMPARE_SAME;
	if (secret_equal(p->a.data, p->a.len, p->b.data, p->b.len)) {
		if (a && p->sides->alike != NULL)
			alike = p->sides->alike(p->sides->cookie, (const char *)p->a.data,
			    p->a.len, err);
		if (alike != 0)
			return alike == -1 ? -1 : 0;
	}
	*result = COMPARE_DIFFERENT;
	if (!a && !b)
		return 0;
	if ((rc_a = compare_resolve(p, p->sides->a, &p->a, &p->resolved_a, err)) == -1 ||
	    (rc_b = compare_resolve(p, p->sides->b, &p->b, &p->resolved_b, err)) == -1)
		return -1;
	if (rc_a == 0 || rc_b == 0)
		*result = COMPARE_UNKNOWN;
	else if (secret_equal(p->resolved_a.data, p->resolved_a.len, p->resolved_b.data,
	    p->resolved_b.len))
		*result = COMPARE_FORM;
	return 0;
}

static int
compare_load(struct buf *out, const struct document *d, size_t i, struct error *err)
{
	buf_clear(out);
	return document_value(d, i, out, err);
}

int
compare_documents(const struct document *a, const struct document *b,
    const struct compare_sides *sides,
    int (*each)(void *cookie, const struct compare_entry *e, struct error *err), void *cookie,
    struct error *err)
{
	struct pair p = { .sides = sides };
	struct compare_entry e;
	int rc = 0;

	buf_init_secret(&p.a, BUF_MAX_FILE);
	buf_init_secret(&p.b, BUF_MAX_FILE);
	buf_init_secret(&p.resolved_a, BUF_MAX_FILE);
	buf_init_secret(&p.resolved_b, BUF_MAX_FILE);
	for (e.a = 0; e.a < document_count(a) && rc == 0; e.a++) {
		if (document_shadowed(a, e.a))
			continue;
		e.key = document_key(a, e.a, &e.len);
		e.b = document_find(b, e.key, e.len);
		e.result = COMPARE_ONLY_A;
		if (e.b != DOCUMENT_NONE && ((rc = compare_load(&p.a, a, e.a, err)) != 0 ||
		    (rc = compare_load(&p.b, b, e.b, err)) != 0 ||
		    (rc = compare_values(&p, &e.result, err)) != 0))
			break;
		rc = each(cookie, &e, err);
	}
	e.a = DOCUMENT_NONE;
	e.result = COMPARE_ONLY_B;
	for (e.b = 0; e.b < document_count(b) && rc == 0; e.b++) {
		e.key = document_key(b, e.b, &e.len);
		if (!document_shadowed(b, e.b) &&
		    document_find(a, e.key, e.len) == DOCUMENT_NONE)
			rc = each(cookie, &e, err);
	}
	buf_release(&p.resolved_b);
	buf_release(&p.resolved_a);
	buf_release(&p.b);
	buf_release(&p.a);
	return rc;
}
