"""``python -m facered``."""

import sys

from facered.cli.entry import main

sys.exit(main())
