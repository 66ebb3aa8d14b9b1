"""How figures are written: in the organisation's currency, digits and zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from event_pipeline.api.answers.common import Money
from event_pipeline.contracts.currencies import exponent, minor_units
from event_pipeline.settings import Organisation

_SYMBOLS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "AUD": "A$", "CAD": "C$", "SGD": "S$"}
_BY_LAKHS = frozenset({"IN", "NP", "BD", "PK", "LK"})
"""Countries that group digits as 12,34,567."""

_NONE = "–"
_MINUS = "−"
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


class Formats:
    """Writes numbers, amounts and times; what is not known is a dash."""

    def __init__(self, organisation: Organisation) -> None:
        self.currency = organisation.currency
        self.minor_units = minor_units(organisation.currency)
        self.time_zone = organisation.time_zone
        self._zone = ZoneInfo(organisation.time_zone)
        self._is_by_lakhs = organisation.country in _BY_LAKHS
        self.locale = "en-IN" if self._is_by_lakhs else "en-GB"

    def number(self, value: float | None, decimals: int = 0) -> str:
        """12,34,567 in India, 1,234,567 elsewhere."""
        if value is None:
            return _NONE
        whole, _, fraction = f"{abs(value):.{decimals}f}".partition(".")
        sign = _MINUS if value < 0 and (int(whole) or fraction.strip("0")) else ""
        return sign + self._grouped(whole) + (f".{fraction}" if fraction else "")

    def _grouped(self, digits: str) -> str:
        head, tail = digits[:-3], digits[-3:]
        step = 2 if self._is_by_lakhs else 3
        groups = []
        while head:
            groups.insert(0, head[-step:])
            head = head[:-step]
        return ",".join((*groups, tail))

    def money(self, amount: Money | None) -> str:
        """₹12,34,567; with paise only where there are some. In the places of the amount's own currency."""
        if amount is None:
            return _NONE
        whole, rest = divmod(abs(amount.amount_minor), minor_units(amount.currency))
        fraction = f".{rest:0{exponent(amount.currency)}d}" if rest else ""
        symbol = _SYMBOLS.get(amount.currency, f"{amount.currency} ")
        return f"{_MINUS if amount.amount_minor < 0 else ''}{symbol}{self._grouped(str(whole))}{fraction}"

    def revenue(self, own: Money, others: Sequence[Money]) -> str:
        """₹1,500 + $5: money of other currencies beside the organisation's own, never added to it."""
        return " + ".join(self.money(amount) for amount in (own, *others))

    def minor(self, amount_minor: int) -> str:
        """An amount in the organisation's currency."""
        return self.money(Money(amount_minor=amount_minor, currency=self.currency))

    def share(self, value: float | None, decimals: int = 0) -> str:
        """0.867 is 87%."""
        return _NONE if value is None else f"{self.number(value * 100, decimals)}%"

    def change(self, value: float | None) -> str:
        """0.12 is +12%."""
        if value is None:
            return _NONE
        return f"{'+' if value > 0 else ''}{self.share(value)}"

    def local(self, instant: datetime) -> datetime:
        """The instant on the organisation's clocks."""
        return instant.astimezone(self._zone)

    def clock(self, instant: datetime | None, seconds: bool = False) -> str:
        """14:05."""
        return _NONE if instant is None else self.local(instant).strftime("%H:%M:%S" if seconds else "%H:%M")

    def day(self, day: date | None) -> str:
        """26 Nov 2026."""
        return _NONE if day is None else f"{day.day} {day:%b %Y}"

    def short_day(self, day: date | None) -> str:
        """26 Nov."""
        return _NONE if day is None else f"{day.day} {day:%b}"

    def weekday(self, instant: datetime | None, now: datetime | None = None) -> str:
        """Thu 26 Nov, 14:05; with the year when it is not the year of ``now``."""
        if instant is None:
            return _NONE
        local = self.local(instant)
        year = f" {local.year}" if now is not None and self.local(now).year != local.year else ""
        return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"

    def zone(self, at: datetime) -> str:
        """IST, or the zone's place where it has no short name."""
        name = self.local(at).strftime("%Z")
        return name if name.isalpha() else self.time_zone

    def span(self, seconds: float | None) -> str:
        """A time it took: 0.4 s, 2 minutes, 3 hours."""
        if seconds is None:
            return _NONE
        if seconds < 60:
            return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
        length, unit = next((length, unit) for length, unit in _UNITS if seconds >= length)
        return self.counted(int(seconds // length), unit)

    def ago(self, instant: datetime | None, now: datetime) -> str:
        """Just now, 3 minutes ago, in 2 days."""
        if instant is None:
            return "never"
        seconds = (now - instant).total_seconds()
        if abs(seconds) < 60:
            return "just now"
        return f"{self.span(seconds)} ago" if seconds > 0 else f"in {self.span(-seconds)}"

    def counted(self, number: int, noun: str, plural: str = "") -> str:
        """1 event, 2 events."""
        return f"{self.number(number)} {noun if number == 1 else plural or noun + 's'}"
