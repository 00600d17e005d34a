"""A Bicep checker of the project's own, for machines without the Bicep CLI; `python -m tests.infra.bicep FILE ...`.

It reads files with tree-sitter's grammar and holds them against what the language says of names, calls and modules,
and against the published type of every resource (tests/data/bicep-types). It is no compiler: where the Bicep CLI is at
hand, a test builds with that too. `plan` says what would be deployed, with every value as far as it is known.
"""
