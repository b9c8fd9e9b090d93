#!/usr/bin/env python
"""Django's command line for Tieout. `./tieout COMMAND` installs what is needed and calls this."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run one management command with the settings of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:  # says what to do; where it was raised helps nobody
        sys.exit(f"tieout: {refusal}")


if __name__ == "__main__":
    main()
