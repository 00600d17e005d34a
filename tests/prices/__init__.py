"""Prices: meters' names, the price list's service, rows, the file that keeps them."""
