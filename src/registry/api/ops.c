#include <sys/stat.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/audit/audit.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/keys/keyring.h"
#include "registry/database/database.h"
#include "registry/store/reader.h"
#include "registry/store/store.h"

/* The statuses that are counted one by one; 0, the last, is every other. */
static const int counters_statuses[] = {
	200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 429,
	500, 503, 504, 507, 0,
};
#define STATUSES (sizeof(counters_statuses) / sizeof(counters_statuses[0]))

/* Upper bounds of the buckets of the latency histogram, nanoseconds. */
static const uint64_t counters_bounds[] = {
	100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000,
	100000000, 250000000, 500000000, 1000000000, 5000000000,
};
#define BOUNDS (sizeof(counters_bounds) / sizeof(counters_bounds[0]))

#define METRICS_MAX ((size_t)1 << 20)
#define PREFIX "propseal_registry_"

#define TAIL_DEFAULT 100
#define TAIL_MAX 1000

typedef _Atomic uint64_t counter;

struct counters {
	counter buckets[BOUNDS + 1];	/* each alone; the last: above all bounds */
	counter undecryptable;
	counter logins_failed;
	struct {
		counter requests[STATUSES];
		counter ns;
	} rows[];			/* by endpoint; the last, route_count(): no such route */
};

/* What can be seen without a login: nothing about secrets. */

void
health_root(struct exchange *x)
{
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_text(out, "name", "propseal");
	json_out_text(out, "version", PROPSEAL_VERSION);
	json_out_end(out);
	answer_send(x, 200);
}

static const char *
role_name(enum log_role role)
{
	static const char *const names[] = { "", "follower", "claiming", "leader" };

	return names[role];
}

static void
answer_status(struct exchange *x, const char *status)
{
	struct json_out *out = answer_json(x);
	struct store_log_state l;

	store_log_state(request_store(x), &l);
	json_out_object(out, NULL);
	json_out_text(out, "status", status);
	if (l.role != LOG_LOCAL) {
		json_out_text(out, "role", role_name(l.role));
		json_out_bool(out, "writable", l.role == LOG_LEADER);
		json_out_text(out, "leader", l.leader);
	}
	json_out_end(out);
	answer_send(x, 200);
}

void
health_live(struct exchange *x)
{
	answer_status(x, "live");
}

/* Is this the node that load balancers send changes to? */
void
health_leader(struct exchange *x)
{
	struct store_log_state l;

	store_log_state(request_store(x), &l);
	if (l.role == LOG_LEADER || l.role == LOG_LOCAL)
		answer_status(x, "leader");
	else if (l.leader[0] == '\0' && l.denied != NULL)
		answer_fail(x, 503, 50302, "Not the leader: %s", l.denied);
	else
		answer_fail(x, 503, 50302, "Not the leader%s%s", l.leader[0] != '\0' ?
		    ": that is " : "", l.leader);
}

/* Why it does not read, or not change either; NULL: it does. */
static const char *
health_trouble(const struct exchange *x, const struct store_log_state *l, bool changes)
{
	const char *withheld;

	if (atomic_load(&x->api->draining))
		return "the service is about to end";
	if (store_unready(request_store(x)) != NULL)
		return "the store cannot be written";
	if (changes && l->stopped != NULL)
		return l->stopped;
	if (changes && l->wrong[0] != '\0')
		return l->wrong;
	if ((withheld = request_withheld(x)) != NULL)
		return withheld;
	if (!l->folded)
		return "the topic was not read to its end yet";
	return audit_unready(x->api->parts.audit) != NULL ? "the audit log cannot be written" :
	    NULL;
}

/* ${status}; or, if there is a reason ${why} it is not so, that it is ${lacks}. */
static void
health_answer(struct exchange *x, const char *status, const char *lacks, const char *why)
{
	if (why != NULL)
		answer_fail(x, 503, 50302, "%s: %s", lacks, why);
	else
		answer_status(x, status);
}

void
health_read(struct exchange *x)
{
	struct store_log_state l;

	store_log_state(request_store(x), &l);
	health_answer(x, "read", "No reads", health_trouble(x, &l, false));
}

/* Does it take changes, by itself or by the node that leads? */
void
health_write(struct exchange *x)
{
	struct store_log_state l;
	const char *why;

	store_log_state(request_store(x), &l);
	why = health_trouble(x, &l, true);
	if (why == NULL && l.role != LOG_LOCAL) {
		if (l.silence_ms > STORE_SILENCE_MS)
			why = "the brokers do not answer";
		else if (l.role != LOG_LEADER && l.leader[0] == '\0')
			why = "no node leads now";
		else if (l.role != LOG_LEADER && x->api->forwarder == NULL)
			why = "another node leads, and node.names is not set";
	}
	health_answer(x, "write", "No changes", why);
}

void
health_ready(struct exchange *x)
{
	struct store_log_state l;
	const char *why;
	struct error err;

	store_log_state(request_store(x), &l);
	why = health_trouble(x, &l, true);
	if (why == NULL && (auth_health(x->api->parts.auth, &err) != 0 ||
	    access_health(x->api->parts.access, &err) != 0))
		why = "the users, tokens or roles in force are not those of the files, which "
		    "cannot be read";
	health_answer(x, "ready", "Not ready", why);
}

/* A worker's list of plugins, of which a registry alone has none. */
void
health_plugins(struct exchange *x)
{
	json_out_array(answer_json(x), NULL);
	json_out_end(&x->json);
	answer_send(x, 200);
}

struct counters *
counters_new(struct error *err)
{
	struct counters *t = calloc(1, sizeof(*t) + (route_count() + 1) * sizeof(t->rows[0]));

	if (t == NULL)
		error_memory(err);
	return t;
}

void
counters_free(struct counters *t)
{
	free(t);
}

/* Only the owner adds, so a load and a store do: no locked instruction. */
static void
counters_add(counter *c, uint64_t n)
{
	uint64_t now = atomic_load_explicit(c, memory_order_relaxed);

	atomic_store_explicit(c, now + n, memory_order_relaxed);
}

void
counters_count(struct counters *t, const struct endpoint *e, int status, uint64_t ns)
{
	size_t row = e != NULL ? (size_t)(e - route_at(0)) : route_count();
	size_t i = 0;

	while (i < STATUSES - 1 && counters_statuses[i] != status)
		i++;
	counters_add(&t->rows[row].requests[i], 1);
	counters_add(&t->rows[row].ns, ns);
	for (i = 0; i < BOUNDS && ns > counters_bounds[i]; i++)
		continue;
	counters_add(&t->buckets[i], 1);
}

void
counters_undecryptable(struct counters *t)
{
	counters_add(&t->undecryptable, 1);
}

void
counters_login_failed(struct counters *t)
{
	counters_add(&t->logins_failed, 1);
}

/* One counter, which lies at the same place in each, of all event threads. */
static uint64_t
counters_sum(const struct api *a, const counter *of_first)
{
	size_t at = (size_t)((const char *)of_first - (const char *)a->threads[0].counters);
	uint64_t total = 0;

	for (unsigned t = 0; t < a->thread_count; t++)
		total += atomic_load_explicit((const counter *)
		    ((const char *)a->threads[t].counters + at), memory_order_relaxed);
	return total;
}

/* GET /metrics: Prometheus' text format, version 0.0.4. */

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void
one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_printf(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

static const char *
metrics_method_of(size_t i)
{
	return i < route_count() ? route_method_name(route_at(i)->method) : "";
}

static const char *
pattern_of(size_t i)
{
	return i < route_count() ? route_at(i)->pattern : "unknown";
}

static void
requests(struct buf *out, const struct api *a)
{
	const struct counters *c = a->threads[0].counters;

	head(out, "requests_total", "counter", "Requests answered, by method, route and status.");
	for (size_t i = 0; i <= route_count(); i++) {
		for (size_t j = 0; j < STATUSES; j++) {
			uint64_t n = counters_sum(a, &c->rows[i].requests[j]);

			if (n > 0)
				buf_printf(out, PREFIX "requests_total{method=\"%s\",route=\"%s\","
				    "status=\"%d\"} %" PRIu64 "\n", metrics_method_of(i),
				    pattern_of(i), counters_statuses[j], n);
		}
	}
	head(out, "request_seconds_total", "counter", "Time spent on requests, by method and "
	    "route.");
	for (size_t i = 0; i <= route_count(); i++) {
		uint64_t ns = counters_sum(a, &c->rows[i].ns);

		if (ns > 0)
			buf_printf(out, PREFIX "request_seconds_total{method=\"%s\",route=\"%s\"} "
			    "%.9f\n", metrics_method_of(i), pattern_of(i), (double)ns / 1e9);
	}
}

static void
latencies(struct buf *out, const struct api *a)
{
	const struct counters *c = a->threads[0].counters;
	uint64_t count = 0, ns = 0;

	head(out, "request_duration_seconds", "histogram", "Time from a request to its answer.");
	for (size_t i = 0; i < BOUNDS; i++) {
		count += counters_sum(a, &c->buckets[i]);
		buf_printf(out, PREFIX "request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
		    (double)counters_bounds[i] / 1e9, count);
	}
	count += counters_sum(a, &c->buckets[BOUNDS]);
	for (size_t i = 0; i <= route_count(); i++)
		ns += counters_sum(a, &c->rows[i].ns);
	buf_printf(out, PREFIX "request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	    PREFIX "request_duration_seconds_sum %.9f\n"
	    PREFIX "request_duration_seconds_count %" PRIu64 "\n", count, (double)ns / 1e9, count);
}

/* What goes through everything is counted on the worker's thread. */
struct counted {
	struct error err;
	int result;
	struct store_counts counts;
	uint64_t offset;
};

static void
store_metrics(struct buf *out, struct exchange *x)
{
	const struct counted *counted = x->work;
	struct store_counts c = counted->counts;
	struct rotation_state rotation;

	one(out, "paths", "gauge", "Paths with a live secret.", c.paths);
	one(out, "keys", "gauge", "Keys with a live version.", c.keys);
	one(out, "versions", "gauge", "Live versions.", c.versions);
	one(out, "deleted_versions", "gauge", "Deleted versions that can be undeleted.", c.deleted);
	one(out, "quarantined_records", "gauge", "Records of the first edition that made no sense.",
	    c.quarantined);
	one(out, "unknown_records", "gauge", "Records of the first edition not known here.",
	    c.unknown);
	one(out, "sealed_bytes", "gauge", "Bytes of sealed values.", c.bytes);
	one(out, "offset", "gauge", "The offset of the next change.", counted->offset);
	one(out, "store_writable", "gauge", "1 if the store can be written.",
	    store_unready(request_store(x)) == NULL);
	store_rotation(request_store(x), &rotation);
	one(out, "rotation_running", "gauge", "1 while records are sealed again.",
	    rotation.running);
	one(out, "rotation_done_records", "gauge", "Records sealed again so far.", rotation.done);
	one(out, "rotation_total_records", "gauge", "Records to be sealed again.", rotation.total);
	one(out, "rotation_failed", "gauge", "1 if the last rotation failed.",
	    rotation.failure[0] != '\0');
}

static void
log_metrics(struct buf *out, struct exchange *x)
{
	struct store_log_state l;
	uint64_t answered, failed;

	store_log_state(request_store(x), &l);
	if (l.role == LOG_LOCAL)
		return;
	head(out, "log_role", "gauge", "1 for the role of this node.");
	for (int i = LOG_FOLLOWER; i <= LOG_LEADER; i++)
		buf_printf(out, PREFIX "log_role{role=\"%s\"} %d\n", role_name((enum log_role)i),
		    l.role == (enum log_role)i);
	one(out, "log_stopped", "gauge", "1 if the topic is not gone on with.", l.stopped != NULL);
	one(out, "log_position", "gauge", "Everything in the topic before this offset is in the "
	    "tables.", (uint64_t)l.position);
	one(out, "log_revision", "gauge", "The number of the last batch.", l.revision);
	one(out, "log_silence_seconds", "gauge", "Since brokers do not tell how the topic is.",
	    (uint64_t)l.silence_ms / 1000);
	one(out, "log_foreign_total", "counter", "Records in the topic that are not this "
	    "registry's.", l.foreign);
	one(out, "log_commits_total", "counter", "Batches that were committed.", l.commits);
	one(out, "log_refused_total", "counter", "Batches that were surely not written.",
	    l.refused);
	one(out, "log_unknown_total", "counter", "Batches that a claim had to tell about.",
	    l.unknown);
	one(out, "log_claims_total", "counter", "Claims of the topic.", l.claims);
	one(out, "log_fenced_total", "counter", "Claims that were lost.", l.fenced);
	forward_count(x->api->forwarder, &answered, &failed);
	one(out, "forwarded_total", "counter", "Changes that the node that leads has answered.",
	    answered);
	one(out, "forward_failures_total", "counter", "Changes that were to be forwarded and got "
	    "503 or 504 here.", failed);
}

static void
audit_metrics(struct buf *out, struct audit *a)
{
	struct audit_counts c;

	audit_count(a, &c);
	one(out, "audit_lines_total", "counter", "Lines written to the audit log.", c.lines);
	one(out, "audit_batches_total", "counter", "Writes of one or more lines.", c.batches);
	one(out, "audit_failures_total", "counter", "Events that could not be made durable.",
	    c.failures);
	one(out, "audit_waiting", "gauge", "Events that wait to be written.", c.waiting);
	one(out, "audit_writable", "gauge", "1 if the audit log can be written.",
	    audit_unready(a) == NULL);
}

static void
server_metrics(struct buf *out, struct api *a)
{
	struct http_server *s = atomic_load(&a->server);
	struct http_counts c;

	if (s == NULL)
		return;
	http_server_counts(s, &c);
	one(out, "connections_total", "counter", "Connections accepted.", c.connections);
	one(out, "connections_open", "gauge", "Connections open now.", c.open);
	one(out, "connections_refused_total", "counter", "Connections beyond the limit.",
	    c.refused);
	one(out, "connections_shed_total", "counter", "Connections closed to make room for others.",
	    c.shed);
	one(out, "connections_timed_out_total", "counter", "Connections cut off as too slow.",
	    c.timed_out);
	one(out, "bad_requests_total", "counter", "Requests that were not HTTP.", c.bad);
}

static void
count_all(struct exchange *x)
{
	struct counted *c = x->work;
	struct reader *r = reader_new(request_store(x), &c->err);

	c->result = -1;
	if (r != NULL && reader_begin(r, &c->err) == 0) {
		if (reader_count(r, &c->counts, &c->err) == 0)
			c->result = reader_offset(r, &c->offset, &c->err);
		reader_end(r);
	}
	reader_free(r);
}

static void
metrics_counted(struct exchange *x)
{
	const struct counted *c = x->work;
	struct api *a = x->api;
	struct buf text;

	if (c->result == -1) {
		answer_error(x, &c->err);
		return;
	}

	/* Nothing of this is secret, and printf is at work. */
	buf_init(&text, METRICS_MAX);
	requests(&text, a);
	latencies(&text, a);
	one(&text, "logins_failed_total", "counter", "Requests with no or wrong credentials.",
	    counters_sum(a, &a->threads[0].counters->logins_failed));
	one(&text, "undecryptable_total", "counter", "Reads of a secret that could not be opened.",
	    counters_sum(a, &a->threads[0].counters->undecryptable));
	store_metrics(&text, x);
	log_metrics(&text, x);
	audit_metrics(&text, a->parts.audit);
	server_metrics(&text, a);
	buf_append(&x->body, text.data, text.len);
	buf_release(&text);
	x->content_type = "text/plain; version=0.0.4; charset=utf-8";
	answer_send(x, 200);
}

void
metrics_show(struct exchange *x)
{
	if (exchange_work(x, sizeof(struct counted), free) != NULL)
		api_worker_run(x, count_all, metrics_counted);
}

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

/* On the worker's thread: a new master secret may have to be stretched. */
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
	struct store_log_state l;

	store_log_state(request_store(x), &l);
	if (s->result == 0)
		show(x, 202);
	else if (s->err.code == ERROR_BUSY && l.role != LOG_LOCAL && l.role != LOG_LEADER)
		answer_fail(x, 503, 50302, "Nothing was begun: %s", s->err.text);
	else if (s->err.code == ERROR_BUSY)
		answer_fail(x, 409, 0, "A rotation is running already");
	else
		answer_error(x, &s->err);
}

static void
rotation_intended(struct exchange *x)
{
	api_worker_run(x, start, started);
}

void
rotation_start(struct exchange *x)
{
	if (exchange_work(x, sizeof(struct start), free) != NULL)
		answer_intend(x, rotation_intended);
}

/* The audit log's HMAC of a text and its check, and backups. */

/* A string member of the body, to be freed with json_decref(*root); NULL: the
 * request was failed. */
static const json_t *
string_of_body(struct exchange *x, const char *member, json_t **root)
{
	struct buf *body = http_body(x->r);
	enum body_result result;
	const json_t *value;
	char why[256];

	result = body_object(body->data, body->len, root, why, sizeof(why));
	buf_clear(body);
	if (result != BODY_OK) {
		answer_body(x, result, why);
		return NULL;
	}
	value = json_object_get(*root, member);
	if (json_is_string(value))
		return value;
	answer_fail(x, 422, 42201, "The body needs a member \"%s\", a string", member);
	return NULL;
}

/* An object of one text. */
static void
answer_member(struct exchange *x, const char *name, const char *text)
{
	struct json_out *out = answer_json(x);

	json_out_object(out, NULL);
	json_out_text(out, name, text);
	json_out_end(out);
	answer_send(x, 200);
}

void
admin_hash(struct exchange *x)
{
	json_t *root = NULL;
	const json_t *input = string_of_body(x, "input", &root);
	char hash[AUDIT_HMAC_TEXT];

	if (input != NULL) {
		if (audit_hmac(x->api->parts.audit, json_string_value(input),
		    json_string_length(input), hash) == 0) {
			answer_member(x, "hash", hash);
		} else {
			answer_fail(x, 500, 50001, "The HMAC cannot be computed");
		}
	}
	json_decref(root);
}

static void
audit_file_name(const struct settings *s, char out[PATH_MAX])
{
	if (s->audit_file != NULL)
		(void)snprintf(out, PATH_MAX, "%s", s->audit_file);
	else
		(void)snprintf(out, PATH_MAX, "%s/audit.log", s->data);
}

struct tail {
	struct error err;
	uint64_t limit;
	int result;
};

static int
admin_add_line(void *cookie, const char *text, size_t n)
{
	struct exchange *x = cookie;

	x->count++;
	json_out_raw_n(&x->json, NULL, text, n);
	return x->body.failed ? -1 : 0;
}

/* On the worker's thread: each line is a JSON object as it stands. */
static void
tail(struct exchange *x)
{
	struct tail *t = x->work;
	char file[PATH_MAX];

	audit_file_name(request_settings(x), file);
	json_out_array(answer_json(x), NULL);
	t->result = audit_tail(file, (size_t)t->limit, admin_add_line, x, &t->err);
	json_out_end(&x->json);
}

static void
tailed(struct exchange *x)
{
	const struct tail *t = x->work;

	x->has_count = true;
	if (t->result == 0) {
		answer_send(x, 200);
		return;
	}
	buf_clear(&x->body);
	answer_fail(x, 500, 50001, "The audit log cannot be read again here");
}

void
admin_audit(struct exchange *x)
{
	struct tail *t = exchange_work(x, sizeof(*t), free);

	if (t == NULL)
		return;
	t->limit = TAIL_DEFAULT;
	if (request_number(x, "limit", 1, TAIL_MAX, &t->limit) != -1)
		api_worker_run(x, tail, tailed);
}

struct verify {
	struct error err;
	uint64_t lines;
	int result;
};

/* On the worker's thread. */
static void
verify(struct exchange *x)
{
	struct verify *v = x->work;
	char file[PATH_MAX];

	const struct key *key = keyring_audit_key(store_keyring(request_store(x)));

	audit_file_name(request_settings(x), file);
	v->result = audit_verify_table(store_database(request_store(x)), key, &v->lines, &v->err);
	if (v->result == 0)
		v->result = audit_verify(file, key, &v->lines, &v->err);
}

static void
verified(struct exchange *x)
{
	const struct verify *v = x->work;
	const char *name = strrchr(v->err.file, '/');

	x->has_count = true;
	x->count = v->lines;
	if (v->result == 0) {
		struct json_out *out = answer_json(x);

		json_out_object(out, NULL);
		json_out_uint(out, "lines", v->lines);
		json_out_end(out);
		answer_send(x, 200);
	} else if (v->err.code == ERROR_DAMAGED) {
		answer_fail(x, 409, 0, "The audit log is broken in %s, line %zu: %s",
		    name != NULL ? name + 1 : v->err.file, v->err.line, v->err.text);
	} else {
		answer_error(x, &v->err);
	}
}

void
admin_verify(struct exchange *x)
{
	if (exchange_work(x, sizeof(struct verify), free) != NULL)
		api_worker_run(x, verify, verified);
}

struct backup {
	struct error err;
	int result;
	char name[BACKUP_NAME_MAX + 1];
};

/* On the worker's thread: into DATA/backups, never over a file. */
static void
backup(struct exchange *x)
{
	struct backup *b = x->work;
	char folder[PATH_MAX], file[PATH_MAX + BACKUP_NAME_MAX + 2];
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "%s/backups", request_settings(x)->data);
	(void)snprintf(file, sizeof(file), "%s/%s", folder, b->name);
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		b->result = error_io(&b->err, NULL, "the folder for backups cannot be made");
	else if (lstat(file, &st) == 0)
		b->result = error_set(&b->err, ERROR_EXISTS, "there is a backup of that name");
	else
		b->result = database_backup(store_database(request_store(x)), file, &b->err);
}

static void
backed_up(struct exchange *x)
{
	const struct backup *b = x->work;

	if (b->result == 0) {
		answer_member(x, "file", b->name);
	} else if (b->err.code == ERROR_EXISTS) {
		answer_fail(x, 409, 0, "There is a backup of that name; take another name");
	} else {
		answer_error(x, &b->err);
	}
}

static void
backup_intended(struct exchange *x)
{
	api_worker_run(x, backup, backed_up);
}

static bool
is_backup_name(const char *name, size_t n)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-";

	return n > 0 && n <= BACKUP_NAME_MAX && name[0] != '.' && strspn(name, allowed) == n;
}

bool
admin_backup_name(struct exchange *x, char name[BACKUP_NAME_MAX + 1])
{
	json_t *root = NULL;
	const json_t *file = string_of_body(x, "file", &root);
	bool good = file != NULL &&
	    is_backup_name(json_string_value(file), json_string_length(file));

	if (good)
		memcpy(name, json_string_value(file), json_string_length(file) + 1);
	else if (file != NULL)
		answer_fail(x, 422, 42201, "\"file\" is a name of 1 to %d of A-Z a-z 0-9 . _ - "
		    "not beginning with a dot; it is in the data folder's backups",
		    BACKUP_NAME_MAX);
	json_decref(root);
	return good;
}

void
admin_backup(struct exchange *x)
{
	char name[BACKUP_NAME_MAX + 1];
	struct backup *b;

	if (!admin_backup_name(x, name) || (b = exchange_work(x, sizeof(*b), free)) == NULL)
		return;
	memcpy(b->name, name, sizeof(b->name));
	answer_intend(x, backup_intended);
}
