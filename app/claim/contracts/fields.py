"""Kinds of values that several contracts about claims have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt, StringConstraints

Key = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Base64 = Annotated[str, StringConstraints(min_length=4, max_length=4_000_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
LineNo = Annotated[StrictInt, Field(ge=1, le=100_000)]
Fen = Annotated[StrictInt, Field(ge=-(10**13), le=10**13)]
