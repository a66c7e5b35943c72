# Part of the Makefile: the image that the Dockerfile makes, built on a base of Debian's packages, run
# and used. As root, or with sudo; it takes a minute or two.
.PHONY: image-test
image-test:
	@deploy/setup image
	@as_root=; [ "$$(id -u)" -eq 0 ] || ! sudo -n true 2>/dev/null || as_root="sudo -n"; \
	$$as_root env PATH="$$PATH:/usr/sbin:/sbin" PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m pytest -q \
		-c tests/pytest.ini -o faulthandler_timeout=900 tests/image
