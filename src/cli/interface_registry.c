#include "cli/interface_registry.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/interface_worker.h"
#include "cli/registry/place.h"
#include "client/wipe.h"
#include "ui/registry_source.h"

#define TIMEOUT_MS 10000	/* a person waits */

struct interface_registry {
	struct registry_source source;
	struct place place;
	struct worker *worker;	/* NULL: none was needed yet */
	struct buf header;	/* secret; of the password that was typed */
	unsigned long last;	/* the number of the last request */
	int fd;
};

static void
end_worker(struct interface_registry *r)
{
	uint64_t count;

	worker_end(r->worker);
	r->worker = NULL;
	if (read(r->fd, &count, sizeof(count)) < 0) {
		/* It was empty already. */
	}
}

static unsigned long
submit(void *cookie, const struct registry_request *req, struct error *err)
{
	struct interface_registry *r = cookie;

	if (r->worker == NULL &&
	    (r->worker = worker_new(&r->place, &r->header, r->fd, err)) == NULL)
		return 0;
	if (worker_add(r->worker, r->last + 1, req, err) == -1)
		return 0;
	return ++r->last;
}

static struct registry_answer *
take(void *cookie)
{
	struct interface_registry *r = cookie;

	return r->worker != NULL ? worker_take(r->worker) : NULL;
}

static void
cancel(void *cookie, unsigned long id)
{
	struct interface_registry *r = cookie;

	/* A new one need not wait for the end of the old one's request. */
	if (r->worker != NULL && !worker_drop(r->worker, id))
		end_worker(r);
}

static int
authorize(void *cookie, const char *user, const struct buf *password, struct error *err)
{
	struct interface_registry *r = cookie;

	end_worker(r);
	buf_clear(&r->header);
	return login_by_password(user, password, &r->header, err);
}

static void
forget(void *cookie)
{
	struct interface_registry *r = cookie;

	end_worker(r);
	buf_release(&r->header);
}

static void
describe(struct interface_registry *r)
{
	const struct login *l = &r->place.login;

	r->source = (struct registry_source){
		.cookie = r,
		.url = r->place.client.url,
		.user = l->token_file == NULL ? l->user : NULL,
		.asks_password = l->token_file == NULL && l->user != NULL &&
		    l->password_file == NULL,
		.fd = r->fd,
		.submit = submit,
		.take = take,
		.cancel = cancel,
		.authorize = authorize,
		.forget = forget,
	};
}

int
interface_registry_open(const struct options *o, struct interface_registry **out,
    struct error *err)
{
	struct interface_registry *r;
	struct place p;

	*out = NULL;
	place_read(o, &p);
	if (!p.named)
		return 0;
	if (wipe_on_free(err) != 0)
		return -1;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return error_memory(err);
	r->place = p;
	r->place.client.timeout_ms = TIMEOUT_MS;
	buf_init_secret(&r->header, LOGIN_HEADER_MAX);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0) {
		free(r);
		return error_io(err, NULL, "no eventfd");
	}
	describe(r);
	*out = r;
	return 0;
}

const struct registry_source *
interface_registry_source(const struct interface_registry *r)
{
	return r != NULL ? &r->source : NULL;
}

bool
interface_registry_close(struct interface_registry *r)
{
	if (r == NULL)
		return true;
	end_worker(r);
	/* A worker that is left alone still uses the place. */
	if (worker_left() > 0)
		return false;
	buf_release(&r->header);
	close(r->fd);
	free(r);
	return true;
}
