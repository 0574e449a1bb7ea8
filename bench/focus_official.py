"""Asks the official focus-validator 2.2.1 about a Cost and Usage file of FOCUS 1.2: make focus.

It needs an environment of its own (docs/focus.md), as it wants other versions of what we use. Its
exit code is 0 whatever fails, it reads a file beside itself by a path relative to where it is run,
and has a line that Python 3.11 cannot read: all that is seen to here. Nothing of it is changed.
"""

import importlib
import importlib.util
import logging
import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, Final

CLAIMED: Final = ",".join(
    f"{name}_SUPPORTED"
    for name in (
        "ACCOUNT_NAMING",
        "BILLING_BASED_ON_PROVISIONED_RESOURCES",
        "COMMITMENT_DISCOUNT",
        "MULTIPLE_PRICING_CATEGORIES",
        "MULTIPLE_SUB_ACCOUNT_TYPES",
        "NEGOTIATED_PRICING",
        "PRICING_BILLING_CURRENCY_DIFFERENCES",
        "PUBLIC_PRICE_LIST",
        "REGION",
        "RESOURCE_TYPE_ASSIGNMENT",
        "SUB_ACCOUNT",
        "TAGGING",
        "UNIT_PRICING",
        "USAGE_MEASUREMENT",
    )
)
"""What an export of ours has. The rules of what is not named here are passed over."""

DEFECTIVE: Final = {
    "CommitmentDiscountStatus-C-004-C": "its condition is inverted: it holds where there is no id",
    "InvoiceId-C-004-C": "it has no condition: it wants every id to be null, -C-005-C none",
}
"""Rules of the model 1.2.0.1 that a right file fails -> why."""

_CANNOT_READ: Final = rb"""f"'{k.replace('\"', '\"\"')}'" for"""
_CAN_READ: Final = rb"""'\'' + k.replace('"', '""') + '\'' for"""


_read: Final = SourceFileLoader.get_data


def _get_data(self: Any, path: str) -> bytes:
    """The source of a module, with the one line as Python 3.11 can read it, too."""
    return _read(self, path).replace(_CANNOT_READ, _CAN_READ)


def failures(file: Path) -> dict[str, str]:
    """The rules that a file fails of themselves, not for one beneath them -> what is said."""
    SourceFileLoader.get_data = _get_data  # type: ignore[method-assign]  # for that line
    found = importlib.import_module("focus_validator")
    os.chdir(Path(str(found.__file__)).parent.parent)
    logging.disable(logging.CRITICAL)
    validator: Any = importlib.import_module("focus_validator.validator").Validator(
        data_filename=str(file),
        output_destination=None,
        output_type="console",
        focus_dataset="CostAndUsage",
        rules_version="1.2",
        rules_block_remote_download=True,
        applicability_criteria=CLAIMED,
    )
    told = validator.validate().by_rule_id
    failed = {
        rule: str((result.get("details") or {}).get("message"))
        for rule, result in told.items()
        if not result.get("ok")
    }
    return {rule: said for rule, said in failed.items() if "failed child rules" not in said}


def main(arguments: list[str]) -> int:
    """1: a rule that is not known to be defective fails."""
    if importlib.util.find_spec("focus_validator") is None:
        print("focus-validator is not here; docs/focus.md says how it is installed")
        return 0
    failed = failures(Path(arguments[0]).resolve())
    for rule, said in sorted(failed.items()):
        print(f"{rule}: {DEFECTIVE.get(rule) or said}")
    unexpected = failed.keys() - DEFECTIVE.keys()
    print(f"{len(failed)} rules fail, {len(unexpected)} of them not known to be defective")
    return int(bool(unexpected))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
