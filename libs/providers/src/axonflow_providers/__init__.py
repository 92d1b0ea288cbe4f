"""Model providers: one small protocol, one file a wire format."""

from axonflow_providers.estimates import estimated_prompt, estimated_tokens
from axonflow_providers.protocol import (
    FaultKind,
    Finish,
    HttpAnswer,
    Image,
    Message,
    ModelReply,
    ModelRequest,
    Provider,
    ProviderConfig,
    ProviderFault,
    Role,
    TokenUsage,
    Tool,
    ToolCall,
    Transport,
)
from axonflow_providers.registry import ConfigInvalid, ProviderRegistry, ProviderSpec, Setting
from axonflow_providers.standard import standard_specs
from axonflow_providers.transport import HttpTransport, OutboundTransport

__all__ = [
    "ConfigInvalid",
    "FaultKind",
    "Finish",
    "HttpAnswer",
    "HttpTransport",
    "Image",
    "Message",
    "ModelReply",
    "ModelRequest",
    "OutboundTransport",
    "Provider",
    "ProviderConfig",
    "ProviderFault",
    "ProviderRegistry",
    "ProviderSpec",
    "Role",
    "Setting",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "Transport",
    "estimated_prompt",
    "estimated_tokens",
    "standard_specs",
]
