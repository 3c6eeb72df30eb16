#include <openssl/rand.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "secrets/sealed.h"
#include "tests/bench/fixture.h"
#include "tests/bench/measure.h"

char *fixture_environment[] = { NULL, NULL };

static void
append_salt(struct buf *out)
{
	unsigned char salt[KEY_SALT_BYTES];

	measure_must(RAND_bytes(salt, sizeof(salt)) == 1, "no random bytes");
	base64_encode(out, salt, sizeof(salt));
}

void
fixture_secrets(struct buf *file)
{
	struct buf salt, data_salt, wrapped, text;
	struct key *master, *data;

	buf_init(&salt, 256);
	buf_init(&data_salt, 256);
	buf_init(&wrapped, 4096);
	buf_init_secret(&text, 4096);
	append_salt(&salt);
	append_salt(&data_salt);
	master = key_derive(FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), buf_cstr(&salt),
	    salt.len, FIXTURE_ITERATIONS, KEY_LENGTH_DEFAULT, NULL);
	data = key_new_random(KEY_LENGTH_DEFAULT, NULL);
	measure_must(master != NULL && data != NULL, "no keys");
	measure_must(wrap_seal(master, data, &wrapped, NULL) == 0, "no wrapped key");
	buf_printf(file, "_metadata.master_key.0.salt = %s\n", buf_cstr(&salt));
	buf_printf(file, "_metadata.symmetric_key.0.created_at = 2026-01-01 00:00:00 +0000 UTC\n");
	buf_printf(file, "_metadata.symmetric_key.0.envvar = CONFLUENT_SECURITY_MASTER_KEY\n");
	buf_printf(file, "_metadata.symmetric_key.0.length = %d\n", KEY_LENGTH_DEFAULT);
	buf_printf(file, "_metadata.symmetric_key.0.iterations = %d\n", FIXTURE_ITERATIONS);
	buf_printf(file, "_metadata.symmetric_key.0.salt = %s\n", buf_cstr(&data_salt));
	buf_printf(file, "_metadata.symmetric_key.0.enc = %s\n", buf_cstr(&wrapped));
	measure_must(buf_check(file, NULL) == 0, "no memory");

	key_append_base64(master, &text);
	measure_must(asprintf(&fixture_environment[0], "CONFLUENT_SECURITY_MASTER_KEY=%s",
	    buf_cstr(&text)) > 0, "no memory");
	buf_release(&text);
	buf_release(&wrapped);
	buf_release(&data_salt);
	buf_release(&salt);
	key_free(data);
	key_free(master);
}
