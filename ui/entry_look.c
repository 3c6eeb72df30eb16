#include "estate/estate.h"
#include "ui/entry_look.h"
#include "ui/style.h"

struct look {
	char letter;
	const char *word;
	unsigned int style;
};

static const struct look *
look(const struct estate_entry *e)
{
	static const struct look clear = { '!', "clear text", STYLE_CLEAR };
	static const struct look looks[] = {
		[STATE_PLAIN] = { ' ', "", STYLE_TEXT },
		[STATE_SEALED] = { 'S', "sealed", STYLE_SEALED },
		[STATE_DANGLING] = { 'D', "dangling", STYLE_DANGLING },
		[STATE_OTHER] = { 'O', "other provider", STYLE_OTHER },
		[STATE_DAMAGED] = { 'X', "damaged", STYLE_DAMAGED },
	};

	return e->state == STATE_PLAIN && e->sensitive ? &clear : &looks[e->state];
}

char
entry_look_letter(const struct estate_entry *e)
{
	return look(e)->letter;
}

const char *
entry_look_word(const struct estate_entry *e)
{
	return look(e)->word;
}

unsigned int
entry_look_style(const struct estate_entry *e)
{
	return look(e)->style;
}
