"""How the organisation writes times, money and phone numbers; handed to the models as a parameter."""

from __future__ import annotations

from dataclasses import dataclass

from event_pipeline.contracts.currencies import minor_units
from event_pipeline.settings import Organisation


@dataclass(frozen=True, slots=True)
class Locale:
    """IANA time zone, ISO 4217 currency and ISO 3166 country of the organisation."""

    time_zone: str
    currency: str
    country: str

    @classmethod
    def of(cls, organisation: Organisation) -> Locale:
        """The locale that the settings name."""
        return cls(organisation.time_zone, organisation.currency, organisation.country)

    @property
    def minor_units(self) -> int:
        """Minor units in one unit of the currency: 100 paise in a rupee."""
        return minor_units(self.currency)
