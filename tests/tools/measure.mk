# Part of the Makefile: how well lengths are hit, with a scripted model that over- and underwrites.
.PHONY: measure measure-build

measure-build: $(OUT)/longhandd $(OUT)/tests/tools/demand_report
	@:

# `make measure ROWS=path MEASURE="--jobs 2"`: see tests/tools/measure.py --help.
measure:
	@deploy/setup measure
	@$(MAKE) --no-print-directory -j$(shell nproc) measure-build
	@LONGHANDD=$(OUT)/longhandd PYTHONPATH=tests/support:tests/fakes \
		python3 tests/tools/measure.py --demand-report $(OUT)/tests/tools/demand_report $(MEASURE) $(ROWS)
