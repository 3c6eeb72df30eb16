#ifndef REGISTRY_CLIENT_TLS_H
#define REGISTRY_CLIENT_TLS_H

struct client_options;
struct error;
struct ssl_ctx_st;

/* OpenSSL's SSL_CTX for connections to a registry: TLS 1.2 and later, its
 * certificate verified, ours presented.  The caller frees it.  NULL:
 * ERROR_FORMAT (a file is no PEM), ERROR_CRYPTO. */
struct ssl_ctx_st *tls_context(const struct client_options *o, struct error *err);

#endif /* !REGISTRY_CLIENT_TLS_H */
