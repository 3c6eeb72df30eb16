#include "client/tls.h"

#include <openssl/ssl.h>

#include "base/error.h"
#include "client/client.h"

static int
no_file(struct error *err, const char *file, const char *what)
{
	error_set(err, ERROR_FORMAT, "%s", what);
	error_place(err, file, 0);
	return error_hint(err, "it must be a PEM file that can be read");
}

static int
set_up(SSL_CTX *c, const struct client_options *o, struct error *err)
{
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	if (o->ca != NULL) {
		if (SSL_CTX_load_verify_locations(c, o->ca, NULL) != 1)
			return no_file(err, o->ca, "no certificates could be read from it");
	} else if (SSL_CTX_set_default_verify_paths(c) != 1) {
		return error_set(err, ERROR_CRYPTO, "the system's certificates cannot be read");
	}
	if (o->certificate == NULL)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(c, o->certificate) != 1)
		return no_file(err, o->certificate, "no certificate could be read from it");
	if (SSL_CTX_use_PrivateKey_file(c, o->key != NULL ? o->key : o->certificate,
	    SSL_FILETYPE_PEM) != 1)
		return no_file(err, o->key != NULL ? o->key : o->certificate,
		    "no private key that fits the certificate could be read from it");
	return 0;
}

struct ssl_ctx_st *
tls_context(const struct client_options *o, struct error *err)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL) {
		error_set(err, ERROR_CRYPTO, "cannot set up TLS");
		return NULL;
	}
	if (set_up(c, o, err) == 0)
		return c;
	SSL_CTX_free(c);
	return NULL;
}
