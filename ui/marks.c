#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "ui/marks.h"

#define MARKS_MAX 10000000

struct mark {
	char *id;	/* the path, a NUL, the key */
	size_t len;
	bool on;
};

struct marks {
	struct vec items;	/* unmarked ones stay, for the next time */
	struct map *index;	/* by id */
	size_t count;
};

struct marks *
marks_new(void)
{
	struct marks *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	vec_init(&m->items, sizeof(struct mark), MARKS_MAX);
	m->index = map_new();
	if (m->index == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

static struct mark *
at(const struct marks *m, size_t i)
{
	return vec_at(&m->items, i);
}

void
marks_free(struct marks *m)
{
	size_t i;

	if (m == NULL)
		return;
	map_free(m->index);
	for (i = 0; i < m->items.len; i++)
		free(at(m, i)->id);
	vec_release(&m->items);
	free(m);
}

static char *
make_id(const char *path, const char *key, size_t len, size_t *id_len)
{
	size_t path_len = strlen(path);
	char *id = malloc(path_len + 1 + len + 1);

	if (id == NULL)
		return NULL;
	memcpy(id, path, path_len + 1);
	memcpy(id + path_len + 1, key, len);
	id[path_len + 1 + len] = '\0';
	*id_len = path_len + 1 + len;
	return id;
}

bool
marks_has(const struct marks *m, const char *path, const char *key, size_t len)
{
	size_t id_len, i;
	bool has;
	char *id;

	if (m->count == 0 || (id = make_id(path, key, len, &id_len)) == NULL)
		return false;
	has = map_get(m->index, id, id_len, &i) && at(m, i)->on;
	free(id);
	return has;
}

int
marks_set(struct marks *m, const char *path, const char *key, size_t len, bool on)
{
	size_t id_len, i;
	struct mark *mark;
	char *id = make_id(path, key, len, &id_len);

	if (id == NULL)
		return -1;
	if (map_get(m->index, id, id_len, &i)) {
		free(id);
		mark = at(m, i);
	} else {
		mark = vec_push(&m->items);
		if (mark == NULL || map_put(m->index, id, id_len, m->items.len - 1) == -1) {
			if (mark != NULL)
				m->items.len--;
			free(id);
			return -1;
		}
		mark->id = id;
		mark->len = id_len;
	}
	if (mark->on != on) {
		mark->on = on;
		m->count += on ? 1 : (size_t)-1;
	}
	return 0;
}

void
marks_clear(struct marks *m)
{
	size_t i;

	for (i = 0; i < m->items.len; i++)
		at(m, i)->on = false;
	m->count = 0;
}

size_t
marks_count(const struct marks *m)
{
	return m->count;
}
