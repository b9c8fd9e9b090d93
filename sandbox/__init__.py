"""BigCommerce and the ERPs as real HTTP servers with real faults: for the demo, the tests, the benchmark.

Nothing here imports product code and no product code imports this: it is the other side.
"""
