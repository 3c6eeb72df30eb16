#include "registry/api/api.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/api/admit.h"
#include "registry/api/exchange.h"
#include "registry/api/helper.h"
#include "registry/api/internal.h"
#include "registry/api/openapi.h"
#include "registry/api/reply.h"
#include "registry/api/witness.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/http/http.h"
#include "registry/base/settings.h"
#include "registry/store/store.h"

#define OPENAPI_MAX ((size_t)1 << 20)

/* Failed logins that had no line of their own. */
static void
tell_folded(void *cookie, const char *peer, uint64_t folded)
{
	struct api *a = cookie;
	struct audit_event event = {
		.phase = AUDIT_OUTCOME, .method = "Authenticate", .client = peer, .status = 401,
		.message = "Failed logins that were not reported one by one",
		/* The line itself stands for one. */
		.has_count = folded > 1, .count = folded - 1,
	};

	audit_submit(a->parts.audit, &event, 1, NULL);
}

static void
tick(void *cookie)
{
	struct api *a = cookie;

	auth_folded(a->parts.auth, false, tell_folded, a);
}

struct api *
api_new(const struct api_parts *p, unsigned threads, struct error *err)
{
	struct api *a = calloc(1, sizeof(*a) + threads * sizeof(a->threads[0]));

	if (a == NULL) {
		error_memory(err);
		return NULL;
	}
	a->parts = *p;
	if (watch_list_init(&a->watches) == -1) {
		free(a);
		error_memory(err);
		return NULL;
	}
	buf_init(&a->openapi, OPENAPI_MAX);
	openapi_make(&a->openapi, p->settings->compat);
	for (; a->thread_count < threads; a->thread_count++) {
		if (thread_init(&a->threads[a->thread_count], a, store_keyring(p->store),
		    err) == -1) {
			a->thread_count++;
			goto fail;
		}
	}
	a->helper = helper_new(tick, a, err);
	if (a->helper == NULL || buf_check(&a->openapi, err) == -1)
		goto fail;
	witness_begin(a);
	return a;
fail:
	api_free(a);
	return NULL;
}

void
api_free(struct api *a)
{
	if (a == NULL)
		return;
	helper_free(a->helper);
	watch_list_release(&a->watches);
	for (unsigned i = 0; i < a->thread_count; i++)
		thread_release(&a->threads[i]);
	buf_release(&a->openapi);
	free(a);
}

void
api_handle(struct http_request *r, void *cookie)
{
	exchange_start(cookie, r);
}

static const char *
message_of(int status)
{
	switch (status) {
	case 401:
		return "Unauthorized";
	case 408:
		return "The request took too long";
	case 413:
		return "The body is too large";
	case 414:
		return "The URL is too long";
	case 431:
		return "The headers are too large";
	case 503:
		return "Too many connections; try again";
	case 501:
		return "This transfer encoding is not known";
	case 505:
		return "HTTP/1.1 is spoken here";
	default:
		return "This is not an acceptable HTTP/1.1 request";
	}
}

void
api_refuse(int status, struct buf *body, void *cookie)
{
	const struct api *a = cookie;
	int code = status;

	if (a->parts.settings->subcodes)
		code = status == 401 ? 40101 : status == 413 ? 41301 : status == 503 ? 50302 : code;
	reply_error(body, code, message_of(status), strlen(message_of(status)));
}

static bool
is_scheme(const char *header, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncasecmp(header, scheme, n) == 0 && (header[n] == ' ' || header[n] == '\0');
}

int
api_expect(struct http_request *r, void *cookie)
{
	const char *authorization = http_header(r, "Authorization");

	(void)cookie;
	/* A body is only asked for where a login is at least tried; what takes a
	 * body always needs one. */
	if (authorization != NULL ?
	    is_scheme(authorization, "Basic") || is_scheme(authorization, "Bearer") :
	    http_peer_dn(r) != NULL)
		return 0;
	reply_headers(r, NULL, NULL);
	http_set_header(r, "WWW-Authenticate", ADMIT_CHALLENGE);
	return 401;
}

void
api_set_server(struct api *a, struct http_server *s)
{
	atomic_store(&a->server, s);
}

void
api_drain(struct api *a)
{
	atomic_store(&a->draining, true);
	watch_list_drain(&a->watches);
}

void
api_stop(struct api *a)
{
	helper_free(a->helper);
	a->helper = NULL;
	auth_folded(a->parts.auth, true, tell_folded, a);
}
