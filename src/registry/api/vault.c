#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/time.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/http/http.h"
#include "registry/store/reader.h"
#include "registry/store/store.h"

/*
 * The read-only face of a Vault with a KV store of version 2, for clients that
 * know no other: off unless vault.mount names the mount.  A path of the registry
 * is a secret there, and its keys are the secret's fields; a version is that of
 * each key.  X-Vault-Token holds an API token.  Shapes are those that the API
 * documentation of Vault gives (sys/health, auth/token, secret/kv/kv-v2).
 */

/* What is wrapped around every answer's "data". */
static void
vault_begin(struct exchange *x)
{
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_text(out, "request_id", x->id);
	json_out_text(out, "lease_id", "");
	json_out_bool(out, "renewable", false);
	json_out_uint(out, "lease_duration", 0);
	json_out_object(out, "data");
}

static void
vault_end(struct exchange *x, const char *kind)
{
	json_out_end(&x->json);
	json_out_text(&x->json, "wrap_info", NULL);
	json_out_text(&x->json, "warnings", NULL);
	json_out_text(&x->json, "auth", NULL);
	json_out_text(&x->json, "mount_type", kind);
	json_out_end(&x->json);
}

bool
vault_is_one(const struct exchange *x)
{
	return request_settings(x)->vault_mount != NULL && target_is(&x->target, 0, "v1");
}

int
vault_error(int status, struct buf *out, const char *message, size_t n)
{
	struct json_out o;

	/* Without a login, or with a wrong one, it is 403 there. */
	if (status == 401)
		status = 403;
	else if (status == 422)
		status = 400;
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_array(&o, "errors");
	if (status == 403)
		json_out_text(&o, NULL, "permission denied");
	else if (status != 404)
		json_out_text_n(&o, NULL, message, n);
	json_out_end(&o);
	json_out_end(&o);
	return status;
}

void
vault_health(struct exchange *x)
{
	bool sealed = atomic_load(&x->api->draining) || store_unready(request_store(x)) != NULL ||
	    audit_unready(x->api->parts.audit) != NULL;
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_bool(out, "initialized", true);
	json_out_bool(out, "sealed", sealed);
	json_out_bool(out, "standby", false);
	json_out_bool(out, "performance_standby", false);
	json_out_text(out, "replication_performance_mode", "disabled");
	json_out_text(out, "replication_dr_mode", "disabled");
	json_out_int(out, "server_time_utc", (int64_t)time(NULL));
	json_out_text(out, "version", PROPSEAL_VERSION);
	json_out_text(out, "cluster_name", request_settings(x)->audit_connect);
	json_out_text(out, "cluster_id", "");
	json_out_end(out);
	answer_send(x, sealed ? 503 : 200);
}

/* --- the token itself --- */

static void
vault_token_time(struct json_out *out, const char *name, int64_t seconds)
{
	char text[TIME_TEXT];

	if (seconds != 0)
		(void)time_text(seconds * 1000, TIME_SECONDS, text);
	json_out_text(out, name, seconds != 0 ? text : NULL);
}

void
vault_lookup_self(struct exchange *x)
{
	const char *token = http_header(x->r, "X-Vault-Token");
	int64_t created = 0, expires = 0, now = (int64_t)time(NULL);
	char id[AUTH_TOKEN_ID] = "";
	struct json_out *out;

	/* Who is logged in by another way has no token. */
	if (token != NULL && http_header(x->r, "Authorization") == NULL)
		(void)auth_token_describe(x->api->parts.auth, token, id, &created, &expires);
	vault_begin(x);
	out = &x->json;
	json_out_text(out, "accessor", id);
	json_out_int(out, "creation_time", created);
	json_out_int(out, "creation_ttl", expires != 0 ? expires - created : 0);
	json_out_text(out, "display_name", x->check.principal);
	json_out_text(out, "entity_id", "");
	vault_token_time(out, "expire_time", expires);
	json_out_uint(out, "explicit_max_ttl", 0);
	/* The token is not told again: who asks has it. */
	json_out_text(out, "id", id);
	vault_token_time(out, "issue_time", created);
	json_out_text(out, "meta", NULL);
	json_out_uint(out, "num_uses", 0);
	json_out_bool(out, "orphan", true);
	json_out_text(out, "path", "auth/token/create");
	json_out_array(out, "policies");
	json_out_text(out, NULL, "default");
	json_out_end(out);
	json_out_bool(out, "renewable", false);
	json_out_int(out, "ttl", expires > now ? expires - now : 0);
	json_out_text(out, "type", "service");
	vault_end(x, "token");
	answer_send(x, 200);
}

/* --- secrets --- */

struct vault_secret {
	struct reader *r;
	struct secret_name name;
	char key[NAME_KEY_MAX + 1];
	size_t key_len;
	uint32_t high;			/* of what was found */
	int64_t created_ms;
	struct error err;
};

/* The path's next key.  As reader_key_after. */
static int
vault_next_key(struct vault_secret *s)
{
	int found = reader_key_after(s->r, s->name.path, s->name.path_len, s->key, s->key_len,
	    s->key, &s->key_len, &s->err);

	s->name.key = s->key;
	s->name.key_len = s->key_len;
	return found;
}

static void
vault_version_state(struct json_out *out, int64_t created_ms, int64_t deleted_ms, bool destroyed)
{
	char text[TIME_TEXT] = "";

	reply_time(out, "created_time", created_ms);
	if (deleted_ms != 0)
		(void)time_text(deleted_ms, TIME_MILLISECONDS, text);
	json_out_text(out, "deletion_time", text);
	json_out_bool(out, "destroyed", destroyed);
}

/* {KEY: VALUE, ...}: how many; -1: ${s}->err, or a value cannot be opened. */
static int
vault_fields(struct exchange *x, struct vault_secret *s, uint32_t version)
{
	const struct buf *value;
	struct version_view v;
	int found, count = 0;

	while ((found = vault_next_key(s)) == 1 && !x->body.failed) {
		found = version == 0 ? reader_latest(s->r, &s->name, true, &v, &s->err) :
		    reader_version(s->r, &s->name, version, true, &v, &s->err);
		if (found == -1)
			return -1;
		if (found == 0 || v.status != VERSION_LIVE)
			continue;
		if ((value = secret_json_open(x, &s->name, &v, &s->err)) == NULL)
			return -1;
		json_out_text_n(&x->json, s->key, value->len > 0 ? (const char *)value->data : "",
		    value->len);
		answer_gives(x, &s->name, v.number);
		s->high = v.number > s->high ? v.number : s->high;
		s->created_ms = v.created_ms > s->created_ms ? v.created_ms : s->created_ms;
		count++;
	}
	return found == -1 ? -1 : count;
}

void
vault_data(struct exchange *x)
{
	struct vault_secret s = { .key_len = 0 };
	uint64_t version = 0;
	int count;

	if (request_number(x, "version", 0, NAME_VERSION_MAX, &version) == -1 ||
	    (s.r = request_reader(x)) == NULL)
		return;
	s.name.path = request_param(x, PARAM_PATH, &s.name.path_len);
	vault_begin(x);
	json_out_object(&x->json, "data");
	count = vault_fields(x, &s, (uint32_t)version);
	reader_end(s.r);
	if (count == -1) {
		answer_error(x, &s.err);
		return;
	}
	if (count == 0) {
		answer_fail(x, 404, 40401, "Nothing is stored here");
		return;
	}
	json_out_end(&x->json);
	json_out_object(&x->json, "metadata");
	vault_version_state(&x->json, s.created_ms, 0, false);
	json_out_text(&x->json, "custom_metadata", NULL);
	json_out_uint(&x->json, "version", s.high);
	json_out_end(&x->json);
	vault_end(x, "kv");
	x->version = (uint32_t)version;
	answer_send(x, 200);
}

/* A number as the path has it: what the keys that have it say of it together. */
struct vault_version {
	int64_t created_ms, deleted_ms;
	bool there, live;
};

/* Fill ${all}, by number, with what the keys have.  0 or -1. */
static int
vault_versions(struct vault_secret *s, struct vault_version *all, uint32_t max)
{
	struct version_view v;
	uint32_t after;
	int found;

	s->key_len = 0;
	while ((found = vault_next_key(s)) == 1) {
		for (after = 0; (found = reader_next(s->r, &s->name, after, false, &v,
		    &s->err)) == 1 && v.number <= max; after = v.number) {
			struct vault_version *one = &all[v.number];

			one->there = true;
			one->live |= v.status == VERSION_LIVE;
			if (one->created_ms == 0 || v.created_ms < one->created_ms)
				one->created_ms = v.created_ms;
			if (v.deleted_ms > one->deleted_ms)
				one->deleted_ms = v.deleted_ms;
			if (v.status == VERSION_EXPIRED && v.expires_ms > one->deleted_ms)
				one->deleted_ms = v.expires_ms;
		}
		if (found == -1)
			return -1;
	}
	return found;
}

/* The highest number of any of the keys, 0: there is none.  -1: ${s}->err.
 * ${*pruned}: old versions of one go by themselves. */
static int64_t
vault_highest(struct vault_secret *s, bool *pruned)
{
	struct key_settings k;
	int64_t high = 0;
	int found;

	while ((found = vault_next_key(s)) == 1) {
		if (reader_settings(s->r, &s->name, &k, &s->err) == -1)
			return -1;
		high = k.high > high ? k.high : high;
		*pruned = *pruned || k.max_versions > 0;
	}
	return found == -1 ? -1 : high;
}

/* What was destroyed is listed by its number, of which nothing else is left; but as Vault
 * does, not what lies before the oldest version of keys that keep only so many. */
static void
vault_metadata_write(struct exchange *x, const struct vault_version *all, uint32_t high,
    bool pruned)
{
	struct json_out *out = &x->json;
	uint32_t i, oldest = pruned ? 0 : 1, current = 0;
	char number[16];
	int64_t first = 0, last = 0;

	for (i = 1; i <= high; i++) {
		if (!all[i].there)
			continue;
		oldest = oldest == 0 ? i : oldest;
		current = all[i].live ? i : current;
		first = first == 0 || all[i].created_ms < first ? all[i].created_ms : first;
		last = all[i].created_ms > last ? all[i].created_ms : last;
		last = all[i].deleted_ms > last ? all[i].deleted_ms : last;
	}
	vault_begin(x);
	json_out_bool(out, "cas_required", false);
	reply_time(out, "created_time", first);
	json_out_uint(out, "current_version", current);
	json_out_text(out, "custom_metadata", NULL);
	json_out_text(out, "delete_version_after", "0s");
	json_out_uint(out, "max_versions", 0);
	json_out_uint(out, "oldest_version", oldest);
	reply_time(out, "updated_time", last);
	json_out_object(out, "versions");
	for (i = oldest > 0 ? oldest : high; i <= high; i++) {
		(void)snprintf(number, sizeof(number), "%u", (unsigned)i);
		json_out_object(out, number);
		vault_version_state(out, all[i].created_ms, all[i].live ? 0 : all[i].deleted_ms,
		    !all[i].there);
		json_out_end(out);
	}
	json_out_end(out);
	vault_end(x, "kv");
}

#define VAULT_VERSIONS_MAX 100000	/* of one path, for which its metadata is made */

void
vault_metadata(struct exchange *x)
{
	struct vault_secret s = { .key_len = 0 };
	struct vault_version *all = NULL;
	bool pruned = false;
	int64_t high;
	int result = -1;

	if ((s.r = request_reader(x)) == NULL)
		return;
	s.name.path = request_param(x, PARAM_PATH, &s.name.path_len);
	high = vault_highest(&s, &pruned);
	if (high > 0 && high <= VAULT_VERSIONS_MAX &&
	    (all = calloc((size_t)high + 1, sizeof(*all))) == NULL)
		error_memory(&s.err);
	else if (all != NULL)
		result = vault_versions(&s, all, (uint32_t)high);
	reader_end(s.r);
	if (high == 0) {
		answer_fail(x, 404, 40401, "Nothing is stored here");
	} else if (high > VAULT_VERSIONS_MAX) {
		answer_fail(x, 422, 0, "There are too many versions to be listed so");
	} else if (result == -1) {
		answer_error(x, &s.err);
	} else {
		vault_metadata_write(x, all, (uint32_t)high, pruned);
		answer_send(x, 200);
	}
	free(all);
}
