#include <jansson.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/error.h"
#include "base/secmem.h"
#include "client/wipe.h"

static void
wipe_free(void *p)
{
	if (p == NULL)
		return;
	secmem_wipe(p, malloc_usable_size(p));
	free(p);
}

static void *
wipe_realloc(void *p, size_t n)
{
	size_t old;
	void *fresh;

	if (p == NULL)
		return malloc(n);
	old = malloc_usable_size(p);
	if (n <= old && n > old / 2)
		return p;
	if ((fresh = malloc(n)) == NULL)
		return NULL;
	memcpy(fresh, p, old < n ? old : n);
	wipe_free(p);
	return fresh;
}

static void *
openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(n);
}

static void *
openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_realloc(p, n);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(p);
}

int
wipe_on_free(struct error *err)
{
	static bool done;

	if (done)
		return 0;
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
		return error_set(err, ERROR_REFUSED, "OpenSSL was used before its memory could be "
		    "made to wipe itself");
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return error_set(err, ERROR_CRYPTO, "OpenSSL cannot be started");
	event_set_mem_functions(malloc, wipe_realloc, wipe_free);
	json_set_alloc_funcs(malloc, wipe_free);
	done = true;
	return 0;
}
