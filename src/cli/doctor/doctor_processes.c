#include <sys/stat.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "cli/doctor/doctor.h"
#include "cli/findings.h"
#include "common/options.h"

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
find_key(const struct process *p, const struct buf *words, size_t *name_len)
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
find_config(struct process *p)
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
judge(struct process *p)
{
	struct findings *f = &p->d->findings;
	const char *name;
	size_t len;

	if ((name = find_key(p, &p->cmdline, &len)) != NULL)
		findings_say(f, FINDING_PROBLEM, "exposed-argv", NULL, 0,
		    "make a new master key, and give it by a file, a pipe or a credential",
		    "process %s (%s) has %.*s in its command line, where every user can see it",
		    p->pid, p->program, (int)len, name);
	name = find_key(p, &p->environment, &len);
	if (is_java(p))
		find_config(p);
	if (name != NULL && is_java(p))
		findings_say(f, FINDING_REMARK, "process", NULL, 0, NULL,
		    "process %s (%s%s%s) has the master key in %.*s: its user and root can read "
		    "it there", p->pid, p->program, p->config != NULL ? " " : "",
		    p->config != NULL ? p->config : "", (int)len, name);
	else if (name != NULL)
		findings_say(f, FINDING_WARNING, "exposed-process", NULL, 0,
		    "unset the variable there, and start what needs it with `propseal exec`",
		    "process %s (%s) has the master key in %.*s and hands it on to all that it "
		    "starts", p->pid, p->program, (int)len, name);
	else if (p->config != NULL && p->environment_known)
		findings_say(f, FINDING_PROBLEM, "process-without-key", NULL, 0,
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
	if (stat(buf_cstr(&p.folder), &st) != 0 ||
	    (geteuid() != 0 && st.st_uid != geteuid()) ||
	    read_part(&p, "cmdline", &p.cmdline) != 0 || p.cmdline.len == 0)
		goto done;
	(void)buf_cstr(&p.cmdline);
	p.environment_known = read_part(&p, "environ", &p.environment) == 0;
	p.program = file_basename((const char *)p.cmdline.data);
	judge(&p);
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
