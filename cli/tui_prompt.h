/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line of input at the bottom of the screen. */
#ifndef PYPROF_CLI_TUI_PROMPT_H
#define PYPROF_CLI_TUI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#define TUI_PROMPT_MAX 128 /* bytes */

struct tui_prompt {
	const char *label;
	char text[TUI_PROMPT_MAX];
	size_t size;
	bool open;
};

enum tui_prompt_result { TUI_PROMPT_MORE, TUI_PROMPT_DONE, TUI_PROMPT_CANCELLED };

void tui_prompt_open(struct tui_prompt *prompt, const char *label, const char *text);
/* A key as tui_key() gives it. Closes the prompt unless it answers MORE. */
enum tui_prompt_result tui_prompt_key(struct tui_prompt *prompt, int key);

#endif
