#include "secrets/passphrase.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

int
passphrase_normalise(struct buf *p, struct error *err)
{
	if (p->len > 0 && p->data[p->len - 1] == '\n')
		buf_truncate(p, p->len - 1);
	if (p->len > 0 && !text_is_blank(p->data, p->len))
		return 0;
	error_set(err, ERROR_KEY, "the passphrase is empty");
	return error_hint(err, "give a passphrase that is more than blanks");
}
