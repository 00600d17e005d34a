"""A function app that does nothing: what the runtime, the binding and Python cost by themselves."""
