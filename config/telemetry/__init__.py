"""Traces and error reports for those who want them: each by one environment variable, imported only then."""
