"""What is refused, in which words, on which line."""

from __future__ import annotations

import pytest

from tests.config.declarative.conftest import ENVIRONMENT

REFUSALS = {
    "an unknown key": (
        ("store_hash: abc123", "store_hash: abc123\n        acces_token: x"),
        ["setup.yaml:11: Unknown key acces_token. Did you mean access_token?"],
    ),
    "an unknown key that is like nothing": (
        ("store_hash: abc123", "store_hash: abc123\n        zzzzqq: x"),
        ["setup.yaml:11: Unknown key zzzzqq."],
    ),
    "a missing key": (("        store_hash: abc123\n", ""), ["setup.yaml:8: store_hash is missing."]),
    "a key that stands twice": (
        ("client_id: client-1", "client_id: client-1\n        client_id: client-2"),
        ["setup.yaml:12: client_id stands here twice."],
    ),
    "a number where text is due": (
        ("name: Acme Hats", "name: 12345"),
        ["setup.yaml:3: name must be text: write it in quotes."],
    ),
    "a secret that is a number, without showing it": (
        ("access_token: ${TOKEN}", "access_token: 98765"),
        ["setup.yaml:12: access_token must be text: write it in quotes."],
    ),
    "text where a boolean is due": (
        ("{enabled: false}", '{enabled: "no"}'),
        ["setup.yaml:50: enabled must be true or false."],
    ),
    "text where a number is due": (
        ("every_minutes: 30", 'every_minutes: "30"'),
        ["setup.yaml:49: every_minutes must be a whole number, without quotes."],
    ),
    "a number that is too small": (
        ("every_minutes: 30", "every_minutes: 0"),
        ["setup.yaml:49: every_minutes must be at least 1."],
    ),
    "a section where a list is due": (
        ('channels: ["1"]', "channels: {a: b}"),
        ["setup.yaml:44: channels must be a list: each entry begins with a dash."],
    ),
    "a list where a section is due": (
        ("extra: {cost_center: WEB}", "extra: [WEB]"),
        ["setup.yaml:34: extra must be a section of keys."],
    ),
    "a role that does not exist": (
        ("[operator, accountant]", "[operator, boss]"),
        ["setup.yaml:6: roles: 'boss' is not one of viewer, operator, accountant, administrator."],
    ),
    "a time zone that does not exist": (
        ("America/Chicago\n    users", "Chicago\n    users"),
        ["setup.yaml:4: time_zone: is not a time zone such as Europe/Berlin."],
    ),
    "a moment without its zone": (
        ("2026-12-01T00:00:00-06:00", "2026-12-01T00:00:00"),
        ["setup.yaml:43: start_at must say its time zone, as in 2026-12-01T00:00:00-06:00."],
    ),
    "a date that does not exist": (
        ("effective_from: 2026-01-01", "effective_from: 2026-13-45"),
        ["setup.yaml:35: effective_from cannot be read: write it in quotes."],
    ),
    "a mode that does not exist": (
        ("mode: plan", "mode: live"),
        ["setup.yaml:42: mode: 'live' is not one of off, plan, post."],
    ),
    "a kind of mapping that does not exist": (
        ("kind: item", "kind: itme"),
        [
            "setup.yaml:33: kind: 'itme' is not one of item, line_account, account.shipping, account.handling, "
            "account.wrapping, account.discount, account.fee, account.gift_certificate, account.store_credit, "
            "account.rounding, account.tax_liability, account.unattributed_refund, clearing, tax_code, freight, warehouse, "
            "customer_group, field_rule."
        ],
    ),
    "a variable that is not a variable": (
        ("${TOKEN}", "${token}"),
        [
            "setup.yaml:12: A variable is written ${NAME}, in capitals, digits and _. A literal ${ is written $${."
        ],
    ),
    "a variable that is missing": (
        ("${TOKEN}", "${TOKENN}"),
        ["setup.yaml:12: The environment has no variable TOKENN. Did you mean TOKEN?"],
    ),
    "what is no YAML, without showing it": (
        ("password: ${B1_PASSWORD}", 'password: "s3cret'),
        ["setup.yaml:34: This is not YAML: expected <block end>, but found '<scalar>'."],
    ),
    "an unquoted secret that begins with a star": (
        ("password: ${B1_PASSWORD}", "password: *s3cret"),
        ["setup.yaml:29: This is not YAML: a text that begins with * needs quotes."],
    ),
    "a setting that the ERP system does not have": (
        ("company_db: ACME", "compny_db: ACME"),
        ["setup.yaml:23: Unknown key compny_db. Did you mean company_db?"],
    ),
    "a secret among the settings": (
        ("user_name: tieout", "password: tieout"),
        ["setup.yaml:24: password stands under credentials, not under settings."],
    ),
    "a setting among the credentials": (
        ("password: ${B1_PASSWORD}", "user_name: tieout2"),
        ["setup.yaml:29: user_name stands under settings, not under credentials."],
    ),
    "a choice that the ERP system does not have": (
        ("restock: no", "restock: maybe"),
        ["setup.yaml:26: restock cannot be 'maybe': one of yes, no. Did you mean yes?"],
    ),
    "a boolean where a text is due": (
        ("company_db: ACME", "company_db: yes"),
        ["setup.yaml:23: company_db must be text: write it in quotes."],
    ),
    "a fraction where text is due": (
        ("deadline: 60", "deadline: 1.5"),
        ["setup.yaml:25: deadline must be text or a whole number."],
    ),
    "an ERP system that does not exist": (
        ("system: sap_b1", "system: sap_r3"),
        ["setup.yaml:18: system: sap_r3 is not one of sap_b1, sap_s4."],
    ),
    "a policy that does not exist": (
        ("rounding_limit: 3", "rounding_limt: 3"),
        ["setup.yaml:46: There is no setting 'rounding_limt'. Did you mean rounding_limit?"],
    ),
    "a policy that cannot have this value": (
        ("rounding_limit: 3", "posting_date: orders"),
        [
            "setup.yaml:46: posting_date cannot be 'orders': one of capture, order, shipment, today. Did you mean order?"
        ],
    ),
    "a store that does not exist": (
        ("store: S1", "store: S2"),
        ["setup.yaml:39: store: there is none called S2."],
    ),
    "an ERP company that does not exist": (
        ("company: main", "company: mian"),
        ["setup.yaml:40: company: there is none called mian."],
    ),
    "a set of mappings that does not exist": (
        ("mappings: default", "mappings: other"),
        ["setup.yaml:41: mappings: there is none called other."],
    ),
    "environments that do not agree": (
        ("environment: production", "environment: sandbox"),
        [
            "setup.yaml:37: Store S1 is production and ERP company main is sandbox: both must be production, like the pipeline."
        ],
    ),
    "a mapping's key that its kind does not allow": (
        ("key: default,", "key: HAT,"),
        [
            "setup.yaml:34: 'HAT' does not say what it applies to. sku:HAT-BLUE, category:12, segment:Wholesale, or default. "
            "* is any text: sku:HAT-*."
        ],
    ),
    "a second value that its kind does not have": (
        ("extra: {cost_center: WEB}", "extra: {cost_centre: WEB}"),
        [
            "setup.yaml:34: Order line → G/L account, default: it has no 'cost_centre'. Possible: cost_center."
        ],
    ),
    "a mapping that stands twice": (
        ("kind: tax_code, key: \"*\", target: TX, effective_from: 2026-01-01", "kind: item, key: ' HAT-BLUE', target: B"),
        ["setup.yaml:35: item HAT-BLUE stands here twice."],
    ),
    "an address that sends secrets in the clear": (
        ("store_hash: abc123", "store_hash: abc123\n        base_url: http://api.example.com"),
        [
            "setup.yaml:8: base_url: The address must start with https://: the access token travels with every call."
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_is(case, refusal):
    replaced, sentences = REFUSALS[case]
    assert refusal(replaced) == sentences


def test_an_empty_file_is_refused(refusal):
    assert refusal(text="# nothing\n") == ["setup.yaml:1: The file is empty."]


def test_an_entry_that_stands_twice_is_refused(refusal):
    twice = "      - {key: S1, name: Another, store_hash: def456}\n    companies:\n"
    assert refusal(("    companies:\n", twice)) == ["setup.yaml:15: S1 stands twice under stores."]


def test_several_mistakes_are_told_at_once_in_the_order_of_the_file(refusal):
    assert refusal(
        ("name: Acme Hats", "nam: Acme Hats"), ("${TOKEN}", "${TOKENN}"), ("mode: plan", "mode: live")
    ) == [
        "setup.yaml:2: name is missing.",
        "setup.yaml:3: Unknown key nam. Did you mean name?",
        "setup.yaml:12: The environment has no variable TOKENN. Did you mean TOKEN?",
        "setup.yaml:42: mode: 'live' is not one of off, plan, post.",
    ]


def test_mistakes_of_several_sections_are_told_at_once_and_what_follows_from_them_is_not(refusal):
    assert refusal(
        ("a-long-first-password", "short"),
        ("store_hash: abc123", 'store_hash: "../"'),
        ("company_db: ACME", "compny_db: ACME"),
        ("restock: no", "restock: maybe"),
    ) == [
        "setup.yaml:6: This password is too short. It must contain at least 12 characters.",
        "setup.yaml:8: store_hash: Only letters and digits, as in stores/abc123.",
        "setup.yaml:23: Unknown key compny_db. Did you mean company_db?",
        "setup.yaml:26: restock cannot be 'maybe': one of yes, no. Did you mean yes?",
    ]


def test_every_wrong_mapping_is_told_with_its_line(refusal):
    assert refusal(("key: default,", "key: HAT,"), ("target: A1001", 'target: ""')) == [
        "setup.yaml:33: SKU → item, HAT-BLUE: Item is empty.",
        "setup.yaml:34: 'HAT' does not say what it applies to. sku:HAT-BLUE, category:12, segment:Wholesale, or default. "
        "* is any text: sku:HAT-*.",
    ]


def test_a_target_that_the_erp_does_not_have_is_refused_once_its_lists_are_read(run, refusal):
    from django.utils import timezone

    from erp.models import ErpConnection, ReferenceValue

    run()
    company = ErpConnection.objects.get()
    ReferenceValue.objects.create(
        tenant=company.tenant, connection=company, kind="item", code="A1001", read_at=timezone.now()
    )
    assert run() == []
    assert refusal(("target: A1001", "target: A9999")) == [
        "setup.yaml:33: SKU → item, HAT-BLUE: SAP Business One has no item 'A9999'. If it is new there, read its lists again."
    ]


def test_the_key_of_a_store_and_the_system_of_a_company_stay(run, refusal):
    from erp.models import ErpConnection

    run()
    ErpConnection.objects.update(system="other")
    assert refusal() == ["setup.yaml:18: system: main is other. Another system is another ERP company."]


def test_no_refusal_shows_a_secret(refusal):
    shown = refusal(("rounding_limit: 3", "rounding_limt: 3"), ("a-long-first-password", "password"))
    assert not any(secret in line for line in shown for secret in ENVIRONMENT.values())
