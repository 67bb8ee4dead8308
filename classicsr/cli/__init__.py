"""The command line: one module per subcommand, no algorithm inside."""

from classicsr.cli._main import main, program

__all__ = ["main", "program"]
