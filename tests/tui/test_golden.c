/* What every view and dialog looks like, at three sizes; and its text on other terminals. */
#include <signal.h>
#include <sys/wait.h>

#include "golden.h"
#include "steps.h"

/* Where a screen is: what to open, and the keys that lead there. */
static const struct scene {
	const char *name;
	/* ALIKE: fresh, and the same on all terminals.  TIMED: fresh, too, and the gauge of a time
	 * is there at first, so only its text counts.  UNSEEN: on terminals without a second screen,
	 * where no key and no value is drawn; SHUT: so, too, and locked. */
	enum { LOCKED, UNLOCKED, ALIKE, FRESH, TIMED, UNSEEN, SHUT } opens;
	const char *keys[12];	/* '<' TEXT: typed, with Enter at the end; '=' TEXT: wait for it */
} scenes[] = {
	{ "files", LOCKED, { NULL } },
	{ "files-filter", LOCKED, { "F", "! -key", NULL } },
	{ "files-search", LOCKED, { "/", "pass", NULL } },
	{ "files-one-list", LOCKED, { "B", "o", NULL } },
	{ "findings-seen", LOCKED, { "2", "=ssl.keystore.password", NULL } },
	{ "findings-ignore", LOCKED, { "2", "=ssl.keystore.password", "/", "<db.password", "I", NULL } },
	{ "findings-export", LOCKED, { "2", "=ssl.keystore.password", "E", NULL } },
	{ "pending", UNLOCKED, { "A", "3", NULL } },
	{ "pending-none", UNLOCKED, { "3", NULL } },
	{ "pending-diff", UNLOCKED, { "a", "p", "P", "=Seal 2 values", NULL } },
	{ "pending-apply", UNLOCKED, { "a", "w", "=[Cancel]", NULL } },
	{ "pending-destination", UNLOCKED, { "a", "3", "j", "e", NULL } },
	{ "going", LOCKED, { "/", "<ssl.key.pass", "g", NULL } },
	{ "registry-none", LOCKED, { "6", NULL } },
	{ "help", LOCKED, { "?", NULL } },
	{ "legend", LOCKED, { "?", "legend", NULL } },
	{ "help-question", LOCKED, { "A", "q", KEY_F1, NULL } },
	{ "help-field", LOCKED, { "O", KEY_F1, NULL } },
	{ "palette-question", LOCKED, { "A", "q", ":", NULL } },
	{ "notices", LOCKED, { "A", "m", NULL } },
	{ "theme", LOCKED, { "?", "<tried one by one", NULL } },
	{ "unlock", LOCKED, { "U", NULL } },
	{ "unlock-wrong", LOCKED, { "U", "<wrong", "=that does not open it", NULL } },
	{ "value", UNLOCKED, { "/", "<ssl.key.pass", "e", "=Seal a new value", NULL } },
	{ "value-again", UNLOCKED, { "/", "<ssl.key.pass", "e", "<another", "=Once more", NULL } },
	{ "value-file", UNLOCKED, { "/", "<ssl.key.pass", "e", KEY_TAB, KEY_TAB, KEY_TAB, KEY_ENTER,
	    "=From a file", NULL } },
	{ "add-key", UNLOCKED, { "i", "=The key of", NULL } },
	{ "remove", UNLOCKED, { "/", "<ssl.key.pass", "X", "w", NULL } },
	{ "refused", UNLOCKED, { "/", "<ssl.keystore", "n", "r", NULL } },
	{ "open-secrets", LOCKED, { "O", NULL } },
	{ "error", LOCKED, { "O", "<fresh/client.properties", "=cannot be", NULL } },
	{ "seconds", LOCKED, { ":", "<reveal-seconds", NULL } },
	{ "whole-file", UNLOCKED, { "/", "<ssl.key.pass", "P", NULL } },
	{ "locked", UNLOCKED, { "L", NULL } },
	{ "locked-typed", UNLOCKED, { "A", "L", "half of it", NULL } },
	{ "locked-wrong", UNLOCKED, { "L", "<wrong", "=does not open", NULL } },
	{ "leave", LOCKED, { "A", "q", NULL } },
	{ "wizard-what", FRESH, { "G", NULL } },
	{ "wizard-where", ALIKE, { "G", KEY_ENTER, NULL } },
	{ "wizard-passphrase", FRESH, { "G", KEY_ENTER, KEY_ENTER, NULL } },
	{ "wizard-weak", FRESH, { "G", KEY_ENTER, KEY_ENTER, "<short", "=type the word weak", NULL } },
	{ "wizard-key", TIMED, { "G", KEY_ENTER, KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "<" FIXTURE_NEW_PASSPHRASE, "=Save this", NULL } },
	{ "wizard-proof", FRESH, { "G", KEY_ENTER, KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "<" FIXTURE_NEW_PASSPHRASE, "=Save this", KEY_ENTER, NULL } },
	{ "wizard-what-unseen", UNSEEN, { "G", NULL } },
	{ "wizard-passphrase-unseen", UNSEEN, { "G", KEY_ENTER, KEY_ENTER, NULL } },
	{ "wizard-weak-unseen", UNSEEN, { "G", KEY_ENTER, KEY_ENTER, "<short", "=type the word weak",
	    NULL } },
	{ "wizard-key-unseen", UNSEEN, { "G", KEY_ENTER, KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "<" FIXTURE_NEW_PASSPHRASE, "=Save this", "v", NULL } },
	{ "wizard-key-file-unseen", UNSEEN, { "G", KEY_ENTER, KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "<" FIXTURE_NEW_PASSPHRASE, "=Save this", "o", "=New file:", "\025", "key.txt", NULL } },
	{ "wizard-proof-unseen", UNSEEN, { "G", KEY_ENTER, KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "<" FIXTURE_NEW_PASSPHRASE, "=Save this", KEY_ENTER, NULL } },
	{ "not-shown-unseen", SHUT, { "/", "<ssl.key.pass", "r", NULL } },
	{ "value-unseen", SHUT, { "/", "<ssl.key.pass", "e", "<" FIXTURE_PASSPHRASE, "=Seal a new value",
	    "typed", "\022", NULL } },
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* Is it one of the terminals that have a second screen? */
static bool
has_second_screen(const struct scene *s)
{
	return s->opens < UNSEEN;
}

/* ${theme}: NULL: the usual one, "": no colours. */
static struct vt *
scene_start(struct fixture *f, const struct scene *s, const char *term, bool job,
    const char *theme)
{
	struct fixture_start start = { .term = term != NULL ? term : has_second_screen(s) ? NULL :
	    "linux", .job = job };
	const char **args = start.args, **env = start.env;
	struct vt *v;

	if (s->opens == UNLOCKED)
		*env++ = "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY;
	if (s->opens >= ALIKE && s->opens != SHUT) {
		*args++ = "fresh";
		*args++ = "--remote-secrets-file";
		*args++ = "/etc/kafka/secrets.properties";
	} else {
		*args++ = "estate";
	}
	if (theme != NULL && theme[0] == '\0') {
		*env++ = "NO_COLOR=1";
	} else if (theme != NULL) {
		*args++ = "--theme";
		*args++ = theme;
	}
	v = fixture_run(f, &start);
	vt_settle(v);
	for (size_t i = 0; s->keys[i] != NULL; i++) {
		const char *key = s->keys[i];

		if (strcmp(key, KEY_F1) == 0 && term != NULL && strcmp(term, "linux") == 0)
			vt_key(v, "\033[[A");
		else
			follow(v, key);
	}
	return v;
}

static struct vt *
scene_open(struct fixture *f, const struct scene *s, const char *term)
{
	return scene_start(f, s, term, false, NULL);
}

static void
assert_restored(struct vt *v)
{
	assert_false(vt_altscreen(v));
	assert_true(vt_cursor_visible(v));
	assert_true(vt_cooked(v));
}

/* A shell has the terminal meanwhile, and the same screen comes back, but for a key on it. */
static void
every_scene_comes_back_from_a_stop(void **state)
{
	char name[64];

	for (size_t i = 0; i < SCENES; i++) {
		struct vt *v;

		if (scenes[i].opens == TIMED)
			continue;
		v = scene_start(*state, &scenes[i], NULL, true, NULL);
		vt_send(v, "\032");
		vt_wait_stopped(v);
		assert_restored(v);
		vt_continue(v);
		snprintf(name, sizeof(name), "%s-80x24", scenes[i].name);
		golden_await_text(v, name);
		assert_int_equal(vt_altscreen(v), has_second_screen(&scenes[i]));
		kill(vt_pid(v), SIGTERM);
		(void)vt_wait_exit(v);
		vt_free(v);
	}
	fixture_assert_unchanged(*state);
}

static void
every_scene_leaves_the_terminal_as_it_was_in_a_crash(void **state)
{
	for (size_t i = 0; i < SCENES; i++) {
		struct vt *v = scene_open(*state, &scenes[i], NULL);
		int status;

		kill(vt_pid(v), SIGSEGV);
		status = vt_wait_exit(v);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSEGV);
		assert_restored(v);
		vt_free(v);
	}
	fixture_assert_unchanged(*state);
}

static void
every_scene_at_every_size(void **state)
{
	static const struct {
		int rows, cols;
		const char *size;
	} sizes[] = { { 24, 80, "80x24" }, { 40, 120, "120x40" }, { 5, 20, "20x5" } };
	char name[64];

	for (size_t i = 0; i < SCENES; i++) {
		struct vt *v = scene_open(*state, &scenes[i], NULL);

		for (size_t k = 0; k < 3; k++) {
			if (k > 0)
				vt_resize(v, sizes[k].rows, sizes[k].cols);
			snprintf(name, sizeof(name), "%s-%s", scenes[i].name, sizes[k].size);
			if (scenes[i].opens == TIMED && k == 0 &&
			    getenv("UPDATE_GOLDEN") == NULL)
				golden_assert_text(v, name);
			else
				golden_assert_masked(v, name);
		}
		/* Through a size at which nothing can be shown, and a large one, and back. */
		vt_resize(v, 3, 14);
		vt_resize(v, 50, 200);
		vt_resize(v, 24, 80);
		snprintf(name, sizeof(name), "%s-80x24", scenes[i].name);
		if (scenes[i].opens != TIMED)
			golden_assert_text(v, name);
		fixture_hang_up(v);
	}
	fixture_assert_unchanged(*state);
}

/* A key is drawn only where there is a second screen; all else is the same text. */
static void
every_scene_on_other_terminals(void **state)
{
	static const char *const terms[] = { "xterm", "screen", "tmux", "linux", "vt100" };
	char name[64];

	for (size_t i = 0; i < SCENES; i++)
		for (size_t k = 0; k < sizeof(terms) / sizeof(terms[0]); k++) {
			struct vt *v;

			/* The last ones have no second screen. */
			if (k >= 3 ? scenes[i].opens == FRESH || scenes[i].opens == TIMED :
			    !has_second_screen(&scenes[i]))
				continue;
			v = scene_open(*state, &scenes[i], terms[k]);
			snprintf(name, sizeof(name), "%s-80x24", scenes[i].name);
			golden_assert_text(v, name);
			fixture_hang_up(v);
		}
	fixture_assert_unchanged(*state);
}

/* With NO_COLOR, and in some theme, each in turn: the same text, and without colours none is
 * sent. */
static void
every_scene_in_other_colours(void **state)
{
	static const char *const themes[] = { "dark", "light", "high-contrast", "deuteranopia",
		"deuteranopia-light", "tritanopia", "tritanopia-light", "monochrome" };
	char name[64], one[16], more[16];

	for (size_t i = 0; i < 2 * SCENES; i++) {
		const struct scene *s = &scenes[i / 2];
		struct vt *v;

		/* These say which theme it is. */
		if (strcmp(s->name, "theme") == 0 || strcmp(s->name, "palette-question") == 0)
			continue;
		v = scene_start(*state, s, NULL, false, i % 2 == 0 ? "" :
		    themes[i / 2 % (sizeof(themes) / sizeof(themes[0]))]);
		snprintf(name, sizeof(name), "%s-80x24", s->name);
		golden_assert_text(v, name);
		for (int colour = 30; colour < 50 && i % 2 == 0; colour++) {
			snprintf(one, sizeof(one), "\033[%dm", colour);
			snprintf(more, sizeof(more), ";%dm", colour);
			assert_false(vt_sent(v, one) || vt_sent(v, more));
		}
		fixture_hang_up(v);
	}
	fixture_assert_unchanged(*state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(every_scene_at_every_size),
		FIXTURE_TEST(every_scene_on_other_terminals),
		FIXTURE_TEST(every_scene_in_other_colours),
		FIXTURE_TEST(every_scene_comes_back_from_a_stop),
		FIXTURE_TEST(every_scene_leaves_the_terminal_as_it_was_in_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
