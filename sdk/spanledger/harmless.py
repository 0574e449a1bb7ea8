"""What keeps the SDK from ever being the reason that an application fails."""

from __future__ import annotations

import functools
import logging
from typing import Any, Callable, TypeVar, cast

log = logging.getLogger("spanledger")

_Function = TypeVar("_Function", bound=Callable[..., Any])
_said: set[str] = set()


def warn_once(key: str, message: str, *arguments: object) -> None:
    """Warn on the logger ``spanledger``, the first time that this process meets ``key``."""
    if key not in _said:
        _said.add(key)
        log.warning(message, *arguments)


def harmless(otherwise: Callable[[], Any]) -> Callable[[_Function], _Function]:
    """Make a function warn, and return ``otherwise()``, where it would have raised.

    Also for arguments that do not fit its signature: the application may be written for another
    version of this SDK.
    """

    def wrap(function: _Function) -> _Function:
        @functools.wraps(function)
        def never_raising(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except Exception as error:  # noqa: BLE001 - whatever it is, the application goes on
                name = function.__name__
                warn_once(
                    f"{name} failed: {error!r}",
                    "spanledger.%s did nothing: %s: %s",
                    name,
                    type(error).__name__,
                    error,
                )
                return otherwise()

        return cast("_Function", never_raising)

    return wrap
