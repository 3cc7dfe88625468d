"""The store in which a rate limit service counts."""

from corral.components.rate_limit_store.component import RateLimitStore, RateLimitStoreArgs

__all__ = ["RateLimitStore", "RateLimitStoreArgs"]
