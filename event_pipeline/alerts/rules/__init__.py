"""The rules: each looks at the scene and says what is wrong, in sentences for people.

Thresholds come from ``alerts.rules`` in the settings, under the rule's own name.
"""

from event_pipeline.alerts.rules.rule import RULES, Rule

__all__ = ["RULES", "Rule"]
