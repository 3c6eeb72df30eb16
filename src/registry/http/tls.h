#ifndef REGISTRY_HTTP_TLS_H
#define REGISTRY_HTTP_TLS_H

#include <openssl/ssl.h>

struct error;
struct http_options;

/* What a verified client certificate says; NULL: nothing. */
struct http_tls_peer {
	char *cn;
	char *dn;
	char *san;
};

/* TLS 1.2 and 1.3 from the files that the options name.  ERROR_FORMAT, ERROR_MEMORY. */
SSL_CTX *http_tls_new(const struct http_options *o, struct error *err);

/* After the handshake. */
void http_tls_peer_read(struct http_tls_peer *p, SSL *ssl);
void http_tls_peer_free(struct http_tls_peer *p);

#endif /* !REGISTRY_HTTP_TLS_H */
