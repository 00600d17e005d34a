"""Charges Azure OpenAI usage back: Event Hub batches in, Application Insights custom events out."""

__version__ = "0.1.0"
