#include "registry/keys/ring.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/equal.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "crypto/scrypt.h"
#include "registry/keys/master.h"

#define LABEL_KEK "propseal registry 1 key encryption key"
#define LABEL_CHECK "propseal registry 1 master check"

struct ring *
ring_new(struct error *err)
{
	struct ring *r;
	size_t cap;

	r = secmem_map(sizeof(*r), &cap);
	if (r == NULL) {
		error_memory(err);
		return NULL;
	}
	r->cap = cap;
	return r;
}

struct ring *
ring_copy(const struct ring *r, struct error *err)
{
	struct ring *copy = ring_new(err);
	size_t cap;

	if (copy == NULL)
		return NULL;
	cap = copy->cap;
	memcpy(copy, r, sizeof(*copy));
	copy->cap = cap;
	return copy;
}

void
ring_free(struct ring *r)
{
	if (r != NULL)
		secmem_unmap(r, r->cap);
}

struct ring_key *
ring_find(struct ring *r, uint32_t kid)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->keys[i].kid == kid)
			return &r->keys[i];
	return NULL;
}

/* One output of HKDF over the root. */
static int
labelled(struct hkdf *h, const unsigned char *root, const struct ring_kdf *kdf,
    const char *label, unsigned char *out, size_t n, struct error *err)
{
	struct hkdf_input in = {
		.secret = root, .secret_len = RING_KEY,
		.salt = kdf->salt, .salt_len = RING_SALT,
		.info = label, .info_len = strlen(label),
	};

	return hkdf_derive(h, &in, out, n, err);
}

/* The kek and the check value that ${m} gives by ${kdf}. */
static int
derive(const struct ring_kdf *kdf, const struct master *m, unsigned char kek[RING_KEY],
    unsigned char check[RING_CHECK], struct error *err)
{
	struct hkdf *h = hkdf_new(err);
	const struct buf *bytes;
	unsigned char *root;
	bool passphrase;
	struct buf mem;
	int result = -1;

	/* In secret memory, as the stack is not. */
	buf_init_secret(&mem, RING_KEY);
	if (h == NULL || buf_reserve(&mem, RING_KEY) == -1) {
		(void)buf_check(&mem, err);
		goto out;
	}
	root = mem.data;
	mem.len = RING_KEY;
	bytes = master_bytes(m, &passphrase);
	if (!passphrase)
		memcpy(root, bytes->data, RING_KEY);
	else if (scrypt_derive(bytes->data, bytes->len, kdf->salt, RING_SALT, kdf->n, kdf->r,
	    kdf->p, root, RING_KEY, err) == -1)
		goto out;
	if (labelled(h, root, kdf, LABEL_KEK, kek, RING_KEY, err) == 0 &&
	    labelled(h, root, kdf, LABEL_CHECK, check, RING_CHECK, err) == 0)
		result = 0;
out:
	buf_release(&mem);
	hkdf_free(h);
	return result;
}

int
ring_put_under(struct ring *r, const struct master *m, struct error *err)
{
	struct ring_kdf *kdf = &r->kdf;

	memset(kdf, 0, sizeof(*kdf));
	(void)master_bytes(m, &kdf->passphrase);
	if (kdf->passphrase) {
		kdf->n = RING_SCRYPT_N;
		kdf->r = RING_SCRYPT_R;
		kdf->p = RING_SCRYPT_P;
	}
	if (random_bytes(kdf->salt, RING_SALT, err) == -1)
		return -1;
	return derive(kdf, m, r->kek, kdf->check, err);
}

int
ring_fits(const struct ring_kdf *kdf, const struct master *m,
    unsigned char kek[RING_KEY], bool *fits, struct error *err)
{
	unsigned char check[RING_CHECK];
	bool passphrase;

	*fits = false;
	(void)master_bytes(m, &passphrase);
	if (passphrase != kdf->passphrase)
		return 0;
	if (derive(kdf, m, kek, check, err) == -1)
		return -1;
	*fits = secret_equal(check, RING_CHECK, kdf->check, RING_CHECK);
	if (!*fits)
		secmem_wipe(kek, RING_KEY);
	secmem_wipe(check, sizeof(check));
	return 0;
}

int
ring_add(struct ring *r, struct error *err)
{
	struct ring_key *k = &r->keys[r->count];
	uint32_t last = r->count > 0 ? k[-1].kid : 0;

	if (r->count == RING_KEYS_MAX || last == UINT32_MAX)
		return error_set(err, ERROR_LIMIT, "the keyring has no room for another data key");
	if (random_bytes(k->key, RING_KEY, err) == -1)
		return -1;
	k->kid = last + 1;
	r->active = k->kid;
	r->count++;
	return 0;
}
