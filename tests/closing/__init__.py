"""Months that are held against Azure, closed, corrected, and watched while they last."""
