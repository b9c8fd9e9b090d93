"""Letting blocked postings go when a mapping is added, by whatever path it came."""

from django.dispatch import receiver

from audit import correlation
from mappings.signals import mapping_changed
from sync import gaps
from sync.reprocess import reprocess


@receiver(mapping_changed)
def let_go(sender, mapping_set, kinds, by="", **kwargs) -> None:
    """Work off again what this change of mappings unblocks, where the pipeline says so."""
    postings = gaps.freed_by(mapping_set, kinds)
    if postings:
        with correlation.bind(correlation.get() or correlation.new()):
            reprocess(postings, by=by or "Tieout", what=f"Mappings of {mapping_set} changed")
