#include <stdlib.h>

#include "base/error.h"
#include "registry/log/log.h"

static int
log_check(const struct log_record *r, struct error *err)
{
	if (r->key == NULL || r->key_len == 0)
		return error_set(err, ERROR_USAGE, "a log record needs a key");
	if (r->value == NULL && r->value_len != 0)
		return error_set(err, ERROR_USAGE, "a tombstone has no value");
	if (r->key_len > LOG_KEY_MAX)
		return error_set(err, ERROR_LIMIT, "a log record's key has %zu bytes, "
		    "more than %u", r->key_len, LOG_KEY_MAX);
	if (r->value_len > LOG_VALUE_MAX)
		return error_set(err, ERROR_LIMIT, "a log record's value has %zu bytes, "
		    "more than %u", r->value_len, LOG_VALUE_MAX);
	return 0;
}

int
log_append(struct log *l, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err)
{
	size_t i;

	if (n == 0)
		return error_set(err, ERROR_USAGE, "nothing to append to the log");
	for (i = 0; i < n; i++) {
		if (log_check(&batch[i], err) == -1)
			return -1;
	}
	return l->ops->append(l->self, batch, n, first, err);
}

int
log_read(struct log *l, uint64_t from, log_visit *visit, void *cookie,
    struct error *err)
{
	return l->ops->read(l->self, from, visit, cookie, err);
}

int
log_end(struct log *l, uint64_t *end, struct error *err)
{
	return l->ops->end(l->self, end, err);
}

int
log_claim(struct log *l, const char *node, uint64_t *epoch, struct error *err)
{
	return l->ops->claim(l->self, node, epoch, err);
}

int
log_backup(struct log *l, const char *path, struct error *err)
{
	if (l->ops->backup == NULL)
		return error_set(err, ERROR_REFUSED, "this kind of log offers no backup");
	return l->ops->backup(l->self, path, err);
}

void
log_free(struct log *l)
{
	if (l == NULL)
		return;
	l->ops->free(l->self);
	free(l);
}
