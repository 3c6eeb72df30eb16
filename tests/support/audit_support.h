#ifndef SUPPORT_AUDIT_SUPPORT_H
#define SUPPORT_AUDIT_SUPPORT_H

/* For tests of the audit log: each runs in an empty folder, on FILE and a database
 * there, with a thread in the place of the store's writer. */

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include "base/error.h"
#include "crypto/key.h"
#include "registry/audit/audit.h"
#include "registry/database/database.h"
#include "files.h"
#include "unit.h"

#define FILE_NAME "audit.log"
#define AUDIT_DB "registry.db"
#define PATIENT_MS 60000U	/* longer than anything here takes */

static struct key *audit_key;

UNIT_HELPER struct key *
audit_new_key(void)
{
	unsigned char bytes[32];

	memset(bytes, 7, sizeof(bytes));
	return key_from_bytes(bytes, sizeof(bytes), NULL);
}

UNIT_HELPER int
audit_setup(void **state)
{
	audit_key = audit_new_key();
	return audit_key == NULL ? -1 : files_setup(state);
}

UNIT_HELPER int
audit_teardown(void **state)
{
	key_free(audit_key);
	audit_key = NULL;
	return files_teardown(state);
}

UNIT_HELPER struct audit_options
audit_defaults(void)
{
	/* What is acknowledged is in the file, where tests look. */
	return (struct audit_options){ .file = FILE_NAME, .required = { [AUDIT_FILE] = true },
	    .deadline_ms = PATIENT_MS,
	    .authority = "mds", .cluster = "lkc-1", .connect = "cc" };
}

static struct {
	pthread_mutex_t lock, commit;
	pthread_cond_t change;
	pthread_t thread;
	struct database *db;
	struct audit *audit;
	bool woken, stop;
	bool hang;		/* a commit does not return */
	bool hanging;		/* one is there */
	atomic_bool fail;	/* commits fail */
} audit_writer = { .lock = PTHREAD_MUTEX_INITIALIZER, .commit = PTHREAD_MUTEX_INITIALIZER,
    .change = PTHREAD_COND_INITIALIZER };

UNIT_HELPER void
audit_woken(void *cookie)
{
	(void)cookie;
	pthread_mutex_lock(&audit_writer.lock);
	audit_writer.woken = true;
	pthread_cond_broadcast(&audit_writer.change);
	pthread_mutex_unlock(&audit_writer.lock);
}

UNIT_HELPER void
audit_commit_once(void)
{
	struct error err = { 0 };
	bool good;

	pthread_mutex_lock(&audit_writer.commit);
	good = database_begin(audit_writer.db, &err) == 0;
	if (good && (audit_write(audit_writer.audit, &err) == -1 ||
	    atomic_load(&audit_writer.fail))) {
		database_rollback(audit_writer.db);
		good = false;
	}
	pthread_mutex_lock(&audit_writer.lock);
	audit_writer.hanging = audit_writer.hang;
	pthread_cond_broadcast(&audit_writer.change);
	while (audit_writer.hang)
		pthread_cond_wait(&audit_writer.change, &audit_writer.lock);
	pthread_mutex_unlock(&audit_writer.lock);
	if (good && database_commit(audit_writer.db, &err) == -1)
		good = false;
	audit_written(audit_writer.audit, good);
	pthread_mutex_unlock(&audit_writer.commit);
}

UNIT_HELPER void *
audit_writer_main(void *cookie)
{
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&audit_writer.lock);
		while (!audit_writer.woken && !audit_writer.stop)
			pthread_cond_wait(&audit_writer.change, &audit_writer.lock);
		audit_writer.woken = false;
		stop = audit_writer.stop;
		pthread_mutex_unlock(&audit_writer.lock);
		if (audit_waiting(audit_writer.audit) > 0)
			audit_commit_once();
	}
	return cookie;
}

UNIT_HELPER void
audit_hang(bool hang)
{
	pthread_mutex_lock(&audit_writer.lock);
	audit_writer.hang = hang;
	audit_writer.hanging = false;
	pthread_cond_broadcast(&audit_writer.change);
	pthread_mutex_unlock(&audit_writer.lock);
}

UNIT_HELPER void
audit_await_hanging(void)
{
	pthread_mutex_lock(&audit_writer.lock);
	while (!audit_writer.hanging)
		pthread_cond_wait(&audit_writer.change, &audit_writer.lock);
	pthread_mutex_unlock(&audit_writer.lock);
}

/* NULL with ${err}: as audit_open. */
UNIT_HELPER struct audit *
audit_try(const struct audit_options *given, const struct key *k, struct error *err)
{
	struct audit_options o = *given;

	audit_writer.woken = audit_writer.stop = audit_writer.hang = false;
	atomic_store(&audit_writer.fail, false);
	o.wake = audit_woken;
	if ((o.db = audit_writer.db = database_open(AUDIT_DB, err)) == NULL)
		return NULL;
	if ((audit_writer.audit = audit_open(&o, k, err)) == NULL) {
		database_close(o.db);
		return NULL;
	}
	pthread_create(&audit_writer.thread, NULL, audit_writer_main, NULL);
	audit_woken(NULL);
	return audit_writer.audit;
}

UNIT_HELPER struct audit *
audit_start(const struct audit_options *given)
{
	struct audit_options o = given != NULL ? *given : audit_defaults();
	struct error err = { 0 };
	struct audit *a = audit_try(&o, audit_key, &err);

	if (a == NULL)
		fail_msg("%s: %s", err.file, err.text);
	return a;
}

/* false: it hangs, as audit_close. */
UNIT_HELPER bool
audit_end(struct audit *a)
{
	bool ended;

	audit_stop(a);
	pthread_mutex_lock(&audit_writer.lock);
	audit_writer.stop = true;
	pthread_cond_broadcast(&audit_writer.change);
	pthread_mutex_unlock(&audit_writer.lock);
	pthread_join(audit_writer.thread, NULL);
	ended = audit_close(a);
	if (ended)
		database_close(audit_writer.db);
	return ended;
}

UNIT_HELPER void
audit_assert_refused(const struct audit_options *o, const struct key *k, enum error_code code,
    struct error *err)
{
	assert_null(audit_try(o, k, err));
	if (err->code != code)
		fail_msg("%d instead of %d: %s", err->code, code, err->text);
}

/* While none is running: run a statement on the database. */
UNIT_HELPER void
audit_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(AUDIT_DB, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A wait that a thread can wait for. */
struct waiting {
	struct audit_wait wait;
	pthread_mutex_t lock;
	pthread_cond_t told;
	int times;
};

UNIT_HELPER void
waiting_done(struct audit_wait *w)
{
	struct waiting *v = w->cookie;

	pthread_mutex_lock(&v->lock);
	v->times++;
	pthread_cond_signal(&v->told);
	pthread_mutex_unlock(&v->lock);
}

UNIT_HELPER void
waiting_init(struct waiting *v)
{
	memset(v, 0, sizeof(*v));
	v->wait.done = waiting_done;
	v->wait.cookie = v;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->told, NULL);
}

/* How it ended: 0 durable. */
UNIT_HELPER int
waiting_end(struct waiting *v)
{
	pthread_mutex_lock(&v->lock);
	while (v->times == 0)
		pthread_cond_wait(&v->told, &v->lock);
	pthread_mutex_unlock(&v->lock);
	assert_int_equal(v->times, 1);
	return v->wait.failed;
}

/* Hand in and wait: the seq, 0 when it failed. */
UNIT_HELPER uint64_t
audit_say(struct audit *a, const struct audit_event *e, size_t n)
{
	struct waiting v;

	waiting_init(&v);
	audit_submit(a, e, n, &v.wait);
	return waiting_end(&v) == 0 ? v.wait.seq : 0;
}

UNIT_HELPER struct audit_event
audit_read_event(enum audit_phase phase)
{
	return (struct audit_event){
		.phase = phase, .method = "GetSecretLatest", .principal = "User:ann",
		.mechanism = "BASIC", .authorization = phase == AUDIT_INTENT, .granted = true,
		.operation = "SecretRead", .role = "DeveloperRead", .pattern = "LITERAL",
		.path = "conn-a", .path_len = 6, .key = "password", .key_len = 8,
		.request_id = "req-1", .client = "127.0.0.1",
		.status = phase == AUDIT_INTENT ? 0 : 200,
	};
}

UNIT_HELPER struct audit_event
audit_change_event(enum audit_phase phase)
{
	struct audit_event e = audit_read_event(phase);

	e.method = "CreateSecretVersion";
	e.operation = "SecretWrite";
	return e;
}

/* One pair as for a read; the intent's seq, 0 when it failed. */
UNIT_HELPER uint64_t
audit_say_read(struct audit *a)
{
	struct audit_event pair[2] = { audit_read_event(AUDIT_INTENT),
	    audit_read_event(AUDIT_OUTCOME) };

	return audit_say(a, pair, 2);
}

/* The whole file and a NUL; free it. */
UNIT_HELPER char *
audit_text_of(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	text = malloc((size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
	text[st.st_size] = '\0';
	close(fd);
	if (n != NULL)
		*n = (size_t)st.st_size;
	return text;
}

UNIT_HELPER size_t
audit_count_lines(const char *path)
{
	char *text = audit_text_of(path, NULL);
	size_t n = 0;

	for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	free(text);
	return n;
}

/* How many lines of FILE have this text. */
UNIT_HELPER size_t
audit_count_with(const char *path, const char *what)
{
	char *text = audit_text_of(path, NULL), *save = NULL;
	size_t n = 0;

	for (char *l = strtok_r(text, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save))
		n += strstr(l, what) != NULL;
	free(text);
	return n;
}

/* Line ${i} of FILE as JSON. */
UNIT_HELPER json_t *
audit_line_json(const char *path, size_t i)
{
	char *text = audit_text_of(path, NULL), *p = text;
	json_t *o;

	for (; i > 0; i--) {
		p = strchr(p, '\n');
		assert_non_null(p);
		p++;
	}
	o = json_loadb(p, strcspn(p, "\n"), 0, NULL);
	if (o == NULL)
		fail_msg("not JSON: %.*s", (int)strcspn(p, "\n"), p);
	free(text);
	return o;
}

/* Is the chain whole, with that many lines (0: any)? */
UNIT_HELPER void
audit_assert_whole(uint64_t lines)
{
	struct error err = { 0 };
	uint64_t seen;

	if (audit_verify(FILE_NAME, audit_key, &seen, &err) != 0)
		fail_msg("%s:%zu: %s", err.file, err.line, err.text);
	if (lines != 0)
		assert_int_equal(seen, lines);
}

UNIT_HELPER void
audit_assert_broken(const char *file, size_t line)
{
	struct error err = { 0 };
	uint64_t seen;

	assert_int_equal(audit_verify(FILE_NAME, audit_key, &seen, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	if (strcmp(err.file, file) != 0 || err.line != line)
		fail_msg("%s:%zu instead of %s:%zu: %s", err.file, err.line, file, line, err.text);
}

/* Wait until it can be written (or not) again. */
UNIT_HELPER void
audit_await(struct audit *a, bool ready)
{
	for (int i = 0; (audit_unready(a) == NULL) != ready; i++) {
		if (i > (int)PATIENT_MS)
			fail_msg("still %s", ready ? audit_unready(a) : "ready");
		usleep(1000);
	}
}

#endif /* !SUPPORT_AUDIT_SUPPORT_H */
