"""Every address of the installation."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config import health
from config.metrics.view import metrics
from tenants.second_factor_pages import SecondFactorPage

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
    path("admin/second-factor/", SecondFactorPage.as_view(), name="second_factor"),
    path("admin/", admin.site.urls),
    path("", include("sync.urls")),
]
