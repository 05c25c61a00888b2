"""Which names does the model part offer to the rest of the house?"""

from engine.model.dataset import Encoders, ModelFeatures, NamedFeatures, TrainingData
from engine.model.registry import ModelAlteredError, list_models, load, manifest_digest, save
from engine.model.scoring import Model
from engine.model.train import DEFAULTS, TrainedModel, checked_params, train

__all__ = [
    "DEFAULTS",
    "Encoders",
    "Model",
    "ModelAlteredError",
    "ModelFeatures",
    "NamedFeatures",
    "TrainedModel",
    "TrainingData",
    "checked_params",
    "list_models",
    "load",
    "manifest_digest",
    "save",
    "train",
]
