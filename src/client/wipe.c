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
#include "crypto/memory.h"

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

int
wipe_on_free(struct error *err)
{
	static bool done;

	if (done)
		return 0;
	if (openssl_memory_begin(true, err) != 0)
		return -1;
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return error_set(err, ERROR_CRYPTO, "OpenSSL cannot be started");
	event_set_mem_functions(malloc, wipe_realloc, wipe_free);
	json_set_alloc_funcs(malloc, wipe_free);
	done = true;
	return 0;
}
