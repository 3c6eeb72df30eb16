#include "plan/provider.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/reference.h"

#define LIST_KEY "config.providers"
#define CLASS_KEY "config.providers." REFERENCE_PROVIDER ".class"
#define LIST_MAX ((size_t)1 << 20)

/* Is ${item} in the comma list, as a whole item? */
static bool
lists(const char *list, const char *item)
{
	size_t n = strlen(item), len;

	for (;;) {
		list += strspn(list, " \t\r\n\f");
		len = strcspn(list, ",");
		while (len > 0 && strchr(" \t\r\n\f", list[len - 1]) != NULL)
			len--;
		if (len == n && memcmp(list, item, n) == 0)
			return true;
		list += strcspn(list, ",");
		if (*list++ == '\0')
			return false;
	}
}

static int
add_to_list(struct edits *e, const struct document *d, struct error *err)
{
	size_t i = document_find(d, LIST_KEY, strlen(LIST_KEY));
	struct buf list;
	int rc = 0;

	if (i == DOCUMENT_NONE)
		return edits_insert(e, DOCUMENT_NONE, LIST_KEY, strlen(LIST_KEY),
		    REFERENCE_PROVIDER, strlen(REFERENCE_PROVIDER), err);
	buf_init(&list, LIST_MAX);
	if (document_value(d, i, &list, err) != 0 || buf_check(&list, err) != 0) {
		rc = -1;
	} else if (!lists(buf_cstr(&list), REFERENCE_PROVIDER)) {
		if (strspn(buf_cstr(&list), " \t\r\n\f") < list.len)
			buf_append_char(&list, ',');
		else
			buf_clear(&list);
		buf_append_str(&list, REFERENCE_PROVIDER);
		rc = buf_check(&list, err) == 0 ? edits_set(e, i, list.data, list.len, err) : -1;
	}
	buf_release(&list);
	return rc;
}

int
provider_add(struct plan *p, struct configuration *c, struct error *err)
{
	struct edits *e = plan_config_edits(p, c, err);
	size_t i, n = strlen(REFERENCE_PROVIDER_CLASS);
	struct buf once;
	int first;

	if (e == NULL)
		return -1;
	buf_init(&once, BUF_MAX_FILE);
	buf_printf(&once, "provider %s", c->path);
	first = buf_check(&once, err) != 0 ? -1 : plan_first(p, buf_cstr(&once), once.len, err);
	buf_release(&once);
	if (first != 1)
		return first;
	if (add_to_list(e, c->doc, err) != 0)
		return -1;
	i = document_find(c->doc, CLASS_KEY, strlen(CLASS_KEY));
	if (i == DOCUMENT_NONE)
		return edits_insert(e, DOCUMENT_NONE, CLASS_KEY, strlen(CLASS_KEY),
		    REFERENCE_PROVIDER_CLASS, n, err);
	if (document_value_is(c->doc, i, REFERENCE_PROVIDER_CLASS, n))
		return 0;
	return edits_set(e, i, REFERENCE_PROVIDER_CLASS, n, err);
}
