"""What an answer of `/metrics` says."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, dict[str, str], float]


def samples(text: str) -> Iterator[Sample]:
    """Every sample of ours: its name, its labels, its value."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith("tieout_"):
                yield sample.name, sample.labels, sample.value


def value(text: str, name: str, **labels: str) -> float:
    """The one sample with this name and, among others, these labels."""
    [found] = [
        number for known, has, number in samples(text) if known == name and labels.items() <= has.items()
    ]
    return found


def total(text: str, name: str, **labels: str) -> float:
    """The sum of the samples with this name and these labels; 0 if there are none."""
    return sum(
        number for known, has, number in samples(text) if known == name and labels.items() <= has.items()
    )
