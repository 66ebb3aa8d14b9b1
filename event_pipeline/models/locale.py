"""How the organisation writes times, money and phone numbers; handed to the models as a parameter."""

from __future__ import annotations

from dataclasses import dataclass

from event_pipeline.settings import Organisation

_ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THREE_DECIMAL = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


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
        if self.currency in _ZERO_DECIMAL:
            return 1
        return 1000 if self.currency in _THREE_DECIMAL else 100
