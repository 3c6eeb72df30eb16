#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/secmem.h"
#include "base/time.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_internal.h"

#define HEX (2 * MAC_BYTES)
#define MARK(mark) (sizeof(mark) - 1)

/* Where texts are cut, in bytes of the original. */
#define NAME_MAX_BYTES 1024
#define PRINCIPAL_MAX 512
#define MESSAGE_MAX 512
#define WORD_MAX 256
#define CRN_MAX (3 * 3 * WORD_MAX + 64)		/* without the secret's names */
#define RESOURCE_MAX (CRN_MAX + 2 * 3 * NAME_MAX_BYTES + 64)
#define PIECE_MAX 8192
#define COMPACT "compact"	/* among the words of a start */

struct piece {
	char text[PIECE_MAX];
	size_t len;
};

/* What is the same in every event: texts, and values as JSON. */
struct audit_style {
	char id[AUDIT_CHAIN_ID + 1];	/* of the start */
	struct piece crn;
	struct piece heads[2];		/* of a request, of an authorization: the source,
					 * as JSON, and the members behind it */
	struct piece source;		/* JSON: the CRN */
	struct piece routing;		/* JSON: confluentRouting */
	struct piece scope;		/* JSON: rbacAuthorization's */
	bool compact;
};

static void
audit_text_number(struct audit_text *t, uint64_t n)
{
	char digits[NUMBER_TEXT];

	audit_text_put(t, digits, number_text(n, digits));
}

/* Lower-case hexadecimal. */
static void
audit_text_hex(struct audit_text *t, const unsigned char *bytes, size_t n)
{
	if ((size_t)(t->end - t->at) < 2 * n)
		return;
	hex_text(bytes, n, t->at);
	t->at += 2 * n;
}

/* ${n}, or less so as to be at most ${max} and not to cut inside a character. */
static size_t
audit_text_cut(const char *s, size_t n, size_t max)
{
	size_t i;

	if (n <= max)
		return n;
	for (i = max; i > 0 && max - i < 3 && ((unsigned char)s[i] & 0xc0) == 0x80; i--)
		;
	return ((unsigned char)s[i] & 0xc0) == 0x80 ? max : i;
}

/* Percent-encoded but for RFC 3986's unreserved characters; 3 bytes for one. */
static void
audit_text_percent(struct audit_text *t, const char *s, size_t n, size_t max)
{
	static const char upper[] = "0123456789ABCDEF";
	char *to = t->at;
	size_t i;
	unsigned char c;

	n = audit_text_cut(s, n, max);
	if ((size_t)(t->end - to) < 3 * n)
		return;
	for (i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~') {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = upper[c >> 4];
			*to++ = upper[c & 15];
		}
	}
	t->at = to;
}

/* A time as 2026-01-31T12:00:00.123Z: 24 bytes. */
static void
audit_text_time(struct audit_text *t, int64_t time_ms)
{
	/* The last second this thread made a text of. */
	static _Thread_local int64_t second = -1;
	static _Thread_local char text[TIME_TEXT];
	int ms = (int)(time_ms % 1000);

	if (time_ms / 1000 != second) {
		second = time_ms / 1000;
		(void)time_text(second * 1000, TIME_MILLISECONDS, text);
	}
	text[20] = (char)('0' + ms / 100);
	text[21] = (char)('0' + ms / 10 % 10);
	text[22] = (char)('0' + ms % 10);
	audit_text_put(t, text, AUDIT_TEXT_TIME);
}

static const char seq_mark[] = "," JSON_NAME("seq");
static const char prev_mark[] = "," JSON_NAME("prevhash") "\"";
static const char hash_mark[] = "," JSON_NAME("hash") "\"";
static const char intent_mark[] = "," JSON_NAME("intentseq");

int
audit_chain_seal(struct audit_chain *c, struct mac *m, const char *id, const char *body, size_t n,
    uint64_t intent, struct audit_text *out, struct error *err)
{
	const char *line = out->at;
	unsigned char hash[MAC_BYTES];

	if ((size_t)(out->end - out->at) < n + AUDIT_CHAIN_EXTRA)
		return error_set(err, ERROR_LIMIT, "no room for a line");
	AUDIT_TEXT_PUT(out, "{" JSON_NAME("specversion") "\"1.0\"," JSON_NAME("id") "\"");
	audit_text_put(out, id, AUDIT_CHAIN_ID);
	AUDIT_TEXT_PUT(out, "-");
	audit_text_number(out, c->seq + 1);
	AUDIT_TEXT_PUT(out, "\"");
	audit_text_put(out, body, n);
	if (intent != 0) {
		audit_text_put(out, intent_mark, MARK(intent_mark));
		audit_text_number(out, intent);
	}
	audit_text_put(out, seq_mark, MARK(seq_mark));
	audit_text_number(out, c->seq + 1);
	audit_text_put(out, prev_mark, MARK(prev_mark));
	audit_text_hex(out, c->hash, MAC_BYTES);
	AUDIT_TEXT_PUT(out, "\"");
	if (mac_sum(m, c->hash, MAC_BYTES, line, (size_t)(out->at - line), hash, err) != 0)
		return -1;
	audit_text_put(out, hash_mark, MARK(hash_mark));
	audit_text_hex(out, hash, MAC_BYTES);
	AUDIT_TEXT_PUT(out, "\"}\n");
	memcpy(c->hash, hash, MAC_BYTES);
	c->seq++;
	return 0;
}

/* Step back over ${what}, which must end at ${*at}. */
static bool
audit_chain_back(const char *line, size_t *at, const char *what, size_t n)
{
	if (*at < n || memcmp(line + *at - n, what, n) != 0)
		return false;
	*at -= n;
	return true;
}

static bool
back_hex(const char *line, size_t *at, unsigned char out[MAC_BYTES])
{
	if (*at < HEX || !hex_parse_lower(line + *at - HEX, MAC_BYTES, out))
		return false;
	*at -= HEX;
	return true;
}

static bool
back_number(const char *line, size_t *at, uint64_t *out)
{
	uint64_t scale = 1;
	size_t digits = 0;

	*out = 0;
	while (*at > 0 && line[*at - 1] >= '0' && line[*at - 1] <= '9' && digits < 19) {
		*out += (uint64_t)(line[*at - 1] - '0') * scale;
		scale *= 10;
		digits++;
		--*at;
	}
	return digits > 0;
}

bool
audit_chain_tail(const char *line, size_t n, struct audit_tail *out)
{
	size_t at = n, body;

	if (!audit_chain_back(line, &at, "\"}", 2) || !back_hex(line, &at, out->hash) ||
	    !audit_chain_back(line, &at, hash_mark, MARK(hash_mark)))
		return false;
	out->summed = at;
	if (!audit_chain_back(line, &at, "\"", 1) || !back_hex(line, &at, out->prev) ||
	    !audit_chain_back(line, &at, prev_mark, MARK(prev_mark)) || !back_number(line, &at,
	    &out->seq) ||
	    !audit_chain_back(line, &at, seq_mark, MARK(seq_mark)))
		return false;
	body = at;
	if (!back_number(line, &at, &out->intent) ||
	    !audit_chain_back(line, &at, intent_mark, MARK(intent_mark))) {
		out->intent = 0;
		at = body;
	}
	return at > 1 && line[0] == '{' && line[at - 1] == '}' && out->seq > 0;
}

bool
audit_chain_fits(struct mac *m, const char *line, const struct audit_tail *t)
{
	unsigned char hash[MAC_BYTES];

	return mac_sum(m, t->prev, MAC_BYTES, line, t->summed, hash, NULL) == 0 &&
	    secret_equal(hash, MAC_BYTES, t->hash, MAC_BYTES);
}

bool
audit_chain_follow(struct audit_chain *c, const struct audit_tail *t)
{
	if (t->seq != c->seq + 1 || memcmp(t->prev, c->hash, MAC_BYTES) != 0)
		return false;
	c->seq = t->seq;
	memcpy(c->hash, t->hash, MAC_BYTES);
	return true;
}

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

/* A buffer that writes to ${bytes}, and fails where they end. */
static struct buf
buf_over(char *bytes, size_t n)
{
	return (struct buf){ .data = (unsigned char *)bytes, .cap = n, .max = n };
}

static void
piece_begin(struct piece *p, struct buf *b, struct json_out *o)
{
	*b = buf_over(p->text, sizeof(p->text));
	json_out_init(o, b);
	json_out_hide(o);
}

/* In the caller's place: the compiler knows the length of its key there. */
__attribute__((always_inline)) static inline void
put_cut(struct json_out *o, const char *key, const char *text, size_t n, size_t max)
{
	json_out_text_n(o, key, text, audit_text_cut(text, n, max));
}

__attribute__((always_inline)) static inline void
put_string(struct json_out *o, const char *key, const char *text, size_t max)
{
	put_cut(o, key, text, strlen(text), max);
}

__attribute__((always_inline)) static inline void
put_piece(struct json_out *o, const char *key, const struct piece *p)
{
	json_out_raw_n(o, key, p->text, p->len);
}

static void
make_scope(struct json_out *o, const struct audit_options *options)
{
	json_out_object(o, NULL);
	json_out_array(o, "outerScope");
	json_out_end(o);
	json_out_object(o, "clusters");
	put_string(o, "kafka-cluster", options->cluster, WORD_MAX);
	put_string(o, "connect-cluster", options->connect, WORD_MAX);
	json_out_end(o);
	json_out_end(o);
}

/* From the source on up to the subject. */
static void
make_head(const struct audit_style *s, const struct audit_options *o, const char *type,
    struct piece *out)
{
	char text[WORD_MAX + 32];
	struct audit_text t = { text, text + sizeof(text) };
	struct json_out json;
	struct buf b;

	audit_text_put(&t, o->type_prefix, audit_text_cut(o->type_prefix, strlen(o->type_prefix),
	    WORD_MAX));
	audit_text_put(&t, type, strlen(type));
	piece_begin(out, &b, &json);
	json_out_object(&json, NULL);
	put_piece(&json, "source", &s->source);
	json_out_text_n(&json, "type", text, (size_t)(t.at - text));
	if (!s->compact)
		json_out_text(&json, "datacontenttype", "application/json");
	out->len = b.len;
	/* The first name and its colon are written with the rest. */
	out->len -= sizeof("{" JSON_NAME("source")) - 1;
	memmove(out->text, out->text + sizeof("{" JSON_NAME("source")) - 1, out->len);
}

/* From the words, without a check for what they are. */
static void
style_make(struct audit_style *s, const struct audit_options *o)
{
	static const char *const types[] = { "/request", "/authorization" };
	struct audit_text t = { s->crn.text, s->crn.text + CRN_MAX };
	struct json_out json;
	struct buf text;

	put_crn(&t, o);
	s->crn.len = (size_t)(t.at - s->crn.text);
	piece_begin(&s->source, &text, &json);
	json_out_text_n(&json, NULL, s->crn.text, s->crn.len);
	s->source.len = text.len;
	for (size_t i = 0; i < 2; i++)
		make_head(s, o, types[i], &s->heads[i]);
	piece_begin(&s->routing, &text, &json);
	json_out_object(&json, NULL);
	json_out_text(&json, "route", "confluent-audit-log-events");
	json_out_end(&json);
	s->routing.len = text.len;
	piece_begin(&s->scope, &text, &json);
	make_scope(&json, o);
	s->scope.len = text.len;
}

struct audit_style *
audit_style_new(const struct audit_options *given, const char *id, struct buf *words,
    struct error *err)
{
	struct audit_style *s = error_alloc(sizeof(*s), err);
	struct audit_options o = *given;
	const char *all[4];

	if (s == NULL)
		return NULL;
	all[0] = o.authority = o.authority != NULL ? o.authority : "";
	all[1] = o.cluster = o.cluster != NULL ? o.cluster : "embedded";
	all[2] = o.connect = o.connect != NULL ? o.connect : "secret-registry";
	all[3] = o.type_prefix = o.type_prefix != NULL ? o.type_prefix :
	    "io.confluent.kafka.server";
	memcpy(s->id, id, AUDIT_CHAIN_ID);
	s->compact = o.compact;
	style_make(s, &o);
	/* The id and the words, a NUL behind each. */
	buf_append(words, s->id, sizeof(s->id));
	for (size_t i = 0; i < 4; i++)
		buf_append(words, all[i], strlen(all[i]) + 1);
	if (o.compact)
		buf_append(words, COMPACT, sizeof(COMPACT));
	if (buf_check(words, err) == 0)
		return s;
	audit_style_free(s);
	return NULL;
}

struct audit_style *
audit_style_read(const void *words, size_t n, struct error *err)
{
	struct audit_style *s = error_alloc(sizeof(*s), err);
	const char *all[6], *p = words, *end = p + n;
	size_t i;

	if (s == NULL)
		return NULL;
	for (i = 0; i < 6 && p < end && memchr(p, '\0', (size_t)(end - p)) != NULL; i++) {
		all[i] = p;
		p += strlen(p) + 1;
	}
	if ((i == 5 || (i == 6 && strcmp(all[5], COMPACT) == 0)) && p == end &&
	    strlen(all[0]) == AUDIT_CHAIN_ID) {
		memcpy(s->id, all[0], AUDIT_CHAIN_ID);
		s->compact = i == 6;
		style_make(s, &(struct audit_options){ .authority = all[1], .cluster = all[2],
		    .connect = all[3], .type_prefix = all[4] });
		return s;
	}
	audit_style_free(s);
	error_set(err, ERROR_DAMAGED, "a start of the audit log is not as it should be");
	return NULL;
}

const char *
audit_style_id(const struct audit_style *s)
{
	return s->id;
}

void
audit_style_free(struct audit_style *s)
{
	free(s);
}

/* The CRN of what the event is about, as JSON: nothing of it needs an escape. */
static size_t
make_resource(const struct audit_style *s, const struct audit_event *e, char out[RESOURCE_MAX])
{
	struct audit_text t = { out, out + RESOURCE_MAX };

	AUDIT_TEXT_PUT(&t, "\"");
	audit_text_put(&t, s->crn.text, s->crn.len);
	if (e->path != NULL) {
		AUDIT_TEXT_PUT(&t, "/secret-path=");
		audit_text_percent(&t, e->path, e->path_len, NAME_MAX_BYTES);
	}
	if (e->path != NULL && e->key != NULL) {
		AUDIT_TEXT_PUT(&t, "/secret-key=");
		audit_text_percent(&t, e->key, e->key_len, NAME_MAX_BYTES);
		if (e->version != 0) {
			AUDIT_TEXT_PUT(&t, "/version=");
			audit_text_number(&t, e->version);
		}
	}
	AUDIT_TEXT_PUT(&t, "\"");
	return (size_t)(t.at - out);
}

static void
put_authentication(struct json_out *o, const struct audit_style *s, const struct audit_event *e)
{
	const char *name;

	if (e->principal == NULL && e->mechanism == NULL)
		return;
	json_out_object(o, "authenticationInfo");
	if (e->principal != NULL)
		put_string(o, "principal", e->principal, PRINCIPAL_MAX);
	if (e->mechanism != NULL) {
		json_out_object(o, "metadata");
		put_string(o, "mechanism", e->mechanism, WORD_MAX);
		if (e->principal != NULL && !s->compact) {
			name = strchr(e->principal, ':');
			put_string(o, "identifier", name != NULL ? name + 1 : e->principal,
			    PRINCIPAL_MAX);
		}
		json_out_end(o);
	}
	json_out_end(o);
}

static void
put_authorization(struct json_out *o, const struct audit_style *s, const struct audit_event *e)
{
	if (!e->authorization)
		return;
	json_out_object(o, "authorizationInfo");
	json_out_bool(o, "granted", e->granted);
	if (e->operation != NULL)
		put_string(o, "operation", e->operation, WORD_MAX);
	json_out_text(o, "resourceType", e->path != NULL ? "Connector" : "Cluster");
	if (e->path != NULL)
		put_cut(o, "resourceName", e->path, e->path_len, NAME_MAX_BYTES);
	else
		json_out_text(o, "resourceName", "connect-cluster");
	put_string(o, "patternType", e->pattern != NULL ? e->pattern : "LITERAL", WORD_MAX);
	if (e->role != NULL) {
		json_out_object(o, "rbacAuthorization");
		put_string(o, "role", e->role, WORD_MAX);
		if (!s->compact)
			put_piece(o, "scope", &s->scope);
		json_out_end(o);
	}
	json_out_end(o);
}

static void
put_request(struct json_out *o, const struct audit_event *e)
{
	json_out_object(o, "request");
	put_string(o, "phase", e->own != NULL ? e->own : e->phase == AUDIT_INTENT ? "intent" :
	    "outcome", WORD_MAX);
	if (e->phase == AUDIT_INTENT && e->version != 0)
		json_out_uint(o, "version", e->version);
	if (e->change != NULL)
		put_string(o, "change", e->change, MESSAGE_MAX);
	if (e->value_hmac != NULL)
		put_string(o, "value", e->value_hmac, WORD_MAX);
	if (e->has_length)
		json_out_uint(o, "length", e->length);
	if (e->has_cas)
		json_out_int(o, "cas", e->cas);
	if (e->idempotency_hmac != NULL)
		put_string(o, "idempotency", e->idempotency_hmac, WORD_MAX);
	if (e->has_count)
		json_out_uint(o, "count", e->count);
	json_out_end(o);
}

/* Confluent's requestMetadata has lists here. */
static void
put_origin(struct json_out *o, const struct audit_event *e)
{
	if (e->request_id == NULL && e->client == NULL)
		return;
	json_out_object(o, "requestMetadata");
	if (e->request_id != NULL) {
		json_out_array(o, "requestId");
		put_string(o, NULL, e->request_id, WORD_MAX);
		json_out_end(o);
	}
	if (e->client != NULL) {
		json_out_array(o, "clientAddress");
		json_out_object(o, NULL);
		put_string(o, "ip", e->client, WORD_MAX);
		json_out_end(o);
		json_out_end(o);
	}
	if (e->via != NULL)
		put_string(o, "forwardedBy", e->via, WORD_MAX);
	json_out_end(o);
}

static void
put_result(struct json_out *o, const struct audit_event *e)
{
	if (e->status == 0 && e->message == NULL && e->offset == 0)
		return;
	json_out_object(o, "result");
	if (e->status != 0)
		json_out_int(o, "status", e->status);
	if (e->message != NULL)
		put_string(o, "message", e->message, MESSAGE_MAX);
	if (e->version != 0 && e->phase != AUDIT_INTENT)
		json_out_uint(o, "version", e->version);
	if (e->offset != 0)
		json_out_uint(o, "offset", e->offset);
	json_out_end(o);
}

static void
put_data(struct json_out *o, const struct audit_style *s, const struct audit_event *e,
    const char *resource, size_t resource_len)
{
	char method[WORD_MAX + 32];
	struct audit_text t = { method, method + sizeof(method) };
	const char *name = e->method != NULL ? e->method : "AuditLog";

	AUDIT_TEXT_PUT(&t, "secret-registry.");
	audit_text_put(&t, name, audit_text_cut(name, strlen(name), WORD_MAX));
	json_out_object(o, "data");
	if (!s->compact)
		put_piece(o, "serviceName", &s->source);
	json_out_text_n(o, "methodName", method, (size_t)(t.at - method));
	json_out_raw_n(o, "resourceName", resource, resource_len);
	put_authentication(o, s, e);
	put_authorization(o, s, e);
	put_request(o, e);
	put_origin(o, e);
	put_result(o, e);
	json_out_end(o);
}

size_t
audit_event_write(const struct audit_style *s, const struct audit_event *e, int64_t time_ms,
    char *out)
{
	static _Thread_local char resource[RESOURCE_MAX];	/* large, so not on the stack */
	struct buf b = buf_over(out, AUDIT_EVENT_MAX);
	char time[AUDIT_TEXT_TIME + 2];
	struct audit_text t = { time, time + sizeof(time) };
	size_t n = make_resource(s, e, resource);
	struct json_out o;

	json_out_init(&o, &b);
	json_out_hide(&o);
	json_out_object(&o, NULL);
	put_piece(&o, "source", &s->heads[e->authorization ? 1 : 0]);
	if (!s->compact)
		json_out_raw_n(&o, "subject", resource, n);
	AUDIT_TEXT_PUT(&t, "\"");
	audit_text_time(&t, time_ms);
	AUDIT_TEXT_PUT(&t, "\"");
	json_out_raw_n(&o, "time", time, sizeof(time));
	if (!s->compact)
		put_piece(&o, "confluentRouting", &s->routing);
	put_data(&o, s, e, resource, n);
	/* The line goes on before and behind this: audit_chain_seal. */
	*out = ',';
	return b.len;
}
