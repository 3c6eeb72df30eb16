#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/audit/audit.h"
#include "common/report.h"

/* What ends before anyone reads it has no line. */
#define FIRST 256	/* files */
#define EVERY_MS 100

static void
progress_write(const struct buf *line)
{
	/* A terminal that is gone is no reason to end. */
	(void)output_write_fd(STDERR_FILENO, "the terminal", line->data, line->len, NULL);
}

int
audit_progress_draw(void *cookie, const struct audit *a, struct error *err)
{
	struct audit_progress *p = cookie;
	struct audit_counts counts;
	struct timespec now;
	struct buf line;

	(void)err;
	if (!p->shows || ++p->calls < FIRST)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (p->drawn && (now.tv_sec - p->last.tv_sec) * 1000 +
	    (now.tv_nsec - p->last.tv_nsec) / 1000000 < EVERY_MS)
		return 0;
	p->drawn = true;
	p->last = now;
	counts = audit_counts(a);
	buf_init(&line, 256);
	buf_printf(&line, "\r\033[K%zu files, %zu errors, %zu warnings", counts.seen,
	    counts.levels[AUDIT_ERROR], counts.levels[AUDIT_WARNING]);
	if (audit_unread_count(a) > 0)
		buf_printf(&line, ", %zu not read", audit_unread_count(a));
	progress_write(&line);
	buf_release(&line);
	return 0;
}

void
audit_progress_end(struct audit_progress *p)
{
	struct buf line;

	if (!p->drawn)
		return;
	p->drawn = p->shows = false;
	buf_init(&line, 16);
	buf_append_str(&line, "\r\033[K");
	progress_write(&line);
	buf_release(&line);
}
