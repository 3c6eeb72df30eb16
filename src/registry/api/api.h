#ifndef REGISTRY_API_API_H
#define REGISTRY_API_API_H

struct access;
struct api;
struct audit;
struct auth;
struct buf;
struct error;
struct http_request;
struct http_server;
struct settings;
struct store;

/*
 * The REST interface (registry-contract, section 3): what a request means,
 * who may do it, what is said in the audit log, what is answered.  In this
 * order: URL, credentials, rights, route and method, body, existence.
 */

struct api_parts {
	const struct settings *settings;
	struct auth *auth;
	struct access *access;
	struct audit *audit;
	struct store *store;
};

struct api *api_new(const struct api_parts *p, unsigned threads, struct error *err);

/* http_options' callbacks; the cookie is the api. */
void api_handle(struct http_request *r, void *cookie);
void api_refuse(int status, struct buf *body, void *cookie);
int api_expect(struct http_request *r, void *cookie);

/* For /metrics: the server's own counts.  Set before the first request. */
void api_set_server(struct api *a, struct http_server *s);

/* The service is about to end: /health/ready says no, watchers are let go. */
void api_drain(struct api *a);

/* No more requests come, and none is under way: end what the api has running
 * and put on record what it still knows.  The parts must still be there. */
void api_stop(struct api *a);
void api_free(struct api *a);

#endif /* !REGISTRY_API_API_H */
