#include "ui/registry_view.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/registry.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"
#include "ui/style.h"

void
registry_view_draw_title(struct app *a, const struct rect *r)
{
	const struct registry *reg = a->registry;
	const char *right = reg->user;
	struct buf left;
	int used = 0;

	if (reg->source == NULL)
		right = "none";
	else if (reg->known == REGISTRY_UNKNOWN && registry_unavailable(reg) == NULL)
		right = "asking";
	else if (reg->known == REGISTRY_FAILED)
		right = reg->no_login ? "not logged in" : "not reached";
	else if (registry_unavailable(reg) != NULL)
		right = "not logged in";
	if (right[0] != '\0')
		used = canvas_right(r->y, r->x, r->w - 1, STYLE_TITLE, right);
	buf_init(&left, 8192);
	buf_append_str(&left, r->w >= 30 ? "propseal registry" : "registry");
	if (reg->source != NULL && r->w >= 30)
		buf_printf(&left, " %s", reg->source->url);
	canvas_text(r->y, r->x + 1, r->w - used - 4, STYLE_TITLE, buf_cstr(&left));
	buf_release(&left);
}

/* Add "N one" or "N many" to a list, if there are any. */
static void
count(struct buf *out, size_t n, const char *one, const char *many)
{
	if (n > 0)
		buf_printf(out, "%s%zu %s", out->len > 0 ? ", " : "", n, n == 1 ? one : many);
}

void
registry_view_draw_counts(struct app *a, const struct rect *r, int w)
{
	const struct registry *reg = a->registry;
	const struct registry_path *p;
	size_t paths = 0, keys = 0, deleted = 0, dangling = 0, misplaced = 0;
	bool all = true;
	const struct registry_use *use;
	struct buf text;
	size_t i, k;

	for (i = 0; i < reg->names.paths.len; i++) {
		p = registry_path_at(&reg->names, i);
		paths += p->exists;
		deleted += registry_path_state(p) != REGISTRY_LIVE;
		all = all && (!p->exists || p->known != REGISTRY_UNKNOWN);
		for (k = 0; k < p->keys.len; k++) {
			keys += registry_key_at(p, k)->exists;
			dangling += registry_key_dangles(p, registry_key_at(p, k));
		}
	}
	for (i = 0; i < reg->uses.list.len; i++) {
		use = vec_at(&reg->uses.list, i);
		misplaced += use->misplaced;
	}
	buf_init(&text, 512);
	if (reg->rotating)
		buf_printf(&text, "rotation: %zu of %zu sealed again", reg->rotated,
		    reg->rotation_total);
	if (reg->known == REGISTRY_KNOWN) {
		count(&text, paths, reg->cut ? "path and more" : "path",
		    reg->cut ? "paths and more" : "paths");
		if (deleted > 0)
			buf_printf(&text, " (%zu deleted)", deleted);
		count(&text, keys, all ? "key" : "key so far", all ? "keys" : "keys so far");
		count(&text, reg->uses.list.len, "reference", "references");
		count(&text, dangling, "dangling", "dangling");
		count(&text, misplaced, "misplaced", "misplaced");
	}
	canvas_text(r->y, r->x + 1, w, STYLE_NOTE, buf_cstr(&text));
	buf_release(&text);
}

void
registry_view_draw(struct app *a)
{
	const struct layout *l = &a->layout;
	bool right = a->registry->right_active;

	if (l->two_panes || !right)
		pane_paths_draw(a);
	if (l->two_panes || right)
		pane_versions_draw(a);
	if (l->two_panes)
		canvas_vline(l->left_head.h > 0 ? l->left_head.y : l->left.y, l->right.x - 1,
		    l->left.h + l->left_head.h);
	registry_detail_draw(a);
}
