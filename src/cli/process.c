#include "cli/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secmem.h"

/* What was found; limits that could not be read are not given back. */
static struct {
	struct rlimit core;
	struct rlimit files;
	bool has_core;
	bool has_files;
	mode_t mask;
	struct sigaction pipe;
} found;

/*
 * A standard descriptor that the caller closed would be given to the next
 * file that is opened.  It is taken by /dev/null instead, opened the wrong
 * way round, so that reading standard input or writing output still fails.
 */
static void
open_standard(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(1);
	}
}

/* A plan over many files holds a few descriptors of each until it is applied. */
static void
raise_file_limit(void)
{
	struct rlimit limit = found.files;

	limit.rlim_cur = limit.rlim_max;
	if (found.has_files)
		(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void
process_begin(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	open_standard();
	found.has_core = getrlimit(RLIMIT_CORE, &found.core) == 0;
	found.has_files = getrlimit(RLIMIT_NOFILE, &found.files) == 0;
	secmem_harden_process();
	raise_file_limit();
	found.mask = umask(077);
	sigaction(SIGPIPE, &ignore, &found.pipe);
}

void
process_restore(bool all)
{
	sigaction(SIGPIPE, &found.pipe, NULL);
	if (found.has_files)
		(void)setrlimit(RLIMIT_NOFILE, &found.files);
	if (!all)
		return;
	umask(found.mask);
	if (found.has_core)
		(void)setrlimit(RLIMIT_CORE, &found.core);
}
