#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "document/document.h"
#include "common/options.h"
#include "common/output.h"
#include "plan/configuration.h"

/*
 * For the completion scripts: the keys of a configuration file, one a line.
 * A shell would take some characters for its own, and a line end for two
 * keys: such keys are left out.  Somebody is typing, so no error is said.
 */
static void
append_key(struct buf *out, const char *key, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/@%+~";
	size_t i;

	for (i = 0; i < len; i++) {
		if (key[i] == '\0' || strchr(plain, key[i]) == NULL)
			return;
	}
	buf_append(out, key, len);
	buf_append_char(out, '\n');
}

int
commands_complete(const struct options *o)
{
	struct configuration *c = configuration_load(o->args[0], NULL);
	struct buf out;
	const char *key;
	size_t i, len;
	int rc;

	if (c == NULL)
		return 1;
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < document_count(c->doc); i++) {
		key = document_key(c->doc, i, &len);
		if (!document_shadowed(c->doc, i) && len > 0)
			append_key(&out, key, len);
	}
	rc = output_write(&out, NULL);
	buf_release(&out);
	configuration_free(c);
	return rc == 0 ? 0 : 1;
}
