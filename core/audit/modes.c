#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/error.h"
#include "base/text.h"
#include "estate/environments.h"
#include "file/file.h"
#include "secrets/secrets_file.h"

/*
 * Who else can read or write a file, or put another one in its place.  Of what
 * is not on a disk nothing is told.
 */

mode_t
audit_open_bits(enum audit_open what, mode_t mode, uid_t uid, gid_t gid)
{
	if (what != AUDIT_OPEN_FILE && S_ISDIR(mode) && (mode & S_ISVTX) != 0)
		return 0;
	return file_writers(mode, uid, gid) &
	    (what == AUDIT_OPEN_SECRETS ? S_IWGRP | S_IWOTH : S_IWOTH);
}

/* Tell it of the file as a whole. */
static int
modes_add(struct audit_source *s, const char *message, const char *hint, const char *command,
    struct error *err)
{
	static const struct audit_finding region = { .line = 1, .column = 1, .end_line = 1,
		.end_column = 1 };
	struct audit_finding *f = audit_add(s, AUDIT_OPEN_MODE, "", 0, &region, err);

	if (f == NULL)
		return -1;
	f->message = message;
	f->hint = hint;
	f->command = command;
	return 0;
}

/* The folder of the file ${path}, named ${name}: told under its own name, and once. */
static int
modes_folder(struct audit *a, const char *path, const char *name, enum audit_open what,
    struct error *err)
{
	const size_t n = audit_folder_length(name);
	char *folder = file_folder(path), *own = NULL;
	struct audit_source s = { .a = a, .file = AUDIT_NONE, .first = a->findings.len };
	struct stat st;
	mode_t bits;
	bool told = false;
	int rc = -1;

	if (folder == NULL || (own = n > 0 ? text_copy(name, n) : strdup(name[0] == '/' ? "/" :
	    ".")) == NULL) {
		free(folder);
		return error_memory(err);
	}
	for (size_t i = a->open_folders.len; i > 0 && !told; i--)
		told = strcmp(vec_string(&a->open_folders, i - 1), folder) == 0;
	s.name = own;
	if (told || stat(folder, &st) != 0 ||
	    (bits = audit_open_bits(what, st.st_mode, st.st_uid, st.st_gid)) == 0)
		rc = 0;
	else if (vec_push_string(&a->open_folders, folder, strlen(folder)) == NULL)
		error_memory(err);
	else if (bits & S_IWOTH)
		rc = modes_add(&s, "every user can put other files in the place of those in this "
		    "folder", "chmod o-w, or make the folder sticky with chmod +t", "chmod o-w",
		    err);
	else
		rc = modes_add(&s, "its group can put another file in the place of the secrets "
		    "file in this folder", "chmod g-w", "chmod g-w", err);
	if (rc == 0 && a->findings.len > s.first && what != AUDIT_OPEN_SECRETS)
		rc = audit_settle(&s, err);
	free(own);
	free(folder);
	return rc;
}

int
audit_modes_folder(struct audit_source *s, struct error *err)
{
	struct audit *a = s->a;
	const char *slash = a->path != NULL ? strrchr(a->path, '/') : NULL;
	const size_t n = slash != NULL ? (size_t)(slash - a->path) + 1 : 0;

	/* One file of each folder will do. */
	if (a->path == NULL || (a->folder != NULL && strlen(a->folder) == n &&
	    memcmp(a->folder, a->path, n) == 0))
		return 0;
	free(a->folder);
	if ((a->folder = text_copy(a->path, n)) == NULL)
		return error_memory(err);
	if (modes_folder(a, a->path, s->name, AUDIT_OPEN_FOLDER, err) != 0)
		return -1;
	s->first = a->findings.len;
	return 0;
}

int
audit_modes_file(struct audit_source *s, const struct file_id *id, struct error *err)
{
	const struct audit *a = s->a;
	bool secret = false;

	if (id == NULL || !id->exists || (id->mode & (S_IROTH | S_IWOTH)) == 0)
		return 0;
	for (size_t i = s->first; i < a->findings.len; i++)
		secret |= audit_finding(a, i)->level == AUDIT_ERROR;
	/* Who can write a secrets file is told when all of them are known. */
	if (secret && ((id->mode & S_IWOTH) == 0 || s->is_secrets))
		return modes_add(s, "every user can read the secrets in this file", NULL,
		    "chmod o-rwx", err);
	if (secret)
		return modes_add(s, "every user can read the secrets in this file, and write it",
		    NULL, "chmod o-rwx", err);
	if (s->is_secrets || audit_open_bits(AUDIT_OPEN_FILE, id->mode, id->uid, id->gid) == 0)
		return 0;
	return modes_add(s, "every user can write this file", "chmod o-w", "chmod o-w", err);
}

int
audit_modes_secrets(struct audit *a, const struct environment *x, size_t file, struct error *err)
{
	const struct file_id *id = secrets_file_id(x->secrets);
	struct audit_source s = { .a = a, .file = file, .form = FORM_PROPERTIES };
	const mode_t bits = !id->exists ? 0 :
	    audit_open_bits(AUDIT_OPEN_SECRETS, id->mode, id->uid, id->gid);
	int rc = 0;

	if (bits & S_IWOTH)
		rc = modes_add(&s, "every user can write this secrets file, and so exchange what "
		    "is sealed in it", "chmod go-w", "chmod go-w", err);
	else if (bits != 0)
		rc = modes_add(&s, "its group can write this secrets file, and so exchange what "
		    "is sealed in it", "chmod g-w", "chmod g-w", err);
	return rc == 0 ? modes_folder(a, x->path, audit_file(a, file), AUDIT_OPEN_SECRETS, err) :
	    -1;
}

int
audit_modes_readers(struct audit_source *s, const char *path, const struct environment *x,
    struct error *err)
{
	struct file_id id;

	if (x->secrets == NULL || !secrets_file_id(x->secrets)->exists ||
	    file_identify(path, &id, NULL) != 0 || !id.exists ||
	    file_shares_readers(&id, secrets_file_id(x->secrets)))
		return 0;
	return modes_add(s, "who reads this file cannot read its secrets file",
	    "let just them read the secrets file: give it the owner and the group of this file "
	    "with chown, and chmod 640", NULL, err);
}
