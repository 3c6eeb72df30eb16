#include "base/error.h"
#include "registry/kafka/kafka.h"

/* A build without librdkafka: nothing of this is ever reached behind kafka_open. */

struct kafka *
kafka_open(const struct kafka_options *o, void (*readable)(void *cookie), void *cookie,
    struct error *err)
{
	(void)o;
	(void)readable;
	(void)cookie;
	error_set(err, ERROR_REFUSED, "this build has no librdkafka: it keeps secrets in its own "
	    "store only");
	error_hint(err, "set store.log=local, or build with librdkafka's headers installed (make "
	    "KAFKA=1)");
	return NULL;
}

void
kafka_close(struct kafka *k)
{
	(void)k;
}

int
kafka_check(struct kafka *k, bool create, unsigned timeout_ms, struct error *err)
{
	(void)k;
	(void)create;
	(void)timeout_ms;
	return error_set(err, ERROR_REFUSED, "there is no librdkafka");
}

int
kafka_ends(struct kafka *k, unsigned timeout_ms, int64_t *first, int64_t *end, struct error *err)
{
	(void)k;
	(void)timeout_ms;
	*first = *end = 0;
	return error_set(err, ERROR_REFUSED, "there is no librdkafka");
}

int64_t
kafka_identity(struct kafka *k, unsigned timeout_ms)
{
	(void)k;
	(void)timeout_ms;
	return 0;
}

int
kafka_seek(struct kafka *k, int64_t offset, struct error *err)
{
	(void)k;
	(void)offset;
	return error_set(err, ERROR_REFUSED, "there is no librdkafka");
}

enum kafka_read
kafka_read(struct kafka *k, unsigned timeout_ms, struct kafka_message *out, struct error *err)
{
	(void)k;
	(void)timeout_ms;
	(void)out;
	(void)err;
	return KAFKA_NOTHING;
}

int64_t
kafka_end_known(struct kafka *k)
{
	(void)k;
	return -1;
}

int
kafka_watch(struct kafka *k, struct error *err)
{
	(void)k;
	return error_set(err, ERROR_REFUSED, "there is no librdkafka");
}

int
kafka_watched(struct kafka *k, int64_t read, struct error *err)
{
	(void)k;
	(void)read;
	(void)err;
	return 0;
}

int64_t
kafka_silence(struct kafka *k)
{
	(void)k;
	return 0;
}

int
kafka_lease(struct kafka *k, struct error *err)
{
	(void)k;
	return error_set(err, ERROR_REFUSED, "there is no librdkafka");
}

bool
kafka_is_ours(struct kafka *k)
{
	(void)k;
	return false;
}

void
kafka_resign(struct kafka *k)
{
	(void)k;
}

int
kafka_claim(struct kafka *k, unsigned timeout_ms, struct error *err)
{
	(void)k;
	(void)timeout_ms;
	return error_set(err, ERROR_REFUSED, "there is no librdkafka");
}

void
kafka_unclaim(struct kafka *k)
{
	(void)k;
}

enum kafka_outcome
kafka_append(struct kafka *k, const struct kafka_record *records, size_t n, unsigned timeout_ms,
    struct error *err)
{
	(void)k;
	(void)records;
	(void)n;
	(void)timeout_ms;
	error_set(err, ERROR_REFUSED, "there is no librdkafka");
	return KAFKA_REFUSED;
}

const char *
kafka_denied(struct kafka *k)
{
	(void)k;
	return NULL;
}

void
kafka_complaint(struct kafka *k, char *out, size_t size)
{
	(void)k;
	if (size > 0)
		out[0] = '\0';
}
