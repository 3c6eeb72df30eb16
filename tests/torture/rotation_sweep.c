/*
 * Kill a rotation, or let a call of it fail, at every system call of `apply`
 * that touches a file; then go on with it, or take it back: nothing may be lost.
 *
 * Then pairs of faults: one in `apply`, and one in what goes on with it or takes it
 * back.  ROTATION_PAIRS is how many of them are drawn, ROTATION_SEED from where on; with
 * ROTATION_PAIRS_ONLY there is nothing else.  ROTATION_PAIRS=each: instead of all this every
 * pair of calls of a rotation of one environment, both ways, with two faults drawn for it; =all:
 * with every two faults.  What a call cannot fail with is left out, and not counted.  Nor is a kill
 * behind a call that changes nothing: what it leaves on the disk is what the kill before that call
 * left.  ROTATION_SLICE=2/4: of these pairs the second of four parts.
 *
 * usage: rotation_sweep PROGRAM
 *
 * Ten environments with fifty files.  After each fault, and at the end, no value, no passphrase
 * and no key is in the session, in the trail of changes or in what that keeps; after `resume` every
 * value opens with the new key and is the same; after `rollback` every byte is as it was; and the
 * chain of the trail is whole.  Each fault is one test.
 * (The program is not run: its core is, in a child.)
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "estate/estate.h"
#include "rotation/rotation.h"
#include "tests/torture/estate.h"
#include "tests/torture/gate.h"
#include "trail/trail.h"

#define ENVIRONMENTS 10
#define CONFIGURATIONS 4	/* of each */
#define SHOWN 5
#define PAIRS 100	/* of faults, unless more are asked for */
#define CALLS 4096	/* of a run with one environment, at most */
#define NEW_PASSPHRASE "the new Passphrase"
#define SESSION "state/one"
#define TRAIL "state/trail"
#define NEEDLES (7 + 2 * ENVIRONMENTS + ENVIRONMENTS * CONFIGURATIONS)

/* The trail is written below the folder, too, so that its calls can fail. */
static const struct trail trail = { .path = TRAIL "/" TRAIL_NAME, .makes_folders = 1,
	.keep_days = KEPT_DAYS, .command = "rotation" };

static char folder[PATH_MAX];
static char old_keys[ENVIRONMENTS][ESTATE_KEY], new_key[ESTATE_KEY];	/* in base64 */
static struct saved secrets[ENVIRONMENTS];
static struct tree planned;		/* before each point */
static unsigned long passed, failed, lost;
static int environments = ENVIRONMENTS;

/* What must stand nowhere in clear: values, passphrases, keys and their texts. */
static struct needle {
	char bytes[64];
	size_t len;
	const char *what;
} needles[NEEDLES];
static size_t needle_count;

/* An environment whose configurations are sealed. */
static void
make_environment(int e)
{
	char path[64];

	estate_make(e, CONFIGURATIONS, old_keys[e]);
	if (estate_seal(e, CONFIGURATIONS, old_keys[e]) != 0)
		die("sealing");
	snprintf(path, sizeof(path), "e%d/secrets.properties", e);
	secrets[e] = get(path);
}

static void
add_needle(const void *bytes, size_t n, const char *what)
{
	if (needle_count == NEEDLES || n == 0 || n > sizeof(needles[0].bytes))
		die("what is looked for");
	needles[needle_count].len = n;
	needles[needle_count].what = what;
	memcpy(needles[needle_count++].bytes, bytes, n);
}

static void
add_key(const char *text, const char *what)
{
	struct key *k = key_from_base64(text, strlen(text), NULL);

	add_needle(text, strlen(text), what);
	add_needle(key_bytes(k), key_length(k), what);
	key_free(k);
}

static void
make_needles(void)
{
	char value[64];

	add_key(new_key, "the new key");
	add_needle(NEW_PASSPHRASE, strlen(NEW_PASSPHRASE), "the new passphrase");
	add_needle(ESTATE_PASSPHRASE, strlen(ESTATE_PASSPHRASE), "the old passphrase");
	for (int e = 0; e < environments; e++) {
		add_key(old_keys[e], "an old key");
		for (int c = 0; c < CONFIGURATIONS; c++) {
			value_of(value, e, c);
			add_needle(value, strlen(value), "a value");
		}
	}
}

/* --- the session --- */

static struct key *
find_key(void *cookie, const struct rotation_want *w, struct error *err)
{
	(void)cookie;
	if (w->is_new)
		return key_from_base64(new_key, strlen(new_key), err);
	return estate_old_key(old_keys, environments, w, err);
}

static const struct rotation_callbacks callbacks = { .key = find_key };

static int
note_new_key(void *cookie, const struct rotation_want *w, const struct key *k, struct error *err)
{
	(void)cookie;
	(void)w;
	(void)err;
	to_text(k, new_key);
	return 0;
}

/* The key that the passphrase gives, with the salt of the plan. */
static struct key *
derive_new(void *cookie, const struct rotation_want *w, struct error *err)
{
	(void)cookie;
	return key_derive(NEW_PASSPHRASE, strlen(NEW_PASSPHRASE), w->salt, strlen(w->salt),
	    w->iterations, w->length, err);
}

static void
make_session(void)
{
	static const char *const paths[] = { "." };
	const struct rotation_request q = { .kind = ROTATION_BOTH, .home = "state",
		.dir = SESSION, .paths = paths, .path_count = 1, .passphrase = NEW_PASSPHRASE,
		.passphrase_len = strlen(NEW_PASSPHRASE), .common = true };
	const struct rotation_callbacks deriving = { .key = derive_new };
	struct error err;
	struct estate *e = estate_new(paths, 1, &err);
	struct rotation *r = NULL;
	int rc;

	if (e == NULL)
		die_of(&err);
	while ((rc = estate_step(e, 1000, &err)) > 0)
		;
	if (rc != 0 || (r = rotation_plan(&q, e, &callbacks, NULL, &err)) == NULL ||
	    rotation_each_key(r, &deriving, note_new_key, NULL, &err) != 0)
		die_of(&err);
	if (rotation_count(r) != (size_t)environments || new_key[0] == '\0')
		die("the plan is not what it should be");
	rotation_close(r);
	estate_free(e);
	make_needles();
}

/* --- one run --- */

static struct rotation *
open_session(struct error *err)
{
	struct rotation *r = rotation_open_locked(SESSION, NULL, 0, err);

	if (r != NULL)
		rotation_set_trail(r, &trail);
	return r;
}

static int
apply_status(struct error *err)
{
	struct rotation *r = open_session(err);
	int rc = r != NULL ? rotation_apply(r, &callbacks, NULL, err) : -1;

	rotation_close(r);
	return rc == 0 ? 0 : error_exit_status(err->code);
}

static int
apply_in_child(const void *what)
{
	struct error err;

	(void)what;
	return apply_status(&err);
}

/* What can happen at a call: 0, the process is killed. */
static const int errors[] = { 0, ENOSPC, EIO, EROFS };
enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

struct fault {
	size_t at;
	int error;
	bool skipped;		/* the call cannot fail like that */
	bool killed;
	bool done;
};

static bool
can_fail(const struct gate_call *c, int error)
{
	return gate_is_below(c, folder) && (error != ENOSPC || gate_takes_room(c)) &&
	    (error != EROFS || gate_changes(c));
}

static int
fault_at(void *cookie, const struct gate_call *c)
{
	struct fault *f = cookie;

	if (c->number != f->at)
		return 0;
	if (!can_fail(c, f->error)) {
		f->skipped = true;
		return 0;
	}
	f->done = true;
	if (f->error != 0)
		return f->error;
	f->killed = kill(c->pid, SIGKILL) == 0;
	return 0;
}

static char in_clear[128];		/* what stands in clear, and where */

static int
scan_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	struct saved k;

	(void)st;
	(void)f;
	if (type != FTW_F)
		return 0;
	k = get(path);
	for (size_t i = 0; i < needle_count && in_clear[0] == '\0'; i++)
		if (memmem(k.bytes.data, k.bytes.len, needles[i].bytes, needles[i].len) != NULL)
			snprintf(in_clear, sizeof(in_clear), "%s is in %.80s", needles[i].what, path);
	buf_release(&k.bytes);
	return in_clear[0] != '\0';
}

/* Is there a value, a passphrase or a key in the session, the trail or what that keeps? */
static const char *
scan(void)
{
	in_clear[0] = '\0';
	if (nftw("state", scan_one, 8, FTW_PHYS) == -1)
		return "what is to be scanned cannot be read";
	return in_clear[0] != '\0' ? in_clear : NULL;
}

/* Is every line of the trail as it was written, where it was written?  One that a kill cut may be
 * there, and an intent without an outcome. */
static const char *
check_trail(void)
{
	const char *why = NULL;
	struct trail_check c;
	struct error err;

	if (trail_verify(trail.path, &c, &err) != 0)
		why = "the trail cannot be read";
	for (size_t i = 0; why == NULL && i < c.findings.len; i++) {
		const struct trail_finding *f = vec_at(&c.findings, i);

		if (f->fault != TRAIL_CUT && f->fault != TRAIL_OPEN)
			why = "the chain of the trail is broken";
	}
	trail_check_release(&c);
	return why;
}

static const char *
go_on(void)
{
	struct error err = { .code = ERROR_NONE };
	struct rotation *r;
	size_t differences = 0;
	const char *why = NULL;

	if (apply_status(&err) != 0)
		why = "resume fails";
	else if ((r = open_session(&err)) == NULL)
		why = "the session does not open";
	else {
		if (rotation_verify(r, &callbacks, NULL, &differences, &err) != 0 ||
		    differences > 0 || rotation_state(r) != ROTATION_VERIFIED ||
		    rotation_counts(r)->same != (size_t)environments * CONFIGURATIONS)
			why = "not all values are the same";
		rotation_close(r);
	}
	lost += why != NULL;
	return why;
}

static const char *
go_back(void)
{
	struct error err = { .code = ERROR_NONE };
	struct rotation *r = open_session(&err);
	const char *why = r == NULL ? "the session does not open" : NULL;
	struct saved k;

	if (r != NULL && rotation_rollback(r, &callbacks, NULL, &err) != 0)
		why = "rollback fails";
	rotation_close(r);
	for (int e = 0; e < environments && why == NULL; e++) {
		k = get(secrets[e].path);
		if (!buf_equal(&k.bytes, &secrets[e].bytes)) {
			why = "an original is not as it was";
			lost++;
		}
		buf_release(&k.bytes);
	}
	return why;
}

static bool
leftovers(void)
{
	bool found = false;
	char name[16];

	for (int e = 0; e < environments; e++) {
		struct dirent *entry;
		DIR *d;

		snprintf(name, sizeof(name), "e%d", e);
		d = opendir(name);
		while (d != NULL && (entry = readdir(d)) != NULL)
			found |= strstr(entry->d_name, ".propseal-tmp") != NULL;
		if (d != NULL)
			closedir(d);
	}
	return found;
}

/* After what was injected: do all files come out right?  NULL: they do. */
static const char *
recover(bool back)
{
	const char *why = scan();

	if (why == NULL)
		why = back ? go_back() : go_on();
	if (why == NULL && (why = scan()) == NULL)
		why = check_trail();
	return why == NULL && leftovers() ? "something is left beside" : why;
}

/* One fault at one call; false: there is no such call. */
static bool
try_one(size_t at, int error, bool back)
{
	struct fault f = { .at = at, .error = error };
	struct gate_run run = { .call = apply_in_child, .folder = folder, .decide = fault_at,
		.cookie = &f };
	const char *why = NULL;
	int status;

	tree_put(&planned);
	status = gate_run(&run);
	if (run.calls < at)
		return false;
	if (f.skipped)
		return true;
	if (!f.killed && (status < 0 || status > 5))
		why = "it died";
	if (why == NULL)
		why = recover(back);
	if (why == NULL) {
		passed++;
	} else if (failed++ < SHOWN) {
		printf("FAIL %s at call %zu, then %s: %s\n", error != 0 ? strerror(error) : "a kill",
		    at, back ? "rollback" : "resume", why);
	}
	return true;
}

static int
rollback_in_child(const void *what)
{
	struct error err;
	struct rotation *r = open_session(&err);
	int rc = r != NULL ? rotation_rollback(r, &callbacks, NULL, &err) : -1;

	(void)what;
	rotation_close(r);
	return rc == 0 ? 0 : error_exit_status(err.code);
}

/* Apply, with a fault.  False: it died of something else. */
static bool
run_first(struct fault *f)
{
	struct gate_run apply = { .call = apply_in_child, .folder = folder, .decide = fault_at,
		.cookie = f };
	int status;

	tree_put(&planned);
	status = gate_run(&apply);
	return f->killed || (status >= 0 && status <= 5);
}

/* Behind that a fault in what goes on with it or takes it back; then no more. */
static void
run_second(const struct fault *f, struct fault *g, bool back, const char *why)
{
	struct gate_run next = { .call = back ? rollback_in_child : apply_in_child,
		.folder = folder, .decide = fault_at, .cookie = g };
	int status = gate_run(&next);

	if (why == NULL && !g->killed && (status < 0 || status > 5))
		why = "what followed died";
	if (why == NULL)
		why = recover(back);
	if (why == NULL) {
		passed++;
	} else if (failed++ < SHOWN) {
		printf("FAIL %s at call %zu, %s at call %zu of %s: %s\n", f->error != 0 ?
		    strerror(f->error) : "a kill", f->at, g->error != 0 ? strerror(g->error) :
		    "a kill", g->at, back ? "rollback" : "resume", why);
	}
}

/* The same numbers each time, from the seed on. */
static size_t
drawn(uint64_t *seed, size_t below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(*seed >> 33) % below;
}

/* Pairs of faults, of ${calls} calls that apply makes: a sample. */
static void
try_pairs(size_t calls)
{
	const char *asked = getenv("ROTATION_PAIRS"), *given = getenv("ROTATION_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1, from = seed;
	size_t n = asked != NULL ? strtoul(asked, NULL, 10) : PAIRS;
	unsigned long before = passed + failed;

	for (size_t i = 0; i < n; i++) {
		size_t first = 1 + drawn(&seed, calls), second = 1 + drawn(&seed, calls);
		int a = errors[drawn(&seed, ERRORS)], b = errors[drawn(&seed, ERRORS)];
		struct fault f = { .at = first, .error = a }, g = { .at = second, .error = b };
		const char *why = run_first(&f) ? NULL : "apply died";

		run_second(&f, &g, drawn(&seed, 2) != 0, why);
	}
	printf("pairs, seed %-14llu %5lu points, %lu lost\n", (unsigned long long)from,
	    passed + failed - before, lost);
}

/* With what each call of a run can fail, of errors[]. */
struct calls {
	size_t n;
	bool changed;			/* the last one changes something */
	bool can[CALLS][ERRORS];
};

static int
note_call(void *cookie, const struct gate_call *c)
{
	struct calls *calls = cookie;
	bool *can = calls->can[c->number - 1];

	if (c->number > CALLS)
		return 0;
	for (size_t i = 0; i < ERRORS; i++)
		can[i] = can_fail(c, errors[i]);
	if (c->number == 1)
		calls->changed = true;
	/* A kill that finds what the one before found is that one. */
	if (can[0]) {
		can[0] = calls->changed;
		calls->changed = gate_changes(c);
	}
	calls->n = c->number;
	return 0;
}

/* Leave one of those that are possible, where there are any. */
static void
draw_one(bool can[ERRORS], uint64_t *seed)
{
	bool kept[ERRORS] = { false };
	size_t n = 0, take;

	for (size_t i = 0; i < ERRORS; i++)
		n += can[i];
	take = n > 0 ? drawn(seed, n) : 0;
	for (size_t i = 0; i < ERRORS; i++)
		kept[i] = can[i] && take-- == 0;
	memcpy(can, kept, sizeof(kept));
}

/* One fault in apply, then one at each call of what follows, of each kind or of one.  How many of
 * the second did not come. */
static unsigned long
try_followers(size_t first, int one, bool back, bool all, uint64_t *seed)
{
	static struct calls next;
	struct fault f = { .at = first, .error = one };
	struct gate_run noted = { .call = back ? rollback_in_child : apply_in_child,
		.folder = folder, .decide = note_call, .cookie = &next };
	const char *why = run_first(&f) ? NULL : "apply died";
	unsigned long missed = 0;
	struct tree left;

	tree_take(&left);
	(void)gate_run(&noted);
	for (size_t k = 0; k < next.n; k++) {
		if (!all)
			draw_one(next.can[k], seed);
		for (size_t b = 0; b < ERRORS; b++) {
			struct fault g = { .at = k + 1, .error = errors[b] };

			if (!next.can[k][b])
				continue;
			tree_put(&left);
			run_second(&f, &g, back, why);
			missed += !g.done;
		}
	}
	tree_release(&left);
	return missed + (f.done ? 0 : 1);
}

/* Every pair of calls of a rotation of one environment. */
static void
try_every_pair(bool all)
{
	static struct calls calls;
	const char *given = getenv("ROTATION_SEED"), *slice = getenv("ROTATION_SLICE");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;
	size_t part = 1, parts = 1;
	struct gate_run apply = { .call = apply_in_child, .folder = folder,
		.decide = note_call, .cookie = &calls };
	unsigned long missed = 0;

	tree_put(&planned);
	(void)gate_run(&apply);
	if (slice != NULL && (sscanf(slice, "%zu/%zu", &part, &parts) != 2 || part < 1 ||
	    part > parts))
		die(slice);
	for (size_t i = part - 1; i < calls.n; i += parts)
		for (int back = 0; back < 2; back++) {
			bool can[ERRORS];

			memcpy(can, calls.can[i], sizeof(can));
			if (!all)
				draw_one(can, &seed);
			for (size_t a = 0; a < ERRORS; a++)
				if (can[a])
					missed += try_followers(i + 1, errors[a], back != 0, all,
					    &seed);
			printf("call %zu of %zu, %-9s %8lu points, %lu lost\n", i + 1, calls.n,
			    back ? "rollback:" : "resume:", passed + failed, lost);
			fflush(stdout);
		}
	if (missed > 0)
		printf("%lu of them had one fault only\n", missed);
}

/* How many calls apply makes, without a fault at each of them: for pairs alone. */
static size_t
count_calls(void)
{
	size_t below = 1, above = 2, middle;

	while (try_one(above, 0, true)) {
		below = above;
		above *= 2;
	}
	while (below + 1 < above) {
		middle = (below + above) / 2;
		if (try_one(middle, 0, true))
			below = middle;
		else
			above = middle;
	}
	return below;
}

/* Every call, with each fault, and a sample of pairs. */
static void
try_all_calls(void)
{
	size_t at, calls = 0;

	if (getenv("ROTATION_PAIRS_ONLY") != NULL) {
		try_pairs(count_calls());
		return;
	}
	for (size_t k = 0; k < ERRORS; k++) {
		unsigned long before = passed + failed;

		/* Every point is gone on with or taken back, in turns; a kill both. */
		for (at = 1; try_one(at, errors[k], (at + k) % 2 == 0); at++)
			if (errors[k] == 0)
				(void)try_one(at, 0, at % 2 != 0);
		calls = at > 1 ? at - 1 : 1;
		printf("%-26s %5lu points, %lu lost\n",
		    errors[k] != 0 ? strerror(errors[k]) : "kill", passed + failed - before, lost);
		fflush(stdout);
	}
	try_pairs(calls);
}

int
main(int argc, char **argv)
{
	const char *pairs = getenv("ROTATION_PAIRS");
	bool all = pairs != NULL && strcmp(pairs, "all") == 0;
	bool each = pairs != NULL && strcmp(pairs, "each") == 0;

	(void)argv;
	if (argc != 2) {
		fprintf(stderr, "usage: rotation_sweep PROGRAM\n");
		return 2;
	}
	if (!gate_begin(folder))
		return 0;
	if (mkdir("state", 0700) != 0)
		die(folder);
	environments = all || each ? 1 : ENVIRONMENTS;
	for (int e = 0; e < environments; e++)
		make_environment(e);
	make_session();
	tree_take(&planned);
	if (all || each)
		try_every_pair(all);
	else
		try_all_calls();
	gate_folder_remove(folder);
	printf("%lu points, %lu lost\n%lu passed, %lu failed\n", passed + failed, lost, passed,
	    failed);
	return failed == 0 && passed > 100 ? 0 : 1;
}
