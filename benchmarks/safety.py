"""What does control at run time add to each decision? Process time in microseconds, medians of alternating rounds.

python -m benchmarks.safety
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time

from casework.live import read_settings
from casework.safety import effects
from data import approved
from data.incoming.mapping import load_mapping
from data.transactions import Transaction
from engine.breaker import RULE, Breaker, Expected, Watch
from engine.control import Control, ListEntry, Snooze
from engine.costs import CapacityState
from engine.decide import Engine
from engine.decision import Decision
from engine.features.online import OnlineState

RULES = Path(__file__).parents[1] / "rules"
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROUNDS, COUNT = 31, 400


def main() -> None:
    files = approved.read_folder(RULES)
    settings = read_settings(files, load_mapping(RULES / "mapping.yaml"))
    state = OnlineState(settings.features)
    bare = Engine(
        state=state, rules=settings.rules, policy=settings.policy, model=None, key=bytes(32), set_id="s"
    )
    whole = Engine(
        state=state, rules=settings.rules, policy=settings.policy, model=None, key=bytes(32), set_id="s",
        segments=settings.segments, control=_control(),
    )  # fmt: skip
    payments = [_payment(n) for n in range(COUNT)]
    rows = [state.features(payment) for payment in payments]

    def decide(engine: Engine) -> list[Decision]:
        return engine.decide_rows(payments, rows, at=AT, load=CapacityState())

    made = decide(whole)
    watches = [Watch(RULE, rule.id, "v", AT, Expected(0.01, "history")) for rule in settings.rules]
    breaker = Breaker(watches, settings.policy.breaker, "s")
    timed: dict[str, Callable[[], object]] = {
        "decide, without segments and control": lambda: decide(bare),
        "decide, with both": lambda: decide(whole),
        "breaker": lambda: breaker.see(made, AT),
        "effects": lambda: list(effects.of(made, _CONTROL)),
    }
    spent: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(ROUNDS):
        for name, work in timed.items():
            began = process_time()
            work()
            spent[name].append((process_time() - began) / COUNT * 1e6)
    for name, found in spent.items():
        print(f"{name:40} {median(found):7.1f} us a decision")


def _control() -> Control:
    """A thousand snoozes and a thousand entries, none of which concerns these payments."""
    later = AT + timedelta(days=1)
    return Control(
        snoozes=[Snooze(f"s{n}", "card", f"other{n}", "", later) for n in range(1000)],
        entries=[ListEntry(f"e{n}", "device", f"other{n}", "block", "", later) for n in range(1000)],
    )


def _payment(number: int) -> Transaction:
    entities = {"customer": f"c{number}", "card": f"k{number}", "merchant": "m1", "device": f"d{number}"}
    attributes = {
        "merchant_category": "groceries",
        "merchant_country": "DE",
        "country": "DE",
        "channel": "ecom",
    }
    return Transaction(
        f"t{number}",
        AT,
        2000 + number,
        entities,
        {**attributes, "age_band": "30-39"},
        None,
        "EUR",
        {},
        number + 1,
    )


_CONTROL = _control()

if __name__ == "__main__":
    main()
