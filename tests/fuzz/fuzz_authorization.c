/* The Authorization header: its scheme, Basic credentials, API tokens. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/mac.h"
#include "file/file.h"
#include "registry/auth/auth.h"
#include "registry/auth/auth_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct digest *digest;
static struct data_items *tokens;
static char good[TOKENS_TEXT + 1];

static void
need(int yes)
{
	if (!yes)
		abort();
}

/* A table with one token in it. */
static void
make_tokens(void)
{
	char folder[] = "/tmp/propseal-fuzz.XXXXXX";
	char path[64], id[13];
	struct file_id file;
	struct buf text;

	need(mkdtemp(folder) != NULL);
	buf_init_secret(&text, 256);
	need(auth_token_create(folder, "worker", 0, id, &text, NULL) == 0);
	need(text.len == TOKENS_TEXT);
	memcpy(good, text.data, TOKENS_TEXT);
	buf_release(&text);
	snprintf(path, sizeof(path), "%s/%s", folder, TOKENS_FILE);
	need((tokens = data_items_read(&tokens_table, path, &file, NULL)) != NULL);
	need((digest = digest_new(NULL)) != NULL);
	need(tokens_check(tokens, digest, good, TOKENS_TEXT, 0) != NULL);
	unlink(path);
	rmdir(folder);
}

static void
check_basic(const struct authorization *a)
{
	char name[PRINCIPAL_MAX], again[PRINCIPAL_MAX];
	struct buf password;

	buf_init_secret(&password, PASSWORD_MAX);
	if (authorization_basic(a, name, &password)) {
		need(strlen(name) > 0 && strchr(name, ':') == NULL);
		need(password.len <= PASSWORD_MAX);
		/* Only one "User:" is dropped, so a name may not begin with another. */
		need(principal_normalise(name, strlen(name), again));
		need(strcmp(name, again) == 0);
	}
	buf_release(&password);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authorization a;
	char *header;

	if (tokens == NULL)
		make_tokens();
	if (size > 16384 || (header = malloc(size + 1)) == NULL)
		return 0;
	memcpy(header, data, size);
	header[size] = '\0';
	authorization_parse(header, &a);
	need(a.scheme == AUTHORIZATION_NONE ||
	    (a.text >= header && a.text + a.n <= header + size));
	if (a.scheme == AUTHORIZATION_BASIC)
		check_basic(&a);
	if (a.scheme == AUTHORIZATION_BEARER && tokens_is_one(a.text, a.n))
		need(tokens_check(tokens, digest, a.text, a.n, 0) == NULL ||
		    (a.n == TOKENS_TEXT && memcmp(a.text, good, a.n) == 0));
	free(header);
	return 0;
}
