# Sourced by deploy/demo and deploy/run: starts the embedded model and longhandd, waits until they
# answer, and stops what it started. Ports are free ones unless MODEL_PORT or PORT say otherwise.
# shellcheck shell=bash

READY_WAIT_S=${READY_WAIT_S:-60}
pids=()
work_dir=
model_url=
server_url=

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# For the EXIT trap: the last one started ends first.
stop_all() {
	local i
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill -TERM "${pids[i]}" 2>/dev/null || continue
		wait "${pids[i]}" 2>/dev/null || true
	done
	pids=()
	[ -z "$work_dir" ] || rm -rf "$work_dir"
	work_dir=
}

# Waits until a line of FILE matches the sed PATTERN's group, and prints the group. A process that
# ends before it has written the line is told with the end of its log.
wait_for_line() { # WHAT PID FILE PATTERN
	local give_up_s=$((SECONDS + READY_WAIT_S)) found
	while :; do
		found=$(sed -n "s#$4#\\1#p" "$3" | head -n 1)
		[ -n "$found" ] && break
		kill -0 "$2" 2>/dev/null || {
			tail -n 20 "$3" >&2
			fail "$1 ended before it was ready"
		}
		[ "$SECONDS" -lt "$give_up_s" ] || {
			tail -n 20 "$3" >&2
			fail "$1 was not ready within $READY_WAIT_S s"
		}
		sleep 0.05
	done
	printf '%s\n' "$found"
}

start_model() {
	.venv/bin/python deploy/local-model/serve.py --port "${MODEL_PORT:-0}" \
		>"$work_dir/model.log" 2>&1 &
	pids+=("$!")
	model_url=$(wait_for_line "the local model" "$!" "$work_dir/model.log" '^ready \(http[^ ]*\).*')
}

# The model is too small to be told of plans and of what is written already: context direct.
start_server() { # FLAG...
	local address
	setpriv --pdeathsig TERM build/longhandd --listen "127.0.0.1:${PORT:-0}" \
		--backend "$model_url" --backend-dialect llamacpp --model smollm2-135m-instruct \
		--context direct --shutdown-grace-ms 2000 "$@" >"$work_dir/server.log" 2>&1 &
	pids+=("$!")
	address=$(wait_for_line longhandd "$!" "$work_dir/server.log" \
		'.* listening .*address=\([^ ]*\).*')
	server_url=http://$address/v1
}

begin() {
	[ -x build/longhandd ] && [ -x build/longhand ] || fail "not built yet: run make"
	[ -x .venv/bin/python ] || fail "not set up yet: run deploy/setup demo"
	trap stop_all EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	work_dir=$(mktemp -d)
}
