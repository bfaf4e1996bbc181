/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/tui_prompt.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>

#include "cli/tui_keys.h"
#include "daemon/base/utf8.h"

#define CONTROL(c) ((c)&0x1f)
#define ESCAPE 27

void tui_prompt_open(struct tui_prompt *prompt, const char *label, const char *text)
{
	*prompt = (struct tui_prompt){.label = label, .open = true};
	snprintf(prompt->text, sizeof(prompt->text), "%s", text ? text : "");
	prompt->size = strlen(prompt->text);
}

static void prompt_erase(struct tui_prompt *prompt)
{
	while (prompt->size && (prompt->text[--prompt->size] & 0xc0) == 0x80)
		;
	prompt->text[prompt->size] = '\0';
}

static void prompt_add(struct tui_prompt *prompt, int key)
{
	char bytes[4];
	size_t size;

	if (key < 0x20 || key == 0x7f || key >= TUI_KEY_SPECIAL)
		return;
	size = utf8_encode((uint32_t)key, bytes);
	if (prompt->size + size >= sizeof(prompt->text))
		return;
	memcpy(prompt->text + prompt->size, bytes, size);
	prompt->size += size;
	prompt->text[prompt->size] = '\0';
}

enum tui_prompt_result tui_prompt_key(struct tui_prompt *prompt, int key)
{
	switch (key) {
	case '\n':
	case '\r':
	case TUI_KEY_SPECIAL + KEY_ENTER:
		prompt->open = false;
		return TUI_PROMPT_DONE;
	case ESCAPE:
	case CONTROL('g'):
		prompt->open = false;
		return TUI_PROMPT_CANCELLED;
	case '\b':
	case 0x7f:
	case TUI_KEY_SPECIAL + KEY_BACKSPACE:
		prompt_erase(prompt);
		return TUI_PROMPT_MORE;
	case CONTROL('u'):
		prompt->text[prompt->size = 0] = '\0';
		return TUI_PROMPT_MORE;
	default:
		prompt_add(prompt, key);
		return TUI_PROMPT_MORE;
	}
}
