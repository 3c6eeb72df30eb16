#include "base/text.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LAST INT64_C(253402300799000)	/* 9999-12-31T23:59:59Z in milliseconds */
#define FIRST INT64_C(-62167219200000)	/* 0000-01-01T00:00:00Z */

int64_t
time_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return time_of(&now);
}

int64_t
time_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

int
time_text(int64_t ms, enum time_form form, char out[TIME_TEXT])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = { 0 };
	time_t seconds;
	int year, rest;

	if (ms < FIRST || ms > LAST + 999)
		ms = LAST;
	rest = (int)(ms % 1000);
	seconds = (time_t)(ms / 1000);
	if (rest < 0) {
		rest += 1000;
		seconds--;
	}
	(void)gmtime_r(&seconds, &tm);
	/* Bounds that there are anyhow, for the compiler to see that the text fits. */
	year = (tm.tm_year + 1900) % 10000;
	switch (form) {
	case TIME_MILLISECONDS:
		return snprintf(out, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
	case TIME_SECONDS:
		return snprintf(out, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	case TIME_SPACED:
		return snprintf(out, TIME_TEXT, "%04d-%02d-%02d %02d:%02d:%02d", year,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	case TIME_NAME:
		return snprintf(out, TIME_TEXT, "%04d%02d%02dT%02d%02d%02dZ", year,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	case TIME_HTTP:
	default:
		return snprintf(out, TIME_TEXT, "%s, %02d %s %04d %02d:%02d:%02d GMT",
		    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], year, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
	}
}

bool
time_parse(const char *text, enum time_form form, int64_t *ms)
{
	char back[TIME_TEXT];
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t seconds, part = 0;
	int scale = 100;

	if (rest == NULL)
		return false;
	seconds = (int64_t)timegm(&tm);
	/* Days that there are not, and numbers without their zeros, come back otherwise. */
	(void)time_text(seconds * 1000, TIME_SECONDS, back);
	if ((size_t)(rest - text) != strlen(back) - 1 || memcmp(text, back, strlen(back) - 1) != 0)
		return false;
	if (form == TIME_MILLISECONDS && *rest == '.') {
		for (rest++; ascii_is_digit(*rest) && scale > 0; rest++, scale /= 10)
			part += (*rest - '0') * scale;
		if (scale == 100)
			return false;
	}
	if (strcmp(rest, "Z") != 0)
		return false;
	*ms = seconds * 1000 + part;
	return true;
}
