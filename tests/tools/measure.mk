# Part of the Makefile: how well lengths are hit, with a scripted model that over- and underwrites.
.PHONY: measure

# `make measure ROWS=path MEASURE="--jobs 2"`: see tests/tools/measure.py --help.
measure: $(OUT)/longhandd $(OUT)/tests/tools/demand_report
	@LONGHANDD=$(OUT)/longhandd PYTHONPATH=tests/support:tests/fakes \
		python3 tests/tools/measure.py --demand-report $(OUT)/tests/tools/demand_report $(MEASURE) $(ROWS)
