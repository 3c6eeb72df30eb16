#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "cli/setting.h"

struct buf;
struct error;

/**
 * config_value_add(id, value, folder, out, err):
 * Check one line's value of a setting and append it to ${out} (not secret):
 * a path made whole (relative ones begin at ${folder}, "" for the current
 * one; ~/ at the home folder), a list's parts with one blank between.
 * ERROR_FORMAT without a place.
 */
int config_value_add(enum setting_id id, const char *value, const char *folder,
    struct buf *out, struct error *err);

/**
 * config_value_next(list, len):
 * The next part of a list's text: its start, with its length in ${*len};
 * NULL at the end.  Go on behind it.
 */
const char *config_value_next(const char *list, size_t *len);

#endif /* !CONFIG_VALUE_H */
