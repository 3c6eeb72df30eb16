/*
 * A server with handlers made for tests of the HTTP layer alone: it prints its
 * address, serves until SIGTERM, reads its certificate again on SIGHUP.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/http/http.h"

#define JOBS_MAX 4096

static struct http_server *server;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static struct http_request *jobs[JOBS_MAX];
static size_t job_count;
static unsigned dropped;	/* replies made for clients that had gone */

static void
answer(struct http_request *r, int status, const char *text)
{
	struct buf body;

	buf_init(&body, 1U << 16);
	buf_append_str(&body, text);
	http_set_header(r, "Content-Type", "text/plain");
	http_reply(r, status, &body);
	buf_release(&body);
}

/* --- answers from other threads --- */

static void
answer_posted(void *arg)
{
	struct http_request *r = arg;

	if (http_gone(r))
		__atomic_add_fetch(&dropped, 1, __ATOMIC_RELAXED);
	answer(r, 200, http_path(r));
}

static void *
work(void *arg)
{
	struct http_request *mine[JOBS_MAX];
	size_t n, i;

	(void)arg;
	for (;;) {
		pthread_mutex_lock(&lock);
		while (job_count == 0)
			pthread_cond_wait(&filled, &lock);
		n = job_count;
		memcpy(mine, jobs, n * sizeof(mine[0]));
		job_count = 0;
		pthread_mutex_unlock(&lock);
		for (i = 0; i < n; i++)
			http_post(mine[i], answer_posted, mine[i]);
	}
	return NULL;
}

static void
give_to_worker(struct http_request *r)
{
	pthread_mutex_lock(&lock);
	if (job_count == JOBS_MAX)
		abort();
	jobs[job_count++] = r;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&lock);
}

static unsigned
number(struct http_request *r, const char *name)
{
	struct buf text;
	unsigned n = 0;

	buf_init(&text, 64);
	if (target_query(http_query(r), name, &text) == 1)
		n = (unsigned)strtoul(buf_cstr(&text), NULL, 10);
	buf_release(&text);
	return n;
}

struct slow {
	struct http_request *r;
	unsigned ms;
};

static void *
sleep_and_post(void *arg)
{
	struct slow *s = arg;
	struct timespec ts = { s->ms / 1000, (long)(s->ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
	http_post(s->r, answer_posted, s->r);
	free(s);
	return NULL;
}

static void
answer_slowly(struct http_request *r)
{
	struct slow *s = malloc(sizeof(*s));
	pthread_t id;

	if (s == NULL)
		abort();
	s->r = r;
	s->ms = number(r, "ms");
	if (pthread_create(&id, NULL, sleep_and_post, s) != 0)
		abort();
	pthread_detach(id);
}

/* --- many posts: do they come in their order? --- */

struct order {
	struct http_request *r;
	unsigned total, seen;
	bool wrong;
};

struct step {
	struct order *order;
	unsigned n;
};

static void
take_step(void *arg)
{
	struct step *s = arg;
	struct order *o = s->order;

	if (s->n != o->seen)
		o->wrong = true;
	free(s);
	if (++o->seen < o->total)
		return;
	answer(o->r, 200, o->wrong ? "wrong" : "in order");
	free(o);
}

static void *
post_many(void *arg)
{
	struct order *o = arg;
	struct http_request *r = o->r;
	unsigned total = o->total;
	unsigned i;

	for (i = 0; i < total; i++) {
		struct step *s = malloc(sizeof(*s));

		if (s == NULL)
			abort();
		s->order = o;
		s->n = i;
		http_post(r, take_step, s);
	}
	return NULL;
}

static void
answer_many(struct http_request *r)
{
	struct order *o = calloc(1, sizeof(*o));
	pthread_t id;

	if (o == NULL)
		abort();
	o->r = r;
	o->total = number(r, "n");
	if (pthread_create(&id, NULL, post_many, o) != 0)
		abort();
	pthread_detach(id);
}

/* --- the rest --- */

static void
line(struct buf *out, const char *name, const char *value)
{
	buf_append_str(out, name);
	buf_append_char(out, '=');
	buf_append_str(out, value != NULL ? value : "-");
	buf_append_char(out, '\n');
}

static void
line_number(struct buf *out, const char *name, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	line(out, name, text);
}

/* All that the layer says of the request, and its body behind an empty line. */
static void
echo(struct http_request *r)
{
	struct buf out;
	struct buf *body = http_body(r);

	buf_init_secret(&out, 64U << 20);
	line(&out, "method", http_method_name(r));
	line_number(&out, "code", (uint64_t)http_method(r));
	line(&out, "path", http_path(r));
	line(&out, "query", http_query(r));
	line(&out, "host", http_header(r, "host"));
	line(&out, "x", http_header(r, "X-Test"));
	line_number(&out, "authorizations", http_header_count(r, "authorization"));
	line(&out, "peer", http_peer(r));
	line(&out, "tls", http_is_tls(r) ? "yes" : "no");
	line(&out, "cn", http_peer_cn(r));
	line(&out, "dn", http_peer_dn(r));
	line(&out, "san", http_peer_san(r));
	buf_append_char(&out, '\n');
	buf_append(&out, body->data, body->len);
	http_set_header(r, "Content-Type", "text/plain");
	http_set_header(r, "X-Bad", "a\r\nInjected: yes");
	http_reply(r, 200, &out);
	buf_release(&out);
}

static void
count(struct http_request *r)
{
	struct http_counts c;
	struct buf out;

	http_server_counts(__atomic_load_n(&server, __ATOMIC_ACQUIRE), &c);
	buf_init(&out, 4096);
	line_number(&out, "connections", c.connections);
	line_number(&out, "open", c.open);
	line_number(&out, "refused", c.refused);
	line_number(&out, "shed", c.shed);
	line_number(&out, "timed_out", c.timed_out);
	line_number(&out, "bad", c.bad);
	line_number(&out, "dropped", __atomic_load_n(&dropped, __ATOMIC_RELAXED));
	http_reply(r, 200, &out);
	buf_release(&out);
}

static void
big(struct http_request *r)
{
	struct buf out;
	unsigned n = number(r, "n");
	unsigned i;

	buf_init_secret(&out, 256U << 20);
	for (i = 0; i < n; i++)
		buf_append_char(&out, (char)('a' + i % 26));
	http_reply(r, 200, &out);
	buf_release(&out);
}

static void
handle(struct http_request *r, void *cookie)
{
	const char *path = http_path(r);
	unsigned status = number(r, "status");

	(void)cookie;
	if (strcmp(path, "/hello") == 0)
		answer(r, 200, "hello\n");
	else if (strncmp(path, "/post", 5) == 0)
		give_to_worker(r);
	else if (strncmp(path, "/slow", 5) == 0)
		answer_slowly(r);
	else if (strcmp(path, "/later") == 0)
		http_later(r, number(r, "ms"), answer_posted, r);
	else if (strcmp(path, "/idle") == 0 && http_when_idle(r, answer_posted, r))
		return;
	else if (strcmp(path, "/many") == 0)
		answer_many(r);
	else if (strcmp(path, "/big") == 0)
		big(r);
	else if (strcmp(path, "/counts") == 0)
		count(r);
	else if (strcmp(path, "/status") == 0)
		answer(r, (int)status, "text");
	else if (strcmp(path, "/back") == 0)
		http_reply(r, 200, http_body(r));
	else
		echo(r);
}

static void
refuse(int status, struct buf *body, void *cookie)
{
	(void)cookie;
	buf_printf(body, "{\"error_code\":%d}", status);
}

static int
expect(struct http_request *r, void *cookie)
{
	(void)cookie;
	if (http_header(r, "Authorization") != NULL)
		return 0;
	http_set_header(r, "WWW-Authenticate", "Basic realm=\"test\"");
	return 401;
}

static int
usage(void)
{
	fputs("usage: http_server [-l ADDR:PORT] [-t THREADS] [-m CONNECTIONS] [-A PER_ADDRESS]\n"
	    "    [-H HALF_OPEN] [-r REQUEST_MS] [-i IDLE_MS] [-d DRAIN_MS] [-b BODY_MAX] [-c CERT] [-k KEY] [-a CA] [-R] [-p]\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct http_options o = {
		.listen = "127.0.0.1:0", .threads = 2, .max_connections = 2000,
		.request_timeout_ms = 10000, .idle_timeout_ms = 60000, .drain_timeout_ms = 5000,
		.body_max = 1U << 20, .handle = handle, .refuse = refuse, .expect = expect
	};
	struct http_server *s;
	struct error err;
	sigset_t signals;
	pthread_t worker;
	int opt, sig;

	while ((opt = getopt(argc, argv, "l:t:m:A:H:r:i:d:b:c:k:a:Rp")) != -1) {
		unsigned n = optarg != NULL ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		switch (opt) {
		case 'l': o.listen = optarg; break;
		case 't': o.threads = n; break;
		case 'm': o.max_connections = n; break;
		case 'A': o.max_per_address = n; break;
		case 'H': o.max_half_open = n; break;
		case 'r': o.request_timeout_ms = n; break;
		case 'i': o.idle_timeout_ms = n; break;
		case 'd': o.drain_timeout_ms = n; break;
		case 'b': o.body_max = n; break;
		case 'c': o.certificate = optarg; break;
		case 'k': o.key = optarg; break;
		case 'a': o.client_ca = optarg; break;
		case 'R': o.client_required = true; break;
		case 'p': o.insecure_allowed = true; break;
		default: return usage();
		}
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	s = http_server_new(&o, &err);
	if (s == NULL) {
		fprintf(stderr, "%s: %s\n", error_code_name(err.code), err.text);
		return 1;
	}
	/* Requests may be there already. */
	__atomic_store_n(&server, s, __ATOMIC_RELEASE);
	if (pthread_create(&worker, NULL, work, NULL) != 0)
		return 1;
	pthread_detach(worker);
	printf("%s\n", http_server_address(s));
	fflush(stdout);
	while (sigwait(&signals, &sig) == 0 && sig == SIGHUP) {
		if (http_server_reload(s, &o, &err) == -1)
			printf("reload: %s\n", error_code_name(err.code));
		else
			printf("reload: done\n");
		fflush(stdout);
	}
	http_server_stop(s);
	http_server_free(s);
	puts("stopped");
	return 0;
}
