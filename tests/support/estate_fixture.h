#ifndef SUPPORT_ESTATE_FIXTURE_H
#define SUPPORT_ESTATE_FIXTURE_H

/*
 * Secrets files as `confluent secret` writes them, made independently of this
 * project (Python's hashlib and cryptography, random bytes from a fixed
 * seed), and helpers to plan on files that exist in memory only.
 */

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/apply.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/secrets_file.h"
#include "unit.h"

/* AES-GCM, 10 000 iterations, keys of 32 bytes */
#define MODERN_PASSPHRASE "correct horse battery"
#define MODERN_MASTER "sZF5TxqH030Ql6DiUrJhot8/sr8uPwkvxsv0dq+thkY="
#define MODERN_DATA_KEY "wK6YF2zRPh1XKZJOIk2n6mN9Am5MBuvJsGrbmeiTg3g="
#define MODERN \
	"_metadata.master_key.0.salt = FRx1o+O8unSlwoYjVbvncYZ8nWve9gqbFOvIion5DLA=\n" \
	"_metadata.symmetric_key.0.created_at = 2021-06-07 08:09:10.111213141 +0000 UTC" \
	" m=+0.012345678\n" \
	"_metadata.symmetric_key.0.envvar = CONFLUENT_SECURITY_MASTER_KEY\n" \
	"_metadata.symmetric_key.0.length = 32\n" \
	"_metadata.symmetric_key.0.iterations = 10000\n" \
	"_metadata.symmetric_key.0.salt = nl2uWxaRzDK8ZEJWNSbCJ/VyjgOc0eOmlnx9xZ/LPwo=\n" \
	"_metadata.symmetric_key.0.enc = ENC[AES/GCM/NoPadding,data:Lf4Kjhcm6nwlt1NX/zd" \
	"m5KEeG+U1L2pvc9ufgbXVrExlHRoWEp/hfXDry1pbUFrdpkruYHYj6KiXSrzG,iv:OcjbHPOcNYNfo" \
	"izF,type:str]\n" \
	"server.properties/ssl.keystore.password = ENC[AES/GCM/NoPadding,data:w0Z88lG4w" \
	"5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k=,iv:osR9PNOlpmnD7Rls,type:str]\n" \
	"server.properties/ssl.key.password = ENC[AES/GCM/NoPadding,data:YiVrlWGS5llndt" \
	"DVgZ8EuA==,iv:Rulr7kW/zIvBtnPK,type:str]\n" \
	"server.properties/listener.sasl.password = ENC[AES/GCM/NoPadding,data:CE+SgD+w" \
	"IFroi+WK/3z0barRc5zoenu4YLb2AcrcVw==,iv:seQ7pzH3x5Dkberb,type:str]\n" \
	"client.properties/basic.auth.password = ENC[AES/GCM/NoPadding,data:aWIkSJryrSI" \
	"RBAkTMCGL/6II58IHXYukqLluMema,iv:O0zrcd2LlUn4Dp+Q,type:str]\n"

/* AES-CBC, 1 000 iterations, keys of 16 bytes */
#define LEGACY_PASSPHRASE "old passphrase"
#define LEGACY_MASTER "nElc134lN9kOclNl9E5tfw=="
#define LEGACY_DATA_KEY "oNZXi7iXCGWowTUGsOaZBw=="
#define LEGACY \
	"_metadata.master_key.0.salt = 14uaaeSReR5IDy3Qth8ZBCEa+LahKAmPbIBMrZhl7Rc=\n" \
	"_metadata.symmetric_key.0.created_at = 2021-06-07 08:09:10.111213141 +0000 UTC" \
	" m=+0.012345678\n" \
	"_metadata.symmetric_key.0.envvar = CONFLUENT_SECURITY_MASTER_KEY\n" \
	"_metadata.symmetric_key.0.length = 16\n" \
	"_metadata.symmetric_key.0.iterations = 1000\n" \
	"_metadata.symmetric_key.0.salt = M8/roq9AojctLDjny5Pk+J44wT6EqWKEZsLDLNLCHog=\n" \
	"_metadata.symmetric_key.0.enc = ENC[AES/CBC/PKCS5Padding,data:pWM5kL74QYE+BXsN" \
	"vI+RxthLmo0Q4pBpEAKNN+y5f8g=,iv:yzrLh3UJLXE7OkL7NyV12A==,type:str]\n" \
	"server.properties/ssl.keystore.password = ENC[AES/CBC/PKCS5Padding,data:QWrN+X" \
	"UAdvKjAYawf3B4AQ==,iv:qRNuazp7FMLyKlKZCTC1AQ==,type:str]\n" \
	"server.properties/ssl.key.password = ENC[AES/CBC/PKCS5Padding,data:bqn/Xy+TcWS" \
	"6mORUAOYJzg==,iv:pJkhxuiFxjZrJAu04EG0eQ==,type:str]\n" \
	"server.properties/block.password = ENC[AES/CBC/PKCS5Padding,data:ZvXfeAWDd5PIe" \
	"x/5fU9Gl9eMNSz6bXPzuxyoA1cpsOQ=,iv:CFzag1FIo5Oo4+6GEUnr8w==,type:str]\n"

/* both ciphers, 1 000 iterations, keys of 32 bytes, lines of others and comments */
#define MIXED_PASSPHRASE "mixed passphrase"
#define MIXED_MASTER "jX75qokwOs8W25kJFU0xo6zcE0go0onRgtfIZdyuoLE="
#define MIXED_DATA_KEY "935neqSz3gu6pSg4XWSFFgSOVL5SrroPTs0JIBDzchA="
#define MIXED \
	"_metadata.master_key.0.salt = abHLUizMB4KrvZnjfwSxxsGNO6kp4Uq6OWYDiPCAG5k=\n" \
	"_metadata.symmetric_key.0.created_at = 2021-06-07 08:09:10.111213141 +0000 UTC" \
	" m=+0.012345678\n" \
	"_metadata.symmetric_key.0.envvar = CONFLUENT_SECURITY_MASTER_KEY\n" \
	"_metadata.symmetric_key.0.length = 32\n" \
	"_metadata.symmetric_key.0.iterations = 1000\n" \
	"_metadata.symmetric_key.0.salt = bwUb+eIWVivGEDEDJpspkWtBGXxUyQ369xAmWZJ+BDk=\n" \
	"_metadata.symmetric_key.0.enc = ENC[AES/GCM/NoPadding,data:sjBWrJv0zYX+dr+GT8L" \
	"a+h9WfhMTLuGCoH8kJMk1pdGmmqDxHXboeYD0NrV9CWj7iD27A1TOKECkiX50,iv:wUCkU1JfAnxa4" \
	"fem,type:str]\n" \
	"# kept by hand\n" \
	"server.properties/a.password = ENC[AES/CBC/PKCS5Padding,data:t27hnmsRQ7gTm7FlS" \
	"yZcwg==,iv:IIHleOFefannDPVfzaGNvw==,type:str]\n" \
	"note = a plain line\n" \
	"\n" \
	"server.properties/b.password = ENC[AES/GCM/NoPadding,data:ufi0v/YKdVp8F8cs2X+z" \
	"kNW58+IWox2wEoRD8cSN,iv:JKs25eUIbXNL2mcU,type:str]\n" \
	"! end of it\n" \
	"server.properties/c.password = ENC[AES/GCM/NoPadding,data:Slqm/0tNeWCqDd3bw45y" \
	"XELM/FGAftTHiNksJZg=,iv:PfQa3DAWqRf2ReHB,type:str]\n"

/* without iterations and length: the defaults of the reference, 10 000 and 32 */
#define SILENT_PASSPHRASE "silent passphrase"
#define SILENT_MASTER "4BZHwM83c8EadKRRCVd76u5vfObjFHGj8HJd4R1OeWE="
#define SILENT_DATA_KEY "fq/OBk5PTkHi1njXW2Kk0wzd21iix1GSGAwmylzB+eU="
#define SILENT \
	"_metadata.master_key.0.salt = siL7BdDRe++zMsbzCplerKwRkjCEzxvi8Pdc8ntFwj0=\n" \
	"_metadata.symmetric_key.0.created_at = 2021-06-07 08:09:10.111213141 +0000 UTC" \
	" m=+0.012345678\n" \
	"_metadata.symmetric_key.0.envvar = CONFLUENT_SECURITY_MASTER_KEY\n" \
	"_metadata.symmetric_key.0.salt = l8Yg9vS4QpK6TZs1gRmFrqBMh4ElN68hY5NzFHoCjEo=\n" \
	"_metadata.symmetric_key.0.enc = ENC[AES/GCM/NoPadding,data:WmV0QZ1wyCewrA6S+1a" \
	"d85TtzSqshflxvwum0OQds97tv/ynIxVc2keHvEhrdHZao5AfqQmYGYqDPBdr,iv:ZZm8Nl+YYSoaq" \
	"waL,type:str]\n" \
	"server.properties/a.password = ENC[AES/GCM/NoPadding,data:IJMa0Dqszd57my/mtXbY" \
	"Xx9TgpJ7p1+mpC1P7xUr,iv:gm4YKGllvy6n0+ye,type:str]\n"

/* The plaintexts of MODERN (in UTF-8), LEGACY and MIXED. */
#define MODERN_KEYSTORE "keystore-S3cret!"
#define MODERN_SASL "p\303\244ss\\w\303\266rd = x"
#define MODERN_CLIENT "client-S3cret!"
#define LEGACY_KEYSTORE "legacy-S3cret!"
#define LEGACY_BLOCK "0123456789abcdef"

#define REMOTE "/etc/kafka/secrets.properties"
#define OURS(name) "${securepass:" REMOTE ":" name "}"
#define PROVIDERS "config.providers = securepass\n" \
	"config.providers.securepass.class = " \
	"io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n"

UNIT_HELPER const struct seal_options fixture_options = { .remote = REMOTE };

UNIT_HELPER void
fixture_text(struct buf *out, const char *text, size_t n)
{
	buf_init_secret(out, BUF_MAX_FILE);
	buf_append(out, text, n);
	assert_int_equal(buf_check(out, NULL), 0);
}

UNIT_HELPER struct secrets_file *
fixture_secrets(const char *text)
{
	struct secrets_file *s;
	struct buf content;

	fixture_text(&content, text, strlen(text));
	s = secrets_file_parse("secrets.properties", &content, NULL);
	buf_release(&content);
	assert_non_null(s);
	return s;
}

UNIT_HELPER struct key *
fixture_key(const char *base64)
{
	struct key *k = key_from_base64(base64, strlen(base64), NULL);

	assert_non_null(k);
	return k;
}

UNIT_HELPER struct secrets_file *
fixture_unlocked(const char *text, const char *master)
{
	struct secrets_file *s = fixture_secrets(text);
	struct key *k = fixture_key(master);

	assert_int_equal(secrets_file_unlock(s, k, NULL), 0);
	key_free(k);
	return s;
}

UNIT_HELPER struct document *
fixture_document(const char *text, size_t n)
{
	struct document *d;
	struct buf content;

	fixture_text(&content, text, n);
	d = document_parse(&content, &document_properties, "server.properties", NULL);
	buf_release(&content);
	assert_non_null(d);
	return d;
}

/* As configuration_load, without a disk. */
UNIT_HELPER struct configuration *
fixture_config_bytes(const char *path, const char *text, size_t n)
{
	struct configuration *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->path = strdup(path);
	assert_non_null(c->path);
	c->base = file_basename(c->path);
	c->id.exists = true;
	c->doc = fixture_document(text, n);
	return c;
}

UNIT_HELPER struct configuration *
fixture_config(const char *path, const char *text)
{
	return fixture_config_bytes(path, text, strlen(text));
}

/* File ${i} of the plan in the order of apply, NULL behind the last. */
UNIT_HELPER const struct plan_file *
fixture_file_at(const struct plan *p, size_t i)
{
	const struct plan_file *f = plan_next(p, NULL);

	while (f != NULL && i-- > 0)
		f = plan_next(p, f);
	return f;
}

/* The file of this role in the plan, NULL for none. */
UNIT_HELPER const struct plan_file *
fixture_file(const struct plan *p, enum plan_role role)
{
	const struct plan_file *f = plan_next(p, NULL);

	while (f != NULL && f->role != role)
		f = plan_next(p, f);
	return f;
}

/* What the plan makes of the file of this role. */
UNIT_HELPER void
fixture_render(const struct plan *p, enum plan_role role, struct buf *out)
{
	const struct plan_file *file = fixture_file(p, role);

	assert_non_null(file);
	buf_init_secret(out, BUF_MAX_FILE);
	assert_int_equal(edits_render(file->edits, out, NULL), 0);
}

UNIT_HELPER void
assert_holds(const struct buf *b, const char *text)
{
	assert_int_equal(b->len, strlen(text));
	if (b->len > 0)
		assert_memory_equal(b->data, text, b->len);
}

UNIT_HELPER void
assert_rendered(const struct plan *p, enum plan_role role, const char *text)
{
	struct buf out;

	fixture_render(p, role, &out);
	assert_string_equal(buf_cstr(&out), text);
	buf_release(&out);
}

UNIT_HELPER void
assert_opens_to(struct secrets_file *s, const char *name, const char *plain)
{
	/* What the reference sealed in CBC as well. */
	const struct secrets_policy all = { .cbc = SECRETS_CBC_ALL };
	size_t i = secrets_file_find(s, name, strlen(name));
	struct error err = { 0 };
	struct buf out;

	buf_init_secret(&out, BUF_MAX_FILE);
	assert_int_not_equal(i, DOCUMENT_NONE);
	secrets_file_set_policy(s, all);
	if (secrets_file_open(s, i, &out, &err) != 0)
		fail_msg("%s: %s", name, err.text);
	assert_holds(&out, plain);
	buf_release(&out);
}

UNIT_HELPER void
assert_metadata(const struct secrets_file *s, const char *key, const char *value)
{
	const struct document *d = secrets_file_document(s);
	size_t i = document_find(d, key, strlen(key));

	assert_int_not_equal(i, DOCUMENT_NONE);
	assert_true(document_value_is(d, i, value, strlen(value)));
}

/* A secrets file, a configuration and a plan on both. */
struct world {
	struct secrets_file *s;
	struct configuration *c;
	struct key *master;
	struct plan *p;
	struct error err;
};

/* ${master}: in base64.  Any of the texts may be NULL. */
UNIT_HELPER void
world_open(struct world *w, const char *secrets, const char *master, const char *config)
{
	memset(w, 0, sizeof(*w));
	if (secrets != NULL)
		w->s = fixture_secrets(secrets);
	if (master != NULL)
		w->master = fixture_key(master);
	if (config != NULL)
		w->c = fixture_config("etc/server.properties", config);
	w->p = plan_new(w->s, NULL);
	assert_non_null(w->p);
}

/* The same, and able to seal. */
UNIT_HELPER void
world_prepare(struct world *w, const char *secrets, const char *master, const char *config)
{
	world_open(w, secrets, master, config);
	if (seal_prepare(w->p, w->master, &w->err) != 0)
		fail_msg("%s", w->err.text);
}

UNIT_HELPER void
world_close(struct world *w)
{
	plan_free(w->p);
	configuration_free(w->c);
	secrets_file_free(w->s);
	key_free(w->master);
}

/* What apply says of this new content, which it gets in small pieces. */
UNIT_HELPER int
fixture_verify(const struct plan *p, const struct plan_file *file, const struct buf *content,
    struct error *err)
{
	const size_t piece = 7;
	struct verification *v;
	int rc;

	if (file->role == PLAN_OUTPUT)
		return 0;
	if ((v = verification_new(p, file, err)) == NULL)
		return -1;
	rc = 0;
	for (size_t at = 0; at < content->len && rc == 0; at += piece)
		rc = verification_look(v, content->data + at,
		    content->len - at < piece ? content->len - at : piece, err);
	if (rc == 0)
		rc = verification_end(v, err);
	verification_free(v);
	return rc;
}

/* Check what the plan makes of one file; false: it does not change it. */
UNIT_HELPER bool
world_take(struct world *w, enum plan_role role, struct buf *out)
{
	if (fixture_file(w->p, role) == NULL)
		return false;
	fixture_render(w->p, role, out);
	if (fixture_verify(w->p, fixture_file(w->p, role), out, &w->err) != 0)
		fail_msg("%s", w->err.text);
	return true;
}

/* Apply in memory: the files as they are afterwards, and a new plan. */
UNIT_HELPER void
world_apply(struct world *w)
{
	struct buf secrets, config;
	bool new_secrets = world_take(w, PLAN_SECRETS, &secrets);
	bool new_config = world_take(w, PLAN_CONFIG, &config);

	plan_free(w->p);
	if (new_secrets) {
		secrets_file_free(w->s);
		w->s = secrets_file_parse("secrets.properties", &secrets, NULL);
		assert_non_null(w->s);
	}
	if (new_config) {
		configuration_free(w->c);
		w->c = fixture_config_bytes("etc/server.properties",
		    config.len > 0 ? (const char *)config.data : "", config.len);
		buf_release(&config);
	}
	w->p = plan_new(w->s, NULL);
	assert_non_null(w->p);
}

/* The secrets file as planned, unlocked. */
UNIT_HELPER struct secrets_file *
world_planned(const struct world *w, const struct key *master)
{
	struct secrets_file *s;
	struct buf out;

	fixture_render(w->p, PLAN_SECRETS, &out);
	s = secrets_file_parse("secrets.properties", &out, NULL);
	assert_non_null(s);
	assert_int_equal(secrets_file_unlock(s, master, NULL), 0);
	return s;
}

UNIT_HELPER int
world_seal_key(struct world *w, const char *key)
{
	return seal_key(w->p, w->c, key, strlen(key), &fixture_options, &w->err);
}

UNIT_HELPER int
world_seal_value(struct world *w, const char *key, const char *value, bool must_exist)
{
	return seal_value(w->p, w->c, key, strlen(key), value, strlen(value), must_exist,
	    &fixture_options, &w->err);
}

/* A plan as JSON, as it is shown. */
UNIT_HELPER int
plan_json(const struct plan *p, struct buf *out, struct error *err)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	diff_write_json(&p, NULL, 1, &o);
	json_out_end(&o);
	return json_out_finish(&o, err);
}

#endif /* !SUPPORT_ESTATE_FIXTURE_H */
