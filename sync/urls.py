"""Addresses that stores call."""

from django.urls import path

from sync.receiver import BigCommerceWebhookView

urlpatterns = [
    path("webhooks/bigcommerce/<str:key>/", BigCommerceWebhookView.as_view(), name="bigcommerce_webhook"),
]
