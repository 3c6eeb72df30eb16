#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "client/client.h"

#define MESSAGE_MAX 700

static enum error_code
code_of(int status)
{
	switch (status) {
	case 404:
		return ERROR_MISSING;
	case 409:
	case 412:
		return ERROR_STALE;
	case 413:
		return ERROR_LIMIT;
	case 429:
	case 503:
		return ERROR_BUSY;
	default:
		return status >= 500 ? ERROR_IO : ERROR_REFUSED;
	}
}

static const char *
hint_of(int status)
{
	switch (status) {
	case 301:
	case 302:
	case 307:
	case 308:
		return "redirections are not followed: give --url the address that answers itself";
	case 401:
		return "log in by --user and --password-file, --token-file, or --cert";
	case 403:
		return "somebody with the right to must grant it: propseal registry role grant";
	case 404:
		return "propseal registry list shows what is there";
	case 409:
	case 412:
		return "look at what is there now (propseal registry history), then try again";
	case 429:
		return "wait a minute";
	case 503:
		return "try again; /health/ready of the registry says what is wrong";
	case 504:
		return "it may have been done: look with propseal registry history";
	default:
		return NULL;
	}
}

int
client_error(const struct client_answer *a, struct error *err)
{
	json_t *root = json_loadb((const char *)a->body->data, a->body->len, 0, NULL);
	const char *message = json_string_value(json_object_get(root, "message"));
	const char *hint = hint_of(a->status);

	error_set(err, code_of(a->status), "the registry answered %d%s%.*s", a->status,
	    message != NULL ? ": " : "", MESSAGE_MAX, message != NULL ? message : "");
	if (hint != NULL)
		error_hint(err, "%s", hint);
	json_decref(root);
	return -1;
}
