/* Linked with what propseal is linked with, and does nothing. */
#include <stdio.h>

int
main(void)
{
	puts("0");
	return 0;
}
