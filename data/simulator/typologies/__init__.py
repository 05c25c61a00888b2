"""How is each kind of fraud carried out?"""

from __future__ import annotations

from collections.abc import Callable

from data.simulator.payments import Payments
from data.simulator.typologies.account_takeover import take_over_accounts
from data.simulator.typologies.campaigns import Scene
from data.simulator.typologies.card_testing import try_cards
from data.simulator.typologies.first_party import abuse_chargebacks
from data.simulator.typologies.merchant_compromise import use_skimmed_cards
from data.simulator.typologies.scam import talk_into_paying
from data.simulator.typologies.shared_devices import run_rings

COMMIT: dict[str, Callable[[Scene, int], Payments]] = {
    "card_testing": try_cards,
    "account_takeover": take_over_accounts,
    "merchant_compromise": use_skimmed_cards,
    "shared_devices": run_rings,
    "first_party_abuse": abuse_chargebacks,
    "scam_payment": talk_into_paying,
}
"""By typology: a function that makes exactly so many fraudulent payments on a scene."""
