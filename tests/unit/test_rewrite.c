#include "plan/plan.h"
#include "seal/render.h"
#include "seal/seal.h"
#include "estate_fixture.h"

#define NAME(key) "server.properties/" key
#define SELF(key) OURS(NAME(key))
/* As sealing makes them in a file whose lines have a bare `=`. */
#define MADE "config.providers=securepass\nconfig.providers.securepass.class=" \
	"io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n"
#define KEYSTORE_LINE "ssl.keystore.password=" SELF("ssl.keystore.password") "\n"

/*
 * A world whose configuration was sealed from ${clear}: the keys that have
 * "password" in them, and what refers to something already.
 */
static void
open_sealed(struct world *w, const char *clear)
{
	world_prepare(w, MODERN, MODERN_MASTER, clear);
	assert_int_equal(seal_default(w->p, w->c, &(struct seal_options){ .remote = REMOTE,
	    .replace = true }, NULL, &w->err), 0);
	world_apply(w);
	assert_int_equal(secrets_file_unlock(w->s, w->master, NULL), 0);
}

static int
rewrite_with(struct world *w, const char *edited, const struct seal_options *o)
{
	struct document *d = fixture_document(edited, strlen(edited));
	int rc;

	assert_int_equal(document_problem(d, NULL), 0);
	rc = rewrite_plan(w->p, w->c, d, w->master, o, &w->err);
	document_free(d);
	return rc;
}

static void
rewrite(struct world *w, const char *edited)
{
	if (rewrite_with(w, edited, &fixture_options) != 0)
		fail_msg("%s:%zu: %s", w->err.file, w->err.line, w->err.text);
}

/* The configuration as planned is this text; NULL: it does not change. */
static void
assert_config(const struct world *w, const char *text)
{
	const struct plan_file *f = fixture_file(w->p, PLAN_CONFIG);

	if (text == NULL) {
		assert_null(f);
		return;
	}
	assert_non_null(f);
	assert_non_null(f->content);
	assert_string_equal(buf_cstr(f->content), text);
	if (fixture_verify(w->p, f, f->content, NULL) != 0)
		fail_msg("what is shown is not what is written");
}

static const char *
entry_text(const struct secrets_file *s, const char *name, size_t *len)
{
	size_t i = secrets_file_find(s, name, strlen(name));

	return i == DOCUMENT_NONE ? NULL :
	    (const char *)document_raw_value(secrets_file_document(s), i, len);
}

/* A sealed entry keeps its ciphertext, byte for byte. */
static void
assert_kept(const struct world *w, const char *name)
{
	const char *before, *after;
	struct secrets_file *s;
	size_t n, m;

	before = entry_text(w->s, name, &n);
	assert_non_null(before);
	if (fixture_file(w->p, PLAN_SECRETS) == NULL)
		return;
	s = world_planned(w, w->master);
	after = entry_text(s, name, &m);
	assert_non_null(after);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	secrets_file_free(s);
}

/* What a sealed entry opens to as planned; NULL: it is gone. */
static void
assert_sealed(const struct world *w, const char *name, const char *plain)
{
	struct secrets_file *s = world_planned(w, w->master);

	if (plain == NULL)
		assert_int_equal(secrets_file_find(s, name, strlen(name)), DOCUMENT_NONE);
	else
		assert_opens_to(s, name, plain);
	secrets_file_free(s);
}

/* --- nothing and little --- */

static void
test_the_clear_text_as_it_was_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"a=1\r\n# c\r\nx.password : CANARY\r\n\r\nb=2",
		"x.password=\n",
		"x.password=1\nx.password=2\ny=x\n",
		"", "a=b\n"
	};
	struct world w;
	struct buf clear;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		open_sealed(&w, texts[i]);
		buf_init_secret(&clear, 65536);
		assert_int_equal(render_document(w.p, w.c, RENDER_PERSON, &clear, &w.err), 0);
		rewrite(&w, buf_cstr(&clear));
		assert_true(plan_is_empty(w.p));
		buf_release(&clear);
		world_close(&w);
	}
}

static void
test_what_was_not_sealed_is_taken_over_as_it_is(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "# one\na=1\nx.password=CANARY\nb=2\n");
	rewrite(&w, "#two\n\nb:3\nx.password=CANARY\nc=4\n" PROVIDERS);
	assert_config(&w, "#two\n\nb:3\nx.password=" SELF("x.password") "\nc=4\n" PROVIDERS);
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	world_close(&w);
}

static void
test_lines_can_be_moved(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "a=1\nx.password=CANARY\n");
	rewrite(&w, PROVIDERS "x.password : CANARY\n  a=1\n");
	assert_config(&w, PROVIDERS "x.password : " SELF("x.password") "\n  a=1\n");
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	assert_non_null(strstr(plan_notes(w.p), "more than these entries changes"));
	world_close(&w);
}

/* --- sealed values --- */

static void
test_a_changed_secret_is_sealed_anew_and_no_other(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=CANARY\ny.password=other\n");
	rewrite(&w, "x.password=CANARY-new\ny.password=other\n" MADE);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME("x.password"), "CANARY-new");
	assert_kept(&w, NAME("y.password"));
	assert_kept(&w, NAME("ssl.keystore.password"));
	world_close(&w);
}

static void
test_two_secrets_can_change_places(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=one\ny.password=two\n");
	rewrite(&w, "x.password=two\ny.password=one\n" MADE);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME("x.password"), "two");
	assert_sealed(&w, NAME("y.password"), "one");
	world_close(&w);
}

static void
test_a_removed_secret_is_removed_from_both_files(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "a=1\nx.password=one\ny.password=two\n");
	rewrite(&w, "a=1\ny.password=two\n" PROVIDERS);
	assert_config(&w, "a=1\ny.password=" SELF("y.password") "\n" PROVIDERS);
	assert_sealed(&w, NAME("x.password"), NULL);
	assert_kept(&w, NAME("y.password"));
	/* Only removing: the reference goes before what it stands for. */
	assert_int_equal(fixture_file_at(w.p, 0)->role, PLAN_CONFIG);
	world_close(&w);
}

static void
test_what_is_sealed_goes_before_the_reference(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=one\n");
	rewrite(&w, "new.password=two\n" PROVIDERS);
	assert_int_equal(fixture_file_at(w.p, 0)->role, PLAN_SECRETS);
	assert_sealed(&w, NAME("x.password"), NULL);
	assert_sealed(&w, NAME("new.password"), "two");
	world_close(&w);
}

static void
test_new_secrets_are_sealed_and_new_settings_are_not(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "a=1\n");
	rewrite(&w, "a=1\nnew.PassWord=two\nnew.thing=three");
	assert_config(&w, "a=1\nnew.PassWord=" SELF("new.PassWord") "\nnew.thing=three\n"
	    "config.providers=securepass\nconfig.providers.securepass.class="
	    "io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n");
	assert_sealed(&w, NAME("new.PassWord"), "two");
	world_close(&w);
}

static void
test_clear_text_that_was_there_stays_with_a_remark(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "x.password=one\n");
	rewrite(&w, "x.password=two\n");
	assert_config(&w, "x.password=two\n");
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	assert_non_null(strstr(plan_notes(w.p), "stays in clear text"));
	world_close(&w);
}

static void
test_a_secret_under_a_new_key_stays_a_secret(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "sasl.secret=CANARY\n");
	assert_int_equal(world_seal_key(&w, "sasl.secret"), 0);
	world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	/* Renamed, whatever the rules say about the new name. */
	rewrite(&w, "sasl.thing=CANARY\n" PROVIDERS);
	assert_config(&w, "sasl.thing=" SELF("sasl.thing") "\n" PROVIDERS);
	assert_sealed(&w, NAME("sasl.secret"), NULL);
	assert_sealed(&w, NAME("sasl.thing"), "CANARY");
	world_close(&w);
}

static void
test_a_copied_secret_stays_a_secret(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=CANARY-long\nz.password=yes\na=1\n");
	rewrite(&w, "x.password=CANARY-long\nz.password=yes\na=CANARY-long\nb=yes\n" PROVIDERS);
	assert_config(&w, "x.password=" SELF("x.password") "\nz.password=" SELF("z.password")
	    "\na=" SELF("a") "\nb=yes\n" PROVIDERS);
	assert_sealed(&w, NAME("a"), "CANARY-long");
	assert_kept(&w, NAME("x.password"));
	world_close(&w);
}

/* --- references as such --- */

static void
test_a_reference_can_take_the_place_of_a_secret(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=one\ny.password=two\n");
	rewrite(&w, "x.password=${vault:a:b}\ny.password=" SELF("ssl.keystore.password") "\n"
	    PROVIDERS);
	assert_config(&w, "x.password=${vault:a:b}\ny.password=" SELF("ssl.keystore.password")
	    "\n" PROVIDERS);
	assert_sealed(&w, NAME("x.password"), NULL);
	assert_sealed(&w, NAME("y.password"), NULL);
	assert_kept(&w, NAME("ssl.keystore.password"));
	world_close(&w);
}

static void
test_a_dangling_reference_stays_or_is_mended(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "x.password=" SELF("x.password") "\na=1\n");
	rewrite(&w, "x.password=" SELF("x.password") "\na=2\n");
	assert_config(&w, "x.password=" SELF("x.password") "\na=2\n");
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	world_close(&w);
	world_prepare(&w, MODERN, MODERN_MASTER, "x.password=" SELF("x.password") "\n" PROVIDERS);
	rewrite(&w, "x.password=anew\n" PROVIDERS);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME("x.password"), "anew");
	world_close(&w);
}

static void
test_a_damaged_entry_is_mended(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN "server.properties/x.password = ENC[x]\n", MODERN_MASTER,
	    "x.password=" SELF("x.password") "\n" PROVIDERS);
	rewrite(&w, "x.password=anew\n" PROVIDERS);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME("x.password"), "anew");
	world_close(&w);
}

static void
test_references_of_another_name_keep_their_entry(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER,
	    "y=" OURS("client.properties/basic.auth.password") "\n" PROVIDERS);
	rewrite(&w, "y=changed\n" PROVIDERS);
	assert_config(&w, "y=" SELF("y") "\n" PROVIDERS);
	assert_sealed(&w, NAME("y"), "changed");
	assert_kept(&w, "client.properties/basic.auth.password");
	assert_non_null(strstr(plan_notes(w.p), "an entry of another name, which stays"));
	world_close(&w);
}

static void
test_a_borrowed_entry_does_not_change_under_the_borrower(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, KEYSTORE_LINE "b=" SELF("ssl.keystore.password")
	    "\n" PROVIDERS);
	rewrite(&w, "ssl.keystore.password=new\nb=" MODERN_KEYSTORE "\n" PROVIDERS);
	assert_config(&w, KEYSTORE_LINE "b=" SELF("b") "\n" PROVIDERS);
	assert_sealed(&w, NAME("ssl.keystore.password"), "new");
	assert_sealed(&w, NAME("b"), MODERN_KEYSTORE);
	world_close(&w);
	/* The borrower first in the file, and a chain of borrowers. */
	world_prepare(&w, MODERN, MODERN_MASTER, "b=" SELF("ssl.keystore.password") "\n"
	    KEYSTORE_LINE PROVIDERS);
	rewrite(&w, "b=" MODERN_KEYSTORE "\nssl.keystore.password=new\n" PROVIDERS);
	assert_config(&w, "b=" SELF("b") "\n" KEYSTORE_LINE PROVIDERS);
	assert_sealed(&w, NAME("b"), MODERN_KEYSTORE);
	world_close(&w);
	/* Only the borrower changes. */
	world_prepare(&w, MODERN, MODERN_MASTER, KEYSTORE_LINE "b=" SELF("ssl.keystore.password")
	    "\n" PROVIDERS);
	rewrite(&w, "ssl.keystore.password=" MODERN_KEYSTORE "\nb=own\n" PROVIDERS);
	assert_config(&w, KEYSTORE_LINE "b=" SELF("b") "\n" PROVIDERS);
	assert_kept(&w, NAME("ssl.keystore.password"));
	world_close(&w);
}

static void
test_keys_that_refer_to_each_other_are_told_apart(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=one\ny.password=two\n");
	configuration_free(w.c);
	w.c = fixture_config("etc/server.properties", "x.password=" SELF("y.password")
	    "\ny.password=" SELF("x.password") "\n" PROVIDERS);
	rewrite(&w, "x.password=new\ny.password=one\n" PROVIDERS);
	assert_config(&w, "x.password=" SELF("x.password") "\ny.password=" SELF("y.password")
	    "\n" PROVIDERS);
	assert_sealed(&w, NAME("x.password"), "new");
	assert_sealed(&w, NAME("y.password"), "one");
	world_close(&w);
}

/* --- lines that nobody reads --- */

static void
test_hidden_lines_of_a_secret_get_the_reference_too(void **state)
{
	struct world w;

	(void)state;
	open_sealed(&w, "x.password=old\nx.password=new\n");
	/* Both lines show the clear text, and only the last is edited. */
	rewrite(&w, "x.password=new\nx.password=newer\n" MADE);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME("x.password"), "newer");
	world_close(&w);
	open_sealed(&w, "x.password=old\nx.password=new\n");
	rewrite(&w, "x.password=new\nx.password=${vault:a:b}\n" PROVIDERS);
	assert_config(&w, "x.password=${vault:a:b}\nx.password=${vault:a:b}\n" PROVIDERS);
	world_close(&w);
}

/* --- values with more in them --- */

#define JAAS(u, p) "sasl.jaas.config=a.PlainLoginModule required \\\n  username=\"" u \
	"\" \\\n  password=" p ";\n"
#define PART "sasl.jaas.config/a.PlainLoginModule/password"

/* A secrets file in which the option's value is sealed, with its quotes. */
static void
open_jaas(struct world *w, const char *config)
{
	world_prepare(w, MODERN, MODERN_MASTER, "x=1\n");
	assert_int_equal(world_seal_value(w, PART, "\"CANARY old\"", false), 0);
	world_apply(w);
	configuration_free(w->c);
	w->c = fixture_config("etc/server.properties", config);
	assert_int_equal(secrets_file_unlock(w->s, w->master, NULL), 0);
}

static void
test_an_unchanged_part_keeps_its_reference(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, JAAS("you", "\"CANARY old\"") PROVIDERS);
	assert_config(&w, JAAS("you", SELF(PART)) PROVIDERS);
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	world_close(&w);
}

static void
test_a_changed_part_is_sealed_anew_under_its_name(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, JAAS("me", "\"CANARY; new\"") PROVIDERS);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME(PART), "\"CANARY; new\"");
	world_close(&w);
}

static void
test_a_part_can_become_a_reference(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, JAAS("me", "${vault:a:b}") PROVIDERS);
	assert_config(&w, JAAS("me", "${vault:a:b}") PROVIDERS);
	assert_sealed(&w, NAME(PART), NULL);
	world_close(&w);
}

static void
test_options_are_found_however_the_text_changed(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, "sasl.jaas.config=a.PlainLoginModule sufficient\tpassword='CANARY new' "
	    "extra=\"1\";\n" PROVIDERS);
	assert_config(&w, "sasl.jaas.config=a.PlainLoginModule sufficient\tpassword=" SELF(PART)
	    " extra=\"1\";\n" PROVIDERS);
	assert_sealed(&w, NAME(PART), "'CANARY new'");
	world_close(&w);
}

static void
test_new_options_that_are_secrets_are_sealed(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, "sasl.jaas.config=a.PlainLoginModule required password=\"CANARY old\" "
	    "clientSecret=\"CANARY 2\";b.M required password=CANARY3;\n" PROVIDERS);
	assert_config(&w, "sasl.jaas.config=a.PlainLoginModule required password=" SELF(PART)
	    " clientSecret=" SELF("sasl.jaas.config/a.PlainLoginModule/clientSecret")
	    ";b.M required password=" SELF("sasl.jaas.config/b.M/password") ";\n" PROVIDERS);
	assert_kept(&w, NAME(PART));
	assert_sealed(&w, NAME("sasl.jaas.config/a.PlainLoginModule/clientSecret"),
	    "\"CANARY 2\"");
	assert_sealed(&w, NAME("sasl.jaas.config/b.M/password"), "CANARY3");
	world_close(&w);
	/* Under a new key too, and with a blank where it needs one. */
	world_prepare(&w, MODERN, MODERN_MASTER, "a=1\n");
	rewrite(&w, "l.sasl.jaas.config=a.M required password=\"CANARY\"u=\"x\";\n" PROVIDERS);
	assert_config(&w, "l.sasl.jaas.config=a.M required password="
	    SELF("l.sasl.jaas.config/a.M/password") " u=\"x\";\n" PROVIDERS);
	world_close(&w);
}

static void
test_options_go_and_are_renamed(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, "sasl.jaas.config=a.PlainLoginModule required username=\"me\";\n" PROVIDERS);
	assert_config(&w, "sasl.jaas.config=a.PlainLoginModule required username=\"me\";\n"
	    PROVIDERS);
	assert_sealed(&w, NAME(PART), NULL);
	world_close(&w);
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, JAAS("me", "\"new\" thing=\"CANARY old\"") PROVIDERS);
	assert_config(&w, JAAS("me", SELF(PART) " thing="
	    SELF("sasl.jaas.config/a.PlainLoginModule/thing")) PROVIDERS);
	assert_sealed(&w, NAME(PART), "\"new\"");
	world_close(&w);
}

static void
test_clear_options_that_were_there_stay(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART) " keypassword=\"x\"") PROVIDERS);
	rewrite(&w, JAAS("me", "\"CANARY old\" keypassword=\"y\"") PROVIDERS);
	assert_config(&w, JAAS("me", SELF(PART) " keypassword=\"y\"") PROVIDERS);
	world_close(&w);
}

static void
test_a_dangling_option_can_be_mended(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, JAAS("you", SELF(PART)) PROVIDERS);
	assert_config(&w, JAAS("you", SELF(PART)) PROVIDERS);
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	world_close(&w);
	world_prepare(&w, MODERN, MODERN_MASTER, JAAS("me", SELF(PART)) PROVIDERS);
	rewrite(&w, JAAS("me", "\"CANARY\"") PROVIDERS);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME(PART), "\"CANARY\"");
	world_close(&w);
}

static void
test_jaas_that_can_be_read_in_two_ways_is_refused(void **state)
{
	struct world w;

	(void)state;
	open_jaas(&w, JAAS("me", SELF(PART)) PROVIDERS);
	assert_int_equal(rewrite_with(&w, JAAS("me", "\"CANARY new") PROVIDERS, &fixture_options),
	    -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_null(strstr(w.err.text, "CANARY"));
	world_close(&w);
}

/* References in the middle of something else: a URL. */
#define URL(p) "my.url=https://u:" p "@h\n"

static void
test_values_with_a_reference_in_the_middle(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, URL(SELF("my.url/pw")) PROVIDERS);
	assert_int_equal(world_seal_value(&w, "my.url/pw", "CANARY", false), 0);
	world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	configuration_free(w.c);
	w.c = fixture_config("etc/server.properties", URL(SELF("my.url/pw")) PROVIDERS);
	rewrite(&w, "my.url=https://u:CANARY@other\n" PROVIDERS);
	assert_config(&w, "my.url=https://u:" SELF("my.url/pw") "@other\n" PROVIDERS);
	plan_free(w.p);
	w.p = plan_new(w.s, NULL);
	rewrite(&w, URL("new") PROVIDERS);
	assert_config(&w, NULL);
	assert_sealed(&w, NAME("my.url/pw"), "new");
	plan_free(w.p);
	w.p = plan_new(w.s, NULL);
	/* Changed all over, it is a secret as a whole. */
	rewrite(&w, "my.url=http://you:new@there\n" PROVIDERS);
	assert_config(&w, "my.url=" SELF("my.url") "\n" PROVIDERS);
	assert_sealed(&w, NAME("my.url"), "http://you:new@there");
	assert_sealed(&w, NAME("my.url/pw"), NULL);
	plan_free(w.p);
	w.p = plan_new(w.s, NULL);
	/* And so it is when more was added than a value. */
	rewrite(&w, URL("new@h x") PROVIDERS);
	assert_config(&w, "my.url=" SELF("my.url") "\n" PROVIDERS);
	world_close(&w);
}

/* --- refusals --- */

static void
assert_refused(const char *clear, const char *edited, enum error_code code, const char *file,
    size_t line)
{
	struct world w;

	open_sealed(&w, clear);
	assert_int_equal(rewrite_with(&w, edited, &fixture_options), -1);
	assert_int_equal(w.err.code, code);
	assert_string_equal(w.err.file, file);
	assert_int_equal(w.err.line, line);
	assert_true(w.err.hint[0] != '\0');
	assert_null(strstr(w.err.text, "CANARY"));
	assert_null(strstr(w.err.hint, "CANARY"));
	world_close(&w);
}

static void
test_a_secret_does_not_become_a_comment(void **state)
{
	struct world w;

	(void)state;
	assert_refused("a=1\nx.password=CANARY\n", "a=1\r\n  #x.password=CANARY\n" PROVIDERS,
	    ERROR_REFUSED, "etc/server.properties", 2);
	assert_refused("a=1\nx.password=CANARY\n", "a=1\\\n2\n\n! ## pw : CANARY", ERROR_REFUSED,
	    "etc/server.properties", 4);
	/* Where it stood before, it is nobody's doing now. */
	open_sealed(&w, "#x.password=CANARY\nx.password=CANARY\n");
	rewrite(&w, "#x.password=CANARY\nx.password=CANARY\na=1\n" PROVIDERS);
	assert_config(&w, "#x.password=CANARY\nx.password=" SELF("x.password") "\na=1\n"
	    PROVIDERS);
	world_close(&w);
	/* Nor is any other comment. */
	open_sealed(&w, "x.password=CANARY\n");
	rewrite(&w, "#x.password=\n# y=CANARY2 \nx.password=CANARY\n" PROVIDERS);
	assert_non_null(fixture_file(w.p, PLAN_CONFIG));
	world_close(&w);
}

static void
test_a_secret_beside_a_reference_is_refused(void **state)
{
	(void)state;
	assert_refused("x.password=CANARY\n", "a=1\nx.password=CANARY" SELF("x.password") "\n",
	    ERROR_REFUSED, "etc/server.properties", 2);
}

static void
test_what_cannot_be_sealed_is_refused(void **state)
{
	(void)state;
	assert_refused("a=1\n", "a=1\nnew}password=x\n", ERROR_REFUSED, "etc/server.properties",
	    2);
	assert_refused("a=1\n", "new.password=x\\ud800\n", ERROR_REFUSED,
	    "etc/server.properties", 1);
}

static void
test_an_entry_of_somebody_else_is_not_overwritten(void **state)
{
	static const struct seal_options replace = { .remote = REMOTE, .replace = true };
	struct world w;

	(void)state;
	assert_refused("a=1\n", "ssl.keystore.password=mine\n", ERROR_EXISTS,
	    "secrets.properties", 8);
	world_prepare(&w, MODERN, MODERN_MASTER, "a=1\n");
	assert_int_equal(rewrite_with(&w, "ssl.keystore.password=mine\n", &replace), 0);
	assert_sealed(&w, NAME("ssl.keystore.password"), "mine");
	world_close(&w);
	/* One that holds the same value is used as it is. */
	world_prepare(&w, MODERN, MODERN_MASTER, "a=1\n");
	rewrite(&w, "ssl.keystore.password=" MODERN_KEYSTORE "\n" PROVIDERS);
	assert_config(&w, KEYSTORE_LINE PROVIDERS);
	assert_rendered(w.p, PLAN_SECRETS, MODERN SECRETS_REMOTE "0 = " REMOTE "\n");
	world_close(&w);
}

static void
test_nothing_is_sealed_twice_in_one_plan(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "a=1\n");
	rewrite(&w, "a=2\n");
	assert_int_equal(rewrite_with(&w, "a=3\n", &fixture_options), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	world_close(&w);
}

/* --- a secrets file without anything --- */

static void
test_a_data_key_is_made_only_when_it_is_needed(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "", MODERN_MASTER, "a=1\n");
	rewrite(&w, "a=2\n");
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	world_close(&w);
	world_open(&w, "", MODERN_MASTER, "a=1\n");
	rewrite(&w, "a=1\nnew.password=x\n");
	assert_sealed(&w, NAME("new.password"), "x");
	world_close(&w);
}

/* --- what is shown --- */

static void
test_the_diff_shows_no_secret(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	open_sealed(&w, "x.password=CANARY-1\ny.password=CANARY-2\na=CANARY-3\n");
	rewrite(&w, "# CANARY-4\nx.password=CANARY-5\nnew.password=CANARY-6\na=CANARY-7\n"
	    "b=CANARY-8\n" PROVIDERS);
	buf_init(&out, 1 << 20);
	assert_int_equal(diff_append(w.p, &out, &w.err), 0);
	assert_int_equal(plan_json(w.p, &out, &w.err), 0);
	assert_null(strstr(buf_cstr(&out), "CANARY"));
	assert_non_null(strstr(buf_cstr(&out), "-y.password = ${securepass:"));
	assert_non_null(strstr(buf_cstr(&out), "+new.password = ${securepass:"));
	assert_non_null(strstr(buf_cstr(&out), "-a = ********"));
	assert_non_null(strstr(buf_cstr(&out), "+b = ********"));
	buf_release(&out);
	world_close(&w);
}

/* Thousands of entries, each changed, moved or new: no pass is quadratic. */
static void
test_many_entries(void **state)
{
	const size_t n = 4000;
	struct world w;
	struct buf clear, edited;
	size_t i;

	(void)state;
	buf_init(&clear, 1 << 20);
	buf_init(&edited, 1 << 20);
	for (i = 0; i < n; i++) {
		buf_printf(&clear, "k%zu.password=v%zu\n", i, i);
		buf_printf(&edited, "k%zu.password=v%zu\n", n + n / 2 - i, i % 3 == 0 ? i : n + n / 2 - i);
	}
	buf_append_str(&edited, PROVIDERS);
	open_sealed(&w, buf_cstr(&clear));
	rewrite(&w, buf_cstr(&edited));
	assert_sealed(&w, NAME("k2002.password"), "v2002");
	assert_sealed(&w, NAME("k100.password"), NULL);
	assert_sealed(&w, NAME("k5999.password"), "v5999");
	buf_release(&edited);
	buf_release(&clear);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_clear_text_as_it_was_changes_nothing),
		cmocka_unit_test(test_what_was_not_sealed_is_taken_over_as_it_is),
		cmocka_unit_test(test_lines_can_be_moved),
		cmocka_unit_test(test_a_changed_secret_is_sealed_anew_and_no_other),
		cmocka_unit_test(test_two_secrets_can_change_places),
		cmocka_unit_test(test_a_removed_secret_is_removed_from_both_files),
		cmocka_unit_test(test_what_is_sealed_goes_before_the_reference),
		cmocka_unit_test(test_new_secrets_are_sealed_and_new_settings_are_not),
		cmocka_unit_test(test_clear_text_that_was_there_stays_with_a_remark),
		cmocka_unit_test(test_a_secret_under_a_new_key_stays_a_secret),
		cmocka_unit_test(test_a_copied_secret_stays_a_secret),
		cmocka_unit_test(test_a_reference_can_take_the_place_of_a_secret),
		cmocka_unit_test(test_a_dangling_reference_stays_or_is_mended),
		cmocka_unit_test(test_a_damaged_entry_is_mended),
		cmocka_unit_test(test_references_of_another_name_keep_their_entry),
		cmocka_unit_test(test_a_borrowed_entry_does_not_change_under_the_borrower),
		cmocka_unit_test(test_keys_that_refer_to_each_other_are_told_apart),
		cmocka_unit_test(test_hidden_lines_of_a_secret_get_the_reference_too),
		cmocka_unit_test(test_an_unchanged_part_keeps_its_reference),
		cmocka_unit_test(test_a_changed_part_is_sealed_anew_under_its_name),
		cmocka_unit_test(test_a_part_can_become_a_reference),
		cmocka_unit_test(test_options_are_found_however_the_text_changed),
		cmocka_unit_test(test_new_options_that_are_secrets_are_sealed),
		cmocka_unit_test(test_options_go_and_are_renamed),
		cmocka_unit_test(test_clear_options_that_were_there_stay),
		cmocka_unit_test(test_a_dangling_option_can_be_mended),
		cmocka_unit_test(test_jaas_that_can_be_read_in_two_ways_is_refused),
		cmocka_unit_test(test_values_with_a_reference_in_the_middle),
		cmocka_unit_test(test_a_secret_does_not_become_a_comment),
		cmocka_unit_test(test_a_secret_beside_a_reference_is_refused),
		cmocka_unit_test(test_what_cannot_be_sealed_is_refused),
		cmocka_unit_test(test_an_entry_of_somebody_else_is_not_overwritten),
		cmocka_unit_test(test_nothing_is_sealed_twice_in_one_plan),
		cmocka_unit_test(test_a_data_key_is_made_only_when_it_is_needed),
		cmocka_unit_test(test_the_diff_shows_no_secret),
		cmocka_unit_test(test_many_entries)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
