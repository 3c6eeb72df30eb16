#include <stdlib.h>

#include "ui/registry_source.h"

struct registry_answer *
registry_answer_new(unsigned long id, enum registry_kind kind)
{
	struct registry_answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->id = id;
	a->kind = kind;
	vec_init(&a->names, sizeof(char *), REGISTRY_NAMES_MAX);
	vec_init(&a->deleted, sizeof(char *), REGISTRY_NAMES_MAX);
	vec_init(&a->keys, sizeof(struct registry_summary), REGISTRY_NAMES_MAX);
	vec_init(&a->versions, sizeof(struct registry_version), REGISTRY_VERSIONS_MAX);
	vec_init(&a->events, sizeof(struct registry_event), REGISTRY_EVENTS_MAX);
	buf_init_secret(&a->value, REGISTRY_VALUE_MAX);
	return a;
}

static void
names_free(struct vec *names)
{
	size_t i;

	for (i = 0; i < names->len; i++)
		free(*(char **)vec_at(names, i));
	vec_release(names);
}

void
registry_answer_free(struct registry_answer *a)
{
	if (a == NULL)
		return;
	names_free(&a->names);
	names_free(&a->deleted);
	vec_release(&a->keys);
	vec_release(&a->versions);
	vec_release(&a->events);
	buf_release(&a->value);
	free(a);
}

const char *
registry_state_name(enum registry_version_state s)
{
	switch (s) {
	case REGISTRY_DELETED:
		return "deleted";
	case REGISTRY_EXPIRED:
		return "expired";
	case REGISTRY_DESTROYED:
		return "destroyed";
	case REGISTRY_LIVE:
	default:
		return "live";
	}
}
