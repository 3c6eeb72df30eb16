#ifndef BASE_COMPAT_H
#define BASE_COMPAT_H

#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* What glibc and the kernel's headers have and musl lacks. */

#if defined(__has_include)
#if __has_include(<linux/magic.h>)
#include <linux/magic.h>
#endif
#if __has_include(<sys/queue.h>)
#include <sys/queue.h>
#endif
#endif

/* File systems in memory, as statfs() tells them. */
#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif
#ifndef RAMFS_MAGIC
#define RAMFS_MAGIC 0x858458f6
#endif

/**
 * compat_rename_new(dir, from, to):
 * Rename within the folder ${dir} (a descriptor, or AT_FDCWD), over nothing:
 * EEXIST where ${to} is there.  0, or -1 and errno; EINVAL, ENOSYS or ENOTSUP
 * where the system cannot promise it.
 */
static inline int
compat_rename_new(int dir, const char *from, const char *to)
{
#if defined(RENAME_NOREPLACE)
	return renameat2(dir, from, dir, to, RENAME_NOREPLACE);
#elif defined(SYS_renameat2)
	const unsigned int no_replace = 1;	/* RENAME_NOREPLACE of linux/fs.h */

	return (int)syscall(SYS_renameat2, dir, from, dir, to, no_replace);
#else
	(void)dir;
	(void)from;
	(void)to;
	errno = ENOSYS;
	return -1;
#endif
}

/**
 * compat_rwlock_init(lock):
 * A lock that a stream of readers does not keep a writer from for ever, where
 * the C library has such a thing; another's default lock elsewhere.  A thread
 * must not read-lock it twice.  0, or an error number.
 */
static inline int
compat_rwlock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;
	int result = pthread_rwlockattr_init(&attr);

	if (result != 0)
		return result;
#ifdef __GLIBC__
	(void)pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	result = pthread_rwlock_init(lock, &attr);
	(void)pthread_rwlockattr_destroy(&attr);
	return result;
}

/*
 * Tail queues as BSD's <sys/queue.h> has them, as far as they are used here.
 * An element's ${prev} is the pointer that points at it: the head's ${first}
 * or the ${next} before it.
 */
#ifndef TAILQ_HEAD
#define TAILQ_HEAD(name, type)							\
	struct name { struct type *tqh_first; struct type **tqh_last; }
#define TAILQ_FIRST(head)	((head)->tqh_first)
#define TAILQ_NEXT(item, entry)	((item)->entry.tqe_next)
#define TAILQ_EMPTY(head)	((head)->tqh_first == NULL)
#define TAILQ_INIT(head) do {							\
	(head)->tqh_first = NULL;						\
	(head)->tqh_last = &(head)->tqh_first;					\
} while (0)
#define TAILQ_INSERT_TAIL(head, item, entry) do {				\
	(item)->entry.tqe_next = NULL;						\
	(item)->entry.tqe_prev = (head)->tqh_last;				\
	*(head)->tqh_last = (item);						\
	(head)->tqh_last = &(item)->entry.tqe_next;				\
} while (0)
#define TAILQ_REMOVE(head, item, entry) do {					\
	*(item)->entry.tqe_prev = (item)->entry.tqe_next;			\
	if ((item)->entry.tqe_next != NULL)					\
		(item)->entry.tqe_next->entry.tqe_prev = (item)->entry.tqe_prev;	\
	else									\
		(head)->tqh_last = (item)->entry.tqe_prev;			\
} while (0)
#endif
#ifndef TAILQ_ENTRY
#define TAILQ_ENTRY(type)							\
	struct { struct type *tqe_next; struct type **tqe_prev; }
#endif

#endif /* !BASE_COMPAT_H */
