"""Tables as DynamoDB describes them, held against the code's own definitions."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import TableError

from filevault.dynamo.table import BaseMeta, Table, answer_code, connection, ttl_attribute

_UNKNOWN_CALL = "UnknownOperationException"


def deviations(model: type[Table]) -> list[str]:
    """In what a table's keys and indexes aren't those of the code; empty where they are. An index
    that the code doesn't know counts for nothing. Raises what `STORE_ERRORS` lists, as all here."""
    try:
        found = _describe("describe_table", model)["Table"]
    except TableError as error:
        if answer_code(error) == "ResourceNotFoundException":
            return ["is missing"]
        raise
    schema: Any = model._get_schema()
    types = _types(found["AttributeDefinitions"])
    wanted_types = _types(schema["attribute_definitions"])
    faults = [] if found["TableStatus"] == "ACTIVE" else [f"is {found['TableStatus']}"]
    if _keys(found["KeySchema"], types) != _keys(schema["key_schema"], wanted_types):
        faults.append("has other keys")
    indexes = {each["IndexName"]: each for each in found.get("GlobalSecondaryIndexes", [])}
    for wanted in schema["global_secondary_indexes"]:
        name = wanted["index_name"]
        index = indexes.get(name)
        if index is None:
            faults.append(f"lacks the index {name}")
        elif _keys(index["KeySchema"], types) != _keys(wanted["key_schema"], wanted_types):
            faults.append(f"has other keys in the index {name}")
        elif index["Projection"]["ProjectionType"] != wanted["projection"]["ProjectionType"]:
            faults.append(f"has another projection in the index {name}")
        elif index.get("IndexStatus", "ACTIVE") != "ACTIVE":
            faults.append(f"is still building the index {name}")
    return faults


def ttl_deviations(model: type[Table]) -> list[str]:
    """Whether rows expire by the attribute that the code says, and by no other."""
    found = _describe("describe_time_to_live", model).get("TimeToLiveDescription", {})
    is_on = found.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    attribute = found.get("AttributeName") if is_on else None
    wanted = ttl_attribute(model)
    if attribute == wanted:
        return []
    return [f"must expire by {wanted}" if wanted else f"must not expire by {attribute}"]


def recovery_deviations(model: type[Table]) -> list[str]:
    """Whether the table can be restored to a point in time; emulators without the call pass."""
    try:
        answer = _describe("describe_continuous_backups", model)
    except TableError as error:
        if answer_code(error) == _UNKNOWN_CALL:
            return []
        raise
    found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    return [] if found.get("PointInTimeRecoveryStatus") == "ENABLED" else ["lacks it"]


def protection_deviations(model: type[Table]) -> list[str]:
    """Whether the table is protected from being deleted."""
    found = _describe("describe_table", model)["Table"]
    return [] if found.get("DeletionProtectionEnabled") else ["lacks it"]


def _describe(call: str, model: type[Table]) -> dict[str, Any]:
    client = connection(retries=BaseMeta.max_retry_attempts).client
    try:
        answer: dict[str, Any] = getattr(client, call)(TableName=model.Meta.table_name)
    except (BotoCoreError, ClientError) as error:
        raise TableError(f"{call} failed", error) from error
    return answer


def _types(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in definitions}


def _keys(schema: list[dict[str, str]], types: dict[str, str]) -> dict[str, tuple[str, str]]:
    """By HASH or RANGE: an attribute's name and type."""
    names = {each["KeyType"]: each["AttributeName"] for each in schema}
    return {kind: (name, types.get(name, "")) for kind, name in names.items()}
