#include "tests/torture/estate.h"

#include <sys/stat.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/key.h"
#include "file/file.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "rotation/rotation.h"
#include "seal/keying.h"
#include "seal/seal.h"

void
die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

void
die_of(const struct error *err)
{
	fprintf(stderr, "%s: %s\n", err->file, err->text);
	exit(1);
}

void
put(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		die(path);
}

struct saved
get(const char *path)
{
	struct saved k = { .path = "" };
	struct error err;

	snprintf(k.path, sizeof(k.path), "%s", path);
	buf_init(&k.bytes, BUF_MAX_FILE);
	if (file_read(path, &k.bytes, NULL, &err) != 0)
		die_of(&err);
	return k;
}

/* --- all of it --- */

static struct tree *taken;

static int
take_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	struct node *n;

	(void)f;
	if ((type != FTW_F && type != FTW_D) || strcmp(path, ".") == 0)
		return 0;
	if ((n = vec_push(&taken->nodes)) == NULL)
		die(path);
	n->mode = st->st_mode;
	n->ino = st->st_ino;
	if (type == FTW_F)
		n->file = get(path);
	else
		snprintf(n->file.path, sizeof(n->file.path), "%s", path);
	return 0;
}

void
tree_release(struct tree *t)
{
	for (size_t i = 0; i < t->nodes.len; i++)
		buf_release(&((struct node *)vec_at(&t->nodes, i))->file.bytes);
	vec_release(&t->nodes);
}

void
tree_take(struct tree *t)
{
	vec_init(&t->nodes, sizeof(struct node), 1U << 20);
	taken = t;
	if (nftw(".", take_one, 8, FTW_PHYS) != 0)
		die("the folder");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)f;
	/* A symbolic link stays, and so do the folders it is in. */
	if (type != FTW_SL && remove(path) != 0 && type != FTW_DP)
		die(path);
	return 0;
}

void
tree_put(const struct tree *t)
{
	if (nftw(".", remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		die("the folder");
	for (size_t i = 0; i < t->nodes.len; i++) {
		const struct node *n = vec_at(&t->nodes, i), *other = n;

		for (size_t k = 0; S_ISREG(n->mode) && k < i && other == n; k++)
			if (((struct node *)vec_at(&t->nodes, k))->ino == n->ino)
				other = vec_at(&t->nodes, k);
		if (other != n) {
			if (link(other->file.path, n->file.path) != 0)
				die(n->file.path);
			continue;
		}
		if (S_ISREG(n->mode))
			put(n->file.path, n->file.bytes.data, n->file.bytes.len);
		else if (mkdir(n->file.path, 0700) != 0 && errno != EEXIST)
			die(n->file.path);
		if (chmod(n->file.path, n->mode & 07777) != 0)
			die(n->file.path);
	}
}

/* --- environments --- */

void
value_of(char out[64], int e, int c)
{
	snprintf(out, 64, "Secret-of-%d-in-%d", c, e);
}

void
to_text(const struct key *k, char out[ESTATE_KEY])
{
	struct buf text;

	buf_init_secret(&text, 4096);
	key_append_base64(k, &text);
	snprintf(out, ESTATE_KEY, "%s", buf_cstr(&text));
	buf_release(&text);
}

static const struct change_callbacks no_callbacks = { .waiting = NULL };

void
estate_make(int e, int n, char key[ESTATE_KEY])
{
	char path[64], value[64], text[200];
	struct key *master = NULL;
	struct change c;
	struct error err;

	snprintf(path, sizeof(path), "e%d", e);
	if (mkdir(path, 0700) != 0)
		die(path);
	snprintf(path, sizeof(path), "e%d/secrets.properties", e);
	change_init(&c, &no_callbacks, NULL);
	if (change_files(&c, NULL, path, true, &err) != 0 || change_start(&c, &err) != 0 ||
	    rotate_generate(c.plan, ESTATE_PASSPHRASE,
	    strlen(ESTATE_PASSPHRASE), &master, &err) != 0 ||
	    change_apply(&c, &err) != 0)
		die_of(&err);
	to_text(master, key);
	change_close(&c);
	key_free(master);
	for (int i = 0; i < n; i++) {
		value_of(value, e, i);
		snprintf(path, sizeof(path), "e%d/c%d.properties", e, i);
		snprintf(text, sizeof(text), "# %d\na.password=%s\nlisteners=x\n", i, value);
		put(path, text, strlen(text));
	}
}

int
estate_seal(int e, int n, const char *key)
{
	struct seal_options options = { .remote = "/etc/kafka/secrets.properties" };
	struct key *master = key_from_base64(key, strlen(key), NULL);
	char path[64];
	struct change c;
	struct error err;
	int rc;

	snprintf(path, sizeof(path), "e%d/secrets.properties", e);
	change_init(&c, &no_callbacks, NULL);
	rc = change_files(&c, NULL, path, false, &err);
	for (int i = 0; rc == 0 && i < n; i++) {
		snprintf(path, sizeof(path), "e%d/c%d.properties", e, i);
		rc = change_config(&c, path, &err) != NULL ? 0 : -1;
	}
	if (rc == 0 && (rc = change_start(&c, &err)) == 0)
		rc = seal_prepare(c.plan, master, &err);
	for (size_t i = 0; rc == 0 && i < c.configs.len; i++)
		rc = seal_default(c.plan, *(struct configuration **)vec_at(&c.configs, i), &options,
		    NULL, &err);
	if (rc == 0)
		rc = change_apply(&c, &err);
	change_close(&c);
	key_free(master);
	return rc == 0 ? 0 : error_exit_status(err.code);
}

struct key *
estate_old_key(char keys[][ESTATE_KEY], int n, const struct rotation_want *w, struct error *err)
{
	for (int e = 0; e < n; e++) {
		struct key *k = key_from_base64(keys[e], strlen(keys[e]), err);

		if (k == NULL || rotation_key_fits(w, k))
			return k;
		key_free(k);
	}
	error_set(err, ERROR_KEY, "no key");
	return NULL;
}
