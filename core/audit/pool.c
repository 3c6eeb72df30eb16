#include <sys/resource.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * Files are added to a ring, and looked at by whoever comes first, each in an
 * audit of its own.  The calling thread takes these over from the ring's other
 * end: so the order is that of one thread, and what waits is bounded.
 */

#define THREADS_MAX 16
#define ITEMS_OF_THREAD 32
#define BATCH 8		/* files that are handed over at a time: one takes some microseconds */
#define STACK_BYTES ((size_t)8 << 20)	/* as the first thread has: forms nest */
#define PATH_BYTES_MAX 65536
#define FILES_OF_THREAD 4	/* that the process may open, for each: it opens one at a time */

struct pool_item {
	struct buf path;
	struct audit_target target;
	struct audit *part;
	bool done;
	int rc;
	struct error err;	/* where ->rc is -1 */
};

struct pool_thread {
	struct audit_pool *pool;
	pthread_t id;
	struct audit_reader reader;
};

struct audit_pool {
	struct audit *a;
	struct audit_reader *reader;	/* of the calling thread */
	struct pool_thread threads[THREADS_MAX];
	size_t thread_count;
	size_t first;			/* of all that were added, the one to be taken over */
	size_t added;			/* behind the last one */
	pthread_mutex_t large;		/* held while a large file is looked at */
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t more, done;
	struct pool_item *items;	/* a ring */
	size_t item_count;
	size_t next;			/* the one to be looked at */
	size_t end;			/* behind the last one that threads know of */
	bool ends;
};

size_t
audit_pool_threads(const struct audit_options *o)
{
	size_t n = o->threads;
	struct rlimit files;
	cpu_set_t set;

	if (n == 0 && sched_getaffinity(0, sizeof(set), &set) == 0)
		n = (size_t)CPU_COUNT(&set);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && n > files.rlim_cur / FILES_OF_THREAD)
		n = (size_t)files.rlim_cur / FILES_OF_THREAD;
	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
}

static struct pool_item *
pool_item(const struct audit_pool *p, size_t i)
{
	return &p->items[i % p->item_count];
}

/* Look at the next files; the lock is let go meanwhile. */
static void
pool_work(struct audit_pool *p, struct audit_reader *r)
{
	const size_t from = p->next;
	const size_t to = p->end - from < BATCH ? p->end : from + BATCH;
	struct pool_item *item;

	p->next = to;
	(void)pthread_mutex_unlock(&p->lock);
	for (size_t i = from; i < to; i++) {
		item = pool_item(p, i);
		item->rc = audit_look(item->part, &item->target, r, &item->err);
	}
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = from; i < to; i++)
		pool_item(p, i)->done = true;
	(void)pthread_cond_signal(&p->done);
}

static void *
pool_run(void *cookie)
{
	struct pool_thread *t = cookie;
	struct audit_pool *p = t->pool;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->ends)
		if (p->next < p->end)
			pool_work(p, &t->reader);
		else
			(void)pthread_cond_wait(&p->more, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With fewer threads it only takes longer.  Signals are for the calling one. */
static void
pool_begin(struct audit_pool *p)
{
	const size_t wanted = audit_pool_threads(p->a->o) - 1;
	struct pool_thread *t;
	pthread_attr_t attr;
	sigset_t all, before;

	if (pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; p->thread_count < wanted; p->thread_count++) {
		t = &p->threads[p->thread_count];
		t->pool = p;
		audit_reader_init(&t->reader);
		t->reader.lock = &p->large;
		if (pthread_create(&t->id, &attr, pool_run, t) != 0)
			break;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
}

struct audit_pool *
audit_pool_new(struct audit *a, struct audit_reader *r, struct error *err)
{
	const size_t count = ITEMS_OF_THREAD * audit_pool_threads(a->o);
	struct audit_pool *p;

	if ((p = error_alloc(sizeof(*p), err)) == NULL)
		return NULL;
	p->a = a;
	p->reader = r;
	r->lock = &p->large;
	(void)pthread_mutex_init(&p->large, NULL);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->more, NULL);
	(void)pthread_cond_init(&p->done, NULL);
	if ((p->items = error_alloc(count * sizeof(*p->items), err)) == NULL) {
		audit_pool_free(p);
		return NULL;
	}
	for (; p->item_count < count; p->item_count++) {
		struct pool_item *i = &p->items[p->item_count];

		buf_init(&i->path, PATH_BYTES_MAX);
		if ((i->part = audit_new_apart(a, err)) == NULL) {
			audit_pool_free(p);
			return NULL;
		}
	}
	pool_begin(p);
	return p;
}

void
audit_pool_free(struct audit_pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->ends = true;
	(void)pthread_cond_broadcast(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
	p->reader->lock = NULL;
	for (size_t i = 0; i < p->thread_count; i++) {
		(void)pthread_join(p->threads[i].id, NULL);
		audit_reader_release(&p->threads[i].reader);
	}
	for (size_t i = 0; i < p->item_count; i++) {
		audit_free(p->items[i].part);
		buf_release(&p->items[i].path);
	}
	free(p->items);
	(void)pthread_cond_destroy(&p->done);
	(void)pthread_cond_destroy(&p->more);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_mutex_destroy(&p->large);
	free(p);
}

/* --- taking over --- */

int
audit_take(struct vec *to, struct vec *from, size_t offset, size_t files, struct error *err)
{
	for (size_t i = 0; i < from->len; i++) {
		unsigned char *item = vec_push(to);
		size_t file;

		if (item == NULL) {
			/* What is moved is not to be freed twice. */
			memmove(from->items, vec_at(from, i), (from->len - i) * from->size);
			from->len -= i;
			return error_memory(err);
		}
		memcpy(item, vec_at(from, i), from->size);
		if (offset == AUDIT_NONE)
			continue;
		memcpy(&file, item + offset, sizeof(file));
		file += files;
		memcpy(item + offset, &file, sizeof(file));
	}
	vec_release(from);
	return 0;
}

static void
pool_take_counts(struct audit_counts *to, struct audit_counts *from)
{
	to->seen += from->seen;
	to->read += from->read;
	for (size_t i = 0; i < FORMS; i++)
		to->by_form[i] += from->by_form[i];
	for (size_t i = 0; i < AUDIT_SKIPS; i++)
		to->skipped[i] += from->skipped[i];
	memset(from, 0, sizeof(*from));
}

/* What one thread alone would have done at the file's place. */
static int
pool_take_part(struct audit *a, const struct audit_target *t, struct audit *part,
    struct error *err)
{
	struct audit_source s = { .a = a, .name = t->name, .file = AUDIT_NONE,
		.first = a->findings.len };
	int rc = 0;

	if (part->folder_waits) {
		a->path = t->path;
		rc = audit_modes_folder(&s, err);
		a->path = NULL;
	}
	if (rc != 0 ||
	    audit_take(&a->findings, &part->findings, offsetof(struct audit_finding, file),
	    a->files.len, err) != 0 || audit_suppressed_take(a, part, a->files.len, err) != 0 ||
	    audit_providers_take(a, part, a->files.len, err) != 0 ||
	    audit_estate_take(a, part, a->files.len, err) != 0 ||
	    audit_take(&a->files, &part->files, AUDIT_NONE, 0, err) != 0 ||
	    audit_take(&a->unread, &part->unread, AUDIT_NONE, 0, err) != 0 ||
	    audit_take(&a->folders, &part->folders, AUDIT_NONE, 0, err) != 0 ||
	    audit_take(&a->named, &part->named, AUDIT_NONE, 0, err) != 0 ||
	    audit_take(&a->workers, &part->workers, AUDIT_NONE, 0, err) != 0)
		return -1;
	pool_take_counts(&a->counts, &part->counts);
	part->folder_waits = part->id.exists = false;
	return 0;
}

static int
pool_take(struct audit_pool *p, struct pool_item *i, struct error *err)
{
	struct audit *fresh;
	int rc;

	if (i->rc != 0) {
		*err = i->err;
		return -1;
	}
	if ((rc = audit_is_seen(p->a, &i->part->id, err)) == 0) {
		rc = pool_take_part(p->a, &i->target, i->part, err);
	} else if (rc == 1) {
		/* It is told by another name. */
		if ((fresh = audit_new_apart(p->a, err)) == NULL)
			return -1;
		audit_free(i->part);
		i->part = fresh;
		rc = 0;
	}
	return rc == 0 ? audit_goes_on(p->a, err) : -1;
}

/* Tell the threads of what was added. */
static void
pool_hand_over(struct audit_pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->end = p->added;
	(void)pthread_cond_signal(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
}

/* Take over what is done, when it is the first one at least. */
static int
pool_advance(struct audit_pool *p, struct error *err)
{
	size_t to = p->first;

	(void)pthread_mutex_lock(&p->lock);
	while (!pool_item(p, p->first)->done)
		if (p->next < p->end)
			pool_work(p, p->reader);
		else
			(void)pthread_cond_wait(&p->done, &p->lock);
	for (; to < p->end && pool_item(p, to)->done; to++)
		pool_item(p, to)->done = false;
	(void)pthread_mutex_unlock(&p->lock);
	for (; p->first < to; p->first++)
		if (pool_take(p, pool_item(p, p->first), err) != 0)
			return -1;
	return 0;
}

int
audit_pool_add(struct audit_pool *p, const struct audit_target *t, struct error *err)
{
	struct pool_item *i;

	if (p->added - p->first == p->item_count && pool_advance(p, err) != 0)
		return -1;
	i = pool_item(p, p->added);
	buf_clear(&i->path);
	buf_append_str(&i->path, t->path);
	i->target = *t;
	i->target.path = buf_cstr(&i->path);
	i->target.name = i->target.path + (t->name - t->path);
	if (buf_check(&i->path, err) != 0)
		return -1;
	if (++p->added % BATCH == 0)
		pool_hand_over(p);
	return 0;
}

int
audit_pool_drain(struct audit_pool *p, struct error *err)
{
	pool_hand_over(p);
	while (p->first < p->added)
		if (pool_advance(p, err) != 0)
			return -1;
	return 0;
}
