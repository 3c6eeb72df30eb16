/*
 * Texts of every form that the audit reads.  The first byte says what the file
 * is called.  Places lie in the text, sorted and with an id each; a key is told
 * whole; and a second look finds the same.
 */
#include "audit/audit.h"
#include "fuzz_support.h"

static const char *const names[] = { "a.properties", "a.json", "a_jaas.conf", "a.env", "a.service",
	"a.yaml", "a.sh", "a.tf", "basic.txt", "users.json", "-", "a.yaml.j2.bak", "a.jaas",
	".netrc", ".pgpass", ".git-credentials", "my.cnf", "a.auth", "credentials", "a.yml.x",
	"a.container" };

static size_t
lines(const uint8_t *p, size_t n)
{
	size_t count = 1;

	for (size_t i = 0; i < n; i++)
		count += p[i] == '\n';
	return count;
}

static struct audit *
look(const char *name, const struct buf *text)
{
	static const struct audit_options options = { .now = 1 };
	struct audit *a = audit_new(&options, NULL);

	need(a != NULL);
	need(audit_text(a, name, text, NULL, NULL) == 0);
	need(audit_finish(a, NULL) == 0);
	return a;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit *a, *b;
	struct buf text;
	const char *name;
	size_t most;

	if (size == 0)
		return 0;
	name = names[data[0] % (sizeof(names) / sizeof(names[0]))];
	most = lines(data + 1, size - 1);
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_append(&text, data + 1, size - 1);
	a = look(name, &text);
	b = look(name, &text);
	need(audit_finding_count(a) == audit_finding_count(b));
	for (size_t i = 0; i < audit_finding_count(a); i++) {
		const struct audit_finding *f = audit_finding(a, i), *g = audit_finding(b, i);

		need(f->line >= 1 && f->line <= most && f->end_line >= f->line);
		need(f->end_line <= most && f->column >= 1 && f->end_column >= 1);
		need(f->end_line > f->line || f->end_column >= f->column);
		need(i == 0 || f->line >= audit_finding(a, i - 1)->line);
		need(f->id == g->id && f->line == g->line && f->rule == g->rule);
		need(f->key[f->key_len] == '\0' && f->value == 0);
		need(f->related == AUDIT_NONE || f->related < audit_finding_count(a));
	}
	audit_free(b);
	audit_free(a);
	buf_release(&text);
	return 0;
}
