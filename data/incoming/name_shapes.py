"""Are a column's values of a kind that leads to a person by itself, such as an e-mail address or a card's number?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_MOST_OF_THEM = 0.8
_SAMPLED = 1000
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"[2-6]\d{12,18}")
# Without the plus, or a mark after the area's code, a number could count anything; and 01-02-2026 is a day.
_PHONE = re.compile(r"\+[1-9]\d{6,14}|0\d{2,5}[ /-]\d{3}[\d -]{1,9}|\(0?\d{2,5}\) ?\d{3}[\d -]{1,9}")


def shape_of(cells: Sequence[str]) -> str:
    """What four of five cells look like: 'e-mail addresses', 'IBANs', 'card numbers' or 'phone numbers'; '' for none
    of these."""
    looked_at = cells[:_SAMPLED]
    for shape, fits in _SHAPES.items():
        if looked_at and sum(map(fits, looked_at)) > _MOST_OF_THEM * len(looked_at):
            return shape
    return ""


def _is_email(cell: str) -> bool:
    return bool(_EMAIL.fullmatch(cell))


def _is_iban(cell: str) -> bool:
    """ISO 13616: with the first four characters last and letters as two digits, the remainder by 97 is 1."""
    plain = cell.replace(" ", "").upper()
    return (
        bool(_IBAN.fullmatch(plain))
        and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1
    )


def _is_card(cell: str) -> bool:
    """ISO/IEC 7812: every second digit from the right doubled, the sum of all digits ends in 0."""
    plain = re.sub("[ -]", "", cell)
    if not _CARD.fullmatch(plain):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in plain[-2::-2])
    return (sum(map(int, plain[-1::-2])) + sum(doubled)) % 10 == 0


def _is_phone(cell: str) -> bool:
    spaced = re.sub(r"[ ()/.-]", "", cell) if cell.startswith("+") else cell
    return bool(_PHONE.fullmatch(spaced))


_SHAPES: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": _is_email,
    "IBANs": _is_iban,
    "card numbers": _is_card,
    "phone numbers": _is_phone,
}
