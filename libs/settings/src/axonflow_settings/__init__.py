"""Environment variables to one frozen, typed struct per service; every fault is reported at once."""

from axonflow_settings.core import Secret, SettingsError, load, variable
from axonflow_settings.deployment import DeploymentKind, DeploymentMode, Edition, Limits
from axonflow_settings.judging import JudgingSettings
from axonflow_settings.service import ServiceSettings
from axonflow_settings.stdio_commands import StdioCommand, stdio_commands

__all__ = [
    "DeploymentKind",
    "DeploymentMode",
    "Edition",
    "JudgingSettings",
    "Limits",
    "Secret",
    "ServiceSettings",
    "SettingsError",
    "StdioCommand",
    "load",
    "stdio_commands",
    "variable",
]
