/*
 * Let calls fail in pairs, let a file system die, let another program meddle:
 * nothing may be lost.
 *
 * usage: sweep PROGRAM
 *
 * TORTURE_SAMPLE is how many random pairs are tried over many files (2000),
 * TORTURE_SEED what they begin with.  Each run is one test.
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "file/file.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "seal/seal.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"
#include "tests/torture/gate.h"

#define FILES_MAX 6
#define SHOWN 5			/* failures of a sweep that are printed */
#define SAMPLE 2000
#define SEED 20261129
#define REMOTE "/etc/kafka/secrets.properties"
#define SECRETS "s/secrets.properties"
#define THEIRS "# theirs\n"		/* what another program writes */

static const char *const keys[] = { "a.password", "b.password" };
static const char *const values[] = { "first Secret \\\\ 1", "second=Secret" };
static const char *const read_as[] = { "first Secret \\ 1", "second=Secret" };

static char folder[PATH_MAX], program[PATH_MAX];
static struct key *master;	/* of this process: keys do not come along into a child */
static unsigned long passed, failed, lost, runs;

static void
die(const char *what)
{
	fprintf(stderr, "sweep: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct key *
key_of_environment(void)
{
	const char *text = getenv("CONFLUENT_SECURITY_MASTER_KEY");
	struct key *k = text != NULL ? key_from_base64(text, strlen(text), NULL) : NULL;

	if (k == NULL)
		die("no master key");
	return k;
}

/* --- the estate --- */

static struct buf clear_secrets, sealed_secrets, sealed_config[FILES_MAX];

static void
config_name(char name[40], size_t i)
{
	snprintf(name, 40, "c/c%zu.properties", i);
}

static void
put(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, bytes, n) != (ssize_t)n || close(fd) == -1)
		die(path);
}

static void
get(const char *path, struct buf *out)
{
	struct error err;

	buf_init_secret(out, BUF_MAX_FILE);
	if (file_read(path, out, NULL, &err) == -1)
		die(path);
}

static void
empty_folder(const char *name)
{
	DIR *d = opendir(name);
	struct dirent *e;

	if (d == NULL)
		die(name);
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

/* What a change leaves for its undoing: each further change looks at all of it. */
static void
empty_state(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	char name[PATH_MAX + 80];

	snprintf(name, sizeof(name), "%s/propseal/trail.jsonl.kept.%lu", state,
	    (unsigned long)geteuid());
	if (access(name, W_OK) == 0)
		empty_folder(name);
}

static void
put_clear(size_t i)
{
	char name[40], text[200];

	config_name(name, i);
	snprintf(text, sizeof(text), "x = 1\n%s = %s\n# kept\n%s = %s\n", keys[0], values[0], keys[1],
	    values[1]);
	put(name, text, strlen(text));
}

/* ${n} configurations, in clear text or sealed, and the secrets file. */
static void
put_estate(size_t n, bool sealed)
{
	const struct buf *secrets = sealed ? &sealed_secrets : &clear_secrets;
	char name[40];

	empty_folder("s");
	empty_folder("c");
	put(SECRETS, secrets->data, secrets->len);
	for (size_t i = 0; i < n; i++) {
		config_name(name, i);
		if (sealed)
			put(name, sealed_config[i].data, sealed_config[i].len);
		else
			put_clear(i);
	}
}

/* --- what is done to it --- */

/* By the program, with one configuration ... */
static char *const encrypt_one[] = { program, (char *)"file", (char *)"encrypt",
	(char *)"--config-file", (char *)"c/c0.properties", (char *)"--local-secrets-file",
	(char *)SECRETS, (char *)"--remote-secrets-file", (char *)REMOTE,
	(char *)"--lock-timeout", (char *)"1", NULL };
static char *const add_one[] = { program, (char *)"file", (char *)"add", (char *)"--config-file",
	(char *)"c/c0.properties", (char *)"--local-secrets-file", (char *)SECRETS,
	(char *)"--remote-secrets-file", (char *)REMOTE, (char *)"--config", (char *)"@new", NULL };
static char *const remove_one[] = { program, (char *)"file", (char *)"remove",
	(char *)"--config-file", (char *)"c/c0.properties", (char *)"--local-secrets-file",
	(char *)SECRETS, (char *)"--config", (char *)"a.password", NULL };

/* ... or, of many in one plan, as every command does it. */
struct many {
	size_t n;
	int (*plan)(struct change *c, struct configuration *config, struct error *err);
};

static const struct seal_options options = { .remote = REMOTE };

static int
plan_sealing(struct change *c, struct configuration *config, struct error *err)
{
	return seal_default(c->plan, config, &options, NULL, err);
}

static int
plan_removing(struct change *c, struct configuration *config, struct error *err)
{
	return seal_remove(c->plan, config, keys[0], strlen(keys[0]), false, err);
}

/* As who edits the file by hand: one secret goes, another one comes. */
static int
plan_editing(struct change *c, struct configuration *config, struct error *err)
{
	struct document *edited;
	char bytes[200];
	struct buf text;
	int rc = -1;

	snprintf(bytes, sizeof(bytes), "x = 1\n%s = %s\nnew.password = third\n", keys[1],
	    values[1]);
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_append_str(&text, bytes);
	/* What another program had written by then was seen by who edits. */
	if (memmem(document_bytes(config->doc)->data, document_bytes(config->doc)->len, THEIRS,
	    strlen(THEIRS)) != NULL)
		buf_append_str(&text, THEIRS);
	edited = document_parse(&text, document_format(config->doc), config->path, err);
	if (edited != NULL)
		rc = rewrite_plan(c->plan, config, edited, master, &options, err);
	document_free(edited);
	buf_release(&text);
	return rc;
}

static int
change_many(const void *what)
{
	static const struct change_callbacks none = { .waiting = NULL };
	const struct many *m = what;
	char name[40];
	struct change c;
	struct error err;
	int rc;

	key_free(master);
	master = key_of_environment();
	change_init(&c, &none, NULL);
	c.lock_timeout_ms = 1000;
	rc = change_files(&c, NULL, SECRETS, false, &err);
	for (size_t i = 0; i < m->n && rc == 0; i++) {
		config_name(name, i);
		rc = change_config(&c, name, &err) != NULL ? 0 : -1;
	}
	if (rc == 0)
		rc = change_start(&c, &err);
	if (rc == 0)
		rc = m->plan == plan_sealing ? seal_prepare(c.plan, master, &err) :
		    secrets_file_unlock(c.secrets, master, &err);
	for (size_t i = 0; i < m->n && rc == 0; i++)
		rc = m->plan(&c, *(struct configuration **)vec_at(&c.configs, i), &err);
	if (rc == 0)
		rc = change_apply(&c, &err);
	change_close(&c);
	if (rc != 0)
		fprintf(stderr, "%s: %s\n", err.file, err.text);
	return rc == 0 ? 0 : error_exit_status(err.code);
}

struct operation {
	const char *what;
	char *const *argv;	/* or ... */
	struct many many;
	size_t n;		/* configurations */
	bool sealed;		/* what it starts from is */
	bool removes;		/* keys[0] may be gone afterwards */
};

static const struct operation one[] = {
	{ "encrypt", encrypt_one, { 0, NULL }, 1, false, false },
	{ "add", add_one, { 0, NULL }, 1, true, false },
	{ "remove", remove_one, { 0, NULL }, 1, true, true },
	{ "edit", NULL, { 1, plan_editing }, 1, true, true }
};
static const struct operation several[] = {
	{ "seal", NULL, { FILES_MAX, plan_sealing }, FILES_MAX, false, false },
	{ "remove", NULL, { FILES_MAX, plan_removing }, FILES_MAX, true, true },
	{ "edit", NULL, { FILES_MAX, plan_editing }, FILES_MAX, true, true }
};

/* --- what is left of it --- */

enum where { IN_CLEAR, SEALED, GONE, LOST };

static enum where
where_is(const struct configuration *c, const struct secrets_file *s, size_t k)
{
	size_t entry = document_find(c->doc, keys[k], strlen(keys[k]));
	enum where where = LOST;
	struct buf text, plain;
	struct reference r;

	if (entry == DOCUMENT_NONE)
		return GONE;
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_init_secret(&plain, BUF_MAX_FILE);
	if (document_value_is(c->doc, entry, read_as[k], strlen(read_as[k])))
		where = IN_CLEAR;
	else if (document_value(c->doc, entry, &text, NULL) == 0 &&
	    reference_parse((const char *)text.data, text.len, &r) &&
	    resolve_entry(s, &r) != DOCUMENT_NONE &&
	    secrets_file_open(s, resolve_entry(s, &r), &plain, NULL) == 0 &&
	    plain.len == strlen(read_as[k]) && memcmp(plain.data, read_as[k], plain.len) == 0)
		where = SEALED;
	buf_release(&plain);
	buf_release(&text);
	return where;
}

/* What went wrong, or NULL. */
static const char *
judge(const struct operation *o, int status)
{
	struct secrets_file *s = secrets_file_load(SECRETS, NULL);
	const char *why = NULL;
	char name[40];

	if (s == NULL || secrets_file_unlock(s, master, NULL) != 0)
		why = "the secrets file is lost";
	for (size_t i = 0; i < o->n && why == NULL; i++) {
		struct configuration *c;

		config_name(name, i);
		if ((c = configuration_load(name, NULL, NULL)) == NULL) {
			why = "a configuration is lost";
			break;
		}
		for (size_t k = 0; k < 2 && why == NULL; k++) {
			enum where where = where_is(c, s, k);
			bool goes = o->removes && k == 0;

			if (where == LOST || (where == GONE && !goes)) {
				why = "a secret is lost";
				lost++;
			} else if (status == 0 && where != (goes ? GONE : SEALED)) {
				why = "exit 0, and not all is done";
			}
		}
		configuration_free(c);
	}
	if (why == NULL && status != 0 && status != 1 && status != 4 && status != 5)
		why = "it died";
	secrets_file_free(s);
	return why;
}

static bool
leftovers(void)
{
	static const char *const names[] = { "s", "c" };
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		DIR *d = opendir(names[i]);
		struct dirent *e;

		while (d != NULL && (e = readdir(d)) != NULL)
			found |= strstr(e->d_name, ".propseal-") != NULL;
		if (d != NULL)
			closedir(d);
	}
	return found;
}

/* Each run begins with a fresh estate. */
static int
run_once(const struct operation *o, gate_fn *decide, void *cookie, size_t *calls)
{
	struct gate_run r = { .argv = o->argv, .call = o->argv == NULL ? change_many : NULL,
		.what = &o->many, .folder = folder, .decide = decide, .cookie = cookie };
	int status;

	put_estate(o->n, o->sealed);
	empty_state();
	status = gate_run(&r);
	if (calls != NULL)
		*calls = r.calls;
	return status;
}

/* What it left must be what the same command, run again, can finish. */
static const char *
run_again(const struct operation *o)
{
	struct gate_run r = { .argv = o->argv, .call = o->argv == NULL ? change_many : NULL,
		.what = &o->many, .folder = folder };
	const char *why;
	int status = gate_run(&r);

	if (status != 0)
		return "run again, it fails";
	why = judge(o, status);
	return why != NULL ? why : leftovers() ? "run again, something is left beside" : NULL;
}

/* One test.  ${where} and ${error} say what failed. */
static void
count(const struct operation *o, const char *why, const char *where, int error)
{
	runs++;
	if (why == NULL) {
		passed++;
		return;
	}
	if (failed++ < SHOWN)
		printf("FAIL %s: %s: %s: %s\n", o->what, where, strerror(error), why);
}

static void
told(const char *kind, const struct operation *o, unsigned long before)
{
	printf("%-8s %-8s %6lu runs, %lu lost, %lu failures\n", kind, o->what, runs - before, lost,
	    failed);
	fflush(stdout);
}

/* --- calls that fail --- */

/* Reading and closing are left to the other sweep: what they can do is known alone. */
static bool
is_candidate(const struct gate_call *c)
{
	return gate_changes(c) || c->nr == SYS_newfstatat || c->nr == SYS_fcntl;
}

struct faults {
	size_t first, second;	/* fails: the call of this number, or the next that counts */
	int error, error2;
	size_t *numbers;	/* of those that count, from ${first} on */
	size_t n, max;
};

static int
fail_at(void *cookie, const struct gate_call *c)
{
	struct faults *f = cookie;

	if (!is_candidate(c) || c->number < f->first)
		return 0;
	if (f->error != 0) {
		int error = f->error;

		f->error = 0;
		return error;
	}
	if (f->numbers != NULL && f->n < f->max)
		f->numbers[f->n++] = c->number;
	if (f->error2 != 0 && c->number >= f->second) {
		int error = f->error2;

		f->error2 = 0;
		return error;
	}
	return 0;
}

#define CALLS_MAX 10000

/* The numbers of the calls that count, once the one at ${first} has failed (0: none). */
static size_t
list_calls(const struct operation *o, size_t first, size_t *numbers, int *status)
{
	struct faults f = { .first = first, .error = first > 0 ? EIO : 0, .numbers = numbers,
		.max = CALLS_MAX };

	*status = run_once(o, fail_at, &f, NULL);
	return f.n;
}

static void
try_faults(const struct operation *o, size_t first, size_t second, int error, int error2,
    bool again)
{
	struct faults f = { .first = first, .second = second, .error = error, .error2 = error2 };
	char where[60];
	const char *why = judge(o, run_once(o, fail_at, &f, NULL));

	snprintf(where, sizeof(where), "calls %zu and %zu", first, second);
	if (why == NULL && again)
		why = run_again(o);
	count(o, why, where, error);
}

static void
all_pairs(const struct operation *o)
{
	size_t *firsts = calloc(CALLS_MAX, sizeof(size_t)), *seconds;
	unsigned long before = runs;
	size_t n, m;
	int status;

	seconds = calloc(CALLS_MAX, sizeof(size_t));
	if (firsts == NULL || seconds == NULL)
		die("memory");
	n = list_calls(o, 0, firsts, &status);
	if (status != 0 || n < 20)
		count(o, "it does not run", "no call", 0);
	for (size_t i = 0; i < n; i++) {
		m = list_calls(o, firsts[i], seconds, &status);
		count(o, judge(o, status), "one call", EIO);
		for (size_t k = 0; k < m; k++)
			try_faults(o, firsts[i], seconds[k], EIO, (i + k) % 2 != 0 ? ENOSPC : EIO,
			    !o->removes && (i + k) % 8 == 0);
	}
	free(firsts);
	free(seconds);
	told("pairs", o, before);
}

static uint64_t
next_random(uint64_t *state)
{
	/* xorshift64*, https://doi.org/10.1145/2845077 */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717U;
}

static void
sample_pairs(const struct operation *o, unsigned long n, uint64_t *seed)
{
	static const int errors[] = { EIO, ENOSPC, EROFS, EACCES };
	unsigned long before = runs;
	size_t calls = 0;

	(void)run_once(o, NULL, NULL, &calls);
	for (unsigned long i = 0; i < n; i++) {
		size_t first = 1 + next_random(seed) % calls;
		size_t second = first + 1 + next_random(seed) % (i % 2 == 0 ? 20 : calls);

		try_faults(o, first, second, errors[next_random(seed) % 4],
		    errors[next_random(seed) % 4], !o->removes && i % 8 == 0);
	}
	told("sample", o, before);
}

/* --- a file system that dies --- */

struct death {
	size_t from;
	int error;
	char side[PATH_MAX + 2];
};

static int
die_from(void *cookie, const struct gate_call *c)
{
	const struct death *d = cookie;

	if (c->number < d->from || c->nr == SYS_close || c->nr == SYS_fcntl ||
	    (d->error == EROFS && !gate_changes(c)) || (d->error == ENOSPC && !gate_takes_room(c)))
		return 0;
	return gate_is_below(c, d->side) ? d->error : 0;
}

static void
dead_file_system(const struct operation *o)
{
	static const int errors[] = { EIO, EROFS, ENOSPC };
	unsigned long before = runs;
	size_t calls = 0;

	(void)run_once(o, NULL, NULL, &calls);
	for (size_t k = 0; k < 6; k++) {
		struct death d = { .error = errors[k / 2] };

		snprintf(d.side, sizeof(d.side), "%s/%c", folder, k % 2 == 0 ? 'c' : 's');
		/* Reading comes first, and does no harm: every third is enough. */
		for (d.from = 1; d.from <= calls; d.from += d.from < calls / 3 ? 3 : 1) {
			char where[60];

			snprintf(where, sizeof(where), "%c dead from call %zu", k % 2 == 0 ? 'c' :
			    's', d.from);
			count(o, judge(o, run_once(o, die_from, &d, NULL)), where, d.error);
		}
	}
	told("dead", o, before);
}

/* --- another program --- */

struct meddler {
	size_t at;		/* the call that it comes before */
	size_t n;		/* configurations that it is at, from ... */
	size_t from;
	bool replaces;		/* by a rename; else it appends */
	pid_t pid;
};

static void
meddle(const struct meddler *m)
{
	char name[40], aside[60], text[200];
	int fd;

	for (size_t i = m->from; i < m->from + m->n; i++) {
		config_name(name, i);
		if (m->replaces) {
			snprintf(aside, sizeof(aside), "%s.theirs", name);
			snprintf(text, sizeof(text), "%s = %s\n%s = %s\n" THEIRS, keys[0], values[0],
			    keys[1], values[1]);
			put(aside, text, strlen(text));
			if (rename(aside, name) == -1)
				_exit(1);
			continue;
		}
		/* Waits while the file is leased. */
		fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
		if (fd == -1 || write(fd, THEIRS, strlen(THEIRS)) != (ssize_t)strlen(THEIRS))
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static int
meddle_at(void *cookie, const struct gate_call *c)
{
	const struct timespec moment = { 0, 100000 };
	struct meddler *m = cookie;

	if (c->number != m->at)
		return 0;
	if ((m->pid = fork()) == 0)
		meddle(m);
	/* It is done before the call goes on, unless it waits for a lease. */
	for (int i = 0; i < 20; i++) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_PID, (id_t)m->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid != 0)
			break;
		nanosleep(&moment, NULL);
	}
	return 0;
}

/* Is every line of theirs there, once? */
static const char *
judge_meddling(const struct meddler *m)
{
	const char *why = NULL;
	char name[40];
	int status = 0;

	if (m->pid > 0 && (waitpid(m->pid, &status, 0) == -1 || status != 0))
		return "the other program failed";
	for (size_t i = m->from; m->pid > 0 && i < m->from + m->n && why == NULL; i++) {
		const unsigned char *at;
		struct buf text;

		config_name(name, i);
		get(name, &text);
		at = memmem(text.data, text.len, THEIRS, strlen(THEIRS));
		if (at == NULL) {
			why = "what another program wrote is lost";
			lost++;
		}
		buf_release(&text);
	}
	return why;
}

static void
meddling(const struct operation *o)
{
	unsigned long before = runs;
	size_t calls = 0;

	(void)run_once(o, NULL, NULL, &calls);
	for (size_t k = 0; k < 3; k++) {
		for (size_t at = calls / 8 + k; at <= calls; at += 2) {
			struct meddler m = { .at = at, .n = k == 2 ? 1 : o->n,
				.from = k == 2 ? at % o->n : 0, .replaces = k == 1 };
			const char *why;
			char where[60];

			(void)run_once(o, meddle_at, &m, NULL);
			why = judge_meddling(&m);
			if (why == NULL)
				why = judge(o, 1);
			snprintf(where, sizeof(where), "another program %s at call %zu",
			    m.replaces ? "renames" : "appends", at);
			count(o, why, where, 0);
		}
	}
	told("meddler", o, before);
}

/* --- all of it --- */

/* A secrets file with a key, and what sealing makes of the configurations. */
static void
make_estate(void)
{
	static const struct operation seal = { "seal", NULL, { FILES_MAX, plan_sealing },
		FILES_MAX, false, false };
	static const char pass[] = "a passphrase of the torture\n", new[] = "e.password = eps\n";
	char command[PATH_MAX + 200], text[200] = "", *variable;
	const char *from, *to;
	FILE *out;

	put("pass", pass, strlen(pass));
	put("new", new, strlen(new));
	snprintf(command, sizeof(command), "'%s' master-key generate --local-secrets-file " SECRETS
	    " --passphrase @pass -o yaml 2>/dev/null", program);
	if ((out = popen(command, "r")) == NULL || fgets(text, sizeof(text), out) == NULL ||
	    pclose(out) != 0)
		die("no master key");
	from = strstr(text, ": ");
	to = strchr(text, '\n');
	if (from == NULL || to == NULL || asprintf(&variable, "CONFLUENT_SECURITY_MASTER_KEY=%.*s", (int)(to - from) - 2,
	    from + 2) == -1 || putenv(variable) != 0)
		die("environment");
	master = key_of_environment();
	get(SECRETS, &clear_secrets);
	if (run_once(&seal, NULL, NULL, NULL) != 0 || judge(&seal, 0) != NULL)
		die("the estate cannot be sealed");
	get(SECRETS, &sealed_secrets);
	for (size_t i = 0; i < FILES_MAX; i++) {
		char name[40];

		config_name(name, i);
		get(name, &sealed_config[i]);
	}
}

static unsigned long
number_of(const char *variable, unsigned long usual)
{
	const char *text = getenv(variable);

	return text != NULL ? strtoul(text, NULL, 10) : usual;
}

int
main(int argc, char **argv)
{
	uint64_t seed = number_of("TORTURE_SEED", SEED);
	unsigned long sample = number_of("TORTURE_SAMPLE", SAMPLE);

	if (argc != 2 || realpath(argv[1], program) == NULL) {
		fprintf(stderr, "usage: sweep PROGRAM\n");
		return 2;
	}
	if (!gate_begin(folder))
		return 0;
	if (mkdir("s", 0700) == -1 || mkdir("c", 0700) == -1)
		die(folder);
	make_estate();
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		all_pairs(&one[i]);
		dead_file_system(&one[i]);
	}
	printf("seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
		sample_pairs(&several[i], sample * (i == 0 ? 2 : 1) / 4, &seed);
		dead_file_system(&several[i]);
		meddling(&several[i]);
	}
	gate_folder_remove(folder);
	key_free(master);
	printf("%lu lost\n%lu passed, %lu failed\n", lost, passed, failed);
	return failed == 0 ? 0 : 1;
}
