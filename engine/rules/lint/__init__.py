"""What would an experienced colleague object to in these rules before they decide anything?"""

from engine.rules.lint.checks import CHECKS
from engine.rules.lint.subject import Check, Finding, Severity, Source, Subject, lint, sources_of

__all__ = ["CHECKS", "Check", "Finding", "Severity", "Source", "Subject", "lint", "sources_of"]
