"""``python -m classicsr``."""

import sys

from classicsr.cli import program

if __name__ == "__main__":
    sys.exit(program())
