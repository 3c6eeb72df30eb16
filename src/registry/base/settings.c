#include "registry/base/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/base/settings_key.h"

#define STRINGS_MAX 256
#define KEY_MAX 8192		/* bytes of a master key or passphrase */
#define DAYS(n) ((uint64_t)(n) * 86400 * 1000)

struct owner {
	struct settings s;	/* first: the one is the other */
	char *strings[STRINGS_MAX];
	size_t count;
};

struct settings *
settings_new(void)
{
	static const struct settings built_in = {
		.listen = "127.0.0.1:8082",
		.max_connections = 4096,
		.max_half_open = 1024,
		.request_timeout_ms = 10000,
		.idle_timeout_ms = 60000,
		.drain_timeout_ms = 10000,
		.echo_secret = true,
		.refuse_masks = true,
		.secret_max = 262144,
		.undelete_window_ms = DAYS(7),
		.provider = "secret",
		.jwt_principal_claim = "sub",
		.mtls_principal = "cn",
		.auth_cache_ms = 5000,
		.auth_failures_max = 20,
		.audit_deadline_ms = 5000,
		.audit_rotate_bytes = 100U << 20,
		.audit_authority = "",
		.audit_cluster = "embedded",
		.audit_connect = "secret-registry",
		.audit_type_prefix = "io.confluent.kafka.server",
	};
	struct owner *o = calloc(1, sizeof(*o));
	size_t i;

	if (o == NULL)
		return NULL;
	o->s = built_in;
	buf_init_secret(&o->s.master_key, KEY_MAX);
	for (i = 0; i < SETTINGS_OLD_KEYS_MAX; i++)
		buf_init_secret(&o->s.old_keys[i], KEY_MAX);
	return &o->s;
}

void
settings_free(struct settings *s)
{
	struct owner *o = (struct owner *)s;
	size_t i;

	if (o == NULL)
		return;
	buf_release(&s->master_key);
	for (i = 0; i < SETTINGS_OLD_KEYS_MAX; i++)
		buf_release(&s->old_keys[i]);
	for (i = 0; i < o->count; i++)
		free(o->strings[i]);
	free(o);
}

static char *
keep(struct settings *s, const void *value, size_t n, struct error *err)
{
	struct owner *o = (struct owner *)s;
	char *copy;

	if (n > 0 && memchr(value, '\0', n) != NULL) {
		error_set(err, ERROR_FORMAT, "there is a NUL byte in the value");
		return NULL;
	}
	if (o->count == STRINGS_MAX) {
		error_set(err, ERROR_LIMIT, "more than %d settings", STRINGS_MAX);
		return NULL;
	}
	if ((copy = calloc(1, n + 1)) == NULL) {
		error_memory(err);
		return NULL;
	}
	if (n > 0)
		memcpy(copy, value, n);
	o->strings[o->count++] = copy;
	return copy;
}

static int
number(const char *text, const struct settings_key *k, uint64_t *out, struct error *err)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n < k->min ||
	    n > k->max) {
		error_set(err, ERROR_FORMAT, "%s is not a whole number from %llu to %llu", k->name,
		    (unsigned long long)k->min, (unsigned long long)k->max);
		return -1;
	}
	*out = n;
	return 0;
}

/* The place of ${text} in "a|b|c". */
static int
choice(const char *text, const char *name, const char *choices, unsigned *out, struct error *err)
{
	const char *c = choices;
	size_t n = strlen(text);
	size_t len;

	for (*out = 0;; (*out)++) {
		len = strcspn(c, "|");
		if (len == n && memcmp(c, text, n) == 0)
			return 0;
		if (c[len] == '\0')
			break;
		c += len + 1;
	}
	error_set(err, ERROR_FORMAT, "%s has a value that it cannot have", name);
	return error_hint(err, "one of %s", choices);
}

static int
set_secret(struct buf *b, const void *value, size_t n, struct error *err)
{
	buf_clear(b);
	buf_append(b, value, n);
	return buf_check(b, err);
}

static int
set_checked(struct settings *s, const struct settings_key *k, const char *text,
    struct error *err)
{
	char *at = (char *)s + k->offset;
	uint64_t n = 0;
	unsigned place = 0;

	switch (k->kind) {
	case SETTINGS_SWITCH:
		if (choice(text, k->name, "false|true", &place, err) != 0)
			return -1;
		*(bool *)at = place == 1;
		return 0;
	case SETTINGS_CHOICE:
		if (choice(text, k->name, k->choices, &place, err) != 0)
			return -1;
		if (k->offset == offsetof(struct settings, compat))
			s->compat = (enum rest_compat)place;
		else
			*(bool *)at = place == 1;
		return 0;
	case SETTINGS_NUMBER:
		if (number(text, k, &n, err) != 0)
			return -1;
		*(unsigned *)at = (unsigned)n;
		return 0;
	case SETTINGS_SIZE:
		if (number(text, k, &n, err) != 0)
			return -1;
		*(size_t *)at = (size_t)n;
		return 0;
	case SETTINGS_LONG:
		if (number(text, k, &n, err) != 0)
			return -1;
		*(uint64_t *)at = n * k->scale;
		return 0;
	default:
		*(const char **)at = text[0] != '\0' ? text : NULL;
		return 0;
	}
}

/* The store of this build has no use for it.  Its value is not kept. */
static int
ignore(struct settings *s, const char *key, size_t n, struct error *err)
{
	if (strcmp(key, "kafkastore.bootstrap.servers") == 0 && n > 0) {
		error_set(err, ERROR_FORMAT, "this build keeps secrets in its own store only");
		error_key(err, key, strlen(key));
		return error_hint(err, "take the line out to use the store in --data");
	}
	if (s->kafka_ignored != NULL) {
		s->kafka_more |= strcmp(s->kafka_ignored, key) != 0;
		return 0;
	}
	s->kafka_ignored = keep(s, key, strlen(key), err);
	return s->kafka_ignored != NULL ? 0 : -1;
}

int
settings_set(struct settings *s, const char *key, const void *value, size_t n,
    struct error *err)
{
	const struct settings_key *k = settings_key_find(key);
	const char *text;

	if (k == NULL) {
		error_set(err, ERROR_FORMAT, "there is no such setting");
		error_key(err, key, strlen(key));
		return error_hint(err, "propseal-registry(8) lists them");
	}
	if (k->kind == SETTINGS_KAFKA)
		return ignore(s, key, n, err);
	if (k->kind == SETTINGS_KEY)
		return set_secret((struct buf *)((char *)s + k->offset), value, n, err);
	if (k->kind == SETTINGS_OLD_KEY) {
		if (s->old_key_count == SETTINGS_OLD_KEYS_MAX)
			return error_set(err, ERROR_LIMIT, "more than %d old keys",
			    SETTINGS_OLD_KEYS_MAX);
		return set_secret(&s->old_keys[s->old_key_count++], value, n, err);
	}
	if ((text = keep(s, value, n, err)) == NULL ||
	    set_checked(s, k, text, err) != 0) {
		error_key(err, key, strlen(key));
		return -1;
	}
	return 0;
}
