"""Where does one institution keep its ledger, key, rules, models and snapshots?"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from casework.people import signin
from data import approved
from data.errors import ConflictError, InputError
from data.incoming.mapping import Mapping, load_mapping
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from data.storage.durable import force_all, make_folder

MAPPING_FILE = "mapping.yaml"
BACKUPS = "SECONDLOOK_BACKUPS"
DEFAULT_WORKSPACE = Path("demo-workspace")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of one workspace. Making the object touches no disk; `opened` checks that it is one."""

    root: Path

    @property
    def ledger_file(self) -> Path:
        return self.root / "secondlook.duckdb"

    @property
    def key_file(self) -> Path:
        return self.root / "secret.key"

    @property
    def mapping_file(self) -> Path:
        return self.root / MAPPING_FILE

    @property
    def rules(self) -> Path:
        return self.root / "rules"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def files(self) -> Path:
        """Attachments, by their hash."""
        return self.root / "files"

    @property
    def backups(self) -> Path:
        """Where backups go that nobody named another folder for: $SECONDLOOK_BACKUPS, else beside the workspace."""
        named = os.environ.get(BACKUPS)
        return Path(named) if named else self.root.resolve().parent / f"{self.root.resolve().name}-backups"

    @property
    def scrub_file(self) -> Path:
        """There while what was erased may still be in the write-ahead log or the journal."""
        return self.root / "erasure.unfinished"

    @property
    def restore_file(self) -> Path:
        """There while a backup is being put back, until all of it is verified."""
        return self.root / "restore.unfinished"

    @property
    def server_file(self) -> Path:
        return self.root / "server.json"

    @property
    def token_file(self) -> Path:
        return self.root / "server.token"

    @property
    def exists(self) -> bool:
        return self.ledger_file.is_file()

    def opened(self) -> Workspace:
        """Itself, if it is a whole workspace that nobody is restoring; InputError saying what is missing otherwise."""
        if self.restore_file.exists():
            raise InputError(
                "a backup was being put back here, and that has not ended: nothing of it is verified",
                where=str(self.root),
                hint="If no `secondlook restore` is at work here any more, delete this directory and restore again.",
            )
        return self.whole()

    def whole(self) -> Workspace:
        """The same, asked by the restore itself."""
        if not self.exists:
            raise InputError(
                "there is no workspace here",
                where=str(self.root),
                hint="Make one with 'secondlook init DIR --mapping FILE', or build the demo with 'secondlook demo'.",
            )
        for needed in (self.key_file, self.mapping_file):
            if not needed.is_file():
                raise InputError(
                    f"{needed.name} is missing",
                    where=str(self.root),
                    hint="Put it back from a backup; it cannot be made again.",
                )
        return self

    def key(self) -> bytes:
        """The 32 bytes behind every keyed draw. InputError if the file does not hold 64 hex digits."""
        text = self.key_file.read_text(encoding="ascii", errors="replace").strip()
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise InputError("this is not a key", where=str(self.key_file), allowed="64 hexadecimal digits")
        return key

    def mapping(self) -> Mapping:
        return load_mapping(self.mapping_file)

    def model_folder(self, model_id: str) -> Path:
        return self.models / model_id


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, and that is never readable by others even for a moment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(text)
    path.chmod(0o600)


@dataclass(frozen=True, slots=True)
class Admin:
    """The person who makes a workspace, and with it approves its first set of rules."""

    user_id: str
    password: str


def create(
    root: Path, mapping_file: Path, files: dict[str, bytes], admin: Admin, *, at: datetime
) -> Workspace:
    """Make a workspace with its first approved set. Nothing is left behind if it cannot be made.

    `files` are the proposals to write under rules/, by path; a mapping among them is left out, since it is no
    proposal. Raises ConflictError if `root` already holds anything, MappingError or ConfigError if a file is wrong.
    """
    workspace = Workspace(root)
    files = {name: content for name, content in files.items() if name != MAPPING_FILE}
    if root.exists() and any(root.iterdir()):
        raise ConflictError(
            "this directory is not empty", where=str(root), hint="Choose a new one; nothing was written."
        )
    mapping = load_mapping(mapping_file)
    fresh = not root.exists()
    try:
        _write_files(workspace, mapping_file, files)
        _first_entries(workspace, mapping, files, admin, at)
        force_all(root)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        if not fresh:
            root.mkdir()
        raise
    return workspace


def _write_files(workspace: Workspace, mapping_file: Path, files: dict[str, bytes]) -> None:
    for folder in (workspace.root, workspace.rules, workspace.models, workspace.snapshots):
        make_folder(folder)
    for name, content in files.items():
        target = workspace.rules / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    shutil.copyfile(mapping_file, workspace.mapping_file)
    write_private(workspace.key_file, secrets.token_hex(32) + "\n")


def _first_entries(
    workspace: Workspace, mapping: Mapping, files: dict[str, bytes], admin: Admin, at: datetime
) -> None:
    keyring = Keyring.default()
    ledger = Ledger.create(workspace.ledger_file, mapping, at=at, actor=admin.user_id, keyring=keyring)
    try:
        with ledger.writing() as w:
            signin.add_user(w, admin.user_id, "admin", admin.password, by=admin.user_id, at=at)
            approved.approve(w, files, by=admin.user_id, reason="the first set of this workspace", at=at)
    finally:
        ledger.close()
