# Part of the Makefile: ours beside nginx, with what both are measured by.
.PHONY: bench
BENCH_BIN := $(OUT)/bench/mock_upstream $(OUT)/bench/load

$(OUT)/bench/%: $(OUT)/obj/tests/bench/%.o $(OUT)/obj/tests/bench/bench_net.o $(OUT)/liblonghand.a
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# `make bench BENCH="--rounds 1 --only whole"`: see tests/bench/bench.py --help.
bench: $(OUT)/longhandd $(BENCH_BIN)
	@python3 tests/bench/bench.py --build $(OUT) $(BENCH)
