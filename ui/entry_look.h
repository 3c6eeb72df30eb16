#ifndef UI_ENTRY_LOOK_H
#define UI_ENTRY_LOOK_H

struct estate_entry;

/* How the state of an entry looks: a letter and a word, so that no meaning
 * is carried by colour alone. */
char entry_look_letter(const struct estate_entry *e);
const char *entry_look_word(const struct estate_entry *e);
unsigned int entry_look_style(const struct estate_entry *e);

#endif /* !UI_ENTRY_LOOK_H */
