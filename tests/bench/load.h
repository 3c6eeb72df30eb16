#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>

/*
 * A client that keeps some TLS connections busy, each with one request under
 * way, from one thread.
 */

struct load_result {
	unsigned long requests, failures;	/* failures: another status than 200 */
	double seconds;
	double p50_us, p99_us;
};

/* ${make} writes the next request (with its headers and body) into ${out}
 * and returns its length. */
typedef size_t load_request(void *cookie, char *out, size_t size);

/* Run for ${seconds} against 127.0.0.1:${port}; ${tls} 0: plain. */
void load_run(int port, int tls, unsigned connections, double seconds, load_request *make,
    void *cookie, struct load_result *out);

#endif /* !LOAD_H */
