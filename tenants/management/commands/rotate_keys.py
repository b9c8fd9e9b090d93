"""`manage.py rotate_keys`: re-encrypt everything with the newest key; `--verify` counts what is still old."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import Action
from audit.recording import record
from tenants.rotation import BATCH, Tally, encrypted_columns, rotate, verify

SHOWN = 10


class Command(BaseCommand):
    """The third step of a key rotation; `tenants.rotation` tells all of them."""

    help = (
        "Re-encrypt every stored secret with the first key of TIEOUT_FIELD_KEYS. The whole "
        "sequence: all processes on old,new; all on new,old; rotate_keys; rotate_keys --verify until no token is old; all on new. "
        "Can be stopped and started again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Rotate or only count, and in what steps."""
        parser.add_argument("--verify", action="store_true", help="change nothing, count tokens by key")
        parser.add_argument("--batch", type=int, default=BATCH, help=f"rows per transaction ({BATCH})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through all columns; an exit code other than 0 means that the old keys are still needed."""
        work = verify if options["verify"] else rotate
        tallies = []
        for column in encrypted_columns():
            tally = work(column, batch=options["batch"])
            self.stdout.write(_line(tally))
            tallies.append(tally)
        if not options["verify"]:
            rotated = {tally.column: tally.rotated for tally in tallies}
            record(Action.KEYS_ROTATED, tenant_id=None, subject=("installation", "keys"), details=rotated)
        self._conclude(tallies)

    def _conclude(self, tallies: list[Tally]) -> None:
        unreadable = sum(len(tally.unreadable) for tally in tallies)
        if unreadable:
            raise CommandError(
                f"{unreadable} tokens cannot be read with any key given. Add the key they were written with "
                "to the end of TIEOUT_FIELD_KEYS and run this again, or enter those secrets again."
            )
        left = sum(tally.old + tally.overtaken for tally in tallies)
        if left:
            raise CommandError(
                f"{left} tokens are or may be under an old key: keep it. If processes still run with the old "
                "key first, restart them; then run rotate_keys again."
            )
        self.stdout.write(
            "Every token is under the newest key. The older ones can go from TIEOUT_FIELD_KEYS."
        )


def _line(tally: Tally) -> str:
    parts = [f"{tally.current} current"]
    parts += [f"{count} {what}" for count, what in _counts(tally) if count]
    if tally.unreadable:
        ids = ", ".join(tally.unreadable[:SHOWN]) + (", ..." if len(tally.unreadable) > SHOWN else "")
        parts.append(f"{len(tally.unreadable)} UNREADABLE (id {ids})")
    return f"{tally.column}: {', '.join(parts)}"


def _counts(tally: Tally) -> list[tuple[int, str]]:
    return [(tally.rotated, "rotated"), (tally.overtaken, "written meanwhile"), (tally.old, "OLD")]
