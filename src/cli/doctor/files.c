#include <sys/stat.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/checks.h"
#include "cli/doctor/doctor.h"
#include "common/args.h"
#include "document/document.h"
#include "estate/estate.h"
#include "estate/finder.h"
#include "file/file.h"
#include "secrets/secrets_file.h"

#define FOLDERS_MAX ((size_t)1 << 24)

/* Folders that were looked at, each once. */
struct folders {
	struct vec list;	/* of char * */
	struct map *seen;
};

/* What others may do with it that they should not is told by the audit. */
static int
doctor_files_check_mode(struct doctor *d, const char *path, enum audit_open what)
{
	mode_t bits;
	struct stat st;

	if (stat(path, &st) != 0)
		return 0;
	if ((bits = audit_open_bits(what, st.st_mode, st.st_uid, st.st_gid)) != 0)
		return doctor_fix_mode(d, path, bits, (bits & S_IWGRP) == 0 ? "chmod o-w" :
		    (bits & S_IWOTH) == 0 ? "chmod g-w" : "chmod go-w");
	if (what != AUDIT_OPEN_SECRETS || S_ISDIR(st.st_mode))
		return 0;
	if (geteuid() != 0 && st.st_uid != geteuid() && st.st_uid != 0)
		checks_say(&d->checks, CHECK_REMARK, "owner", path, 0, NULL,
		    "the secrets file belongs to another user (%lu)", (unsigned long)st.st_uid);
	else
		checks_say(&d->checks, CHECK_OK, "mode", path, 0, NULL,
		    "only its owner can write the secrets file");
	return 0;
}

/* The folder of a file, once. */
static int
add_folder(struct doctor *d, struct folders *f, const char *path, enum audit_open what,
    struct error *err)
{
	char *folder = file_folder(path);
	const char *kept;
	size_t ignored;
	int rc = 0;

	if (folder == NULL)
		return error_memory(err);
	if (!map_get(f->seen, folder, strlen(folder), &ignored)) {
		rc = vec_push_string(&f->list, folder, strlen(folder)) != NULL ? 0 : -1;
		kept = rc == 0 ? vec_string(&f->list, f->list.len - 1) : NULL;
		if (rc != 0 || map_put(f->seen, kept, strlen(kept), 0) != 0)
			rc = error_memory(err);
		else if (doctor_files_check_mode(d, folder, what) != 0)
			rc = error_memory(err);
	}
	free(folder);
	return rc;
}

/* What a run of ours that was killed left, which the next change removes. */
static int
check_leftover(struct doctor *d, const char *path)
{
	const size_t n = strlen(path), m = strlen(PATH_LOCK);
	const char *fix = "`propseal doctor --fix` removes it";

	if (n > m && strcmp(path + n - m, PATH_LOCK) == 0)
		checks_say(&d->checks, CHECK_REMARK, "leftover", path, 0, fix,
		    "a lock that nobody holds");
	else
		checks_say(&d->checks, CHECK_WARNING, "leftover", path, 0, fix,
		    "a run that ended early left it; there may be secrets in clear text in it");
	return doctor_fix_leftover(d, path);
}

/* How editors, packages, patch and people name what they leave behind. */
static const char *const endings[] = {
	"~", ".bak", ".backup", "-backup", ".old", ".orig", ".save", ".copy", ".rej",
	".rpmsave", ".rpmnew", ".rpmorig",
	".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".ucf-old", ".ucf-dist",
};

static bool
doctor_copies_ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

static const struct document_format *
copy_format(const char *name)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (doctor_copies_ends_with(name, endings[i]))
			return document_format_within(name);
	return NULL;
}

/* Of vi: .server.properties.swp, .swo and so on. */
static bool
is_swap_file(const char *name)
{
	size_t n = strlen(name);

	return name[0] == '.' && n > 4 && memcmp(name + n - 4, ".sw", 3) == 0 &&
	    name[n - 1] >= 'a' && name[n - 1] <= 'p' && document_format_within(name) != NULL;
}

/* Of a configuration it is a finding of the audit. */
static void
check_copy(struct doctor *d, const char *path, const struct document_format *format)
{
	struct document *doc;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (file_read(path, &content, NULL, NULL) == 0 &&
	    (doc = document_parse(&content, format, path, NULL)) != NULL) {
		if (secrets_file_recognise(doc))
			checks_say(&d->checks, CHECK_REMARK, "copy", path, 0,
			    "remove it once it is not needed: an old master key opens it",
			    "a copy of a secrets file");
		document_free(doc);
	}
	buf_release(&content);
}

static void
doctor_copies_check(struct doctor *d, const char *folder)
{
	const struct document_format *format;
	struct dirent *ent;
	struct buf path;
	DIR *dir;

	/* What cannot be read is told by the audit. */
	if ((dir = opendir(folder)) == NULL)
		return;
	buf_init(&path, DOCTOR_PATH_MAX);
	while ((ent = readdir(dir)) != NULL) {
		buf_clear(&path);
		if (strcmp(folder, ".") != 0)
			buf_printf(&path, "%s/", folder);
		buf_append_str(&path, ent->d_name);
		if (is_swap_file(ent->d_name))
			checks_say(&d->checks, CHECK_WARNING, "copy", buf_cstr(&path), 0,
			    "finish that editor, or remove the file",
			    "a swap file of an editor, which may hold secrets in clear text");
		else if ((format = copy_format(ent->d_name)) != NULL)
			check_copy(d, buf_cstr(&path), format);
	}
	buf_release(&path);
	closedir(dir);
}

static int
doctor_files_check_all(struct doctor *d, struct folders *folders, struct error *err)
{
	const struct estate_file *f;
	const char *path;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < d->secrets.len; i++) {
		path = secrets_file_path(*(struct secrets_file **)vec_at(&d->secrets, i));
		rc = doctor_files_check_mode(d, path, AUDIT_OPEN_SECRETS) != 0 ?
		    error_memory(err) : add_folder(d, folders, path, AUDIT_OPEN_SECRETS, err);
	}
	for (i = 0; rc == 0 && i < estate_count(d->estate); i++) {
		f = estate_file(d->estate, i);
		/* What cannot be read is told by the audit. */
		if (!f->is_secrets_file && f->problem == NULL &&
		    doctor_files_check_mode(d, f->path, AUDIT_OPEN_FILE) != 0)
			return error_memory(err);
		rc = add_folder(d, folders, f->path, AUDIT_OPEN_FOLDER, err);
	}
	for (i = 0; rc == 0 && i < d->leftovers.len; i++)
		if (check_leftover(d, vec_string(&d->leftovers, i)) != 0)
			rc = error_memory(err);
	for (i = 0; rc == 0 && i < folders->list.len; i++)
		doctor_copies_check(d, vec_string(&folders->list, i));
	return rc;
}

int
doctor_files_check(struct doctor *d, struct error *err)
{
	struct folders folders = { .seen = map_new() };
	int rc;

	vec_init(&folders.list, sizeof(char *), FOLDERS_MAX);
	rc = folders.seen != NULL ? doctor_files_check_all(d, &folders, err) : error_memory(err);
	map_free(folders.seen);
	vec_release_strings(&folders.list);
	return rc;
}
