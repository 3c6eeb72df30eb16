#include "ui/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"

/* The ring's place of the n-th since the start. */
static struct notice *
notice_at(const struct notices *n, size_t i)
{
	return (struct notice *)&n->ring[i % NOTICES_MAX];
}

void
notices_add(struct notices *n, bool is_error, const char *text)
{
	struct notice *slot = notice_at(n, n->count++);

	free(slot->text);
	*slot = (struct notice){ .is_error = is_error, .text = strdup(text), .at = time_now() };
}

void
notices_amend(struct notices *n, const char *text)
{
	struct notice *last;
	char *copy = n->count > 0 ? strdup(text) : NULL;

	if (copy == NULL)
		return;
	last = notice_at(n, n->count - 1);
	free(last->text);
	last->text = copy;
}

void
notices_release(struct notices *n)
{
	size_t i;

	for (i = 0; i < NOTICES_MAX; i++)
		free(n->ring[i].text);
}

void
notices_append(const struct notices *n, struct buf *out)
{
	size_t kept = n->count < NOTICES_MAX ? n->count : NOTICES_MAX;
	const struct notice *e;
	char at[TIME_TEXT];
	size_t i;

	for (i = 0; i < kept; i++) {
		e = notice_at(n, n->count - 1 - i);
		if (e->text == NULL)
			continue;
		time_text(e->at, TIME_SPACED, at);
		buf_printf(out, "%c %sZ  ", e->is_error ? '!' : ' ', at + sizeof("2026-01-31"));
		text_append_visible(out, e->text, strlen(e->text));
		buf_append_char(out, '\n');
	}
}
