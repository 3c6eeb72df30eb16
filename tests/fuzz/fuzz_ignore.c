/*
 * Any bytes as a .gitignore: what it says of some paths it says again, and no
 * more once its folder is left.  The first line is a path below the folder; what
 * follows is the file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/ignore.h"
#include "base/error.h"
#include "fuzz_support.h"

/* In memory, where there is such a folder. */
static char root[] = "/dev/shm/propseal-fuzz-XXXXXX";

static void
remove_root(void)
{
	char path[sizeof(root) + 16];

	snprintf(path, sizeof(path), "%s/.gitignore", root);
	(void)unlink(path);
	(void)rmdir(root);
}

static void
write_rules(const uint8_t *data, size_t size)
{
	char path[sizeof(root) + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/.gitignore", root);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	need(fd != -1 && ftruncate(fd, 0) == 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_there;
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = end != NULL ? (size_t)(end - data) : size, mark = 0;
	bool file, folder;
	struct ignore *g;
	struct error err;
	struct buf path;

	if (!is_there) {
		if (access("/dev/shm", W_OK) != 0)
			snprintf(root, sizeof(root), "/tmp/propseal-fuzz-XXXXXX");
		need(mkdtemp(root) != NULL && atexit(remove_root) == 0);
		is_there = true;
	}
	if (n == 0 || memchr(data, '\0', n) != NULL)
		return 0;
	write_rules(data + n, size - n);
	buf_init(&path, BUF_MAX_FILE);
	buf_printf(&path, "%s/", root);
	buf_append(&path, data, n);
	need((g = ignore_new(root, &err)) != NULL);
	need(!ignore_leaves_out(g, buf_cstr(&path), false));
	if (ignore_enter(g, root, &mark, &err) == 0) {
		file = ignore_leaves_out(g, buf_cstr(&path), false);
		folder = ignore_leaves_out(g, buf_cstr(&path), true);
		/* A rule for folders alone is no rule for files. */
		need(file == ignore_leaves_out(g, buf_cstr(&path), false));
		need(size > n || (!file && !folder));
	}
	ignore_leave(g, mark);
	need(!ignore_leaves_out(g, buf_cstr(&path), true));
	ignore_free(g);
	buf_release(&path);
	return 0;
}
