"""What the simulated drivers share: rows that survive a kill, and faults that can be switched on.

For the sandbox and the tests. Nothing here is reached with a real driver.
"""
