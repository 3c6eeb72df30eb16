#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/audit/audit.h"
#include "registry/keys/keyring.h"
#include "registry/service/service_internal.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

#define VALUE_MAX (1U << 20)

struct recovery {
	struct service *s;
	struct sealer *sealer;
};

/* Milliseconds of 2026-01-31T12:00:00.123Z; 0: not such a time. */
static int64_t
time_of(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t ms = 0;

	if (rest == NULL)
		return 0;
	if (*rest == '.')
		ms = strtol(rest + 1, NULL, 10);
	return (int64_t)timegm(&tm) * 1000 + ms;
}

static bool
same_principal(const char *event, const char *stored)
{
	if (event == NULL)
		return false;
	if (strncmp(event, "User:", 5) == 0)
		event += 5;
	return strcmp(event, stored) == 0;
}

/* Has this version the value of which the intent told the HMAC? */
static bool
has_value(struct recovery *r, const struct audit_unfinished *u, const struct version_view *v)
{
	struct sealed_name name = {
		.path = u->path, .path_len = strlen(u->path),
		.key = u->key, .key_len = strlen(u->key),
		.version = v->number, .created_ms = v->created_ms, .expires_ms = v->expires_ms,
	};
	char hmac[AUDIT_HMAC_TEXT];
	struct error ignored;
	struct buf value;
	bool same = false;

	if (u->value_hmac == NULL || v->sealed == NULL)
		return false;
	buf_init_secret(&value, VALUE_MAX);
	if (sealer_open(r->sealer, &name, v->sealed, v->sealed_len, &value, &ignored) == 0 &&
	    audit_hmac(r->s->audit, value.data, value.len, hmac) == 0)
		same = strcmp(hmac, u->value_hmac) == 0;
	buf_release(&value);
	return same;
}

/* Does version ${v} show that the unfinished write was done?  The store takes
 * its time from the same clock, after the intent took its own. */
static bool
shows(struct recovery *r, const struct audit_unfinished *u, const struct version_view *v,
    int64_t begun)
{
	if (strcmp(u->method, "CreateSecretVersion") == 0)
		return v->created_ms >= begun &&
		    same_principal(u->principal, v->created_by) && has_value(r, u, v);
	if (strncmp(u->method, "Delete", 6) == 0)
		return v->deleted_ms != 0 && v->deleted_ms >= begun &&
		    same_principal(u->principal, v->deleted_by) &&
		    (u->version == 0 || u->version == v->number);
	if (strcmp(u->method, "UndeleteVersion") == 0)
		return u->version == v->number && v->status != VERSION_DELETED;
	return false;
}

/* The newest version of the key that shows it; 0: none. */
static uint32_t
find_in_key(struct recovery *r, const struct audit_unfinished *u, const struct state_key *k)
{
	int64_t now = store_now(r->s->store);
	int64_t begun = time_of(u->time);
	struct version_view v;
	size_t i;

	for (i = state_version_count(k); i > 0; i--) {
		state_version_at(k, i - 1, now, &v);
		if (shows(r, u, &v, begun))
			return v.number;
	}
	return 0;
}

static uint32_t
find_version(struct recovery *r, const struct audit_unfinished *u)
{
	struct state *state = store_state(r->s->store);
	const struct state_path *p;
	const struct state_key *k;
	struct version_view v;
	uint32_t found = 0;

	if (u->path == NULL || (p = state_path_find(state, u->path, strlen(u->path))) == NULL)
		return 0;
	if (u->key != NULL) {
		k = state_key_find(p, u->key, strlen(u->key));
		if (k == NULL)
			return 0;
		/* Destroyed: nothing is left of it but its number. */
		if (strcmp(u->method, "DestroyVersion") == 0)
			return state_version_find(k, u->version, store_now(r->s->store), &v) ?
			    0 : u->version;
		return find_in_key(r, u, k);
	}
	for (k = state_key_after(p, "", 0); k != NULL && found == 0;) {
		size_t n;
		const char *name = state_key_name(k, &n);

		found = find_in_key(r, u, k);
		k = state_key_after(p, name, n);
	}
	return found;
}

static void
recover(void *cookie, const struct audit_unfinished *u)
{
	struct recovery *r = cookie;
	struct state *state = store_state(r->s->store);
	struct audit_event e = {
		.phase = AUDIT_RECOVERED,
		.method = u->method,
		.principal = u->principal,
		.path = u->path,
		.path_len = u->path != NULL ? strlen(u->path) : 0,
		.key = u->key,
		.key_len = u->key != NULL ? strlen(u->key) : 0,
		.request_id = u->request_id,
		.value_hmac = u->value_hmac,
		.idempotency_hmac = u->idempotency_hmac,
		.intent = u->seq,
	};

	e.status = u->status;
	e.version = u->done;
	if (u->status == 0) {
		state_lock(state);
		e.version = find_version(r, u);
		state_unlock(state);
		e.status = e.version != 0 ? 200 : 503;
	}
	e.message = e.status < 300 ? "found done after a restart" :
	    "found not done after a restart";
	audit_submit(r->s->audit, &e, 1, NULL);
}

int
service_recover(struct service *s, struct error *err)
{
	struct recovery r = { .s = s };
	int rc;

	if ((r.sealer = sealer_new(store_keyring(s->store), err)) == NULL)
		return -1;
	rc = audit_unfinished(s->audit, recover, &r, err);
	sealer_free(r.sealer);
	return rc;
}
