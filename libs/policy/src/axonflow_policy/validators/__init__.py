"""Functions that confirm what a pattern found. Each policy names its own; the names are bound here and nowhere else.

A validator is given what was found with its neighbourhood, and says whether it counts.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from axonflow_policy.validators import (
    admin_statements,
    asia,
    commands,
    credentials,
    documents,
    europe,
    identifiers,
    prompts,
    secrets,
    sql_injection,
    sql_statements,
    unsafe_code,
)
from axonflow_policy.validators.found import Found

__all__ = ["VALIDATORS", "Found", "Validator"]

Validator = Callable[[Found], bool]

VALIDATORS: MappingProxyType[str, Validator] = MappingProxyType(
    {
        "booking_reference": identifiers.booking_reference,
        "card_number": identifiers.card_number,
        "email_address": identifiers.email_address,
        "birth_date": documents.birth_date,
        "driver_licence": documents.driver_licence,
        "passport": documents.passport,
        "ip_address": identifiers.ip_address,
        "phone_number": identifiers.phone_number,
        "us_bank_account": identifiers.us_bank_account,
        "us_ssn": identifiers.us_ssn,
        "aadhaar": asia.aadhaar,
        "indian_gstin": asia.indian_gstin,
        "indian_upi": asia.indian_upi,
        "indian_pan": asia.indian_pan,
        "indonesian_account": asia.indonesian_account,
        "indonesian_nik": asia.indonesian_nik,
        "indonesian_npwp": asia.indonesian_npwp,
        "indonesian_phone": asia.indonesian_phone,
        "singapore_nric": asia.singapore_nric,
        "singapore_phone": asia.singapore_phone,
        "singapore_postal": asia.singapore_postal,
        "singapore_uen": asia.singapore_uen,
        "european_identity": europe.european_identity,
        "iban": europe.iban,
        "connection_password": credentials.connection_password,
        "credential_pair": credentials.credential_pair,
        "secret_value": credentials.secret_value,
        "told_password": credentials.told_password,
        "aws_access_key": secrets.aws_access_key,
        "aws_secret_key": secrets.aws_secret_key,
        "jwt": secrets.jwt,
        "password_value": secrets.password_value,
        "private_key": secrets.private_key,
        "token": secrets.token,
        "sql_account": sql_statements.account,
        "sql_catalog_read": sql_injection.catalog_read,
        "sql_comment": sql_injection.comment,
        "sql_condition": sql_injection.condition,
        "sql_condition_string": sql_injection.condition_string,
        "sql_delay": sql_injection.delay,
        "sql_hex": sql_injection.hex_literal,
        "sql_login": sql_injection.login,
        "sql_nested_select": sql_injection.nested_select,
        "sql_no_where": sql_statements.no_where,
        "sql_privileges": sql_statements.privileges,
        "sql_probe": sql_injection.probe,
        "sql_stacked": sql_injection.stacked,
        "sql_stacked_exec": sql_injection.stacked_exec,
        "sql_stacked_select": sql_injection.stacked_select,
        "sql_truncate": sql_statements.truncate,
        "sql_statement": sql_statements.statement,
        "sql_union": sql_injection.union,
        "shell_command": commands.shell_command,
        "credential_file": commands.credential_file,
        "local_request": commands.local_request,
        "path_traversal": commands.path_traversal,
        "admin_accounts": admin_statements.admin_accounts,
        "admin_statement": admin_statements.admin_statement,
        "code_call": unsafe_code.code_call,
        "yaml_load": unsafe_code.yaml_load,
        "prompt_demand": prompts.demand,
        "prompt_marker": prompts.marker,
        "prompt_override": prompts.override,
        "prompt_role": prompts.role,
    }
)
