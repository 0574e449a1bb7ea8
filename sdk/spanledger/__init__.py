"""The line an application adds, so that its model calls are seen, priced and owned.

    import spanledger

    spanledger.instrument(service="search-api", team="search")
    with spanledger.attribute(feature="rerank", customer="acme"):
        ...

Nothing here raises into the application, and nothing delays its exit by more than a few seconds:
what goes wrong is said once on the logger ``spanledger``.
"""

from spanledger.attributes import Attribution, attribute
from spanledger.instrumenting import instrument

__all__ = ["Attribution", "attribute", "instrument"]
