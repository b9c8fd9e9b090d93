"""Markup in every field that a store or an ERP can fill: the console shows it as text, and none of it runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from audit.models import AuditEntry
from audit.spreadsheets import cell
from mappings.changes import set_mapping
from mappings.models import MappingSet
from sync.models import Posting
from tenants.models import User
from tests.browser.person import FLAGS
from tests.e2e.world import World, open_world
from tests.security.journeys import carry_everything, fill_the_erp, numbered
from tests.tenants.test_admin_isolation import PAGES, page_url

pytestmark = [pytest.mark.security]

MARK = "planted"
MARKUP = [
    '<img src=x onerror="__ran(1)" data-planted>',
    '"><svg onload="__ran(2)" data-planted>',
    "</script><script>__ran(3)</script><b data-planted>",
    '" onfocus="__ran(4)" autofocus data-planted="',
    "' onmouseover='__ran(5)' data-planted='",
    "javascript:__ran(6)//planted",
    "{{ 7 * 1007 }}{% debug %}${7*1007}planted",
    '<div x-data x-init="__ran(7)" data-planted></div>',
    "\u202e<a href='javascript:__ran(8)' data-planted>x</a>",
    "<iframe srcdoc='<script>parent.__ran(9)</script>' data-planted></iframe>",
    "&lt;img src=x onerror=__ran(10) data-planted&gt;",
    "<style>@import 'x'</style><b data-planted>",
]
ROWS_OF_A_MODEL = 4
WATCH = """
window.__fired = [];
window.__ran = (what) => window.__fired.push('ran ' + what);
document.addEventListener('securitypolicyviolation', (e) => window.__fired.push('blocked ' + e.violatedDirective + ' ' + e.sample));
"""
LOOK = """() => ({
    fired: window.__fired,
    markup: document.querySelectorAll('[data-planted]').length,
    links: [...document.querySelectorAll('[href],[src],[action],[formaction]')].map(
        (e) => e.getAttribute('href') || e.getAttribute('src') || e.getAttribute('action') || '').filter(
        (u) => /^\\s*(javascript|data:text)/i.test(u)),
    text: document.body.textContent,
})"""


@pytest.fixture
def world(process_environment: dict[str, str], tmp_path: Path) -> Iterator[World]:
    with open_world(process_environment, tmp_path) as found:
        yield found


def root() -> Client:
    """Whoever sees every page."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


def console_pages() -> Iterator[str]:
    """Every page of the console: lists, and for rows of every model each page of theirs; nothing is changed by a GET."""
    for page in PAGES:
        if page.name in ("logout", "jsi18n", "autocomplete"):
            continue
        if not page.is_of_a_row:
            yield page.url()
            continue
        for model in admin.site._registry:
            if f"/{model._meta.app_label}/{model._meta.model_name}/" in page.template:
                for pk in model._default_manager.order_by("-pk").values_list("pk", flat=True)[
                    :ROWS_OF_A_MODEL
                ]:
                    yield page_url(page, str(pk))
    for posting in Posting.objects.all():
        yield f"/admin/audit/auditentry/?story=order:S1/{posting.record_id}"


def body_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode(errors="replace")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.enable_socket
@pytest.mark.timeout(600)
def test_nothing_that_a_store_or_an_erp_says_runs_in_the_console(
    world: World, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = numbered(MARKUP)
    fill_the_erp(world, say)
    carry_everything(world, say)
    assert {"posted", "blocked", "held", "refused"} <= set(Posting.objects.values_list("status", flat=True))
    client = root()
    shown, unescaped = [], []
    for url in dict.fromkeys(console_pages()):
        answer = client.get(url)
        assert answer.status_code < 500, url
        html = body_of(answer)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if answer.status_code == 200 and is_page and (MARK in html or "__ran" in html):
            shown.append(url)
        unescaped += [f"{url}: {markup}" for markup in MARKUP if markup[0] in "<\"'" and f">{markup}" in html]
    assert not unescaped, "\n".join(unescaped)
    assert len(shown) >= 15, shown

    world.product.start_web()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    problems, texts = look_at(chromium, world.product.url, client.cookies["sessionid"].value, shown)
    assert not problems, "\n".join(problems)
    everything = "\n".join(texts)
    assert "7049" not in everything  # 7 * 1007: no template computed it
    for markup in (
        '<img src=x onerror="__ran(1)" data-planted>',
        "{{ 7 * 1007 }}",
        "</script><script>__ran(3)</script>",
    ):
        assert markup in everything, f"{markup} is shown nowhere as text"


def look_at(chromium: str, url: str, session: str, paths: list[str]) -> tuple[list[str], list[str]]:
    """What went wrong on pages in a real browser, and what they say."""
    problems: list[str] = []
    texts: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = browser.new_context()
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("dialog", lambda dialog: (problems.append(f"{page.url}: dialog"), dialog.dismiss()))
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        for path in paths:
            page.goto(url + path, wait_until="load", timeout=60_000)
            found = page.evaluate(LOOK)
            texts.append(found["text"])
            if found["fired"] or found["markup"] or found["links"]:
                problems.append(f"{path}: {found['fired']} {found['markup']} elements {found['links']}")
        browser.close()
    return problems, texts


def csv_files(client: Client) -> dict[str, str]:
    """Every answer of the console that is a CSV file, by its address."""
    found = {}
    for url in dict.fromkeys(console_pages()):
        if "export" in url or "csv" in url or "download" in url:
            answer = client.get(url)
            if answer.headers.get("Content-Type", "").startswith("text/csv"):
                found[url] = body_of(answer)
    return found


FORMULAS = [
    "=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1", " =1+1", "＝1+1", "|calc", "=HYPERLINK(\"http://evil.example\",\"x\")",
]  # fmt: skip
STARTS = tuple("=+-@\t\r\n|＝＋－＠")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(400)
def test_no_export_holds_a_formula(world: World) -> None:
    """Every answer of the console that is CSV, after formulas came in through the store and the ERP."""
    say = numbered(FORMULAS)
    fill_the_erp(world, say)
    carry_everything(world, say)
    mapping_set = MappingSet.objects.get()
    for formula in FORMULAS:
        set_mapping(mapping_set, "item", formula.strip(), "SKU-1", by=formula, why=formula)
    client = root()
    files = csv_files(client)
    assert AuditEntry.objects.exists()
    assert len(files) >= 2, list(files)
    bad = [
        f"{url}: {value!r}"
        for url, text in files.items()
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")))
        for value in row
        if value.lstrip(" ").startswith(STARTS) and not value.lstrip("+-").replace(".", "", 1).isdecimal()
    ]
    assert not bad, "\n".join(bad)
    assert any("'=cmd" in text for text in files.values())


@given(st.text(max_size=20))
def test_no_text_becomes_a_formula(text: str) -> None:
    shown = cell(text)
    assert shown.removeprefix("'") == text.removeprefix("'") or shown == "'" + text
    number = shown.lstrip("+-").replace(".", "", 1).isdecimal()
    assert number or not shown.lstrip(" ").startswith(STARTS)
