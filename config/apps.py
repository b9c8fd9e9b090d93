from __future__ import annotations

from django.apps import AppConfig


class TieoutConfig(AppConfig):
    """The installation itself: system checks and commands that belong to no single part."""

    name = "config"
    label = "tieout"
    verbose_name = "Tieout"

    def ready(self) -> None:
        """Switch on what the environment asks for. Nothing of it is imported otherwise."""
        from django.conf import settings

        if settings.TIEOUT_OTLP_URL:
            from config.telemetry import tracing

            tracing.set_up(settings.TIEOUT_OTLP_URL)
        if settings.TIEOUT_SENTRY_DSN:
            from config.telemetry import errors

            errors.set_up(settings.TIEOUT_SENTRY_DSN)
