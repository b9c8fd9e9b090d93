"""The conformance kit: ``tieout-agent certify`` asks any agent by its address and key what the protocol promises.

It needs nothing of the agent's own code. What it checks without being told more only reads; what saves something
in the ERP is checked with documents that whoever runs it gives it, for a test system.
"""
