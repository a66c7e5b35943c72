# Part of the Makefile: the image that the Dockerfile makes, built on a base of Debian's packages, run
# and used. As root, or with sudo that asks for no password; elsewhere its tests say why they are
# skipped. It takes a minute or two.
.PHONY: image-test
image-test:
	@as_root=; \
	if [ "$$(id -u)" -eq 0 ]; then deploy/setup image; \
	elif sudo -n true 2>/dev/null; then as_root="sudo -n"; deploy/setup image; \
	fi && \
	$$as_root env PATH="$$PATH:/usr/sbin:/sbin" PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m pytest -q \
		-c tests/pytest.ini -o faulthandler_timeout=900 tests/image
