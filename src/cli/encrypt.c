#include <stddef.h>

#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/key_list.h"
#include "common/options.h"
#include "common/report.h"
#include "cli/sealing.h"
#include "secrets/rules.h"

static int
seal_keys(struct change *c, const struct key_list *keys, const struct seal_options *so,
    struct error *err)
{
	size_t i;

	for (i = 0; i < keys->count; i++) {
		if (seal_key(c->plan, c->config, keys->keys[i], keys->lens[i], so, err) != 0)
			return -1;
	}
	return 0;
}

static int
encrypt(struct change *c, const struct options *o, const struct key_list *keys, struct error *err)
{
	struct seal_options so = sealing_options(o);
	size_t count = 0;

	if (change_open(c, o, true, err) != 0 || change_key(c, err) != 0 ||
	    change_start(c, err) != 0 || seal_prepare(c->plan, c->master, err) != 0)
		return -1;
	if (keys->count > 0) {
		if (seal_keys(c, keys, &so, err) != 0)
			return -1;
		return change_finish(c, err);
	}
	if (seal_default(c->plan, c->config, &so, &count, err) != 0)
		return -1;
	if (count == 0 && !o->on[FLAG_DRY_RUN]) {
		/* Nor is a data key made for nothing. */
		report_note("nothing to seal: no key contains \"password\"%s",
		    rules_has_secret(so.rules) ? " or is one of secret-keys" : "");
		return 0;
	}
	return change_finish(c, err);
}

int
commands_encrypt(const struct options *o)
{
	struct change c = { 0 };
	struct error err;
	struct key_list keys;
	int rc;

	rc = key_list_read(o, true, &keys, &err);
	if (rc == 0)
		rc = encrypt(&c, o, &keys, &err);
	key_list_release(&keys);
	return change_status(&c, rc, &err);
}
