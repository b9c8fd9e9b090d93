"""Addresses that stores call."""

from django.urls import path

from sync.receiver import BigCommerceWebhookView

_receive = BigCommerceWebhookView.as_view()

urlpatterns = [
    path("webhooks/bigcommerce/<str:key>/", _receive, name="bigcommerce_webhook"),
    # BigCommerce wants news of failed deliveries sent to an address that no other webhook has.
    path("webhooks/bigcommerce/<str:key>/exceptions/", _receive),
]
