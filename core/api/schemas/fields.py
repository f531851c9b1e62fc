"""Types of fields that stand in several shapes, each with the example that the OpenAPI document shows for it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

Id = Annotated[str, Field(examples=["0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10"])]
Name = Annotated[str, Field(examples=["Spring campaign"])]
Description = Annotated[str, Field(examples=["Clips for the spring campaign."])]
CostCentre = Annotated[str, Field(examples=["CC-1042"])]
ModelId = Annotated[str, Field(examples=["veo3"])]
ModelName = Annotated[str, Field(examples=["Google Veo 3"])]
ProviderName = Annotated[str, Field(examples=["modelslab"])]
Prompt = Annotated[str, Field(examples=["A lake at dusk, mist rising"])]
NegativePrompt = Annotated[str, Field(examples=["blurry"])]
Resolution = Annotated[str, Field(examples=["1080p"])]
AspectRatio = Annotated[str, Field(examples=["16:9"])]
ClipSeconds = Annotated[int, Field(examples=[8])]
Percent = Annotated[int, Field(examples=[40])]
Credits = Annotated[int, Field(examples=[3250])]
Breakdown = Annotated[dict[str, int], Field(examples=[{"base": 2500, "resolution": 750}])]
"""Line of a price -> credits."""

TextOrNull = Annotated[str | None, Field(examples=[None])]
"""Text that there is only later, or only when something went wrong."""

NumberOrNull = Annotated[int | None, Field(examples=[None])]
"""A figure that not every order names."""

MomentOrNull = Annotated[datetime | None, Field(examples=[None])]
"""When something happened that mostly does not, or not yet."""
