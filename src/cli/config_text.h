#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

struct document;
struct error;
struct options;

/**
 * config_text_read(o, config, empty, err):
 * The keys and values of `add` and `update` --config, as a .properties
 * document (caller frees): from @FILE, - or the literal text, whose two
 * characters \n are a line end only where an entry follows; else they stay
 * what they are, or the text is refused when nobody can tell.  ${config} is
 * the configuration, whose keys are known.  ERROR_USAGE: nothing in it (with
 * the text ${empty}), no key before the separator, a key twice, a backslash
 * at the end.  No error holds a value.
 */
struct document *config_text_read(const struct options *o,
    const struct document *config, const char *empty, struct error *err);

#endif /* !CONFIG_TEXT_H */
