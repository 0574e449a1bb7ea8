r"""What is taken out of content before anybody keeps it: secrets, and what tells who somebody is.

Rules over text, and over JSON by its texts: an escape (``\u0040`` for @) hides nothing. What is
found leaves a mark in its place, [email], [card] and so on. To redact twice changes nothing.

Not found: what is spelt out ("ann at example dot org"), encoded otherwise (base64), names and
addresses of streets. Sources: ISO/IEC 7812 (cards, with Luhn's sum), ISO 13616 (IBAN, with
mod 97), E.164 (telephone numbers have 15 digits at most).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from spend.secret_shapes import MARK as SECRET
from spend.secret_shapes import without_secrets

OWN: Final = "[redacted]"
"""In the place of what a tenant's own patterns find."""
_MARK: Final = re.compile(r"(\[(?:card|email|iban|ip|phone|redacted|secret)\])")
_PASSES: Final = 20
"""What one rule leaves can make room for another; who needs more of it plays games."""
_DEEPEST: Final = 60
"""JSON within JSON."""

# Nobody sees them, and each would hide what it stands in. What joins letters of some scripts, or
# emoji, only goes from among ASCII.
_MARKS: Final = (
    "\x00-\x08\x0b-\x1f\x7f\u00ad\u034f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufeff\ud800-\udfff"
)
_JOINERS: Final = "\u180e\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e007f"
_UNSEEN: Final = re.compile(f"(?<=[!-~])[{_MARKS}{_JOINERS}]+(?=[!-~])|[{_MARKS}]")
# As they are typed among East Asian letters.
_WIDE: Final = {
    0xFF00 + ord(char) - 0x20: char
    for char in "+-.@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
}
# Of JSON within JSON that was cut, too.
_ESCAPED: Final = re.compile(r"\\{1,8}u00([2-7][0-9a-fA-F])")
_EMAIL: Final = re.compile(r"[\w.+%'-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_THIN: Final = "\u00a0\u2007\u2009\u202f"
_GAP: Final = f" .{_THIN}\u2010-\u2015-"
_DIGITS: Final = re.compile(rf"\d(?:[{_GAP}]?\d){{12,}}")
_GROUP: Final = re.compile(r"\d+")
_IBAN: Final = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_PHONES: Final = (
    re.compile(rf"(?<![\w+])\+(?:[ ().{_THIN}/-]{{0,2}}\d){{7,15}}(?!\d)"),
    re.compile(rf"(?<![\w.,-])00[1-9](?:[ ().{_THIN}/-]{{0,2}}\d){{7,13}}(?!\d)"),
    re.compile(r"(?<![\w.,-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?!\w)"),
    # Possessive: a long number has too many ways to be taken apart.
    re.compile(
        rf"(?<![\w.,:/-])\(?0[1-9]\d{{0,4}}\)?[{_THIN} /-]{{1,3}}"
        rf"\d{{2,}}+(?:[{_THIN} /-]\d{{2,}}+){{0,4}}(?!\w)"
    ),
)
_DATE: Final = re.compile(r"\d{2}([ /-])\d{2}\1\d{2,4}")
_LEAST_OF_PHONE: Final = 7
_IP: Final = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])"
)
_CARD_LENGTHS: Final = range(13, 20)
_CARDS: Final = re.compile(r"3[04-9]|4|5[0-8]|6|2[2-7]")
"""How the numbers of cards begin that are paid with."""
_IBAN_LENGTHS: Final = {
    said[:2]: int(said[2:])
    for said in re.findall(
        r"[A-Z]{2}\d{2}",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27"
        " DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22"
        " IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19"
        " MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31"
        " SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
    )
}

Rule = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is taken out."""

    ips: bool = False
    """Addresses of machines, too."""
    own: Sequence[Rule] = ()
    """A tenant's own: each puts OWN in the place of what it finds."""
    secrets: Rule = without_secrets
    """For texts of strangers that of ``store.contents.linear_patterns``: no text makes it slow."""

    def rules(self) -> Iterator[Rule]:
        """In their order: what is longest first."""
        yield self.secrets
        yield _emails
        if self.ips:
            yield _ips
        yield _numbers
        yield from self.own


def redacted(text: str, how: Redaction) -> str:
    """A text, or JSON, as it may be kept. At most twelve times as long."""
    return _text(_seen(text), how, 0)


def _seen(text: str) -> str:
    """A text as people read it."""
    return _UNSEEN.sub("", text if text.isascii() else text.translate(_WIDE))


def _text(text: str, how: Redaction, depth: int) -> str:
    told = _read(text) if depth < _DEEPEST else None
    if told is None:
        return _plain(text, how)
    try:
        return json.dumps(_walked(told[0], how, depth), ensure_ascii=False)
    except RecursionError:
        return _plain(text, how)


class _Pairs(list[tuple[str, Any]]):
    """An object's members: of two with one name both count."""


def _read(text: str) -> tuple[Any] | None:
    """What a text says as JSON: an object, a list or a text; None where it is no JSON."""
    if text[:1] not in {"{", "[", '"'} and text.lstrip()[:1] not in {"{", "[", '"'}:
        return None
    try:
        return (json.loads(text, object_pairs_hook=_Pairs, parse_float=_real, parse_int=_whole),)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < min(_CARD_LENGTHS) else digits


def _real(digits: str) -> float | str:
    return float(digits) if len(digits) < min(_CARD_LENGTHS) else digits


def _walked(told: Any, how: Redaction, depth: int) -> Any:
    match told:
        case _Pairs():
            names: dict[str, Any] = {}
            again: Counter[str] = Counter()
            for name, value in told:
                kept = first = _plain(_seen(name), how)
                while kept in names:
                    again[first] += 1
                    kept = f"{first}'{again[first]}"
                names[kept] = _named(first, value, how, depth)
            return names
        case list():
            return [_walked(each, how, depth + 1) for each in told]
        case str():
            return _text(_seen(told), how, depth + 1)
        case _:
            return told


def _named(name: str, value: Any, how: Redaction, depth: int) -> Any:
    """A member: its name may say that it is a secret."""
    if isinstance(value, str):
        # As the shapes of secrets say it: password=…
        said = f"{name}={value}"
        if not any(char.isspace() for char in value) and how.secrets(said) == SECRET:
            return SECRET
    return _walked(value, how, depth + 1)


def _plain(text: str, how: Redaction) -> str:
    for _pass in range(_PASSES):
        before = text
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        for rule in how.rules():
            # A mark stays what it is.
            text = "".join(
                piece if number % 2 else rule(piece)
                for number, piece in enumerate(_MARK.split(text))
            )
        if text == before:
            return text
    return OWN


def _emails(text: str) -> str:
    return _EMAIL.sub("[email]", text) if "@" in text or "%40" in text else text


def _numbers(text: str) -> str:
    """Accounts, cards and telephones; most texts have too few digits for any."""
    if sum(map(text.count, "0123456789")) < _LEAST_OF_PHONE and text.isascii():
        return text
    text = _DIGITS.sub(_card, _IBAN.sub(_iban, text))
    for shape in _PHONES:
        text = shape.sub(_phone, text)
    return text


def _iban(found: re.Match[str]) -> str:
    said = found[0]
    places = [place for place, char in enumerate(said) if char.isalnum()]
    size = _IBAN_LENGTHS.get(said[:2].upper(), 0)
    if not size or len(places) < size or said[places[size - 1] + 1 :][:1].isalnum():
        return said
    compact = "".join(said[place] for place in places[:size]).upper()
    turned = compact[4:] + compact[:4]
    if int("".join(str(int(char, 36)) for char in turned)) % 97 != 1:
        return said
    return "[iban]" + said[places[size - 1] + 1 :]


def _card(found: re.Match[str]) -> str:
    """A run of digits with the cards in it marked: each begins and ends with a group."""
    said = found[0]
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(said)]
    told, after, first = "", 0, 0
    while first < len(groups):
        last = _card_from(said, groups, first)
        if last is not None:
            told += said[after : groups[first][0]] + "[card]"
            after = groups[last][1]
            first = last
        first += 1
    return told + said[after:]


def _card_from(said: str, groups: Sequence[tuple[int, int]], first: int) -> int | None:
    """The last group of a card that begins with the ``first`` one."""
    start, end = groups[first]
    if said[start - 1 : start] == "." and end - start >= min(_CARD_LENGTHS):
        return None  # what stands behind the point of a number
    digits = ""
    for number in range(first, min(first + max(_CARD_LENGTHS), len(groups))):
        digits += said[slice(*groups[number])]
        if len(digits) > max(_CARD_LENGTHS):
            return None
        if len(digits) in _CARD_LENGTHS and _CARDS.match(digits) and _adds_up(digits):
            return number
    return None


def _adds_up(digits: str) -> bool:
    """Luhn's sum."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - of two digits, their sum
    return total % 10 == 0


def _phone(found: re.Match[str]) -> str:
    said = found[0]
    digits = sum(char.isdigit() for char in said)
    return said if digits < _LEAST_OF_PHONE or _DATE.fullmatch(said) else "[phone]"


def _ips(text: str) -> str:
    return _IP.sub(_ip, text) if "." in text or ":" in text else text


def _ip(found: re.Match[str]) -> str:
    try:
        ip_address(found[0])
    except ValueError:
        return found[0]
    return "[ip]"
