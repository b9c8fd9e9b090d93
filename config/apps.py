from __future__ import annotations

from django.apps import AppConfig


class TieoutConfig(AppConfig):
    """The installation itself: system checks and commands that belong to no single part."""

    name = "config"
    label = "tieout"
    verbose_name = "Tieout"
