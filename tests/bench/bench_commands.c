/*
 * The CPU time and peak memory of `file encrypt`, `file decrypt` and
 * `file rotate --data-key` on many entries, beside the same number of values
 * through bare AES-256-GCM, and beside what the same files cost without any
 * care: lines read, sealed or opened, written, flushed and renamed.  What only
 * looks (`file show`, `file verify`, `render`) stands beside `file decrypt`.
 *
 * The secrets file asks for 1 000 iterations instead of 220 000, and what the
 * KDF still costs is measured here and taken off, so that it does not drown
 * the rest.
 *
 * usage: bench_commands PROPSEAL
 */
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "tests/bench/fixture.h"
#include "tests/bench/measure.h"

#define RUNS_MAX 21
#define JUDGED 100000
#define PEAK_BYTES 700.0
#define VALUE "value-of-a-usual-length"	/* what the bare loop seals, too */

static char *config, *secrets, *opened, *passphrase_file, *config_before, *secrets_before;

/* --- the estate --- */

static void
make_estate(size_t entries)
{
	struct buf file;

	config = measure_path("server.properties");
	secrets = measure_path("secrets.properties");
	opened = measure_path("opened.properties");
	passphrase_file = measure_path("passphrase");
	config_before = measure_path("before.properties");
	secrets_before = measure_path("before-secrets.properties");
	measure_write(passphrase_file, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE));

	buf_init(&file, BUF_MAX_FILE);
	fixture_secrets(&file);
	measure_write(secrets_before, (const char *)file.data, file.len);
	buf_clear(&file);
	for (size_t i = 0; i < entries; i++) {
		buf_printf(&file, "listener.name.client-%zu.ssl.keystore.password=%s\n", i, VALUE);
	}
	measure_must(buf_check(&file, NULL) == 0, "no memory");
	measure_write(config_before, (const char *)file.data, file.len);
	buf_release(&file);
}

static void
copy(const char *from, const char *to)
{
	char *const argv[] = { (char *)"/bin/cp", (char *)from, (char *)to, NULL };
	struct measure m;

	measure_run(argv, NULL, &m);
}

/* --- floors --- */

static void
bare_values(EVP_CIPHER_CTX *ctx, bool seal, size_t entries, unsigned char *sealed)
{
	unsigned char out[sizeof(VALUE) + 32], tag[16], *iv = sealed, *text = sealed + 12;
	const int n = (int)strlen(VALUE);
	int done, rest, ok = 1;

	for (size_t i = 0; i < entries; i++) {
		if (seal) {
			ok &= RAND_bytes(iv, 12);
			ok &= EVP_EncryptInit_ex2(ctx, NULL, NULL, iv, NULL);
			ok &= EVP_EncryptUpdate(ctx, text, &done, (const unsigned char *)VALUE, n);
			ok &= EVP_EncryptFinal_ex(ctx, out, &rest);
			ok &= EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag);
			memcpy(text + n, tag, 16);
		} else {
			ok &= EVP_DecryptInit_ex2(ctx, NULL, NULL, iv, NULL);
			ok &= EVP_DecryptUpdate(ctx, out, &done, text, n);
			ok &= EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, text + n);
			ok &= EVP_DecryptFinal_ex(ctx, out + n, &rest);
		}
	}
	measure_must(ok == 1, "AES-GCM failed");
}

/* The CPU of ${seal} times sealing and ${open} times opening every value. */
static double
bare_loop(bool seal, bool open, size_t entries, size_t runs)
{
	static unsigned char key[32], sealed[12 + sizeof(VALUE) + 16];
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_CIPHER_CTX *enc = EVP_CIPHER_CTX_new(), *dec = EVP_CIPHER_CTX_new();
	double took[RUNS_MAX];

	measure_must(enc != NULL && dec != NULL &&
	    EVP_EncryptInit_ex2(enc, cipher, key, key, NULL) == 1 &&
	    EVP_DecryptInit_ex2(dec, cipher, key, key, NULL) == 1, "no AES-GCM");
	bare_values(enc, true, 1, sealed);
	for (size_t i = 0; i < runs; i++) {
		took[i] = measure_cpu();
		if (open)
			bare_values(dec, false, entries, sealed);
		if (seal)
			bare_values(enc, true, entries, sealed);
		took[i] = measure_cpu() - took[i];
	}
	EVP_CIPHER_CTX_free(enc);
	EVP_CIPHER_CTX_free(dec);
	EVP_CIPHER_free(cipher);
	return measure_median(took, runs);
}

/* Text as base64 to ${out}, which has room. */
static int
floor_base64(const unsigned char *bytes, int n, char *out)
{
	return EVP_EncodeBlock((unsigned char *)out, bytes, n);
}

static FILE *
floor_open(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	measure_must(f != NULL, "no file for the floor");
	return f;
}

static void
floor_close(FILE *f, const char *from, const char *to)
{
	measure_must(fflush(f) == 0 && fsync(fileno(f)) == 0 && fclose(f) == 0 &&
	    rename(from, to) == 0, "cannot write the floor's file");
}

/* Every line of the configuration sealed into ${sealed}, and referred to in ${referring}. */
static void
floor_seal(EVP_CIPHER_CTX *ctx, const char *sealed, const char *referring)
{
	FILE *in = floor_open(config_before, "r"), *a = floor_open(sealed, "w");
	FILE *b = floor_open(referring, "w");
	unsigned char iv[12], out[256];
	char line[256], data[400], iv_text[32], *value;
	int n, rest, len;

	while (fgets(line, sizeof(line), in) != NULL) {
		value = strchr(line, '=');
		*value++ = '\0';
		len = (int)strcspn(value, "\n");
		measure_must(RAND_bytes(iv, 12) == 1 &&
		    EVP_EncryptInit_ex2(ctx, NULL, NULL, iv, NULL) == 1 &&
		    EVP_EncryptUpdate(ctx, out, &n, (unsigned char *)value, len) == 1 &&
		    EVP_EncryptFinal_ex(ctx, out + n, &rest) == 1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + n) == 1,
		    "AES-GCM failed");
		floor_base64(out, n + 16, data);
		floor_base64(iv, 12, iv_text);
		fprintf(a, "server.properties/%s = ENC[AES/GCM/NoPadding,data:%s,iv:%s,type:str]\n",
		    line, data, iv_text);
		fprintf(b, "%s=${securepass:/etc/kafka/secrets.properties:server.properties/%s}\n",
		    line, line);
	}
	fclose(in);
	floor_close(a, sealed, opened);
	floor_close(b, referring, config);
}

/* Every line of ${sealed} opened. */
static void
floor_unseal(EVP_CIPHER_CTX *ctx, const char *sealed, const char *plain)
{
	FILE *in = floor_open(sealed, "r"), *a = floor_open(plain, "w");
	unsigned char iv[16], data[256], out[256];
	char line[600], *text, *iv_text;
	int n, rest, len;

	while (fgets(line, sizeof(line), in) != NULL) {
		text = strstr(line, "data:") + 5;
		iv_text = strstr(text, ",iv:") + 4;
		len = EVP_DecodeBlock(data, (unsigned char *)text, (int)(iv_text - 4 - text)) -
		    (iv_text[-5] == '=') - (iv_text[-6] == '=') - 16;
		measure_must(len >= 0 && EVP_DecodeBlock(iv, (unsigned char *)iv_text, 16) == 12 &&
		    EVP_DecryptInit_ex2(ctx, NULL, NULL, iv, NULL) == 1 &&
		    EVP_DecryptUpdate(ctx, out, &n, data, len) == 1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, data + len) == 1 &&
		    EVP_DecryptFinal_ex(ctx, out + n, &rest) == 1, "AES-GCM failed");
		*strchr(line, ' ') = '\0';
		fprintf(a, "%s = %.*s\n", strchr(line, '/') + 1, n, out);
	}
	fclose(in);
	floor_close(a, plain, opened);
}

/* The CPU of sealing and of opening all files' lines. */
static void
floor_files(size_t runs, double *seal, double *unseal)
{
	static const unsigned char key[32] = { 1 };
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_CIPHER_CTX *enc = EVP_CIPHER_CTX_new(), *dec = EVP_CIPHER_CTX_new();
	char *sealed = measure_path("floor-sealed"), *plain = measure_path("floor-plain");
	double took[2][RUNS_MAX];

	measure_must(enc != NULL && dec != NULL &&
	    EVP_EncryptInit_ex2(enc, cipher, key, NULL, NULL) == 1 &&
	    EVP_DecryptInit_ex2(dec, cipher, key, NULL, NULL) == 1, "no AES-GCM");
	for (size_t i = 0; i < runs; i++) {
		took[0][i] = measure_cpu();
		floor_seal(enc, sealed, plain);
		took[0][i] = measure_cpu() - took[0][i];
		measure_must(rename(opened, sealed) == 0, "no floor");
		took[1][i] = measure_cpu();
		floor_unseal(dec, sealed, plain);
		took[1][i] = measure_cpu() - took[1][i];
	}
	EVP_CIPHER_CTX_free(enc);
	EVP_CIPHER_CTX_free(dec);
	EVP_CIPHER_free(cipher);
	*seal = measure_median(took[0], runs);
	*unseal = measure_median(took[1], runs);
}

static double
kdf(uint32_t iterations)
{
	double took[5];

	for (size_t i = 0; i < 5; i++) {
		struct key *k;

		took[i] = measure_cpu();
		k = key_derive(FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), "salt", 4, iterations, 32, NULL);
		took[i] = measure_cpu() - took[i];
		measure_must(k != NULL, "no key");
		key_free(k);
	}
	return measure_median(took, 5);
}

/* --- the commands --- */

/* The CPU of a command, each time on fresh copies, and its highest memory. */
static double
command(char *const argv[], bool fresh_config, bool fresh_secrets, double *took, size_t runs)
{
	struct measure m;
	double rss = 0;

	for (size_t i = 0; i < runs; i++) {
		if (fresh_config)
			copy(config_before, config);
		if (fresh_secrets)
			copy(secrets_before, secrets);
		unlink(opened);
		measure_run(argv, fixture_environment, &m);
		took[i] = m.cpu_ms;
		if (m.rss_mib > rss)
			rss = m.rss_mib;
	}
	return rss;
}

/* What this release wants to keep to, and whether it does.  Few entries say nothing: there the
 * program itself counts. */
static void
judge(size_t entries, const char *what, double value, double most)
{
	if (entries >= JUDGED)
		printf("  goal: %s at most %g: %s (%.2f)\n", what, most,
		    value <= most ? "met" : "NOT MET", value);
}

static double
bytes_each(double mib, size_t entries)
{
	return mib * 1024 * 1024 / (double)entries;
}

static void
measure_commands(char *program, size_t entries, size_t runs)
{
	char *at, *const encrypt[] = { program, (char *)"file", (char *)"encrypt",
	    (char *)"--config-file", config, (char *)"--local-secrets-file", secrets,
	    (char *)"--remote-secrets-file", (char *)"/etc/kafka/secrets.properties",
	    (char *)"-q", NULL };
	char *const decrypt[] = { program, (char *)"file", (char *)"decrypt",
	    (char *)"--config-file", config, (char *)"--local-secrets-file", secrets,
	    (char *)"--output-file", opened, (char *)"-q", NULL };
	double kdf_ms = kdf(FIXTURE_ITERATIONS), cpu[RUNS_MAX], enc_rss, dec_rss, rot_rss;
	char title[128];

	measure_must(asprintf(&at, "@%s", passphrase_file) > 0, "no memory");
	char *const rotate[] = { program, (char *)"file", (char *)"rotate", (char *)"--data-key",
	    (char *)"--local-secrets-file", secrets, (char *)"--passphrase", at,
	    (char *)"-q", NULL };

	snprintf(title, sizeof(title), "%zu entries: CPU of the whole process less the KDF",
	    entries);
	measure_header(title, "bare AES-256-GCM over as many values, in one process");
	enc_rss = command(encrypt, true, true, cpu, runs);
	measure_line("file encrypt", cpu, runs, bare_loop(true, false, entries, runs));
	dec_rss = command(decrypt, false, false, cpu, runs);
	measure_line("file decrypt", cpu, runs, bare_loop(false, true, entries, runs));
	/* One KDF checks the passphrase, one makes the new data key. */
	copy(secrets, secrets_before);
	rot_rss = command(rotate, false, true, cpu, runs);
	for (size_t i = 0; i < runs; i++)
		cpu[i] -= 2 * kdf_ms;
	measure_line("file rotate --data-key", cpu, runs, bare_loop(true, true, entries, runs));
	printf("  peak memory: encrypt %.0f MiB, decrypt %.0f MiB, rotate %.0f MiB (%.0f, %.0f, %.0f "
	    "bytes an entry)\n", enc_rss, dec_rss, rot_rss, bytes_each(enc_rss, entries),
	    bytes_each(dec_rss, entries), bytes_each(rot_rss, entries));
	judge(entries, "bytes an entry, encrypt", bytes_each(enc_rss, entries), PEAK_BYTES);
	judge(entries, "bytes an entry, decrypt", bytes_each(dec_rss, entries), PEAK_BYTES);
	judge(entries, "bytes an entry, rotate", bytes_each(rot_rss, entries), PEAK_BYTES);
	free(at);
}

/* A command beside `file decrypt`, run by turns, as others may use the machine meanwhile. */
static void
beside_decrypt(char *const decrypt[], char *const argv[], const char *what, size_t entries,
    size_t runs)
{
	double cpu[RUNS_MAX], opening[RUNS_MAX], floor;
	char goal[64];

	for (size_t i = 0; i < runs; i++) {
		command(decrypt, false, false, &opening[i], 1);
		command(argv, false, false, &cpu[i], 1);
	}
	floor = measure_median(opening, runs);
	measure_line(what, cpu, runs, floor);
	snprintf(goal, sizeof(goal), "times decrypt, %s", what);
	judge(entries, goal, measure_median(cpu, runs) / floor, 1.5);
}

/* Beside files that are handled without care, and beside each other. */
static void
measure_files(char *program, size_t entries, size_t runs)
{
	char *const encrypt[] = { program, (char *)"file", (char *)"encrypt",
	    (char *)"--config-file", config, (char *)"--local-secrets-file", secrets,
	    (char *)"--remote-secrets-file", (char *)"/etc/kafka/secrets.properties",
	    (char *)"-q", NULL };
	char *const decrypt[] = { program, (char *)"file", (char *)"decrypt",
	    (char *)"--config-file", config, (char *)"--local-secrets-file", secrets,
	    (char *)"--output-file", opened, (char *)"-q", NULL };
	char *const show[] = { program, (char *)"file", (char *)"show", config,
	    (char *)"--local-secrets-file", secrets, NULL };
	char *const verify[] = { program, (char *)"file", (char *)"verify",
	    (char *)"--local-secrets-file", secrets, config, NULL };
	char *const render[] = { program, (char *)"render", config,
	    (char *)"--local-secrets-file", secrets, NULL };
	double seal, unseal, cpu[RUNS_MAX];
	char title[128];

	floor_files(runs, &seal, &unseal);
	snprintf(title, sizeof(title), "%zu entries: CPU of the whole process", entries);
	measure_header(title, "the same lines read, sealed or opened, written, flushed, renamed");
	command(encrypt, true, true, cpu, runs);
	measure_line("file encrypt", cpu, runs, seal);
	judge(entries, "times the floor, encrypt", measure_median(cpu, runs) / seal, 8);
	command(decrypt, false, false, cpu, runs);
	measure_line("file decrypt", cpu, runs, unseal);
	judge(entries, "times the floor, decrypt", measure_median(cpu, runs) / unseal, 5);
	measure_header(title, "file decrypt");
	beside_decrypt(decrypt, show, "file show", entries, runs);
	beside_decrypt(decrypt, verify, "file verify FILE", entries, runs);
	beside_decrypt(decrypt, render, "render", entries, runs);
}

int
main(int argc, char **argv)
{
	bool smoke = measure_is_smoke();

	measure_must(argc == 2, "usage: bench_commands PROPSEAL");
	printf("\nKDF: %.1f ms of CPU for %d iterations, %.2f ms for %d\n",
	    kdf(KEY_ITERATIONS_DEFAULT), KEY_ITERATIONS_DEFAULT, kdf(FIXTURE_ITERATIONS), FIXTURE_ITERATIONS);
	make_estate(1000);
	measure_commands(argv[1], 1000, smoke ? 1 : RUNS_MAX);
	make_estate(smoke ? 5000 : 100000);
	measure_commands(argv[1], smoke ? 5000 : 100000, smoke ? 1 : 3);
	make_estate(smoke ? 1000 : 10000);
	measure_files(argv[1], smoke ? 1000 : 10000, smoke ? 1 : 5);
	make_estate(smoke ? 5000 : 100000);
	measure_files(argv[1], smoke ? 5000 : 100000, smoke ? 1 : 3);
	measure_scratch_remove();
	return 0;
}
