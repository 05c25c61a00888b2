"""Where is the key that seals a ledger kept, outside its workspace?

One small file a ledger, named after its key, in a folder that belongs to the person or service running Second Look:
`$SECONDLOOK_KEYS`, else `$XDG_CONFIG_HOME/secondlook/keys`, else `~/.config/secondlook/keys`. It also says from which
event on the ledger is sealed, since the ledger itself could be made to say otherwise.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from data.errors import LedgerError
from data.storage.durable import force_names, make_folder

VARIABLE = "SECONDLOOK_KEYS"
_NAME = re.compile(r"key_[0-9a-f]{16}")
_BYTES = 32


def places(ledger: Path) -> list[str]:
    """The names a ledger's file has: where it lies, and the name it was reached by if that led through a link."""
    lies, reached = os.path.realpath(ledger), os.path.normpath(ledger.absolute())
    is_link = reached != lies and os.path.realpath(reached) == lies
    return [lies, reached] if is_link else [lies]


def is_among(here: list[str], *noted: str) -> bool:
    """Whether a place that was noted is one of these, by its name or by what its name leads to now."""
    return any(name in here or os.path.realpath(name) in here for name in noted if name)


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """A ledger's key. `sealed_from` is the first event that must carry a seal; `ledger` the file it was made for, and
    `through` the name it was reached by then, where that led through a link ('' where not)."""

    key_id: str
    secret: bytes
    sealed_from: int
    ledger: str
    through: str = ""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The folder of keys. Making the object touches no disk."""

    folder: Path

    @classmethod
    def default(cls) -> Keyring:
        """The folder that the environment names, or the person's own."""
        named = os.environ.get(VARIABLE)
        if named:
            return cls(Path(named))
        base = os.environ.get("XDG_CONFIG_HOME")
        return cls((Path(base) if base else Path.home() / ".config") / "secondlook" / "keys")

    def make(
        self, ledger: Path, sealed_from: int, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> LedgerKey:
        """A fresh key, on disk and readable by its owner only. LedgerError if the folder cannot be written."""
        place, *links = places(ledger)
        made = LedgerKey(f"key_{random(8).hex()}", random(_BYTES), sealed_from, place, "".join(links))
        told = {"key": made.secret.hex(), "sealed_from": sealed_from, "ledger": place}
        told |= {"through": made.through} if links else {}
        try:
            make_folder(self.folder, mode=0o700)
            handle = os.open(self.file(made.key_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
                out.flush()
                os.fsync(out.fileno())
            force_names(self.folder)
        except OSError as problem:
            raise LedgerError(
                f"the ledger's key cannot be written ({problem.strerror})",
                where=str(self.folder),
                hint=f"Name a folder outside the workspace in {VARIABLE}.",
            ) from problem
        return made

    def find(self, key_id: str) -> LedgerKey:
        """The key of that name. LedgerError where it is absent or is no key."""
        file = self.file(key_id)
        try:
            told = orjson.loads(file.read_bytes())
            secret = bytes.fromhex(told["key"])
            made_for = str(told["ledger"]), str(told.get("through", ""))
            found = LedgerKey(key_id, secret, int(told["sealed_from"]), *made_for)
        except FileNotFoundError as problem:
            raise LedgerError(
                "the key that seals this ledger is not here",
                where=str(file),
                hint=f"Put it back from where it is kept, or name its folder in {VARIABLE}; without it nothing can be "
                "recorded or verified.",
            ) from problem
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise LedgerError(
                "this key cannot be read", where=str(file), hint="Put it back from a copy."
            ) from problem
        if len(secret) != _BYTES:
            raise LedgerError(
                "this is not a key", where=str(file), allowed=f"{2 * _BYTES} hexadecimal digits"
            )
        return found

    def made_for(self, ledger: Path) -> list[LedgerKey]:
        """Keys that were made for a ledger at this place, whatever the ledger itself says."""
        names = sorted(file.stem for file in self.folder.glob("key_*.key"))
        here = places(ledger)
        return [key for key in map(self.find, names) if is_among(here, key.ledger, key.through)]

    def file(self, key_id: str) -> Path:
        """Where the key of that name lies. LedgerError for a name that is none (it comes from the ledger)."""
        if not _NAME.fullmatch(key_id):
            raise LedgerError(
                f"{key_id[:40]!r} is not the name of a key", allowed="key_ and 16 hexadecimal digits"
            )
        return self.folder / f"{key_id}.key"

    def anchor_file(self, key_id: str) -> Path:
        """Where heads of the chain under that key are noted."""
        return self.file(key_id).with_suffix(".anchors")
