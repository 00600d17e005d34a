"""`chargeback prices`: what prices there are, which are missing or old, and new ones from Azure's price list."""
