#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "base/secmem.h"
#include "registry/keys/master.h"

#define TEXT_MAX 4096
#define PATH_BYTES 4096

static struct master *
parse(const struct buf *text, bool dev_mode, const char *place, struct error *err)
{
	struct master *m = master_from_text(text, dev_mode, err);

	if (m == NULL)
		error_place(err, place, 0);
	return m;
}

/* Nobody else may be able to read it: ${mode} is what fstat said. */
static int
check_mode(const char *path, mode_t mode, struct error *err)
{
	if ((mode & (S_IRWXG | S_IRWXO)) == 0)
		return 0;
	error_set(err, ERROR_REFUSED, "others than its owner may use the master secret's file "
	    "(mode %04o)", (unsigned int)(mode & 07777));
	error_place(err, path, 0);
	return error_hint(err, "chmod 600 '%s'", path);
}

/* A file or a pipe; ${private}: refused when others may read it. */
static int
read_file(const char *path, bool private, struct buf *out, struct error *err)
{
	struct stat st;
	int result = -1;
	int fd;

	/* Opening a device can do things of its own. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "neither a file nor a pipe");
		return error_place(err, path, 0);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == ENOENT) {
		error_set(err, ERROR_MISSING, "no such file");
		return error_place(err, path, 0);
	}
	if (fd == -1)
		return error_io(err, path, "cannot open");
	if (fstat(fd, &st) == -1)
		error_io(err, path, "cannot examine");
	else if (!private || check_mode(path, st.st_mode, err) == 0)
		result = file_read_fd(fd, path, out, err);
	close(fd);
	return result;
}

static struct master *
from_file(const char *path, bool private, bool dev_mode, struct error *err)
{
	struct master *m = NULL;
	struct buf text;

	buf_init_secret(&text, TEXT_MAX);
	if (read_file(path, private, &text, err) == 0)
		m = parse(&text, dev_mode, path, err);
	buf_release(&text);
	return m;
}

static struct master *
from_environment(char *value, bool dev_mode, struct error *err)
{
	struct master *m = NULL;
	struct buf text;

	buf_init_secret(&text, TEXT_MAX);
	buf_append_str(&text, value);
	/* Neither a child nor a reader of our memory finds it there again. */
	secmem_wipe(value, strlen(value));
	unsetenv(MASTER_ENVVAR);
	if (buf_check(&text, err) == 0)
		m = parse(&text, dev_mode, MASTER_ENVVAR, err);
	buf_release(&text);
	return m;
}

/* The value of the variable, or NULL. */
static char *
variable(void)
{
	char *value = getenv(MASTER_ENVVAR);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The path of the systemd credential; false when there is none. */
static bool
credential(struct buf *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct file_id id;

	if (dir == NULL || dir[0] == '\0')
		return false;
	buf_printf(path, "%s/%s", dir, MASTER_CREDENTIAL);
	/* One that cannot be examined is not one that is not there. */
	return buf_check(path, NULL) == 0 &&
	    (file_identify(buf_cstr(path), &id, NULL) != 0 || id.exists);
}

/* ${*found} is false when there is none.  Its mode is systemd's affair: an
 * access control list shows in the group's bits. */
static struct master *
from_credential(bool dev_mode, bool *found, struct error *err)
{
	struct master *m = NULL;
	struct buf path;

	buf_init(&path, PATH_BYTES);
	*found = credential(&path);
	if (*found)
		m = from_file(buf_cstr(&path), false, dev_mode, err);
	buf_release(&path);
	return m;
}

bool
registry_master_given(void)
{
	struct buf path;
	bool given;

	buf_init(&path, PATH_BYTES);
	given = variable() != NULL || credential(&path);
	buf_release(&path);
	return given;
}

struct master *
registry_master_find(const char *file, bool dev_mode, const char **where, struct error *err)
{
	const char *ignored;
	struct master *m;
	bool found;
	char *value;

	if (where == NULL)
		where = &ignored;
	if (file != NULL) {
		*where = "--master-key-file";
		return from_file(file, !dev_mode, dev_mode, err);
	}
	if ((value = variable()) != NULL) {
		*where = "the environment";
		return from_environment(value, dev_mode, err);
	}
	*where = "the systemd credential " MASTER_CREDENTIAL;
	m = from_credential(dev_mode, &found, err);
	if (found)
		return m;
	*where = NULL;
	error_set(err, ERROR_MISSING, "no master secret for the registry");
	error_hint(err, "give --master-key-file FILE, or export %s, or the systemd credential %s",
	    MASTER_ENVVAR, MASTER_CREDENTIAL);
	return NULL;
}
