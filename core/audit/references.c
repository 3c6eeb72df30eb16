#include <sys/stat.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "file/file.h"
#include "secrets/key_source.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

/* What is told of references once all secrets files are known. */

#define REFERENCES_MAX ((size_t)1 << 26)

/* One of our references, where it stands, and as it is written. */
struct audit_reference {
	size_t file;
	char *path;		/* of the configuration file */
	char *key;
	size_t key_len;
	char *text;
	enum form form;
	struct audit_finding region;
	bool use_only;	/* its program does not resolve it: nothing more is told of it */
};

/* A secrets file that was come across. */
struct audit_secrets {
	size_t file;
	char *path;
};

struct audit_estate {
	struct vec references;
	struct vec secrets;
	struct vec names;	/* of struct environment *, by file: whose secrets it refers to */
	struct vec named;	/* of char *: files that were named themselves */
	struct environments *environments;
};

int
audit_estate_init(struct audit *a, struct error *err)
{
	static const char *const here[] = { "." };
	const struct audit_options *o = a->o;
	struct audit_estate *e = error_alloc(sizeof(*e), err);
	struct environment *x;

	if (e == NULL)
		return -1;
	a->estate = e;
	vec_init(&e->references, sizeof(struct audit_reference), REFERENCES_MAX);
	vec_init(&e->secrets, sizeof(struct audit_secrets), REFERENCES_MAX);
	vec_init(&e->names, sizeof(struct environment *), REFERENCES_MAX);
	vec_init(&e->named, sizeof(char *), REFERENCES_MAX);
	if (a->apart)
		return 0;
	e->environments = environments_new(o->roots != NULL ? o->roots : here,
	    o->roots != NULL ? o->root_count : 1, err);
	if (e->environments == NULL)
		return -1;
	environments_set_source(e->environments, o->source);
	environments_set_policy(e->environments, o->policy);
	if (o->secrets_file == NULL)
		return 0;
	if ((x = environments_name(e->environments, o->secrets_file, o->secrets_only, err)) == NULL)
		return -1;
	if (!o->secrets_only || x->problem == NULL)
		return 0;
	*err = *x->problem;
	return -1;
}

void
audit_estate_release(struct audit *a)
{
	struct audit_estate *e = a->estate;

	if (e == NULL)
		return;
	for (size_t i = 0; i < e->references.len; i++) {
		struct audit_reference *r = vec_at(&e->references, i);

		free(r->path);
		free(r->key);
		free(r->text);
	}
	for (size_t i = 0; i < e->secrets.len; i++)
		free(((struct audit_secrets *)vec_at(&e->secrets, i))->path);
	vec_release(&e->references);
	vec_release(&e->secrets);
	vec_release(&e->names);
	vec_release_strings(&e->named);
	environments_free(e->environments);
	free(e);
}

int
audit_estate_named(struct audit *a, const char *path, struct error *err)
{
	return vec_push_string(&a->estate->named, path, strlen(path)) != NULL ? 0 :
	    error_memory(err);
}

/* Find the secrets files around the files that were named. */
static int
estate_look_beside(struct audit *a, struct error *err)
{
	struct audit_estate *e = a->estate;
	size_t i = environments_count(e->environments);
	struct vec none;
	int rc = 0;

	vec_init(&none, sizeof(char *), 0);
	for (size_t k = 0; rc == 0 && k < e->named.len; k++)
		rc = environments_look_beside(e->environments, vec_string(&e->named, k),
		    a->o->scope, &none, err);
	/* They are not among what is looked at. */
	for (; i < environments_count(e->environments); i++)
		environments_at(e->environments, i)->aside = true;
	return rc;
}

/* Tell the environments; those of a file apart are told when it is taken over. */
static int
estate_note_reference(struct audit *a, const struct audit_reference *kept, struct error *err)
{
	struct reference r;

	return a->apart || !reference_parse(kept->text, strlen(kept->text), &r) ? 0 :
	    environments_refer(a->estate->environments, &r, err);
}

static int
estate_note_secrets(struct audit *a, const struct audit_secrets *kept, struct error *err)
{
	return a->apart || environments_add(a->estate->environments, kept->path, NULL,
	    err) != NULL ? 0 : -1;
}

int
audit_estate_take(struct audit *a, struct audit *part, size_t files, struct error *err)
{
	struct audit_estate *to = a->estate, *from = part->estate;
	const size_t references = to->references.len, secrets = to->secrets.len;
	int rc = audit_take(&to->references, &from->references,
	    offsetof(struct audit_reference, file), files, err);

	if (rc == 0)
		rc = audit_take(&to->secrets, &from->secrets, offsetof(struct audit_secrets, file),
		    files, err);
	for (size_t i = references; rc == 0 && i < to->references.len; i++)
		rc = estate_note_reference(a, vec_at(&to->references, i), err);
	for (size_t i = secrets; rc == 0 && i < to->secrets.len; i++)
		rc = estate_note_secrets(a, vec_at(&to->secrets, i), err);
	return rc;
}

int
audit_refer(struct audit_source *s, const struct form_item *i, struct error *err)
{
	struct audit_reference *kept;
	struct reference r;
	size_t start, end = 0;

	while (s->a->path != NULL && resolve_next(i->value, i->n, end, &r, &start, &end)) {
		if (!reference_is_ours(&r))
			continue;
		if (audit_source_name(s, err) != 0)
			return -1;
		if ((kept = vec_push(&s->a->estate->references)) == NULL)
			return error_memory(err);
		audit_source_region(s, i->from, i->to, &kept->region);
		kept->file = s->file;
		kept->form = s->form;
		kept->use_only = s->unresolved;
		kept->path = strdup(s->a->path);
		kept->key = text_copy(i->key, i->key_len);
		kept->key_len = i->key_len;
		kept->text = text_copy(i->value + start, end - start);
		if (kept->path == NULL || kept->key == NULL || kept->text == NULL)
			return error_memory(err);
		if (estate_note_reference(s->a, kept, err) != 0)
			return -1;
	}
	return 0;
}

int
audit_note_secrets(struct audit_source *s, struct error *err)
{
	struct audit_secrets *kept;

	if (s->a->path == NULL)
		return 0;
	if (audit_source_name(s, err) != 0)
		return -1;
	if ((kept = vec_push(&s->a->estate->secrets)) == NULL)
		return error_memory(err);
	kept->file = s->file;
	if ((kept->path = strdup(s->a->path)) == NULL)
		return error_memory(err);
	return estate_note_secrets(s->a, kept, err);
}

/* Which rule is it?  AUDIT_RULES: all is well. */
static enum audit_rule
estate_rule(const struct resolution *x)
{
	switch (x->state) {
	case STATE_DANGLING:
		return AUDIT_DANGLING;
	case STATE_UNKNOWN:
		return x->doubt == DOUBT_NO_FILE ? AUDIT_MISSING_FILE : AUDIT_UNKNOWN_ENVIRONMENT;
	default:
		return AUDIT_RULES;
	}
}

static int
estate_add(struct audit *a, size_t file, enum form form, enum audit_rule rule, const char *key,
    size_t len, const struct audit_finding *region, struct error *err)
{
	struct audit_source s = { .a = a, .file = file, .form = form };

	return audit_add(&s, rule, key, len, region, err) != NULL ? 0 : -1;
}

/* Is it another configuration file than before, whose reader cannot read the secrets file? */
static int
estate_readers(struct audit *a, const struct audit_reference *k, const struct environment *x,
    size_t *last, struct error *err)
{
	struct audit_source s = { .a = a, .file = k->file, .form = k->form };

	if (*last == k->file)
		return 0;
	*last = k->file;
	return audit_modes_readers(&s, k->path, x, err);
}

/* <environment><entry>, for maps; NUL between. */
static void
estate_entry_name(struct buf *out, const struct environment *x, const char *name, size_t len)
{
	buf_clear(out);
	buf_append_str(out, x->path);
	buf_append_char(out, '\0');
	buf_append(out, name, len);
}

/* Two files of one name that refer to one sealed entry, which is named after it. */
static int
estate_collide(struct audit *a, struct map *owners, struct vec *names, const struct resolution *x,
    const struct reference *r, size_t i, struct error *err)
{
	struct audit_reference *this = vec_at(&a->estate->references, i), *other;
	const char *base = file_basename(this->path), *entry = r->name, *kept;
	size_t n = strlen(base), len = r->name_len, first;
	struct buf name;
	int rc = 0;

	/* By the entry's own name, which the reference may spell with backslashes. */
	if (x->entry != DOCUMENT_NONE)
		entry = document_key(secrets_file_document(x->environment->secrets), x->entry,
		    &len);
	buf_init(&name, BUF_MAX_FILE);
	estate_entry_name(&name, x->environment, entry, len);
	if (buf_check(&name, err) != 0) {
		rc = -1;
	} else if (!map_get(owners, name.data, name.len, &first)) {
		kept = vec_push_string(names, (const char *)name.data, name.len);
		if (kept == NULL || map_put(owners, kept, name.len, i) != 0)
			rc = error_memory(err);
	} else {
		other = vec_at(&a->estate->references, first);
		if (other->file != this->file && r->name_len > n && r->name[n] == '/' &&
		    memcmp(r->name, base, n) == 0 &&
		    strcmp(file_basename(other->path), base) == 0)
			rc = estate_add(a, this->file, this->form, AUDIT_COLLISION, this->key,
			    this->key_len, &this->region, err);
	}
	buf_release(&name);
	return rc;
}

static int
estate_resolve(struct audit *a, struct map *owners, struct vec *names, struct error *err)
{
	struct audit_estate *e = a->estate;
	struct environment **slot;
	struct resolution x;
	struct reference r;
	enum audit_rule rule;
	size_t last = AUDIT_NONE;

	for (size_t i = 0; i < e->references.len; i++) {
		struct audit_reference *k = vec_at(&e->references, i);

		if (!reference_parse(k->text, strlen(k->text), &r))
			continue;
		if (environments_resolve(e->environments, k->path, &r, &x, err) != 0)
			return -1;
		while (e->names.len <= k->file)
			if (vec_push(&e->names) == NULL)
				return error_memory(err);
		slot = vec_at(&e->names, k->file);
		if (x.environment != NULL)
			x.environment->aside = false;
		if (x.environment != NULL && *slot == NULL)
			*slot = x.environment;
		if (x.environment == NULL && environments_count_unknown(e->environments, k->path,
		    k->region.line, r.name, r.name_len, err) != 0)
			return -1;
		rule = estate_rule(&x);
		if (rule != AUDIT_RULES && !k->use_only && estate_add(a, k->file, k->form, rule,
		    k->key, k->key_len, &k->region, err) != 0)
			return -1;
		if (x.environment != NULL &&
		    estate_readers(a, k, x.environment, &last, err) != 0)
			return -1;
		if (x.environment != NULL && estate_collide(a, owners, names, &x, &r, i, err) != 0)
			return -1;
	}
	return 0;
}

/* Sealed entries of an environment that is in use, and that no reference names, not even one of
 * which one cannot tell the secrets file. */
static int
estate_orphans(struct audit *a, const struct environment *x, const struct audit_secrets *s,
    struct map *owners, struct error *err)
{
	const struct document *d = secrets_file_document(x->secrets);
	struct audit_finding region = { 0 };
	struct buf name;
	const char *key;
	size_t len, ignored;
	int rc = 0;

	buf_init(&name, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!secrets_file_is_sealed(x->secrets, i))
			continue;
		key = document_key(d, i, &len);
		estate_entry_name(&name, x, key, len);
		if (map_get(owners, name.data, name.len, &ignored) ||
		    environment_use(x, key, len, NULL, NULL) != USE_NONE)
			continue;
		region.line = region.end_line = document_line(d, i);
		region.column = region.end_column = 1;
		rc = estate_add(a, s->file, FORM_PROPERTIES, AUDIT_ORPHAN, key, len, &region, err);
	}
	buf_release(&name);
	return rc;
}

/* What scripts and people make a passphrase of. */
static const char *const passphrases[] = {
	"password", "passphrase", "changeme", "changeit", "secret", "@/tmp/passphrase.txt",
	"confluent", "kafka", "admin", "test", "test1234", "12345678", "confluent-secret",
	"confluentsecret", "masterkey", "master-key", "mypassphrase", "propseal", "-", "fd:3",
	"@-", "@/tmp/passphrase", "@passphrase.txt", "@/path/to/passphrase", "@/path/file",
	"@/root/passphrase.txt", "@/run/secrets/passphrase", "${PASSPHRASE}", "$PASSPHRASE",
	"<passphrase>",
};

/* Iterations up to which each of them costs next to nothing. */
#define QUICK_ITERATIONS 10000

/* 1: the word is the passphrase. */
static int
estate_try(const struct secrets_file *s, const char *word, struct error *err)
{
	struct key *key = NULL;
	struct error why;

	if (secrets_file_check_passphrase(s, word, strlen(word), NULL, &key, &why) == 0) {
		key_free(key);
		return 1;
	}
	if (why.code != ERROR_MEMORY)
		return 0;
	return error_memory(err);
}

static int
estate_guess(struct audit *a, const struct environment *x, const struct audit_secrets *s,
    struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(x->secrets);
	const struct document *d = secrets_file_document(x->secrets);
	static const char salt[] = SECRETS_MASTER_SALT;
	struct audit_finding region = { .line = 1, .column = 1, .end_line = 1, .end_column = 1 };
	int found = 0;
	size_t at;

	if (m->salt == NULL || m->data_key == NULL ||
	    (m->iterations > QUICK_ITERATIONS && !a->o->deep))
		return 0;
	for (size_t i = 0; found == 0 && i < sizeof(passphrases) / sizeof(passphrases[0]); i++)
		found = estate_try(x->secrets, passphrases[i], err);
	if (found == 0)
		found = estate_try(x->secrets, file_basename(s->path), err);
	if (found != 1)
		return found;
	if ((at = document_find(d, salt, sizeof(salt) - 1)) != DOCUMENT_NONE)
		region.line = region.end_line = document_line(d, at);
	return estate_add(a, s->file, FORM_PROPERTIES, AUDIT_KNOWN_PASSPHRASE, salt,
	    sizeof(salt) - 1, &region, err);
}

/* Which of the secrets files that were come across is that of the environment?  NULL: none. */
static const struct audit_secrets *
estate_secrets(const struct audit *a, const struct environment *x)
{
	for (size_t i = 0; i < a->estate->secrets.len; i++) {
		const struct audit_secrets *s = vec_at(&a->estate->secrets, i);

		if (strcmp(s->path, x->path) == 0)
			return s;
	}
	return NULL;
}

static int
estate_unlock(struct audit *a, struct error *err)
{
	for (size_t i = 0; a->o->keys != NULL && i < key_ring_count(a->o->keys); i++)
		if (environments_unlock(a->estate->environments, key_ring_key(a->o->keys, i),
		    NULL, err) != 0)
			return -1;
	return 0;
}

/* What is told of each secrets file. */
static int
estate_judge(struct audit *a, struct map *owners, struct error *err)
{
	struct audit_estate *e = a->estate;
	const struct audit_secrets *s;
	struct environment *x;
	struct vec clear;
	bool used;
	int rc = audit_opened_clear(a, &clear, err);

	for (size_t k = 0; rc == 0 && k < environments_count(e->environments); k++) {
		x = environments_at(e->environments, k);
		if (x->aside || x->secrets == NULL)
			continue;
		s = estate_secrets(a, x);
		rc = audit_opened(a, x, s != NULL ? s->file : AUDIT_NONE, &clear, err);
		if (rc != 0 || s == NULL)
			continue;
		if ((rc = estate_guess(a, x, s, err)) == 0)
			rc = audit_modes_secrets(a, x, s->file, err);
		used = false;
		for (size_t f = 0; f < e->names.len; f++)
			used |= *(struct environment **)vec_at(&e->names, f) == x;
		if (used && rc == 0)
			rc = estate_orphans(a, x, s, owners, err);
	}
	vec_release(&clear);
	return rc;
}

int
audit_estate_finish(struct audit *a, struct error *err)
{
	struct audit_estate *e = a->estate;
	struct map *owners = map_new();
	struct vec names;	/* of char *: the keys of owners */
	int rc;

	vec_init(&names, sizeof(char *), REFERENCES_MAX);
	rc = owners == NULL ? error_memory(err) : estate_look_beside(a, err);
	if (rc == 0)
		rc = environments_settle(e->environments, err);
	if (rc == 0)
		rc = estate_resolve(a, owners, &names, err);
	/* References may have led to more of them. */
	if (rc == 0)
		rc = estate_unlock(a, err);
	if (rc == 0)
		rc = estate_judge(a, owners, err);
	map_free(owners);
	vec_release_strings(&names);
	return rc;
}

const char *
audit_environment(const struct audit *a, size_t file)
{
	const struct vec *names = &(a->of != NULL ? a->of : a)->estate->names;
	const struct environment *x = file < names->len ?
	    *(struct environment **)vec_at(names, file) : NULL;

	return x != NULL ? x->name : NULL;
}

void
audit_forget_keys(struct audit *a)
{
	struct environments *e = a->estate->environments;

	for (size_t i = 0; i < environments_count(e); i++)
		environment_lock(environments_at(e, i));
}
