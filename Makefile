# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# make            build build/pyprofd and build/pyprofctl
# make clean      remove what was built
# Variables: V=1 shows commands, B=DIR another build folder, SAN=address,undefined instruments user space.

B ?= build
V ?= 0
CLANG ?= clang
BPFTOOL ?= bpftool
CC ?= gcc
Q := $(if $(filter 1,$(V)),,@)
msg = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(patsubst $(B)/%,%,$(2))';)

ARCH_DIR := $(shell $(CC) -print-multiarch)
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(SANFLAGS) -I. -I$(B)
BPF_CFLAGS := -std=gnu11 -O2 -g -target bpf -mcpu=v2 -Wall -Wextra -Werror -I. -idirafter /usr/include/$(ARCH_DIR)
DAEMON_LIBS := -lbpf -lelf -lz -lmicrohttpd -linih -lm
CLI_LIBS := -lelf -ljansson -lncursesw -ltinfo -lm

BPF_SRC := $(wildcard bpf/*.bpf.c)
DAEMON_SRC := $(wildcard daemon/*.c daemon/*/*.c)
CLI_SRC := $(wildcard cli/*.c)
# What the CLI takes from the daemon, by name: small tools, and the readers for `dump` and `doctor` without a daemon.
CLI_DAEMON_SRC := $(wildcard daemon/base/*.c daemon/target/*.c) daemon/symbol/linetable.c
UNIT_SRC := $(wildcard tests/unit/test_*.c)

BPF_OBJ := $(BPF_SRC:%.c=$(B)/%.o)
DAEMON_OBJ := $(DAEMON_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o) $(CLI_DAEMON_SRC:%.c=$(B)/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%)
SKEL := $(B)/pyprof.skel.h

all: $(B)/pyprofd $(B)/pyprofctl

$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call msg,BPF,$@)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(B)/pyprof.bpf.o: $(BPF_OBJ)
	$(call msg,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(SKEL): $(B)/pyprof.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name pyprof > $@.tmp && mv $@.tmp $@

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/daemon/probe/%.o: | $(SKEL)

$(B)/pyprofd: $(DAEMON_OBJ)
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(DAEMON_LIBS) $(LDFLAGS) -o $@

$(B)/pyprofctl: $(CLI_OBJ)
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(CLI_LIBS) $(LDFLAGS) -o $@

# A unit test links every object but the two mains.
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(filter-out $(B)/daemon/main.o,$(DAEMON_OBJ))
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(DAEMON_LIBS) -ljansson -lcmocka $(LDFLAGS) -o $@

unit: $(UNIT_BIN)

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
.SECONDARY:
