"""The program: parse, run one subcommand, turn every expected error into one line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from classicsr._version import __version__
from classicsr.cli import (
    _benchmark,
    _combine,
    _convert,
    _evaluate,
    _fit,
    _info,
    _methods,
    _models,
    _upscale,
)
from classicsr.cli._common import UsageError, one_line

EPILOG = """\
examples:
  classicsr upscale photo.png -o photo-x3.png --scale 3
  classicsr upscale thick.nii.gz -o isotropic.nii.gz --spacing 1x1x1
  classicsr evaluate natural/Set5 --model aplus-x3 --model bicubic --scale 3

exit status: 0 all done; 1 some inputs failed; 2 wrong usage
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see '{self.prog} --help')")


def _clean_up_when_terminated() -> None:
    """Let SIGTERM unwind the stack, so that temporary files are removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="classicsr",
        description="Classical machine-learning super-resolution for images and volumes.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"classicsr {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (
        _upscale,
        _combine,
        _fit,
        _evaluate,
        _benchmark,
        _info,
        _methods,
        _models,
        _convert,
    ):
        command.add_parser(subparsers)
    return parser


def program() -> int:
    """Run the command line in a process of its own: the console script, ``python -m classicsr``."""
    _upscale.OWN_PROCESS = True
    return main()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0 all done; 1 some inputs failed; 2 wrong usage; 130 interrupted.

    Examples
    --------
    >>> from classicsr.cli import main
    >>> main(["upscale", "photo.png", "-o", "out.png", "--scale", "0"])
    2
    """
    _clean_up_when_terminated()
    try:
        args = build_parser().parse_args(argv)
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"classicsr: {one_line(error)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader left (`classicsr methods | head -1`): keep the interpreter's last flush quiet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, MemoryError) as error:
        print(f"classicsr: {one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
