#include "ui/registry_source.h"

#include <stdlib.h>

struct registry_answer *
registry_answer_new(unsigned long id, enum registry_kind kind)
{
	struct registry_answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->id = id;
	a->kind = kind;
	vec_init(&a->names, sizeof(char *), REGISTRY_NAMES_MAX);
	vec_init(&a->current, sizeof(unsigned int), REGISTRY_NAMES_MAX);
	vec_init(&a->versions, sizeof(struct registry_version), REGISTRY_VERSIONS_MAX);
	vec_init(&a->events, sizeof(struct registry_event), REGISTRY_EVENTS_MAX);
	buf_init_secret(&a->value, REGISTRY_VALUE_MAX);
	return a;
}

void
registry_answer_free(struct registry_answer *a)
{
	size_t i;

	if (a == NULL)
		return;
	for (i = 0; i < a->names.len; i++)
		free(*(char **)vec_at(&a->names, i));
	vec_release(&a->names);
	vec_release(&a->current);
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
