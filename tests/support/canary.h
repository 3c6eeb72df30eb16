#ifndef SUPPORT_CANARY_H
#define SUPPORT_CANARY_H

/* A text that the program does not hold as such, to be looked for on the heap. */

#include "base/buf.h"
#include "unit.h"

static const unsigned char hidden[] = { 0x39, 0x6e, 0x34, 0x6e, 0x28, 0x23, 0x77, 0x69,
	0x14, 0x39, 0x28, 0x3f, 0x2e, 0x5a };	/* XOR 0x5a, and its end */

/* The canary, straight into secret memory. */
UNIT_HELPER void
append_canary(struct buf *b)
{
	size_t i;

	for (i = 0; i + 1 < sizeof(hidden); i++)
		buf_append_char(b, (char)(hidden[i] ^ 0x5a));
}

/* Are the ${len} bytes, given XOR 0x5a, in these? */
UNIT_HELPER bool
holds_masked(const unsigned char *p, size_t n, const unsigned char *masked, size_t len)
{
	size_t i, k;

	for (i = 0; i + len <= n; i++) {
		for (k = 0; k < len && (p[i + k] ^ 0x5a) == masked[k]; k++)
			;
		if (k == len)
			return true;
	}
	return false;
}

/* Is the canary in these bytes? */
UNIT_HELPER bool
holds_canary(const unsigned char *p, size_t n)
{
	return holds_masked(p, n, hidden, sizeof(hidden) - 1);
}

/* Look through the heap; -1: there is none that can be found. */
UNIT_HELPER int
heap_holds_masked(const unsigned char *masked, size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	int found = -1;

	if (maps == NULL)
		return -1;
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", &from, &to) == 2)
			found = holds_masked((const unsigned char *)(uintptr_t)from, to - from,
			    masked, len);
	}
	(void)fclose(maps);
	return found;
}

UNIT_HELPER int
heap_holds_canary(void)
{
	return heap_holds_masked(hidden, sizeof(hidden) - 1);
}

#endif /* !SUPPORT_CANARY_H */
