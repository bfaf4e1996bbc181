/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Log lines on stderr, with journald's "<N>" prefix when stderr is not a terminal. Library code
 * returns errors; only main, serve and the verbs log.
 */
#ifndef PYPROF_DAEMON_BASE_LOG_H
#define PYPROF_DAEMON_BASE_LOG_H

#include <stdarg.h>

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_INFO = 6, LOG_DEBUG = 7 };

void log_set_level(enum log_level level);
/* "error", "warning", "info", "debug" → level; -EINVAL otherwise. */
int log_level_parse(const char *text, enum log_level *ret_level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_vline(enum log_level level, const char *format, va_list args);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
