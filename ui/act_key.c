#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/model.h"
#include "ui/unlock.h"

const char *
act_needs_locked(const struct app *a)
{
	if (a->model->secrets == NULL)
		return "there is no secrets file";
	return a->model->master != NULL ? "it is unlocked already" : NULL;
}

const char *
act_needs_unlocked(const struct app *a)
{
	return a->model->master == NULL ? "no key is held" : NULL;
}

void
act_unlock(struct app *a)
{
	if (unlock_run(a) == 0)
		app_notice(a, "unlocked, master key id %s", a->model->fingerprint);
}

void
act_lock(struct app *a)
{
	a->locking = true;
}
