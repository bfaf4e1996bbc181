# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make run        install what is missing, build, start the daemon, open `pyprofctl top`
# make test       install what is missing, build, run all tests
# make stop       end the daemon (and the demo) that `make run` started
# make demo       start a small Python workload for five minutes
#
# make            build the programs build/pyprofd and build/pyprofctl
# make deps       install Debian's packages for building and testing
# make check      format, headers, include law, sizes, cppcheck
# make unit-test  the C unit tests alone
# make install    into DESTDIR, under PREFIX (/usr/local); make uninstall takes it away
# make clean      remove what was built
#
# make interpreters   fetch the CPython builds to test on into a cache
# make test-vm        load every program on other kernels, in QEMU
# make test-debian13  build and unit tests in a Debian 13 root
# make bench          what profiling costs here, in figures
# make soak           memory and churn over ten minutes
# make fuzz           each parser of foreign bytes, for a while
#
# Variables: V=1 shows commands; B=DIR builds elsewhere; SAN=address,undefined instruments the
# user-space programs (in a folder of their own).

comma := ,
V ?= 0
SAN ?=
B ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
CLANG ?= clang
BPFTOOL ?= bpftool
PATH := $(PATH):/usr/sbin:/sbin
export PATH B V SAN PREFIX SYSCONFDIR DESTDIR
msg = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(patsubst $(B)/%,%,$(2))';)

# Asked late: `make deps` must run where no compiler is yet.
ARCH_DIR = $(shell $(CC) -print-multiarch)
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS ?= -O2 -g -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
LDFLAGS ?= -Wl,-z,relro,-z,now
# The checks that sanitizers weave in confuse two of gcc's warnings; the plain build has them.
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all \
	-Wno-format-truncation -Wno-maybe-uninitialized)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(SANFLAGS) -I. -I$(B)
# A record ends in a flexible array, and the scratch area gives it room by embedding it: meant.
BPF_CFLAGS = -std=gnu11 -O2 -g -target bpf -mcpu=v2 -Wall -Wextra -Werror -Wno-gnu-variable-sized-type-not-at-end \
	-I. -idirafter /usr/include/$(ARCH_DIR)
DAEMON_LIBS := -lbpf -lelf -lz -lmicrohttpd -linih -lm
CLI_LIBS := -lelf -lz -ljansson -lncursesw -ltinfo -lm

# The definitions of the maps first: bpftool 7.1 loses uses of a map that it has not met yet.
BPF_SRC := bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c,$(wildcard bpf/*.bpf.c))
DAEMON_SRC := $(wildcard daemon/*.c daemon/*/*.c)
CLI_SRC := $(wildcard cli/*.c)
# What the CLI takes from the daemon, by name: small tools, and the readers for `dump` and `doctor` without a daemon.
CLI_DAEMON_SRC := $(wildcard daemon/base/*.c daemon/target/*.c) daemon/symbol/linetable.c
UNIT_SRC := $(wildcard tests/unit/test_*.c)

BPF_OBJ := $(BPF_SRC:%.c=$(B)/%.o)
DAEMON_OBJ := $(DAEMON_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(sort $(CLI_SRC:%.c=$(B)/%.o) $(CLI_DAEMON_SRC:%.c=$(B)/%.o))
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

# Before the first build no .d file tells who includes the skeleton.
$(filter $(B)/daemon/probe/%,$(DAEMON_OBJ)): | $(SKEL)
$(UNIT_BIN:%=%.o): | $(SKEL)

$(B)/pyprofd: $(DAEMON_OBJ)
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(DAEMON_LIBS) $(LDFLAGS) -o $@

$(B)/pyprofctl: $(CLI_OBJ)
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(CLI_LIBS) $(LDFLAGS) -o $@

# A unit test links every object of its program but main: test_cli_* the CLI's, the others the daemon's.
# Static pattern rules: of two implicit ones make 4.4 took the wider.
CLI_UNIT_BIN := $(filter $(B)/tests/unit/test_cli_%,$(UNIT_BIN))
$(CLI_UNIT_BIN): %: %.o $(filter-out $(B)/cli/main.o,$(CLI_OBJ))
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(CLI_LIBS) -lcmocka $(LDFLAGS) -o $@

$(filter-out $(CLI_UNIT_BIN),$(UNIT_BIN)): %: %.o $(filter-out $(B)/daemon/main.o,$(DAEMON_OBJ))
	$(call msg,LINK,$@)$(CC) $(CFLAGS) $(SANFLAGS) $^ $(DAEMON_LIBS) -ljansson -lcmocka $(LDFLAGS) -o $@

unit: $(UNIT_BIN)

# Targets that install packages build in a make of their own: only then the compilers are there. On all
# CPUs unless -j says otherwise; -s says nothing of what is built already.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
submake = $(MAKE) --no-print-directory $(if $(filter 1,$(V)),,-s) $(JOBS) $(1); status=$$?; tests/owner.sh; exit $$status

deps:
	@tests/deps.sh build test check
run:
	@tests/daemon.sh may
	@tests/deps.sh build
	@+$(call submake,all)
	@tests/daemon.sh run
stop:
	@tests/daemon.sh stop
demo:
	@tests/daemon.sh demo
test:
	@tests/deps.sh build test
	@+$(call submake,all unit)
	@tests/run.sh unit system
unit-test:
	@tests/deps.sh build test
	@+$(call submake,unit)
	@tests/run.sh unit
check:
	@tests/deps.sh build check
	@+$(call submake,$(SKEL))
	@tests/check.sh
bench: all
	@/usr/bin/python3 tests/bench/run.py
soak: all
	@tests/run.sh soak
interpreters:
	@tests/deps.sh build interpreters
	@tests/interpreters.sh
test-vm:
	@tests/deps.sh build test vm
	@+$(call submake,all)
	@tests/vm/run.sh
test-debian13:
	@tests/debian13.sh
fuzz:
	@tests/deps.sh build fuzz
	@+$(call submake,$(SKEL))
	@tests/fuzz/run.sh
install: all
	@tests/install.sh install
	@tests/owner.sh
uninstall:
	@tests/install.sh uninstall
# Keeps the folder of a daemon that still runs: `make stop` needs its pid file.
clean:
	@test ! -d $(B) || find $(B) -mindepth 1 -maxdepth 1 ! -path '$(B)/run' -exec rm -rf {} + 2>/dev/null || \
		{ echo "make clean: not all of $(B) is this user's: sudo make clean" >&2; false; }
help:
	@awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' Makefile

-include $(patsubst %.o,%.d,$(sort $(BPF_OBJ) $(DAEMON_OBJ) $(CLI_OBJ) $(UNIT_BIN:%=%.o)))
.PHONY: all unit deps run stop demo test unit-test check bench soak interpreters test-vm test-debian13 fuzz install uninstall clean help
.SECONDARY:
.DELETE_ON_ERROR:
