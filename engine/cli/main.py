"""The `whetstone` command: find the group, run it, turn its end into an exit status.

Exit status: 0 done, 2 bad usage or bad input, 3 the job failed, 130 cancelled.
"""

from __future__ import annotations

import argparse
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING

from engine import __version__

if TYPE_CHECKING:
    from engine.cli.output import Console

    Groups = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]

EXIT_DONE, EXIT_BAD_INPUT, EXIT_FAILED, EXIT_CANCELLED = 0, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status. With no argument, opens the window."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) >= 2 and words[0] == "--process":
        # How a frozen program, which has no python to call, starts its children.
        sys.argv = [sys.argv[0], *words[2:]]
        module = "desktop" if words[1] == "desktop" else f"engine.host.{words[1]}"
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return EXIT_DONE
    if not words:
        return _open_desktop()
    return _run(build_parser().parse_args(words))


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of the command line."""
    # Groups import light things only; the engine is loaded when one of them runs.
    from engine.cli import (
        adapters,
        ask,
        compare,
        conversations,
        datasets,
        demo,
        doctor,
        exams,
        index,
        libraries,
        models,
        presets,
        runs,
        search,
        tune,
    )

    parser = argparse.ArgumentParser(
        prog="whetstone",
        description="Ask your own documents, on this computer, with the page each answer "
        "came from. Without a command, the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"whetstone {__version__}")
    groups = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for group in (
        index,
        search,
        ask,
        libraries,
        conversations,
        presets,
        models,
        datasets,
        exams,
        adapters,
        tune,
        runs,
        compare,
        doctor,
        demo,
    ):
        group.add_parser(groups)
    return parser


def _run(options: argparse.Namespace) -> int:
    from engine.cli.output import Console
    from engine.errors import Cancelled, EngineError, InvalidInput
    from engine.host.service import Engine
    from engine.paths import default_home
    from engine.work.serve import unexpected

    console = Console(as_json=options.json)
    previous = {
        number: signal.signal(number, _canceller(console))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with Engine(default_home(), on_worker=console.worker) as engine:
            return options.run(engine, options, console)
    except Cancelled as error:
        console.error(error)
        return EXIT_CANCELLED
    except InvalidInput as error:
        console.error(error)
        return EXIT_BAD_INPUT
    except EngineError as error:
        console.error(error)
        return EXIT_FAILED
    except Exception as error:
        console.error(unexpected(options.command, error))
        traceback.print_exc()
        return EXIT_FAILED
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _canceller(console: Console) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        if console.job.cancelled:
            os._exit(EXIT_CANCELLED)  # asked twice: do not wait for good order
        console.job.cancel()

    return handle


def _open_desktop() -> int:
    from engine.work.children import entry_command

    command = entry_command("desktop")
    if hasattr(os, "execv") and os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
