"""Which words and formats do people read? Every label, phrase, amount, time and share on screen comes from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ABSENT = "–"
MINUS = "−"

ROLES = {
    "analyst": "Fraud analyst",
    "team_lead": "Team lead",
    "risk_manager": "Risk manager",
    "auditor": "Auditor",
    "admin": "Admin",
    "integrator": "Integrator",
}

# Sign, word, theme colour: an outcome is never told by its colour alone.
OUTCOMES = {
    "approve": ("✓", "Approve", "green"),
    "review": ("◐", "Review", "orange"),
    "decline": ("✕", "Decline", "red"),
}
VERDICTS = {
    "confirmed_fraud": ("✕", "Confirmed fraud", "red"),
    "legitimate": ("✓", "Dismissed as legitimate", "green"),
    "inconclusive": ("?", "Unsure", "gray"),
}
DISPOSITIONS = {
    "released": ("✓", "Released", "green"),
    "declined": ("✕", "Declined", "red"),
    "already_settled": ("•", "Already settled", "gray"),
    "reversed": ("↺", "Reversed", "violet"),
}
RULE_STATES = {
    "hit": ("◆", "Hit", "orange"),
    "no_hit": ("○", "No hit", "gray"),
    "missing": ("?", "Input missing", "violet"),
    "snoozed": ("☾", "Snoozed", "gray"),
    "error": ("!", "Error", "red"),
}
CASE_STATES = {
    "open": ("○", "Open", "blue"),
    "in_adjudication": ("⚖", "In adjudication", "violet"),
    "closed": ("✓", "Closed", "gray"),
    "timed_out": ("!", "Timed out", "red"),
    "merged": ("→", "Merged", "gray"),
}
STATUSES = {
    "live": ("●", "Live", "green"),
    "shadow": ("◌", "Shadow", "violet"),
    "draft": ("✎", "Draft", "blue"),
    "retired": ("–", "Retired", "gray"),
    "paused": ("‖", "Paused", "red"),
    "champion": ("★", "Champion", "green"),
    "challenger": ("◇", "Challenger", "blue"),
    "refused": ("✕", "Refused", "orange"),
    "promoted": ("★", "Promoted", "green"),
    "failed": ("!", "Failed", "red"),
    "running": ("…", "Running", "blue"),
    "done": ("✓", "Done", "green"),
    "waits_for_sign_off": ("◐", "Waits for sign-off", "orange"),
    "cancelled": ("↺", "Cancelled", "gray"),
    "missed": ("!", "Missed", "orange"),
}

PROPOSALS = {
    "open": ("○", "Open", "blue"),
    "approved": ("✓", "Approved", "green"),
    "rejected": ("✕", "Rejected", "red"),
    "withdrawn": ("↺", "Withdrawn", "gray"),
    "replaced": ("→", "Replaced", "gray"),
}
SEVERITY_ORDER = {"error": 0, "warning": 1, "info": 2}

LANES = {
    "money_at_risk": "Money at risk",
    "uncertain": "Uncertain",
    "review": "Review",
    "audit": "Audit",
    "golden": "Golden",
    "second": "Second review",
    "re_serve": "Re-serve",
    "adjudication": "Adjudication",
    "training": "Training",
    "campaign": "Labelling campaign",
}
REASONS = {
    "uncertain": "The score is uncertain",
    "rule_asks": "A rule asks for a person",
    "model_and_rule_disagree": "Model and rule disagree",
    "unlike_anything_seen": "Unlike anything seen",
    "high_amount": "High amount",
    "audit": "Audit: the random slice that is always looked at",
    "drift": "This segment has drifted",
    "fail_safe": "Fail-safe",
    "by_hand": "Opened by hand",
    "review": "Chosen for review",
    "adjudication": "Two reviewers differ",
}
TYPOLOGIES = {
    "card_testing": "Card testing",
    "account_takeover": "Account takeover",
    "merchant_compromise": "Merchant compromise",
    "shared_devices": "Shared devices",
    "first_party_abuse": "First-party abuse",
    "scam_payment": "Scam payment",
    "structuring": "Structuring",
    "other": "Other",
}
REASON_CODES = {
    "unusual_amount": "Unusual amount",
    "new_device": "New device or place",
    "velocity": "Too many, too fast",
    "shared_entity": "Shared device, card or address",
    "known_pattern": "Known fraud pattern",
    "explained_by_history": "Explained by history",
    "customer_confirmed": "Customer confirmed it",
    "customer_denied": "Customer denied it",
    "missing_information": "Information is missing",
    "other": "Other",
}
CONFIDENCES = {"low": "Low", "medium": "Medium", "high": "High", "certain": "Certain"}
FLAGS = {"data_wrong": "Data is wrong", "possible_bias": "Possible bias", "guideline_gap": "Guideline gap"}
ARMS = {"score_shown": "Score shown", "blind_first": "Decide first"}

NO_MODEL = "No model ran: the rules decided alone."
BLIND = (
    "**You decide first on this one.** Score, rules and explanation are hidden, "
    "so that your reading of the facts is your own."
)

_TIGHT_PERCENT = re.compile(r"(\d)%")
# ISO 4217 currencies whose minor unit is not a hundredth, as the ledger has them.
_MINOR_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}  # fmt: skip
_STRENGTHS = (
    (1.5, "very strongly"),
    (0.75, "strongly"),
    (0.3, "clearly"),
    (0.1, "slightly"),
    (0.0, "barely"),
)


def title_of(code: str, known: Mapping[str, str]) -> str:
    """The label of a code; an unknown code is shown as words rather than hidden."""
    return known.get(code) or code.replace("_", " ").capitalize() or ABSENT


def capital(text: str) -> str:
    """The text with a capital first letter and the rest as it is."""
    return text[:1].upper() + text[1:]


def typologies(named: Iterable[str]) -> dict[str, str]:
    """The typologies to offer: the usual ones, those that the institution's rules name, and "other" last."""
    own = {code: title_of(code, TYPOLOGIES) for code in sorted(set(named) - {"", "none"})}
    offered = {**TYPOLOGIES, **own}
    return {**{code: offered[code] for code in offered if code != "other"}, "other": TYPOLOGIES["other"]}


def badge(code: str | None, known: Mapping[str, tuple[str, str, str]]) -> str:
    """Markdown of a coloured badge with sign and word."""
    if not code:
        return ABSENT
    sign, word, colour = known.get(code, ("•", code.replace("_", " ").capitalize(), "gray"))
    return f":{colour}-badge[{sign} {word}]"


def sign_and_word(code: str | None, known: Mapping[str, tuple[str, str, str]]) -> str:
    """The badge without colour, for tables and charts."""
    if not code:
        return ABSENT
    sign, word, _ = known.get(code, ("•", code.replace("_", " ").capitalize(), "gray"))
    return f"{sign} {word}"


def signed(known: Mapping[str, tuple[str, str, str]]) -> dict[str, str]:
    """Sign and word of every code, for choices."""
    return {code: f"{sign} {word}" for code, (sign, word, _) in known.items()}


def plain(text: str) -> str:
    """Text from data made safe to stand inside Markdown."""
    for mark in "\\`*_{}[]<>#|$~:":
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", " ")


def sentence(text: str) -> str:
    """A sentence of the API made safe for Markdown, its shares written as everywhere on screen: 37% -> `37 %`."""
    return plain(_TIGHT_PERCENT.sub(r"\1 %", text))


def minor_digits(currency: str) -> int:
    return _MINOR_DIGITS.get(currency, 2)


def least(currency: str) -> float:
    """One minor unit in major units: by this much an amount is stepped and told."""
    return 1 / 10 ** minor_digits(currency)


def major(minor: float, currency: str) -> float:
    """An amount in major units, from minor units of `currency` (ISO 4217 exponent)."""
    return minor / 10 ** minor_digits(currency)


def money(minor: float | None, currency: str, *, short: bool = False) -> str:
    """`123456, EUR` -> `1,234.56 EUR`; short leaves out the minor digits from 1,000 up."""
    if minor is None:
        return ABSENT
    value = major(minor, currency)
    digits = 0 if short and abs(value) >= 1000 else minor_digits(currency)
    return f"{value:,.{digits}f} {currency}".strip().replace("-", MINUS)


def count(number: float | None) -> str:
    return ABSENT if number is None else f"{number:,.0f}".replace("-", MINUS)


def number(value: float | None, digits: int = 2) -> str:
    return ABSENT if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


def percent(share: float | None, digits: int | None = None) -> str:
    """A share as percent, with more digits where it is small: 0.0042 -> `0.42 %`, 0.87 -> `87 %`."""
    if share is None:
        return ABSENT
    value = share * 100
    if digits is None:
        size = abs(value)
        digits = 0 if 10 <= size <= 99 or size in (0, 100) else 1 if size >= 1 else 2
    return f"{value:.{digits}f} %".replace("-", MINUS)


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    return "" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def plural(n: float, one: str, many: str = "") -> str:
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def listed(items: Iterable[str]) -> str:
    """`a, b and c`."""
    parts = list(items)
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def moment(value: str | datetime | None) -> datetime | None:
    """An aware UTC time from RFC 3339 text; None for nothing."""
    if not value:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def when(value: str | datetime | None, zone: str = "UTC", *, seconds: bool = False) -> str:
    """A time in the reader's zone: `Tue 3 Nov 2026, 14:05`."""
    at = moment(value)
    if at is None:
        return ABSENT
    local = at.astimezone(ZoneInfo(zone))
    day = f"{local:%a} {local.day} {local:%b}"
    return f"{day} {local:%Y}, {local:%H:%M:%S}" if seconds else f"{day} {local:%Y}, {local:%H:%M}"


def span(length: timedelta) -> str:
    """A length of time in at most two units: `3 d 4 h`, `12 min`, `40 s`."""
    total = int(abs(length.total_seconds()))
    parts = [(total // 86400, "d"), (total // 3600 % 24, "h"), (total // 60 % 60, "min"), (total % 60, "s")]
    first = next((i for i, (n, _) in enumerate(parts) if n), 3)
    kept = parts[first : first + (2 if first < 2 else 1)]
    return " ".join(f"{n} {unit}" for n, unit in kept if n) or "0 s"


def due(value: str | datetime | None, now: datetime) -> str:
    """How long until a deadline, or how long it has been over."""
    at = moment(value)
    if at is None:
        return "no deadline"
    return f"in {span(at - now)}" if at >= now else f"{span(now - at)} over"


def ago(value: str | datetime | None, now: datetime) -> str:
    at = moment(value)
    return ABSENT if at is None else f"{span(now - at)} ago"


def strength(contribution: float) -> str:
    """How much a contribution in log-odds moves, in a word or two: `very strongly`."""
    return next(word for least, word in _STRENGTHS if abs(contribution) >= least)


def pull(contribution: float) -> str:
    """What a contribution in log-odds does, in words: `pushes strongly towards fraud`."""
    return f"pushes {strength(contribution)} towards {'fraud' if contribution > 0 else 'legitimate'}"


def times(ratio: float) -> str:
    """`14.2` -> `14 times`, `1.34` -> `1.3 times`, `0.4` -> `0.4 times`."""
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"
