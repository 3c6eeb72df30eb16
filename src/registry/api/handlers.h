#ifndef REGISTRY_API_HANDLERS_H
#define REGISTRY_API_HANDLERS_H

struct exchange;

/* What the routes run (routes.c). */

void reads_version(struct exchange *x);
void reads_versions(struct exchange *x);
void reads_key(struct exchange *x);
void reads_keys(struct exchange *x);
void reads_path(struct exchange *x);

void lists_paths(struct exchange *x);
void lists_search(struct exchange *x);

void create_version(struct exchange *x);

void deletes_version(struct exchange *x);
void deletes_key(struct exchange *x);
void deletes_path(struct exchange *x);
void deletes_undo(struct exchange *x);

void metadata_key(struct exchange *x);
void metadata_path(struct exchange *x);
void metadata_change(struct exchange *x);

void watch_changes(struct exchange *x);

void references_validate(struct exchange *x);
void references_resolve(struct exchange *x);

void health_root(struct exchange *x);
void health_live(struct exchange *x);
void health_ready(struct exchange *x);
void health_plugins(struct exchange *x);
void metrics_show(struct exchange *x);
void openapi_show(struct exchange *x);

void rotation_show(struct exchange *x);
void rotation_start(struct exchange *x);
void admin_hash(struct exchange *x);
void admin_audit(struct exchange *x);
void admin_verify(struct exchange *x);
void admin_backup(struct exchange *x);

void bindings_list(struct exchange *x);
void bindings_put(struct exchange *x);
void bindings_delete(struct exchange *x);
void mds_grant(struct exchange *x);
void mds_revoke(struct exchange *x);
void mds_grant_on(struct exchange *x);
void mds_revoke_on(struct exchange *x);

#endif /* !REGISTRY_API_HANDLERS_H */
