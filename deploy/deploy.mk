# Part of the Makefile: the commands that set up what they need, build and show Longhand at work.
.PHONY: deps demo run measure-demo

deps:
	@deploy/setup build

# A 1,000-word article from the embedded local model, as it is written.
demo:
	@deploy/setup demo
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@deploy/demo

# The model and the server in the foreground, until Ctrl-C.
run:
	@deploy/setup demo
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@deploy/run

# The demo's article for five seeds, and what is good and bad about them in figures.
measure-demo:
	@deploy/setup demo
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@.venv/bin/python tests/tools/measure_demo.py
