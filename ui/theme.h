#ifndef UI_THEME_H
#define UI_THEME_H

/*
 * The looks of the styles: the terminal's own 16 colours, or none with
 * NO_COLOR (set and not empty) and on a monochrome terminal.  No meaning is
 * carried by colour alone: each state has a letter too.
 */

enum theme {
	THEME_DEFAULT,
	THEME_MONOCHROME,
	THEME_LIGHT	/* no colour that is pale on a white ground */
};

/* Before curses starts. */
void theme_choose(enum theme t);

/* Once, after curses has started. */
void theme_open(void);

/* The curses attributes of a style with its additions. */
unsigned long theme_attributes(unsigned int style);

#endif /* !UI_THEME_H */
