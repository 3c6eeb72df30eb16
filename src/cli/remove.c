#include <stddef.h>

#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/key_list.h"
#include "common/options.h"
#include "seal/unseal.h"
#include "common/report.h"

static void
hint_blank(const char *key, size_t len, struct error *err)
{
	if (err->code == ERROR_MISSING && (key[0] == ' ' || key[len - 1] == ' '))
		error_hint(err, "remove takes the blanks around a key as a part of it, as "
		    "`confluent secret` does: write KEY,KEY");
}

static int
remove_keys(struct change *c, const struct options *o, const struct key_list *keys,
    struct error *err)
{
	size_t i;

	if (keys->count == 0) {
		error_set(err, ERROR_USAGE, "no key in --config");
		return error_hint(err, "name the keys to remove, separated by commas");
	}
	if (change_open(c, o, false, err) != 0 || change_start(c, err) != 0)
		return -1;
	for (i = 0; i < keys->count; i++) {
		if (unseal_remove(c->plan, c->config, keys->keys[i], keys->lens[i],
		    o->on[FLAG_ORPHAN], err) != 0) {
			hint_blank(keys->keys[i], keys->lens[i], err);
			return -1;
		}
	}
	return change_finish(c, err);
}

int
commands_remove(const struct options *o)
{
	struct change c = { 0 };
	struct error err;
	struct key_list keys;
	int rc;

	rc = key_list_read(o, false, &keys, &err);
	if (rc == 0)
		rc = remove_keys(&c, o, &keys, &err);
	key_list_release(&keys);
	if (rc == 0 && !o->on[FLAG_DRY_RUN])
		report_line("Deleted configuration values.");
	return change_status(&c, rc, &err);
}
