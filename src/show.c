#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "commands.h"
#include "crypto/key.h"
#include "document/document.h"
#include "master.h"
#include "options.h"
#include "output.h"
#include "plan/configuration.h"
#include "report.h"
#include "secrets/secrets_file.h"
#include "secrets/sensitive.h"
#include "show_table.h"

struct show {
	bool reveal;
	struct configuration *config;
	struct secrets_file *secrets;	/* NULL: not named */
};

static int
load(struct show *s, const struct options *o, struct error *err)
{
	const char *path = o->text[FLAG_LOCAL_SECRETS_FILE];
	struct key *master;
	int rc;

	s->reveal = o->on[FLAG_REVEAL];
	if ((s->config = configuration_load(o->args[0], err)) == NULL)
		return -1;
	if (path == NULL)
		return 0;
	if ((s->secrets = secrets_file_load(path, err)) == NULL)
		return -1;
	if (!s->reveal)
		return 0;
	if ((master = master_find(o, s->secrets, err)) == NULL)
		return -1;
	rc = secrets_file_unlock(s->secrets, master, err);
	key_free(master);
	return rc;
}

/* Fill in what may be shown of entry ${i}.  The value goes to ${value}. */
static int
look(const struct show *s, size_t i, struct show_entry *e, struct buf *value,
    struct buf *name, struct error *err)
{
	const struct document *d = s->config->doc;
	size_t sealed;

	buf_clear(value);
	buf_clear(name);
	e->key = document_key(d, i, &e->key_len);
	e->line = document_line(d, i);
	e->sensitive = sensitive_key(e->key, e->key_len);
	e->state = state_of(d, i, s->secrets, name);
	e->masked = e->state == STATE_PLAIN && e->sensitive && !s->reveal;
	if (e->masked)
		return 0;
	if (s->reveal && s->secrets != NULL && e->state == STATE_SEALED) {
		sealed = secrets_file_find(s->secrets, buf_cstr(name), name->len);
		return secrets_file_open(s->secrets, sealed, value, err);
	}
	return document_value(d, i, value, err);
}

static int
show(const struct show *s, struct show_table *t, struct error *err)
{
	const struct document *d = s->config->doc;
	struct show_entry e;
	struct buf value, name;
	size_t i;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init(&name, BUF_MAX_FILE);
	show_table_begin(t, d);
	for (i = 0; i < document_count(d) && rc == 0; i++) {
		if (document_shadowed(d, i))
			continue;
		rc = look(s, i, &e, &value, &name, err);
		if (rc == 0)
			show_table_add(t, &e, &value);
	}
	if (rc == 0) {
		show_table_end(t);
		rc = output_write(&t->out, err);
	}
	buf_release(&value);
	buf_release(&name);
	return rc;
}

/* What was asked for could not all be shown. */
static int
check_revealed(const struct show *s, const struct show_table *t, struct error *err)
{
	size_t n = t->counts[STATE_DAMAGED];

	if (!s->reveal || n == 0)
		return 0;
	error_set(err, ERROR_DAMAGED, "%zu sealed %s not open", n,
	    n == 1 ? "value does" : "values do");
	error_place(err, secrets_file_path(s->secrets), 0);
	return error_hint(err, "`propseal file verify` tells which");
}

int
commands_show(const struct options *o)
{
	struct show s = { 0 };
	struct show_table t;
	struct error err;
	int rc;

	show_table_init(&t, options_format(o) == OUTPUT_JSON);
	rc = load(&s, o, &err);
	if (rc == 0)
		rc = show(&s, &t, &err);
	if (rc == 0)
		rc = check_revealed(&s, &t, &err);
	show_table_release(&t);
	configuration_free(s.config);
	secrets_file_free(s.secrets);
	return rc == 0 ? 0 : report_error(&err);
}
