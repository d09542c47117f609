"""The reports that may be asked, by name.

Promise: what is not in this list cannot be asked. Names and plans only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analytics.reports import (
    attribution,
    baskets,
    before_after,
    channels,
    cohorts,
    content,
    distribution,
    experiment,
    feedback,
    funnel,
    heat_map,
    keyed,
    lifecycle,
    lifetime,
    markov,
    personas,
    rfm,
    sales,
    shapley,
    store_month,
    trend,
)
from analytics.reports.base import Report

_PURCHASES = (store_month, sales, trend, distribution, keyed, heat_map)
_CUSTOMERS = (rfm, lifecycle, cohorts, personas, lifetime, funnel, baskets, feedback)
_CAMPAIGNS = (channels, content, attribution, markov, shapley, experiment, before_after)

KINDS: Mapping[str, Report] = MappingProxyType({one.REPORT.kind: one.REPORT for one in (*_PURCHASES, *_CUSTOMERS, *_CAMPAIGNS)})
