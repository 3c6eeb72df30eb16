#include "cli/master.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "cli/source.h"
#include "common/options.h"
#include "common/askpass.h"
#include "common/report.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "secrets/wrap.h"

#define TRIES 3

/* Does the key open the data key?  Without a data key nobody can tell. */
static bool
unlocks(const struct secrets_file *s, const struct key *k)
{
	const char *wrapped = secrets_file_metadata(s)->data_key;
	struct key *data_key;

	if (wrapped == NULL)
		return true;
	data_key = wrap_open(k, wrapped, strlen(wrapped), NULL);
	key_free(data_key);
	return data_key != NULL;
}

/* What was typed is the key in base64, or else the passphrase. */
static struct key *
from_answer(const struct secrets_file *s, const struct buf *answer, struct error *err)
{
	struct key *k;

	k = key_from_base64((const char *)answer->data, answer->len, NULL);
	if (k != NULL && unlocks(s, k))
		return k;
	key_free(k);
	k = NULL;
	if (secrets_file_metadata(s)->data_key == NULL) {
		error_set(err, ERROR_KEY, "this is not a master key, and a passphrase cannot be "
		    "checked: the secrets file has no data key yet");
		error_place(err, secrets_file_path(s), 0);
		error_hint(err, "give the master key itself");
		return NULL;
	}
	secrets_file_check_passphrase(s, answer->data, answer->len, NULL, &k, err);
	return k;
}

static struct key *
ask(const struct secrets_file *s, struct error *err)
{
	struct key *k = NULL;
	struct buf answer, text;
	int i;

	buf_init(&text, 8192);
	buf_init_secret(&answer, SOURCE_PASSPHRASE_MAX);
	buf_printf(&text, "Master key or passphrase for %s: ", secrets_file_path(s));
	for (i = 0; i < TRIES && k == NULL; i++) {
		if (i > 0)
			report_error(err);
		buf_clear(&answer);
		if (askpass_line(buf_cstr(&text), &answer, err) != 0)
			break;
		k = from_answer(s, &answer, err);
		if (k == NULL && err->code != ERROR_KEY)
			break;
	}
	buf_release(&answer);
	buf_release(&text);
	return k;
}

struct key *
master_find(const struct options *o, const struct secrets_file *s, struct error *err)
{
	const char *file = o->text[FLAG_MASTER_KEY_FILE];
	struct key *k;

	k = key_source_find(file, secrets_file_metadata(s)->envvar, NULL, err);
	if (k != NULL || file != NULL || err->code != ERROR_MISSING || !askpass_available())
		return k;
	return ask(s, err);
}
