"""The one spelling of an e-mail address: in Python, and as SQL for BigQuery.

Both are made of the same patterns, and `normalised_email` in dbt/macros/identity.sql is this SQL; a test holds the
three together. Patterns are in RE2's syntax. Why each rule is as it is: dbt/DECISIONS.md.
"""

import re
import unicodedata
from contextlib import suppress

import idna

#: Characters that nobody sees: controls, format characters, fillers, selectors of variants. They go, wherever they are.
INVISIBLE = (
    r"[\x{0}-\x{8}\x{E}-\x{1F}\x{7F}-\x{84}\x{86}-\x{9F}\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}"
    r"\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}\x{FFF0}-\x{FFFB}"
    r"\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{E0000}-\x{E0FFF}]"
)
#: Blanks of every width. Around an address they go; within one, it is none.
BLANKS = r"[\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{2800}\x{3000}]+"
#: The address itself, out of a name with the address in angle brackets or a `mailto:` link.
ADDRESS = r"^ ?(?:[^<>]*< ?)?(?:[Mm][Aa][Ii][Ll][Tt][Oo]: ?)?([^@ +<>][^@ <>]*@[^@ <>?]+)(?:\?[^<>]*)? ?>? ?$"
#: What follows a plus sign: the same mailbox.
TAG = r"\+[^@]*@"
#: A hash in place of an address: contracts that hash addresses do so after this spelling.
HASH = r"^[0-9a-f]{64}$"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\x\{([0-9A-F]+)\}", lambda code: re.escape(chr(int(code[1], 16))), pattern))


_INVISIBLE, _BLANKS, _ADDRESS, _TAG = map(_compiled, (INVISIBLE, BLANKS, ADDRESS, TAG))


def visible(text: str) -> str:
    """The text without invisible characters, composed (NFC), its blanks as single spaces."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))


def mailbox(text: str) -> str | None:
    """The mailbox that an address leads to, in its one spelling; None where it is no address."""
    found = _ADDRESS.match(visible(text))
    return found and _TAG.sub("@", found[1]).lower()


def spellings(address: str) -> tuple[str, ...]:
    """A mailbox as people and as the name servers write it: its domain in letters, and in ASCII (punycode)."""
    local, _, domain = address.rpartition("@")
    domains = [domain]
    with suppress(idna.IDNAError, UnicodeError):
        domains.append(idna.encode(domain).decode())
    with suppress(idna.IDNAError, UnicodeError):
        domains.append(idna.decode(domain))
    return tuple(f"{local}@{domain}" for domain in dict.fromkeys(domains))


def mailbox_sql(value: str) -> str:
    """The same as an expression in SQL; a hash stays as it is."""
    seen = f"normalize(regexp_replace({value}, r'{INVISIBLE}', ''), NFC)"
    spaced = f"regexp_replace({seen}, r'{BLANKS}', ' ')"
    address = f"regexp_extract({spaced}, r'{ADDRESS}')"
    return f"coalesce(lower(regexp_replace({address}, r'{TAG}', '@')), regexp_extract({value}, r'{HASH}'))"
