"""What all specs and reports have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of all specs and reports."""

    model_config = ConfigDict(extra="forbid")


class Empty(View):
    """No parameters, or no result beyond success."""
