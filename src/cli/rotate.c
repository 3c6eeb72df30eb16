#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "crypto/key.h"
#include "cli/source.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"
#include "seal/rotate.h"
#include "secrets/secrets_file.h"

struct passphrases {
	struct buf old;
	struct buf new;
};

static int
read_passphrases(const struct options *o, struct passphrases *p, struct error *err)
{
	if (o->on[FLAG_MASTER_KEY])
		return source_passphrases(o, &p->old, &p->new, err);
	if (o->given[FLAG_PASSPHRASE_NEW]) {
		error_set(err, ERROR_USAGE, "--passphrase-new is for a new master key");
		return error_hint(err, "add --master-key, or leave --passphrase-new out");
	}
	return source_passphrase(o, FLAG_PASSPHRASE, "Passphrase of the master key: ", false,
	    &p->old, err);
}

/* The passphrase must be the one of the key that was found. */
static int
check_passphrase(const struct change *c, const struct buf *passphrase, struct error *err)
{
	struct key *derived = NULL;
	int rc;

	rc = secrets_file_check_passphrase(c->secrets, passphrase->data, passphrase->len,
	    c->master, &derived, err);
	key_free(derived);
	return rc;
}

static int
rotate(struct change *c, const struct options *o, struct passphrases *p, struct error *err)
{
	bool master_too = o->on[FLAG_MASTER_KEY];
	bool data_too = o->on[FLAG_DATA_KEY] || !master_too;
	struct key *new_master = NULL;
	int rc = -1;

	if (change_open(c, o, false, err) != 0 || read_passphrases(o, p, err) != 0 ||
	    change_key(c, err) != 0 || change_start(c, err) != 0 ||
	    check_passphrase(c, &p->old, err) != 0)
		return -1;
	if (data_too && rotate_data_key(c->plan, c->master, NULL, NULL, err) != 0)
		return -1;
	if (master_too && rotate_master_key(c->plan, c->master, p->new.data, p->new.len,
	    &new_master, err) != 0)
		return -1;
	rc = change_finish(c, err);
	if (rc == 0 && master_too && !o->on[FLAG_DRY_RUN])
		rc = output_master_key(new_master, options_key_format(o), err);
	key_free(new_master);
	return rc;
}

int
commands_rotate(const struct options *o)
{
	struct change c = { 0 };
	struct passphrases p;
	struct error err;
	int rc;

	buf_init_secret(&p.old, SOURCE_PASSPHRASE_MAX);
	buf_init_secret(&p.new, SOURCE_PASSPHRASE_MAX);
	rc = rotate(&c, o, &p, &err);
	buf_release(&p.old);
	buf_release(&p.new);
	return change_status(&c, rc, &err);
}
