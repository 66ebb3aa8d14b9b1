"""The one place that reads configuration: ``PIPELINE_*`` variables and an optional ``event_pipeline.toml``.

Nested settings take two underscores (``PIPELINE_ORGANISATION__TIME_ZONE``). Variables win over the file. Every other
module is handed a ``Settings`` or a part of one; none reads the environment.
"""

from event_pipeline.settings.alert_rule import AlertRule, Severity
from event_pipeline.settings.alert_rules import AlertRules
from event_pipeline.settings.alerts import Alerts, Receiver
from event_pipeline.settings.dashboard import Dashboard
from event_pipeline.settings.exports import Exports
from event_pipeline.settings.inbound import Inbound, Webhook
from event_pipeline.settings.pipeline import Settings, toml_path
from event_pipeline.settings.reading import load_settings, read_settings
from event_pipeline.settings.sections import (
    Api,
    Features,
    Organisation,
    Retention,
    Rule,
    Schedules,
    Stream,
    Validation,
)
from event_pipeline.settings.sources import Firebase, Sheets, Spreadsheet
from event_pipeline.settings.values import COLLECTIONS, Collection, Cron, LogLevel

__all__ = [
    "COLLECTIONS",
    "AlertRule",
    "AlertRules",
    "Alerts",
    "Api",
    "Collection",
    "Cron",
    "Dashboard",
    "Exports",
    "Features",
    "Firebase",
    "Inbound",
    "LogLevel",
    "Organisation",
    "Receiver",
    "Retention",
    "Rule",
    "Schedules",
    "Settings",
    "Severity",
    "Sheets",
    "Spreadsheet",
    "Stream",
    "Validation",
    "Webhook",
    "load_settings",
    "read_settings",
    "toml_path",
]
