#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What root built in another user's checkout (sudo make …) becomes that user's, who may then build and
# clean without sudo. A build folder outside the checkout stays as it is.
cd "$(dirname "$0")/.." && [ "$(id -u)" = 0 ] && [ -d build ] || exit 0
chown -R --no-dereference --reference=. build
