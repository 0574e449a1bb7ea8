"""Fault: every call names a feature, a customer and a model that nobody has heard of."""

from collections import Counter
from contextlib import closing

from faults.producers import Kept
from faults.readers import reading
from faults.stage import Fault, Stage
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

NAMED = {
    "spanledger.feature": "feature",
    "gen_ai.request.model": "model",
    "gen_ai.response.model": "model",
}
AT_ONCE = 250


def ever_new_names(stage: Stage) -> Counter[str]:
    fired: Counter[str] = Counter()
    with closing(stage.client()) as client:
        for _ in range(int(stage.long(12, 1))):
            kept = client.make(AT_ONCE)
            client.deliver(Kept(kept.parts, renamed(kept.body, stage.chance.getrandbits(64))))
            fired["names that nobody knew"] += 2 * AT_ONCE
    if stage.house.api.wanted:
        status, _ = reading(stage).get("/v1/spend?group_by=feature,model")
        fired[f"reports by feature and model answered {status}"] += 1
    return fired


def renamed(request: bytes, salt: int) -> bytes:
    """The same spans, each with names of its own."""
    message = ExportTraceServiceRequest.FromString(request)
    for group in message.resource_spans:
        for scope in group.scope_spans:
            for number, span in enumerate(scope.spans):
                for attribute in span.attributes:
                    if kind := NAMED.get(attribute.key):
                        attribute.value.string_value = f"{kind}-{salt:016x}-{number}"
    return message.SerializeToString()


NAMES = [Fault("ever new names", ever_new_names, behind=True)]
