"""The command line: one module per subcommand, no algorithm inside."""

from classicsr.cli._main import main

__all__ = ["main"]
