#include "registry/api/handlers.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/grant.h"
#include "registry/api/internal.h"
#include "registry/http/http.h"

/*
 * Bindings in the shape of the metadata service's interface, for scripts that
 * know that: /security/1.0/principals/{principal}/roles/{role}, and below it
 * /bindings with {"scope":...,"resourcePatterns":[{"resourceType":"Connector",
 * "name":..., "patternType":"LITERAL" or "PREFIXED"}]}.  There is one
 * registry, so the scope does not matter.
 */

/* The grant with the URL's principal and role; NULL: answered. */
static struct grant *
start(struct exchange *x, bool revoke)
{
	struct grant *g;
	const char *role, *principal;
	size_t role_len, n;

	if (!access_anywhere(x->api->parts.access, request_principal(x), ALTER_ACCESS)) {
		answer_deny(x, ALTER_ACCESS, NULL, 0);
		return NULL;
	}
	g = exchange_work(x, sizeof(*g), free);
	if (g == NULL)
		return NULL;
	g->revoke = revoke;
	role = request_param(x, PARAM_ROLE, &role_len);
	principal = request_param(x, PARAM_PRINCIPAL, &n);
	if (role_len < sizeof(g->role) && grant_principal(g, principal, n)) {
		memcpy(g->role, role, role_len);
		return g;
	}
	answer_fail(x, 422, 42203, "The principal or the role is too long or empty");
	return NULL;
}

static bool
take_pattern(struct grant *g, const json_t *pattern)
{
	const json_t *type = json_object_get(pattern, "resourceType");
	const json_t *name = json_object_get(pattern, "name");
	const json_t *kind = json_object_get(pattern, "patternType");
	const char *how = kind == NULL ? "LITERAL" : json_string_value(kind);

	if (!json_is_string(type) || strcmp(json_string_value(type), "Connector") != 0 ||
	    !json_is_string(name) || how == NULL ||
	    (strcmp(how, "LITERAL") != 0 && strcmp(how, "PREFIXED") != 0))
		return false;
	return grant_pattern(g, json_string_value(name), json_string_length(name),
	    how[0] == 'P');
}

static bool
take_patterns(struct grant *g, const json_t *root)
{
	const json_t *patterns = json_object_get(root, "resourcePatterns");
	const json_t *pattern;
	size_t i;

	if (!json_is_array(patterns) || json_array_size(patterns) == 0)
		return false;
	json_array_foreach(patterns, i, pattern) {
		if (!take_pattern(g, pattern))
			return false;
	}
	return true;
}

static void
on_patterns(struct exchange *x, bool revoke)
{
	struct buf *body = http_body(x->r);
	struct grant *g = start(x, revoke);
	enum body_result result;
	json_t *root;
	char why[256];

	if (g == NULL)
		return;
	result = body_object(body->data, body->len, &root, why, sizeof(why));
	if (result != BODY_OK)
		answer_fail(x, result == BODY_SYNTAX ? 400 : 422, result == BODY_SYNTAX ? 0 : 42201,
		    "%s", why);
	else if (!take_patterns(g, root))
		answer_fail(x, 422, 42201, "\"resourcePatterns\" must be a list of 1 to %d of "
		    "resourceType \"Connector\", name, and patternType LITERAL or PREFIXED",
		    GRANT_PATTERNS_MAX);
	else
		grant_run(x);
	json_decref(root);
}

static void
on_cluster(struct exchange *x, bool revoke)
{
	struct grant *g = start(x, revoke);

	if (g == NULL)
		return;
	(void)grant_pattern(g, NULL, 0, false);
	grant_run(x);
}

void
mds_grant(struct exchange *x)
{
	on_cluster(x, false);
}

void
mds_revoke(struct exchange *x)
{
	on_cluster(x, true);
}

void
mds_grant_on(struct exchange *x)
{
	on_patterns(x, false);
}

void
mds_revoke_on(struct exchange *x)
{
	on_patterns(x, true);
}
