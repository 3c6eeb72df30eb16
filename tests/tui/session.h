#ifndef TESTS_TUI_SESSION_H
#define TESTS_TUI_SESSION_H

#include "server.h"
#include "steps.h"

/* A registry and the interface's view of it, for one case.  What a case has
 * started is ended with it, also when it fails. */
struct session {
	struct fixture *f;
	struct server s;
	struct vt *v;
};

int session_setup(void **state);
int session_teardown(void **state);

#define SESSION_TEST(name) \
	cmocka_unit_test_setup_teardown(name, session_setup, session_teardown)

/* On the other types of terminals (FIXTURE_TERMS). */
#define SESSION_TERM(name, type) \
	{ #name " on " type, name, session_setup, session_teardown, (void *)type }
#define SESSION_TERMS(name) \
	SESSION_TERM(name, "screen"), SESSION_TERM(name, "tmux"), SESSION_TERM(name, "linux"), \
	SESSION_TERM(name, "vt100")

/* The service of server_start, and its view at 80x24 with everything that it
 * asks for by itself answered. */
struct vt *session_open(void **state);

/* The service alone: what is started is for the case to say. */
struct session *session_serve(void **state);

/* The view of a registry that answers only so. */
struct vt *session_fake(void **state, const struct reply *replies, size_t n);

/* Leave the interface, which must end well. */
void session_quit(void **state);

/* What the registry has as this version: ${value}, or nothing (NULL). */
void session_assert_stored(void **state, const char *path, const char *key,
    const char *version, const char *value);

/* The text is nowhere in the interface's memory (where that can be read). */
void session_assert_wiped(void **state, const char *what, const char *text);

/* Put the cursor on the path or key whose name has ${part}, and wait until ${text} tells
 * what is known of it. */
static inline void
go_to(struct vt *v, const char *part, const char *text)
{
	vt_key(v, "/");
	type_line(v, part);
	see(v, text);
}

static inline void
go_to_password(struct vt *v)
{
	go_to(v, "passw", "2 versions");
}

#endif /* !TESTS_TUI_SESSION_H */
