# Part of the Makefile: what judges the sources without running the program.
.PHONY: unit-build check tidy

# Builds the unit tests without running them: their warnings count too.
unit-build: $(UNIT_BIN)

# Gates, warnings, linters; sets up what it needs first.
check:
	@deploy/setup check
	@tests/gates/check

# clang-tidy, file by file; build/tidy remembers what passed.
TIDY_SRC := $(SERVER_SRC) $(wildcard server/main.c) $(CLIENT_SRC)
TIDY_HEADERS := $(wildcard server/*.h server/*/*.h client/*.h)
tidy: $(patsubst %.c,build/tidy/%.ok,$(TIDY_SRC))
build/tidy/%.ok: %.c $(TIDY_HEADERS) .clang-tidy | $(OUT)/gen/prompts.inc
	@mkdir -p $(@D)
	@echo "TIDY $<"; clang-tidy --quiet $< -- $(CPPFLAGS) -I$(OUT)/gen -std=c11 2>$@.log >$@.out \
		|| { cat $@.out; grep -v 'warnings\? ' $@.log; false; }
	@touch $@
