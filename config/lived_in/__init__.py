"""A database that looks as if it had been worked with for two years, made in bulk: what the benchmark of lists and sweeps runs on.

from config.lived_in.filling import fill
"""
