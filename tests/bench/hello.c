#include "hello.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

static SSL_CTX *tls;

static void
answer(struct evhttp_request *r, void *cookie)
{
	/* As long as the registry's answer to the same bench. */
	static const char body[] = "{\"path\":\"bench\",\"key\":\"password\",\"version\":1,"
	    "\"secret\":\"0123456789abcdef\"}";
	struct evbuffer *out = evhttp_request_get_output_buffer(r);

	(void)cookie;
	evhttp_add_header(evhttp_request_get_output_headers(r), "Content-Type",
	    "application/json");
	evbuffer_add(out, body, sizeof(body) - 1);
	evhttp_send_reply(r, 200, NULL, NULL);
}

static struct bufferevent *
new_connection(struct event_base *base, void *cookie)
{
	(void)cookie;
	return bufferevent_openssl_socket_new(base, -1, SSL_new(tls), BUFFEREVENT_SSL_ACCEPTING,
	    BEV_OPT_CLOSE_ON_FREE);
}

static int
listen_on(int port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	measure_must(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 128) == 0,
	    "listen");
	return fd;
}

static void *
serve(void *arg)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);

	evhttp_set_bevcb(http, new_connection, NULL);
	evhttp_set_gencb(http, answer, NULL);
	measure_must(evhttp_accept_socket(http, *(int *)arg) == 0, "accept");
	event_base_dispatch(base);
	return NULL;
}

pid_t
hello_start(const char *certificate, const char *key, unsigned threads, int *port)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fds[64];
	pthread_t thread;
	pid_t pid;

	fds[0] = listen_on(0);
	measure_must(getsockname(fds[0], (struct sockaddr *)&at, &len) == 0, "getsockname");
	*port = ntohs(at.sin_port);
	for (unsigned i = 1; i < threads && i < 64; i++)
		fds[i] = listen_on(*port);
	if ((pid = fork()) != 0) {
		for (unsigned i = 0; i < threads && i < 64; i++)
			close(fds[i]);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	tls = SSL_CTX_new(TLS_server_method());
	measure_must(SSL_CTX_use_certificate_chain_file(tls, certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) == 1, "certificate");
	for (unsigned i = 1; i < threads && i < 64; i++)
		pthread_create(&thread, NULL, serve, &fds[i]);
	serve(&fds[0]);
	_exit(1);
}
