"""E-mail, Slack, Teams, Telegram and a hundred more, by their Apprise address."""

from __future__ import annotations

from event_pipeline.alerts.alert import Kind
from event_pipeline.alerts.delivery.outbox import Notification
from event_pipeline.alerts.delivery.wording import Wording, severity_of
from event_pipeline.errors import PermanentError, TransientError

_SHOWN_AS: dict[Kind, str] = {"resolved": "success", "test": "info"}
_BY_SEVERITY = {"info": "info", "warning": "warning", "critical": "failure"}


def send(url: str, notification: Notification, wording: Wording) -> None:
    """Tell it. Raises PermanentError for an address that Apprise cannot read, TransientError when it was not taken.

    Apprise does not say why: what the service answered is in the log, at the level WARNING.
    """
    import apprise

    plugin = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(app_id="Event Pipeline"))
    if not isinstance(plugin, apprise.NotifyBase):
        raise PermanentError("Apprise cannot read the receiver's url; see https://appriseit.com/services/ for its form")
    kind = _SHOWN_AS.get(notification.kind, _BY_SEVERITY[severity_of(notification)])
    taken = plugin.notify(
        body=wording.text(notification), title=wording.title(notification), notify_type=apprise.NotifyType(kind)
    )
    if not taken:
        raise TransientError(f"{plugin.service_name} did not take it; the log says why")
