"""Model providers: one small protocol, one file a wire format."""

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

__all__ = [
    "FaultKind",
    "Finish",
    "HttpAnswer",
    "Image",
    "Message",
    "ModelReply",
    "ModelRequest",
    "Provider",
    "ProviderConfig",
    "ProviderFault",
    "Role",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "Transport",
]
