#include "registry/base/clock.h"

#define SECOND_NS UINT64_C(1000000000)
#define GATHER_MIN_NS 300000U
#define GATHER_MAX_NS 5000000U

uint64_t
clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

int64_t
clock_ms(void)
{
	return (int64_t)(clock_ns() / 1000000);
}

struct timespec
clock_gather_until(uint64_t batch_ns)
{
	uint64_t ns = batch_ns / 2;

	ns = ns < GATHER_MIN_NS ? GATHER_MIN_NS : ns > GATHER_MAX_NS ? GATHER_MAX_NS : ns;
	ns += clock_ns();
	return (struct timespec){ .tv_sec = (time_t)(ns / SECOND_NS),
	    .tv_nsec = (long)(ns % SECOND_NS) };
}

void
clock_pause(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}
