"""Price table as data, tokens to cost."""

from axonflow_pricing.settings import PriceSettings
from axonflow_pricing.table import Cost, Priced, PriceTable, Rate, Usage, default_prices

__all__ = ["Cost", "PriceSettings", "PriceTable", "Priced", "Rate", "Usage", "default_prices"]
