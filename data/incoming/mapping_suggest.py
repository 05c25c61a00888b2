"""Which mapping would fit this file, as a draft that says why for a person to correct?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.incoming import mapping_guesses as guesses
from data.incoming.column_profile import ColumnProfile, profiles
from data.incoming.mapping import RESERVED
from data.incoming.mapping_guesses import Guess, quoted
from data.incoming.name_shapes import shape_of

_ENTITY_WORDS = {
    *(
        "customer",
        "client",
        "card",
        "account",
        "acct",
        "user",
        "merchant",
        "terminal",
        "device",
        "ip",
        "store",
    ),
    *("shop", "orig", "dest", "sender", "receiver", "recipient", "payer", "payee", "beneficiary", "iban"),
    *("addr", "entity", "company", "seller", "buyer", "cc", "pan", "payor", "vendor", "wallet"),
    *(
        "kunde",
        "konto",
        "karte",
        "handler",
        "gerat",
        "compte",
        "carte",
        "cliente",
        "cuenta",
        "tarjeta",
        "comercio",
    ),
}
_ID_WORDS = {"id", "no", "num", "number", "key", "hash", "name", "address", "ref", "code", "token", "info"}
_PERSONAL_WORDS = {
    *("email", "mail", "phone", "tel", "telephone", "mobile", "street", "birth", "dob", "ssn", "passport"),
    *("surname", "firstname", "lastname", "fullname", "zip", "zipcode", "postcode", "city", "latitude"),
    *("longitude", "lat", "lon", "long"),
}
_PLACES = frozenset(("merchant", "terminal", "store", "shop", "device", "company"))
_CODES = frozenset(("bin", "code", "mcc", "type", "category", "country", "product", "bank"))
_LETTERS = re.compile(r"[^\W\d_]+([ .'-][^\W\d_]*)*")
_CURRENCY = re.compile("[A-Z]{3}")
_MOST_CATEGORIES = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping as text that loads, the guess for every column, and what a person should look at first."""

    text: str
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


def suggest_mapping(path: Path) -> Draft:
    """Draft a mapping for a CSV or Parquet file from its first rows.

    MappingError for a file that cannot be read, and for one without a usable clock.
    """
    columns = profiles(path)
    clock = guesses.clock(columns, path)
    taken = [clock]
    for guess in (guesses.label, guesses.known_at, guesses.transaction_id, guesses.amount, _currency):
        used = {each.column for each in taken}
        found = guess([column for column in columns if column.name not in used])
        if found:
            taken.append(found)
    used, names = {each.column for each in taken}, set(RESERVED)
    has_label = any(each.role == "label" for each in taken)
    for column in columns:
        if column.name not in used:
            taken.append(_named(_other(column, has_label), names))
    notes = tuple(_notes(taken, columns))
    return Draft(_text(path, taken, notes, columns), tuple(taken), notes)


def _currency(columns: Sequence[ColumnProfile]) -> Guess | None:
    for column in columns:
        if (
            column.has("currency", "ccy", "curr", "wahrung", "devise", "moneda")
            and column.cells
            and column.share(_CURRENCY) == 1.0
        ):
            found = ", ".join(code for code, _ in column.counts.most_common(5))
            return Guess(column.name, "currency", "currency", quoted(column.name), f"three capitals: {found}")
    return None


def _other(column: ColumnProfile, has_label: bool) -> Guess:
    """Personal, entity, attribute, or left out: the first that fits."""
    name, value = _ledger_name(column.name), quoted(column.name)
    left_out = _left_out(column, has_label)
    if left_out:
        return Guess(column.name, "", name, value, left_out)
    if shape := _names_people(column):
        entity = re.sub(r"_id\Z", "", name)
        why = f"{_entity(column)}; they are {shape}, so only keyed pseudonyms are kept"
        return Guess(column.name, "entities", entity, f"{{column: {value}, pseudonym: true}}", why)
    if why := _personal(column):
        return Guess(column.name, "personal", name, value, why)
    if why := _entity(column):
        return Guess(column.name, "entities", re.sub(r"_id\Z", "", name), value, why)
    kind, why = _attribute(column)
    if not kind:
        return Guess(column.name, "", name, value, why)
    return Guess(column.name, "attributes", name, f"{{column: {value}, type: {kind}}}", why)


def _left_out(column: ColumnProfile, has_label: bool) -> str:
    if not column.cells:
        return "empty in every row looked at"
    if column.distinct == 1 and len(column.cells) == column.rows and not column.has("flag"):
        return "the same in every row looked at"
    if has_label and column.has("fraud", "chargeback", "label", "fraudulent", "betrug", "fraude"):
        return "speaks of fraud, so it may be known only afterwards and give the label away"
    if column.is_time:
        return "another time; take it as transaction.arrival if it says when the row reached you"
    return ""


def _names_people(column: ColumnProfile) -> str:
    """What an entity's values look like that lead to a person by themselves; '' for keys, and where it is no entity."""
    return shape_of(column.cells) if _entity(column) else ""


def _personal(column: ColumnProfile) -> str:
    if column.has("domain"):
        return ""
    if shape := shape_of(column.cells):
        return f"holds {shape}"
    # Of a column of numbers only the last word counts: zip is where somebody lives, zip_count is not.
    said = column.words[-1:] if column.is_number else column.words
    word = next((word for word in said if word in _PERSONAL_WORDS), "")
    if word and not (column.is_number and column.distinct <= 2):
        return f"'{word}' in its name"
    is_name = column.has("name") and not column.is_number and not _PLACES & {*column.words}
    return "holds names" if is_name and column.share(_LETTERS) > 0.8 else ""


def _entity(column: ColumnProfile) -> str:
    words = [word for word in column.words if not word.isdigit()]
    said = [word for word in words if word in _ENTITY_WORDS]
    fits = bool(said) and all(word in _ENTITY_WORDS | _ID_WORDS for word in words)
    ends_in_id = bool(words) and words[-1] == "id"
    many = column.distinct > max(12, len(column.cells) // 100)
    if column.is_number and not column.is_whole:
        fits = ends_in_id = False
    if fits and (many or ends_in_id):
        return f"'{said[0]}' in its name; {column.distinct} different values"
    if ends_in_id and many and not column.is_unique:
        return f"an id that repeats; {column.distinct} different values"
    return ""


def _attribute(column: ColumnProfile) -> tuple[str, str]:
    values = {cell.lower() for cell in column.cells}
    asks = column.words[:1] in (("is",), ("has",)) or (column.is_number and values <= {"0", "1"})
    if values <= {"true", "false"} or (asks and values <= {"0", "1", "true", "false", "yes", "no", "y", "n"}):
        return "flag", "two values, yes and no"
    if column.is_number and not (column.is_whole and ({*column.words} & (_CODES | _ENTITY_WORDS))):
        return "number", f"numbers from {min(column.numbers):g} to {max(column.numbers):g}"
    if column.distinct <= max(_MOST_CATEGORIES, len(column.cells) // 20):
        return "category", f"{column.distinct} different values"
    return "", f"{column.distinct} different values: too many for a category"


def _ledger_name(column: str) -> str:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()
    name = re.sub(r"[^a-z0-9]+", "_", name).strip("_")[:55].strip("_")
    usable = re.match("[a-z]", name) and name not in ("true", "false", "null")
    return name if usable else f"c_{name}".rstrip("_")


def _named(guess: Guess, names: set[str]) -> Guess:
    """The guess under a name that is still free."""
    name, number = guess.name, 1
    while name in names:
        number += 1
        name = f"{guess.name}_{number}"
    if guess.role:
        names.add(name)
    return Guess(guess.column, guess.role, name, guess.value, guess.why)


def _of(taken: Iterable[Guess], role: str) -> list[Guess]:
    return [guess for guess in taken if guess.role == role]


def _notes(taken: Sequence[Guess], columns: Sequence[ColumnProfile]) -> Iterable[str]:
    if not _of(taken, "id"):
        yield "No column names a transaction, so a row's own content stands for its id."
    if not _of(taken, "amount"):
        yield from guesses.amount_doubts(columns)
        yield "No amount was found; policy.yaml says what a transaction is worth instead (assumed_amount)."
    if not _of(taken, "label"):
        yield "No label was found; outcomes can come in a later file (see `outcomes` in docs/mapping.md)."
    if not _of(taken, "entities"):
        yield "No entity was found, so nothing can be counted over time; name customers or cards if there are any."
    for guess in _of(taken, "currency"):
        count = next(column.distinct for column in columns if column.name == guess.column)
        if count > 1:
            yield f"There are {count} currencies: give `rates`, or `currency: {{constant: USD}}` if it is but one."


def _text(path: Path, taken: Sequence[Guess], notes: Sequence[str], columns: Sequence[ColumnProfile]) -> str:
    rows = max((column.rows for column in columns), default=0)
    name = _shown(path.name)
    lines = [
        f"# A draft for {name}, from its first {rows} rows. Every line is a guess: read it, and correct it."
    ]
    lines += [f"# {note}" for note in notes]
    currency = _base_currency(taken, columns)
    lines += ["version: 1", f"institution: {quoted(_shown(path.name.split('.')[0]))}"]
    lines += [f"base_currency: {currency}    # in which costs and thresholds are given"]
    lines += [
        "time_zone: UTC    # where nights and weekends are, and times without an offset",
        "transaction:",
    ]
    lines += _transaction(taken, currency)
    for role in ("entities", "attributes", "personal"):
        if found := _of(taken, role):
            lines.append(f"{role}:")
            lines += [f"  {guess.name}: {guess.value}    # {guess.why}" for guess in found]
    lines += _label(taken)
    if left := _of(taken, ""):
        lines.append("# Left out:")
        lines += [f"#   {_shown(guess.column)}: {guess.why}" for guess in left]
    return "\n".join(lines) + "\n"


def _transaction(taken: Sequence[Guess], currency: str) -> Iterable[str]:
    ids, clock = _of(taken, "id"), _of(taken, "clock")[0]
    yield f"  id: {ids[0].value}    # {ids[0].why}" if ids else "  id: {from: row}"
    yield f"  occurred_at: {clock.value}    # {clock.why}"
    for guess in _of(taken, "amount"):
        yield f"  amount: {guess.value}    # {guess.why}"
    found = _of(taken, "currency")
    yield (
        f"  currency: {found[0].value}    # {found[0].why}"
        if found
        else f"  currency: {{constant: {currency}}}"
    )


def _label(taken: Sequence[Guess]) -> Iterable[str]:
    found, known = _of(taken, "label"), _of(taken, "known_at")
    for guess in found:
        when = f"known_at: {known[0].value}" if known else "known_after: 7d"
        yield f"# {guess.why}."
        yield (
            f"# {known[0].column} {known[0].why}."
            if known
            else "# Seven days until a label is known are a guess."
        )
        yield f"label: {{{guess.value}, {when}}}"


def _base_currency(taken: Sequence[Guess], columns: Sequence[ColumnProfile]) -> str:
    for guess in _of(taken, "currency"):
        column = next(column for column in columns if column.name == guess.column)
        return column.counts.most_common(1)[0][0]
    signs = {"$": "USD", "£": "GBP", "¥": "JPY"}
    written = "".join(guess.value for guess in _of(taken, "amount"))
    return next((code for sign, code in signs.items() if sign in written), "EUR")


def _shown(text: str) -> str:
    """Text of somebody else's as it may stand in a comment: one short line."""
    return "".join(c if c.isprintable() else " " for c in text)[:80].strip() or "data"
