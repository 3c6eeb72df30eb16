#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/options.h"
#include "common/output.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"
#include "common/report.h"

#define POLL_NS 200000000L

struct progress {
	bool running;
	long long done, total;
	char failure[256];
};

static int
read_progress(const struct buf *answer, struct progress *p, struct error *err)
{
	json_t *root = json_loadb((const char *)answer->data, answer->len, 0, NULL);
	const char *failure = json_string_value(json_object_get(root, "failure"));
	int rc = 0;

	memset(p, 0, sizeof(*p));
	if (!json_is_boolean(json_object_get(root, "running"))) {
		rc = error_set(err, ERROR_FORMAT, "the answer tells no progress of a rotation");
	} else {
		p->running = json_is_true(json_object_get(root, "running"));
		p->done = json_integer_value(json_object_get(root, "done"));
		p->total = json_integer_value(json_object_get(root, "total"));
		snprintf(p->failure, sizeof(p->failure), "%s", failure != NULL ? failure : "");
	}
	json_decref(root);
	return rc;
}

/* Ask until it is over, with a line of progress for a person. */
static int
follow(struct remote *r, struct error *err)
{
	struct timespec pause = { .tv_nsec = POLL_NS };
	bool person = isatty(STDERR_FILENO);
	struct progress p;

	for (;;) {
		remote_target(r, "secret", "admin", "rotation", (const char *)NULL);
		if (remote_call(r, "GET", NULL, err) != 0 ||
		    read_progress(&r->answer, &p, err) != 0)
			return -1;
		if (person)
			fprintf(stderr, "\r%lld of %lld records sealed again ", p.done, p.total);
		if (!p.running)
			break;
		nanosleep(&pause, NULL);
	}
	if (person)
		fputc('\n', stderr);
	if (p.failure[0] != '\0') {
		error_set(err, ERROR_IO, "the rotation stopped: %s", p.failure);
		return error_hint(err, "what was sealed again stays so; start it again when the "
		    "cause is gone");
	}
	return 0;
}

int
commands_registry_rotate(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	remote_target(&r, "secret", "admin", "rotation", (const char *)NULL);
	buf_append_str(&r.body, "{}");
	if (rc == 0)
		rc = remote_call(&r, "POST", NULL, &err);
	/* One that runs already does it too. */
	if (rc != 0 && r.got.status == 409) {
		report_note("a rotation is running already");
		rc = 0;
	}
	if (rc == 0)
		rc = follow(&r, &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		report_note("every secret is sealed with a new data key");
	return remote_status(&r, rc, &err);
}
