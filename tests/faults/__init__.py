"""What must hold when something breaks: every record ends as one billed row, one dead letter or one counted ignore."""
