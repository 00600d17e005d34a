"""Dead letters read back, and sent again."""
