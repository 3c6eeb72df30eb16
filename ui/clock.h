#ifndef UI_CLOCK_H
#define UI_CLOCK_H

#include <stdint.h>

/* Milliseconds on a clock that only goes forward. */
uint64_t clock_ms(void);

#endif /* !UI_CLOCK_H */
