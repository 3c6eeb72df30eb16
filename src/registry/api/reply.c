#include "registry/api/reply.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/http/http.h"

void
reply_number(struct buf *out, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_append(out, digits + i, sizeof(digits) - i);
}

void
reply_time(struct json_out *o, const char *key, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[48];
	size_t n;

	if (ms <= 0 || gmtime_r(&seconds, &tm) == NULL) {
		json_out_null(o, key);
		return;
	}
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(ms % 1000));
	json_out_text(o, key, text);
}

void
reply_error(struct buf *out, int code, const void *message, size_t n)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_int(&o, "error_code", code);
	json_out_text_n(&o, "message", message, n);
	json_out_end(&o);
}

void
reply_headers(struct http_request *r, const char *id, const char *type)
{
	static const char always[] = "Cache-Control: no-store\r\n"
	    "Pragma: no-cache\r\n"
	    "X-Content-Type-Options: nosniff\r\n";

	if (id != NULL)
		http_set_header(r, "X-Request-Id", id);
	http_set_lines(r, always, sizeof(always) - 1);
	if (type != NULL)
		http_set_header(r, "Content-Type", type);
}
