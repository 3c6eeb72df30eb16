/* What core/base/compat.h puts in the place of glibc's own, with musl. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), exit(1)))

struct item {
	char name;
	TAILQ_ENTRY(item) entry;
};
TAILQ_HEAD(items, item);

static void
must_hold(const struct items *q, const char *names)
{
	const struct item *i;

	for (i = TAILQ_FIRST(q); i != NULL; i = TAILQ_NEXT(i, entry))
		MUST(*names != '\0' && i->name == *names++);
	MUST(*names == '\0' && TAILQ_EMPTY(q) == (TAILQ_FIRST(q) == NULL));
}

static void
queues(void)
{
	struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
	struct items q;

	TAILQ_INIT(&q);
	must_hold(&q, "");
	TAILQ_INSERT_TAIL(&q, &a, entry);
	TAILQ_INSERT_TAIL(&q, &b, entry);
	TAILQ_INSERT_TAIL(&q, &c, entry);
	must_hold(&q, "abc");
	TAILQ_REMOVE(&q, &b, entry);
	must_hold(&q, "ac");
	TAILQ_REMOVE(&q, &c, entry);
	TAILQ_INSERT_TAIL(&q, &b, entry);
	must_hold(&q, "ab");
	TAILQ_REMOVE(&q, &a, entry);
	TAILQ_REMOVE(&q, &b, entry);
	must_hold(&q, "");
	TAILQ_INSERT_TAIL(&q, &c, entry);
	must_hold(&q, "c");
}

static void
make_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0600);

	MUST(fd != -1 && close(fd) == 0);
}

static void
renames(void)
{
	char to[8];

	(void)unlink("compat-b");
	make_file("compat-a");
	MUST(compat_rename(AT_FDCWD, "compat-a", "compat-b", RENAME_NOREPLACE) == 0);
	MUST(access("compat-a", F_OK) == -1 && access("compat-b", F_OK) == 0);
	make_file("compat-a");
	MUST(compat_rename(AT_FDCWD, "compat-a", "compat-b", RENAME_NOREPLACE) == -1 &&
	    errno == EEXIST);
	MUST(symlink("b", "compat-c") == 0);
	MUST(compat_rename(AT_FDCWD, "compat-c", "compat-b", RENAME_EXCHANGE) == 0);
	MUST(readlink("compat-b", to, sizeof(to)) == 1 && unlink("compat-c") == 0);
	MUST(access("compat-a", F_OK) == 0);
	MUST(unlink("compat-a") == 0 && unlink("compat-b") == 0);
}

static void
locks(void)
{
	pthread_rwlock_t lock;

	MUST(compat_rwlock_init(&lock) == 0);
	MUST(pthread_rwlock_wrlock(&lock) == 0 && pthread_rwlock_tryrdlock(&lock) != 0);
	MUST(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_tryrdlock(&lock) == 0);
	MUST(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_destroy(&lock) == 0);
}

int
main(void)
{
	queues();
	renames();
	locks();
	return 0;
}
