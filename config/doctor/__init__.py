"""`./tieout doctor`: what is well in this installation, what is not, and what to do about it, in sentences."""
