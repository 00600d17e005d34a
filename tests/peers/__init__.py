"""Peers for tests: what the real libraries talk to over a real socket, where Azure is not at hand.

`hub.HubPeer` is an AMQP 1.0 peer for azure-eventhub, on Apache Qpid Proton. It is no Event Hubs: no TLS, no WebSocket,
no tokens (any is accepted), no owner levels, no runtime metrics, no retention, no throttling of its own; a partition
key's hash is another one than Azure's; a batch is told by its shape. The shapes of its faults are its own choice.
"""
