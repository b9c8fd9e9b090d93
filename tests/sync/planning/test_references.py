import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.planning.references import ReferenceKind, partner_code, reference

store_keys = st.from_regex(r"[A-Z0-9]{2,4}", fullmatch=True)
ids = st.integers(1, 60_000_000).map(str)
arguments = st.tuples(
    store_keys,
    ids,
    st.sampled_from(ReferenceKind),
    st.sampled_from(["", "B", "C"]),
    st.integers(0, 12),
)


def made(given: tuple) -> str:
    key, record, kind, part, revision = given
    return reference(key, record, kind, part=part, revision=revision)


def test_references_read_as_what_they_are():
    assert reference("S1", "100234", ReferenceKind.INVOICE) == "S1-100234-I"
    assert reference("S1", "100234", ReferenceKind.INVOICE, revision=2) == "S1-100234-I2"
    assert reference("S1", "55", ReferenceKind.PAYOUT, part="B") == "S1-55-YB"


def test_an_id_that_is_too_long_in_decimal_is_written_in_base_36():
    assert reference("S1", "99999999999", ReferenceKind.PAYMENT) == "S1-99999999999-P"
    assert reference("S1", "999999999999", ReferenceKind.PAYMENT) == "S1-0CRE66I9R-P"


@given(arguments, arguments)
def test_different_documents_never_share_a_reference(one, other):
    assert (made(one) == made(other)) == (one == other)


@given(arguments)
def test_references_fit_every_erp(arguments):
    assert re.fullmatch(r"[A-Z0-9-]{1,16}", made(arguments))


@given(store_keys, st.integers(1, 2**36).map(str))
def test_partner_codes_fit_a_card_code(key, customer):
    assert len(partner_code(key, customer)) <= 15


@pytest.mark.parametrize(
    "arguments",
    [
        ("s1", "1"),
        ("S", "1"),
        ("STORE", "1"),
        ("S1", ""),
        ("S1", "007"),
        ("S1", "0"),
        ("S1", "-3"),
        ("S1", "1-I"),
        ("S1", "٣"),
        ("S1", "9" * 40),
    ],
)
def test_what_is_no_store_key_or_id_makes_no_reference(arguments):
    with pytest.raises(ValueError):
        reference(*arguments, ReferenceKind.INVOICE)
