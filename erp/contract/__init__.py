"""The language all ERPs speak: money, orders, documents, plans, ledger facts, adapter roles, errors and HTTP.

Pure Python: no Django, no vendor. A store is translated into an `Order`, a plan turns it into documents, an adapter carries them out.
"""
