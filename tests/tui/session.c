#include "session.h"

#include "memory.h"

int
session_setup(void **state)
{
	struct session *t = calloc(1, sizeof(*t));
	void *f = *state;
	int rc;

	assert_non_null(t);
	rc = fixture_setup(&f);
	t->f = f;
	*state = t;
	return rc;
}

int
session_teardown(void **state)
{
	struct session *t = *state;
	void *f = t->f;

	if (t->v != NULL)
		vt_free(t->v);
	server_stop(&t->s);
	free(t);
	return fixture_teardown(&f);
}

struct session *
session_serve(void **state)
{
	struct session *t = *state;

	server_start(&t->s, t->f);
	return t;
}

struct vt *
session_open(void **state)
{
	struct session *t = session_serve(state);

	t->v = server_open(&t->s, 24, 80);
	vt_settle(t->v);
	vt_key(t->v, "s");
	see(t->v, "3 paths, 5 keys, 7 references");
	return t->v;
}

struct vt *
session_fake(void **state, const struct reply *replies, size_t n)
{
	struct session *t = *state;

	server_fake(&t->s, t->f, replies, n);
	t->v = server_open(&t->s, 24, 80);
	vt_settle(t->v);
	vt_key(t->v, "s");
	return t->v;
}

void
session_quit(void **state)
{
	struct session *t = *state;

	fixture_quit(t->v);
}

void
session_assert_stored(void **state, const char *path, const char *key, const char *version,
    const char *value)
{
	struct session *t = *state;
	char *now = server_get(&t->s, path, key, version);

	if (value == NULL)
		assert_null(now);
	else if (now == NULL)
		fail_msg("%s / %s has no version %s", path, key, version);
	else
		assert_string_equal(now, value);
	free(now);
}

void
session_assert_wiped(void **state, const char *what, const char *text)
{
	struct session *t = *state;

	if (memory_can_read(vt_pid(t->v)))
		memory_assert_clean(vt_pid(t->v), what, text);
}
