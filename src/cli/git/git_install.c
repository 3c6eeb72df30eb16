#include <sys/stat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/git/git.h"
#include "cli/git/git_attributes.h"
#include "cli/git/git_setup.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"

#define TEXT_MAX BUF_MAX_FILE
#define MODE_ATTRIBUTES 0644
#define MODE_HOOK 0755

struct install {
	const struct options *o;
	struct git_setup g;
	bool in_repository;	/* not --global */
	struct git_attributes attributes;
	struct buf hook;	/* the new hook */
	bool new_hook;		/* else it stays as it is */
};

/* --- what is to be done --- */

static int
plan_hook(struct install *in, struct error *err)
{
	enum git_hook hook = GIT_HOOK_NONE;
	struct buf line, old;
	bool exists;
	int rc;

	if (in->o->on[FLAG_NO_HOOK])
		return 0;
	if (git_setup_hook(&in->g, &hook, err) != 0)
		return -1;
	if (hook == GIT_HOOK_CALLS_US)
		return 0;
	if (hook == GIT_HOOK_FOREIGN) {
		buf_init(&line, 65536);
		git_setup_hook_line(&in->g, &line);
		error_set(err, ERROR_EXISTS, "the repository has a pre-commit hook of its own");
		error_place(err, buf_cstr(&in->g.hook), 0);
		rc = error_hint(err, "add this line to it and run this command again, or give "
		    "--no-hook: %s", buf_cstr(&line));
		buf_release(&line);
		return rc;
	}
	git_setup_hook_text(&in->g, &in->hook);
	buf_init(&old, TEXT_MAX);
	rc = git_setup_read(&in->g.hook, &old, &exists, err);
	/* Ours already, to the letter? */
	in->new_hook = old.len != in->hook.len ||
	    memcmp(old.data, in->hook.data, old.len) != 0;
	buf_release(&old);
	return rc == 0 ? buf_check(&in->hook, err) : -1;
}

/* --- doing it --- */

static int
set_settings(struct install *in, struct error *err)
{
	struct buf value;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < GIT_SETUP_SETTINGS; i++) {
		buf_init(&value, 65536);
		const char *name = git_setup_setting(&in->g, i, &value);
		const char *argv[] = { "config", in->in_repository ? "--local" : "--global", name,
			buf_cstr(&value), NULL };

		rc = git_run(argv, NULL, NULL, err);
		buf_release(&value);
	}
	return rc;
}

static int
make_folder(struct install *in, struct error *err)
{
	char *path = strdup(buf_cstr(&in->g.hook));
	int rc = 0;

	if (path == NULL)
		return error_memory(err);
	*strrchr(path, '/') = '\0';
	if (access(path, F_OK) != 0 &&
	    (mkdir(path, MODE_HOOK) != 0 || chmod(path, MODE_HOOK) != 0))
		rc = error_io(err, path, "cannot make the folder");
	free(path);
	return rc;
}

static int
write_files(struct install *in, struct error *err)
{
	struct git_file files[2];
	size_t n = 0;

	if (in->attributes.added.len > 0)
		files[n++] = (struct git_file){ buf_cstr(&in->g.attributes), &in->attributes.text,
			MODE_ATTRIBUTES };
	if (in->new_hook) {
		if (make_folder(in, err) != 0)
			return -1;
		files[n++] = (struct git_file){ buf_cstr(&in->g.hook), &in->hook, MODE_HOOK };
	}
	return n == 0 ? 0 : git_setup_write(files, n, options_lock_timeout(in->o), err);
}

/* What is done, or would be: one line each. */
static int
show(struct install *in, struct error *err)
{
	struct buf out, value;
	const char *p, *end;
	int rc;

	buf_init(&out, TEXT_MAX);
	for (p = buf_cstr(&in->attributes.added); *p != '\0'; p = end + 1) {
		end = strchr(p, '\n');
		buf_append_str(&out, ".gitattributes: ");
		text_append_visible(&out, p, (size_t)(end - p));
		buf_append_char(&out, '\n');
	}
	for (size_t i = 0; i < GIT_SETUP_SETTINGS; i++) {
		buf_init(&value, 65536);
		buf_printf(&out, "git config %s: ", git_setup_setting(&in->g, i, &value));
		text_append_visible(&out, value.data, value.len);
		buf_append_char(&out, '\n');
		buf_release(&value);
	}
	if (in->new_hook) {
		text_append_visible(&out, in->g.hook.data, in->g.hook.len);
		buf_append_str(&out, ": ");
		git_setup_hook_line(&in->g, &out);
		buf_append_char(&out, '\n');
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

static int
install(struct install *in, struct error *err)
{
	if (git_setup_find(&in->g, in->in_repository, err) != 0)
		return -1;
	if (in->in_repository &&
	    (git_attributes_plan(&in->attributes, &in->g, in->o, err) != 0 ||
	    plan_hook(in, err) != 0))
		return -1;
	if (!in->o->on[FLAG_DRY_RUN] && (set_settings(in, err) != 0 ||
	    (in->in_repository && write_files(in, err) != 0)))
		return -1;
	return show(in, err);
}

int
commands_git_install(const struct options *o)
{
	struct install in = { .o = o, .in_repository = !o->on[FLAG_GLOBAL] };
	struct error err;
	int rc;

	git_setup_init(&in.g);
	git_attributes_init(&in.attributes);
	buf_init(&in.hook, TEXT_MAX);
	rc = install(&in, &err);
	buf_release(&in.hook);
	git_attributes_release(&in.attributes);
	git_setup_release(&in.g);
	return rc == 0 ? 0 : report_error(&err);
}
