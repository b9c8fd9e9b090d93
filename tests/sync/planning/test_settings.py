from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.planning import SETTINGS, BadSetting, PipelineSettings, parse_settings, plain_settings


def test_every_setting_says_what_it_is_and_its_default_is_allowed():
    for spec in SETTINGS:
        assert spec.label
        assert spec.help
        if spec.kind == "choice":
            assert spec.default in [value for value, _ in spec.choices]


def test_nothing_given_is_the_defaults():
    assert parse_settings({}) == PipelineSettings()
    assert plain_settings(PipelineSettings()) == {}


def test_settings_read_back_from_their_plain_values():
    given = {
        "posting_moment": "status",
        "posting_statuses": ["2", "10"],
        "rounding_limit": 3,
        "exchange_rate": "stored",
        "stored_rates": {"EUR": "1.08", "CHF": "1.1"},
        "one_time_partner": "GUEST",
    }
    settings = parse_settings(given)
    assert settings.posting_statuses == ("2", "10")
    assert settings.stored_rate("EUR") == Decimal("1.08")
    assert settings.stored_rate("GBP") is None
    assert parse_settings(plain_settings(settings)) == settings


def test_an_unknown_setting_is_refused_with_the_nearest_right_name():
    with pytest.raises(
        BadSetting, match=r"no setting 'posting_momment'\. Did you mean posting_moment\?"
    ) as refusal:
        parse_settings({"posting_momment": "captured"})
    assert refusal.value.name == "posting_momment"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "edits",
            "credit",
            "edits cannot be 'credit': one of hold, credit_and_repost. Did you mean credit_and_repost?",
        ),
        ("edits", True, "edits must be one of hold, credit_and_repost, not True."),
        ("rounding_limit", -1, "rounding_limit must be a whole number, zero or more, not -1."),
        ("rounding_limit", True, "rounding_limit must be a whole number, zero or more, not True."),
        ("posting_statuses", "2,10", "posting_statuses must be a list, not '2,10'."),
        ("stored_rates", {"eur": "1.1"}, "stored_rates: 'eur' is not a currency code such as EUR."),
        ("stored_rates", {"EUR": "0"}, "stored_rates: a rate is greater than zero, not 0."),
        ("stored_rates", {"EUR": 1.1}, "stored_rates: an amount must be text or Decimal, got float"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(name, value, sentence):
    with pytest.raises(BadSetting) as refusal:
        parse_settings({name: value})
    assert refusal.value.sentence.startswith(sentence)


@given(
    st.dictionaries(
        st.sampled_from([s.name for s in SETTINGS]),
        st.none() | st.booleans() | st.text() | st.integers() | st.lists(st.text()),
    )
)
def test_any_values_are_read_or_refused(values):
    refused = ""
    try:
        settings = parse_settings(values)
    except BadSetting as refusal:
        refused = refusal.sentence
    assert refused.endswith((".", "?")) if refused else parse_settings(plain_settings(settings)) == settings
