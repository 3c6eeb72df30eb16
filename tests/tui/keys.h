#ifndef TESTS_TUI_KEYS_H
#define TESTS_TUI_KEYS_H

/* What the keys of an xterm send (in the mode that curses asks for). */
#define KEY_UP "\033OA"
#define KEY_DOWN "\033OB"
#define KEY_RIGHT "\033OC"
#define KEY_LEFT "\033OD"
#define KEY_HOME "\033OH"
#define KEY_END "\033OF"
#define KEY_PAGE_UP "\033[5~"
#define KEY_PAGE_DOWN "\033[6~"
#define KEY_ENTER "\r"
#define KEY_ESC "\033"
#define KEY_TAB "\t"
#define KEY_F1 "\033OP"
#define KEY_FOCUS_OUT "\033[O"

#endif /* !TESTS_TUI_KEYS_H */
