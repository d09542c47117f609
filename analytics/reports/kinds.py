"""The reports that may be asked, by name.

Promise: what is not in this list cannot be asked. Names and plans only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analytics.reports import funnel, rfm, store_month
from analytics.reports.base import Report

KINDS: Mapping[str, Report] = MappingProxyType({one.REPORT.kind: one.REPORT for one in (store_month, rfm, funnel)})
