#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "base/secmem.h"
#include "cli/doctor/doctor.h"
#include "cli/findings.h"
#include "common/options.h"

#define SMALL_MAX 65536

/* What systemd gives by default since version 240. */
#define LOCK_ENOUGH ((size_t)8 << 20)

static int
read_small(const struct doctor *d, const char *name, struct buf *out)
{
	struct buf path;
	int rc;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_printf(&path, "%s%s", d->root, name);
	buf_init(out, SMALL_MAX);
	rc = file_read_stream(buf_cstr(&path), out, NULL);
	buf_release(&path);
	return rc;
}

/* Is there swap that is not in memory?  A line each, behind a first one. */
static bool
has_swap(const struct doctor *d)
{
	struct buf text;
	const char *line;
	bool has = false;

	if (read_small(d, "/proc/swaps", &text) == 0) {
		for (line = strchr(buf_cstr(&text), '\n'); line != NULL && line[1] != '\0';
		    line = strchr(line + 1, '\n'))
			has |= strncmp(line + 1, "/dev/zram", 9) != 0;
	}
	buf_release(&text);
	return has;
}

static void
check_memory(struct doctor *d)
{
	size_t limit = secmem_lock_limit();

	if (!has_swap(d))
		findings_say(&d->findings, FINDING_OK, "memory", NULL, 0, NULL,
		    "there is no swap that secrets could reach");
	else if (limit < LOCK_ENOUGH)
		findings_say(&d->findings, FINDING_WARNING, "memory", NULL, 0,
		    "raise the limit (ulimit -l, LimitMEMLOCK=), or encrypt the swap",
		    "only %zu KiB may be locked in memory: more secrets than that may reach swap",
		    limit / 1024);
	else
		findings_say(&d->findings, FINDING_OK, "memory", NULL, 0, NULL,
		    "enough may be locked in memory to keep secrets out of swap");
}

/* We make no core files, but what needs the key does. */
static void
check_cores(struct doctor *d)
{
	struct buf text;
	const char *pattern;

	if (read_small(d, "/proc/sys/kernel/core_pattern", &text) == 0) {
		pattern = buf_cstr(&text);
		if (pattern[0] == '|')
			findings_say(&d->findings, FINDING_REMARK, "core", NULL, 0,
			    "set LimitCORE=0 in the services, or Storage=none in coredump.conf",
			    "core files go to %.*s, with the master key in those of a service",
			    (int)strcspn(pattern + 1, " \n"), pattern + 1);
		else
			findings_say(&d->findings, FINDING_OK, "core", NULL, 0, NULL,
			    "no program collects core files");
	}
	buf_release(&text);
}

void
doctor_system_check(struct doctor *d)
{
	check_memory(d);
	check_cores(d);
}
