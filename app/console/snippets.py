"""Lines of code that make a client send here, filled with this server's address and a source's key.

Promise: texts only, in the form that the clients' own documentation uses; what a client needs beside address and key is left to it. A key
stands in a snippet only on the one page that has just made it. Learns no person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

PLACEHOLDER = "WRITE_KEY"
"""Stands where the key belongs, on every page but the one that shows it."""


class Snippet(NamedTuple):
    """What a client is called, and the code; names of products are the same in every language."""

    name: str
    code: str


def of(kind: str, address: str, key: str = PLACEHOLDER) -> list[Snippet]:
    """The snippets for a kind of source; empty where nothing is posted by a client."""
    return [Snippet(name, make(address, key)) for name, make in _KINDS.get(kind, ())]


def _segment_python(address: str, key: str) -> str:
    return f"""\
from segment.analytics.client import Client

analytics = Client("{key}", host="{address}")
analytics.track("customer-1", "Product Viewed", {{"product_id": "P1"}})
analytics.flush()"""


def _segment_node(address: str, key: str) -> str:
    return f"""\
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ writeKey: "{key}", host: "{address}" }});
analytics.track({{ userId: "customer-1", event: "Product Viewed", properties: {{ product_id: "P1" }} }});
await analytics.closeAndFlush();"""


def _segment_browser(address: str, key: str) -> str:
    return f"""\
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({{ writeKey: "{key}", cdnURL: "{address}" }});
analytics.track("Product Viewed", {{ product_id: "P1" }});"""


def _rudder_python(address: str, key: str) -> str:
    return f"""\
from rudderstack.analytics.client import Client

analytics = Client("{key}", host="{address}")
analytics.track("customer-1", "Product Viewed", {{"product_id": "P1"}})
analytics.flush()"""


def _rudder_node(address: str, key: str) -> str:
    return f"""\
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const analytics = new RudderAnalytics("{key}", {{ dataPlaneUrl: "{address}" }});
analytics.track({{ userId: "customer-1", event: "Product Viewed", properties: {{ product_id: "P1" }} }});
await analytics.flush();"""


def _rudder_browser(address: str, key: str) -> str:
    return f"""\
import {{ RudderAnalytics }} from "@rudderstack/analytics-js";

const analytics = new RudderAnalytics();
analytics.load("{key}", "{address}", {{ configUrl: "{address}" }});
analytics.track("Product Viewed", {{ product_id: "P1" }});"""


def _curl(address: str, key: str) -> str:
    message = {"type": "track", "event": "Product Viewed", "userId": "customer-1", "properties": {"product_id": "P1"}}
    return f"""\
curl {address}/v1/batch \\
  --user {key}: \\
  --header 'Content-Type: application/json' \\
  --data '{json.dumps({"batch": [message]})}'"""


def _snowplow_python(address: str, key: str) -> str:
    host = address.partition("://")[2]
    protocol = address.partition("://")[0]
    return f"""\
from snowplow_tracker import Emitter, PageView, Tracker

tracker = Tracker(namespace="shop", emitters=Emitter("{host}/c/{key}", protocol="{protocol}"))
tracker.track(PageView(page_url="https://shop.example/sale"))
tracker.flush()"""


def _snowplow_node(address: str, key: str) -> str:
    return f"""\
import {{ newTracker, buildPageView }} from "@snowplow/node-tracker";

const tracker = newTracker({{ namespace: "shop", appId: "shop" }}, {{ endpoint: "{address}/c/{key}", eventMethod: "post" }});
tracker.track(buildPageView({{ pageUrl: "https://shop.example/sale" }}));"""


def _posthog_node(address: str, key: str) -> str:
    return f"""\
import {{ PostHog }} from "posthog-node";

const posthog = new PostHog("{key}", {{ host: "{address}" }});
posthog.capture({{ distinctId: "customer-1", event: "Product Viewed", properties: {{ product_id: "P1" }} }});
await posthog.shutdown();"""


def _import(_address: str, _key: str) -> str:
    return "piying import FILE --source NAME --mapping MAPPING.toml"


_KINDS: Mapping[str, Sequence[tuple[str, Callable[[str, str], str]]]] = {
    "segment": (
        ("Segment Python", _segment_python),
        ("Segment Node", _segment_node),
        ("Segment Analytics.js", _segment_browser),
        ("curl", _curl),
    ),
    "rudderstack": (
        ("RudderStack Python", _rudder_python),
        ("RudderStack Node", _rudder_node),
        ("RudderStack JavaScript", _rudder_browser),
        ("curl", _curl),
    ),
    "snowplow": (("Snowplow Python", _snowplow_python), ("Snowplow Node", _snowplow_node)),
    "posthog": (("PostHog Node", _posthog_node),),
    "file": (("piying", _import),),
}
