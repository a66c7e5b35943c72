# Part of the Makefile: targets that take any bytes, tests/fuzz/fuzz_NAME.c.
#
#   make fuzz                          each target for FUZZ_SECONDS, with clang's libFuzzer, as
#                                      many at a time as there are processors (FUZZ_JOBS)
#   make fuzz FUZZ=plan FUZZ_SECONDS=600
#   make unit                          runs the corpus through each, without libFuzzer
#
# What a run finds lies in build/fuzz/found: make it small (-minimize_crash=1), put it into
# tests/fuzz/corpus/NAME, and mend what it broke.
.PHONY: fuzz fuzz-bins
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= $(shell nproc)
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ ?= $(FUZZ_NAMES)
FUZZ_BIN := $(FUZZ_NAMES:%=$(OUT)/fuzz/%)
FUZZ_MAIN := $(if $(LIBFUZZER),,$(OUT)/obj/tests/fuzz/replay.o)
# Clang's pointer-overflow also reports an empty slice's NULL + 0, which neither compiler makes
# anything of; gcc's, without that, is on where the corpus is replayed.
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=all

# Calls that leave the process are the target's own.
$(OUT)/fuzz/chat: FUZZ_LD := -Wl,--wrap=request_header,--wrap=request_each_header
$(OUT)/fuzz/generate: FUZZ_LD := -Wl,--wrap=http_client_start

$(OUT)/fuzz/%: $(OUT)/obj/tests/fuzz/fuzz_%.o $(OUT)/obj/tests/fuzz/fuzz.o $(FUZZ_MAIN) \
		$(OUT)/libfakes.a $(OUT)/liblonghand.a
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) $(FUZZ_LD) -o $@ $^ $(OUT)/liblonghand.a -lcmocka $(LDLIBS)

fuzz-bins: $(FUZZ_BIN)

# The unit tests run these too.
UNIT_BIN += $(FUZZ_BIN)
unit unit-build: $(FUZZ_BIN)

fuzz:
	@deploy/setup check
	@$(MAKE) --no-print-directory -j$(shell nproc) CC=clang BUILD=build/fuzz LIBFUZZER=1 \
		CFLAGS='-std=c11 -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(FUZZ_FLAGS)' \
		LDFLAGS='-fsanitize=fuzzer $(FUZZ_FLAGS)' fuzz-bins
	@printf '%s\n' $(FUZZ) | xargs -n 1 -P $(FUZZ_JOBS) tests/fuzz/run $(FUZZ_SECONDS)
