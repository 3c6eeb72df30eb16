#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/service/service_internal.h"

#define CERTIFICATE "ssl.certificate"
#define KEY "ssl.key"
#define CLIENT_CA "ssl.client.ca"

static int
hint(const struct settings *set, const char *key, struct error *err)
{
	if (strcmp(key, CLIENT_CA) == 0)
		return error_hint(err, CLIENT_CA " names a PEM file with the certificates of those "
		    "who sign certificates of clients");
	if (strcmp(key, KEY) == 0)
		return error_hint(err, KEY " names the PEM file of the private key that belongs to "
		    CERTIFICATE ", without a passphrase");
	return error_hint(err, CERTIFICATE " names a PEM file with the certificate of this server "
	    "and those between it and the root%s", set->tls_key != NULL ? "" :
	    "; with " KEY " not set the private key must be in it too");
}

static int
check_file(const struct settings *set, const char *key, const char *file, struct error *err)
{
	if (file == NULL || faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) == 0)
		return 0;
	error_io(err, file, "cannot be read");
	error_key(err, key, strlen(key));
	return hint(set, key, err);
}

static int
check_needed(const char *key, const char *needed, struct error *err)
{
	error_set(err, ERROR_USAGE, "this does nothing without %s", needed);
	error_key(err, key, strlen(key));
	return error_hint(err, "set %s, or take %s out", needed, key);
}

int
service_tls_check(const struct settings *set, struct error *err)
{
	if (set->tls_certificate == NULL && set->tls_key != NULL)
		return check_needed(KEY, CERTIFICATE, err);
	if (set->tls_certificate == NULL && set->tls_client_ca != NULL)
		return check_needed(CLIENT_CA, CERTIFICATE, err);
	/* Whoever asks for it must not be left without. */
	if (set->tls_client_ca == NULL && set->tls_client_required)
		return check_needed("ssl.client.auth=required", CLIENT_CA, err);
	if (check_file(set, CERTIFICATE, set->tls_certificate, err) != 0 ||
	    check_file(set, KEY, set->tls_key, err) != 0 ||
	    check_file(set, CLIENT_CA, set->tls_client_ca, err) != 0)
		return -1;
	return 0;
}

static bool
is_at(const struct error *err, const char *file)
{
	return file != NULL && strncmp(err->file, file, sizeof(err->file) - 1) == 0;
}

int
service_tls_explain(const struct settings *set, struct error *err)
{
	const char *key = is_at(err, set->tls_key) ? KEY :
	    is_at(err, set->tls_certificate) ? CERTIFICATE :
	    is_at(err, set->tls_client_ca) ? CLIENT_CA : NULL;

	if (key == NULL)
		return -1;
	error_key(err, key, strlen(key));
	return hint(set, key, err);
}
