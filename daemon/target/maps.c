/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* A hexadecimal or decimal number and the character after it. */
static int number_take(char **at, int base, char after, uint64_t *ret_value)
{
	char *end;

	if (**at == ' ' || **at == '-' || **at == '+')
		return -EBADMSG; /* strtoull would take them */
	errno = 0;
	*ret_value = strtoull(*at, &end, base);
	if (errno || end == *at || *end != after)
		return -EBADMSG;
	*at = end + 1;
	return 0;
}

static int permissions_take(char **at, struct maps_region *region)
{
	char *p = *at;

	if (strnlen(p, 5) < 5 || p[4] != ' ')
		return -EBADMSG;
	region->read = p[0] == 'r';
	region->write = p[1] == 'w';
	region->execute = p[2] == 'x';
	*at = p + 5;
	return 0;
}

/* "7f0000000000-7f0000001000 r-xp 00002000 fd:01 1234      /path with blanks" */
int maps_parse(char *line, struct maps_region *ret_region)
{
	struct maps_region region = {0};
	uint64_t major, minor;
	char *at = line, *end;

	line[strcspn(line, "\n")] = '\0';
	if (number_take(&at, 16, '-', &region.start) || number_take(&at, 16, ' ', &region.end) ||
	    permissions_take(&at, &region) || number_take(&at, 16, ' ', &region.offset) ||
	    number_take(&at, 16, ':', &major) || number_take(&at, 16, ' ', &minor))
		return -EBADMSG;
	if (*at < '0' || *at > '9')
		return -EBADMSG;
	region.inode = strtoull(at, &end, 10);
	if ((*end && *end != ' ') || region.start >= region.end)
		return -EBADMSG;
	region.device = makedev((unsigned)major, (unsigned)minor);
	region.path = end + strspn(end, " ");
	*ret_region = region;
	return 0;
}

int maps_open(pid_t pid, struct maps *ret_maps)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	ret_maps->file = fopen(path, "re");
	if (ret_maps->file)
		return 0;
	return errno == ENOENT || errno == ESRCH ? -ESRCH : errno == EPERM ? -EACCES : -errno;
}

/* A path longer than the line: the rest belongs to no mapping. */
static void line_skip(FILE *file)
{
	int c;

	do
		c = getc(file);
	while (c != '\n' && c != EOF);
}

int maps_next(struct maps *maps, struct maps_region *ret_region)
{
	errno = 0;
	while (fgets(maps->line, sizeof(maps->line), maps->file)) {
		if (!strchr(maps->line, '\n'))
			line_skip(maps->file);
		if (!maps_parse(maps->line, ret_region))
			return 1;
	}
	return ferror(maps->file) ? (errno ? -errno : -EIO) : 0;
}

void maps_done(struct maps *maps)
{
	if (maps && maps->file) {
		fclose(maps->file);
		maps->file = NULL;
	}
}
