"""``python -m facered``."""

import sys

from facered.cli.main import main

sys.exit(main())
