#include <stdio.h>
#include <string.h>

#include "registry/store/store_internal.h"

/* What others hear of a rotation. */

void
store_rotation_fail(struct store *s, const char *text)
{
	(void)pthread_mutex_lock(&s->mutex);
	snprintf(s->rotation.shown.failure, sizeof(s->rotation.shown.failure), "%.255s",
	    text);
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_rotation_note(struct store *s, const char *step)
{
	struct rotation *r = &s->rotation;
	size_t i;

	(void)pthread_mutex_lock(&s->mutex);
	if (r->tell_count == STORE_TELLS) {
		memmove(&r->tells[0], &r->tells[1], (STORE_TELLS - 1) * sizeof(r->tells[0]));
		r->tell_count--;
	}
	i = r->tell_count++;
	snprintf(r->tells[i].step, sizeof(r->tells[i].step), "%s", step);
	r->tells[i].state = r->shown;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_rotation_tell(struct store *s)
{
	struct rotation *r = &s->rotation;
	void (*tell)(void *cookie, const char *step, const struct rotation_state *state);
	struct rotation_state state;
	char step[sizeof(r->tells[0].step)];
	void *cookie;

	for (;;) {
		(void)pthread_mutex_lock(&s->mutex);
		tell = r->tell;
		cookie = r->tell_cookie;
		if (tell == NULL || r->tell_count == 0) {
			(void)pthread_mutex_unlock(&s->mutex);
			return;
		}
		memcpy(step, r->tells[0].step, sizeof(step));
		state = r->tells[0].state;
		r->tell_count--;
		memmove(&r->tells[0], &r->tells[1], r->tell_count * sizeof(r->tells[0]));
		(void)pthread_mutex_unlock(&s->mutex);
		tell(cookie, step, &state);
	}
}
