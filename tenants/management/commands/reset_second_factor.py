"""`./tieout reset_second_factor NAME`: for whom no administrator can do it on the screen."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import correlation
from tenants.models import User
from tenants.second_factor import reset


class Command(BaseCommand):
    help = "Forget somebody's second factor: phone and recovery codes are lost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the sign-in name")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is nobody called {username}.")
        with correlation.bind(actor="command line"):
            done = reset(user)
        self.stdout.write(
            f"{username} signs in with the password alone, and is asked to set a second factor up where one is needed."
            if done
            else f"{username} has no second factor."
        )
