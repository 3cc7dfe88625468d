"""Batch inference: files of requests in the format of OpenAI's Batch API, answered by a served model."""
