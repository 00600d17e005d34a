"""The tests: one file per room, one folder per kind."""
