#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/replace_file.h"
#include "registry/keys/keyring.h"
#include "registry/service/service_internal.h"
#include "registry/store/store.h"

#define KEYRING_MAX (1U << 20)
#define LOCK_MS 10000

int
service_save_keyring(struct service *s, struct error *err)
{
	char path[PATH_MAX];
	struct buf text;
	int rc = -1;

	buf_init(&text, KEYRING_MAX);
	if (service_path(s, "keyring.json", path, err) != 0 ||
	    keyring_encode(store_keyring(s->store), &text, err) != 0)
		goto done;
	buf_append_char(&text, '\n');
	if (buf_check(&text, err) == 0)
		rc = replace_file_locked(path, LOCK_MS, &text, err);
done:
	buf_release(&text);
	return rc;
}
