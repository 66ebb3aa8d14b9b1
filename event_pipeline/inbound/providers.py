"""Every provider whose webhooks are known, by the path at which it is answered."""

from __future__ import annotations

from collections.abc import Mapping

from event_pipeline.inbound.mailgun import Mailgun
from event_pipeline.inbound.postmark import Postmark
from event_pipeline.inbound.provider import Provider
from event_pipeline.inbound.sendgrid import SendGrid
from event_pipeline.inbound.ses import Ses
from event_pipeline.inbound.sns import Fetch, SnsSignatures
from event_pipeline.inbound.standard import OwnWebhook, Resend
from event_pipeline.inbound.stripe import Stripe
from event_pipeline.settings import Inbound


def providers(settings: Inbound, fetch: Fetch) -> Mapping[str, Provider]:
    """Providers by path below ``/webhooks/``, those that are not set up included."""
    known: dict[str, Provider] = {
        "email/sendgrid": SendGrid(settings),
        "email/mailgun": Mailgun(settings),
        "email/postmark": Postmark(settings),
        "email/ses": Ses(settings, SnsSignatures(fetch)),
        "email/resend": Resend(settings),
        "payments/stripe": Stripe(settings),
    }
    own = {webhook.name: OwnWebhook(settings, webhook) for webhook in settings.webhooks}
    return known | own
