#include "registry/api/handlers.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/helper.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/store/store.h"

/* GET and POST /secret/admin/rotation. */

struct start {
	struct error err;
	int result;
};

static void
show(struct exchange *x, int status)
{
	struct buf *out = &x->body;
	struct rotation_state r;

	store_rotation(request_store(x), &r);
	buf_append_char(out, '{');
	reply_member(out, "running");
	buf_append_str(out, r.running ? "true" : "false");
	reply_member(out, "fromKey");
	reply_number(out, r.from_kid);
	reply_member(out, "toKey");
	reply_number(out, r.to_kid);
	reply_member(out, "done");
	reply_number(out, r.done);
	reply_member(out, "total");
	reply_number(out, r.total);
	reply_member(out, "startedAt");
	reply_time(out, r.started_ms);
	reply_member(out, "finishedAt");
	reply_time(out, r.finished_ms);
	if (r.failure[0] != '\0') {
		reply_member(out, "failure");
		reply_text(out, r.failure);
	}
	buf_append_char(out, '}');
	answer_send(x, status);
}

void
rotation_show(struct exchange *x)
{
	show(x, 200);
}

/* On the helper's thread: a new master secret may have to be stretched. */
static void
start(struct exchange *x)
{
	struct start *s = x->work;

	s->result = store_rotate(request_store(x), NULL, &s->err);
}

static void
started(struct exchange *x)
{
	const struct start *s = x->work;

	if (s->result == 0)
		show(x, 202);
	else if (s->err.code == ERROR_BUSY)
		answer_fail(x, 409, 0, "A rotation is running already");
	else
		answer_error(x, &s->err);
}

static void
intended(struct exchange *x)
{
	helper_run(x, start, started);
}

void
rotation_start(struct exchange *x)
{
	if (exchange_work(x, sizeof(struct start), free) != NULL)
		answer_intend(x, intended);
}
