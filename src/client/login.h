#ifndef REGISTRY_CLIENT_LOGIN_H
#define REGISTRY_CLIENT_LOGIN_H

struct buf;
struct error;

/* Who we are, as it is told to one registry.  Strings are borrowed. */
struct login {
	const char *user;		/* NULL: nobody logs in by password */
	const char *password_file;	/* NULL: asked for */
	const char *token_file;		/* NULL: none; comes before a password */
};

#define LOGIN_PASSWORD_MAX 4096	/* bytes */
#define LOGIN_TOKEN_MAX (8U << 10)
#define LOGIN_HEADER_MAX (2 * LOGIN_TOKEN_MAX)

/*
 * Each appends the value of an Authorization header to ${header}, which is
 * secret and has room for LOGIN_HEADER_MAX bytes.
 */
int login_by_token(const char *file, struct buf *header, struct error *err);
int login_by_password(const char *user, const struct buf *password, struct buf *header,
    struct error *err);
int login_by_password_file(const char *user, const char *file, struct buf *header,
    struct error *err);

#endif /* !REGISTRY_CLIENT_LOGIN_H */
