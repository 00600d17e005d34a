"""Money worked out by hand, computed independently, and asked of the queries: all three must agree."""
