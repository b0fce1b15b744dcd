"""``python -m facered``."""

import sys

from facered.cli import main

sys.exit(main())
