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

/* Is the canary in these bytes? */
UNIT_HELPER bool
holds_canary(const unsigned char *p, size_t n)
{
	size_t i, k;

	for (i = 0; i + sizeof(hidden) - 1 <= n; i++) {
		for (k = 0; k + 1 < sizeof(hidden) && (p[i + k] ^ 0x5a) == hidden[k]; k++)
			;
		if (k + 1 == sizeof(hidden))
			return true;
	}
	return false;
}

/* Look through the heap; -1: there is none that can be found. */
UNIT_HELPER int
heap_holds_canary(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	int found = -1;

	if (maps == NULL)
		return -1;
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", &from, &to) == 2)
			found = holds_canary((const unsigned char *)(uintptr_t)from, to - from);
	}
	(void)fclose(maps);
	return found;
}

#endif /* !SUPPORT_CANARY_H */
