#include <sys/stat.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "cli/config.h"
#include "cli/doctor/doctor.h"
#include "document/document.h"
#include "cli/findings.h"
#include "common/options.h"
#include "secrets/clear.h"
#include "secrets/secrets_file.h"

/* How editors, packages, patch and people name what they leave behind. */
static const char *const endings[] = {
	"~", ".bak", ".backup", "-backup", ".old", ".orig", ".save", ".copy", ".rej",
	".rpmsave", ".rpmnew", ".rpmorig",
	".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".ucf-old", ".ucf-dist",
};

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

/* Has the name a format's ending in its middle, and which? */
static bool
has_format(const char *name, enum document_format *format)
{
	if (strstr(name, ".properties") != NULL)
		*format = DOCUMENT_PROPERTIES;
	else if (strstr(name, ".json") != NULL)
		*format = DOCUMENT_JSON;
	else
		return false;
	return true;
}

static bool
is_copy(const char *name, enum document_format *format)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (ends_with(name, endings[i]))
			return has_format(name, format);
	return false;
}

/* Of vi: .server.properties.swp, .swo and so on. */
static bool
is_swap_file(const char *name)
{
	enum document_format ignored;
	size_t n = strlen(name);

	return name[0] == '.' && n > 4 && memcmp(name + n - 4, ".sw", 3) == 0 &&
	    name[n - 1] >= 'a' && name[n - 1] <= 'p' && has_format(name, &ignored);
}

static int
check_copy(struct doctor *d, const char *path, enum document_format format, struct error *err)
{
	struct document *doc;
	struct buf content;
	struct stat st;
	size_t n = 0;
	int rc = 0;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (stat(path, &st) != 0 || file_read(path, &content, NULL, NULL) != 0 ||
	    (doc = document_parse(&content, format, path, NULL)) == NULL)
		goto done;
	if (secrets_file_recognise(doc))
		findings_say(&d->findings, FINDING_REMARK, "copy", path, 0,
		    "remove it once it is not needed: an old master key opens it",
		    "a copy of a secrets file");
	else if ((rc = clear_in_document(config_rules(d->o->config), doc, &n, err)) == 0 && n > 0)
		findings_say(&d->findings, st.st_mode & S_IROTH ? FINDING_PROBLEM :
		    FINDING_WARNING, "copy", path, 0, "remove it, and change what every user "
		    "could read", "a copy with %zu %s in clear text%s", n,
		    n == 1 ? "secret" : "secrets",
		    st.st_mode & S_IROTH ? ", which every user can read" : "");
	document_free(doc);
done:
	buf_release(&content);
	return rc;
}

int
doctor_copies_check(struct doctor *d, const char *folder, struct error *err)
{
	enum document_format format;
	struct dirent *ent;
	struct buf path;
	int rc = 0;
	DIR *dir;

	/* What cannot be read is a finding of the estate. */
	if ((dir = opendir(folder)) == NULL)
		return 0;
	buf_init(&path, DOCTOR_PATH_MAX);
	while (rc == 0 && (ent = readdir(dir)) != NULL) {
		buf_clear(&path);
		if (strcmp(folder, ".") != 0)
			buf_printf(&path, "%s/", folder);
		buf_append_str(&path, ent->d_name);
		if (is_swap_file(ent->d_name))
			findings_say(&d->findings, FINDING_WARNING, "copy", buf_cstr(&path), 0,
			    "finish that editor, or remove the file",
			    "a swap file of an editor, which may hold secrets in clear text");
		else if (is_copy(ent->d_name, &format))
			rc = check_copy(d, buf_cstr(&path), format, err);
	}
	buf_release(&path);
	closedir(dir);
	return rc;
}
