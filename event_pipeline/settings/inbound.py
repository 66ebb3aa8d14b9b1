"""The section ``inbound``: what other services may send in, and the secrets by which they are known."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

RESERVED = frozenset({"email", "payments"})
"""Names that a webhook of one's own cannot have: paths below them belong to providers."""

_SHORTEST_KEY = 16


def _signing_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"must be whsec_ and the base64 of at least {_SHORTEST_KEY} bytes")
    return secret


def _elliptic_key(text: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("must be the verification key that SendGrid shows: base64 that begins with MFkwEwYH")
    return text


Secret = Annotated[SecretStr, Field(min_length=8)]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret)]
PublicKey = Annotated[str, AfterValidator(_elliptic_key)]
WebhookName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Webhook(BaseModel):
    """A webhook of your own, signed as Standard Webhooks says; it answers at /webhooks/NAME."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: WebhookName = Field(description="Last part of its address, and the provider of its records.")
    secrets: tuple[SigningSecret, ...] = Field(
        description="Signing secrets (whsec_ and base64); several while one is being exchanged for another.",
        min_length=1,
    )

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f"must be another name: {' and '.join(sorted(RESERVED))} are taken by providers")
        return name


class Inbound(BaseModel):
    """What mail and payment providers, other systems and phones at the door send in: see [coming in](inbound.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clock_tolerance_seconds: int = Field(
        default=300,
        description="A webhook signed so long before or after our clock is refused.",
        ge=1,
        le=86_400,
    )
    sendgrid_public_keys: tuple[PublicKey, ...] = Field(
        default=(), description="Verification keys of SendGrid's signed event webhook (base64)."
    )
    mailgun_signing_keys: tuple[Secret, ...] = Field(default=(), description="Mailgun's HTTP webhook signing keys.")
    postmark_secrets: tuple[Secret, ...] = Field(
        default=(), description="What Postmark sends as the password of basic authentication, or as X-Webhook-Token."
    )
    ses_topic_arns: tuple[str, ...] = Field(
        default=(),
        description="ARNs of the SNS topics to which Amazon SES publishes; their subscriptions are confirmed.",
    )
    resend_secrets: tuple[SigningSecret, ...] = Field(default=(), description="Resend's signing secrets (whsec_...).")
    stripe_secrets: tuple[Secret, ...] = Field(
        default=(), description="Signing secrets of Stripe's webhook endpoint (whsec_...)."
    )
    webhooks: tuple[Webhook, ...] = Field(default=(), description="Webhooks of your own.")

    @model_validator(mode="after")
    def _names_differ(self) -> Inbound:
        names = [webhook.name for webhook in self.webhooks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each webhook needs a name of its own; {', '.join(twice)} is there twice")
        return self
