"""``python -m sandbox.scenarios morning --bigcommerce URL [--store HASH]``: place the demo's orders over HTTP."""

from __future__ import annotations

import argparse
import json
import sys
from urllib.request import Request, urlopen


def main() -> int:
    """Ask a running sandbox to play the morning; says how many orders were placed."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.scenarios")
    parser.add_argument("what", choices=["morning"])
    parser.add_argument(
        "--bigcommerce", required=True, metavar="URL", help="where the sandbox BigCommerce listens"
    )
    parser.add_argument("--store", default="demo", metavar="HASH", help="which of its stores (default: demo)")
    given = parser.parse_args()
    url = f"{given.bigcommerce.rstrip('/')}/_control/stores/{given.store}/{given.what}"
    request = Request(url, data=b"{}", headers={"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        placed = json.load(answer)
    print(f"{len(placed)} orders were placed, {placed[0]} to {placed[-1]}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
