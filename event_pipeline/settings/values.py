"""Kinds of values that settings take, each refusing what it cannot be with a message that says what is allowed."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, SecretStr

COLLECTIONS = (
    "clubs",
    "categories",
    "events",
    "registrations",
    "tags",
    "event_tags",
    "club_requests",
    "event_live_updates",
    "event_chat",
)
"""The app's collections, in the order they are read: what others refer to comes first."""

Collection = Literal[
    "clubs", "categories", "events", "registrations", "tags", "event_tags",
    "club_requests", "event_live_updates", "event_chat",
]  # fmt: skip
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

_CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 a list of quoted codes reads worse
)


def _known_time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be an IANA time zone name such as Asia/Kolkata")
    return name


def _known_currency(code: str) -> str:
    if code not in _CURRENCIES:
        raise ValueError("must be an ISO 4217 code of a currency in use, such as INR")
    return code


def _country_with_phones(code: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    if code not in SUPPORTED_REGIONS:
        raise ValueError("must be an ISO 3166 code of a country with phone numbers, such as IN")
    return code


def _valid_cron(text: str) -> str:
    import dagster as dg

    try:
        dg.ScheduleDefinition(name="asked", job_name="asked", cron_schedule=text)
    except dg.DagsterInvalidDefinitionError:
        raise ValueError("must be a cron expression of five fields such as '0 2 * * *'") from None
    return text


def _whole_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("must be an address such as http://127.0.0.1:3000, with a port from 1 to 65535")
    return url


def _postgres_address(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        is_whole = parts.scheme in ("postgresql", "postgres") and bool(parts.path.strip("/")) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("must be an address such as postgresql://user:password@host:5432/database")
    return url


def _folder_or_object_store(place: str) -> str:
    if not place or ("://" in place and not place.startswith("s3://")):
        raise ValueError("must be a folder, or an address such as s3://bucket/prefix")
    return place


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
Currency = Annotated[str, AfterValidator(_known_currency)]
Country = Annotated[str, AfterValidator(_country_with_phones)]
PostgresAddress = Annotated[SecretStr, AfterValidator(_postgres_address)]
StoragePlace = Annotated[str, AfterValidator(_folder_or_object_store)]
Cron = Annotated[str, AfterValidator(_valid_cron)]
WebAddress = Annotated[str, Field(pattern=r"^https?://.+"), AfterValidator(_whole_address)]
