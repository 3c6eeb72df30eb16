#include "cli/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secmem.h"

#define TEXT_MAX ((size_t)256 << 20)	/* far above what a kernel passes */
#define VARIABLES_MAX ((size_t)1 << 24)
#define GONE ((size_t)-1)	/* the place of one that was taken out */

void
environment_init(struct environment *e)
{
	buf_init_secret(&e->text, TEXT_MAX);
	vec_init(&e->places, sizeof(size_t), VARIABLES_MAX);
	e->envp = NULL;
}

void
environment_release(struct environment *e)
{
	buf_release(&e->text);
	vec_release(&e->places);
	free(e->envp);
	e->envp = NULL;
}

static size_t *
place_at(const struct environment *e, size_t i)
{
	return vec_at(&e->places, i);
}

void
environment_unset(struct environment *e, const char *name)
{
	size_t n = strlen(name);
	const char *text;

	for (size_t i = 0; i < e->places.len; i++) {
		if (*place_at(e, i) == GONE)
			continue;
		text = (const char *)e->text.data + *place_at(e, i);
		if (strncmp(text, name, n) == 0 && text[n] == '=')
			*place_at(e, i) = GONE;
	}
}

int
environment_set(struct environment *e, const char *name, const void *value, size_t n,
    struct error *err)
{
	size_t *place;

	if (n > 0 && memchr(value, '\0', n) != NULL) {
		error_set(err, ERROR_REFUSED, "the value has a NUL, which no variable can hold");
		error_key(err, name, strlen(name));
		return error_hint(err, "give the command a file, with --config-file and {}");
	}
	environment_unset(e, name);
	if ((place = vec_push(&e->places)) == NULL)
		return error_memory(err);
	*place = e->text.len;
	buf_append_str(&e->text, name);
	buf_append_char(&e->text, '=');
	buf_append(&e->text, value, n);
	buf_append_char(&e->text, '\0');
	return buf_check(&e->text, err);
}

char *const *
environment_finish(struct environment *e, struct error *err)
{
	size_t n = 0;

	if (buf_check(&e->text, err) != 0)
		return NULL;
	e->envp = calloc(e->places.len + 1, sizeof(*e->envp));
	if (e->envp == NULL) {
		error_memory(err);
		return NULL;
	}
	for (size_t i = 0; i < e->places.len; i++)
		if (*place_at(e, i) != GONE)
			e->envp[n++] = (char *)e->text.data + *place_at(e, i);
	if (e->text.data != NULL && secmem_keep_on_fork(e->text.data, e->text.cap) != 0) {
		error_io(err, "", "cannot hand over the environment");
		return NULL;
	}
	return e->envp;
}
