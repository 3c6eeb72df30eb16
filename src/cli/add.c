#include "base/error.h"
#include "cli/commands.h"
#include "common/report.h"
#include "cli/sealing.h"

int
commands_add(const struct options *o)
{
	struct error err;

	if (sealing_put(o, false, "add failed: empty list of new configs", &err) != 0)
		return report_error(&err);
	return 0;
}
