"""Connectors to data and tools: one small protocol, one file each, no registration by import."""

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.protocol import (
    Call,
    Capability,
    Connector,
    Health,
    Limits,
    Rows,
    Tool,
    ToolAnswer,
    Written,
)
from axonflow_connectors.registry import ConnectorRegistry
from axonflow_connectors.specification import Configuration, ConnectorSpec, Endpoint, Field, Surroundings
from axonflow_connectors.standard import standard_specs

__all__ = [
    "Call",
    "Capability",
    "Configuration",
    "Connector",
    "ConnectorFault",
    "ConnectorRegistry",
    "ConnectorSpec",
    "Endpoint",
    "FaultKind",
    "Field",
    "Health",
    "Limits",
    "Rows",
    "Surroundings",
    "Tool",
    "ToolAnswer",
    "Written",
    "standard_specs",
]
