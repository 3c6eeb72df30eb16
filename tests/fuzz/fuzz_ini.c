/*
 * propseal.ini.  What is read without a problem can be put in force, and no
 * problem is told of a file that has none.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/settings.h"
#include "fuzz_support.h"

static void
count_problem(void *cookie, const struct error *what)
{
	need(what->text[0] != '\0' && memchr(what->text, '\0', sizeof(what->text)) != NULL);
	++*(size_t *)cookie;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;
	struct config_file *f;
	struct config *c;
	size_t problems = 0;
	struct error err = { .code = ERROR_NONE };

	if (fd == -1) {
		need((fd = memfd_create("propseal.ini", MFD_CLOEXEC)) != -1);
		need(fchmod(fd, 0600) == 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	need(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	f = config_file_read(path, false, count_problem, &problems, &err);
	need(f != NULL ? problems == 0 : err.code != ERROR_NONE);
	if (f != NULL && (c = config_single(f, &err)) != NULL)
		config_free(c);
	return 0;
}
