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

static int
generate(struct change *c, const struct options *o, struct buf *passphrase, struct error *err)
{
	struct key *master = NULL;
	int rc;

	if (change_open(c, o, true, err) != 0)
		return -1;
	if (source_passphrase(o, FLAG_PASSPHRASE, "Passphrase of the new master key: ", true,
	    passphrase, err) != 0 || change_start(c, err) != 0)
		return -1;
	rc = rotate_generate(c->plan, passphrase->data, passphrase->len, &master, err);
	if (rc == 0)
		rc = change_finish(c, err);
	if (rc == 0 && !o->on[FLAG_DRY_RUN])
		rc = output_master_key(master, options_key_format(o), err);
	key_free(master);
	return rc;
}

int
commands_generate(const struct options *o)
{
	struct change c = { 0 };
	struct buf passphrase;
	struct error err;
	int rc;

	buf_init_secret(&passphrase, SOURCE_PASSPHRASE_MAX);
	rc = generate(&c, o, &passphrase, &err);
	buf_release(&passphrase);
	return change_status(&c, rc, &err);
}
