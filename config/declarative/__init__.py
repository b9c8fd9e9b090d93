"""Set-up as one YAML file: `./tieout apply FILE.yaml` and `./tieout export TENANT`.

`schema` says what may stand in the file, `reading` reads it with line numbers, `applying` makes the installation so, `exporting` writes the
same format. `docs/configuration.md` describes every key and a test holds it to `schema`.
"""
