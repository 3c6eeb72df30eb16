#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "registry/http/http.h"
#include "registry/http/http_internal.h"

/* For TLS 1.2; those of 1.3 are all good. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define NAME_MAX_BYTES 4096

/* A key that needs a passphrase must fail, not ask on the terminal. */
static int
no_passphrase(char *out, int size, int writing, void *cookie)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)cookie;
	return -1;
}

/* Offered HTTP/1.1, say so; anything else is left open. */
static int
select_protocol(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
    unsigned n, void *cookie)
{
	static const unsigned char own[] = "\x08http/1.1";
	unsigned char *found;

	(void)ssl;
	(void)cookie;
	if (SSL_select_next_proto(&found, len, own, sizeof(own) - 1, in, n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

static int
http_tls_fail(struct error *err, const char *what, const char *file)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	error_set(err, ERROR_FORMAT, "%s%s%s", what, reason != NULL ? ": " : "",
	    reason != NULL ? reason : "");
	error_place(err, file, 0);
	ERR_clear_error();
	return -1;
}

static int
load_files(SSL_CTX *ctx, const struct http_options *o, struct error *err)
{
	const char *key = o->key != NULL ? o->key : o->certificate;

	if (SSL_CTX_use_certificate_chain_file(ctx, o->certificate) != 1)
		return http_tls_fail(err, "the certificate cannot be read", o->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return http_tls_fail(err,
		    "the key cannot be read or does not fit the certificate", key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return http_tls_fail(err, "the key does not fit the certificate", key);
	return 0;
}

static int
load_client_ca(SSL_CTX *ctx, const struct http_options *o, struct error *err)
{
	STACK_OF(X509_NAME) *names;

	if (o->client_ca == NULL)
		return 0;
	names = SSL_load_client_CA_file(o->client_ca);
	if (names == NULL || SSL_CTX_load_verify_file(ctx, o->client_ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return http_tls_fail(err, "the client certificates' CA cannot be read",
		    o->client_ca);
	}
	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
	    (o->client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	/* A resumed session would not look at the certificate again. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	return 0;
}

SSL_CTX *
http_tls_new(const struct http_options *o, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1) {
		SSL_CTX_free(ctx);
		error_memory(err);
		return NULL;
	}
	/* A client that closes without a TLS goodbye has closed, nothing more. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
	ERR_clear_error();
	if (load_files(ctx, o, err) == -1 || load_client_ca(ctx, o, err) == -1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* A copy of a name from a certificate; NULL if it holds what no name should. */
static char *
copy_name(const unsigned char *p, int n)
{
	char *copy;
	int i;

	if (n <= 0 || n > NAME_MAX_BYTES)
		return NULL;
	for (i = 0; i < n; i++) {
		if (p[i] < ' ' || p[i] == 0x7f)
			return NULL;
	}
	copy = calloc(1, (size_t)n + 1);
	if (copy != NULL)
		memcpy(copy, p, (size_t)n);
	return copy;
}

/* The last, most specific common name. */
static char *
read_cn(const X509_NAME *subject)
{
	unsigned char *text = NULL;
	char *copy;
	int i = -1, last = -1;
	int n;

	while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0)
		last = i;
	if (last < 0)
		return NULL;
	n = ASN1_STRING_to_UTF8(&text,
	    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	copy = text != NULL ? copy_name(text, n) : NULL;
	OPENSSL_free(text);
	return copy;
}

static char *
read_dn(const X509_NAME *subject)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	char *copy = NULL;

	/* RFC 2253, but characters beyond ASCII stand as they are. */
	if (bio != NULL && X509_NAME_print_ex(bio, subject, 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) > 0) {
		long n = BIO_get_mem_data(bio, &text);

		copy = n > 0 && n <= NAME_MAX_BYTES ?
		    copy_name((const unsigned char *)text, (int)n) : NULL;
	}
	BIO_free(bio);
	return copy;
}

/* The first DNS name or URI among the alternative names. */
static char *
read_san(X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	char *copy = NULL;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && copy == NULL; i++) {
		int type;
		const ASN1_STRING *value =
		    GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

		if (type == GEN_DNS || type == GEN_URI)
			copy = copy_name(ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
	}
	GENERAL_NAMES_free(names);
	return copy;
}

void
http_tls_peer_read(struct http_tls_peer *p, SSL *ssl)
{
	X509 *certificate;
	const X509_NAME *subject;

	if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0 ||
	    SSL_get_verify_result(ssl) != X509_V_OK)
		return;
	certificate = SSL_get1_peer_certificate(ssl);
	if (certificate == NULL)
		return;
	subject = X509_get_subject_name(certificate);
	p->cn = read_cn(subject);
	p->dn = read_dn(subject);
	p->san = read_san(certificate);
	X509_free(certificate);
}

void
http_tls_peer_free(struct http_tls_peer *p)
{
	free(p->cn);
	free(p->dn);
	free(p->san);
	memset(p, 0, sizeof(*p));
}
