#include "cli/registry/resolver.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "common/options.h"
#include "cli/registry/remote.h"
#include "client/wipe.h"
#include "secrets/resolve.h"

#define KNOWN_MAX 65536
#define NAME_BYTES_MAX 600
#define VALUE_MAX (1U << 20)

/* What was asked for already. */
struct known {
	char *name;		/* PATH:KEY */
	struct buf value;	/* secret */
};

struct registry_resolver {
	const struct options *o;
	struct resolver as;
	struct remote remote;
	bool connected;
	struct vec known;	/* struct known * */
};

/* Say in an answer's error which reference it is about. */
static int
name_reference(const char *path, const char *key, struct error *err)
{
	struct error why = *err;

	error_set(err, why.code, "${%s:%s:%s}: %s", REGISTRY_PROVIDER, path, key, why.text);
	return error_hint(err, "%s", why.hint);
}

static int
fetch(struct registry_resolver *r, const char *path, const char *key, struct buf *out,
    struct error *err)
{
	if (!r->connected) {
		if (remote_open(&r->remote, r->o, err) != 0) {
			remote_close(&r->remote);
			return -1;
		}
		r->connected = true;
	}
	remote_target(&r->remote, "secret", "paths", path, "keys", key, "versions", "latest",
	    (const char *)NULL);
	if (remote_call(&r->remote, "GET", NULL, err) != 0)
		return r->remote.got.status != 0 ? name_reference(path, key, err) : -1;
	return remote_secret(&r->remote, out, err);
}

static struct known *
find(const struct registry_resolver *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->known.len; i++) {
		struct known *k = *(struct known **)vec_at(&r->known, i);

		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

static struct known *
add(struct registry_resolver *r, const char *name, struct error *err)
{
	struct known *k = calloc(1, sizeof(*k));
	struct known **place;

	if (k == NULL || (k->name = strdup(name)) == NULL ||
	    (place = vec_push(&r->known)) == NULL) {
		if (k != NULL)
			free(k->name);
		free(k);
		error_memory(err);
		return NULL;
	}
	buf_init_secret(&k->value, VALUE_MAX);
	*place = k;
	return k;
}

static int
value(void *cookie, const struct reference *ref, struct buf *out, struct error *err)
{
	struct registry_resolver *r = cookie;
	char name[NAME_BYTES_MAX];
	struct known *k;

	if (ref->path_len == 0 || ref->path_len + ref->name_len + 2 > sizeof(name)) {
		error_set(err, ERROR_FORMAT, "a registry's reference is ${%s:PATH:KEY}",
		    REGISTRY_PROVIDER);
		error_key(err, ref->name, ref->name_len);
		return error_hint(err, "the path is the connector's name");
	}
	memcpy(name, ref->path, ref->path_len);
	name[ref->path_len] = ':';
	memcpy(name + ref->path_len + 1, ref->name, ref->name_len);
	name[ref->path_len + 1 + ref->name_len] = '\0';
	if ((k = find(r, name)) == NULL) {
		struct buf fresh;
		int rc;

		buf_init_secret(&fresh, VALUE_MAX);
		name[ref->path_len] = '\0';
		rc = fetch(r, name, name + ref->path_len + 1, &fresh, err);
		name[ref->path_len] = ':';
		if (rc == 0 && (k = add(r, name, err)) != NULL)
			buf_move(&k->value, &fresh);
		buf_release(&fresh);
		if (k == NULL)
			return -1;
	}
	buf_append(out, k->value.data, k->value.len);
	return buf_check(out, err);
}

int
registry_resolver_open(const struct options *o, struct registry_resolver **out,
    struct error *err)
{
	const char *variable = getenv("PROPSEAL_REGISTRY_URL");
	struct registry_resolver *r;

	*out = NULL;
	if (o->text[FLAG_URL] == NULL && (variable == NULL || variable[0] == '\0'))
		return 0;
	if (wipe_on_free(err) != 0)
		return -1;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return error_memory(err);
	r->o = o;
	r->as = (struct resolver){ REGISTRY_PROVIDER, value, r };
	vec_init(&r->known, sizeof(struct known *), KNOWN_MAX);
	*out = r;
	return 0;
}

void
registry_resolver_close(struct registry_resolver *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->known.len; i++) {
		struct known *k = *(struct known **)vec_at(&r->known, i);

		buf_release(&k->value);
		free(k->name);
		free(k);
	}
	vec_release(&r->known);
	if (r->connected)
		remote_close(&r->remote);
	free(r);
}

const struct resolver *
registry_resolver(const struct registry_resolver *r)
{
	return r != NULL ? &r->as : NULL;
}
