#include <sys/stat.h>
#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/checks.h"
#include "cli/doctor/doctor.h"
#include "common/args.h"
#include "document/unit_file.h"
#include "estate/finder.h"
#include "file/file.h"
#include "secrets/key_source.h"

#define UNITS_MAX 100000
#define USE_CREDENTIAL "give the key as the credential " KEY_SOURCE_CREDENTIAL \
	" (LoadCredentialEncrypted=) and start with `propseal exec`"

#define SMALL_MAX 65536

/* What systemd gives by default since version 240. */
#define LOCK_ENOUGH ((size_t)8 << 20)

/* What the files of one unit come to. */
struct service {
	struct doctor *d;
	const char *name;
	struct buf file;	/* where ExecStart= stands, with its line */
	size_t line;
	bool is_kafka;
	bool has_key;
	bool may_have_key;	/* a file that cannot be read may hold it */
	bool refers;		/* a configuration file that it starts with has references */
	bool all_known;		/* every one of them could be read */
	bool concerns;		/* it is Kafka's, or holds a key: for the audit */
	struct vec fragments;	/* of char *: its files */
	bool failed;		/* to be kept there */
	struct buf word;	/* secret */
};

/* One process of /proc.  Its command line may hold secrets: only its name and
 * the names of configuration files are ever shown. */
struct process {
	struct doctor *d;
	const char *pid;
	struct buf folder;	/* of it in /proc */
	struct buf cmdline;	/* secret; NUL behind each word */
	struct buf environment;	/* secret, likewise */
	bool environment_known;
	const char *program;	/* the base name of the first word */
	const char *config;	/* a word: a configuration file with references, or NULL */
};

/* A later one is hidden by an earlier one of the same name. */
static const char *const folders[] = { "/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system" };

static void
doctor_units_environment(struct service *s, const struct unit_file *u)
{
	size_t at = 0;

	while (unit_file_word(u, &at, &s->word))
		s->has_key |= doctor_key_variable(s->d, (const char *)s->word.data,
		    s->word.len) > 0;
}

/* Is a variable of a master key set in the file of variables? */
static bool
sets_key(const struct doctor *d, const struct buf *content)
{
	const char *p = (const char *)content->data, *end;
	size_t n = content->len, len, skip;

	while (n > 0) {
		end = memchr(p, '\n', n);
		len = end != NULL ? (size_t)(end - p) : n;
		for (skip = 0; skip < len && (p[skip] == ' ' || p[skip] == '\t'); skip++)
			;
		if (doctor_key_variable(d, p + skip, len - skip) > 0)
			return true;
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
	return false;
}

/* Does it hold the key?  How it is kept is for the audit to say, which reads it, too. */
static void
look_into(struct service *s, const char *path)
{
	struct buf content;
	struct error why;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (file_read(path, &content, NULL, &why) != 0)
		s->may_have_key |= why.code != ERROR_MISSING;
	else
		s->has_key |= sets_key(s->d, &content);
	buf_release(&content);
}

/* EnvironmentFile=: one path, perhaps a pattern; `-` before it: it may be missing. */
static void
environment_file(struct service *s, const struct unit_file *u)
{
	const char *value = (const char *)u->value.data;
	size_t n = u->value.len;
	struct buf path;
	glob_t found;

	if (n > 0 && value[0] == '-') {
		value++;
		n--;
	}
	if (n == 0 || value[0] != '/')
		return;
	buf_init(&path, DOCTOR_PATH_MAX);
	buf_append_str(&path, s->d->root);
	buf_append(&path, value, n);
	if (buf_check(&path, NULL) == 0 && glob(buf_cstr(&path), 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			look_into(s, found.gl_pathv[i]);
		globfree(&found);
	}
	buf_release(&path);
}

static void
doctor_units_credential(struct service *s, const struct unit_file *u)
{
	const char *colon = memchr(u->value.data, ':', u->value.len);
	size_t n = colon != NULL ? (size_t)(colon - (const char *)u->value.data) : u->value.len;

	s->has_key |= n == strlen(KEY_SOURCE_CREDENTIAL) &&
	    memcmp(u->value.data, KEY_SOURCE_CREDENTIAL, n) == 0;
}

static void
pass_environment(struct service *s, const struct unit_file *u)
{
	size_t at = 0;

	while (unit_file_word(u, &at, &s->word))
		s->has_key |= s->word.len > 0 &&
		    doctor_is_key_name(s->d, (const char *)s->word.data, s->word.len);
}

static bool
is_kafka(const struct unit_file *u)
{
	static const char *const words[] = { "kafka", "connect-distributed", "connect-standalone",
		"schema-registry", "ksql", "control-center", "confluent" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_contains_nocase(u->value.data, u->value.len, words[i]))
			return true;
	return false;
}

static void
exec_start(struct service *s, const struct unit_file *u, const char *file)
{
	size_t at = 0;
	bool known;

	if (!is_kafka(u))
		return;
	s->is_kafka = true;
	s->line = u->start;
	buf_clear(&s->file);
	buf_append_str(&s->file, file);
	while (unit_file_word(u, &at, &s->word)) {
		if (!doctor_is_config_name(buf_cstr(&s->word), s->word.len))
			continue;
		s->refers |= doctor_refers(s->d, s->d->root, buf_cstr(&s->word), &known);
		s->all_known &= known;
	}
}

/* ${hidden}: only for what it exposes, another file of the name is in force. */
static void
read_fragment(struct service *s, const char *path, bool hidden)
{
	struct service aside = { .d = s->d, .name = s->name };
	struct service *to = hidden ? &aside : s;
	struct unit_file u;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_init_secret(&aside.word, BUF_MAX_FILE);
	buf_init(&aside.file, DOCTOR_PATH_MAX);
	if (file_read(path, &content, NULL, NULL) == 0) {
		unit_file_init(&u, (const char *)content.data, content.len);
		while (unit_file_next(&u)) {
			if (unit_file_is(&u, "Environment"))
				doctor_units_environment(to, &u);
			else if (unit_file_is(&u, "EnvironmentFile"))
				environment_file(to, &u);
			else if (unit_file_is(&u, "PassEnvironment"))
				pass_environment(to, &u);
			else if (unit_file_is(&u, "SetCredential") ||
			    unit_file_is(&u, "LoadCredential") ||
			    unit_file_is(&u, "LoadCredentialEncrypted") ||
			    unit_file_is(&u, "SetCredentialEncrypted") ||
			    unit_file_is(&u, "ImportCredential"))
				doctor_units_credential(to, &u);
			else if (unit_file_is(&u, "ExecStart"))
				exec_start(to, &u, path);
		}
		unit_file_release(&u);
	}
	s->concerns |= to->is_kafka || to->has_key;
	s->failed |= vec_push_string(&s->fragments, path, strlen(path)) == NULL;
	buf_release(&aside.file);
	buf_release(&aside.word);
	buf_release(&content);
}

static void
read_drop_ins(struct service *s, const char *folder)
{
	struct dirent **list;
	struct buf path;
	int n, i;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_printf(&path, "%s%s/%s.d", s->d->root, folder, s->name);
	n = scandir(buf_cstr(&path), &list, NULL, alphasort);
	for (i = 0; i < n; i++) {
		size_t len = strlen(list[i]->d_name);

		if (len > 5 && strcmp(list[i]->d_name + len - 5, ".conf") == 0) {
			buf_clear(&path);
			buf_printf(&path, "%s%s/%s.d/%s", s->d->root, folder, s->name,
			    list[i]->d_name);
			read_fragment(s, buf_cstr(&path), false);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	buf_release(&path);
}

static void
conclude(struct service *s)
{
	const char *file = buf_cstr(&s->file);

	if (!s->is_kafka)
		return;
	if (s->has_key)
		checks_say(&s->d->checks, CHECK_OK, "unit", file, s->line, NULL,
		    "%s gets a master key", s->name);
	else if (s->may_have_key)
		checks_say(&s->d->checks, CHECK_REMARK, "unit", file, s->line,
		    "run `propseal doctor` as root",
		    "an EnvironmentFile= of %s cannot be read: it may hold the key", s->name);
	else if (s->refers)
		checks_say(&s->d->checks, CHECK_PROBLEM, "unit-without-key", file, s->line,
		    USE_CREDENTIAL, "%s starts with references to a secrets file, but without a "
		    "master key", s->name);
	else if (s->all_known)
		checks_say(&s->d->checks, CHECK_OK, "unit", file, s->line, NULL,
		    "%s needs no master key: nothing that it starts with is sealed", s->name);
	else
		checks_say(&s->d->checks, CHECK_REMARK, "unit-without-key", file, s->line,
		    NULL, "%s starts without a master key; its configuration cannot be read here",
		    s->name);
}

static int
check_unit(struct doctor *d, const char *name, struct error *err)
{
	struct service s = { .d = d, .name = name, .all_known = true };
	struct buf path;
	struct stat st;
	bool found = false;
	int rc = 0;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_init(&s.file, DOCTOR_PATH_MAX);
	buf_init_secret(&s.word, BUF_MAX_FILE);
	vec_init(&s.fragments, sizeof(char *), UNITS_MAX);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		buf_clear(&path);
		buf_printf(&path, "%s%s/%s", d->root, folders[i], name);
		/* A link to /dev/null hides the others, too. */
		if (lstat(buf_cstr(&path), &st) != 0)
			continue;
		read_fragment(&s, buf_cstr(&path), found);
		found = true;
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		read_drop_ins(&s, folders[i]);
	conclude(&s);
	if (s.failed)
		rc = error_memory(err);
	for (size_t i = 0; rc == 0 && s.concerns && i < s.fragments.len; i++)
		if (stat(vec_string(&s.fragments, i), &st) == 0 && S_ISREG(st.st_mode))
			rc = audit_path(d->audit, vec_string(&s.fragments, i), 0, err);
	vec_release_strings(&s.fragments);
	buf_release(&s.word);
	buf_release(&s.file);
	buf_release(&path);
	return rc;
}

/* The units of one folder: x.service, and those that only x.service.d/ is there for. */
static int
list_units(struct doctor *d, const char *folder, struct vec *names, struct error *err)
{
	struct dirent *ent;
	struct buf path;
	DIR *dir;
	int rc = 0;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_printf(&path, "%s%s", d->root, folder);
	dir = opendir(buf_cstr(&path));
	while (dir != NULL && rc == 0 && (ent = readdir(dir)) != NULL) {
		size_t n = strlen(ent->d_name);

		if (n > 10 && strcmp(ent->d_name + n - 10, ".service.d") == 0)
			ent->d_name[n -= 2] = '\0';
		if (n > 8 && strcmp(ent->d_name + n - 8, ".service") == 0 &&
		    vec_push_string(names, ent->d_name, strlen(ent->d_name)) == NULL)
			rc = error_memory(err);
	}
	if (dir != NULL)
		closedir(dir);
	buf_release(&path);
	return rc;
}

int
doctor_units_check(struct doctor *d, struct error *err)
{
	const char *name, *last = "";
	struct vec names;
	int rc = 0;

	vec_init(&names, sizeof(char *), UNITS_MAX);
	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		rc = list_units(d, folders[i], &names, err);
	vec_sort_strings(&names);
	for (size_t i = 0; rc == 0 && i < names.len; i++, last = name) {
		name = vec_string(&names, i);
		if (strcmp(name, last) != 0)
			rc = check_unit(d, name, err);
	}
	vec_release_strings(&names);
	return rc;
}

static int
read_part(struct process *p, const char *name, struct buf *out)
{
	struct buf path;
	int rc;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_printf(&path, "%s/%s", buf_cstr(&p->folder), name);
	rc = file_read_stream(buf_cstr(&path), out, NULL);
	buf_release(&path);
	return rc;
}

/* The word at ${*at}; false at the end. */
static bool
next_word(const struct buf *b, size_t *at, const char **word, size_t *len)
{
	if (*at >= b->len)
		return false;
	*word = (const char *)b->data + *at;
	*len = strnlen(*word, b->len - *at);
	*at += *len + 1;
	return true;
}

/* Is the value of a key's variable among the words?  The variable's name. */
static const char *
doctor_processes_find_key(const struct process *p, const struct buf *words, size_t *name_len)
{
	const char *word;
	size_t at = 0, len;

	while (next_word(words, &at, &word, &len))
		if ((*name_len = doctor_key_variable(p->d, word, len)) > 0)
			return word;
	return NULL;
}

/* A configuration file with references among the words of the command. */
static void
doctor_processes_find_config(struct process *p)
{
	const char *word;
	struct buf cwd, path;
	size_t at = 0, len;
	bool known;

	buf_init(&cwd, DOCTOR_PATH_MAX);
	buf_printf(&cwd, "%s/cwd", buf_cstr(&p->folder));
	buf_init(&path, DOCTOR_PATH_MAX);
	while (p->config == NULL && next_word(&p->cmdline, &at, &word, &len)) {
		if (!doctor_is_config_name(word, len))
			continue;
		buf_clear(&path);
		buf_append(&path, word, len);
		if (doctor_refers(p->d, buf_cstr(&cwd), buf_cstr(&path), &known))
			p->config = word;
	}
	buf_release(&path);
	buf_release(&cwd);
}

static bool
is_java(const struct process *p)
{
	return strcmp(p->program, "java") == 0 || strcmp(p->program, "jsvc") == 0;
}

static void
doctor_processes_judge(struct process *p)
{
	struct checks *f = &p->d->checks;
	const char *name;
	size_t len;

	if ((name = doctor_processes_find_key(p, &p->cmdline, &len)) != NULL)
		checks_say(f, CHECK_PROBLEM, "command-line-secret", NULL, 0,
		    "make a new master key, and give it by a file, a pipe or a credential",
		    "process %s (%s) has %.*s in its command line, where every user can see it",
		    p->pid, p->program, (int)len, name);
	name = doctor_processes_find_key(p, &p->environment, &len);
	if (is_java(p))
		doctor_processes_find_config(p);
	if (name != NULL && is_java(p))
		checks_say(f, CHECK_REMARK, "process", NULL, 0, NULL,
		    "process %s (%s%s%s) has the master key in %.*s: its user and root can read "
		    "it there", p->pid, p->program, p->config != NULL ? " " : "",
		    p->config != NULL ? p->config : "", (int)len, name);
	else if (name != NULL)
		checks_say(f, CHECK_WARNING, "exposed-process", NULL, 0,
		    "unset the variable there, and start what needs it with `propseal exec`",
		    "process %s (%s) has the master key in %.*s and hands it on to all that it "
		    "starts", p->pid, p->program, (int)len, name);
	else if (p->config != NULL && p->environment_known)
		checks_say(f, CHECK_PROBLEM, "process-without-key", NULL, 0,
		    "start it with the key in its environment, as `propseal exec` does",
		    "process %s (%s %s) has references to a secrets file, but no master key in "
		    "its environment", p->pid, p->program, p->config);
}

static void
check_process(struct doctor *d, const char *pid)
{
	struct process p = { .d = d, .pid = pid };
	struct stat st;

	buf_init(&p.folder, DOCTOR_PATH_MAX);
	buf_init_secret(&p.cmdline, BUF_MAX_FILE);
	buf_init_secret(&p.environment, BUF_MAX_FILE);
	buf_printf(&p.folder, "%s/proc/%s", d->root, pid);
	if (stat(buf_cstr(&p.folder), &st) != 0 || (geteuid() != 0 && st.st_uid != geteuid()) ||
	    read_part(&p, "cmdline", &p.cmdline) != 0 || p.cmdline.len == 0)
		goto done;
	(void)buf_cstr(&p.cmdline);
	p.environment_known = read_part(&p, "environ", &p.environment) == 0;
	p.program = file_basename((const char *)p.cmdline.data);
	doctor_processes_judge(&p);
done:
	buf_release(&p.environment);
	buf_release(&p.cmdline);
	buf_release(&p.folder);
}

/* A process, and not this one. */
static bool
is_other(const struct doctor *d, const char *name)
{
	if (d->root[0] == '\0' && strtol(name, NULL, 10) == (long)getpid())
		return false;
	return name[0] != '\0' && name[strspn(name, "0123456789")] == '\0';
}

void
doctor_processes_check(struct doctor *d)
{
	struct dirent *ent;
	struct buf path;
	DIR *dir;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_printf(&path, "%s/proc", d->root);
	/* Other systems than Linux have none. */
	if ((dir = opendir(buf_cstr(&path))) != NULL) {
		while ((ent = readdir(dir)) != NULL)
			if (is_other(d, ent->d_name))
				check_process(d, ent->d_name);
		closedir(dir);
	}
	buf_release(&path);
}

static int
read_small(const struct doctor *d, const char *name, struct buf *out)
{
	struct buf path;
	int rc;

	buf_init(&path, DOCTOR_PATH_MAX);
	buf_printf(&path, "%s%s", d->root, name);
	buf_init(out, SMALL_MAX);
	rc = file_read_stream(buf_cstr(&path), out, NULL);
	buf_release(&path);
	return rc;
}

/* Is there swap that is not in memory?  A line each, behind a first one. */
static bool
has_swap(const struct doctor *d)
{
	struct buf text;
	const char *line;
	bool has = false;

	if (read_small(d, "/proc/swaps", &text) == 0) {
		for (line = strchr(buf_cstr(&text), '\n'); line != NULL && line[1] != '\0';
		    line = strchr(line + 1, '\n'))
			has |= strncmp(line + 1, "/dev/zram", 9) != 0;
	}
	buf_release(&text);
	return has;
}

static void
check_memory(struct doctor *d)
{
	size_t limit = secmem_lock_limit();

	if (!has_swap(d))
		checks_say(&d->checks, CHECK_OK, "memory", NULL, 0, NULL,
		    "there is no swap that secrets could reach");
	else if (limit < LOCK_ENOUGH)
		checks_say(&d->checks, CHECK_WARNING, "memory", NULL, 0,
		    "raise the limit (ulimit -l, LimitMEMLOCK=), or encrypt the swap",
		    "only %zu KiB may be locked in memory: more secrets than that may reach swap",
		    limit / 1024);
	else
		checks_say(&d->checks, CHECK_OK, "memory", NULL, 0, NULL,
		    "enough may be locked in memory to keep secrets out of swap");
}

/* We make no core files, but what needs the key does. */
static void
check_cores(struct doctor *d)
{
	struct buf text;
	const char *pattern;

	if (read_small(d, "/proc/sys/kernel/core_pattern", &text) == 0) {
		pattern = buf_cstr(&text);
		if (pattern[0] == '|')
			checks_say(&d->checks, CHECK_REMARK, "core", NULL, 0,
			    "set LimitCORE=0 in the services, or Storage=none in coredump.conf",
			    "core files go to %.*s, with the master key in those of a service",
			    (int)strcspn(pattern + 1, " \n"), pattern + 1);
		else
			checks_say(&d->checks, CHECK_OK, "core", NULL, 0, NULL,
			    "no program collects core files");
	}
	buf_release(&text);
}

void
doctor_system_check(struct doctor *d)
{
	check_memory(d);
	check_cores(d);
}
