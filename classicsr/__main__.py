"""``python -m classicsr``."""

import sys

from classicsr.cli import main

sys.exit(main())
