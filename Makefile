# Longhand. `make` builds build/longhandd and build/longhand; `make help` lists the rest.
#
#   build/        release            build/asan/   ASan + UBSan: what the tests run
CC ?= gcc
BUILD := build
SANITIZE ?=
PKGS := libmicrohttpd jansson libcurl hiredis libuv yaml-0.1 nettle
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wundef -Wformat=2 -Werror
# Asked once, when something is built and not before: `make deps all` installs them in between.
HAS_PKGS = $(if $(shell pkg-config --exists $(PKGS) 2>/dev/null && echo yes),,$(error \
	what building needs is missing here: run `make deps`))
PKG_CFLAGS = $(HAS_PKGS)$(eval PKG_CFLAGS := $$(shell pkg-config --cflags $$(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(HAS_PKGS)$(eval PKG_LIBS := $$(shell pkg-config --libs $$(PKGS)))$(PKG_LIBS)
CPPFLAGS += -D_GNU_SOURCE -Iserver -Iclient -Itests $(PKG_CFLAGS)
LDFLAGS += -Wl,--as-needed
LDLIBS += $(PKG_LIBS) -lutf8proc -lm

ifeq ($(SANITIZE),1)
OUT := $(BUILD)/asan
CFLAGS ?= -std=c11 -g -O1 -fno-omit-frame-pointer
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
else
OUT := $(BUILD)
CFLAGS ?= -std=c11 -g -O2
endif

SERVER_SRC := $(filter-out server/main.c,$(sort $(wildcard server/*.c server/*/*.c)))
CLIENT_SRC := $(sort $(wildcard client/*.c))
CLIENT_LIB_SRC := $(filter-out client/main.c,$(CLIENT_SRC))
FAKE_SRC := $(sort $(wildcard tests/fakes/*.c))
UNIT_SRC := $(sort $(wildcard $(foreach d,base async loop http model store writing job api settings client,tests/$(d)/test_*.c)))
PROMPTS := $(sort $(wildcard config/prompts/*.txt))

obj = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
UNIT_BIN := $(patsubst tests/%.c,$(OUT)/tests/%,$(UNIT_SRC))

.PHONY: all unit test clean help demand-report
.SECONDARY:
all: $(if $(wildcard server/main.c),$(OUT)/longhandd) $(if $(CLIENT_SRC),$(OUT)/longhand)
	@:

$(OUT)/longhandd: $(OUT)/obj/server/main.o $(OUT)/liblonghand.a
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/longhand: $(OUT)/obj/client/main.o $(OUT)/liblonghand.a
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/liblonghand.a: $(call obj,$(SERVER_SRC) $(CLIENT_LIB_SRC))
	@rm -f $@ && ar rcs $@ $^

$(OUT)/libfakes.a: $(call obj,$(FAKE_SRC))
	@rm -f $@ && ar rcs $@ $^

$(OUT)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

# The prompts are compiled in: one C string each (config/prompts/NAME.txt).
$(OUT)/gen/prompts.inc: $(PROMPTS) config/embed.py
	@mkdir -p $(@D)
	@echo "GEN $@"; python3 config/embed.py $(PROMPTS) > $@
$(OUT)/obj/server/writing/prompt.o: $(OUT)/gen/prompts.inc
$(OUT)/obj/server/writing/%.o: CPPFLAGS += -I$(OUT)/gen

$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(OUT)/libfakes.a $(OUT)/liblonghand.a
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(OUT)/liblonghand.a -lcmocka $(LDLIBS)

# Unit tests: `make unit SANITIZE=1`; one: `make SANITIZE=1 build/asan/tests/base/test_buf`.
unit: $(UNIT_BIN)
	@failed=0; for t in $(UNIT_BIN); do echo "== $$t"; timeout -k 5 300 $$t 2>&1 || failed=1; done; exit $$failed

# Every test, with its set-up: units and the binary under ASan and UBSan, then the same binary over
# real sockets with the scripted backend, real clients and the embedded local model.
test:
	@deploy/setup test
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@$(MAKE) --no-print-directory -j$(shell nproc) SANITIZE=1 all unit-build
	@failed=0; \
	$(MAKE) --no-print-directory SANITIZE=1 unit || failed=1; \
	.venv/bin/python -m pytest -q -c tests/pytest.ini tests/fakes tests/system tests/clients || failed=1; \
	exit $$failed

# How well lengths are read from rows {"prompt", "type", "length"}: `make demand-report ROWS=path`.
ROWS ?= tests/writing/data/rows.jsonl
demand-report: $(OUT)/tests/tools/demand_report
	@$< $(ROWS)

# Readers that leave and come back a thousand times: `make resumes`.
.PHONY: resumes
resumes:
	@RESUMES=1000 .venv/bin/python -m pytest -q -s -k "read_on or resumes" -c tests/pytest.ini tests/system/test_readers.py

# A reload each second for a minute, under 200 streams: `make reloads`.
.PHONY: reloads
reloads:
	@RELOAD_STREAMS=200 RELOAD_PERIOD_S=1 RELOAD_SECONDS=60 RELOAD_CHUNK_MS=60 .venv/bin/python -m pytest \
		-q -s -k reloads_under_streams -c tests/pytest.ini tests/system/test_reload.py

# kill -9 under running texts, again and again, with --state-dir: `make state-kills`.
.PHONY: state-kills
state-kills:
	@KILLS=100 CLIENTS=12 .venv/bin/python -m pytest -q -s -k kills -c tests/pytest.ini tests/system/test_state_dir.py

# Schedules of three processes, one log and a store that loses: `make simulate`; SEED=n shows one.
SIMULATE ?= 100000
.PHONY: simulate
simulate: $(OUT)/tests/job/test_simulate $(OUT)/tests/store/test_simulate_redis
	@SIMULATE=$(SIMULATE) SEED=$(SEED) $(OUT)/tests/job/test_simulate
	@SIMULATE=$(SIMULATE) SEED=$(SEED) $(OUT)/tests/store/test_simulate_redis

include tests/gates/check.mk
include tests/bench/bench.mk
include deploy/deploy.mk
include tests/tools/measure.mk
include tests/tools/abuse.mk
include tests/tools/chaos.mk
include tests/fuzz/fuzz.mk
include tests/image/image.mk

clean:
	rm -rf build

help:
	@echo "make             build/longhandd and build/longhand"
	@echo "make demo        set up, build, and write an article with the embedded local model"
	@echo "make run         server and local model in the foreground"
	@echo "make test        set up and run every test"
	@echo "make check       gates, warnings of gcc and clang, linters"
	@echo "make bench       beside nginx, in one run"
	@echo "make bench-mixed passthrough's p99 while long texts are written"
	@echo "make fuzz        any bytes into each reader, a minute each (FUZZ_SECONDS=n)"
	@echo "make image-test  the container image: built on Debian's packages, run and used (root)"
	@echo "make abuse       clients and backends that misbehave, and what they leave behind"
	@echo "make simulate    100,000 schedules of owners, failovers and freezes over one log"
	@echo "make chaos       three servers on one Redis while things die: nothing lost or doubled"
	@echo "make measure     length scores over rows (ROWS=file.jsonl)"
	@echo "make resumes     1,000 readers that leave and come back: no byte lost or doubled"
	@echo "make reloads     a reload each second for a minute under 200 streams: none broken"
	@echo "make state-kills 100 x kill -9 under running texts with --state-dir"
	@echo "make deps        only install what building needs"
	@echo "make clean       remove build/"

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
