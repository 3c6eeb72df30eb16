#include <sys/eventfd.h>
#include <sys/stat.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/interface.h"
#include "cli/keys.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "client/client.h"
#include "common/args.h"
#include "common/report.h"
#include "ui/findings.h"
#include "ui/options.h"
#include "ui/registry.h"

#define TIMEOUT_MS 10000	/* a person waits */

/* An answer that waits to be taken. */
struct ready {
	struct ready *next;
	struct registry_answer *answer;
};

struct worker {
	const struct place *place;
	int fd;
	struct buf header;		/* secret */

	/* Only the thread uses these. */
	struct remote remote;
	bool open;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;		/* by the monotonic clock */
	struct job *jobs;		/* queued */
	struct ready *answers;
	unsigned long busy;		/* the job under way, 0: none is */
	bool delaying;			/* it only waits for its time */
	bool dropped;			/* nobody wants it */
	bool end;
	bool left;			/* nobody joins the thread: it frees all */
};

static atomic_int workers_left;	/* alone, see worker_end */

static void
worker_free(struct worker *w)
{
	struct ready *a;
	struct job *j;

	while ((j = w->jobs) != NULL) {
		w->jobs = j->next;
		job_free(j);
	}
	while ((a = w->answers) != NULL) {
		w->answers = a->next;
		registry_answer_free(a->answer);
		free(a);
	}
	buf_release(&w->header);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* The Authorization header: the one that was given, else that of the files. */
static int
worker_read_header(const struct worker *w, struct buf *out, struct error *err)
{
	const struct login *l = &w->place->login;

	if (w->header.len > 0)
		buf_append(out, w->header.data, w->header.len);
	else if (l->token_file != NULL)
		return login_by_token(l->token_file, out, err);
	else if (l->user != NULL && l->password_file != NULL)
		return login_by_password_file(l->user, l->password_file, out, err);
	return buf_check(out, err);
}

static int
worker_open(struct worker *w, struct error *err)
{
	struct buf header;
	int rc;

	if (w->open)
		return 0;
	buf_init_secret(&header, LOGIN_HEADER_MAX);
	rc = worker_read_header(w, &header, err);
	if (rc == 0 && (rc = remote_open_at(&w->remote, &w->place->client, &header, err)) != 0)
		remote_close(&w->remote);
	buf_release(&header);
	w->open = rc == 0;
	return rc;
}

static void
worker_close(struct worker *w)
{
	if (w->open)
		remote_close(&w->remote);
	w->open = false;
}

static void
worker_run(struct worker *w, const struct job *j, struct registry_answer *out)
{
	if (worker_open(w, &out->err) != 0) {
		out->rc = -1;
		return;
	}
	job_run(j, &w->remote, out);
	/* What a connection has kept of a value goes with it. */
	if (job_is_secret(j) || out->status == 0)
		worker_close(w);
}

/* Under the lock: wait for the job's time, or until there is something else to do. */
static void
worker_delay(struct worker *w, const struct job *j)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(j->delay_ms % 1000) * 1000000L;
	until.tv_sec += (time_t)(j->delay_ms / 1000) + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	w->delaying = true;
	while (!w->end && !w->dropped && w->jobs == NULL &&
	    pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
	w->delaying = false;
}

/* Under the lock: let the interface have the answer. */
static void
worker_post(struct worker *w, struct registry_answer *answer)
{
	struct ready *a = malloc(sizeof(*a));
	struct ready **end = &w->answers;
	uint64_t one = 1;

	if (a == NULL || answer == NULL) {
		free(a);
		registry_answer_free(answer);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*a = (struct ready){ .next = NULL, .answer = answer };
	*end = a;
	if (write(w->fd, &one, sizeof(one)) < 0) {
		/* Only when the counter is full: then it is readable anyway. */
	}
}

/* Under the lock: one job from the queue. */
static void
worker_work(struct worker *w)
{
	struct job *j = w->jobs;
	struct registry_answer *answer;

	w->jobs = j->next;
	w->busy = j->id;
	w->dropped = false;
	if (j->delay_ms > 0)
		worker_delay(w, j);
	if (!w->end && !w->dropped) {
		pthread_mutex_unlock(&w->lock);
		answer = registry_answer_new(j->id, j->kind);
		if (answer != NULL)
			worker_run(w, j, answer);
		pthread_mutex_lock(&w->lock);
		if (w->end || w->dropped)
			registry_answer_free(answer);
		else
			worker_post(w, answer);
	}
	w->busy = 0;
	job_free(j);
}

static void *
worker_thread_main(void *cookie)
{
	struct worker *w = cookie;
	bool alone;

	pthread_mutex_lock(&w->lock);
	while (!w->end) {
		if (w->jobs != NULL)
			worker_work(w);
		else
			pthread_cond_wait(&w->wake, &w->lock);
	}
	alone = w->left;
	pthread_mutex_unlock(&w->lock);
	worker_close(w);
	if (alone) {
		worker_free(w);
		atomic_fetch_sub(&workers_left, 1);
	}
	return NULL;
}

/* Signals are for the interface's thread. */
static int
worker_start(struct worker *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, worker_thread_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? 0 : -1;
}

/* Start one.  ${header}: the Authorization header (copied); empty: as the
 * place's files say.  ${fd}: an eventfd that is written for each answer. */
static struct worker *
worker_new(const struct place *p, const struct buf *header, int fd, struct error *err)
{
	struct worker *w = error_alloc(sizeof(*w), err);
	pthread_condattr_t clock;

	if (w == NULL)
		return NULL;
	w->place = p;
	w->fd = fd;
	buf_init_secret(&w->header, LOGIN_HEADER_MAX);
	buf_append(&w->header, header->data, header->len);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &clock);
	pthread_condattr_destroy(&clock);
	if (buf_check(&w->header, err) == 0) {
		if (worker_start(w) == 0)
			return w;
		error_set(err, ERROR_MEMORY, "no thread can be started");
	}
	worker_free(w);
	return NULL;
}

/* End it.  One that is in the middle of a request is left alone to end later;
 * its answer is dropped.  NULL is fine. */
static void
worker_end(struct worker *w)
{
	pthread_t thread;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	thread = w->thread;
	w->end = true;
	w->left = w->busy != 0 && !w->delaying;
	if (w->left) {
		atomic_fetch_add(&workers_left, 1);
		pthread_detach(thread);
		pthread_mutex_unlock(&w->lock);
		return;
	}
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(thread, NULL);
	worker_free(w);
}

/* How many are left alone so. */
static int
worker_left(void)
{
	return atomic_load(&workers_left);
}

static int
worker_add(struct worker *w, unsigned long id, const struct registry_request *r, struct error *err)
{
	struct job *j = job_new(id, r, err);
	struct job **end;

	if (j == NULL)
		return -1;
	pthread_mutex_lock(&w->lock);
	for (end = &w->jobs; *end != NULL; end = &(*end)->next)
		;
	*end = j;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* The next answer, NULL for none: then the eventfd is empty too. */
static struct registry_answer *
worker_take(struct worker *w)
{
	struct registry_answer *answer = NULL;
	struct ready *a;
	uint64_t count;

	pthread_mutex_lock(&w->lock);
	a = w->answers;
	if (a != NULL) {
		w->answers = a->next;
		answer = a->answer;
		free(a);
	} else if (read(w->fd, &count, sizeof(count)) < 0) {
		/* It was empty already. */
	}
	pthread_mutex_unlock(&w->lock);
	return answer;
}

/* Under the lock: drop what waits to be done or taken. */
static bool
worker_drop_waiting(struct worker *w, unsigned long id)
{
	struct ready **a, *answer;
	struct job **j, *job;

	for (j = &w->jobs; (job = *j) != NULL; j = &job->next) {
		if (job->id == id) {
			*j = job->next;
			job_free(job);
			return true;
		}
	}
	for (a = &w->answers; (answer = *a) != NULL; a = &answer->next) {
		if (answer->answer->id == id) {
			*a = answer->next;
			registry_answer_free(answer->answer);
			free(answer);
			return true;
		}
	}
	return false;
}

/* Drop a request.  False: it is under way, and only worker_end gets rid of it. */
static bool
worker_drop(struct worker *w, unsigned long id)
{
	bool gone;

	pthread_mutex_lock(&w->lock);
	gone = worker_drop_waiting(w, id) || w->busy != id;
	if (!gone && w->delaying) {
		w->dropped = true;
		pthread_cond_signal(&w->wake);
		gone = true;
	}
	pthread_mutex_unlock(&w->lock);
	return gone;
}

/*
 * The registry as the interface asks it (ui/registry.h): a thread does
 * one request at a time by the blocking client, and tells the interface's
 * loop by an eventfd.
 */

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
interface_registry_submit(void *cookie, const struct registry_request *req, struct error *err)
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
interface_registry_take(void *cookie)
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
interface_registry_authorize(void *cookie, const char *user, const struct buf *password,
    struct error *err)
{
	struct interface_registry *r = cookie;

	end_worker(r);
	buf_clear(&r->header);
	return login_by_password(user, password, &r->header, err);
}

static void
interface_registry_forget(void *cookie)
{
	struct interface_registry *r = cookie;

	end_worker(r);
	buf_release(&r->header);
}

static void
interface_registry_describe(struct interface_registry *r)
{
	const struct login *l = &r->place.login;

	r->source = (struct registry_source){
		.cookie = r,
		.url = r->place.client.url,
		.user = l->token_file == NULL ? l->user : NULL,
		.asks_password = l->token_file == NULL && l->user != NULL &&
		    l->password_file == NULL,
		.fd = r->fd,
		.submit = interface_registry_submit,
		.take = interface_registry_take,
		.cancel = cancel,
		.authorize = interface_registry_authorize,
		.forget = interface_registry_forget,
	};
}

/**
 * interface_registry_open(o, r, err):
 * The registry that the flags or the environment name; ${*r} is NULL when they
 * name none.  Nothing is asked yet.  Call it before OpenSSL is used.
 */
static int
interface_registry_open(const struct options *o, struct interface_registry **out, struct error *err)
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
	interface_registry_describe(r);
	*out = r;
	return 0;
}

static const struct registry_source *
interface_registry_source(const struct interface_registry *r)
{
	return r != NULL ? &r->source : NULL;
}

/* NULL is fine.  False: a request still is under way, so that the program must
 * end without tidying up (_exit). */
static bool
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

static int
interface_check_paths(const struct options *o, struct error *err)
{
	struct stat st;
	size_t i;

	for (i = 0; i < o->arg_count; i++) {
		if (stat(o->args[i], &st) == 0)
			continue;
		if (errno != ENOENT)
			return error_io(err, o->args[i], "cannot open");
		error_set(err, ERROR_MISSING, "no such file or folder");
		return error_place(err, o->args[i], 0);
	}
	return 0;
}

static struct key_ring *
interface_keys(void *cookie, struct error *err)
{
	return keys_ring(cookie, false, err);
}

/* By flag or setting; without colours by NO_COLOR and --color, which the flag overrules.
 * ${*follows}: it is as the terminal is. */
static enum theme
interface_theme(const struct options *o, bool *follows)
{
	const char *color = o->text[FLAG_COLOR], *name = o->text[FLAG_THEME];
	enum theme t = name != NULL ? theme_find(name) : THEME_DEFAULT;

	if (!o->given[FLAG_THEME] && color != NULL && strcmp(color, "never") == 0)
		return THEME_MONOCHROME;
	*follows = name != NULL && strcmp(name, THEME_AUTO) == 0;
	return t == THEME_COUNT ? THEME_DEFAULT : t;
}

void
interface_look(const struct options *o, struct ui_options *ui)
{
	*ui = (struct ui_options){
		.policy = keys_policy(o),
		.reveal_ms = 1000 * o->seconds[FLAG_REVEAL_TIME],
		.copy_ms = 1000 * o->seconds[FLAG_COPY_TIME],
		.lock_ms = 1000 * o->seconds[FLAG_LOCK_TIME],
		.lock_timeout_ms = options_lock_timeout(o),
		.read_only = o->on[FLAG_READ_ONLY],
		.read_aloud = o->on[FLAG_SCREEN_READER],
		.looks = config_looks(o->config),
		.bindings = config_bindings(o->config),
	};
	ui->theme = interface_theme(o, &ui->theme_auto);
}

int
commands_interface(const struct options *o)
{
	struct interface_registry *registry;
	struct findings_source findings;
	struct ui_leave leave = { .for_tutor = true };
	struct error err;
	struct ui_options ui;
	int status;

	interface_look(o, &ui);
	ui.paths = o->args;
	ui.path_count = o->arg_count;
	ui.secrets_file = o->text[FLAG_LOCAL_SECRETS_FILE];
	ui.environments = config_sections(o->config);
	ui.remote_path = o->text[FLAG_REMOTE_SECRETS_FILE];
	ui.keys = interface_keys;
	ui.keys_cookie = (void *)(uintptr_t)o;
	ui.scope = config_scope(o->config);
	ui.rules = config_rules(o->config);
	ui.trail = config_trail(o->config);
	ui.provider_class = config_provider_class(o->config);
	ui.leave = &leave;
	if (interface_registry_open(o, &registry, &err) != 0)
		return report_error(&err);
	ui.registry = interface_registry_source(registry);
	interface_findings(o, &findings);
	ui.findings = &findings;
	status = interface_check_paths(o, &err) != 0 ? report_error(&err) : 0;
	while (status == 0 && leave.for_tutor) {
		leave.for_tutor = false;
		status = ui_run(&ui);
		if (status == 0 && leave.for_tutor)
			status = commands_tutor_screen(o, NULL);
	}
	if (!interface_registry_close(registry))
		_exit(status);
	return status;
}
