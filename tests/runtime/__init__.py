"""The Functions runtime that Azure uses for Python 3.13 and newer, driven as the host drives it.

`host` cuts batches as the host does; `worker` runs the published runtime on them; `sdk`, on every Python, what
azure-functions alone has of it; `python -m tests.runtime` is a worker process, `process` talks to it. Nothing here is
a double of our own code.
"""
