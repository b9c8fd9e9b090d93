from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks and let Celery tasks carry correlation ids."""
        from audit import checks, tasks  # noqa: F401
