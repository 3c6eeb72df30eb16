#include "cli/dispatch.h"
#include "cli/process.h"

int
main(int argc, char **argv)
{
	process_begin();
	return dispatch_run(argc, argv);
}
