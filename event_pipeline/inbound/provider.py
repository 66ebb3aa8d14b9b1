"""What every provider of webhooks is to those that answer them."""

from __future__ import annotations

from typing import Protocol

from event_pipeline.inbound.delivery import Accepted, Delivery


class Provider(Protocol):
    """One sender of webhooks; ``name`` is the provider of its records, ``setting`` what makes it answer."""

    name: str
    setting: str

    @property
    def is_set_up(self) -> bool:
        """Whether the setting holds what proofs need."""
        ...

    def accept(self, delivery: Delivery) -> Accepted:
        """What a delivery holds, once it is proven who sent it. Raises Refused."""
        ...
