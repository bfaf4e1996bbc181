/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where Python 3.6 keeps its GIL. Private to image.c. */
#ifndef PYPROF_DAEMON_TARGET_IMAGE_GIL_H
#define PYPROF_DAEMON_TARGET_IMAGE_GIL_H

#include "daemon/target/image_search.h"
#include "daemon/target/python.h"

/* Sets vaddr.gil and the GIL's offsets of layout and objects, as far as the file tells. */
void image_gil(const struct elf *elf, const struct image_traces *traces,
	       struct python_image *image);

#endif
