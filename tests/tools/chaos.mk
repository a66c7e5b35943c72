# Part of the Makefile: three longhandd on one Redis while things die.
.PHONY: chaos

# `make chaos CHAOS="--kills 10 --cuts 100"`: see tests/tools/chaos.py --help.
chaos:
	@deploy/setup test
	@$(MAKE) --no-print-directory -j$(shell nproc) $(OUT)/longhandd
	@LONGHANDD=$(OUT)/longhandd PYTHONPATH=tests/support:tests/fakes \
		.venv/bin/python tests/tools/chaos.py $(CHAOS)
