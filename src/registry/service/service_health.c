#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "registry/auth/access.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/service/service.h"
#include "registry/service/service_internal.h"
#include "registry/store/store.h"

/* The parts of a service that /health/ready asks. */
enum part { LOGINS, ROLES, STORE, AUDIT };

_Static_assert(AUDIT + 1 == SERVICE_PARTS, "one place for each part");

static const char *const well_again[] = {
	"the users and tokens in force are those of the files again",
	"the roles in force are those of the files again",
	"the store can be written again",
	"the audit log can be written again",
};

/* Where ${why} says, and on one line. */
static int
unread(const struct error *why, const char *what, struct error *err)
{
	error_set(err, why->code, "%.700s; the %s that were read before stay in force", why->text,
	    what);
	if (why->file[0] != '\0')
		error_place(err, why->file, why->line);
	return error_key(err, why->key, strlen(why->key));
}

static int
unwritten(const char *why, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, "the %s cannot be written, requests get 503: %s", what,
	    why);
}

/* -1: it is not well. */
static int
look(struct service *s, enum part part, struct error *err)
{
	struct error why = { .code = ERROR_NONE };
	const char *reason;

	switch (part) {
	case LOGINS:
		return auth_health(s->auth, &why) == 0 ? 0 : unread(&why, "users and tokens", err);
	case ROLES:
		return access_health(s->access, &why) == 0 ? 0 : unread(&why, "roles", err);
	case STORE:
		reason = store_unready(s->store);
		return reason == NULL ? 0 : unwritten(reason, "store", err);
	default:
		reason = audit_unready(s->audit);
		return reason == NULL ? 0 : unwritten(reason, "audit log", err);
	}
}

static bool
is_same(const struct error *a, const struct error *b)
{
	return a->code == b->code && a->line == b->line && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->key, b->key) == 0 && strcmp(a->text, b->text) == 0;
}

void
service_look(struct service *s, const struct service_voice *v, bool again)
{
	struct error now;
	unsigned i;

	for (i = 0; i < SERVICE_PARTS; i++) {
		now = (struct error){ .code = ERROR_NONE };
		(void)look(s, (enum part)i, &now);
		if (is_same(&now, &s->told[i]) && (!again || now.code == ERROR_NONE))
			continue;
		s->told[i] = now;
		if (now.code != ERROR_NONE)
			v->tell(&now);
		else
			v->note(well_again[i]);
	}
}
