#include "registry/api/grant.h"

#include <stdio.h>
#include <string.h>

#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/helper.h"
#include "registry/base/settings.h"

#define DESCRIBED_MAX 512U	/* the audit's messages are not longer */
_Static_assert(DESCRIBED_MAX <= sizeof(((struct exchange *)NULL)->message), "it fits");
#define DESCRIBED_EXTRA 32U	/* beside a pattern's name, and for how many more */

bool
grant_principal(struct grant *g, const char *name, size_t n)
{
	if (n > 5 && memcmp(name, "User:", 5) == 0) {
		name += 5;
		n -= 5;
	}
	if (n == 0 || n >= sizeof(g->principal) || memchr(name, '\0', n) != NULL)
		return false;
	memcpy(g->principal, name, n);
	g->principal[n] = '\0';
	return true;
}

bool
grant_pattern(struct grant *g, const char *name, size_t n, bool prefix)
{
	struct grant_pattern *p = &g->patterns[g->count];

	if (g->count == GRANT_PATTERNS_MAX || n >= sizeof(p->name) ||
	    (name != NULL && memchr(name, '\0', n) != NULL))
		return false;
	p->cluster = name == NULL;
	p->prefix = prefix;
	if (name != NULL)
		memcpy(p->name, name, n);
	p->name[n] = '\0';
	g->count++;
	return true;
}

/* Does the caller have ${op} on all that a pattern covers? */
static bool
covers(struct exchange *x, enum operation op, const char *name, size_t n, bool prefix)
{
	char probe[NAME_PATH_MAX + 2];

	if (request_allows(x, op, NULL, 0))
		return true;
	if (name == NULL || n > NAME_PATH_MAX)
		return false;
	if (!prefix)
		return request_allows(x, op, name, n);
	/* No path has a control character, so only a prefix that covers all of
	 * this prefix's paths covers this one. */
	memcpy(probe, name, n);
	probe[n] = '\001';
	probe[n + 1] = '\0';
	return request_allows(x, op, probe, n + 1);
}

bool
grant_allowed(struct exchange *x, const char *name, size_t n, bool prefix)
{
	return covers(x, ALTER_ACCESS, name, n, prefix);
}

/* Who hands out rights but does not read values does not give itself the reading. */
static bool
to_itself(struct exchange *x, const struct grant_pattern *p)
{
	const struct grant *g = x->work;

	return !g->revoke && strcmp(g->principal, request_principal(x)) == 0 &&
	    !covers(x, SECRET_READ, p->cluster ? NULL : p->name, strlen(p->name), p->prefix);
}

/* On the helper's thread.  All of the patterns, or none. */
static void
work(struct exchange *x)
{
	struct grant *g = x->work;
	const char *data = request_settings(x)->data;
	struct binding bindings[GRANT_PATTERNS_MAX];

	for (size_t i = 0; i < g->count; i++) {
		const struct grant_pattern *p = &g->patterns[i];

		bindings[i] = (struct binding){
			.role = g->role, .principal = g->principal,
			.pattern = p->cluster ? NULL : p->name, .prefix = p->prefix,
			.by = request_principal(x),
		};
	}
	g->result = g->revoke ? access_revoke(data, bindings, g->count, &g->err) :
	    access_grant(data, bindings, g->count, &g->err);
}

static void
done(struct exchange *x)
{
	const struct grant *g = x->work;

	if (g->result == 0)
		answer_send(x, 204);
	else if (g->err.code == ERROR_USAGE)
		answer_fail(x, 422, 42201, "%s", g->err.text);
	else if (g->err.code == ERROR_MISSING)
		answer_fail(x, 404, 0, "There is no such binding");
	else
		answer_error(x, &g->err);
}

static void
intended(struct exchange *x)
{
	helper_run(x, work, done);
}

/* For the audit: who gets or loses what.  What does not fit is counted. */
static void
describe(struct exchange *x)
{
	const struct grant *g = x->work;
	size_t n, i, size = DESCRIBED_MAX;

	n = (size_t)snprintf(x->message, size, "%s %s %s %s on", g->revoke ? "revoke" : "grant",
	    g->role, g->revoke ? "from" : "to", g->principal);
	for (i = 0; i < g->count; i++) {
		const struct grant_pattern *p = &g->patterns[i];

		if (n + strlen(p->name) + DESCRIBED_EXTRA > size)
			break;
		n += (size_t)snprintf(x->message + n, size - n, "%s %s%s", i > 0 ? "," : "",
		    p->cluster ? "everything" : p->prefix ? "prefix " : "path ",
		    p->cluster ? "" : p->name);
	}
	if (i < g->count)
		(void)snprintf(x->message + n, size - n, " and %zu more", g->count - i);
}

void
grant_run(struct exchange *x)
{
	struct grant *g = x->work;

	for (size_t i = 0; i < g->count; i++) {
		const struct grant_pattern *p = &g->patterns[i];
		size_t n = strlen(p->name);

		if (!grant_allowed(x, p->cluster ? NULL : p->name, n, p->prefix)) {
			answer_deny(x, ALTER_ACCESS, p->cluster ? NULL : p->name, n);
			return;
		}
		if (to_itself(x, p)) {
			answer_deny(x, SECRET_READ, p->cluster ? NULL : p->name, n);
			return;
		}
	}
	/* For the audit: what it is about. */
	if (g->count > 0 && !g->patterns[0].cluster) {
		x->match.params[PARAM_PATH].text = g->patterns[0].name;
		x->match.params[PARAM_PATH].len = strlen(g->patterns[0].name);
	}
	describe(x);
	answer_intend(x, intended);
}
