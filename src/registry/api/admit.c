#include "registry/api/admit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/handlers.h"
#include "registry/api/internal.h"
#include "registry/http/http.h"
#include "registry/store/names.h"

bool
admit_needs_login(const struct exchange *x)
{
	if (x->endpoint != NULL && x->endpoint->run == metrics_show &&
	    request_settings(x)->allow_unlisted_metrics)
		return false;
	if (x->endpoint != NULL)
		return x->endpoint->scope != SCOPE_OPEN;
	return target_is(&x->target, 0, "secret") || target_is(&x->target, 0, "security");
}

/* No endpoint: 204 to OPTIONS, 404, or 405. */
static void
answer_unrouted(struct exchange *x)
{
	char allow[ROUTE_ALLOW_MAX];

	if (x->match.allowed == 0) {
		if (request_mredjem(x) && x->user[0] != '\0')
			answer_fail(x, 403, 40301, "Access denied. Resource being accessed is "
			    "unregistered");
		else
			answer_fail(x, 404, 40403, "There is nothing at this URL; see "
			    "/openapi.json");
		return;
	}
	route_allow(x->match.allowed, allow);
	http_set_header(x->r, "Allow", allow);
	if (http_method(x->r) == HTTP_OPTIONS)
		answer_send(x, 204);
	else
		answer_fail(x, 405, 0, "%s is not possible here; possible: %s",
		    http_method_name(x->r), allow);
}

void
admit_anyone(struct exchange *x)
{
	x->granted = true;
	if (x->endpoint != NULL)
		x->endpoint->run(x);
	else
		answer_unrouted(x);
}

/* The segment that rights are asked for, also where the route is unknown. */
static const char *
path_of(struct exchange *x, size_t *n)
{
	struct target_segment *s = &x->match.params[PARAM_PATH];

	if (s->text == NULL && x->target.count >= 3 && target_is(&x->target, 0, "secret") &&
	    (target_is(&x->target, 1, "paths") || target_is(&x->target, 1, "connectors")))
		*s = x->target.segments[2];
	*n = s->len;
	return s->text;
}

static void
admit_unrouted(struct exchange *x)
{
	size_t n;
	const char *path = path_of(x, &n);

	x->op = SECRET_LIST;
	if (http_method(x->r) == HTTP_OPTIONS && x->match.allowed != 0)
		x->method = "Options";	/* tells nothing that /openapi.json does not */
	else if (path != NULL && !request_allows(x, SECRET_LIST, path, n)) {
		answer_deny(x, SECRET_LIST, path, n);
		return;
	}
	x->granted = true;
	answer_unrouted(x);
}

/* false: denied, and answered. */
static bool
authorize(struct exchange *x)
{
	const struct endpoint *e = x->endpoint;
	const char *path = NULL;
	size_t n = 0;

	x->op = e->op;
	if (e->flags & ROUTE_DESTROY && request_flag(x, "destroy")) {
		x->op = SECRET_DESTROY;
		x->method = "DestroyVersion";
	}
	if (e->scope == SCOPE_LOGIN)
		return true;
	if (e->scope == SCOPE_PATH)
		path = request_param(x, PARAM_PATH, &n);
	if (request_allows(x, x->op, path, n))
		return true;
	if (e->or_op != OPERATION_COUNT && request_allows(x, e->or_op, path, n)) {
		x->op = e->or_op;
		return true;
	}
	answer_deny(x, x->op, path, n);
	return false;
}

/* Are the names in the URL names?  Sets ${version}; false: answered. */
static bool
check_names(struct exchange *x)
{
	size_t n;
	const char *text = request_param(x, PARAM_PATH, &n);
	bool latest;

	if (text != NULL && !name_path_valid(text, n)) {
		answer_fail(x, 422, 42203, "A path is 1 to %d bytes of UTF-8 without control "
		    "characters, / : } * and blanks at its ends", NAME_PATH_MAX);
		return false;
	}
	text = request_param(x, PARAM_KEY, &n);
	if (text != NULL && !name_key_valid(text, n)) {
		answer_fail(x, 422, 42203, "A key begins with a letter A-Z or a-z, followed by "
		    "up to %d of A-Z a-z 0-9 . _ -", NAME_KEY_MAX - 1);
		return false;
	}
	text = request_param(x, PARAM_VERSION, &n);
	if (text == NULL || name_version_parse(text, n, &x->version))
		return true;
	latest = n == 6 && memcmp(text, "latest", 6) == 0;
	if (latest && x->endpoint->flags & ROUTE_LATEST)
		return true;
	answer_fail(x, request_mredjem(x) ? 403 : 422, 42202, latest ?
	    "Name the version's number: \"latest\" may be another one when this is repeated" :
	    "A version is \"latest\" or a number from 1 to 2147483647 without sign or "
	    "leading zero");
	return false;
}

/* Is the body, if any, said to be JSON?  false: answered. */
static bool
check_type(struct exchange *x)
{
	const char *type = http_header(x->r, "Content-Type");
	size_t n = type != NULL ? strcspn(type, "; \t") : 0;

	if (n == 0 || (n == 16 && strncasecmp(type, "application/json", n) == 0) ||
	    (n > 21 && strncasecmp(type, "application/vnd.", 16) == 0 &&
	    strncasecmp(type + n - 5, "+json", 5) == 0))
		return true;
	answer_fail(x, 415, 0, "Send the body as application/json");
	return false;
}

void
admit_user(struct exchange *x)
{
	const struct endpoint *e = x->endpoint;
	unsigned wait;
	char seconds[16];

	if (!auth_rate(x->api->parts.auth, x->check.principal, &wait)) {
		(void)snprintf(seconds, sizeof(seconds), "%u", wait > 0 ? wait : 1);
		http_set_header(x->r, "Retry-After", seconds);
		answer_fail(x, 429, 0, "Too many requests; wait and try again");
		return;
	}
	x->recorded = e == NULL || (e->flags & ROUTE_QUIET) == 0;
	if (e == NULL) {
		admit_unrouted(x);
		return;
	}
	if (!authorize(x))
		return;
	x->granted = true;
	if (e->flags & ROUTE_DESTROY && request_flag_odd(x, "destroy")) {
		answer_fail(x, 422, 42201, "destroy is true or false");
		return;
	}
	if ((e->flags & ROUTE_NAMES && !check_names(x)) ||
	    (e->flags & ROUTE_BODY && !check_type(x)))
		return;
	e->run(x);
}
