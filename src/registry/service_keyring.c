#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "plan/lock.h"
#include "plan/replace.h"
#include "registry/keys/keyring.h"
#include "registry/service_internal.h"
#include "registry/store/store.h"

#define KEYRING_MAX (1U << 20)
#define LOCK_MS 10000

int
service_save_keyring(struct service *s, struct error *err)
{
	char path[PATH_MAX];
	const char *paths[] = { path };
	struct replace *r = NULL;
	struct lock *l = NULL;
	struct file_id id;
	struct buf text;
	int rc = -1;

	buf_init(&text, KEYRING_MAX);
	if (service_path(s, "keyring.json", path, err) != 0 ||
	    keyring_encode(store_keyring(s->store), &text, err) != 0)
		goto done;
	buf_append_char(&text, '\n');
	if (buf_check(&text, err) != 0 ||
	    (l = lock_files(paths, 1, LOCK_MS, NULL, NULL, err)) == NULL ||
	    file_identify(path, &id, err) != 0 ||
	    (r = replace_prepare(path, &id, &text, NULL, NULL, err)) == NULL)
		goto done;
	rc = replace_commit(r, err);
done:
	replace_free(r);
	lock_release(l);
	buf_release(&text);
	return rc;
}
