"""How often would each rule, the model and the policy speak up if all were as before, and since when do they run?

What is new or changed is expected to be as loud as it was before the change: a rule as under its earlier versions, in
shadow or live, the model and the policy as those before them. The change's own preview is not asked: a mistyped
threshold looks just as loud there. A person who knows better states a rate when ending a pause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import scipy

from casework.safety import breaker_acts
from data import strict_yaml
from data.canonical import sha256_hex
from data.ledger import Ledger
from engine.breaker import DECLINES, MODEL, POLICY, RULE, Expected, Watch
from engine.policy import Breaker as Limits
from engine.rules.conditions import Listed, walk
from engine.rules.rule import Rule
from engine.rules.rule_set import RuleSet

HISTORY = timedelta(days=30)
FEWEST = 200
"""Earlier decisions below which nothing counts as known."""
UNKNOWN_ALERTS = 0.2
"""What a model or policy is expected to ask for at most where there is no history: they speak for all payments."""
_POLICY_FILE, _LISTS_FILE = "policy.yaml", "lists.yaml"

# What a rollout's candidate set decided is not the live set's: of no rule, model or policy that runs (`Breaker.see`).
# Only what a candidate decided is looked up in the approvals, for of a million decisions that is slow.
_PERIOD = "decided_at >= $since AND decided_at < $until"
_COUNTED = f"""
FROM (SELECT * FROM decisions WHERE {_PERIOD}) LEFT JOIN (
    SELECT d.transaction_seq AS tried, coalesce(d.set_id <> s.set_id, false) AS not_in_force
    FROM (SELECT transaction_seq, set_id, event_seq FROM decisions WHERE {_PERIOD} AND transaction_seq IN
          (SELECT transaction_seq FROM trial_answers WHERE arm = 'candidate' AND {_PERIOD})) d
    ASOF LEFT JOIN approved_sets s ON d.event_seq >= s.event_seq) ON tried = transaction_seq
WHERE tried IS NULL OR NOT not_in_force
"""
_OF_MODEL = "len(rules_hit) = 0 AND (outcome = 'decline' OR explored OR triage_reason = 'uncertain')"
_ALARMS = f"""
SELECT count(*) AS n,
       count(*) FILTER (tried IS NULL) AS n_live,
       count(*) FILTER (outcome = 'decline' OR explored) AS {DECLINES},
       count(*) FILTER (outcome <> 'approve' OR explored) AS {POLICY},
       count(*) FILTER (tried IS NULL AND {_OF_MODEL}) AS {MODEL}
{_COUNTED}
"""
_HITS = f"SELECT id, count(*) AS n FROM (SELECT unnest(rules_hit) AS id {_COUNTED}) GROUP BY id"
_BY_MODEL = f"SELECT model_id AS id, count(*) FILTER ({_OF_MODEL}) AS n {_COUNTED} GROUP BY model_id"
CHAMPIONS = ""
"""The subject of a count of whatever model was the champion, on what no candidate decided."""


@dataclass(frozen=True, slots=True)
class Running:
    """What decides: the files of the set, its rules and the model."""

    files: Mapping[str, bytes]
    rules: RuleSet
    model_id: str
    limits: Limits


class Sets:
    """The approved sets, newest first: since when is a file as it is, and what was it before?"""

    def __init__(self, ledger: Ledger) -> None:
        rows = ledger.read("SELECT set_id, files, approved_at FROM approved_sets ORDER BY event_seq DESC")
        self._rows = [(row["set_id"], orjson.loads(row["files"]), row["approved_at"]) for row in rows]

    def since(self, paths: Sequence[str]) -> datetime:
        """When these files came into force as they are now."""
        now = self._of(self._rows[0][1], paths)
        since = self._rows[0][2]
        for _, files, at in self._rows:
            if self._of(files, paths) != now:
                break
            since = at
        return since

    def before(self, path: str) -> tuple[str, str, datetime] | None:
        """The set, hash and moment of this file before it became what it is; None where it never was another."""
        now = self._rows[0][1].get(path)
        changed = [(row, files.get(path), at) for row, files, at in self._rows if files.get(path) != now]
        return (changed[0][0], changed[0][1], changed[0][2]) if changed and changed[0][1] else None

    def first(self, path: str) -> datetime:
        """When there was first such a file."""
        return min(at for _, files, at in self._rows if path in files)

    @staticmethod
    def _of(files: Mapping[str, str], paths: Sequence[str]) -> list[str | None]:
        return [files.get(path) for path in paths]


class History:
    """How many decisions the sets in force made in a period, and how many of each kind of alarm, as the breaker counts
    them while they are made; each period is asked once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[tuple[datetime, datetime], dict[str, dict[str, int]]] = {}

    def counts(self, kind: str, subject: str, since: datetime, until: datetime) -> tuple[int, int]:
        """Decisions and alarms from `since` until before `until`."""
        if since >= until:
            return 0, 0
        known = self._of(since, until)
        every = known[""]
        if kind == MODEL and subject == CHAMPIONS:
            return every["n_live"], every[MODEL]
        return every["n"], known[kind].get(subject, 0) if kind in known else every[kind]

    def _of(self, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
        if (since, until) not in self._known:
            period = {"since": since, "until": until}
            found = {
                kind: {row["id"]: row["n"] for row in self._ledger.read(query, period)}
                for kind, query in ((RULE, _HITS), (MODEL, _BY_MODEL))
            }
            self._known[since, until] = found | {"": self._ledger.read(_ALARMS, period)[0]}
        return self._known[since, until]


def watches(ledger: Ledger, running: Running, at: datetime) -> list[Watch]:
    """Everything to be watched from `at` on, with what was counted so far."""
    sets, history = Sets(ledger), History(ledger)
    found = [
        *(
            _rule_watch(ledger, rule, running, sets, history, at)
            for rule in running.rules
            if rule.status == "live"
        ),
        *_model_watch(ledger, running, history, at),
        _policy_watch(running, sets, history, at),
        *_declines_watch(history, at),
    ]
    return _restored(ledger, found, running, history, at)


def model_watches(ledger: Ledger, running: Running, at: datetime) -> list[Watch]:
    """The same of the model alone."""
    history = History(ledger)
    return _restored(ledger, _model_watch(ledger, running, history, at), running, history, at)


def _restored(
    ledger: Ledger, found: list[Watch], running: Running, history: History, at: datetime
) -> list[Watch]:
    stated = breaker_acts.stated_rates(ledger)
    for watch in found:
        rate = stated.get((watch.kind, watch.subject, watch.version))
        if rate is not None:
            watch.expected = Expected(rate, "stated")
        seen, alarms = history.counts(watch.kind, watch.subject, watch.since, at)
        watch.restore(seen, alarms, running.limits)
        if rate is not None or not watch.is_new(at, running.limits):
            watch.evidence = 0.0  # what has stood long, or was judged by a person, starts afresh
    return found


def expected(seen: int, alarms: int, unknown: float) -> Expected:
    """The upper end of the 95 % interval of Clopper and Pearson (1934), so that few decisions allow for much."""
    if seen < FEWEST:
        return Expected(unknown, "nothing", seen)
    high = float(scipy.stats.beta.ppf(0.975, alarms + 1, seen - alarms)) if alarms < seen else 1.0
    return Expected(high, "history", seen)


def version_of(rule: Rule, files: Mapping[str, bytes]) -> str:
    """What makes a rule what it is: its file, and the lists where it reads one."""
    parts = [sha256_hex(files.get(path, b"")) for path in _paths(rule)]
    return sha256_hex("".join(parts).encode())[:16]


def policy_version(files: Mapping[str, bytes]) -> str:
    return sha256_hex(files[_POLICY_FILE])[:16]


def _paths(rule: Rule) -> list[str]:
    own = f"catalogue/{rule.id}.yaml"
    return [own, _LISTS_FILE] if any(isinstance(node, Listed) for node in walk(rule.when)) else [own]


def _rule_watch(
    ledger: Ledger, rule: Rule, running: Running, sets: Sets, history: History, at: datetime
) -> Watch:
    paths = _paths(rule)
    since, limits = sets.since(paths), running.limits
    before = max(sets.first(paths[0]), since - HISTORY)
    if not _ran_before(ledger, sets, paths[0]):
        before = since
    known = _known(history, RULE, rule.id, (before, since, at), limits, limits.unknown_rate)
    return Watch(RULE, rule.id, version_of(rule, running.files), since, known)


def _known(
    history: History,
    kind: str,
    subject: str,
    moments: tuple[datetime, datetime, datetime],
    limits: Limits,
    unknown: float,
) -> Expected:
    """What is expected: of what has stood long, its own last thirty days; of what is new, what was before it.

    `moments`: from when on it was there in another form, since when it is as it is, and now.
    """
    before, since, at = moments
    old = at >= since + timedelta(days=limits.days)
    if old and history.counts(kind, subject, since, at)[0] >= limits.decisions:
        return expected(*history.counts(kind, subject, max(since, at - HISTORY), at), unknown)
    return expected(*history.counts(kind, subject, before, since), unknown)


def _ran_before(ledger: Ledger, sets: Sets, path: str) -> bool:
    """Whether the rule was evaluated, in shadow or live, before it became what it is (or only its lists changed)."""
    before = sets.before(path)
    if before is None:
        return True
    rows = ledger.read("SELECT content FROM artefacts WHERE sha256 = ?", [before[1]])
    return bool(rows) and strict_yaml.load(rows[0]["content"], path).value.get("status") in ("live", "shadow")


def _model_watch(ledger: Ledger, running: Running, history: History, at: datetime) -> list[Watch]:
    if not running.model_id:
        return []
    rows = ledger.read(
        "SELECT max(recorded_at) AS at FROM events WHERE kind = 'model.promoted' AND subject = ?",
        [f"model:{running.model_id}"],
    )
    since = rows[0]["at"]
    if since is None:
        return []
    moments = (since - HISTORY, since, at)
    known = _known(history, MODEL, CHAMPIONS, moments, running.limits, UNKNOWN_ALERTS)
    return [Watch(MODEL, running.model_id, running.model_id, since, known)]


def _policy_watch(running: Running, sets: Sets, history: History, at: datetime) -> Watch:
    since = sets.since([_POLICY_FILE])
    moments = (since - HISTORY, since, at)
    known = _known(history, POLICY, "", moments, running.limits, UNKNOWN_ALERTS)
    return Watch(POLICY, POLICY, policy_version(running.files), since, known)


def _declines_watch(history: History, at: datetime) -> list[Watch]:
    seen, alarms = history.counts(DECLINES, "", at - HISTORY, at)
    known = expected(seen, alarms, UNKNOWN_ALERTS)
    return [Watch(DECLINES, DECLINES, "", at, known)] if known.basis == "history" else []
