# Part of the Makefile: requests that break every rule, and what they leave behind.
.PHONY: abuse

# `make abuse ABUSE="--rounds 2 --seed 7"`: see tests/tools/misbehave.py --help.
abuse: $(OUT)/longhandd
	@LONGHANDD=$(OUT)/longhandd PYTHONPATH=tests/support:tests/fakes \
		python3 tests/tools/misbehave.py $(ABUSE)
