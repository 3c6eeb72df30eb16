#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include <stdbool.h>

#include "ui/canvas.h"

#define LAYOUT_MIN_ROWS 5
#define LAYOUT_MIN_COLS 20

/* Where the parts of the main screen are.  A part without room has h 0. */
struct layout {
	bool usable;		/* at least 20x5 */
	bool two_panes;		/* side by side; else left and right are the same */
	struct rect title;
	struct rect left_head, left;
	struct rect right_head, right;
	struct rect rule;	/* the line above the detail */
	struct rect detail;
	struct rect status;	/* counts, and what just happened */
	struct rect footer;	/* keys */
};

void layout_make(struct layout *l, int rows, int cols);

#endif /* !UI_LAYOUT_H */
