#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/store/reader.h"
#include "registry/store/store.h"

/*
 * GET /secret/watch: wait until something changes that the caller may list.
 *
 * The timer of http_later cannot be taken back, so what it needs outlives the
 * answer: a struct watch goes when both the answer is given and the timer (and
 * what api_drain posted) have come.  All there are hang on a list of the api:
 * those whose timer never comes, because the server has ended, are freed with
 * it.
 *
 * Who waits holds a connection.  So of one principal and of one address only so
 * many wait, and all together on half of the connections that there may be.
 */
#define WAIT_MAX 60	/* seconds */
#define WAIT_DEFAULT 30
#define CHANGES_MAX 1000	/* in one answer */

struct watch {
	struct watch *next, *prev;	/* under the list's lock */
	struct watch_list *list;
	struct exchange *x;		/* NULL: answered.  Changed under the lock */
	unsigned refs;			/* under the lock */
	uint64_t since;
	unsigned char address[ADDRESS_KEY];	/* the client's */
	struct store_waiter waiter;
	bool waiting;			/* the store has the waiter */
	bool over;			/* answer with what there is */
};

struct collect {
	struct exchange *x;
	bool everything;
	uint64_t count;
};

int
watch_list_init(struct watch_list *l)
{
	l->waiting = l->answered = NULL;
	return pthread_mutex_init(&l->lock, NULL) == 0 ? 0 : -1;
}

static void
watch_free_all(struct watch *w)
{
	for (struct watch *next; w != NULL; w = next) {
		next = w->next;
		free(w);
	}
}

void
watch_list_release(struct watch_list *l)
{
	watch_free_all(l->waiting);
	watch_free_all(l->answered);
	pthread_mutex_destroy(&l->lock);
}

/* --- under the lock --- */

static void
watch_link(struct watch **first, struct watch *w)
{
	w->prev = NULL;
	w->next = *first;
	if (*first != NULL)
		(*first)->prev = w;
	*first = w;
}

static void
watch_unlink(struct watch **first, struct watch *w)
{
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		*first = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
}

/* May one more wait, ${mine}? */
static bool
watch_fits(const struct watch_list *l, const struct watch *mine, uint64_t places)
{
	const struct settings *set = request_settings(mine->x);
	unsigned principal = 0, address = 0;
	uint64_t all = 0;

	for (const struct watch *w = l->waiting; w != NULL; w = w->next) {
		address += memcmp(w->address, mine->address, ADDRESS_KEY) == 0;
		principal += strcmp(w->x->check.principal, mine->x->check.principal) == 0;
		all++;
	}
	return principal < set->waits_per_principal && address < set->waits_per_address &&
	    all < (places + 1) / 2;
}

/* --- with the lock free --- */

static void
watch_drop(struct watch *w)
{
	struct watch_list *l = w->list;
	bool last;

	pthread_mutex_lock(&l->lock);
	last = --w->refs == 0;
	/* The answer has been given, or it would be held. */
	if (last)
		watch_unlink(&l->answered, w);
	pthread_mutex_unlock(&l->lock);
	if (last)
		free(w);
}

static void
add_change(struct collect *c, const struct change_view *v)
{
	struct json_out *out = &c->x->json;

	c->count++;
	json_out_object(out, NULL);
	json_out_uint(out, "offset", v->offset);
	json_out_text_n(out, "path", v->path, v->path_len);
	if (v->key != NULL)
		json_out_text_n(out, "key", v->key, v->key_len);
	if (v->version != 0)
		json_out_uint(out, "version", v->version);
	json_out_text(out, "change", v->what);
	json_out_end(out);
}

static void
watch_visit(void *cookie, const struct change_view *v)
{
	struct collect *c = cookie;

	if (c->everything || request_allows(c->x, SECRET_LIST, v->path, v->path_len))
		add_change(c, v);
}

/* An object with the list of changes, then the offset that it goes up to. */
static void
begin_changes(struct exchange *x)
{
	json_out_object(answer_json(x), NULL);
	json_out_array(&x->json, "changes");
}

static void
end_changes(struct exchange *x, uint64_t since)
{
	json_out_end(&x->json);
	json_out_uint(&x->json, "offset", since);
	json_out_end(&x->json);
}

static const char too_old[] = "What changed since this offset is not remembered any more: "
    "list everything again, then watch without \"since\"";

/* Make the body: the changes since ${*since} that the caller may know of.
 * ${*since} moves on to what was looked at.  1; 0: it is too long ago; -1: ${err}. */
static int
watch_collect(struct exchange *x, uint64_t *since, uint64_t *count, struct error *err)
{
	struct collect c = { .x = x, .everything = request_allows(x, SECRET_LIST, NULL, 0) };
	struct reader *r = x->thread->reader;
	uint64_t next = 0;
	int known = reader_begin(r, err) == -1 ? -1 : 1;

	begin_changes(x);
	/* What is not for this caller may fill more than one round. */
	while (known == 1 && c.count == 0) {
		known = reader_changes(r, *since, CHANGES_MAX, watch_visit, &c, &next, err);
		if (known != 1 || next <= *since)
			break;
		*since = next;
	}
	reader_end(r);
	end_changes(x, *since);
	*count = c.count;
	return known;
}

/* For what is not 1. */
static void
watch_fail(struct exchange *x, int known, const struct error *err)
{
	if (known == 0)
		answer_fail(x, 410, 0, "%s", too_old);
	else
		answer_error(x, err);
}

static void
watch_answer(struct exchange *x, uint64_t count)
{
	x->has_count = true;
	x->count = count;
	answer_send(x, 200);
}

/* The request is about to be answered; returns it. */
static struct exchange *
watch_part(struct watch *w)
{
	struct exchange *x = w->x;

	pthread_mutex_lock(&w->list->lock);
	w->x = NULL;
	watch_unlink(&w->list->waiting, w);
	watch_link(&w->list->answered, w);
	pthread_mutex_unlock(&w->list->lock);
	watch_drop(w);
	return x;
}

static void woken(struct store_waiter *waiter);

/* Answer, or wait (again) for the store. */
static void
watch_look(struct watch *w)
{
	struct exchange *x = w->x;
	struct error err;
	uint64_t count;
	int known = watch_collect(x, &w->since, &count, &err);

	if (known != 1) {
		watch_fail(watch_part(w), known, &err);
		return;
	}
	if (count > 0 || w->over || http_gone(x->r) || atomic_load(&x->api->draining)) {
		watch_answer(watch_part(w), count);
		return;
	}
	w->waiter.since = w->since;
	w->waiter.woken = woken;
	w->waiter.cookie = w;
	w->waiting = true;
	store_wait(request_store(x), &w->waiter);
}

static void
awake(void *arg)
{
	struct watch *w = arg;

	w->waiting = false;
	watch_look(w);
}

/* On the writer's thread (or within store_wait).  The request is there: it is
 * not answered while the store has the waiter. */
static void
woken(struct store_waiter *waiter)
{
	struct watch *w = waiter->cookie;

	http_post(w->x->r, awake, w);
}

/* Whatever comes first ends the waiting: the timer, or the service's end. */
static void
end(void *arg)
{
	struct watch *w = arg;

	if (w->x != NULL) {
		w->over = true;
		/* Otherwise awake() is on its way. */
		if (w->waiting && store_unwait(request_store(w->x), &w->waiter)) {
			w->waiting = false;
			watch_look(w);
		}
	}
	watch_drop(w);
}

void
watch_list_drain(struct watch_list *l)
{
	pthread_mutex_lock(&l->lock);
	for (struct watch *w = l->waiting; w != NULL; w = w->next) {
		w->refs++;
		http_post(w->x->r, end, w);
	}
	pthread_mutex_unlock(&l->lock);
}

static void
begin(struct exchange *x, uint64_t since, unsigned ms)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct http_server *server = atomic_load(&x->api->server);
	struct watch_list *l = &x->api->watches;
	struct http_counts counts = { .places = UINT64_MAX - 1 };
	bool fits;

	if (server != NULL)
		http_server_counts(server, &counts);
	if (w == NULL) {
		answer_fail(x, 503, 50302, "Out of memory; try again");
		return;
	}
	w->list = l;
	w->x = x;
	w->since = since;
	w->refs = 2;	/* the request, the timer */
	(void)address_key(x->client, w->address);
	pthread_mutex_lock(&l->lock);
	fits = watch_fits(l, w, counts.places);
	if (fits)
		watch_link(&l->waiting, w);
	pthread_mutex_unlock(&l->lock);
	if (!fits) {
		free(w);
		http_close_after(x->r);
		http_set_header(x->r, "Retry-After", "1");
		answer_fail(x, 429, 0, "Too many requests of this login or address wait for "
		    "changes already; ask with wait=0, or less often");
		return;
	}
	http_later(x->r, ms, end, w);
	watch_look(w);
}

void
watch_changes(struct exchange *x)
{
	struct reader *r;
	struct error err;
	uint64_t since = 0, wait = WAIT_DEFAULT, now = 0;
	int known, found = request_number(x, "since", 0, INT64_MAX, &since);

	if (found == -1 || request_number(x, "wait", 0, WAIT_MAX, &wait) == -1)
		return;
	if (found == 0) {
		if ((r = request_reader(x)) == NULL)
			return;
		known = reader_offset(r, &now, &err);
		reader_end(r);
		if (known == -1) {
			answer_error(x, &err);
			return;
		}
		begin_changes(x);
		end_changes(x, now);
		watch_answer(x, 0);
		return;
	}
	if (wait > 0) {
		begin(x, since, (unsigned)wait * 1000);
		return;
	}
	known = watch_collect(x, &since, &now, &err);
	if (known == 1)
		watch_answer(x, now);
	else
		watch_fail(x, known, &err);
}
