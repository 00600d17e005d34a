"""A model response's usage -> token counts.

Knows chat and legacy completions, embeddings, Responses, Anthropic messages, images and audio, as JSON and as
server-sent events.
"""

from __future__ import annotations

from chargeback.usage.answer import Answer, answer_of, usage_of
from chargeback.usage.counts import add_cache, count, no_count, parts_of, plain, take_cache_into_prompt

__all__ = [
    "Answer",
    "add_cache",
    "answer_of",
    "count",
    "no_count",
    "parts_of",
    "plain",
    "take_cache_into_prompt",
    "usage_of",
]
