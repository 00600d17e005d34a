"""A local Application Insights: an ingestion endpoint, a DuckDB store behind it, KQL on top. Not deployed.

`server.LocalApplicationInsights` is the whole of it; `store.Store` alone is enough to query a file.
"""
