"""`./tieout bench`: the running product measured against the sandbox, one JSON line per run.

One module per kind of run: `lists` in large databases of its own, the others (`command.KINDS`) with `run(options) ->
Iterator[dict]` against the sandbox. `world.py` starts an
installation of its own with the sandbox beside it, `meters.py` reads CPU and memory, `deliveries.py` is the store's side
of webhooks.
"""
