"""Words by which rows of a sheet are told from totals and labels, and marks from other texts."""

from __future__ import annotations

SUM_STARTS = frozenset([
    "total", "totals", "totales", "subtotal", "subtotals", "grandtotal", "gesamt", "gesamtsumme", "insgesamt",
    "summe", "zwischensumme", "totale", "totaal", "totalt", "итого", "всего", "कुल", "মোট", "மொத்தம்",
    "మొత్తం", "ಒಟ್ಟು", "ആകെ", "કુલ", "ਕੁੱਲ", "المجموع", "مجموع", "합계", "合计", "合計", "总计", "總計", "小计", "小計"
])  # fmt: skip
"""First words of a total, which no name begins with."""
SUMS = SUM_STARTS | frozenset([
    "sum", "count", "average", "avg", "balance", "grand",
    "sub", "overall", "number", "no", "of", "participants", "registrations", "people", "students", "entries",
    "records", "paid", "collected", "amount", "suma", "योग", "somme", "moyenne", "celkem", "razem"
])  # fmt: skip
"""Words of a line that holds nothing but them and numbers."""
NO_NAMES = frozenset([
    "true", "false", "yes", "no", "y", "n", "na", "nil", "none", "null", "nan", "undefined", "tbd", "tba",
    "unknown", "ok", "error", "paid", "unpaid", "present", "absent"
])  # fmt: skip
"""What stands in a column of names and is none."""
STATES = frozenset([
    "registered", "attended", "cancelled", "canceled", "confirmed", "notattended", "individual", "team", "solo",
    "yes", "verified", "pending", "rejected", "present", "absent", "paid", "unpaid", "notpaid", "checkedin", "true",
    "p", "y", "x", "✓", "✔", "☑", "✅", "√", "👍"
])  # fmt: skip
"""What states and marks say of people; no and FALSE are not here, as empty tick boxes hold them."""
YES = frozenset([
    "true", "yes", "y", "x", "1", "✓", "✔", "☑", "✅", "√", "👍", "ja", "oui", "si", "sí", "sì", "sim", "da", "tak",
    "evet", "haan", "हाँ", "हां", "হ্যাঁ", "はい", "是", "예", "네"
])  # fmt: skip
"""Words and signs that say yes in a column of marks."""
NO = frozenset([
    "false", "no", "n", "0", "✗", "✘", "❌", "☐", "nein", "non", "não", "nao", "nie", "nej", "nahi", "nahin", "नहीं",
    "না", "いいえ", "否", "아니요"
])  # fmt: skip
"""Words and signs that say no in a column of marks."""
PRESENT = frozenset(["p", "present", "attended", "came", "here", "checked in", "arrived", "done"])
"""Words that say yes in a column of attendance alone."""
ABSENT = frozenset([
    "a", "ab", "absent", "no show", "not present", "not attended", "not attending", "not came", "not come",
    "not checked in", "did not attend", "didnt attend", "did not come", "didnt come"
])  # fmt: skip
"""Words that say no in a column of attendance alone."""
