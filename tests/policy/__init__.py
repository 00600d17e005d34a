"""The project's own gateway: compiles API Management policies and runs calls through them.

It proves C#, JSON handling, allowed types, sections and the shape of what is logged. It is not the gateway: nothing is
said of buffering, of throughput, or of API Management's own validator.
"""
