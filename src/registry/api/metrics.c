#include "registry/api/handlers.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/api/tally.h"
#include "registry/audit/audit.h"
#include "registry/http/http.h"
#include "registry/base/settings.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

/* GET /metrics: Prometheus' text format, version 0.0.4. */

#define TEXT_MAX ((size_t)1 << 20)
#define PREFIX "propseal_registry_"

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

typedef uint64_t tally_get(const struct tally *t, size_t i, size_t j);

/* Summed up over the event threads. */
static uint64_t
sum(const struct api *a, tally_get *get, size_t i, size_t j)
{
	uint64_t total = 0;

	for (unsigned t = 0; t < a->thread_count; t++)
		total += get(a->threads[t].tally, i, j);
	return total;
}

static uint64_t
get_ns(const struct tally *t, size_t i, size_t j)
{
	(void)j;
	return tally_ns(t, i);
}

static uint64_t
get_bucket(const struct tally *t, size_t i, size_t j)
{
	(void)j;
	return tally_bucket(t, i);
}

static uint64_t
get_undecryptable(const struct tally *t, size_t i, size_t j)
{
	(void)i;
	(void)j;
	return tally_undecryptables(t);
}

static uint64_t
get_logins_failed(const struct tally *t, size_t i, size_t j)
{
	(void)i;
	(void)j;
	return tally_logins_failed(t);
}

static const char *
method_of(size_t i)
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
	head(out, "requests_total", "counter", "Requests answered, by method, route and status.");
	for (size_t i = 0; i <= route_count(); i++) {
		for (size_t j = 0; j < tally_status_count(); j++) {
			uint64_t n = sum(a, tally_requests, i, j);

			if (n > 0)
				buf_printf(out, PREFIX "requests_total{method=\"%s\",route=\"%s\","
				    "status=\"%d\"} %" PRIu64 "\n", method_of(i), pattern_of(i),
				    tally_statuses[j], n);
		}
	}
	head(out, "request_seconds_total", "counter", "Time spent on requests, by method and "
	    "route.");
	for (size_t i = 0; i <= route_count(); i++) {
		uint64_t ns = sum(a, get_ns, i, 0);

		if (ns > 0)
			buf_printf(out, PREFIX "request_seconds_total{method=\"%s\",route=\"%s\"} "
			    "%.9f\n", method_of(i), pattern_of(i), (double)ns / 1e9);
	}
}

static void
latencies(struct buf *out, const struct api *a)
{
	uint64_t count = 0, ns = 0;

	head(out, "request_duration_seconds", "histogram", "Time from a request to its answer.");
	for (size_t i = 0; i < tally_bound_count(); i++) {
		count += sum(a, get_bucket, i, 0);
		buf_printf(out, PREFIX "request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
		    (double)tally_bounds[i] / 1e9, count);
	}
	count += sum(a, get_bucket, tally_bound_count(), 0);
	for (size_t i = 0; i <= route_count(); i++)
		ns += sum(a, get_ns, i, 0);
	buf_printf(out, PREFIX "request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	    PREFIX "request_duration_seconds_sum %.9f\n"
	    PREFIX "request_duration_seconds_count %" PRIu64 "\n", count, (double)ns / 1e9, count);
}

static void
store_metrics(struct buf *out, struct exchange *x)
{
	struct state *s = request_state(x);
	struct rotation_state rotation;
	struct state_counts c;
	uint64_t offset;

	state_lock(s);
	state_count(s, &c);
	offset = state_offset(s);
	state_unlock(s);
	one(out, "paths", "gauge", "Paths with a live secret.", c.paths);
	one(out, "keys", "gauge", "Keys with a live version.", c.keys);
	one(out, "versions", "gauge", "Live versions.", c.versions);
	one(out, "deleted_versions", "gauge", "Deleted versions that can be undeleted.", c.deleted);
	one(out, "quarantined_records", "gauge", "Records of the log that make no sense.",
	    c.quarantined);
	one(out, "unknown_records", "gauge", "Records of a type or format not known here.",
	    c.unknown);
	one(out, "state_bytes", "gauge", "Memory that the state holds, about.", c.bytes);
	one(out, "offset", "gauge", "The offset after the last record applied.", offset);
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

void
metrics_show(struct exchange *x)
{
	struct api *a = x->api;
	struct buf text;

	/* Nothing of this is secret, and printf is at work. */
	buf_init(&text, TEXT_MAX);
	requests(&text, a);
	latencies(&text, a);
	one(&text, "logins_failed_total", "counter", "Requests with no or wrong credentials.",
	    sum(a, get_logins_failed, 0, 0));
	one(&text, "undecryptable_total", "counter", "Reads of a secret that could not be opened.",
	    sum(a, get_undecryptable, 0, 0));
	store_metrics(&text, x);
	audit_metrics(&text, a->parts.audit);
	server_metrics(&text, a);
	buf_append(&x->body, text.data, text.len);
	buf_release(&text);
	x->content_type = "text/plain; version=0.0.4; charset=utf-8";
	answer_send(x, 200);
}
