#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/keys/master.h"
#include "registry/service/service_internal.h"
#include "registry/store/store.h"

static int
add_old(struct service *s, struct master *m)
{
	if (m == NULL)
		return -1;
	s->old[s->old_count++] = m;
	return 0;
}

int
service_masters(struct service *s, struct error *err)
{
	const struct settings *set = s->settings;
	const char *where;
	size_t i;

	if (set->master_key_file == NULL && set->master_key.len > 0)
		s->master = master_from_text(&set->master_key, set->dev_mode, err);
	else
		s->master = registry_master_find(set->master_key_file, set->dev_mode, &where, err);
	if (s->master == NULL)
		return -1;
	/* An old key may be as weak as it was: it is only read with. */
	for (i = 0; i < set->old_key_count; i++) {
		if (set->old_keys[i].len > 0 &&
		    add_old(s, master_from_text(&set->old_keys[i], true, err)) != 0)
			return -1;
	}
	if (set->old_key_file != NULL &&
	    add_old(s, registry_master_find(set->old_key_file, true, &where, err)) != 0)
		return -1;
	return 0;
}

struct master *
service_fresh_master(const struct service *s, struct error *err)
{
	const char *where;
	struct master *m;

	err->code = ERROR_NONE;
	if (s->settings->master_key_file == NULL)
		return NULL;
	m = registry_master_find(s->settings->master_key_file, s->settings->dev_mode, &where, err);
	if (m != NULL && keyring_fits(store_keyring(s->store), m)) {
		master_free(m);
		m = NULL;
	}
	return m;
}
