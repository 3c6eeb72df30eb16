#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit_internal.h"
#include "registry/base/clock.h"
#include "registry/database/database.h"

#define RETRY_MS 100		/* between attempts while nothing can be written */
#define GATHER_MS 20		/* ... and between those that nobody waits for */
#define SYNC_MS 1000		/* what is written to the file is synced then, */
#define SYNC_BYTES ((uint64_t)4 << 20)	/* or when it is so much */
#define ANCHOR_MS 60000
#define ROTATE_AGAIN_MS 10000	/* after a rename that failed */
#define READ_BYTES ((size_t)1 << 20)	/* of the table at once */

/*
 * An export: a thread that follows the committed lines by seq, out of memory, or
 * out of the table where it has fallen behind.
 */
struct audit_sink {
	struct audit *a;
	enum audit_sink_kind kind;
	bool required;
	pthread_t thread;

	/* under the lock of the audit */
	bool started, done;
	bool reopen;
	uint64_t position;		/* the last line that it has, */
	uint64_t durable;		/* and has for good */
	char reason[AUDIT_REASON_MAX];	/* why it takes nothing; "": it does */

	/* the thread's own */
	struct audit_chain chain;	/* of the last line written */
	struct buf lines;		/* read from the table */
	struct audit_log_file file;
	uint64_t rotate_bytes;
	unsigned keep;
	uint64_t first;			/* seq of the oldest line kept, 0: not known */
	uint64_t anchored;		/* seq */
	uint64_t anchored_ms, sync_ms, rotate_again_ms;
	struct audit_syslog syslog;
	bool torn;			/* standard output: the last line is not whole */
};

static const char *const kinds[AUDIT_SINKS] = { "export.file", "export.stdout",
    "export.syslog" };

static bool
is_file(const struct audit_sink *s)
{
	return s->kind == AUDIT_FILE && s->file.regular;
}

uint64_t
audit_sinks_required(const struct audit *a)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < AUDIT_SINKS; i++) {
		const struct audit_sink *s = a->sinks[i];

		if (s != NULL && s->required && s->position < least)
			least = s->position;
	}
	return least;
}

uint64_t
audit_sinks_durable(const struct audit *a)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < AUDIT_SINKS; i++) {
		if (a->sinks[i] != NULL && a->sinks[i]->durable < least)
			least = a->sinks[i]->durable;
	}
	return least;
}

void
audit_sinks_reopen(struct audit *a)
{
	for (int i = 0; i < AUDIT_SINKS; i++) {
		if (a->sinks[i] != NULL)
			a->sinks[i]->reopen = true;
	}
}

void
audit_sinks_reasons(const struct audit *a, const char **required, const char **other)
{
	*required = *other = NULL;
	for (int i = 0; i < AUDIT_SINKS; i++) {
		const struct audit_sink *s = a->sinks[i];

		if (s != NULL && s->reason[0] != '\0')
			*(s->required ? required : other) = s->reason;
	}
}

int
audit_sinks_note(struct audit *a, struct error *err)
{
	for (int i = 0; i < AUDIT_SINKS; i++) {
		struct audit_sink *s = a->sinks[i];
		uint64_t position;

		if (s == NULL || is_file(s))
			continue;
		pthread_mutex_lock(&a->lock);
		position = s->durable;
		pthread_mutex_unlock(&a->lock);
		if (database_set_meta(database_writer(a->db), kinds[i], (int64_t)position,
		    database_path(a->db), err) == -1)
			return -1;
	}
	return 0;
}

/* --- the file's state --- */

static int
sink_sync(struct audit_sink *s, struct error *err)
{
	uint64_t position = s->chain.seq;

	if (!is_file(s) || s->file.unsynced == 0)
		return 0;
	s->sync_ms = audit_now() + SYNC_MS;
	if (audit_log_file_sync(&s->file, err) == -1)
		return -1;
	pthread_mutex_lock(&s->a->lock);
	s->durable = position;
	pthread_mutex_unlock(&s->a->lock);
	return 0;
}

static void
sink_anchor(struct audit_sink *s)
{
	if (!is_file(s) || s->chain.seq == s->anchored || s->chain.seq == 0)
		return;
	s->anchored_ms = audit_now();
	if (sink_sync(s, NULL) == 0 && audit_anchor_write(s->a->file, s->a->key, &s->chain,
	    s->first, NULL) == 0)
		s->anchored = s->chain.seq;
}

static void
sink_rotate(struct audit_sink *s, size_t coming)
{
	uint64_t first;

	if (s->rotate_bytes == 0 || s->file.size == 0 || s->chain.seq == 0 ||
	    s->file.size + coming <= s->rotate_bytes || audit_now() < s->rotate_again_ms)
		return;
	/* What a crash takes from its end would be taken under its new name. */
	if (sink_sync(s, NULL) == -1 || audit_log_file_rotate(&s->file, s->chain.seq) != 1) {
		s->rotate_again_ms = audit_now() + ROTATE_AGAIN_MS;
		return;
	}
	if ((first = audit_log_file_prune(&s->file, s->keep, false)) == 0)
		return;
	/* The anchor says where the log begins before lines go. */
	s->first = first;
	s->anchored = 0;
	sink_anchor(s);
	if (s->anchored != 0)
		(void)audit_log_file_prune(&s->file, s->keep, true);
}

/* --- writing --- */

/* Behind the first ${skip} lines. */
static void
skip_lines(const char **text, size_t *n, uint64_t skip)
{
	const char *end;

	for (; skip > 0 && *n > 0; skip--) {
		end = memchr(*text, '\n', *n);
		end = end != NULL ? end + 1 : *text + *n;
		*n -= (size_t)(end - *text);
		*text = end;
	}
}

static uint64_t
count_lines(const char *text, size_t n)
{
	uint64_t lines = 0;
	const char *end;

	for (; (end = memchr(text, '\n', n)) != NULL; text = end + 1) {
		n -= (size_t)(end - text) + 1;
		lines++;
	}
	return lines;
}

/* The chain up to the last of whole lines. */
static void
chain_of(const char *text, size_t n, struct audit_chain *out)
{
	const char *from = n > 1 ? memrchr(text, '\n', n - 1) : NULL;
	struct audit_tail tail;

	from = from != NULL ? from + 1 : text;
	if (n > 1 && audit_chain_tail(from, n - 1 - (size_t)(from - text), &tail)) {
		out->seq = tail.seq;
		memcpy(out->hash, tail.hash, MAC_BYTES);
	}
}

/* Write the lines behind ${position}; ${*taken}: how many of them it took. */
static int
sink_write(struct audit_sink *s, const char *text, size_t n, uint64_t position, uint64_t *taken,
    struct error *err)
{
	size_t done = 0;
	int rc = -1;

	*taken = 0;
	switch (s->kind) {
	case AUDIT_FILE:
		if (audit_log_file_ready(&s->file, err) == -1)
			return -1;
		if (is_file(s))
			sink_rotate(s, n);
		rc = audit_log_file_write(&s->file, text, n, err);
		done = rc == 0 ? n : 0;
		break;
	case AUDIT_STDOUT:
		if (s->torn && audit_stdout_write(STDOUT_FILENO, "\n", 1, &done, &s->a->stop,
		    err) == -1)
			return -1;
		s->torn = false;
		rc = audit_stdout_write(STDOUT_FILENO, text, n, &done, &s->a->stop, err);
		s->torn = done > 0 && text[done - 1] != '\n';
		break;
	default:
		rc = audit_syslog_write(&s->syslog, text, n, &done, err);
		break;
	}
	if (rc == -1) {
		*taken = count_lines(text, done);
		return -1;
	}
	chain_of(text, n, &s->chain);
	*taken = s->chain.seq - position;
	return 0;
}

/* What comes behind ${position}, out of the table.  ${*first}: the first line's. */
static int
read_table(struct audit_sink *s, uint64_t position, uint64_t *first, struct error *err)
{
	const char *path = database_path(s->a->db);
	sqlite3 *db = database_reader(s->a->db, err);
	struct audit_rows rows = { 0 };
	int more = -1;

	buf_clear(&s->lines);
	if (db != NULL && audit_rows_open(&rows, db, path, s->a->key, position, err) == 0) {
		*first = rows.chain.seq + 1;
		do
			more = audit_rows_next(&rows, &s->lines, err);
		while (more == 1 && s->lines.len < READ_BYTES);
	}
	audit_rows_close(&rows);
	(void)sqlite3_close(db);
	return more == -1 ? -1 : 0;
}

/* Have the sink take what comes behind its position.  ${c}: where it is, in the first ${n}
 * bytes, as more may come there meanwhile; NULL: in the table. */
static int
sink_follow(struct audit_sink *s, const struct audit_chunk *c, size_t n, uint64_t *position,
    struct error *err)
{
	uint64_t first, taken;
	const char *text;
	int rc;

	if (c != NULL) {
		first = c->first;
		text = c->text;
	} else {
		if (read_table(s, *position, &first, err) == -1)
			return -1;
		text = s->lines.len > 0 ? (const char *)s->lines.data : "";
		n = s->lines.len;
	}
	/* Lines that are nowhere any more are passed over: verify tells of them. */
	if (first > *position + 1)
		*position = first - 1;
	skip_lines(&text, &n, *position + 1 - first);
	rc = sink_write(s, text, n, *position, &taken, err);
	*position += taken;
	return rc;
}

/* In memory, the lines that have ${seq}.  The lock is held. */
static struct audit_chunk *
find_chunk(struct audit *a, uint64_t seq)
{
	struct audit_chunk *c = a->chunks;

	if (c == NULL || seq < c->first)
		return NULL;
	/* The newest is what an export mostly wants, and the others are many. */
	if (seq >= a->newest->first)
		return seq <= a->newest->last ? a->newest : NULL;
	while (seq > c->last)
		c = c->next;
	return c;
}

static void
sink_failed(struct audit_sink *s, const struct error *err)
{
	if (err == NULL)
		s->reason[0] = '\0';
	else
		snprintf(s->reason, sizeof(s->reason), "%.100s%s%.140s", err->file,
		    err->file[0] != '\0' ? ": " : "", err->text);
}

/* One step, or a wait for there to be one.  The lock is held, but not meanwhile. */
static void
sink_step(struct audit_sink *s)
{
	struct audit *a = s->a;
	struct audit_chunk *c;
	struct audit_wait *list;
	struct error err = { 0 };
	uint64_t position = s->position, now = audit_now();
	const bool reopen = s->reopen, behind = position < a->head;
	size_t n = 0;
	bool due;
	int rc;

	due = is_file(s) && ((s->file.unsynced > 0 && now >= s->sync_ms) ||
	    (s->chain.seq != s->anchored && now >= s->anchored_ms + ANCHOR_MS));
	if (!behind && !reopen && !due) {
		audit_wait_until(a, &a->news, now + SYNC_MS);
		return;
	}
	s->reopen = false;
	c = behind ? find_chunk(a, position + 1) : NULL;
	if (c != NULL) {
		c->users++;
		n = c->n;
	}
	pthread_mutex_unlock(&a->lock);
	if (behind)
		rc = sink_follow(s, c, n, &position, &err);
	else
		rc = s->kind == AUDIT_FILE ? audit_log_file_ready(&s->file, &err) : 0;
	if (rc == 0 && is_file(s) && (due || s->file.unsynced >= SYNC_BYTES))
		rc = sink_sync(s, &err);
	if (rc == 0 && now >= s->anchored_ms + ANCHOR_MS)
		sink_anchor(s);
	pthread_mutex_lock(&a->lock);
	if (c != NULL && --c->users == 0)
		free(c);
	s->position = position;
	if (!is_file(s))
		s->durable = position;
	sink_failed(s, rc == -1 ? &err : NULL);
	list = audit_settle(a);
	if (list != NULL) {
		pthread_mutex_unlock(&a->lock);
		audit_tell(list);
		pthread_mutex_lock(&a->lock);
	}
	if (rc == -1 && !atomic_load(&a->stop)) {
		audit_wait_until(a, &a->news, audit_now() + RETRY_MS);
	} else if (behind && !s->required && position >= a->head && !a->closing) {
		/* News does not wake it meanwhile, so that it writes for many requests. */
		pthread_mutex_unlock(&a->lock);
		clock_pause(GATHER_MS);
		pthread_mutex_lock(&a->lock);
	}
}

static void *
sink_run(void *sink)
{
	struct audit_sink *s = sink;
	struct audit *a = s->a;

	pthread_mutex_lock(&a->lock);
	while (!(a->closing && s->position >= a->head) && !atomic_load(&a->stop))
		sink_step(s);
	pthread_mutex_unlock(&a->lock);
	sink_anchor(s);
	(void)sink_sync(s, NULL);
	pthread_mutex_lock(&a->lock);
	s->done = true;
	pthread_cond_signal(&a->ended);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* --- opening: where each goes on --- */

static int
older(const char *file, uint64_t there, uint64_t here, struct error *err)
{
	error_set(err, ERROR_REFUSED, "the database is older than its audit log: it ends with "
	    "line %" PRIu64 ", and line %" PRIu64 " was written", here, there);
	error_place(err, file, 0);
	return error_hint(err, "put the newer registry.db back; or let this one go on with "
	    "`propseal registry restore`, which gives no version's number twice");
}

/* Has the table another line than the file's last one? */
static int
same_line(struct audit *a, const struct audit_chain *end, struct error *err)
{
	const char *path = database_path(a->db);
	sqlite3 *db = database_reader(a->db, err);
	sqlite3_stmt *s = NULL;
	const void *hash;
	size_t n;
	int found = -1;

	if (db != NULL && (s = database_prepare(db, "SELECT hash FROM audit WHERE seq IN (?1,?1-1) "
	    "AND seq+lines-1=?1", path, err)) != NULL) {
		database_bind(s, "i", (int64_t)end->seq);
		found = database_next(s, path, err);
	}
	if (found == 1) {
		hash = database_blob(s, 0, &n);
		if (n != MAC_BYTES || memcmp(hash, end->hash, n) != 0) {
			found = error_set(err, ERROR_DAMAGED, "its last line is not the one that "
			    "the database has");
			error_place(err, a->file, 0);
		}
	}
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	return found == -1 ? -1 : 0;
}

static int
file_goes_on(struct audit_sink *s, struct error *err)
{
	struct audit *a = s->a;
	struct audit_anchor anchor;
	struct audit_chain end;
	uint64_t size;
	int64_t adopt = 0;

	if (audit_anchor_read(a->file, a->key, &anchor, err) == -1 ||
	    audit_files_end(a->file, a->key, &end, &size, err) == -1)
		return -1;
	if (a->chain.seq == 0) {
		sqlite3 *db = database_reader(a->db, err);
		int rc = db != NULL ? database_meta(db, "first", 0, &adopt,
		    database_path(a->db), err) : -1;

		(void)sqlite3_close(db);
		if (rc == -1)
			return -1;
	}
	if (adopt != 0 && end.seq > 0) {
		a->chain = end;
		a->adopted = true;
	}
	if (anchor.chain.seq > a->chain.seq || end.seq > a->chain.seq)
		return older(a->file, anchor.chain.seq > end.seq ? anchor.chain.seq : end.seq,
		    a->chain.seq, err);
	if (end.seq > 0 && same_line(a, &end, err) == -1)
		return -1;
	if (size < s->file.size && audit_log_file_cut(&s->file, size, err) == -1)
		return -1;
	s->chain = end;
	s->position = s->durable = end.seq;
	s->first = anchor.first != 0 ? anchor.first : end.seq == 0 ? 1 : 0;
	s->anchored = anchor.chain.seq;
	return 0;
}

static int
sink_open(struct audit *a, enum audit_sink_kind kind, const struct audit_options *o,
    struct error *err)
{
	struct audit_sink *s = error_alloc(sizeof(*s), err);
	sqlite3 *db;
	int64_t noted;
	int rc;

	if (s == NULL)
		return -1;
	a->sinks[kind] = s;
	s->a = a;
	s->kind = kind;
	s->required = o->required[kind];
	s->rotate_bytes = o->rotate_bytes;
	s->keep = o->keep;
	s->file.fd = -1;
	s->anchored_ms = audit_now();
	audit_syslog_init(&s->syslog, AUDIT_SYSLOG_SOCKET, &a->stop);
	buf_init(&s->lines, BUF_MAX_FILE);
	if ((kind == AUDIT_FILE && audit_log_file_open(&s->file, a->file, &a->stop, err) == -1) ||
	    (kind == AUDIT_SYSLOG && audit_syslog_ready(&s->syslog, err) == -1))
		return -1;
	if (is_file(s))
		return file_goes_on(s, err);
	if ((db = database_reader(a->db, err)) == NULL)
		return -1;
	rc = database_meta(db, kinds[kind], (int64_t)a->chain.seq, &noted, database_path(a->db),
	    err);
	(void)sqlite3_close(db);
	s->position = s->durable = (uint64_t)noted;
	return rc;
}

int
audit_sinks_open(struct audit *a, const struct audit_options *o, struct error *err)
{
	if (o->file == NULL && !o->to_stdout && !o->to_syslog)
		return 0;
	return (o->file != NULL && sink_open(a, AUDIT_FILE, o, err) == -1) ||
	    (o->to_stdout && sink_open(a, AUDIT_STDOUT, o, err) == -1) ||
	    (o->to_syslog && sink_open(a, AUDIT_SYSLOG, o, err) == -1) ? -1 : 0;
}

int
audit_sinks_start(struct audit *a, struct error *err)
{
	for (int i = 0; i < AUDIT_SINKS; i++) {
		if (a->sinks[i] == NULL)
			continue;
		if (pthread_create(&a->sinks[i]->thread, NULL, sink_run, a->sinks[i]) != 0)
			return error_set(err, ERROR_MEMORY, "cannot start a thread");
		a->sinks[i]->started = true;
	}
	return 0;
}

/* Do all that were started say that they have ended, at that time at the latest?
 * The lock is held. */
static bool
await_sinks(struct audit *a)
{
	uint64_t until = audit_now() + a->deadline_ms;
	bool done = false;

	while (!done) {
		done = true;
		for (int i = 0; i < AUDIT_SINKS; i++)
			done = done && (a->sinks[i] == NULL || !a->sinks[i]->started ||
			    a->sinks[i]->done);
		if (!done && audit_now() >= until)
			return false;
		if (!done)
			audit_wait_until(a, &a->ended, until);
	}
	return true;
}

bool
audit_sinks_end(struct audit *a)
{
	bool done;

	pthread_mutex_lock(&a->lock);
	a->closing = true;
	pthread_cond_broadcast(&a->news);
	done = await_sinks(a);
	if (!done) {
		atomic_store(&a->stop, true);
		pthread_cond_broadcast(&a->news);
		done = await_sinks(a);
	}
	pthread_mutex_unlock(&a->lock);
	for (int i = 0; i < AUDIT_SINKS; i++) {
		struct audit_sink *s = a->sinks[i];

		if (s == NULL || !s->started)
			continue;
		if (s->done)
			pthread_join(s->thread, NULL);
		else
			pthread_detach(s->thread);
		s->started = false;
	}
	if (done)
		(void)audit_sinks_note(a, NULL);
	return done;
}

void
audit_sinks_free(struct audit *a)
{
	for (int i = 0; i < AUDIT_SINKS; i++) {
		struct audit_sink *s = a->sinks[i];

		if (s == NULL)
			continue;
		audit_log_file_release(&s->file);
		audit_syslog_release(&s->syslog);
		buf_release(&s->lines);
		free(s);
	}
}
