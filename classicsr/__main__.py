"""``python -m classicsr``."""

import sys

from classicsr.cli import main

if __name__ == "__main__":
    sys.exit(main())
