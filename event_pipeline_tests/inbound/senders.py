"""Providers as their recorded deliveries show them: bodies of theirs, and headers signed as they sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from event_pipeline.settings import Inbound
from event_pipeline_tests.paths import SAMPLES

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
MAIL = SAMPLES / "email"
STRIPE = SAMPLES / "payments" / "stripe"
needs_recordings = pytest.mark.skipif(not MAIL.is_dir(), reason=f"recorded deliveries are missing: {MAIL}")

MAILGUN_KEY, POSTMARK_SECRET, STRIPE_SECRET = "key-mailgun-1", "postmark-secret-1", "whsec_stripe_1"
RESEND_SECRET = "whsec_" + base64.b64encode(b"a secret of Resend's").decode()
OWN_SECRET = "whsec_" + base64.b64encode(b"a secret of our own").decode()
TOPIC = "arn:aws:sns:us-east-1:111111111111:mails"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"

_SENDGRID_KEY = ec.derive_private_key(20260601, ec.SECP256R1())


def sendgrid_public_key(key: ec.EllipticCurvePrivateKey = _SENDGRID_KEY) -> str:
    """As SendGrid shows it."""
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


@cache
def amazon() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key such as Amazon's, and its certificate."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


INBOUND = Inbound.model_validate(
    {
        "sendgrid_public_keys": [sendgrid_public_key()],
        "mailgun_signing_keys": [MAILGUN_KEY],
        "postmark_secrets": [POSTMARK_SECRET],
        "ses_topic_arns": [TOPIC],
        "resend_secrets": [RESEND_SECRET],
        "stripe_secrets": [STRIPE_SECRET],
        "webhooks": [{"name": "box-office", "secrets": [OWN_SECRET]}],
    }
)
"""Every provider set up."""


@dataclass(frozen=True)
class Sent:
    """A request as a provider sends it to ``path`` below /webhooks/."""

    path: str
    body: bytes
    headers: dict[str, str]

    def with_body(self, body: bytes) -> Sent:
        """The same with other bytes, under the signature of these."""
        return replace(self, body=body)


def recorded(name: str) -> Any:
    """What a recorded file below email/ holds."""
    return json.loads((MAIL / name).read_bytes())


def stripe_sample(name: str) -> Any:
    """What a recorded file of Stripe's holds."""
    return json.loads((STRIPE / f"{name}.json").read_bytes())


def seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def as_bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content, indent=1).encode()


def sendgrid(content: Any, at: datetime = NOW, key: ec.EllipticCurvePrivateKey = _SENDGRID_KEY) -> Sent:
    body = as_bytes(content)
    signature = key.sign(seconds(at).encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": seconds(at),
    }
    return Sent("email/sendgrid", body, headers)


def mailgun(content: Any, at: datetime = NOW, key: str = MAILGUN_KEY, token: str = "t1") -> Sent:
    signature = hmac.new(key.encode(), (seconds(at) + token).encode(), hashlib.sha256).hexdigest()
    signed = {"signature": {"timestamp": seconds(at), "token": token, "signature": signature}} | content
    return Sent("email/mailgun", as_bytes(signed), {})


def postmark(content: Any, secret: str = POSTMARK_SECRET) -> Sent:
    credentials = base64.b64encode(f"postmark:{secret}".encode()).decode()
    return Sent("email/postmark", as_bytes(content), {"Authorization": f"Basic {credentials}"})


def sns(message: dict[str, Any], at: datetime = NOW, version: str = "1", **more: Any) -> Sent:
    """A message of SNS, signed; ``more`` replaces fields after signing."""
    whole = {"Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC} | message
    whole |= {"Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SignatureVersion": version}
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{whole[name]}\n" for name in names if name in whole)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = amazon()[0].sign(text.encode(), padding.PKCS1v15(), algorithm)
    whole |= {"Signature": base64.b64encode(signature).decode(), "SigningCertURL": CERTIFICATE_URL} | more
    return Sent("email/ses", as_bytes(whole), {"x-amz-sns-message-type": whole["Type"]})


def ses(name: str, at: datetime = NOW, message_id: str = "m-1") -> Sent:
    """A recorded event of SES inside a message of SNS."""
    content = recorded(f"amazon_ses/{name}")
    text = content["Message"] if "Message" in content else json.dumps(content)
    return sns({"Message": text, "MessageId": message_id}, at)


def standard(path: str, secret: str, content: Any, at: datetime, message_id: str, prefix: str) -> Sent:
    body = as_bytes(content)
    signature = Webhook(secret).sign(message_id, at, body.decode())
    named = {"id": message_id, "timestamp": seconds(at), "signature": signature}
    return Sent(path, body, {f"{prefix}-{name}": value for name, value in named.items()})


def resend(content: Any, at: datetime = NOW, message_id: str = "msg_1", secret: str = RESEND_SECRET) -> Sent:
    return standard("email/resend", secret, content, at, message_id, "svix")


def own(content: Any, at: datetime = NOW, message_id: str = "msg_1", secret: str = OWN_SECRET) -> Sent:
    return standard("box-office", secret, content, at, message_id, "webhook")


def stripe(content: Any, at: datetime = NOW, secret: str = STRIPE_SECRET) -> Sent:
    body = as_bytes(content)
    signature = hmac.new(secret.encode(), seconds(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return Sent("payments/stripe", body, {"Stripe-Signature": f"t={seconds(at)},v1={signature}"})


def stripe_event(kind: str, thing: dict[str, Any], event_id: str = "evt_1", **data: Any) -> dict[str, Any]:
    """Stripe's recorded event around one of its recorded objects, changed as ``thing`` says."""
    event = stripe_sample("event")
    names = {"payment_intent": "payment_intent", "checkout": "checkout.session"}
    name = names.get(kind.split(".")[0], "charge")
    recorded_thing = stripe_sample(name)
    created = int((NOW - timedelta(minutes=1)).timestamp())
    return event | {
        "id": event_id, "type": kind, "created": created, "data": {"object": recorded_thing | thing, **data},
    }  # fmt: skip


def fetch_certificate(address: str) -> bytes:
    """Amazon's certificate, and nothing else that is asked for."""
    assert address == CERTIFICATE_URL
    return amazon()[1]
