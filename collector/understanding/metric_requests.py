"""Metric requests from bytes, though some of their text is no UTF-8 or nested beyond reading.

Both cost the one attribute its meaning, and not the request its other points: as with spans
(``collector/understanding/otlp.py``). What protobuf reads as it stands is never touched.
"""

from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from collector.errors import Malformed

_FILES: Final = (common_pb2, resource_pb2, metrics_pb2, metrics_service_pb2)
_NESTED: Final = ("array_value", "kvlist_value")


def _loose() -> Any:
    """The same message with bytes in the place of text and of values that hold values."""
    pool = DescriptorPool()
    for source in _FILES:
        file = FileDescriptorProto()
        source.DESCRIPTOR.CopyToProto(file)
        for field in (field for message in file.message_type for field in message.field):
            if field.type == FieldDescriptorProto.TYPE_STRING or field.name in _NESTED:
                field.type = FieldDescriptorProto.TYPE_BYTES
                field.ClearField("type_name")
        pool.Add(file)
    name = ExportMetricsServiceRequest.DESCRIPTOR.full_name
    return GetMessageClass(pool.FindMessageTypeByName(name))


_LOOSE: Final = _loose()


def read_metrics(request: bytes) -> ExportMetricsServiceRequest:
    """One serialised request. Raises ``Malformed`` where the bytes are none."""
    try:
        return ExportMetricsServiceRequest.FromString(request)
    except DecodeError as error:
        refusal = Malformed(f"not an ExportMetricsServiceRequest: {error}")
    try:
        loose = _LOOSE.FromString(request)
        _mend(loose, ExportMetricsServiceRequest.DESCRIPTOR)
        return ExportMetricsServiceRequest.FromString(loose.SerializeToString())
    except DecodeError:
        raise refusal from None


def _mend(message: Any, described: Descriptor) -> None:
    for field, value in message.ListFields():
        like = described.fields_by_name[field.name]
        inner = like.message_type
        if isinstance(value, bytes):
            _mend_bytes(message, like, value)
        elif inner is not None:
            for each in [value] if isinstance(value, Message) else value:
                _mend(each, inner)
        elif like.type == FieldDescriptor.TYPE_STRING:
            value[:] = [_text(each) for each in value]


def _mend_bytes(message: Any, like: FieldDescriptor, value: bytes) -> None:
    if like.message_type is not None:
        try:
            GetMessageClass(like.message_type).FromString(value)
        except DecodeError:
            message.ClearField(like.name)
    elif like.type == FieldDescriptor.TYPE_STRING:
        setattr(message, like.name, _text(value))


def _text(value: bytes) -> bytes:
    # Two texts that differ stay two: they tell series apart.
    return value.decode("utf-8", "backslashreplace").encode()
