"""Price table as data, tokens to cost."""

from axonflow_pricing.table import Cost, PriceTable, Rate, Usage, default_prices

__all__ = ["Cost", "PriceTable", "Rate", "Usage", "default_prices"]
