"""Prices: from Azure's retail meters and publishers' lists to dated rows of `kql/lib/prices.kql`.

`retail` asks the Azure Retail Prices API, `meters` reads what a meter's name means, `assemble` makes rows of meters,
`file` appends them. `choice` says which row counts for a call, `opinion` what somebody else thinks the price is.
"""
