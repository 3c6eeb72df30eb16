#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/number.h"
#include "crypto/key.h"
#include "crypto/random.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_internal.h"

#define DEADLINE_DEFAULT_MS 5000U
#define VALUE_PURPOSE "audit value"

uint64_t
audit_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
audit_wait_until(struct audit *a, pthread_cond_t *c, uint64_t ms)
{
	struct timespec until = { .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000 };

	pthread_cond_timedwait(c, &a->lock, &until);
}

/* The texts stay where they are, for those who hold one. */
void
audit_set_unready(struct audit *a, const char *reason)
{
	size_t i;

	if (reason == NULL) {
		atomic_store(&a->unready, NULL);
		return;
	}
	for (i = 0; i < AUDIT_REASONS && a->reasons[i][0] != '\0'; i++)
		if (strcmp(a->reasons[i], reason) == 0)
			break;
	if (i < AUDIT_REASONS && a->reasons[i][0] == '\0')
		snprintf(a->reasons[i], AUDIT_REASON_MAX, "%s", reason);
	atomic_store(&a->unready, i < AUDIT_REASONS ? a->reasons[i] :
	    "the audit log cannot be written");
}

const char *
audit_unready(struct audit *a)
{
	return atomic_load(&a->unready);
}

void
audit_tell(struct audit_wait *list)
{
	struct audit_wait *w;

	while ((w = list) != NULL) {
		list = w->next;
		w->done(w);
	}
}

void
audit_put_own(struct audit *a, const struct audit_event *e, const struct audit_own *own,
    const struct audit_line *head)
{
	struct audit_line line = *head;
	struct audit_entry *entry = audit_batch_entry(&a->own);

	if (entry == NULL)
		return;
	line.len = (uint32_t)audit_event_write(a->style, e, own, a->own_body);
	if (audit_batch_line(&a->own, &line, a->own_body) != 0)
		audit_batch_undo(&a->own);
}

static void
init_threads(struct audit *a)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->work, &attr);
	pthread_cond_init(&a->tick, &attr);
	pthread_cond_init(&a->ended, &attr);
	pthread_condattr_destroy(&attr);
	audit_batch_init(&a->batches[0]);
	audit_batch_init(&a->batches[1]);
	audit_batch_init(&a->own);
	a->pending = &a->batches[0];
	a->inflight = &a->batches[1];
}

void
audit_release(struct audit *a)
{
	audit_sink_file_free(a->sink_file);
	audit_sink_syslog_release(&a->room_syslog);
	audit_batch_release(&a->batches[0]);
	audit_batch_release(&a->batches[1]);
	audit_batch_release(&a->own);
	audit_open_set_release(&a->open);
	audit_macs_free(a->macs);
	mac_free(a->mac);
	key_free(a->key);
	audit_style_free(a->style);
	pthread_cond_destroy(&a->work);
	pthread_cond_destroy(&a->tick);
	pthread_cond_destroy(&a->ended);
	pthread_mutex_destroy(&a->lock);
	free(a->adopted);
	free(a->results);
	free(a->own_body);
	free(a->out);
	free(a->file);
	free(a);
}

static int
init_keys(struct audit *a, const struct key *k, struct error *err)
{
	unsigned char id[AUDIT_CHAIN_ID / 2];

	if ((a->key = key_from_bytes(key_bytes(k), key_length(k), err)) == NULL ||
	    (a->mac = mac_new(a->key, AUDIT_CHAIN_PURPOSE, err)) == NULL ||
	    (a->macs = audit_macs_new(a->key, VALUE_PURPOSE, err)) == NULL ||
	    random_bytes(id, sizeof(id), err) != 0)
		return -1;
	hex_text(id, sizeof(id), a->id);
	return 0;
}

static int
init_sinks(struct audit *a, const struct audit_options *o, struct error *err)
{
	audit_sink_syslog_init(&a->room_syslog, AUDIT_SYSLOG_SOCKET, &a->stop);
	if (o->to_stdout) {
		a->sink_stdout = &a->room_stdout;
		audit_sink_stdout_init(a->sink_stdout, STDOUT_FILENO, &a->stop);
	}
	if (o->to_syslog) {
		a->sink_syslog = &a->room_syslog;
		if (audit_sink_syslog_ready(a->sink_syslog, err) != 0)
			return -1;
	}
	if (o->file == NULL) {
		if (o->to_stdout || o->to_syslog)
			return 0;
		return error_set(err, ERROR_USAGE, "the audit log has nowhere to go");
	}
	if ((a->file = strdup(o->file)) == NULL)
		return error_memory(err);
	if ((a->sink_file = audit_sink_file_new(a->file, &a->stop, err)) == NULL)
		return -1;
	return audit_recover(a, o, err);
}

/* Signals are for other threads. */
static int
start_threads(struct audit *a, struct error *err)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&a->writer, NULL, audit_writer_run, a);
	if (rc == 0 && (rc = pthread_create(&a->watch, NULL, audit_watch_run, a)) != 0) {
		pthread_mutex_lock(&a->lock);
		a->closing = true;
		pthread_cond_signal(&a->work);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->writer, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return 0;
	errno = rc;
	return error_io(err, NULL, "cannot start a thread");
}

struct audit *
audit_open(const struct audit_options *o, const struct key *k, struct error *err)
{
	struct audit_own start = { .phase = "start", .message = "propseal " PROPSEAL_VERSION };
	struct audit_event e = { .phase = AUDIT_OUTCOME };
	struct audit_line head = { .kind = AUDIT_LINE_OTHER };
	struct audit *a = error_alloc(sizeof(*a), err);

	if (a == NULL)
		return NULL;
	init_threads(a);
	a->deadline_ms = o->deadline_ms > 0 ? o->deadline_ms : DEADLINE_DEFAULT_MS;
	a->rotate_bytes = o->rotate_bytes;
	a->keep = o->keep;
	a->anchored_ms = audit_now();
	if ((a->own_body = malloc(AUDIT_EVENT_MAX)) == NULL)
		error_memory(err);
	else if ((a->style = audit_style_new(o, err)) != NULL && init_keys(a, k, err) == 0 &&
	    init_sinks(a, o, err) == 0) {
		a->before = a->chain.seq;
		audit_put_own(a, &e, &start, &head);
		if (start_threads(a, err) == 0)
			return a;
	}
	audit_release(a);
	return NULL;
}

/* Wait for the writer's end; false: it hangs.  By a clock that nobody can set,
 * which that of pthread_timedjoin_np is not.  The lock is held. */
static bool
await_writer(struct audit *a)
{
	uint64_t until = audit_now() + a->deadline_ms;

	while (!a->writer_done && audit_now() < until)
		audit_wait_until(a, &a->ended, until);
	return a->writer_done;
}

/* Nobody is to wait any more. */
static struct audit_wait *
audit_fail_all(struct audit_batch *b, struct audit_wait *list)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		if (b->entries[i].wait == NULL)
			continue;
		b->entries[i].wait->failed = 1;
		b->entries[i].wait->next = list;
		list = b->entries[i].wait;
		b->entries[i].wait = NULL;
	}
	return list;
}

bool
audit_close(struct audit *a)
{
	struct audit_wait *list;
	bool ended;

	if (a == NULL)
		return true;
	pthread_mutex_lock(&a->lock);
	a->closing = true;
	pthread_cond_signal(&a->work);
	if (!await_writer(a)) {
		atomic_store(&a->stop, true);
		(void)await_writer(a);
	}
	a->watch_stop = true;
	pthread_cond_signal(&a->tick);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->watch, NULL);
	pthread_mutex_lock(&a->lock);
	list = audit_fail_all(a->pending, audit_fail_all(a->inflight, a->refused));
	a->refused = NULL;
	ended = a->writer_done;
	/* A writer that hangs in the kernel goes on using it all, to its end. */
	a->orphan = !ended;
	if (ended)
		pthread_join(a->writer, NULL);
	else
		pthread_detach(a->writer);
	pthread_mutex_unlock(&a->lock);
	audit_tell(list);
	if (ended)
		audit_release(a);
	return ended;
}

void
audit_reopen(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	a->reopen = true;
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->lock);
}

int
audit_hmac(struct audit *a, const void *value, size_t n, char out[AUDIT_HMAC_TEXT])
{
	static const char name[] = "hmac-sha256:";
	unsigned char sum[MAC_BYTES];
	struct mac *m = audit_macs_take(a->macs);
	int rc;

	out[0] = '\0';
	if (m == NULL)
		return -1;
	if ((rc = mac_sum(m, "", 0, value, n, sum, NULL)) == 0) {
		memcpy(out, name, sizeof(name) - 1);
		hex_text(sum, MAC_BYTES, out + sizeof(name) - 1);
		out[AUDIT_HMAC_TEXT - 1] = '\0';
	}
	audit_macs_give(a->macs, m);
	return rc;
}

void
audit_count(struct audit *a, struct audit_counts *out)
{
	pthread_mutex_lock(&a->lock);
	*out = a->counts;
	out->waiting = a->pending->lines + a->inflight->lines;
	pthread_mutex_unlock(&a->lock);
}
