#include "registry/api/thread.h"

#include <stdio.h>

#include "base/buf_pool.h"
#include "base/error.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "registry/api/exchange.h"
#include "registry/api/tally.h"
#include "registry/keys/keyring.h"

/* An opened value is as large as a record may be at most. */
#define VALUE_MAX (4U << 20)

int
thread_init(struct api_thread *t, struct api *a, struct keyring *k, struct error *err)
{
	const struct key *audit = keyring_audit_key(k);
	unsigned char noise[8];

	t->api = a;
	buf_init_secret(&t->value, VALUE_MAX);
	if (random_bytes(noise, sizeof(noise), err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(noise); i++)
		(void)snprintf(t->id_prefix + 2 * i, 3, "%02x", noise[i]);
	t->sealer = sealer_new(k, err);
	t->caller = mac_new(audit, "propseal registry idempotency caller", err);
	t->content = mac_new(audit, "propseal registry idempotency content", err);
	t->tally = tally_new(err);
	t->values = buf_pool_new(err);
	if (t->sealer == NULL || t->caller == NULL || t->content == NULL || t->tally == NULL ||
	    t->values == NULL)
		return -1;
	return 0;
}

void
thread_release(struct api_thread *t)
{
	exchange_pool_free(t);
	tally_free(t->tally);
	mac_free(t->content);
	mac_free(t->caller);
	sealer_free(t->sealer);
	buf_pool_free(t->values);
	buf_release(&t->value);
}
