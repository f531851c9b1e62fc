"""The contract suite of providers, for this repository and for packages outside it. Needs pytest and respx.

Describe the vendor's answers once, from its documentation, and every rule of the contract is tried on the class:

    from core.providers.testing import Answer, ProviderContract, VendorScript

    class TestAcme(ProviderContract):
        provider = Acme
        prices = {"acme-one"}            # the model ids that have a price
        script = VendorScript(
            submits=r"POST /v1/videos",  # the call that buys, as "METHOD /path"
            looks=r"GET /v1/videos/[^/]+",
            accepted=Answer(202, {"id": "job-1", "status": "queued"}),
            job_id="job-1",
            ...
        )

`broken_rules(provider, script, prices)` runs the same rules without pytest and names those that do not hold. Nothing
here is imported by the product.
"""

import pytest

pytest.register_assert_rewrite("core.providers.testing.rules")

from core.providers.testing.contract import ProviderContract, broken_rules  # noqa: E402  # after the registration
from core.providers.testing.script import (  # noqa: E402
    BASE_URL,
    IMAGE,
    ODD_WORD,
    PROMPT,
    REFERENCE,
    SENT_AT,
    Answer,
    Listing,
    VendorScript,
)

__all__ = [
    "BASE_URL",
    "IMAGE",
    "ODD_WORD",
    "PROMPT",
    "REFERENCE",
    "SENT_AT",
    "Answer",
    "Listing",
    "ProviderContract",
    "VendorScript",
    "broken_rules",
]
