"""Who sent a group of items, in OTLP/JSON: alike for all signals."""

from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.otlp_json.values import attributes, inner, text


def put_resource(resource: Resource, group: dict[str, Any], place: str) -> None:
    """The member ``resource`` of a group."""
    resource.attributes.extend(attributes(inner(group, "resource", place), f"{place}resource."))


def put_scope(scope: InstrumentationScope, scoped: dict[str, Any], place: str) -> None:
    """The member ``scope`` of a group within a group."""
    named = inner(scoped, "scope", place)
    scope.name = text(named, "name", f"{place}scope.")
    scope.version = text(named, "version", f"{place}scope.")
    scope.attributes.extend(attributes(named, f"{place}scope."))
