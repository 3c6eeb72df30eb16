#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "crypto/key.h"
#include "document/document.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "secrets/veil.h"

struct view {
	struct buf raw;			/* secret */
	struct document *doc;		/* NULL: cannot be read, or that of the secrets file */
	struct secrets_file *secrets;	/* NULL: it is none */
	struct key *master;		/* NULL: not at hand */
};

/* As what it is: a secrets file, or else a configuration file. */
static void
parse(struct view *v, const char *path)
{
	enum document_format format;
	struct buf copy;

	buf_init_secret(&copy, BUF_MAX_FILE);
	/* A secrets file may have any name. */
	if (!document_format_of(path, &format))
		format = DOCUMENT_PROPERTIES;
	if (format == DOCUMENT_PROPERTIES) {
		buf_append(&copy, v->raw.data, v->raw.len);
		v->secrets = secrets_file_parse(path, &copy, NULL);
		if (v->secrets != NULL &&
		    !secrets_file_recognise(secrets_file_document(v->secrets)) &&
		    secrets_file_sealed_count(v->secrets) == 0) {
			secrets_file_free(v->secrets);
			v->secrets = NULL;
		}
	}
	if (v->secrets == NULL) {
		buf_clear(&copy);
		buf_append(&copy, v->raw.data, v->raw.len);
		v->doc = document_parse(&copy, format, path, NULL);
	}
	buf_release(&copy);
}

/* Nobody is asked: a diff may show many files, and needs no key. */
static void
find_key(struct view *v, const struct options *o)
{
	const char *envvar = v->secrets != NULL ? secrets_file_metadata(v->secrets)->envvar :
	    SECRETS_ENVVAR_DEFAULT;

	v->master = key_source_find(o->text[FLAG_MASTER_KEY_FILE], envvar, NULL, NULL);
	if (v->master != NULL && v->secrets != NULL)
		(void)secrets_file_unlock(v->secrets, v->master, NULL);
}

static int
show(struct view *v, const struct rules *rules, struct error *err)
{
	const struct document *d = v->secrets != NULL ? secrets_file_document(v->secrets) : v->doc;
	struct buf text;
	int rc;

	if (d == NULL)
		return output_write(&v->raw, err);
	buf_init(&text, BUF_MAX_FILE);
	rc = veil_append(d, v->secrets, v->master, rules, &text, err);
	if (rc == 0)
		rc = output_write(&text, err);
	buf_release(&text);
	return rc;
}

int
commands_git_textconv(const struct options *o)
{
	struct view v = { .doc = NULL };
	struct config *config;
	struct error err;

	/* A diff must not fail: not for propseal.ini either. */
	config = config_load(&err);
	if (config == NULL)
		report_error(&err);
	buf_init_secret(&v.raw, BUF_MAX_FILE);
	if (file_read(o->args[0], &v.raw, NULL, &err) != 0)
		report_error(&err);
	else {
		parse(&v, o->args[0]);
		find_key(&v, o);
		if (show(&v, config_rules(config), &err) != 0)
			report_error(&err);
	}
	key_free(v.master);
	secrets_file_free(v.secrets);
	document_free(v.doc);
	buf_release(&v.raw);
	config_free(config);
	return 0;
}
