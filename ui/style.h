#ifndef UI_STYLE_H
#define UI_STYLE_H

/* What a piece of the screen means; theme.c says how that looks. */
enum style {
	STYLE_TEXT,
	STYLE_TITLE,
	STYLE_HEAD,	/* the heading of a pane */
	STYLE_FILE,
	STYLE_CLEAR,	/* a secret in clear text */
	STYLE_SEALED,
	STYLE_DANGLING,
	STYLE_OTHER,
	STYLE_DAMAGED,
	STYLE_MARK,
	STYLE_KEY,	/* a key of the keyboard */
	STYLE_NOTE,	/* side remarks */
	STYLE_NOTICE,	/* what just happened */
	STYLE_ERROR,
	STYLE_FRAME,
	STYLE_ADDED,
	STYLE_REMOVED,
	STYLE_FIELD,	/* where something is typed */
	STYLE_COUNT
};

/* Added to a style. */
#define STYLE_SELECTED 0x100U	/* the cursor is here */
#define STYLE_LINKED 0x200U	/* the counterpart of what is selected */
#define STYLE_MASK 0xffU

#endif /* !UI_STYLE_H */
