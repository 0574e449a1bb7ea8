"""What sightings have in common whose ids do not meet.

A coding agent tells of one call on spans, logs and metrics, and gives the log no id of the span.
What they share is the service and, where it is told, the session.
"""

from spend.ids import id_of


def session_kin(service: str | None, session: str) -> int:
    """The kin of all that a service reports of one session."""
    return id_of("session", service, session)


def service_kin(service: str | None) -> int:
    """The kin of all that a service reports without naming a session."""
    return id_of("service", service)


def stream_kin(service: str | None, scope: str, model: str | None) -> int:
    """The kin of all that a service's instrumentation reports of streams from one model.

    Logfire tells of such a call with two spans, which have neither ids nor a trace in common.
    """
    return id_of("stream", service, scope, model)
