"""Addresses that stores call."""

from django.urls import path

from sync.receiver import BigCommerceWebhookView

urlpatterns = [
    path("webhooks/bigcommerce/<str:key>/", BigCommerceWebhookView.as_view(), name="bigcommerce_webhook"),
    # BigCommerce wants news of failed deliveries sent to an address that no other webhook has.
    path("webhooks/bigcommerce/<str:key>/exceptions/", BigCommerceWebhookView.as_view()),
]
