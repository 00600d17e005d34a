"""What infra/ must hold to, beyond the language: one function per rule, each over a project's folder.

A rule returns its findings as sentences, none where all is well; so it can be tried on a copy with a mistake in it.
"""
