#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/config_file.h"
#include "cli/config_find.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"

#define OUT_MAX (1U << 20)

struct checking {
	bool json;
	size_t files;
	size_t problems;	/* of all files */
	struct buf out;
};

static void
say(void *cookie, const struct error *what)
{
	struct checking *c = cookie;

	report_error(what);
	c->problems++;
}

/* Check one file by itself, and tell how it is. */
static void
check_file(struct checking *c, const char *path, bool foreign)
{
	size_t before = c->problems;
	struct config_file *f;
	struct config *alone = NULL;
	struct error err;

	f = config_file_read(path, foreign, say, c, &err);
	if (f != NULL && (alone = config_single(f, &err)) == NULL)
		say(c, &err);
	else if (f != NULL)
		config_free(alone);
	if (c->json) {
		buf_append_str(&c->out, c->files > 0 ? ",{\"path\":" : "{\"path\":");
		text_append_json(&c->out, path, strlen(path));
		buf_printf(&c->out, ",\"problems\":%zu}", c->problems - before);
	} else if (c->problems == before) {
		text_append_visible(&c->out, path, strlen(path));
		buf_append_str(&c->out, ": no problems\n");
	}
	c->files++;
}

/* Is ${path} the user's own file, or the one that the environment names? */
static bool
is_own(const char *path)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	struct file_id id, own;
	struct buf user;
	bool same = false;

	if (file_identify(path, &id, NULL) != 0 || !id.exists)
		return false;
	buf_init(&user, CONFIG_PATH_MAX);
	config_find_user(&user);
	if (user.len > 0 && file_identify(buf_cstr(&user), &own, NULL) == 0)
		same = file_id_equal(&id, &own);
	if (!same && variable != NULL && file_identify(variable, &own, NULL) == 0)
		same = file_id_equal(&id, &own);
	buf_release(&user);
	return same;
}

/* The files that a command run here would read, and then all together. */
static void
check_all(struct checking *c)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	struct config *together;
	struct file_id id;
	struct error err;
	struct buf path;

	if (variable != NULL && variable[0] == '\0')
		return;
	buf_init(&path, CONFIG_PATH_MAX);
	config_find_user(&path);
	if (path.len > 0 && (file_identify(buf_cstr(&path), &id, NULL) != 0 || id.exists))
		check_file(c, buf_cstr(&path), false);
	buf_clear(&path);
	config_find_project(&path);
	if (path.len > 0)
		check_file(c, buf_cstr(&path), true);
	if (variable != NULL)
		check_file(c, variable, false);
	buf_release(&path);
	if (c->problems > 0)
		return;
	together = config_load(&err);
	if (together == NULL)
		say(c, &err);
	config_free(together);
}

int
commands_config_check(const struct options *o)
{
	struct checking c = { .json = options_format(o) == OUTPUT_JSON };
	struct error err;
	int rc;

	buf_init(&c.out, OUT_MAX);
	if (c.json)
		buf_append_str(&c.out, "{\"files\":[");
	if (o->arg_count > 0)
		check_file(&c, o->args[0], !is_own(o->args[0]));
	else
		check_all(&c);
	if (c.json)
		buf_printf(&c.out, "],\"problems\":%zu}\n", c.problems);
	else if (c.files == 0)
		buf_append_str(&c.out, "no " CONFIG_FILE_NAME " is read here\n");
	rc = output_write(&c.out, &err);
	buf_release(&c.out);
	if (rc != 0)
		return report_error(&err);
	return c.problems > 0 ? 1 : 0;
}
