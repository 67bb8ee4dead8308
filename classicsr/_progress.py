"""What a person who waits is told, always on stderr: a bar on a terminal, one line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[int, int], None]


@contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """Yield ``callback(done, total)``; it draws a bar on a terminal and does nothing in pipes."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(description), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def start_numba_without_blas() -> None:
    """Import Numba without its look for a BLAS, which imports scipy.linalg: 0.2 s.

    None of our kernels calls BLAS. Only for a process of our own: in any other, kernels of
    other people may need it.
    """
    if "numba" in sys.modules or "scipy.linalg" in sys.modules:
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules["scipy.linalg"]


@contextmanager
def compilation_notice() -> Iterator[None]:
    """Say once, inside the block, why the first run on a machine is slow.

    Kernels that come from the disk cache are not compiled, so that nothing is said.
    """
    from numba.core import event

    class Notice(event.Listener):
        told = False

        def on_start(self, event: Any) -> None:
            if not self.told:
                self.told = True
                print(
                    "compiling kernels for this machine, once (about 10 s) ...",
                    file=sys.stderr,
                    flush=True,
                )

        def on_end(self, event: Any) -> None:
            pass

    notice = Notice()
    event.register("numba:compile", notice)
    try:
        yield
    finally:
        event.unregister("numba:compile", notice)
