"""A set-up file that can be varied, and ways to apply it. Models are imported inside: Django is not ready yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENT = {"TOKEN": "token-0f3d", "SIGNING": "signing-77aa", "B1_PASSWORD": "b1-secret-9c"}
FILE = (Path(__file__).parent / "acme.yaml").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write the file, with pieces of its text replaced."""

    def write(*replaced: tuple[str, str], text: str = FILE) -> Path:
        for old, new in replaced:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "setup.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def run(write: Callable[..., Path], db: None) -> Callable[..., list[str]]:
    """Apply the file, with pieces replaced; the lines of the diff."""

    def run(
        *replaced: tuple[str, str],
        text: str = FILE,
        dry_run: bool = False,
        environment: Mapping[str, str] = ENVIRONMENT,
    ) -> list[str]:
        from config.declarative.applying import apply
        from config.declarative.reading import read_setup

        return apply(read_setup(write(*replaced, text=text), environment), dry_run=dry_run, by="anna").lines

    return run


@pytest.fixture
def refusal(run: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The lines of the refusal that applying the file ends with."""

    def refusal(*replaced: tuple[str, str], **options: Any) -> list[str]:
        from config.declarative.reading import SetUpRefused

        with pytest.raises(SetUpRefused) as refused:
            run(*replaced, **options)
        return str(refused.value).splitlines()

    return refusal
