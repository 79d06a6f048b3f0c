"""A local page that listens: microphone or recording in, spikes of all layers and phones or words out, as they happen.

    sottovoce serve                              then open http://127.0.0.1:8765
    sottovoce serve --model rsnn-keywords        words in place of phones; another can be chosen in the page
    sottovoce serve --rtl                        the Verilated circuit at choice, beside the golden model

Nothing leaves this machine: the page and all it needs come from this command, which answers to this machine alone
unless `--host` says otherwise.
"""

import argparse
import asyncio
import contextlib
import errno
import signal
import threading
import webbrowser

import torch

from cosim import models
from sw import options

PORT = 8765
CLIENTS = 4


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default=models.PAIR,
                        help=f"chosen at first: {', '.join(models.names())}, or a folder (default: %(default)s)")
    parser.add_argument("--rtl", action="store_true", help="offer the Verilated circuit; compiles it, a minute once")
    parser.add_argument("--host", default="127.0.0.1",
                        help="address to listen on; any other than the default can be reached from the network")
    parser.add_argument("--port", type=_port, default=PORT, help="0: any that is free (default: %(default)s)")
    parser.add_argument("--clients", type=options.whole, default=CLIENTS,
                        help="that may listen at a time (default: %(default)s)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def _port(text):
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text}: wanted a number from 0 to 65535")
    return value


def run(args):
    """Serve until Ctrl-C."""
    torch.set_num_threads(1)  # small sums: threads only wait for each other
    try:
        from cosim.serve import app
    except ImportError as error:
        raise RuntimeError(f"{error.name} is missing: run `pip install 'sottovoce[serve]'`") from None
    from cosim.serve.choices import Choices
    offered = Choices(args.model, args.rtl)
    if args.rtl:
        offered.build(offered.first)
    asyncio.run(serve(app.make(offered, args.host, args.clients), args.host, args.port, args.open))
    print("stopped")
    if any(thread.name.startswith("sottovoce-ear") for thread in threading.enumerate()):
        signal.raise_signal(signal.SIGINT)  # one still computes, or compiles: the door ends it with its processes


async def serve(app, host, port, show=False, told=print):
    """Serve an application until SIGINT or SIGTERM; `told` gets the lines for the user."""
    from aiohttp import web
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=15, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise _refusal(error, host, port) from None
        stop = asyncio.Event()
        with _signals(stop.set):
            name = f"[{host}]" if ":" in host else host
            address = f"http://{name}:{runner.addresses[0][1]}/"
            told(f"listening at {address}  (Ctrl-C ends)")
            if show:
                webbrowser.open(address)
            await stop.wait()
    finally:
        await runner.cleanup()


def _refusal(error, host, port):
    if error.errno == errno.EADDRINUSE:
        return RuntimeError(f"port {port} of {host} is in use: name another with --port, or --port 0 for any")
    if error.errno == errno.EACCES:
        return RuntimeError(f"port {port} is not this user's to open: name one from 1024 with --port")
    return RuntimeError(f"--host {host}: cannot listen there: {error.strerror or error}; leave it out for this machine")


@contextlib.contextmanager
def _signals(stop):
    """Call `stop` on Ctrl-C or a polite kill; afterwards signals do what they did before."""
    loop, taken = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in taken]
    for number in taken:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number, handler in zip(taken, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
