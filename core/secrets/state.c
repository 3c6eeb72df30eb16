#include "secrets/state.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "secrets/reference.h"
#include "secrets/resolve.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

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
	case STATE_OTHER:
		return "other-provider";
	case STATE_DAMAGED:
		return "damaged";
	}
	return "";
}

/* Can the sealed entry be opened, as far as can be told? */
static bool
is_damaged(const struct secrets_file *s, size_t entry)
{
	const struct document *d = secrets_file_document(s);
	const unsigned char *raw;
	struct sealed parts;
	struct buf text;
	bool damaged;
	size_t n;

	raw = document_raw_value(d, entry, &n);
	if (secrets_file_cipher(s) == NULL && memchr(raw, '\\', n) == NULL)
		return sealed_parse(raw, n, &parts, NULL) != 0;
	/* Secret in either case: the line may be clear text. */
	buf_init_secret(&text, BUF_MAX_FILE);
	if (secrets_file_cipher(s) != NULL)
		damaged = secrets_file_open(s, entry, &text, NULL) != 0;
	else
		damaged = document_value(d, entry, &text, NULL) != 0 ||
		    sealed_parse(text.data, text.len, &parts, NULL) != 0;
	buf_release(&text);
	return damaged;
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
	return is_damaged(s, entry) ? STATE_DAMAGED : STATE_SEALED;
}

/* Of two references in one value, the state that needs attention first. */
static enum entry_state
worse(enum entry_state a, enum entry_state b)
{
	static const int rank[] = {
		[STATE_PLAIN] = 0, [STATE_OTHER] = 0, [STATE_SEALED] = 1, [STATE_DANGLING] = 2,
		[STATE_DAMAGED] = 3,
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
		state = worse(state, state_of_name(r.name, r.name_len, s));
	}
	return state;
}

enum entry_state
state_of(const struct document *d, size_t i, const struct secrets_file *s, struct buf *name)
{
	const unsigned char *raw;
	enum entry_state state;
	struct buf value;
	size_t n;

	/* Most values have neither a reference nor an escape: no copy for them. */
	raw = document_raw_value(d, i, &n);
	if (n == 0 || (memchr(raw, '$', n) == NULL && memchr(raw, '\\', n) == NULL))
		return STATE_PLAIN;
	buf_init_secret(&value, BUF_MAX_FILE);
	state = STATE_PLAIN;
	if (document_value(d, i, &value, NULL) == 0 && value.len > 0)
		state = state_value((const char *)value.data, value.len, s, name);
	buf_release(&value);
	return state;
}
