#include "memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int
open_memory(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static FILE *
open_maps(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	return fopen(path, "r");
}

/* A sanitizer's shadow is terabytes of address space. */
static bool
is_sanitized(pid_t pid)
{
	unsigned long from, to;
	bool found = false;
	FILE *maps = open_maps(pid);
	char line[512];

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && to - from > 1UL << 40)
			found = true;
	if (maps != NULL)
		fclose(maps);
	return found;
}

bool
memory_can_read(pid_t pid)
{
	int fd = open_memory(pid);

	if (fd < 0)
		return false;
	close(fd);
	return !is_sanitized(pid);
}

static size_t
count_in(const char *p, size_t len, const void *bytes, size_t n)
{
	const char *hit;
	size_t count = 0;

	while (len >= n && (hit = memmem(p, len, bytes, n)) != NULL) {
		count++;
		len -= (size_t)(hit - p) + 1;
		p = hit + 1;
	}
	return count;
}

static size_t
count_in_map(int fd, unsigned long from, unsigned long to, const void *bytes, size_t n)
{
	size_t len = to - from;
	size_t count = 0;
	char *copy = malloc(len);
	ssize_t got;

	assert_non_null(copy);
	got = pread(fd, copy, len, (off_t)from);
	if (got > 0)
		count = count_in(copy, (size_t)got, bytes, n);
	explicit_bzero(copy, len);
	free(copy);
	return count;
}

size_t
memory_count(pid_t pid, const void *bytes, size_t n)
{
	unsigned long from, to;
	char line[512], perms[8];
	size_t count = 0;
	int fd = open_memory(pid);
	FILE *maps = open_maps(pid);

	assert_true(fd >= 0);
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) == 3 && perms[0] == 'r' &&
		    perms[1] == 'w')
			count += count_in_map(fd, from, to, bytes, n);
	}
	fclose(maps);
	close(fd);
	return count;
}

void
memory_assert_clean(pid_t pid, const char *what, const char *text)
{
	size_t n = memory_count(pid, text, strlen(text));

	if (n > 0)
		fail_msg("%s: %zu copies in memory", what, n);
}
