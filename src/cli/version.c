#include <curses.h>
#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "cli/commands.h"
#include "common/report.h"

#define VERSION_MAX 4096

/* "ncurses 6.4.20221231", less the name. */
static const char *
version_of_curses(void)
{
	const char *blank = strrchr(curses_version(), ' ');

	return blank != NULL ? blank + 1 : curses_version();
}

/*
 * What is in this very program, for who asks for help with it: some of the
 * libraries may be linked in, and are then no newer than it.
 */
static const struct {
	const char *name;
	const char *(*version)(void);
} version_libraries[] = {
	{ "libevent", event_get_version },
	{ "jansson", jansson_version_str },
	{ "ncurses", version_of_curses },
};

#define LIBRARIES (sizeof(version_libraries) / sizeof(version_libraries[0]))

static void
version_append_json(struct buf *out)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", "propseal.version/1");
	json_out_text(&o, "version", PROPSEAL_VERSION);
	json_out_text(&o, "commit", PROPSEAL_COMMIT[0] != '\0' ? PROPSEAL_COMMIT : NULL);
	json_out_object(&o, "libraries");
	json_out_text(&o, "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
	for (size_t i = 0; i < LIBRARIES; i++)
		json_out_text(&o, version_libraries[i].name, version_libraries[i].version());
	json_out_end(&o);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

int
version_print(bool json)
{
	struct error err;
	struct buf out;
	int rc;

	buf_init(&out, VERSION_MAX);
	if (json) {
		version_append_json(&out);
	} else {
		buf_append_str(&out, "propseal " PROPSEAL_VERSION " (");
		if (PROPSEAL_COMMIT[0] != '\0')
			buf_append_str(&out, "commit " PROPSEAL_COMMIT "; ");
		buf_printf(&out, "OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));
		for (size_t i = 0; i < LIBRARIES; i++)
			buf_printf(&out, ", %s %s", version_libraries[i].name,
			    version_libraries[i].version());
		buf_append_str(&out, ")\n");
	}
	rc = output_write(&out, &err);
	buf_release(&out);
	return rc == 0 ? 0 : report_error(&err);
}
