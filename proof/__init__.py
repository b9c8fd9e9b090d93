"""The proof: the whole product as real processes between two sandbox servers, faults by a seed, and a reader of the whole history.

`./tieout prove` is the long run; `tests/faults` strikes at one place at a time in the same world. Nothing of the product imports this package,
and what checks the history (`history.py`, `checker.py`) imports nothing of the product: it reads rows with SQL, and the sandbox's own books.
"""
