"""The one spelling of an address: in Python, in the SQL that people are erased by, and in dbt."""

import re
import unicodedata
from pathlib import Path

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.pipeline import query
from tributary.mailboxes import mailbox, mailbox_sql, spellings
from tributary.warehouse.literals import literal

MACROS = Path("dbt/macros/identity.sql")
#: Of every kind of what nobody sees: a zero width, a soft hyphen, a mark of direction, a selector, a control, a tag.
INVISIBLE = "\u200b\u00ad\u200e\u202d\u2060\ufeff\ufe0f\u0007\u034f\u061c\u3164\U000e0061"
BLANKS = " \t\n\u00a0\u1680\u2003\u202f\u205f\u3000\u2028\u0085"


def test_the_macro_of_dbt_is_the_same_expression():
    macro = jinja2.Template(MACROS.read_text() + "{{ normalised_email('t.email') }}").render().split("\n\n")[-1]
    assert re.sub(r"(?<=[(,])\s+|\s+(?=\))", "", macro.strip()) == mailbox_sql("t.email").replace(", ", ",")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((f"ki{c}m@post.example", "kim@post.example") for c in INVISIBLE),
        *((f"{c}kim@post.example{c}", "kim@post.example") for c in INVISIBLE + BLANKS),
        # A blank within an address is a mistake that nobody can mend.
        *((f"ki{c}m@post.example", None) for c in BLANKS),
        (" \u00a0\u200b Kim+Bills@POST.example \ufeff\u3000", "kim@post.example"),
        ("Kim <Kim@post.example>", "kim@post.example"),
        ('"Marlow, Kim" <kim+x@post.example> ', "kim@post.example"),
        ("<kim@post.example>", "kim@post.example"),
        ("mailto:kim@post.example", "kim@post.example"),
        ("MailTo: kim@post.example?subject=Your%20bill", "kim@post.example"),
        ("Kim <mailto:kim@post.example>", "kim@post.example"),
        ("zoe\u0308@post.example", "zo\u00eb@post.example"),
        ("kim@B\u00dcCHER.example", "kim@b\u00fccher.example"),
        ("kim@xn--bcher-kva.example", "kim@xn--bcher-kva.example"),
        ("kim@post.example, lea@post.example", None),
        ("kim@lea@post.example", None),
        ("Kim", None),
        ("+x@post.example", None),
        ("@post.example", None),
        ("kim@", None),
        ("kim@<post.example>", None),
        ("\u200b", None),
        ("", None),
    ],
)
def test_a_mailbox_has_one_spelling(text: str, expected: str | None):
    assert mailbox(text) == expected


VISIBLE = "ARABIC (?!LETTER MARK)|SYRIAC|KAITHI|EGYPTIAN"


def test_every_format_character_and_blank_of_unicode_is_known():
    """But for those that are seen, in scripts that no mail server takes."""
    for character in map(chr, range(0x110000)):
        kind = unicodedata.category(character)
        if kind in ("Zs", "Zl", "Zp") or character.isspace():
            assert mailbox(f"kim@post.example{character}") == "kim@post.example", hex(ord(character))
        elif kind in ("Cc", "Cf") and not re.match(VISIBLE, _name(character)):
            assert mailbox(f"ki{character}m@post.example") == "kim@post.example", hex(ord(character))


def _name(character: str) -> str:
    return unicodedata.name(character, "")


def test_the_domain_of_a_mailbox_has_two_spellings():
    assert set(spellings("kim@b\u00fccher.example")) == {"kim@b\u00fccher.example", "kim@xn--bcher-kva.example"}
    assert set(spellings("kim@xn--bcher-kva.example")) == {"kim@b\u00fccher.example", "kim@xn--bcher-kva.example"}
    assert set(spellings("kim@stra\u00dfe.example")) == {"kim@stra\u00dfe.example", "kim@xn--strae-oqa.example"}
    assert spellings("kim@post.example") == ("kim@post.example",)
    assert spellings("kim@-_.example") == ("kim@-_.example",)


#: Without two letters that the emulator lowers one to one: capital I with a dot, and a sigma at the end of a word.
letters = st.characters(exclude_categories=["Cs", "Co", "Cn"], exclude_characters="\x00\u0130\u03a3'\\\\")
parts = st.one_of(
    st.sampled_from([*'Kim@post.example@@+<>?;:"', *INVISIBLE, *BLANKS, "mailto:", "Kim <", "e\u0301", "xn--"]),
    st.sampled_from(["kim@post.example", "Lea+a@b.example", "a" * 64, "0123456789abcdef" * 4]),
    letters,
)
addresses = st.lists(parts, max_size=8).map("".join)


@pytest.mark.emulators
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(addresses, min_size=25, max_size=25, unique=True))
def test_sql_and_python_spell_alike(services: dict[str, str], texts: list[str]):
    values = ", ".join(literal(text) for text in texts)
    rows = query(f"select t as text, {mailbox_sql('t')} as mailbox from unnest([{values}]) as t")
    found = {row["text"]: row["mailbox"] for row in rows}
    assert found == {text: _expected(text) for text in texts}


def _expected(text: str) -> str | None:
    return mailbox(text) or (text if re.fullmatch(r"[0-9a-f]{64}", text) else None)
