"""How are amounts written in a file, told by an example, and which SQL reads them without guessing?

The example `1.234,56 €` says: a point groups thousands, a comma stands before the decimals, and the sign of the
currency may stand before or after. A cell written otherwise is not read at all, so that 1.234 never becomes 1234 by
accident.
"""

from __future__ import annotations

import re

from data.incoming.mapping_columns import AmountForm

AMOUNT_EXAMPLES = (
    "1234.56, 1234,56, '1,234.56', '1.234,56', '1 234,56', \"1'234.56\", each with a sign: $1,234.56"
)
_EXAMPLE = re.compile(
    r"(?P<before>[^\d\s.,'+-]{0,4}) ?(?:1(?P<group>[., '])234|1234|12)(?:(?P<point>[.,])\d{1,4})?"
    r" ?(?P<after>[^\d\s.,'+-]{0,4})\Z"
)
_SPACES = "[ \u00a0\u202f]"


def amount_form(example: str, negative: bool = False) -> AmountForm | None:
    """What an example says, or None where it cannot be understood or is ambiguous."""
    found = _EXAMPLE.match(example.strip())
    if not found or (found["before"] and found["after"]):
        return None
    group, point = found["group"] or "", found["point"] or ""
    if group and group == point:
        return None
    default = "," if group == "." else "."
    sign = found["before"] or found["after"] or ""
    return AmountForm(example, sign, group, point or default, negative)


def amount_pattern(form: AmountForm) -> str:
    """The regular expression of a cell in this form, alike for Python and DuckDB."""
    sign = f"(?:{re.escape(form.sign)})?" if form.sign else ""
    point = re.escape(form.point)
    group = _SPACES if form.group == " " else re.escape(form.group)
    whole = rf"(?:\d{{1,16}}|\d{{1,3}}(?:{group}\d{{3}})+)" if form.group else r"\d{1,16}"
    return rf"[-+]?{_SPACES}?{sign}{_SPACES}?[-+]?{whole}(?:{point}\d{{1,4}}0*)?{_SPACES}?{sign}"


def amount_sql(raw: str, form: AmountForm) -> str:
    """SQL for the plain text (1234.56) of a text cell in this form; null where it is written otherwise."""
    # Of what matched only digits, the point and the minus are kept.
    kept = f"regexp_replace({raw}, {_quoted(f'[^0-9{form.point}-]')}, '', 'g')"
    plain = f"replace({kept}, {_quoted(form.point)}, '.')"
    return f"CASE WHEN regexp_full_match({raw}, {_quoted(amount_pattern(form))}) THEN {plain} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
