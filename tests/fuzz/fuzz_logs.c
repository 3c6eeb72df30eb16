/*
 * The search for sealed values in a log, against one that looks at every byte.
 * The first byte: 0xff puts the rest where one of the pieces ends in which a log
 * is read; the next lines: values; an empty line; the log.
 */
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>

#include "audit/audit_internal.h"
#include "base/error.h"
#include "fuzz_support.h"

#define VALUES 4
#define FILL ((1 << 18) - 64)	/* nearly what is read at once */

static bool
is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    c >= 0x80;
}

static bool
stands(const struct buf *log, const uint8_t *value, size_t n)
{
	const unsigned char *p = log->data, *found;
	size_t at = 0;

	while (log->len > at && (found = memmem(p + at, log->len - at, value, n)) != NULL) {
		at = (size_t)(found - p);
		if (!(at > 0 && is_word(p[at - 1]) && is_word(p[at])) &&
		    !(at + n < log->len && is_word(p[at + n]) && is_word(p[at + n - 1])))
			return true;
		at++;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;
	const char *const logs[] = { path };
	const struct audit_options options = { .logs = logs, .log_count = 1 };
	const uint8_t *values[VALUES], *end, *line = data + 1;
	size_t lengths[VALUES], count = 0, expected = 0;
	struct audit_place *place;
	struct audit *a;
	struct buf log;

	if (size < 2)
		return 0;
	if (fd == -1) {
		need((fd = memfd_create("log", MFD_CLOEXEC)) != -1);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	while (count < VALUES && (end = memchr(line, '\n', size - (size_t)(line - data))) != NULL &&
	    end > line) {
		values[count] = line;
		lengths[count++] = (size_t)(end - line);
		line = end + 1;
	}
	buf_init(&log, BUF_MAX_FILE);
	if (data[0] == 0xff) {
		need(buf_reserve(&log, FILL) == 0);
		memset(log.data, '.', FILL);
		log.len = FILL;
	}
	buf_append(&log, line, size - (size_t)(line - data));
	need(!log.failed && ftruncate(fd, 0) == 0 &&
	    pwrite(fd, log.data, log.len, 0) == (ssize_t)log.len);
	need((a = audit_new(&options, NULL)) != NULL);
	for (size_t i = 0; i < count; i++) {
		char *key = strdup("k");

		need(key != NULL && (place = vec_push(&a->sealed)) != NULL);
		*place = (struct audit_place){ .key = key, .key_len = 1 };
		need(audit_logs_keep(a, values[i], lengths[i], i, NULL) == 0);
		expected += lengths[i] >= 8 && lengths[i] <= 256 &&
		    !audit_is_default((const char *)values[i], lengths[i]) &&
		    stands(&log, values[i], lengths[i]);
		if (lengths[i] > 256)
			count = 0;
	}
	if (count > 0 && a->logs != NULL) {
		need(audit_logs_search(a, NULL) == 0);
		need(audit_finding_count(a) == expected);
		for (size_t i = 0; i < audit_finding_count(a); i++)
			need(audit_finding(a, i)->line >= 1 && audit_finding(a, i)->column >= 1);
	}
	audit_free(a);
	buf_release(&log);
	return 0;
}
