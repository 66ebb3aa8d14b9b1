"""The worksheets of an event's spreadsheet and the names their columns go by, the app's own and what people type."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = (
    "Name", "Full name", "Student name", "Participant name", "Participant", "Name of participant", "Your name",
    "Name of the participant", "Name of student", "Name of the student", "Attendee name", "Attendee",
    "First name", "Given name", "Forename",
)  # fmt: skip
FIRST_NAMES = ("First name", "Given name", "Forename")
SURNAMES = ("Last name", "Surname", "Family name")
"""Columns that hold the two parts of a name."""
_EMAIL = ("Email", "Email ID", "Email address", "Mail", "Mail ID", "Participant email", "Your email")
_PHONE = (
    "Phone", "Phone No", "Phone number", "Mobile", "Mobile No", "Mobile number", "Contact No", "Contact number",
    "Participant phone", "Contact", "WhatsApp", "WhatsApp No", "WhatsApp number", "Telephone", "Cell",
)  # fmt: skip
_SERIAL = ("S.No.", "Serial No.", "Serial number", "Sl. No.", "Sr. No.")
_STUDENT_ID = (
    "Student ID",
    "Scholar ID",
    "Scholar No",
    "Roll No",
    "Roll number",
    "Participant ID",
    "Registration No",
    "Enrolment No",
    "Enrollment No",
)
_DEPARTMENT, _YEAR = ("Department", "Dept", "Branch"), ("Year", "Year of study")
_NOTES = ("Notes", "Note", "Remarks", "Remark")
FORM_TIMESTAMPS = ("Timestamp", "Zeitstempel", "Horodateur", "Marca temporal", "Carimbo de data/hora", "Tijdstempel")
"""What Google Forms calls its first column, in which it writes when an answer was given."""
ORGANISERS_FIELDS = frozenset(
    {"attendance_status", "payment_verified", "payment_amount", "payment_screenshot", "notes"}
)
"""What organisers say of a participant, not participants of themselves."""
LATE_FIELDS = frozenset({"payment_verified", "payment_amount", "payment_screenshot", "notes"})
"""Columns that the app writes after those of the event's own questions."""


@dataclass(frozen=True, eq=False, slots=True)
class Worksheet:
    """What one worksheet of an event's spreadsheet holds.

    ``columns`` maps a field to the headers it goes by, the app's own first. ``key_prefix`` starts the keys of its rows;
    ``key_fields`` name a row that has no e-mail. ``other_titles`` match what a worksheet without that title may be
    called instead, compared as ``normalise_header`` writes it.
    """

    title: str
    key_prefix: str
    columns: Mapping[str, tuple[str, ...]]
    key_fields: tuple[str, ...]
    required: bool
    other_titles: str = ""


REGISTRATIONS = Worksheet(
    title="Registrations",
    key_prefix="",
    columns={
        "serial_number": _SERIAL,
        "name": _NAME,
        "email": _EMAIL,
        "phone": _PHONE,
        "student_id": _STUDENT_ID,
        "department": _DEPARTMENT,
        "year": _YEAR,
        "registration_type": ("Registration Type", "Type"),
        "registration_status": ("Registration Status", "Status"),
        "attendance_status": (
            "Attendance Status",
            "Attendance",
            "Attended",
            "Present",
            "Present or absent",
            "Present/Absent",
            "Checked in",
        ),
        "attendance_time": ("Attendance Time", "Attendance timestamp", "Check-in time", "Checked in at"),
        "registration_date": ("Registration Date", "Registered on", "Registered at", *FORM_TIMESTAMPS),
        "payment_verified": ("Payment Verified", "Payment Status", "Paid"),
        "payment_amount": ("Payment Amount", "Amount", "Amount paid"),
        "payment_screenshot": ("Payment Screenshot", "Payment screenshot URL", "Payment proof"),
        "notes": _NOTES,
    },
    key_fields=("name", "phone"),
    required=True,
    other_titles=r"formresponses\d*|formularantworten\d*",
)
TEAM_MEMBERS = Worksheet(
    title="Team Members",
    key_prefix="member:",
    columns={
        "serial_number": _SERIAL,
        "team_name": ("Team Name", "Team"),
        "team_lead_name": ("Team Lead", "Team Lead Name", "Team Leader"),
        "team_lead_email": ("Team Lead Email", "Team Leader Email", "Lead Email"),
        "team_lead_phone": ("Team Lead Phone", "Team Leader Phone", "Lead Phone"),
        "name": ("Member Name", *_NAME),
        "email": ("Member Email", *_EMAIL),
        "phone": ("Member Phone", *_PHONE),
        "student_id": _STUDENT_ID,
        "department": _DEPARTMENT,
        "year": _YEAR,
        "registration_status": ("Status", "Registration Status"),
        "notes": _NOTES,
    },
    key_fields=("name", "phone", "team_name", "team_lead_email"),
    required=False,
)
WORKSHEETS = (REGISTRATIONS, TEAM_MEMBERS)


def normalise_header(text: object) -> str:
    """A header or worksheet title as compared: letters and digits only, without case (``S.No.`` -> ``sno``)."""
    folded = unicodedata.normalize("NFKC", str(text or "")).casefold()
    return re.sub(r"[\W_]+", "", folded)
