"""Alerts: one row per condition, told on a change of state and never twice.

kinds.py         the closed list: what each means, whether it heals by itself, the way out
conditions.py    what is true now, in a few set queries
watching.py      every minute: compare with the rows, write what changed, write the messages
turns.py         pure: when a condition becomes an alert, and when it is over
telling.py       what a message says, and to whom
delivery.py      messages leave from rows: e-mail and webhook
rhythm.py        how many orders an hour of the week brings; silence.py is the arithmetic
watchman.py      in every web process: goes on where beat or the workers are silent
"""
