"""How far the raters of a project agree: rows in, plain numbers out; for page, API and command.

People are compared by what they said blind, once submitted; a review that ended without a judgement (bad
problem, bad split, give up) is set aside and counted. What a blind reviewer saw changes what they say, so two
people are compared only where both saw the same (`blind_shows`), and never once labels were shown.
"""

from annotator.reports.reading import Reading, agreement, by_meta, current, current_by_meta, read

__all__ = ["Reading", "agreement", "by_meta", "current", "current_by_meta", "read"]
