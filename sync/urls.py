"""Addresses that stores call."""

from django.urls import path

from sync.receiver import bigcommerce_webhook

urlpatterns = [
    path("webhooks/bigcommerce/<str:key>/", bigcommerce_webhook, name="bigcommerce_webhook"),
    # BigCommerce wants news of failed deliveries sent to an address that no other webhook has.
    path("webhooks/bigcommerce/<str:key>/exceptions/", bigcommerce_webhook),
]
