#include "registry/audit/audit_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_text.h"

/* Where texts are cut, in bytes of the original. */
#define NAME_MAX_BYTES 1024
#define PRINCIPAL_MAX 512
#define MESSAGE_MAX 512
#define WORD_MAX 256
#define PIECE_MAX 8192		/* of the prepared text */

struct piece {
	char *text;
	size_t len;
};

struct audit_style {
	struct piece head[2];	/* up to the subject's CRN; request, authorization */
	struct piece data;	/* from the time's end to the method */
	struct piece resource;	/* from the method's end to the resource's CRN */
	struct piece scope;	/* what ends rbacAuthorization */
	char store[5 * PIECE_MAX];
};

static void
put_crn(struct audit_text *t, const struct audit_options *o)
{
	AUDIT_TEXT_PUT(t, "crn://");
	audit_text_percent(t, o->authority, strlen(o->authority), WORD_MAX);
	AUDIT_TEXT_PUT(t, "/kafka=");
	audit_text_percent(t, o->cluster, strlen(o->cluster), WORD_MAX);
	AUDIT_TEXT_PUT(t, "/connect=");
	audit_text_percent(t, o->connect, strlen(o->connect), WORD_MAX);
}

static void
end_piece(struct piece *p, struct audit_text *t, char **from)
{
	p->text = *from;
	p->len = (size_t)(t->at - *from);
	*from = t->at;
}

struct audit_style *
audit_style_new(const struct audit_options *given, struct error *err)
{
	static const char *const types[] = { "/request", "/authorization" };
	struct audit_style *s = calloc(1, sizeof(*s));
	struct audit_options o = *given;
	struct audit_text t;
	char *from;

	if (s == NULL) {
		error_memory(err);
		return NULL;
	}
	o.authority = o.authority != NULL ? o.authority : "";
	o.cluster = o.cluster != NULL ? o.cluster : "embedded";
	o.connect = o.connect != NULL ? o.connect : "secret-registry";
	o.type_prefix = o.type_prefix != NULL ? o.type_prefix : "io.confluent.kafka.server";
	t = (struct audit_text){ s->store, s->store + sizeof(s->store) };
	from = t.at;
	for (size_t i = 0; i < 2; i++) {
		AUDIT_TEXT_PUT(&t, ",\"source\":\"");
		put_crn(&t, &o);
		AUDIT_TEXT_PUT(&t, "\",\"type\":\"");
		audit_text_json(&t, o.type_prefix, strlen(o.type_prefix), WORD_MAX);
		audit_text_put(&t, types[i], strlen(types[i]));
		AUDIT_TEXT_PUT(&t, "\",\"datacontenttype\":\"application/json\",\"subject\":\"");
		put_crn(&t, &o);
		end_piece(&s->head[i], &t, &from);
	}
	AUDIT_TEXT_PUT(&t, "\",\"confluentRouting\":{\"route\":\"confluent-audit-log-events\"},"
	    "\"data\":{\"serviceName\":\"");
	put_crn(&t, &o);
	AUDIT_TEXT_PUT(&t, "\",\"methodName\":\"secret-registry.");
	end_piece(&s->data, &t, &from);
	AUDIT_TEXT_PUT(&t, "\",\"resourceName\":\"");
	put_crn(&t, &o);
	end_piece(&s->resource, &t, &from);
	AUDIT_TEXT_PUT(&t, "\",\"scope\":{\"outerScope\":[],\"clusters\":{\"kafka-cluster\":\"");
	audit_text_json(&t, o.cluster, strlen(o.cluster), WORD_MAX);
	AUDIT_TEXT_PUT(&t, "\",\"connect-cluster\":\"");
	audit_text_json(&t, o.connect, strlen(o.connect), WORD_MAX);
	AUDIT_TEXT_PUT(&t, "\"}}}");
	end_piece(&s->scope, &t, &from);
	return s;
}

void
audit_style_free(struct audit_style *s)
{
	free(s);
}

static inline void
put_piece(struct audit_text *t, const struct piece *p)
{
	audit_text_put(t, p->text, p->len);
}

static void
put_string(struct audit_text *t, const char *text, size_t max)
{
	audit_text_json(t, text, strlen(text), max);
}

static void
put_names(struct audit_text *t, const struct audit_event *e)
{
	if (e->path == NULL)
		return;
	AUDIT_TEXT_PUT(t, "/secret-path=");
	audit_text_percent(t, e->path, e->path_len, NAME_MAX_BYTES);
	if (e->key == NULL)
		return;
	AUDIT_TEXT_PUT(t, "/secret-key=");
	audit_text_percent(t, e->key, e->key_len, NAME_MAX_BYTES);
	if (e->version == 0)
		return;
	AUDIT_TEXT_PUT(t, "/version=");
	audit_text_number(t, e->version);
}

static void
put_authentication(struct audit_text *t, const struct audit_event *e)
{
	const char *name;

	if (e->principal == NULL && e->mechanism == NULL)
		return;
	AUDIT_TEXT_PUT(t, ",\"authenticationInfo\":{");
	if (e->principal != NULL) {
		AUDIT_TEXT_PUT(t, "\"principal\":\"");
		put_string(t, e->principal, PRINCIPAL_MAX);
		AUDIT_TEXT_PUT(t, "\"");
	}
	if (e->mechanism != NULL) {
		if (e->principal != NULL)
			AUDIT_TEXT_PUT(t, ",");
		AUDIT_TEXT_PUT(t, "\"metadata\":{\"mechanism\":\"");
		put_string(t, e->mechanism, WORD_MAX);
		if (e->principal != NULL) {
			name = strchr(e->principal, ':');
			AUDIT_TEXT_PUT(t, "\",\"identifier\":\"");
			put_string(t, name != NULL ? name + 1 : e->principal, PRINCIPAL_MAX);
		}
		AUDIT_TEXT_PUT(t, "\"}");
	}
	AUDIT_TEXT_PUT(t, "}");
}

static void
put_authorization(struct audit_text *t, const struct audit_style *s,
    const struct audit_event *e)
{
	if (!e->authorization)
		return;
	if (e->granted)
		AUDIT_TEXT_PUT(t, ",\"authorizationInfo\":{\"granted\":true");
	else
		AUDIT_TEXT_PUT(t, ",\"authorizationInfo\":{\"granted\":false");
	if (e->operation != NULL) {
		AUDIT_TEXT_PUT(t, ",\"operation\":\"");
		put_string(t, e->operation, WORD_MAX);
		AUDIT_TEXT_PUT(t, "\"");
	}
	if (e->path != NULL) {
		AUDIT_TEXT_PUT(t, ",\"resourceType\":\"Connector\",\"resourceName\":\"");
		audit_text_json(t, e->path, e->path_len, NAME_MAX_BYTES);
	} else
		AUDIT_TEXT_PUT(t, ",\"resourceType\":\"Cluster\",\"resourceName\":"
		    "\"connect-cluster");
	AUDIT_TEXT_PUT(t, "\",\"patternType\":\"");
	put_string(t, e->pattern != NULL ? e->pattern : "LITERAL", WORD_MAX);
	AUDIT_TEXT_PUT(t, "\"");
	if (e->role != NULL) {
		AUDIT_TEXT_PUT(t, ",\"rbacAuthorization\":{\"role\":\"");
		put_string(t, e->role, WORD_MAX);
		put_piece(t, &s->scope);
	}
	AUDIT_TEXT_PUT(t, "}");
}

static void
put_phase(struct audit_text *t, const struct audit_event *e, const struct audit_own *own)
{
	AUDIT_TEXT_PUT(t, ",\"request\":{\"phase\":\"");
	if (own != NULL)
		put_string(t, own->phase, WORD_MAX);
	else if (e->phase == AUDIT_INTENT)
		AUDIT_TEXT_PUT(t, "intent");
	else if (e->phase == AUDIT_OUTCOME)
		AUDIT_TEXT_PUT(t, "outcome");
	else
		AUDIT_TEXT_PUT(t, "recovered");
	AUDIT_TEXT_PUT(t, "\"");
	if (own != NULL && own->has_open) {
		AUDIT_TEXT_PUT(t, ",\"open\":");
		audit_text_number(t, own->open);
	}
}

static void
put_request(struct audit_text *t, const struct audit_event *e, const struct audit_own *own)
{
	put_phase(t, e, own);
	if (e->phase == AUDIT_INTENT && e->version != 0) {
		AUDIT_TEXT_PUT(t, ",\"version\":");
		audit_text_number(t, e->version);
	}
	if (e->value_hmac != NULL) {
		AUDIT_TEXT_PUT(t, ",\"value\":\"");
		put_string(t, e->value_hmac, WORD_MAX);
		AUDIT_TEXT_PUT(t, "\"");
	}
	if (e->has_length) {
		AUDIT_TEXT_PUT(t, ",\"length\":");
		audit_text_number(t, e->length);
	}
	if (e->has_cas) {
		AUDIT_TEXT_PUT(t, ",\"cas\":");
		audit_text_signed(t, e->cas);
	}
	if (e->idempotency_hmac != NULL) {
		AUDIT_TEXT_PUT(t, ",\"idempotency\":\"");
		put_string(t, e->idempotency_hmac, WORD_MAX);
		AUDIT_TEXT_PUT(t, "\"");
	}
	if (e->has_count || (own != NULL && own->has_count)) {
		AUDIT_TEXT_PUT(t, ",\"count\":");
		audit_text_number(t, e->has_count ? e->count : own->count);
	}
	AUDIT_TEXT_PUT(t, "}");
}

/* Confluent's requestMetadata has lists here. */
static void
put_origin(struct audit_text *t, const struct audit_event *e)
{
	if (e->request_id == NULL && e->client == NULL)
		return;
	AUDIT_TEXT_PUT(t, ",\"requestMetadata\":{");
	if (e->request_id != NULL) {
		AUDIT_TEXT_PUT(t, "\"requestId\":[\"");
		put_string(t, e->request_id, WORD_MAX);
		AUDIT_TEXT_PUT(t, "\"]");
	}
	if (e->client != NULL) {
		if (e->request_id != NULL)
			AUDIT_TEXT_PUT(t, ",");
		AUDIT_TEXT_PUT(t, "\"clientAddress\":[{\"ip\":\"");
		put_string(t, e->client, WORD_MAX);
		AUDIT_TEXT_PUT(t, "\"}]");
	}
	AUDIT_TEXT_PUT(t, "}");
}

static void
put_result(struct audit_text *t, const struct audit_event *e, const char *message)
{
	const char *comma = "";

	if (e->status == 0 && message == NULL && e->offset == 0)
		return;
	AUDIT_TEXT_PUT(t, ",\"result\":{");
	if (e->status != 0) {
		AUDIT_TEXT_PUT(t, "\"status\":");
		audit_text_signed(t, e->status);
		comma = ",";
	}
	if (message != NULL) {
		audit_text_put(t, comma, strlen(comma));
		AUDIT_TEXT_PUT(t, "\"message\":\"");
		put_string(t, message, MESSAGE_MAX);
		AUDIT_TEXT_PUT(t, "\"");
		comma = ",";
	}
	if (e->version != 0 && e->phase != AUDIT_INTENT) {
		audit_text_put(t, comma, strlen(comma));
		AUDIT_TEXT_PUT(t, "\"version\":");
		audit_text_number(t, e->version);
		comma = ",";
	}
	if (e->offset != 0) {
		audit_text_put(t, comma, strlen(comma));
		AUDIT_TEXT_PUT(t, "\"offset\":");
		audit_text_number(t, e->offset);
	}
	AUDIT_TEXT_PUT(t, "}");
}

size_t
audit_event_write(const struct audit_style *s, const struct audit_event *e,
    const struct audit_own *own, char *out)
{
	struct audit_text t = { out, out + AUDIT_EVENT_MAX };
	const char *names;
	size_t names_len;

	put_piece(&t, &s->head[e->authorization ? 1 : 0]);
	names = t.at;
	put_names(&t, e);
	names_len = (size_t)(t.at - names);
	AUDIT_TEXT_PUT(&t, "\",\"time\":\"");
	audit_text_now(&t);
	put_piece(&t, &s->data);
	put_string(&t, e->method != NULL ? e->method : "AuditLog", WORD_MAX);
	put_piece(&t, &s->resource);
	audit_text_put(&t, names, names_len);
	AUDIT_TEXT_PUT(&t, "\"");
	put_authentication(&t, e);
	put_authorization(&t, s, e);
	put_request(&t, e, own);
	put_origin(&t, e);
	put_result(&t, e, own != NULL ? own->message : e->message);
	AUDIT_TEXT_PUT(&t, "}");
	return (size_t)(t.at - out);
}

bool
audit_event_changes(const char *method)
{
	static const char *const heads[] = { "Create", "Delete", "Undelete", "Destroy",
	    "Update", "Alter", "Rotate" };

	for (size_t i = 0; method != NULL && i < sizeof(heads) / sizeof(heads[0]); i++)
		if (strncmp(method, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}
