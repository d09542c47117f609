"""What browser clients fetch before they send: Segment's settings and RudderStack's source configuration (clients.md rule 11).

Promise: the documents hold what the page's own key already tells (that the source exists, where to send, which categories of consent it
knows), and nothing about anybody. Nothing is stored.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app import senders
from app.guard import by_write_key

blueprint = Blueprint("browsers", __name__)
blueprint.after_request(senders.cors)


@blueprint.get("/v1/projects/<key>/settings", strict_slashes=False)
@by_write_key
def settings(key: str) -> Response:
    """Where Segment's browser client sends, and that it counts nothing about itself."""
    source = senders.by_key(key)
    protocol, _, host = senders.base_address().partition("://")
    destination: dict[str, Any] = {
        "apiKey": key,
        "apiHost": f"{host}/v1",
        "protocol": protocol,
        "unbundledIntegrations": [],
        "addBundledMetadata": False,
        "type": "server",
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    return jsonify(
        integrations={"Segment.io": destination},
        plan={"track": {"__default": {"enabled": True}}, "identify": {"__default": {"enabled": True}}},
        edgeFunction={},
        analyticsNextEnabled=True,
        middlewareSettings={},
        enabledMiddleware={},
        metrics={"sampleRate": 0},
        legacyVideoPluginsEnabled=False,
        remotePlugins=[],
        consentSettings={"allCategories": sorted(source.consent_categories), "hasUnmappedDestinations": False},
    )


@blueprint.get("/sourceConfig", strict_slashes=False)
@by_write_key
def source_config() -> Response:
    """That RudderStack's browser client sends everything here, and says with each event what the visitor allowed."""
    key = senders.key_of_header() or request.args.get("writeKey", "")
    source = senders.by_key(key)
    quiet = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    return jsonify(
        source={
            "id": source.id,
            "name": source.id,
            "writeKey": key,
            "enabled": True,
            "workspaceId": "piying",
            "config": {"statsCollection": quiet},
            "connections": [],
            "destinations": [],
            "dataplanes": {},
        },
        consentManagementMetadata={"providers": [{"provider": "custom", "resolutionStrategy": "or"}]},
    )
