"""The dashboard and the alert rules ask for what /metrics really tells."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.config.metrics.lived_in import a_beat, live_in
from tests.config.metrics.reading import samples
from tests.sync.rows import make_company, make_pipeline, make_store

PROJECT = Path(__file__).resolve().parents[3]
RULES = PROJECT / "ops/prometheus/tieout.rules.yml"
DASHBOARD = PROJECT / "ops/grafana/tieout.json"
PROMETHEUS = PROJECT / "ops/prometheus/prometheus.yml"
# What Prometheus itself, or its client, knows.
FOREIGN = {"up", "process_resident_memory_bytes"}
LABELS_OF_PROMETHEUS = {"job", "instance"}
WORDS = set(
    """sum max min count by on and unless or time rate increase histogram_quantile absent __rate_interval""".split()
)


def rules() -> list[dict]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict]:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


def expressions() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and the expression."""
    for rule in rules():
        yield f"rule {rule['alert']}", rule["expr"]
    for panel in panels():
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]


def names_and_labels(expression: str) -> tuple[set[str], set[str]]:
    """The metrics that an expression asks for, and the labels it names."""
    matchers = re.findall(r"\{([^}]*)\}", expression)
    labels = {name for matcher in matchers for name in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matcher)}
    labels |= {
        name for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for name in group.split(", ")
    }
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on) \([^)]*\)", " ", expression)
    return set(re.findall(r"[a-zA-Z_]\w*", bare)) - WORDS, labels


@pytest.fixture
def told(db, client) -> dict[str, set[str]]:
    """Every metric of a lived-in installation with its labels: what was counted at least once, and what could be."""
    from tenants.models import Tenant

    tenant = Tenant.objects.create(slug="acme", name="Acme Hats")
    live_in(make_pipeline(tenant, make_store(tenant), make_company(tenant)))
    with a_beat():
        text = client.get("/metrics").content.decode()
    found: dict[str, set[str]] = defaultdict(set)
    for name, labels, _ in samples(text):
        found[name] |= set(labels)
    for family in set(REGISTRY._collector_to_names):
        for name in REGISTRY._collector_to_names[family]:
            if re.match(r"tieout_.*(?<!_created)$", name) and hasattr(family, "_labelnames"):
                found[name] |= {*family._labelnames, *(["le"] if name.endswith("_bucket") else [])}
    return found


def test_every_metric_and_label_asked_for_is_told(told):
    wrong = []
    for where, expression in expressions():
        names, labels = names_and_labels(expression)
        assert names, where
        unknown = names - set(told) - FOREIGN
        of_them = set().union(*(told[name] for name in names & set(told)), LABELS_OF_PROMETHEUS)
        wrong += [f"{where}: no metric {name}" for name in sorted(unknown)]
        wrong += [f"{where}: no label {label}" for label in sorted(labels - of_them)]
    assert wrong == []


def test_everything_told_is_shown_on_the_dashboard(told):
    asked = set().union(*(names_and_labels(expression)[0] for _, expression in expressions()))
    shown = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in asked}
    assert {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in told} - shown == set()


def test_what_rows_tell_is_never_summed_over_the_processes_that_tell_it(told):
    """Every web process tells the same rows: each such metric stands directly inside a `max` or `min`, or is counted."""
    counted = re.compile(r"_(total|bucket|count|sum)$")
    wrong = []
    for where, expression in expressions():
        for name in names_and_labels(expression)[0] & set(told):
            inside = re.search(
                rf"(?:max|min)(?: by \([^)]*\))? \(?[^()]*{name}|(?:max|min)\({name}", expression
            )
            if not counted.search(name) and name != "tieout_build_info" and not inside:
                wrong.append(f"{where}: {name}")
    assert wrong == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_rule_says_what_is_wrong_how_bad_it_is_and_where_its_page_is(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule["alert"])
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    assert rule["annotations"]["summary"].endswith(".")
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in group.split(", ")}
    assert used <= (grouped or LABELS_OF_PROMETHEUS)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_rule_has_its_page_in_the_folder_and_in_the_console(rule, admin_client):
    assert (PROJECT / rule["annotations"]["runbook"]).is_file()
    base, _, path = rule["annotations"]["runbook_url"].partition("/")
    assert base == "{{ $externalLabels.tieout }}"
    assert "What it means" in admin_client.get(f"/{path}").content.decode()


def test_names_of_rules_and_ids_of_panels_are_unique():
    names, ids = [rule["alert"] for rule in rules()], [panel["id"] for panel in panels()]
    assert len(set(names)) == len(names)
    assert len(set(ids)) == len(ids)


def test_the_example_names_the_jobs_that_the_rules_ask_for():
    told = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
    jobs = {job["job_name"] for job in told["scrape_configs"]}
    asked = {job for _, expression in expressions() for job in re.findall(r'job="([^"]+)"', expression)}
    assert asked == jobs == {"tieout-web", "tieout-worker"}
    assert told["rule_files"] == [RULES.name]
    assert all(job["authorization"]["credentials_file"] for job in told["scrape_configs"])
