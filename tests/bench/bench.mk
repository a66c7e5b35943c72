# Part of the Makefile: ours beside nginx, with what both are measured by.
.PHONY: bench bench-build bench-mixed
BENCH_BIN := $(OUT)/bench/mock_upstream $(OUT)/bench/load

$(OUT)/bench/%: $(OUT)/obj/tests/bench/%.o $(OUT)/obj/tests/bench/bench_net.o $(OUT)/liblonghand.a
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-build: $(OUT)/longhandd $(BENCH_BIN)
	@:

# What the file store costs, and how long a start with 10,000 logs takes: in DIR of this disk.
STORE_DIR ?= $(OUT)/bench/state
.PHONY: bench-store
bench-store: $(OUT)/bench/store_bench $(OUT)/longhandd
	@rm -rf $(STORE_DIR)
	@$< $(STORE_DIR)
	@LONGHANDD=$(abspath $(OUT)/longhandd) .venv/bin/python tests/bench/state_dir.py
	@rm -rf $(STORE_DIR)

# `make bench BENCH="--rounds 1 --only request"`: see tests/bench/bench.py --help.
bench:
	@deploy/setup bench
	@$(MAKE) --no-print-directory -j$(shell nproc) bench-build
	@python3 tests/bench/bench.py --build $(OUT) $(BENCH)

# What passes through, while long texts are written and while none is: `make bench-mixed BENCH=...`,
# see tests/bench/bench_mixed.py --help.
bench-mixed:
	@deploy/setup build
	@$(MAKE) --no-print-directory -j$(shell nproc) bench-build
	@python3 tests/bench/bench_mixed.py --build $(OUT) $(BENCH)
