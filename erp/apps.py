from __future__ import annotations

from django.apps import AppConfig


class ErpConfig(AppConfig):
    name = "erp"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "ERP companies"
