#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture_files.h"
#include "golden.h"
#include "vt.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
make_folder(struct fixture *f, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

int
fixture_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	const char *program = getenv("PROPSEAL");
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->term = *state;
	golden_only_text(f->term != NULL);
	assert_non_null(realpath(program != NULL ? program : "build/propseal", f->program));
	snprintf(f->dir, sizeof(f->dir), "%s/propseal-tui.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	/* Beside it, so that what the tests compare has no trail in it. */
	snprintf(f->state, sizeof(f->state), "%s.state", f->dir);
	snprintf(f->trail, sizeof(f->trail), "..%s/propseal/trail.jsonl",
	    strrchr(f->state, '/'));
	assert_int_equal(setenv("XDG_STATE_HOME", f->state, 1), 0);
	make_folder(f, "estate");
	make_folder(f, "estate/connect");
	make_folder(f, "fresh");
	fixture_write(f, "estate/broker.properties", FILE_BROKER);
	fixture_write(f, "estate/connect/worker.properties", FILE_WORKER);
	fixture_write(f, "estate/secrets.properties", FILE_SECRETS);
	fixture_write(f, "fresh/client.properties", FILE_CLIENT);
	fixture_write(f, "key", FIXTURE_MASTER_KEY "\n");
	fixture_keep(f);
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	vt_free_all();
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw(f->state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->kept);
	free(f);
	return 0;
}

/* So that each run begins with none, however the one before has ended. */
static void
forget_marks(const struct fixture *f)
{
	char path[512];
	glob_t found;

	snprintf(path, sizeof(path), "%s/propseal/marks-*", f->state);
	if (glob(path, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		(void)unlink(found.gl_pathv[i]);
	globfree(&found);
}

struct vt *
fixture_run(struct fixture *f, const struct fixture_start *s)
{
	char term[64], lang[64], state[192], folder[256];
	char *argv[COUNT(s->args) + 3] = { f->program,
	    (char *)(uintptr_t)(s->command != NULL ? s->command : "ui") };
	char *env[COUNT(s->env) + 8] = { NULL };
	struct vt_options o = { .rows = s->rows > 0 ? s->rows : 24,
	    .cols = s->cols > 0 ? s->cols : 80, .dir = f->dir, .argv = argv, .env = env,
	    .job = s->job };
	size_t n = 2;
	size_t i;

	if (!f->keeps_marks)
		forget_marks(f);
	for (i = 0; i < COUNT(s->args) && s->args[i] != NULL; i++)
		argv[n++] = (char *)(uintptr_t)s->args[i];
	if (s->folder != NULL) {
		snprintf(folder, sizeof(folder), "%s/%s", f->dir, s->folder);
		o.dir = folder;
	} else if (i == 0 && s->command == NULL) {
		argv[n++] = (char *)(uintptr_t)"estate";
	}
	snprintf(term, sizeof(term), "TERM=%s", s->term != NULL ? s->term :
	    f->term != NULL ? f->term : "xterm-256color");
	snprintf(lang, sizeof(lang), "LC_ALL=%s", s->lang != NULL ? s->lang : "C.UTF-8");
	n = 0;
	env[n++] = term;
	env[n++] = lang;
	env[n++] = (char *)(uintptr_t)"PATH=/usr/bin:/bin";
	env[n++] = (char *)(uintptr_t)"HOME=/nonexistent";
	env[n++] = (char *)(uintptr_t)"PROPSEAL_TUI_SYNC=1";
	/* What was freed is nobody's: use of it shows. */
	env[n++] = (char *)(uintptr_t)"MALLOC_PERTURB_=165";
	snprintf(state, sizeof(state), "XDG_STATE_HOME=%s", f->state);
	env[n++] = state;
	for (i = 0; i < COUNT(s->env) && s->env[i] != NULL; i++)
		env[n++] = (char *)(uintptr_t)s->env[i];
	return vt_spawn(&o);
}

struct vt *
fixture_open(struct fixture *f)
{
	struct fixture_start s = { .rows = 24 };

	return fixture_run(f, &s);
}

struct vt *
fixture_open_unlocked(struct fixture *f)
{
	struct fixture_start s = {
		.env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY },
	};

	return fixture_run(f, &s);
}

char *
fixture_read(struct fixture *f, const char *path)
{
	char full[512];
	char *text = NULL;
	size_t size = 0;
	FILE *in;

	snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	in = fopen(full, "r");
	if (in == NULL)
		return NULL;
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(in);
	return text;
}

void
fixture_write(struct fixture *f, const char *path, const char *text)
{
	char full[512];
	FILE *out;

	snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	out = fopen(full, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
	assert_int_equal(fclose(out), 0);
}

bool
fixture_is_in_file(struct fixture *f, const char *path, const char *text)
{
	char *content = fixture_read(f, path);
	bool found = content != NULL && strstr(content, text) != NULL;

	free(content);
	return found;
}

void
fixture_assert_in_file(struct fixture *f, const char *path, const char *text)
{
	if (!fixture_is_in_file(f, path, text))
		fail_msg("%s does not have %s", path, text);
}

void
fixture_assert_not_in_file(struct fixture *f, const char *path, const char *text)
{
	if (fixture_is_in_file(f, path, text))
		fail_msg("%s has %s", path, text);
}

/* Where nftw's callback collects; it has no argument of its own. */
static FILE *collected;

static int
collect(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char buf[4096];
	size_t n;
	FILE *in;

	(void)ftw;
	fprintf(collected, "%s %o\n", path, st->st_mode);
	if (type != FTW_F)
		return 0;
	in = fopen(path, "r");
	if (in == NULL)
		return 0;
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, collected);
	fclose(in);
	return 0;
}

/* All files in one string; free it. */
static char *
snapshot(const struct fixture *f)
{
	char *text = NULL;
	size_t n = 0;

	collected = open_memstream(&text, &n);
	assert_non_null(collected);
	nftw(f->dir, collect, 16, FTW_PHYS);
	fclose(collected);
	return text;
}

void
fixture_keep(struct fixture *f)
{
	free(f->kept);
	f->kept = snapshot(f);
}

void
fixture_assert_unchanged(struct fixture *f)
{
	char *now = snapshot(f);

	assert_string_equal(now, f->kept);
	free(now);
}

char *
fixture_decrypt(struct fixture *f, const char *file, const char *secrets, const char *key,
    const char *master)
{
	char *value = NULL;
	char line[8192];
	char *start;
	FILE *p;

	snprintf(line, sizeof(line), "cd %s && CONFLUENT_SECURITY_MASTER_KEY='%s' %s file decrypt "
	    "--config-file %s --local-secrets-file %s --output-file - --config %s </dev/null 2>/dev/null",
	    f->dir, master, f->program, file, secrets, key);
	p = popen(line, "r");
	assert_non_null(p);
	if (fgets(line, sizeof(line), p) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		start = strstr(line, " = ");
		value = start != NULL ? strdup(start + 3) : NULL;
	}
	if (pclose(p) != 0) {
		free(value);
		return NULL;
	}
	return value;
}

void
fixture_assert_value(struct fixture *f, const char *file, const char *key, const char *value)
{
	char *got = fixture_decrypt(f, file, "estate/secrets.properties", key, FIXTURE_MASTER_KEY);

	assert_non_null(got);
	assert_string_equal(got, value);
	free(got);
}

void
fixture_quit(struct vt *v)
{
	int status;

	vt_settle(v);
	vt_send(v, "q");
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void
fixture_leave(struct vt *v)
{
	fixture_quit(v);
	vt_free(v);
}

void
fixture_hang_up(struct vt *v)
{
	int status;

	vt_hang_up(v);
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 129);
	vt_free(v);
}
