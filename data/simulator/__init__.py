"""What would an institution's payments, frauds, chargebacks and analysts look like, made up at will?"""

from data.simulator.analysts import PROFILES, AnalystProfile, Judgement, SimulatedAnalyst, case_difficulty
from data.simulator.chargebacks import FRAUD_REASON_CODES, NON_FRAUD_REASON_CODES, is_fraud_reason
from data.simulator.config import TYPOLOGIES, Drift, InstitutionConfig
from data.simulator.files import write_csv, write_parquet
from data.simulator.institution import Simulated, simulate

__all__ = [
    "FRAUD_REASON_CODES",
    "NON_FRAUD_REASON_CODES",
    "PROFILES",
    "TYPOLOGIES",
    "AnalystProfile",
    "Drift",
    "InstitutionConfig",
    "Judgement",
    "Simulated",
    "SimulatedAnalyst",
    "case_difficulty",
    "is_fraud_reason",
    "simulate",
    "write_csv",
    "write_parquet",
]
