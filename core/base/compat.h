#ifndef BASE_COMPAT_H
#define BASE_COMPAT_H

#include <sys/syscall.h>
#include <sys/vfs.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
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

/* And those that refuse a lease as if somebody else had the file open. */
#ifndef NFS_SUPER_MAGIC
#define NFS_SUPER_MAGIC 0x6969
#endif
#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xff534d42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xfe534d42
#endif

/* Is the open file on a file system of another host? */
static inline bool
compat_is_on_network(int fd)
{
	struct statfs fs;
	unsigned int type;

	if (fstatfs(fd, &fs) == -1)
		return false;
	type = (unsigned int)fs.f_type;
	return type == NFS_SUPER_MAGIC || type == CIFS_SUPER_MAGIC || type == SMB2_SUPER_MAGIC;
}

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1	/* of linux/fs.h */
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

#ifndef __GLIBC__
/* musl has it from 1.2.6 on. */
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flag)
    __attribute__((weak));
#endif

/**
 * compat_rename(dir, from, to, flag):
 * Rename within the folder ${dir} (a descriptor, or AT_FDCWD).
 * RENAME_NOREPLACE: over nothing, EEXIST where ${to} is there.
 * RENAME_EXCHANGE: each gets the other's name, at once.  0, or -1 and errno;
 * EINVAL, ENOSYS or ENOTSUP where the system cannot promise it.
 */
static inline int
compat_rename(int dir, const char *from, const char *to, unsigned int flag)
{
#if defined(__GLIBC__)
	return renameat2(dir, from, dir, to, flag);
#elif defined(SYS_renameat2)
	return renameat2 != NULL ? renameat2(dir, from, dir, to, flag) :
	    (int)syscall(SYS_renameat2, dir, from, dir, to, flag);
#else
	(void)dir;
	(void)from;
	(void)to;
	(void)flag;
	errno = ENOSYS;
	return -1;
#endif
}

/* Did that fail because the system cannot promise it? */
static inline bool
compat_rename_is_missing(void)
{
	return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP;
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
