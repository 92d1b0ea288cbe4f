"""Model providers as the operator names them in the environment (orchestrator contract section 3.3)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from axonflow_settings import Secret, variable
from axonflow_settings.core import boolean, duration_s, http_url, integer, secret, words

# Each of these can be given in a file instead, named by the variable with _FILE behind it.
KEYS = (
    "openai_api_key",
    "anthropic_api_key",
    "google_api_key",
    "azure_openai_api_key",
    "mistral_api_key",
    "aws_secret_access_key",
    "aws_session_token",
)


SHORTEST_INTERVAL_S = 0.05


def secret_file(path: str) -> Secret:
    """The secret that a file holds; blanks and line ends around it are no part of it."""
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        text = ""
    if not text:
        raise ValueError("a readable file that holds the key")
    return Secret(text)


def _interval(text: str) -> float:
    interval_s = duration_s(text)
    if interval_s < SHORTEST_INTERVAL_S:
        raise ValueError("a duration of at least 50ms")
    return interval_s


def _key(name: str, whose: str) -> Any:
    return variable(name, f"The key of {whose}.", secret, None)


def _key_file(name: str) -> Any:
    return variable(f"{name}_FILE", f"A file that holds {name}.", secret_file, None)


def _model(name: str) -> Any:
    return variable(name, "The model where a request names none.", default="", default_text="the provider's own")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """The part of the orchestrator's environment that names providers; a provider with a key is configured."""

    openai_api_key: Secret | None = _key("OPENAI_API_KEY", "OpenAI, or of a server that speaks its API")
    openai_api_key_file: Secret | None = _key_file("OPENAI_API_KEY")
    openai_model: str = _model("OPENAI_MODEL")
    openai_base_url: str = variable(
        "OPENAI_BASE_URL", "Where OpenAI's API is, with its /v1, as the OpenAI SDKs read it.", http_url, ""
    )
    openai_endpoint: str = variable(
        "OPENAI_ENDPOINT", "The same without /v1; used when OPENAI_BASE_URL is unset.", http_url, ""
    )
    anthropic_api_key: Secret | None = _key("ANTHROPIC_API_KEY", "Anthropic")
    anthropic_api_key_file: Secret | None = _key_file("ANTHROPIC_API_KEY")
    anthropic_model: str = _model("ANTHROPIC_MODEL")
    anthropic_base_url: str = variable(
        "ANTHROPIC_BASE_URL", "Where Anthropic's API is, without /v1, as its SDKs read it.", http_url, ""
    )
    google_api_key: Secret | None = variable(
        "GOOGLE_API_KEY", "The key of Gemini.", secret, None, aliases=("GEMINI_API_KEY",)
    )
    google_api_key_file: Secret | None = _key_file("GOOGLE_API_KEY")
    google_model: str = _model("GOOGLE_MODEL")
    azure_openai_endpoint: str = variable(
        "AZURE_OPENAI_ENDPOINT", "The Azure OpenAI resource, such as https://name.openai.azure.com.", http_url, ""
    )
    azure_openai_api_key: Secret | None = _key("AZURE_OPENAI_API_KEY", "Azure OpenAI")
    azure_openai_api_key_file: Secret | None = _key_file("AZURE_OPENAI_API_KEY")
    azure_openai_deployment: str = variable(
        "AZURE_OPENAI_DEPLOYMENT_NAME", "The deployment where a request names no model.", default=""
    )
    azure_openai_api_version: str = variable(
        "AZURE_OPENAI_API_VERSION", "The api-version of the calls.", default="2024-08-01-preview"
    )
    mistral_api_key: Secret | None = _key("MISTRAL_API_KEY", "Mistral")
    mistral_api_key_file: Secret | None = _key_file("MISTRAL_API_KEY")
    mistral_model: str = _model("MISTRAL_MODEL")
    mistral_endpoint: str = variable("MISTRAL_ENDPOINT", "Where Mistral's API is.", http_url, "")
    bedrock_region: str = variable(
        "BEDROCK_REGION", "The AWS region whose Bedrock is asked; naming one configures the provider.", default=""
    )
    bedrock_model: str = _model("BEDROCK_MODEL")
    aws_access_key_id: str = variable("AWS_ACCESS_KEY_ID", "The access key of Bedrock.", default="")
    aws_secret_access_key: Secret | None = _key("AWS_SECRET_ACCESS_KEY", "AWS that belongs to AWS_ACCESS_KEY_ID")
    aws_secret_access_key_file: Secret | None = _key_file("AWS_SECRET_ACCESS_KEY")
    aws_session_token: Secret | None = _key("AWS_SESSION_TOKEN", "AWS for temporary credentials")
    aws_session_token_file: Secret | None = _key_file("AWS_SESSION_TOKEN")
    aws_container_uri: str = variable(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "Where the role of an ECS task is asked for; ECS sets it. Used without AWS_ACCESS_KEY_ID.",
        default="",
    )
    ollama_endpoint: str = variable(
        "OLLAMA_ENDPOINT",
        "Where Ollama is, such as http://localhost:11434; naming it configures the provider.",
        http_url,
        "",
        aliases=("LOCAL_LLM_ENDPOINT",),
    )
    ollama_model: str = _model("OLLAMA_MODEL")
    ollama_timeout_s: int = variable(
        "OLLAMA_TIMEOUT_SECONDS", "How long a call of Ollama may take.", integer(1, 3600), 120
    )
    llm_providers: tuple[str, ...] = variable(
        "LLM_PROVIDERS",
        "The only providers that may answer, by name or by type, apart by commas; unset: all that are configured.",
        words,
        (),
        default_text="",
    )
    default_llm_provider: str = variable(
        "DEFAULT_LLM_PROVIDER", "The provider that the failover strategy prefers, by name.", default=""
    )
    config_file: str = variable(
        "AXONFLOW_CONFIG_FILE", "A TOML or JSON file whose table llm_providers names providers.", default=""
    )
    llm_config_file: str = variable(
        "AXONFLOW_LLM_CONFIG_FILE", "The same; where both name a provider, this one counts.", default=""
    )
    llm_health_probes: bool = variable(
        "AXONFLOW_LLM_HEALTH_PROBES",
        "Whether each enabled provider is asked again and again if it would answer, without using a model.",
        boolean,
        True,
    )
    llm_health_interval_s: float = variable(
        "AXONFLOW_LLM_HEALTH_INTERVAL", "How long between two such questions.", _interval, 30.0, default_text="30s"
    )

    @property
    def aws_environment(self) -> dict[str, str]:
        """What the operator's own definitions of Bedrock may sign with, under the names of the variables."""
        secret_key, token = self.key("aws_secret_access_key"), self.key("aws_session_token")
        return {
            "AWS_ACCESS_KEY_ID": self.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret_key.reveal() if secret_key else "",
            "AWS_SESSION_TOKEN": token.reveal() if token else "",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": self.aws_container_uri,
        }

    def key(self, field: str) -> Secret | None:
        """One of ``KEYS``, from its variable or its file."""
        found: Secret | None = getattr(self, field) or getattr(self, f"{field}_file")
        return found
