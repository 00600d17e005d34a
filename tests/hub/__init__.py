"""The usage hub as the command line talks to it, over the unpatched library against the peer."""
