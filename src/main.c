#include "dispatch.h"
#include "process.h"

int
main(int argc, char **argv)
{
	process_begin();
	return dispatch_run(argc, argv);
}
