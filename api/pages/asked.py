"""What any page can be asked with, beside its own parameters."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]


class PageAsked(BaseModel):
    """Parameters of a page's address. A form without scripts sends empty fields: they are absent.

    A page whose empty values mean something takes ``Asked`` models of the API instead.
    """

    model_config = ConfigDict(extra="forbid")

    timezone: Annotated[Text | None, Field(description="The zone of days and times.")] = None
    csv: Annotated[Text | None, Field(description="The table that is wanted as CSV.")] = None
    done: Annotated[Text | None, Field(description="What was just done.")] = None
    sort: Annotated[Text | None, Field(description="A column; `-` in front: descending.")] = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, asked: Any) -> Any:
        if not isinstance(asked, dict):
            return asked
        return {name: value for name, value in asked.items() if value not in ("", [""])}
