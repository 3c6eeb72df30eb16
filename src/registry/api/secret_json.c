#include "registry/api/secret_json.h"

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/api/tally.h"
#include "registry/keys/keyring.h"
#include "registry/store/state.h"

/* More than this is given back after use. */
#define SCRATCH_KEPT ((size_t)64 << 10)

const char *
secret_json_state(const struct version_view *v)
{
	switch (v->status) {
	case VERSION_LIVE:
		return "live";
	case VERSION_EXPIRED:
		return "expired";
	case VERSION_DELETED:
		return "deleted";
	case VERSION_DESTROYED:
	default:
		return "destroyed";
	}
}

const struct buf *
secret_json_open(struct exchange *x, const struct secret_name *name,
    const struct version_view *v, struct error *err)
{
	struct buf *value = &x->thread->value;
	struct sealed_name bound = {
		.path = name->path, .path_len = name->path_len,
		.key = name->key, .key_len = name->key_len,
		.version = v->number,
		.created_ms = v->created_ms, .expires_ms = v->expires_ms,
	};

	if (value->cap > SCRATCH_KEPT)
		buf_release(value);
	buf_clear(value);
	if (sealer_open(x->thread->sealer, &bound, v->sealed, v->sealed_len, value, err) == 0)
		return value;
	buf_clear(value);
	tally_undecryptable(x->thread->tally);
	return NULL;
}

void
secret_json_append(const struct secret_name *name, const struct version_view *v,
    const void *value, size_t n, bool metadata, struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_text_n(out, "path", name->path, name->path_len);
	json_out_text_n(out, "key", name->key, name->key_len);
	json_out_uint(out, "version", v->number);
	if (value != NULL)
		json_out_text_n(out, "secret", value, n);
	if (metadata) {
		reply_time(out, "createdAt", v->created_ms);
		json_out_text(out, "createdBy", v->created_by != NULL ? v->created_by : "");
		reply_time(out, "expiresAt", v->expires_ms);
		json_out_text(out, "state", secret_json_state(v));
	}
	json_out_end(out);
}
