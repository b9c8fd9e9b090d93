from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for roles and sign-ins; close every admin page that is not scoped.

        The admin app stands before this one, so every admin module has been loaded by now.
        """
        from tenants import signals  # noqa: F401
        from tenants.third_party import close_to_all_but_superusers

        close_to_all_but_superusers()
