"""`./tieout bench KIND`: the running product measured on this machine, one JSON line per run."""
