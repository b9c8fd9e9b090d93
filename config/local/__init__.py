"""The processes of one machine: embedded PostgreSQL and Valkey, web, worker, beat, sandbox.

For the demo, a small installation and the tests. A larger installation starts its own processes
(docs/deploy.md) and needs nothing from here.
"""
