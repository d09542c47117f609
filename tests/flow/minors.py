"""The routes around minors' data with the permissions that open them: a part of the matrix."""

from __future__ import annotations

PERMISSIONS: dict[tuple[str, str], str] = {
    ("POST", "/api/subjects/cases/<case_id>/approvals"): "person.find",
    ("GET", "/api/minors"): "minor.approve",
    ("POST", "/api/minors/<case_id>/answers"): "minor.approve",
    ("GET", "/api/minors/years/<year>"): "minor.approve",
}
PAGES: dict[tuple[str, str], str] = {
    ("GET", "/people/minors"): "minor.approve",
    ("POST", "/people/minors/<case_id>/answers"): "minor.approve",
    ("GET", "/people/minors/years/<year>.zip"): "minor.approve",
    ("POST", "/people/<case_id>/approvals"): "person.find",
}
