#include "common/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/output.h"

#define TERMINAL "/dev/tty"
#define ANSWER_MAX 64

int
confirm(const struct buf *text, const char *question, bool *yes, struct error *err)
{
	char answer[ANSWER_MAX + 1] = "", c = 0;
	size_t len = 0;
	ssize_t n = 0;
	int fd, rc = -1;

	*yes = false;
	if ((fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		return error_io(err, TERMINAL, "cannot ask");
	if ((text != NULL && output_write_fd(fd, TERMINAL, text->data, text->len, err) != 0) ||
	    output_write_fd(fd, TERMINAL, question, strlen(question), err) != 0)
		goto done;
	while (c != '\n' && ((n = read(fd, &c, 1)) == 1 || (n == -1 && errno == EINTR))) {
		if (n == 1 && c != '\n' && len < ANSWER_MAX)
			answer[len++] = c;
	}
	if (n == -1) {
		error_io(err, TERMINAL, "cannot read the answer");
		goto done;
	}
	answer[len] = '\0';
	*yes = strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
	rc = 0;
done:
	close(fd);
	return rc;
}
