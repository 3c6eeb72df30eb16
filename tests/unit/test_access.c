#include "files.h"

#include "base/buf.h"
#include "base/error.h"
#include "registry/auth/access.h"

/* --- help --- */

static void
grant(const char *role, const char *principal, const char *pattern, bool prefix)
{
	struct binding b = { role, principal, pattern, prefix, NULL };
	struct error err;

	assert_int_equal(access_grant(".", &b, 1, &err), 0);
}

static void
take_back(const char *role, const char *principal, const char *pattern, bool prefix)
{
	struct binding b = { role, principal, pattern, prefix, NULL };
	struct error err;

	assert_int_equal(access_revoke(".", &b, 1, &err), 0);
}

static enum error_code
refused(const char *role, const char *principal, const char *pattern, bool prefix)
{
	struct binding b = { role, principal, pattern, prefix, NULL };
	struct error err;

	assert_int_equal(access_grant(".", &b, 1, &err), -1);
	assert_string_not_equal(err.hint, "");
	return err.code;
}

static struct access *
open_here(void)
{
	struct error err;
	struct access *a = access_open(".", &err);

	assert_non_null(a);
	return a;
}

static bool
allows(struct access *a, const char *principal, enum operation op, const char *path)
{
	return access_allows(a, principal, op, path, path != NULL ? strlen(path) : 0, NULL);
}

/* What a principal may do on a path (NULL: the cluster), a letter an operation. */
static const char *
rights(struct access *a, const char *principal, const char *path)
{
	static const char letters[] = "LrRWDXMAKC";
	static char out[OPERATION_COUNT + 1];
	size_t n = 0;

	for (unsigned op = 0; op < OPERATION_COUNT; op++)
		if (allows(a, principal, (enum operation)op, path))
			out[n++] = letters[op];
	out[n] = '\0';
	return out;
}

static void
until_gone(struct access *a, const char *principal, enum operation op, const char *path)
{
	for (int i = 0; i < 2000 && allows(a, principal, op, path); i++)
		usleep(1000);
	assert_false(allows(a, principal, op, path));
}

static void
until_there(struct access *a, const char *principal, enum operation op, const char *path)
{
	for (int i = 0; i < 2000 && !allows(a, principal, op, path); i++)
		usleep(1000);
	assert_true(allows(a, principal, op, path));
}

static void
put(const char *name, const char *text)
{
	unlink(name);
	files_put(name, text, 0600);
}

/* --- the table --- */

static void
test_every_role_has_the_rights_of_the_table(void **state)
{
	static const struct {
		const char *role;
		bool cluster;
		const char *rights;
	} table[] = {
		{ "SystemAdmin", true, "LrRWDXMAKC" },
		{ "UserAdmin", true, "LWDMC" },
		{ "ClusterAdmin", true, "LMK" },
		{ "SecurityAdmin", true, "LMA" },
		{ "AuditAdmin", true, "A" },
		{ "Operator", true, "LM" },
		{ "ResourceOwner", false, "LrRWDXMC" },
		{ "DeveloperManage", false, "LWM" },
		{ "DeveloperWrite", false, "LM" },
		{ "DeveloperRead", false, "LM" },
		{ "ConnectManager", false, "LrRM" },
		{ "ConnectWorker", true, "LRM" },
		{ "ConnectWorker", false, "LRM" },
	};
	struct access *a;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		grant(table[i].role, "p", table[i].cluster ? NULL : "conn-a", false);
		a = open_here();
		assert_string_equal(rights(a, "p", "conn-a"), table[i].rights);
		assert_string_equal(rights(a, "p", "conn-b"),
		    table[i].cluster ? table[i].rights : "");
		assert_string_equal(rights(a, "p", NULL), table[i].cluster ? table[i].rights : "");
		assert_string_equal(rights(a, "q", "conn-a"), "");
		access_close(a);
		take_back(table[i].role, "p", table[i].cluster ? NULL : "conn-a", false);
	}
}

static void
test_without_a_binding_everything_is_denied(void **state)
{
	struct access *a = open_here();

	(void)state;
	assert_string_equal(rights(a, "nob", NULL), "");
	assert_string_equal(rights(a, "nob", "conn-a"), "");
	for (unsigned op = 0; op < OPERATION_COUNT; op++)
		assert_false(access_anywhere(a, "nob", (enum operation)op));
	access_close(a);
}

/* --- where a binding counts --- */

static void
test_a_path_is_compared_byte_for_byte(void **state)
{
	static const char *const others[] = {
		"conn-A", "conn-", "conn-ab", "conn-a ", "Conn-a", "", "conn-b", "conn"
	};
	struct access *a;

	(void)state;
	grant("ResourceOwner", "own", "conn-a", false);
	a = open_here();
	assert_true(allows(a, "own", SECRET_READ, "conn-a"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(rights(a, "own", others[i]), "");
	/* Its length counts, not a NUL. */
	assert_true(access_allows(a, "own", SECRET_READ, "conn-a and more", 6, NULL));
	assert_false(access_allows(a, "own", SECRET_READ, "conn-a\0x", 8, NULL));
	assert_false(allows(a, "Own", SECRET_READ, "conn-a"));
	access_close(a);
}

static void
test_a_prefix_covers_what_begins_so(void **state)
{
	struct access *a;

	(void)state;
	grant("ResourceOwner", "pre", "team1-", true);
	a = open_here();
	assert_true(allows(a, "pre", SECRET_WRITE, "team1-x"));
	assert_true(allows(a, "pre", SECRET_WRITE, "team1-y"));
	assert_true(allows(a, "pre", SECRET_WRITE, "team1-"));
	assert_false(allows(a, "pre", SECRET_WRITE, "team10"));
	assert_false(allows(a, "pre", SECRET_WRITE, "Team1-x"));
	assert_false(allows(a, "pre", SECRET_WRITE, "team1"));
	assert_false(allows(a, "pre", SECRET_WRITE, "xteam1-"));
	assert_false(allows(a, "pre", SECRET_WRITE, NULL));
	access_close(a);
}

static void
test_the_reason_names_the_role_and_the_pattern(void **state)
{
	struct access_reason why;
	struct access *a;

	(void)state;
	grant("DeveloperRead", "p", "conn-a", false);
	grant("ConnectManager", "p", "conn-", true);
	a = open_here();
	assert_true(access_allows(a, "p", SECRET_LIST, "conn-a", 6, &why));
	assert_string_equal(why.role, "DeveloperRead");
	assert_string_equal(why.pattern, "LITERAL");
	assert_true(access_allows(a, "p", SECRET_READ, "conn-a", 6, &why));
	assert_string_equal(why.role, "ConnectManager");
	assert_string_equal(why.pattern, "PREFIXED");
	grant("AuditAdmin", "p", NULL, false);
	grant("Operator", "p", NULL, false);
	assert_true(access_allows(a, "p", SECRET_LIST, "zzz", 3, &why));
	assert_string_equal(why.role, "Operator");
	assert_string_equal(why.pattern, "CLUSTER");
	access_close(a);
}

static void
test_many_bindings_are_each_found(void **state)
{
	struct buf text;
	struct access *a;
	char path[32];
	int i;

	(void)state;
	buf_init(&text, 1 << 24);
	buf_append_str(&text, "{\"bindings\":[");
	for (i = 0; i < 3000; i++)
		buf_printf(&text, "%s{\"role\":\"%s\",\"principal\":\"p%d\",\"pattern\":\"LITERAL\","
		    "\"path\":\"conn-%d\"}", i > 0 ? "," : "",
		    i % 2 ? "DeveloperRead" : "ResourceOwner", i % 7, i * 17 % 3000);
	buf_append_str(&text, "]}");
	assert_false(text.failed);
	put("bindings.json", buf_cstr(&text));
	buf_release(&text);
	a = open_here();
	for (i = 0; i < 3000; i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%d", i % 7);
		snprintf(path, sizeof(path), "conn-%d", i * 17 % 3000);
		assert_true(allows(a, name, SECRET_LIST, path));
		assert_int_equal(allows(a, name, SECRET_READ, path), i % 2 == 0);
		snprintf(name, sizeof(name), "p%d", (i + 1) % 7);
		assert_false(allows(a, name, SECRET_LIST, path));
	}
	access_close(a);
}

static void
test_anywhere_is_what_some_binding_gives(void **state)
{
	struct access *a;

	(void)state;
	grant("DeveloperRead", "dr", "conn-a", false);
	grant("ResourceOwner", "pre", "t", true);
	a = open_here();
	assert_true(access_anywhere(a, "dr", SECRET_LIST));
	assert_false(access_anywhere(a, "dr", SECRET_READ));
	assert_true(access_anywhere(a, "pre", SECRET_READ));
	assert_false(access_anywhere(a, "pre", AUDIT_READ));
	access_close(a);
}

/* --- who may change bindings --- */

/* What covers a prefix covers a path that begins so and that nobody can have. */
static bool
covers(struct access *a, const char *principal, const char *prefix)
{
	char probe[64];
	int n = snprintf(probe, sizeof(probe), "%s\001", prefix);

	return access_allows(a, principal, ALTER_ACCESS, probe, (size_t)n, NULL);
}

static void
test_an_owner_may_alter_access_to_what_it_owns_only(void **state)
{
	struct access *a;

	(void)state;
	grant("ResourceOwner", "own", "conn-a", false);
	grant("ResourceOwner", "pre", "team1-", true);
	grant("UserAdmin", "ua", NULL, false);
	grant("DeveloperRead", "dr", "conn-a", false);
	a = open_here();
	assert_true(allows(a, "own", ALTER_ACCESS, "conn-a"));
	assert_false(allows(a, "own", ALTER_ACCESS, "other"));
	assert_false(allows(a, "own", ALTER_ACCESS, NULL));
	assert_false(covers(a, "own", "conn-a"));
	assert_false(covers(a, "own", ""));
	assert_true(allows(a, "pre", ALTER_ACCESS, "team1-x"));
	assert_true(covers(a, "pre", "team1-"));
	assert_true(covers(a, "pre", "team1-x"));
	assert_false(covers(a, "pre", "team1"));
	assert_false(covers(a, "pre", ""));
	assert_true(allows(a, "ua", ALTER_ACCESS, NULL));
	assert_true(covers(a, "ua", "any"));
	assert_false(allows(a, "dr", ALTER_ACCESS, "conn-a"));
	access_close(a);
}

static void
test_grants_that_make_no_sense_are_refused(void **state)
{
	char longest[260];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[250] = '\0';
	assert_int_equal(refused("NoSuchRole", "p", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("systemadmin", "p", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", "p", "conn-a", false), ERROR_USAGE);
	assert_int_equal(refused("Operator", "p", "conn-a", true), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", "", true), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", "", false), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", "*", false), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", "*", true), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", "a/b", false), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", "..", false), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", longest, false), ERROR_USAGE);
	assert_int_equal(refused("ResourceOwner", "p", longest, true), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", "", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", "User:", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", "User:User:p", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", " p", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", "p\n", NULL, false), ERROR_USAGE);
	assert_int_equal(refused("SystemAdmin", "p\xff", NULL, false), ERROR_USAGE);
	assert_int_equal(access("bindings.json", F_OK), -1);
	/* A prefix may end where a name may not. */
	grant("ResourceOwner", "p", "team one ", true);
	longest[249] = '\0';
	grant("ResourceOwner", "p", longest, false);
	grant("ResourceOwner", "p", longest, true);
}

/* --- the files --- */

struct seen {
	size_t count;
	char last[256];
};

static void
note(void *cookie, const struct binding *b)
{
	struct seen *s = cookie;

	s->count++;
	snprintf(s->last, sizeof(s->last), "%s %s %s %d %s", b->role, b->principal,
	    b->pattern != NULL ? b->pattern : "-", b->prefix, b->by != NULL ? b->by : "-");
}

static void
test_granting_twice_is_one_binding(void **state)
{
	struct binding b = { "ResourceOwner", "User:own", "conn-a", false, "User:adm" };
	struct seen s = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(access_grant(".", &b, 1, &err), 0);
	b.principal = "own";
	assert_int_equal(access_grant(".", &b, 1, &err), 0);
	assert_int_equal(access_list(".", note, &s, &err), 0);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.last, "ResourceOwner own conn-a 0 adm");
	b.prefix = true;
	assert_int_equal(access_grant(".", &b, 1, &err), 0);
	assert_int_equal(access_list(".", note, &s, &err), 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(files_stat("bindings.json").st_mode & 07777, 0600);
}

static void
test_what_is_not_granted_cannot_be_revoked(void **state)
{
	struct binding b = { "ResourceOwner", "own", "conn-a", false, NULL };
	struct error err;

	(void)state;
	assert_int_equal(access_revoke(".", &b, 1, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	grant("ResourceOwner", "own", "conn-a", true);
	assert_int_equal(access_revoke(".", &b, 1, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	b.prefix = true;
	assert_int_equal(access_revoke(".", &b, 1, &err), 0);
	assert_int_equal(access_revoke(".", &b, 1, &err), -1);
}

static size_t
count_bindings(void)
{
	struct seen s = { 0 };
	struct error err;

	assert_int_equal(access_list(".", note, &s, &err), 0);
	return s.count;
}

static void
test_several_are_granted_all_or_none(void **state)
{
	struct binding b[] = {
		{ "ResourceOwner", "p", "a", false, NULL },
		{ "ResourceOwner", "p", "b", true, NULL },
		{ "ResourceOwner", "User:p", "a", false, NULL },
		{ "ResourceOwner", "p", "bad:name", false, NULL },
	};
	struct error err;

	(void)state;
	assert_int_equal(access_grant(".", b, 4, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_int_equal(access("bindings.json", F_OK), -1);
	b[3] = (struct binding){ "NoSuchRole", "p", "c", false, NULL };
	assert_int_equal(access_grant(".", b, 4, &err), -1);
	assert_int_equal(access("bindings.json", F_OK), -1);
	/* What is asked for twice is one. */
	assert_int_equal(access_grant(".", b, 3, &err), 0);
	assert_int_equal(count_bindings(), 2);
	b[1].pattern = "c";
	assert_int_equal(access_grant(".", b, 3, &err), 0);
	assert_int_equal(count_bindings(), 3);
}

static void
test_several_are_revoked_all_or_none(void **state)
{
	struct binding b[] = {
		{ "ResourceOwner", "p", "a", false, NULL },
		{ "ResourceOwner", "p", "c", false, NULL },
		{ "ResourceOwner", "p", "a", false, NULL },
	};
	struct error err;

	(void)state;
	grant("ResourceOwner", "p", "a", false);
	grant("ResourceOwner", "p", "b", false);
	assert_int_equal(access_revoke(".", b, 3, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_int_equal(count_bindings(), 2);
	b[1].pattern = "b";
	assert_int_equal(access_revoke(".", b, 3, &err), 0);
	assert_int_equal(count_bindings(), 0);
}

static void
test_the_data_folder_is_made_private(void **state)
{
	struct binding b = { "SystemAdmin", "adm", NULL, false, NULL };
	struct error err;
	struct access *a;

	(void)state;
	assert_int_equal(access_grant("data/", &b, 1, &err), 0);
	assert_int_equal(files_stat("data").st_mode & 07777, 0700);
	assert_int_equal(files_count("data"), 1);
	a = access_open("data", &err);
	assert_non_null(a);
	assert_true(allows(a, "adm", ROTATE_KEY, NULL));
	access_close(a);
	assert_int_equal(access_grant("no/such/data", &b, 1, &err), -1);
	assert_int_equal(err.code, ERROR_IO);
}

static void
test_a_change_of_this_process_is_in_force_at_once(void **state)
{
	struct access *a = open_here();

	(void)state;
	for (int i = 0; i < 20; i++) {
		grant("ResourceOwner", "own", "conn-a", false);
		assert_true(allows(a, "own", SECRET_READ, "conn-a"));
		take_back("ResourceOwner", "own", "conn-a", false);
		assert_false(allows(a, "own", SECRET_READ, "conn-a"));
	}
	access_close(a);
}

static void
revoke_in_child(void *arg)
{
	(void)arg;
	take_back("ResourceOwner", "own", "conn-a", false);
}

static void
test_a_change_of_another_process_is_seen(void **state)
{
	struct access *a;

	(void)state;
	grant("ResourceOwner", "own", "conn-a", false);
	a = open_here();
	assert_true(allows(a, "own", SECRET_READ, "conn-a"));
	assert_int_equal(unit_in_child(revoke_in_child, NULL), 0);
	until_gone(a, "own", SECRET_READ, "conn-a");
	put("roles.json", "{\"roles\":{\"Reader\":{\"scope\":[\"cluster\"],"
	    "\"operations\":[\"SecretRead\"]}}}");
	put("bindings.json", "{\"bindings\":[{\"role\":\"Reader\",\"principal\":\"r\","
	    "\"pattern\":\"CLUSTER\"}]}");
	until_there(a, "r", SECRET_READ, "x");
	access_close(a);
}

static void
test_a_damaged_file_leaves_the_old_bindings_in_force(void **state)
{
	struct error err;
	struct access *a;
	int i;

	(void)state;
	grant("ResourceOwner", "own", "conn-a", false);
	a = open_here();
	assert_int_equal(access_health(a, &err), 0);
	put("bindings.json", "{\"bindings\":[{\"role\":");
	for (i = 0; i < 2000 && access_health(a, &err) == 0; i++)
		usleep(1000);
	assert_int_equal(access_health(a, &err), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_non_null(strstr(err.file, "bindings.json"));
	assert_true(allows(a, "own", SECRET_READ, "conn-a"));
	assert_int_equal(access_reload(a, &err), -1);
	assert_true(allows(a, "own", SECRET_READ, "conn-a"));
	assert_null(access_open(".", &err));
	assert_int_equal(err.code, ERROR_FORMAT);
	/* Nor is it written over. */
	assert_int_equal(access_grant(".", &(struct binding){ "Operator", "p", NULL, false, NULL },
	    1, &err), -1);
	assert_true(files_have("bindings.json", "{\"bindings\":[{\"role\":"));
	put("bindings.json", "{\"bindings\":[]}");
	until_gone(a, "own", SECRET_READ, "conn-a");
	assert_int_equal(access_health(a, &err), 0);
	access_close(a);
}

static void
test_malformed_bindings_are_refused_with_their_number(void **state)
{
#define GOOD "{\"role\":\"Operator\",\"principal\":\"p\",\"pattern\":\"CLUSTER\"},"
	static const char *const bad[] = {
		"7", "{}",
		"{\"role\":7,\"principal\":\"p\",\"pattern\":\"CLUSTER\"}",
		"{\"role\":\"Operator\",\"pattern\":\"CLUSTER\"}",
		"{\"role\":\"Operator\",\"principal\":\"User:p\",\"pattern\":\"CLUSTER\"}",
		"{\"role\":\"Operator\",\"principal\":\"\",\"pattern\":\"CLUSTER\"}",
		"{\"role\":\"Operator\",\"principal\":\"p\"}",
		"{\"role\":\"Operator\",\"principal\":\"p\",\"pattern\":\"literal\"}",
		"{\"role\":\"Operator\",\"principal\":\"p\",\"pattern\":\"LITERAL\"}",
		"{\"role\":\"Operator\",\"principal\":\"p\",\"pattern\":\"PREFIXED\",\"path\":\"\"}",
		"{\"role\":\"Operator\",\"principal\":\"p\",\"pattern\":\"CLUSTER\",\"path\":\"a\"}",
		"{\"role\":\"R\",\"role\":\"R\",\"principal\":\"p\",\"pattern\":\"CLUSTER\"}",
	};
	char text[512];
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"bindings\":[" GOOD "%s]}", bad[i]);
		put("bindings.json", text);
		assert_null(access_open(".", &err));
		assert_int_equal(err.code, ERROR_FORMAT);
		assert_non_null(strstr(err.file, "bindings.json"));
		if (i + 1 < sizeof(bad) / sizeof(bad[0]))
			assert_non_null(strstr(err.text, "binding 2"));
	}
	put("bindings.json", "{\"bindings\":[" GOOD "{}]}");
	put("bindings.json", "{}");
	assert_null(access_open(".", &err));
	put("bindings.json", "[]");
	assert_null(access_open(".", &err));
	put("bindings.json", "{\"format\":2,\"bindings\":[]}");
	assert_null(access_open(".", &err));
	assert_int_equal(err.code, ERROR_FORMAT);
}

static void
test_unknown_members_stay(void **state)
{
	int fd;
	char back[1024] = { 0 };

	(void)state;
	put("bindings.json", "{\"later\":{\"a\":[1,2.5]},\"bindings\":[{\"role\":\"Operator\","
	    "\"principal\":\"p\",\"pattern\":\"CLUSTER\",\"note\":\"kept\"}]}");
	grant("ResourceOwner", "own", "conn-a", false);
	take_back("ResourceOwner", "own", "conn-a", false);
	grant("ResourceOwner", "own", "conn-b", false);
	fd = open("bindings.json", O_RDONLY);
	assert_true(read(fd, back, sizeof(back) - 1) > 0);
	close(fd);
	assert_non_null(strstr(back, "\"later\""));
	assert_non_null(strstr(back, "2.5"));
	assert_non_null(strstr(back, "\"note\": \"kept\""));
	assert_non_null(strstr(back, "conn-b"));
	assert_null(strstr(back, "conn-a"));
}

/* --- roles.json --- */

static void
test_a_roles_file_takes_the_place_of_the_table(void **state)
{
	struct access *a;

	(void)state;
	grant("UserAdmin", "ua", NULL, false);
	grant("Operator", "op", NULL, false);
	a = open_here();
	assert_false(allows(a, "ua", SECRET_READ, "conn-a"));
	assert_true(allows(a, "op", SECRET_LIST, "conn-a"));
	put("roles.json", "{\"format\":1,\"roles\":{\"UserAdmin\":{\"scope\":[\"cluster\"],"
	    "\"operations\":[\"SecretRead\",\"SecretWrite\"],\"description\":\"may read\"}}}");
	until_there(a, "ua", SECRET_READ, "conn-a");
	assert_string_equal(rights(a, "ua", "conn-a"), "rW");
	/* A role that is not in the table any more gives nothing. */
	assert_string_equal(rights(a, "op", "conn-a"), "");
	assert_int_equal(refused("Operator", "p", NULL, false), ERROR_USAGE);
	take_back("Operator", "op", NULL, false);
	unlink("roles.json");
	until_gone(a, "ua", SECRET_READ, "conn-a");
	access_close(a);
}

static void
test_a_role_that_lost_its_scope_gives_nothing(void **state)
{
	struct access *a;

	(void)state;
	grant("ConnectWorker", "w", NULL, false);
	grant("ConnectWorker", "w", "conn-a", false);
	put("roles.json", "{\"roles\":{\"ConnectWorker\":{\"scope\":[\"path\"],"
	    "\"operations\":[\"SecretResolve\"]}}}");
	a = open_here();
	assert_string_equal(rights(a, "w", "conn-a"), "R");
	assert_string_equal(rights(a, "w", "conn-b"), "");
	access_close(a);
}

static void
test_the_default_roles_are_a_roles_file(void **state)
{
	struct buf first, second;
	struct error err;
	struct access *a;

	(void)state;
	grant("ResourceOwner", "own", "conn-a", false);
	buf_init(&first, 1 << 16);
	buf_init(&second, 1 << 16);
	roles_append_builtin(&first);
	put("roles.json", buf_cstr(&first));
	a = open_here();
	assert_string_equal(rights(a, "own", "conn-a"), "LrRWDXMC");
	access_close(a);
	assert_int_equal(access_roles(".", &second, &err), 0);
	assert_string_equal(buf_cstr(&first), buf_cstr(&second));
	buf_release(&first);
	buf_release(&second);
}

static void
test_a_roles_file_is_checked_strictly(void **state)
{
#define ROLE(body) "{\"roles\":{\"R\":" body "}}"
	static const char *const bad[] = {
		"", "x", "[]", "{}", "{\"roles\":{}}", "{\"roles\":[]}", "{\"roles\":{\"R\":7}}",
		ROLE("{}"),
		ROLE("{\"scope\":[\"cluster\"]}"),
		ROLE("{\"operations\":[]}"),
		ROLE("{\"scope\":[],\"operations\":[]}"),
		ROLE("{\"scope\":\"cluster\",\"operations\":[]}"),
		ROLE("{\"scope\":[\"Cluster\"],\"operations\":[]}"),
		ROLE("{\"scope\":[\"path\",\"path\"],\"operations\":[]}"),
		ROLE("{\"scope\":[\"cluster\"],\"operations\":[\"SecretReed\"]}"),
		ROLE("{\"scope\":[\"cluster\"],\"operations\":[7]}"),
		ROLE("{\"scope\":[\"cluster\"],\"operations\":[],\"allow\":true}"),
		ROLE("{\"scope\":[\"path\"],\"operations\":[\"AuditRead\"]}"),
		ROLE("{\"scope\":[\"cluster\",\"path\"],\"operations\":[\"RotateKey\"]}"),
		"{\"roles\":{\"\":{\"scope\":[\"cluster\"],\"operations\":[]}}}",
		"{\"roles\":{\"1R\":{\"scope\":[\"cluster\"],\"operations\":[]}}}",
		"{\"roles\":{\"R R\":{\"scope\":[\"cluster\"],\"operations\":[]}}}",
		"{\"rolls\":{},\"roles\":{\"R\":{\"scope\":[\"cluster\"],\"operations\":[]}}}",
		"{\"roles\":{\"R\":{\"scope\":[\"path\"],\"operations\":[]},\"R\":{}}}",
		"{\"format\":3,\"roles\":{\"R\":{\"scope\":[\"cluster\"],\"operations\":[]}}}",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("roles.json", bad[i]);
		assert_null(access_open(".", &err));
		assert_int_equal(err.code, ERROR_FORMAT);
		assert_non_null(strstr(err.file, "roles.json"));
	}
}

static void
test_operations_have_names(void **state)
{
	(void)state;
	assert_string_equal(operation_name(SECRET_LIST), "SecretList");
	assert_string_equal(operation_name(SECRET_RESOLVE), "SecretResolve");
	assert_string_equal(operation_name(ALTER_ACCESS), "AlterAccess");
	assert_string_equal(operation_name(OPERATION_COUNT), "Unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_role_has_the_rights_of_the_table),
		TEST(test_without_a_binding_everything_is_denied),
		TEST(test_a_path_is_compared_byte_for_byte),
		TEST(test_a_prefix_covers_what_begins_so),
		TEST(test_the_reason_names_the_role_and_the_pattern),
		TEST(test_many_bindings_are_each_found),
		TEST(test_anywhere_is_what_some_binding_gives),
		TEST(test_an_owner_may_alter_access_to_what_it_owns_only),
		TEST(test_grants_that_make_no_sense_are_refused),
		TEST(test_granting_twice_is_one_binding),
		TEST(test_what_is_not_granted_cannot_be_revoked),
		TEST(test_several_are_granted_all_or_none),
		TEST(test_several_are_revoked_all_or_none),
		TEST(test_the_data_folder_is_made_private),
		TEST(test_a_change_of_this_process_is_in_force_at_once),
		TEST(test_a_change_of_another_process_is_seen),
		TEST(test_a_damaged_file_leaves_the_old_bindings_in_force),
		TEST(test_malformed_bindings_are_refused_with_their_number),
		TEST(test_unknown_members_stay),
		TEST(test_a_roles_file_takes_the_place_of_the_table),
		TEST(test_a_role_that_lost_its_scope_gives_nothing),
		TEST(test_the_default_roles_are_a_roles_file),
		TEST(test_a_roles_file_is_checked_strictly),
		TEST(test_operations_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
