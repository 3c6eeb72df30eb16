#include "cli/sealing.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/change.h"
#include "cli/config.h"
#include "cli/config_text.h"
#include "document/document.h"
#include "common/options.h"
#include "plan/configuration.h"

struct seal_options
sealing_options(const struct options *o)
{
	const char *cipher = o->text[FLAG_CIPHER];
	struct seal_options so = {
		.remote = o->text[FLAG_REMOTE_SECRETS_FILE],
		.replace = o->on[FLAG_REPLACE],
		.cipher = SEALED_GCM,
		.rules = config_rules(o->config),
	};

	if (cipher != NULL && strcmp(cipher, "cbc") == 0)
		so.cipher = SEALED_CBC;
	return so;
}

/* Plan to seal each entry of ${text}. */
static int
seal_all(struct change *c, const struct document *text, bool must_exist, struct error *err)
{
	struct seal_options so = sealing_options(c->o);
	struct buf value;
	const char *key;
	size_t i, len;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (i = 0; i < document_count(text) && rc == 0; i++) {
		key = document_key(text, i, &len);
		buf_clear(&value);
		rc = document_value(text, i, &value, err);
		if (rc == 0)
			rc = seal_value(c->plan, c->config, key, len, value.data, value.len,
			    must_exist, &so, err);
	}
	buf_release(&value);
	return rc;
}

int
sealing_put(const struct options *o, bool must_exist, const char *empty, struct error *err)
{
	struct document *text = NULL;
	struct change c;
	int rc = -1;

	if (change_open(&c, o, true, err) != 0)
		goto out;
	if ((text = config_text_read(o, c.config->doc, empty, err)) == NULL)
		goto out;
	if (change_key(&c, err) != 0 || change_start(&c, err) != 0 ||
	    seal_prepare(c.plan, c.master, err) != 0)
		goto out;
	if (seal_all(&c, text, must_exist, err) == 0)
		rc = change_finish(&c, err);
out:
	document_free(text);
	change_close(&c);
	return rc;
}
