#include "registry/api/handlers.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/json_out.h"
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
	struct json_out *out = answer_json(x);
	struct rotation_state r;

	store_rotation(request_store(x), &r);
	json_out_object(out, NULL);
	json_out_bool(out, "running", r.running);
	json_out_uint(out, "fromKey", r.from_kid);
	json_out_uint(out, "toKey", r.to_kid);
	json_out_uint(out, "done", r.done);
	json_out_uint(out, "total", r.total);
	reply_time(out, "startedAt", r.started_ms);
	reply_time(out, "finishedAt", r.finished_ms);
	if (r.failure[0] != '\0')
		json_out_text(out, "failure", r.failure);
	json_out_end(out);
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
