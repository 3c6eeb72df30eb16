#include "ui/key_name.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ui/event.h"

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{ ' ', "Space" }, { INPUT_UP, "Up" }, { INPUT_DOWN, "Down" },
	{ INPUT_LEFT, "Left" }, { INPUT_RIGHT, "Right" }, { INPUT_PAGE_UP, "PgUp" },
	{ INPUT_PAGE_DOWN, "PgDn" }, { INPUT_HOME, "Home" }, { INPUT_END, "End" },
	{ INPUT_ENTER, "Enter" }, { INPUT_ESCAPE, "Esc" }, { INPUT_TAB, "Tab" },
	{ INPUT_BACKTAB, "S-Tab" }, { INPUT_DELETE, "Del" }, { INPUT_BACKSPACE, "Backspace" },
};

const char *
key_name_of(uint32_t key, char name[KEY_NAME_MAX])
{
	unsigned char utf8[4];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].key == key)
			return names[i].name;
	if (key < ' ')
		snprintf(name, KEY_NAME_MAX, "^%c", (char)(key + '@'));
	else
		snprintf(name, KEY_NAME_MAX, "%.*s", (int)text_utf8_encode(key, utf8), utf8);
	return name;
}

uint32_t
key_name_parse(const char *name, size_t n)
{
	uint32_t key;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == n && strncasecmp(names[i].name, name, n) == 0)
			return names[i].key;
	if (n == 2 && name[0] == '^' && ((name[1] >= '@' && name[1] <= '_') ||
	    (name[1] >= 'a' && name[1] <= 'z')))
		return INPUT_CTRL(name[1]);
	if (n == 0 || text_utf8_decode((const unsigned char *)name, n, &key) != n)
		return 0;
	return key < ' ' || (key >= 0x7f && key < 0xa0) ? 0 : key;
}
