"""A demo organisation of any size: plainly synthetic, in the app's real shapes and with its real untidiness."""

from event_pipeline.demo.generate import DEFAULT_AS_OF, LARGEST, SMALLEST, DemoSummary, generate_demo

__all__ = ["DEFAULT_AS_OF", "LARGEST", "SMALLEST", "DemoSummary", "generate_demo"]
