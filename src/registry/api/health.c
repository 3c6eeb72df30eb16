#include "registry/api/handlers.h"

#include <stdatomic.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/auth/access.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/store/store.h"

/* What can be seen without a login: nothing about secrets. */

void
health_root(struct exchange *x)
{
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_text(out, "name", "propseal");
	json_out_text(out, "version", PROPSEAL_VERSION);
	json_out_end(out);
	answer_send(x, 200);
}

static void
answer_status(struct exchange *x, const char *status)
{
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_text(out, "status", status);
	json_out_end(out);
	answer_send(x, 200);
}

void
health_live(struct exchange *x)
{
	answer_status(x, "live");
}

void
health_ready(struct exchange *x)
{
	struct error why;

	if (atomic_load(&x->api->draining))
		answer_fail(x, 503, 50302, "Not ready: the service is about to end");
	else if (store_unready(request_store(x)) != NULL)
		answer_fail(x, 503, 50302, "Not ready: the store cannot be written");
	else if (audit_unready(x->api->parts.audit) != NULL)
		answer_fail(x, 503, 50302, "Not ready: the audit log cannot be written");
	else if (auth_health(x->api->parts.auth, &why) != 0 ||
	    access_health(x->api->parts.access, &why) != 0)
		answer_fail(x, 503, 50302, "Not ready: the users, tokens or roles in force are not "
		    "those of the files, which cannot be read");
	else
		answer_status(x, "ready");
}

/* A worker's list of plugins, of which a registry alone has none. */
void
health_plugins(struct exchange *x)
{
	json_out_array(answer_json(x), NULL);
	json_out_end(&x->json);
	answer_send(x, 200);
}
