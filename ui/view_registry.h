#ifndef UI_VIEW_REGISTRY_H
#define UI_VIEW_REGISTRY_H

struct app;
struct rect;

/* The view of the Secret Registry, in the place of the files: paths and keys
 * on the left, versions and references on the right, the detail below. */
void registry_view_draw(struct app *a);
void registry_view_draw_title(struct app *a, const struct rect *r);

/* The line of counts, in ${w} columns. */
void registry_view_draw_counts(struct app *a, const struct rect *r, int w);

#endif /* !UI_VIEW_REGISTRY_H */
