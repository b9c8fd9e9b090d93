"""What of the store becomes what in the ERP: mappings, their versions, the resolver, suggestions, CSV.

Pure (no Django): `keys`, `kinds`, `resolver`, `csv_format`. `rules.rules_for(mapping_set)` gives the
resolver; every change goes through `changes.apply_changes`.
"""
