#ifndef UI_REGISTRY_VIEW_H
#define UI_REGISTRY_VIEW_H

struct app;
struct rect;

/* The view of the Secret Registry, in the place of the files: paths and keys
 * on the left, versions and references on the right, the detail below. */
void registry_view_draw(struct app *a);
void registry_view_draw_title(struct app *a, const struct rect *r);

/* The line of counts, in ${w} columns. */
void registry_view_draw_counts(struct app *a, const struct rect *r, int w);

/* pane_paths.c, pane_versions.c */
void pane_paths_draw(struct app *a);
void pane_versions_draw(struct app *a);

/* registry_detail.c */
void registry_detail_draw(struct app *a);

#endif /* !UI_REGISTRY_VIEW_H */
