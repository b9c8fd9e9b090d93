"""How the console looks and what its menu offers (django-unfold)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may_see(model_admin: str) -> Callable[[HttpRequest], bool]:
    """Whether the person sees that page at all; the admin of the model decides."""

    def check(request: HttpRequest) -> bool:
        from django.apps import apps
        from django.contrib import admin

        model = apps.get_model(model_admin)
        registered = admin.site._registry.get(model)
        return registered is not None and registered.has_module_permission(request)

    return check


def _page(title: str, icon: str, model: str, query: str = "") -> dict[str, Any]:
    url_name = "admin:" + model.lower().replace(".", "_") + "_changelist"
    link: Any = (lambda request: f"{reverse_lazy(url_name)}?{query}") if query else reverse_lazy(url_name)
    return {"title": title, "icon": icon, "link": link, "permission": _may_see(model)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Tieout",
    "SITE_HEADER": "Tieout",
    "SITE_SUBHEADER": "Ties out to the cent",
    "SITE_SYMBOL": "balance",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("tieout/icon.svg")},
    ],
    "SHOW_HISTORY": True,
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
            {"title": "Second factor", "link": reverse_lazy("second_factor")},
        ]
    },
    "DASHBOARD_CALLBACK": "sync.console.home.dashboard",
    "STYLES": [lambda request: static("tieout/console.css")],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": "What needs me", "icon": "inbox", "link": reverse_lazy("admin:index")},
                    _page("Alerts", "notifications", "sync.Alert"),
                    _page("Orders and customers", "receipt_long", "sync.Posting"),
                    _page("Gaps", "link_off", "sync.Gap", "state__exact=open"),
                    _page("Documents in the ERP", "description", "sync.Document"),
                    _page("Events of the stores", "bolt", "sync.Event"),
                    _page("Reprocess runs", "replay", "sync.Reprocess"),
                    _page("Completeness", "task_alt", "sync.Certificate"),
                    _page("History imports", "history_toggle_off", "sync.HistoryImport"),
                    _page("Audit trail", "history", "audit.AuditEntry"),
                ]
            },
            {
                "title": "Mappings",
                "separator": True,
                "items": [
                    _page("Mappings", "swap_horiz", "mappings.Mapping"),
                    _page("Sets and CSV", "folder_open", "mappings.MappingSet"),
                    _page("Changes", "published_with_changes", "mappings.MappingVersion"),
                ],
            },
            {
                "title": "Set-up",
                "separator": True,
                "items": [
                    _page("Pipelines", "conversion_path", "sync.Pipeline"),
                    _page("Stores", "storefront", "storefront.Store"),
                    _page("ERP companies", "account_balance", "erp.ErpConnection"),
                    _page("Who is alerted", "campaign", "sync.AlertDestination"),
                    _page("Alert messages", "outbox", "sync.AlertNotice"),
                    _page("People and roles", "group", "tenants.Membership"),
                    _page("Tenants", "domain", "tenants.Tenant"),
                    _page("Retention", "auto_delete", "sync.Retention"),
                    _page("Retention runs", "delete_history", "sync.RetentionRun"),
                    _page("Erasures", "person_off", "sync.Erasure"),
                ],
            },
        ],
    },
}
