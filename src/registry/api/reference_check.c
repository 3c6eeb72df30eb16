#include "registry/api/reference_check.h"

#include <string.h>

#include <jansson.h>

#include "registry/api/reply.h"
#include "registry/api/request.h"
#include "registry/base/settings.h"
#include "registry/store/names.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

#define PLACE_MAX 200		/* bytes of a place, */
#define REFERENCE_MAX 320	/* and of a reference, that are shown */
#define TEXT_MAX ((size_t)1 << 20)

void
reference_check_init(struct reference_check *c, struct exchange *x, bool missing_is_wrong)
{
	memset(c, 0, sizeof(*c));
	c->x = x;
	c->missing_is_wrong = missing_is_wrong;
	c->name = request_param(x, PARAM_PATH, &c->name_len);
	c->provider = request_settings(x)->provider;
	c->state = request_state(x);
	c->now = store_now(request_store(x));
	buf_init(&c->errors, TEXT_MAX);
	buf_init(&c->warnings, TEXT_MAX);
	json_out_init(&c->warning_list, &c->warnings);
	json_out_array(&c->warning_list, NULL);
	buf_init(&c->place, TEXT_MAX);
}

void
reference_check_release(struct reference_check *c)
{
	buf_release(&c->errors);
	buf_release(&c->warnings);
	buf_release(&c->place);
}

bool
reference_check_is_ours(const struct reference_check *c, const struct reference *ref)
{
	return ref->provider_len == strlen(c->provider) &&
	    memcmp(ref->provider, c->provider, ref->provider_len) == 0;
}

const struct state_key *
reference_check_find(const struct reference_check *c, const struct reference *ref)
{
	const struct state_key *key = NULL;

	if (c->path != NULL)
		key = state_key_find(c->path, ref->key, ref->key_len);
	return key != NULL && state_key_live(key, c->now) ? key : NULL;
}

static void
append_cut(struct buf *out, const char *text, size_t n, size_t max)
{
	buf_append(out, text, n < max ? n : max);
	if (n > max)
		buf_append_str(out, "...");
}

static void
tell(struct reference_check *c, struct buf *out, const char *text, const struct reference *ref,
    const char *what)
{
	append_cut(out, (const char *)c->place.data, c->place.len, PLACE_MAX);
	buf_append_str(out, ": ");
	append_cut(out, text + ref->begin, ref->end - ref->begin, REFERENCE_MAX);
	buf_append_str(out, ": ");
	buf_append_str(out, what);
}

static void
tell_wrong(struct reference_check *c, const char *text, const struct reference *ref,
    const char *what)
{
	if (c->wrong++ >= REFERENCE_CHECK_ERRORS)
		return;
	if (c->errors.len > 0)
		buf_append_str(&c->errors, "; ");
	tell(c, &c->errors, text, ref, what);
}

static void
tell_missing(struct reference_check *c, const char *text, const struct reference *ref)
{
	static const char what[] = "no such secret is stored";
	struct buf line;

	if (c->missing_is_wrong) {
		tell_wrong(c, text, ref, what);
		return;
	}
	if (c->missing++ >= REFERENCE_CHECK_ERRORS)
		return;
	buf_init(&line, 4096);
	tell(c, &line, text, ref, what);
	json_out_text_n(&c->warning_list, NULL, line.data, line.len);
	buf_release(&line);
}

static void
check_text(struct reference_check *c, const char *text, size_t n)
{
	struct reference ref;
	size_t at = 0;

	for (; reference_scan(text, n, at, &ref); at = ref.end) {
		if (!reference_check_is_ours(c, &ref))
			continue;
		c->references++;
		if (!ref.has_path || ref.path_len == 0)
			tell_wrong(c, text, &ref, "it names no path (${provider:path:key})");
		else if (ref.path_len != c->name_len ||
		    memcmp(ref.path, c->name, c->name_len) != 0)
			tell_wrong(c, text, &ref, "its path is not the connector's name");
		else if (!name_key_valid(ref.key, ref.key_len))
			tell_wrong(c, text, &ref, "its key is not valid");
		else if (reference_check_find(c, &ref) == NULL)
			tell_missing(c, text, &ref);
	}
}

/* Look at every string within; false: it is nested too deep. */
static bool
check(struct reference_check *c, json_t *value, unsigned depth)
{
	size_t before = c->place.len, i;
	const char *name;
	json_t *member;
	bool fine = true;

	if (depth > REFERENCE_CHECK_DEPTH)
		return false;
	if (json_is_string(value))
		check_text(c, json_string_value(value), json_string_length(value));
	json_object_foreach(value, name, member) {
		if (before > 0)
			buf_append_char(&c->place, '.');
		buf_append_str(&c->place, name);
		fine = fine && check(c, member, depth + 1);
		buf_truncate(&c->place, before);
	}
	json_array_foreach(value, i, member) {
		buf_append_char(&c->place, '[');
		reply_number(&c->place, i);
		buf_append_char(&c->place, ']');
		fine = fine && check(c, member, depth + 1);
		buf_truncate(&c->place, before);
	}
	return fine;
}

bool
reference_check_all(struct reference_check *c, struct json_t *config)
{
	c->path = state_path_find(c->state, c->name, c->name_len);
	return check(c, config, 0);
}
