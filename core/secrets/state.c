#include "secrets/state.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "secrets/reference.h"
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
	size_t entry;

	if (s == NULL)
		return STATE_SEALED;
	if ((entry = secrets_file_find(s, name, len)) == DOCUMENT_NONE)
		return STATE_DANGLING;
	return is_damaged(s, entry) ? STATE_DAMAGED : STATE_SEALED;
}

enum entry_state
state_value(const char *value, size_t n, const struct secrets_file *s, struct buf *name)
{
	struct reference r;

	if (!reference_parse(value, n, &r))
		return STATE_PLAIN;
	if (!reference_is_ours(&r))
		return STATE_OTHER;
	if (name != NULL)
		buf_append(name, r.name, r.name_len);
	return state_of_name(r.name, r.name_len, s);
}

enum entry_state
state_of(const struct document *d, size_t i, const struct secrets_file *s, struct buf *name)
{
	const unsigned char *raw;
	enum entry_state state;
	struct buf value;
	size_t n;

	/* Most values have no escapes and are no references: no copy for them. */
	raw = document_raw_value(d, i, &n);
	if (n == 0 || (raw[0] != '$' && raw[0] != '\\'))
		return STATE_PLAIN;
	buf_init_secret(&value, BUF_MAX_FILE);
	state = STATE_PLAIN;
	if (document_value(d, i, &value, NULL) == 0 && value.len > 0)
		state = state_value((const char *)value.data, value.len, s, name);
	buf_release(&value);
	return state;
}
