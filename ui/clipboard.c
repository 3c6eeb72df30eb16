#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "ui/clipboard.h"
#include "ui/term.h"

#define ANSWER_MS 100	/* how long a terminal that tells takes */
#define TEXT_MAX (CLIPBOARD_MAX / 3 * 4 + 16)

#define SET "\033]52;c;"
#define END "\a"
#define ASK SET "?" END
/* A blank first, as tmux takes nothing for no text; then nothing. */
#define CLEAR SET "IA==" END SET END

static void
clipboard_write(const void *bytes, size_t n)
{
	struct buf text;

	buf_init_secret(&text, TEXT_MAX);
	buf_append_str(&text, SET);
	base64_encode(&text, bytes, n);
	buf_append_str(&text, END);
	if (!text.failed)
		term_tell(text.data, text.len);
	buf_release(&text);
}

static void
clipboard_forget(struct clipboard *c)
{
	c->state = CLIPBOARD_NONE;
	mac_free(c->mac);
	c->mac = NULL;
	secmem_wipe(c->digest, sizeof(c->digest));
}

static bool
clipboard_clear(struct clipboard *c)
{
	term_tell(CLEAR, sizeof(CLEAR) - 1);
	clipboard_forget(c);
	return true;
}

static int
clipboard_check(size_t n, struct error *err)
{
	if (!term_has_private_screen())
		return error_set(err, ERROR_REFUSED, "this terminal would show it");
	if (n > CLIPBOARD_MAX)
		return error_set(err, ERROR_LIMIT, "it is too long for a terminal's clipboard");
	return 0;
}

int
clipboard_copy_plain(struct clipboard *c, const void *bytes, size_t n, struct error *err)
{
	if (clipboard_check(n, err) == -1)
		return -1;
	/* What was there before is there no more. */
	clipboard_forget(c);
	clipboard_write(bytes, n);
	return 0;
}

int
clipboard_copy(struct clipboard *c, const void *bytes, size_t n, int ms, struct error *err)
{
	struct key *key;

	if (clipboard_check(n, err) == -1)
		return -1;
	clipboard_forget(c);
	key = key_new_random(KEY_LENGTH_DEFAULT, err);
	c->mac = key != NULL ? mac_new(key, "propseal clipboard", err) : NULL;
	key_free(key);
	if (c->mac == NULL || mac_sum(c->mac, "", 0, bytes, n, c->digest, err) == -1) {
		clipboard_forget(c);
		return -1;
	}
	clipboard_write(bytes, n);
	c->state = CLIPBOARD_HELD;
	c->until = clock_ms() + (uint64_t)ms;
	return 0;
}

uint64_t
clipboard_until(const struct clipboard *c)
{
	return c->state == CLIPBOARD_NONE ? 0 : c->until;
}

bool
clipboard_tick(struct clipboard *c, uint64_t now)
{
	if (c->state == CLIPBOARD_NONE || now < c->until)
		return false;
	if (c->state == CLIPBOARD_ASKED)
		c->silent = true;
	if (c->silent)
		return clipboard_clear(c);
	term_tell(ASK, sizeof(ASK) - 1);
	c->state = CLIPBOARD_ASKED;
	c->until = now + ANSWER_MS;
	return false;
}

bool
clipboard_answer(struct clipboard *c, const struct buf *text)
{
	unsigned char digest[MAC_BYTES];
	struct error err;
	struct buf there;
	bool ours;

	if (c->state != CLIPBOARD_ASKED)
		return false;
	buf_init_secret(&there, TEXT_MAX);
	/* What cannot be read is taken for ours: rather too little than too much stays. */
	ours = text->failed || base64_decode(&there, (const char *)text->data, text->len) == -1 ||
	    mac_sum(c->mac, "", 0, there.data, there.len, digest, &err) == -1 ||
	    secret_equal(digest, MAC_BYTES, c->digest, MAC_BYTES);
	buf_release(&there);
	if (ours)
		return clipboard_clear(c);
	clipboard_forget(c);
	return false;
}

void
clipboard_end(struct clipboard *c)
{
	if (c->state != CLIPBOARD_NONE)
		(void)clipboard_clear(c);
}
