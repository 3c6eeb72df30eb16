#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

bool
reference_parse(const char *value, size_t n, struct reference *out)
{
	const char *p, *end, *colon;

	/* The length first: an empty buffer's value is no pointer to count from. */
	if (n < 4 || memcmp(value, "${", 2) != 0 ||
	    memchr(value, '}', n) != value + n - 1 || memchr(value, '\n', n) != NULL)
		return false;
	p = value + 2;
	end = value + n - 1;
	if ((colon = memchr(p, ':', (size_t)(end - p))) == NULL)
		return false;
	memset(out, 0, sizeof(*out));
	out->provider = p;
	out->provider_len = (size_t)(colon - p);
	p = colon + 1;
	if ((colon = memchr(p, ':', (size_t)(end - p))) != NULL) {
		out->path = p;
		out->path_len = (size_t)(colon - p);
		p = colon + 1;
	}
	out->name = p;
	out->name_len = (size_t)(end - p);
	return true;
}

bool
reference_is_ours(const struct reference *r)
{
	return r->provider_len == sizeof(REFERENCE_PROVIDER) - 1 &&
	    memcmp(r->provider, REFERENCE_PROVIDER, r->provider_len) == 0;
}

bool
reference_may_be_in(const struct document *d, size_t i)
{
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(d, i, &n);
	return n > 0 && (memchr(raw, '$', n) != NULL || memchr(raw, '\\', n) != NULL);
}

/* Can it not stand in a reference? */
static bool
reference_has_end(const char *p, size_t n)
{
	return memchr(p, '}', n) != NULL || memchr(p, '\n', n) != NULL ||
	    memchr(p, '\r', n) != NULL;
}

int
reference_append(struct buf *out, const char *remote, const char *name, size_t name_len,
    struct error *err)
{
	const char *slash;

	if (strpbrk(remote, ":}\r\n") != NULL) {
		error_set(err, ERROR_REFUSED,
		    "the remote path of the secrets file has a `:`, a `}` or a line end");
		return error_hint(err, "Kafka could not resolve such a reference: "
		    "choose another path for --remote-secrets-file");
	}
	slash = memchr(name, '/', name_len);
	if (slash != NULL && reference_has_end(name, (size_t)(slash - name))) {
		error_set(err, ERROR_REFUSED, "the name of the file has a `}` or a line end in it");
		error_key(err, name, name_len);
		return error_hint(err, "Kafka could not resolve a reference to it: rename the "
		    "file, or give --base-name");
	}
	if (reference_has_end(name, name_len)) {
		error_set(err, ERROR_REFUSED, "the key has a `}` or a line end in it");
		error_key(err, name, name_len);
		return error_hint(err, "Kafka could not resolve a reference to it: rename the key");
	}
	buf_append_str(out, "${" REFERENCE_PROVIDER ":");
	buf_append_str(out, remote);
	buf_append_char(out, ':');
	buf_append(out, name, name_len);
	buf_append_char(out, '}');
	return buf_check(out, err);
}

bool
resolve_next(const char *value, size_t n, size_t from, struct reference *out, size_t *start,
    size_t *end)
{
	const char *p, *brace, *colon, *stop;

	/* An empty buffer's value is no pointer to count from. */
	if (from >= n)
		return false;
	stop = value + n;
	while (from < n && (p = memmem(value + from, n - from, "${", 2)) != NULL) {
		if ((brace = memchr(p, '}', (size_t)(stop - p))) == NULL)
			return false;
		colon = memchr(p, ':', (size_t)(brace - p));
		/* Without a colon before the brace, no later ${ before it has one. */
		from = (size_t)(brace - value) + 1;
		if (colon == NULL)
			continue;
		memset(out, 0, sizeof(*out));
		out->provider = p + 2;
		out->provider_len = (size_t)(colon - out->provider);
		out->name = colon + 1;
		colon = memchr(out->name, ':', (size_t)(brace - out->name));
		if (colon != NULL) {
			out->path = out->name;
			out->path_len = (size_t)(colon - out->path);
			out->name = colon + 1;
		}
		out->name_len = (size_t)(brace - out->name);
		*start = (size_t)(p - value);
		*end = (size_t)(brace - value) + 1;
		return true;
	}
	return false;
}

bool
resolve_finds_ours(const void *bytes, size_t n)
{
	size_t start, end = 0;
	struct reference r;

	while (resolve_next(bytes, n, end, &r, &start, &end))
		if (reference_is_ours(&r))
			return true;
	return false;
}

bool
reference_bare(const char *name, size_t len, struct buf *out)
{
	if (memchr(name, '\\', len) == NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] != '\\')
			buf_append_char(out, name[i]);
	return true;
}

bool
reference_names(const char *name, size_t len, const char *entry, size_t entry_len)
{
	size_t at = 0;

	if (entry_len >= len)
		return entry_len == len && memcmp(name, entry, len) == 0;
	for (size_t i = 0; i < len; i++)
		if (name[i] != '\\' && (at == entry_len || entry[at++] != name[i]))
			return false;
	return at == entry_len;
}

size_t
resolve_entry(const struct secrets_file *s, const struct reference *r)
{
	size_t i = secrets_file_find(s, r->name, r->name_len);
	struct buf bare;

	if (i != DOCUMENT_NONE)
		return i;
	buf_init(&bare, r->name_len + 1);
	if (reference_bare(r->name, r->name_len, &bare) && buf_check(&bare, NULL) == 0)
		i = secrets_file_find(s, (const char *)bare.data, bare.len);
	buf_release(&bare);
	return i;
}

static int
dangling(const struct secrets_file *s, const struct reference *r, struct error *err)
{
	error_set(err, ERROR_MISSING, "dangling reference: the secrets file has no such entry");
	error_place(err, secrets_file_path(s), 0);
	error_key(err, r->name, r->name_len);
	return error_hint(err, "restore the entry from a backup, or set the value anew with "
	    "`propseal file update`");
}

const struct resolver *
resolver_for(const struct resolver *more, const struct reference *r)
{
	while (more != NULL && (strlen(more->provider) != r->provider_len ||
	    memcmp(more->provider, r->provider, r->provider_len) != 0))
		more = more->next;
	return more;
}

static int
no_secrets_file(const struct reference *r, struct error *err)
{
	error_set(err, ERROR_MISSING, "a reference needs a secrets file, and none was given");
	error_key(err, r->name, r->name_len);
	return error_hint(err, "give --local-secrets-file FILE");
}

int
resolve_value(const struct secrets_file *s, const struct resolver *more, const char *value,
    size_t n, struct buf *out, size_t *others, struct error *err)
{
	const struct resolver *its;
	struct reference r;
	size_t done = 0, start, end, entry;

	if (others != NULL)
		*others = 0;
	while (resolve_next(value, n, done, &r, &start, &end)) {
		buf_append(out, value + done, start - done);
		done = end;
		if ((its = resolver_for(more, &r)) != NULL) {
			if (its->value(its->cookie, &r, out, err) != 0)
				return -1;
			continue;
		}
		if (!reference_is_ours(&r)) {
			buf_append(out, value + start, end - start);
			if (others != NULL)
				++*others;
			continue;
		}
		if (s == NULL)
			return no_secrets_file(&r, err);
		if ((entry = resolve_entry(s, &r)) == DOCUMENT_NONE)
			return dangling(s, &r, err);
		if (secrets_file_open(s, entry, out, err) != 0)
			return -1;
	}
	if (n > done)
		buf_append(out, value + done, n - done);
	return buf_check(out, err);
}

const char *
state_name(enum entry_state s)
{
	switch (s) {
	case STATE_PLAIN:
		return "plain";
	case STATE_SEALED:
		return "sealed";
	case STATE_DANGLING:
		return "dangling";
	case STATE_UNKNOWN:
		return "unknown";
	case STATE_OTHER:
		return "other-provider";
	case STATE_DAMAGED:
		return "damaged";
	}
	return "";
}

enum entry_state
state_of_sealed(const struct secrets_file *s, size_t entry)
{
	return secrets_file_probe(s, entry) == SECRETS_DAMAGED ? STATE_DAMAGED : STATE_SEALED;
}

enum entry_state
state_of_name(const char *name, size_t len, const struct secrets_file *s)
{
	const struct reference r = { .name = name, .name_len = len };
	size_t entry;

	if (s == NULL)
		return STATE_SEALED;
	if ((entry = resolve_entry(s, &r)) == DOCUMENT_NONE)
		return STATE_DANGLING;
	return state_of_sealed(s, entry);
}

enum entry_state
state_worse(enum entry_state a, enum entry_state b)
{
	static const int rank[] = {
		[STATE_PLAIN] = 0, [STATE_OTHER] = 0, [STATE_SEALED] = 1, [STATE_UNKNOWN] = 2,
		[STATE_DANGLING] = 3, [STATE_DAMAGED] = 4,
	};

	return rank[b] > rank[a] ? b : a;
}

enum entry_state
state_value(const char *value, size_t n, const struct secrets_file *s, struct buf *name)
{
	enum entry_state state = STATE_PLAIN;
	size_t at = 0, start, end;
	struct reference r;
	bool found = false;

	for (; resolve_next(value, n, at, &r, &start, &end); at = end) {
		if (!reference_is_ours(&r)) {
			if (start == 0 && end == n)
				return STATE_OTHER;
			continue;
		}
		if (name != NULL && !found)
			buf_append(name, r.name, r.name_len);
		found = true;
		state = state_worse(state, state_of_name(r.name, r.name_len, s));
	}
	return state;
}

enum entry_state
state_of(const struct document *d, size_t i, const struct secrets_file *s, struct buf *name)
{
	enum entry_state state;
	struct buf value;

	if (!reference_may_be_in(d, i))
		return STATE_PLAIN;
	buf_init_secret(&value, BUF_MAX_FILE);
	state = STATE_PLAIN;
	if (document_value(d, i, &value, NULL) == 0 && value.len > 0)
		state = state_value((const char *)value.data, value.len, s, name);
	buf_release(&value);
	return state;
}
