#include "registry/http/internal.h"

/* What a handler may ask of its request. */

enum http_method
http_method(const struct http_request *r)
{
	return r->head.method;
}

const char *
http_method_name(const struct http_request *r)
{
	return r->head.method_name;
}

const char *
http_path(const struct http_request *r)
{
	return r->head.path;
}

const char *
http_query(const struct http_request *r)
{
	return r->head.query;
}

const char *
http_header(const struct http_request *r, const char *name)
{
	size_t i = 0;
	const struct http_field *f = http_head_find(&r->head, name, &i);

	return f != NULL ? f->value : NULL;
}

size_t
http_header_count(const struct http_request *r, const char *name)
{
	size_t count = 0;
	size_t i = 0;

	while (http_head_find(&r->head, name, &i) != NULL)
		count++;
	return count;
}

struct buf *
http_body(struct http_request *r)
{
	return &r->body;
}

const char *
http_peer(const struct http_request *r)
{
	return r->connection->peer;
}

bool
http_is_tls(const struct http_request *r)
{
	return r->connection->ssl != NULL;
}

const char *
http_peer_cn(const struct http_request *r)
{
	return r->connection->certificate.cn;
}

const char *
http_peer_dn(const struct http_request *r)
{
	return r->connection->certificate.dn;
}

const char *
http_peer_san(const struct http_request *r)
{
	return r->connection->certificate.san;
}

unsigned
http_thread(const struct http_request *r)
{
	return r->connection->thread->number;
}

bool
http_gone(const struct http_request *r)
{
	return r->connection->gone;
}

void
http_post(struct http_request *r, void (*run)(void *arg), void *arg)
{
	http_thread_post(r->connection->thread, run, arg);
}
