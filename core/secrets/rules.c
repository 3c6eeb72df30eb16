#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/jaas.h"
#include "secrets/rules.h"

#define PATTERNS_MAX 10000

struct rules {
	struct vec secret;	/* of char * */
	struct vec public;
};

/* What the user says about a key. */
enum verdict { NOTHING, SECRET, PUBLIC };

/*
 * Endings of keys that Kafka, Confluent Platform and Connect declare as
 * passwords (ConfigDef type PASSWORD) or document as credentials, beyond
 * those with "password" in them.
 */
static const char *const endings[] = {
	"sasl.jaas.config",			/* SaslConfigs */
	"ssl.keystore.key",			/* SslConfigs: a PEM private key */
	"basic.auth.user.info",			/* Schema Registry clients */
	"basic.auth.credentials",
	"java.naming.security.credentials",	/* ldap. of Confluent Server */
	"password.encoder.secret",		/* KafkaConfig */
	"password.encoder.old.secret",
	"delegation.token.master.key",
	"delegation.token.secret.key",
	"master.encryption.key",		/* Connect Secret Registry */
	"confluent.license",
	"passphrase",
	".secret",
	".secret.key",
	"secret.access.key",
	".client.secret",
	"clientsecret",
	".api.secret",
	".auth.token",
	".access.token",
	".bearer.token",
	".private.key",
};

bool
sensitive_by_default_rule(const char *key, size_t len)
{
	return text_contains_nocase(key, len, "password");
}

/*
 * Does the key end so, in any ASCII case?  The backslashes of a path to a JSON
 * value (config.aws\.secret\.key) count for nothing.
 */
static bool
sensitive_ends_with(const char *key, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	while (n > 0) {
		while (len > 0 && key[len - 1] == '\\')
			len--;
		if (len == 0 || !text_contains_nocase(&key[len - 1], 1,
		    (const char []){ ending[n - 1], '\0' }))
			return false;
		len--;
		n--;
	}
	return true;
}

bool
sensitive_key(const char *key, size_t len)
{
	if (sensitive_by_default_rule(key, len))
		return true;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (sensitive_ends_with(key, len, endings[i]))
			return true;
	return false;
}

struct rules *
rules_new(struct error *err)
{
	struct rules *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	vec_init(&r->secret, sizeof(char *), PATTERNS_MAX);
	vec_init(&r->public, sizeof(char *), PATTERNS_MAX);
	return r;
}

void
rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	vec_release_strings(&r->secret);
	vec_release_strings(&r->public);
	free(r);
}

static int
rules_add(struct vec *v, const char *pattern, struct error *err)
{
	return vec_push_string(v, pattern, strlen(pattern)) != NULL ? 0 : error_memory(err);
}

int
rules_add_secret(struct rules *r, const char *pattern, struct error *err)
{
	return rules_add(&r->secret, pattern, err);
}

int
rules_add_public(struct rules *r, const char *pattern, struct error *err)
{
	return rules_add(&r->public, pattern, err);
}

static bool
rules_matches(const char *pattern, const char *key, size_t len)
{
	size_t n = strlen(pattern);

	if (glob_is_pattern(pattern))
		return glob_match(pattern, key, len, GLOB_NOCASE);
	return n <= len && glob_match(pattern, key + len - n, n, GLOB_NOCASE);
}

static bool
rules_matches_any(const struct vec *v, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < v->len; i++) {
		if (rules_matches(vec_string(v, i), key, len))
			return true;
	}
	return false;
}

static enum verdict
look_up(const struct rules *r, const char *key, size_t len)
{
	if (rules_matches_any(&r->public, key, len))
		return PUBLIC;
	return rules_matches_any(&r->secret, key, len) ? SECRET : NOTHING;
}

static enum verdict
rules_judge(const struct rules *r, const char *key, size_t len)
{
	enum verdict v;
	struct buf plain;

	if (r == NULL || r->public.len + r->secret.len == 0)
		return NOTHING;
	if (memchr(key, '\\', len) == NULL)
		return look_up(r, key, len);
	buf_init(&plain, BUF_MAX_FILE);
	for (size_t i = 0; i < len; i++) {
		if (key[i] == '\\' && i + 1 < len)
			i++;
		buf_append_char(&plain, key[i]);
	}
	v = plain.failed ? SECRET : look_up(r, (const char *)plain.data, plain.len);
	buf_release(&plain);
	return v;
}

static bool
rules_decide(enum verdict v, bool built_in)
{
	return v == SECRET || (v == NOTHING && built_in);
}

bool
rules_sensitive(const struct rules *r, const char *key, size_t len)
{
	return rules_decide(rules_judge(r, key, len), sensitive_key(key, len));
}

bool
rules_by_default(const struct rules *r, const char *key, size_t len)
{
	return rules_decide(rules_judge(r, key, len), sensitive_by_default_rule(key, len));
}

bool
rules_option(const struct rules *r, const struct jaas *j, size_t i, const char *key, size_t len)
{
	struct jaas_option o = jaas_option(j, i);
	enum verdict v = NOTHING;
	struct buf address;

	if (r != NULL && r->public.len + r->secret.len > 0) {
		buf_init(&address, BUF_MAX_FILE);
		jaas_address_append(j, i, key, len, &address);
		v = address.failed ? SECRET :
		    rules_judge(r, (const char *)address.data, address.len);
		buf_release(&address);
	}
	return rules_decide(v, jaas_option_is_secret(o.name, o.name_len));
}

bool
rules_has_secret(const struct rules *r)
{
	return r != NULL && r->secret.len > 0;
}
