#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secmem.h"
#include "dispatch.h"

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
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	open_standard();
	secmem_harden_process();
	raise_file_limit();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	return dispatch_run(argc, argv);
}
