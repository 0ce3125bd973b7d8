"""The tables as data: what whoever makes or checks them outside of this code has to know."""

from typing import Any

from django.conf import settings

from filevault.dynamo.table import Table, all_tables, ttl_attribute


def table_definitions() -> dict[str, dict[str, Any]]:
    """Each table by its name without `TABLE_PREFIX`: keys, the types of the attributes in them (as
    DynamoDB calls them), indexes with their projections, and the attribute that expires rows."""
    return {
        model.Meta.table_name.removeprefix(settings.TABLE_PREFIX): _definition(model)
        for model in all_tables()
    }


def _definition(model: type[Table]) -> dict[str, Any]:
    schema: Any = model._get_schema()
    attributes = {
        each["AttributeName"]: each["AttributeType"] for each in schema["attribute_definitions"]
    }
    return {
        **_keys(schema["key_schema"]),
        "attributes": dict(sorted(attributes.items())),
        "indexes": {
            each["index_name"]: _keys(each["key_schema"]) | _projection(each["projection"])
            for each in sorted(schema["global_secondary_indexes"], key=_index_name)
        },
        "ttl": ttl_attribute(model),
    }


def _index_name(index: dict[str, Any]) -> str:
    return str(index["index_name"])


def _keys(schema: list[dict[str, str]]) -> dict[str, str | None]:
    names = {each["KeyType"]: each["AttributeName"] for each in schema}
    return {"hashKey": names["HASH"], "rangeKey": names.get("RANGE")}


def _projection(projection: dict[str, Any]) -> dict[str, Any]:
    return {
        "projection": projection["ProjectionType"],
        "projected": projection.get("NonKeyAttributes", []),
    }
