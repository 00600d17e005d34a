"""A model response's usage -> token counts.

Knows chat and legacy completions, embeddings, Responses, Anthropic messages, images and audio, as JSON and as
server-sent events.
"""

from __future__ import annotations

from chargeback.usage.answer import Answer, answer_of
from chargeback.usage.counts import Counts, count, counts_of, no_count

__all__ = ["Answer", "Counts", "answer_of", "count", "counts_of", "no_count"]
