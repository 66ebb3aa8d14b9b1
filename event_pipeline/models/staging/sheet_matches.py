"""Which registration a row of an event's sheet means."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.models.names import name_key

_ADDRESS = ["event_id", "participant_email"]


def with_registrations(rows: ir.Table, registrations: ir.Table) -> ir.Table:
    """The rows with ``_matched_id``, what the app says of it, ``_is_stranger`` and ``_walk_in_row``.

    By event and address; of several registrants of an address the one of the row's name, else the first: not cancelled
    before cancelled, earliest first. A name that no registrant of the address has is a stranger's when rows of the
    sheet name all of them. Without an address by event and name, where nothing typed says that it is somebody else.

    ``_walk_in_row`` is the row that stands for the person if nobody is matched: without an address the first of those
    with one name and one phone number, student id or, without both, one place in copies of the sheet.
    """
    addressed = _with_address(rows, registrations)
    found = _without_address(addressed.filter(addressed.participant_email.isnull()), registrations)
    joined = addressed.left_join(found, "sheet_row_id").drop("sheet_row_id_right")
    matched = joined.mutate(
        _matched_id=ibis.coalesce(
            joined._named_id,
            ibis.ifelse(joined._is_stranger, ibis.null("string"), joined._first_id),
            joined._found_id,
        )
    )
    said = registrations.select(
        _said_id=registrations.registration_id,
        _is_app_attended=(registrations.attendance_status == "attended")
        | (registrations.registration_status == "attended"),
        _payment_status=registrations.payment_status,
    )
    return _with_walk_in_rows(matched.left_join(said, matched._matched_id == said._said_id))


def _with_address(rows: ir.Table, registrations: ir.Table) -> ir.Table:
    """Adds ``_name``, ``_first_id``, ``_named_id`` and ``_is_stranger``; names are read only where they decide."""
    addressed = rows.filter(rows.participant_email.notnull())
    counted = addressed.group_by(_ADDRESS).agg(_rows=addressed.count())
    candidates = registrations.join(counted, _ADDRESS)
    several = (candidates._rows > 1) | (candidates.count().over(group_by=_ADDRESS) > 1)
    candidates = candidates.mutate(_is_several=several)
    candidates = candidates.mutate(
        _name=ibis.ifelse(candidates._is_several, name_key(candidates.participant_name), ibis.null("string"))
    )
    by_address = _first(candidates, _ADDRESS).select(
        *_ADDRESS, _first_id=ibis._.registration_id, _is_several=ibis._._is_several
    )
    named = candidates.filter(candidates._name.notnull())
    by_name = _first(named, [*_ADDRESS, "_name"]).select(*_ADDRESS, "_name", _named_id=ibis._.registration_id)
    names = by_name.group_by(_ADDRESS).agg(_names=by_name.count())
    joined = _left(_left(rows, by_address, _ADDRESS), names, _ADDRESS)
    needs_name = joined._is_several.fill_null(False) | joined.participant_email.isnull()
    keyed = joined.mutate(_name=ibis.ifelse(needs_name, name_key(joined.participant_name), ibis.null("string")))
    matched = _left(keyed, by_name, [*_ADDRESS, "_name"])
    met = matched.filter(matched._named_id.notnull())
    taken = met.group_by(_ADDRESS).agg(_taken=met._named_id.nunique())
    told = _left(matched, taken, _ADDRESS)
    is_stranger = told._named_id.isnull() & told._name.notnull() & (told._taken >= told._names)
    return told.mutate(_is_stranger=is_stranger.fill_null(False))


def _without_address(rows: ir.Table, registrations: ir.Table) -> ir.Table:
    """``_found_id`` of rows without an address that have the name of a registration and contradict it in nothing.

    A registration with an address is meant only by a row with its phone number or student id.
    """
    lost = rows.filter(rows._name.notnull()).select(
        "sheet_row_id", "event_id", "_name", _phone=rows.participant_phone, _student=rows.student_id
    )
    near = registrations.semi_join(lost, "event_id")
    near = near.select(
        "event_id", "registration_id", "registered_at", "participant_email", "participant_phone", "student_id",
        "registration_status", _name=name_key(near.participant_name),
    )  # fmt: skip
    pairs = lost.join(near, ["event_id", "_name"])
    same_phone = (pairs._phone == pairs.participant_phone).fill_null(False)
    same_student = (pairs._student == pairs.student_id).fill_null(False)
    other = ((pairs._phone != pairs.participant_phone) | (pairs._student != pairs.student_id)).fill_null(False)
    is_meant = same_phone | same_student | (pairs.participant_email.isnull() & ~other)
    meant = pairs.mutate(_is_exact=same_phone | same_student).filter(is_meant)
    rank = ibis.row_number().over(
        group_by="sheet_row_id",
        order_by=[
            ~meant._is_exact,
            meant.participant_email.notnull(),
            (meant.registration_status == "cancelled").fill_null(False),
            meant.registered_at,
            meant.registration_id,
        ],
    )
    ranked = meant.mutate(_rank=rank)
    return ranked.filter(ranked._rank == 0).select("sheet_row_id", _found_id=ranked.registration_id)


def absent_rows(rows: ir.Table, absent: ir.Table) -> ir.Table:
    """``sheet_row_id`` and ``_is_absent`` of rows that mean a registration which is not there any more.

    By event and address; without an address by event and name, as ``_without_address`` compares them.
    """
    addressed = rows.filter(rows.participant_email.notnull()).semi_join(absent, _ADDRESS)
    lost = rows.filter(rows.participant_email.isnull() & rows._name.notnull()).select(
        "sheet_row_id", "event_id", name_key=rows._name, _phone=rows.participant_phone.fill_null(""),
        _student=rows.student_id.fill_null(""),
    )  # fmt: skip
    pairs = lost.join(absent, ["event_id", "name_key"])
    has_both = (pairs._phone != "") & (pairs.participant_phone != ""), (pairs._student != "") & (pairs.student_id != "")
    is_same = pairs._phone == pairs.participant_phone, pairs._student == pairs.student_id
    is_known = (has_both[0] & is_same[0]) | (has_both[1] & is_same[1])
    is_other = (has_both[0] & ~is_same[0]) | (has_both[1] & ~is_same[1])
    meant = pairs.filter(is_known | ((pairs.participant_email == "") & ~is_other))
    found = ibis.union(addressed.select("sheet_row_id"), meant.select("sheet_row_id"), distinct=True)
    return found.mutate(_is_absent=ibis.literal(True))


def _with_walk_in_rows(matched: ir.Table) -> ir.Table:
    place = matched.sheet_row_id.re_replace("^[^/]*/", "")
    known_by = ibis.coalesce(matched.participant_phone, matched.student_id, place)
    person = ibis.ifelse(matched.participant_email.isnull(), matched._name + "|" + known_by, matched.sheet_row_id)
    keyed = matched.mutate(_person=ibis.coalesce(person, matched.sheet_row_id))
    first = keyed.sheet_row_id.min().over(group_by=["event_id", "_person"])
    return keyed.mutate(_walk_in_row=first)


def _first(candidates: ir.Table, keys: list[str]) -> ir.Table:
    """Of each combination of ``keys`` the registration that counts first."""
    order = ibis.row_number().over(
        group_by=keys,
        order_by=[
            (candidates.registration_status == "cancelled").fill_null(False),
            candidates.registered_at,
            candidates.registration_id,
        ],
    )
    ranked = candidates.mutate(_rank=order)
    return ranked.filter(ranked._rank == 0).drop("_rank")


def _left(rows: ir.Table, more: ir.Table, keys: list[str]) -> ir.Table:
    return rows.left_join(more, keys).drop(*(f"{key}_right" for key in keys))
