#include "cli/editor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "cli/child.h"

#define NAME_BYTES_MAX 256
#define PATH_BYTES_MAX 4096
#define PATIENCE_MS 5000	/* for an editor that was told to end */

static const char *
command_of_user(void)
{
	const char *command = getenv("VISUAL");

	if (command == NULL || command[0] == '\0')
		command = getenv("EDITOR");
	return command == NULL || command[0] == '\0' ? "vi" : command;
}

/* Where a program without a slash in its name is found. */
static bool
find_program(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");
	size_t len;

	for (; path != NULL && *path != '\0'; path += path[len] == ':' ? len + 1 : len) {
		len = strcspn(path, ":");
		if ((size_t)snprintf(out, size, "%.*s/%s", (int)len, path, name) < size &&
		    access(out, X_OK) == 0)
			return true;
	}
	return false;
}

static bool
is_vim_name(const char *name)
{
	/* vim, nvim, gvim, vim.tiny, vim.basic */
	return strncmp(name, "vim", 3) == 0 || strcmp(name, "nvim") == 0 ||
	    strcmp(name, "gvim") == 0;
}

/* Is it Vim, which on many systems goes by the name of vi? */
static bool
is_vim(const char *command)
{
	char name[NAME_BYTES_MAX], found[PATH_BYTES_MAX];
	size_t len = strcspn(command, " \t");
	char *real;
	bool vim;

	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, command, len);
	name[len] = '\0';
	if (is_vim_name(file_basename(name)))
		return true;
	if (strcmp(file_basename(name), "vi") != 0)
		return false;
	if (strchr(name, '/') != NULL)
		snprintf(found, sizeof(found), "%s", name);
	else if (!find_program(name, found, sizeof(found)))
		return false;
	real = realpath(found, NULL);
	vim = real != NULL && is_vim_name(file_basename(real));
	free(real);
	return vim;
}

static int
failed(int status, struct error *err)
{
	if (status == 127)
		error_set(err, ERROR_MISSING, "the editor was not found: %s", command_of_user());
	else if (status > 128)
		error_set(err, ERROR_REFUSED, "the editor was ended by signal %d", status - 128);
	else
		error_set(err, ERROR_REFUSED, "the editor failed with status %d", status);
	return error_hint(err, "nothing was changed; $VISUAL or $EDITOR names the editor");
}

/* Words only, so that the shell can become the editor: signals reach it then. */
static bool
is_plain(const char *command)
{
	return strpbrk(command, ";&|<>()$`=\n") == NULL;
}

int
editor_run(const char *path, int *signal, struct error *err)
{
	const char *command = command_of_user();
	/* Four words of the shell's, five for vim, the path, and the end. */
	const char *argv[4 + 5 + 1 + 1] = { "sh", "-c", NULL, command, NULL };
	struct child c = { .argv = argv, .patience_ms = PATIENCE_MS };
	size_t n = 4;
	char *script;
	int rc, status;

	/* As a shell reads it: it may have arguments, and so may its path blanks. */
	if (asprintf(&script, "%s%s \"$@\"", is_plain(command) ? "exec " : "", command) == -1)
		return error_memory(err);
	argv[2] = script;
	if (is_vim(command)) {
		argv[n++] = "-n";
		argv[n++] = "-i";
		argv[n++] = "NONE";
		argv[n++] = "-c";
		argv[n++] = "silent! set noundofile nobackup nowritebackup";
	}
	argv[n++] = path;
	argv[n] = NULL;
	rc = child_run(&c, &status, signal, err);
	free(script);
	if (rc == 0 && *signal == 0 && status != 0)
		rc = failed(status, err);
	return rc;
}
