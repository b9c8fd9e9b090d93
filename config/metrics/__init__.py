"""`/metrics` for Prometheus: what processes counted (`processes`), and what stands in rows now (`state`)."""
