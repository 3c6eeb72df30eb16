/*
 * The trail.  Whatever is in the file: it can be read and checked, a writer goes on
 * behind it, what it wrote is found again, and a chain that was whole stays so.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json_out.h"
#include "fuzz_support.h"
#include "trail/trail.h"

static char path[128], folder[64];

static void
remove_folder(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

static void
fill(const void *cookie, struct json_out *o)
{
	json_out_text(o, "environment", cookie);
	json_out_text(o, "outcome", "done");
}

static size_t
findings(void)
{
	struct trail_check c;
	size_t n;

	need(trail_verify(path, &c, NULL) == 0);
	for (n = 0; n < c.findings.len; n++)
		need(((struct trail_finding *)vec_at(&c.findings, n))->text[0] != '\0');
	trail_check_release(&c);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct trail_filter all = { .file = NULL };
	const struct trail t = { .path = path, .command = "fuzz" };
	struct trail_log log;
	const struct trail_change *c;
	size_t before;
	uint64_t n;
	int fd;

	if (folder[0] == '\0') {
		snprintf(folder, sizeof(folder), "/dev/shm/propseal-fuzz.XXXXXX");
		need(mkdtemp(folder) != NULL);
		snprintf(path, sizeof(path), "%s/trail.jsonl", folder);
		atexit(remove_folder);
	}
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	need(fd != -1 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	before = findings();
	need(trail_begin(&t, fill, "here", &n, NULL) == 0);
	need(trail_end(&t, n, fill, NULL, NULL) == 0);
	need(before > 0 || findings() == 0);
	need(trail_read(path, &all, &log, NULL) == 0 && log.changes.len > 0);
	c = vec_at(&log.changes, log.changes.len - 1);
	need(c->n == n && strcmp(c->environment, "here") == 0 && c->outcome == TRAIL_DONE);
	trail_log_release(&log);
	return 0;
}
