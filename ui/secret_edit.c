#include "base/buf.h"
#include "base/secmem.h"
#include "base/text.h"
#include "ui/event.h"
#include "ui/secret_edit.h"

/* Where the last character starts; a byte that is no UTF-8 is one. */
static size_t
last_character(const struct buf *b)
{
	size_t i = b->len - 1;
	uint32_t cp;

	while (i > 0 && b->len - i < 4 && (b->data[i] & 0xc0) == 0x80)
		i--;
	if (text_utf8_decode(b->data + i, b->len - i, &cp) == b->len - i)
		return i;
	return b->len - 1;
}

void
secret_edit_key(struct buf *b, uint32_t key)
{
	unsigned char bytes[4];
	size_t n;

	if (key == INPUT_BACKSPACE) {
		if (b->len > 0)
			buf_truncate(b, last_character(b));
	} else if (key == INPUT_CTRL('u')) {
		buf_truncate(b, 0);
	} else if (key == INPUT_TAB) {
		buf_append_char(b, '\t');
	} else if (key >= INPUT_BYTE) {
		buf_append_char(b, (char)(unsigned char)(key - INPUT_BYTE));
	} else if (key >= ' ' && key < INPUT_FIRST) {
		n = text_utf8_encode(key, bytes);
		buf_append(b, bytes, n);
		secmem_wipe(bytes, sizeof(bytes));
	}
}

size_t
secret_edit_length(const struct buf *b)
{
	size_t i = 0, count = 0;
	size_t len;
	uint32_t cp;

	while (i < b->len) {
		len = text_utf8_decode(b->data + i, b->len - i, &cp);
		i += len > 0 ? len : 1;
		count++;
	}
	return count;
}
