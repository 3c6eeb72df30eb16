#ifndef SUPPORT_AUDIT_SUPPORT_H
#define SUPPORT_AUDIT_SUPPORT_H

/* For tests of the audit log: each runs in an empty folder, on FILE there. */

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>
#include "base/error.h"
#include "crypto/key.h"
#include "registry/audit/audit.h"
#include "files.h"
#include "unit.h"

#define FILE_NAME "audit.log"
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
	return (struct audit_options){ .file = FILE_NAME, .deadline_ms = PATIENT_MS,
	    .authority = "mds", .cluster = "lkc-1", .connect = "cc" };
}

UNIT_HELPER struct audit *
audit_start(const struct audit_options *given)
{
	struct audit_options o = given != NULL ? *given : audit_defaults();
	struct error err = { 0 };
	struct audit *a = audit_open(&o, audit_key, &err);

	if (a == NULL)
		fail_msg("%s: %s", err.file, err.text);
	return a;
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
