"""The words of Segment's e-commerce messages in the dictionary's terms, and the arithmetic of their orders.

Promise: amounts become whole minor units of their currency; an order's discount is shared among its lines so that the lines add up to
what was paid, to the last minor unit. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from privacy.vocabulary import FormRule

_SAME = (
    "page_viewed",
    "screen_viewed",
    "product_viewed",
    "product_list_viewed",
    "product_shared",
    "product_reviewed",
    "product_added",
    "product_removed",
    "cart_viewed",
    "checkout_started",
    "order_completed",
    "order_updated",
    "order_refunded",
    "order_cancelled",
    "coupon_entered",
    "coupon_applied",
    "coupon_denied",
    "coupon_removed",
    "promotion_viewed",
    "promotion_clicked",
    "enquiry",
    "signed_up",
    "signed_in",
    "signed_out",
    "link_clicked",
)
EVENT_NAMES = dict(zip(_SAME, _SAME, strict=True)) | {
    "products_searched": "product_searched",
    "product_searched": "product_searched",
    "product_list_filtered": "product_list_viewed",
    "product_clicked": "link_clicked",
    "checkout_step_viewed": "checkout_step",
    "checkout_step_completed": "checkout_step",
    "payment_info_entered": "payment_added",
    "product_added_to_wishlist": "wishlist_added",
    "wishlist_product_added_to_cart": "product_added",
    "cart_shared": "product_shared",
    "application_installed": "app_installed",
    "application_opened": "app_opened",
    "application_updated": "app_updated",
}
"""Names of events in snake case → the dictionary's closed list; any other name is `other`."""

MESSAGE_FIELDS = frozenset(
    {
        "type", "messageId", "userId", "anonymousId", "event", "properties", "traits", "context", "integrations", "timestamp", "sentAt",
        "originalTimestamp", "receivedAt", "channel", "name", "category", "previousId", "groupId", "writeKey", "version", "rudderId",
        "request_ip", "projectId", "options", "_metadata",
    }
)  # fmt: skip
"""What the clients' messages have beside each other; anything else is counted as unknown."""
PRODUCT_FIELDS = frozenset({"product_id", "sku", "quantity", "price", "coupon"})
"""What an order line takes of a product; anything else is counted as unknown."""

ORDER_KINDS = {"order_completed": "sale", "order_refunded": "return", "order_cancelled": "cancel"}

PROPERTIES = frozenset(
    {
        "product_id",
        "sku",
        "store_id",
        "store",
        "category",
        "channel",
        "quantity",
        "currency",
        "session_id",
        "step",
        "path",
        "url",
        "referrer",
        "region",
        "value",
        "total",
        "revenue",
        "price",
        "order_id",
        "products",
        "discount",
        "coupon",
    }
)
"""Properties that are read; all others are dropped and counted."""

TRAIT_IDENTIFIERS = {
    "email": "email",
    "phone": "phone",
    "unionid": "unionid",
    "union_id": "unionid",
    "openid": "openid",
    "open_id": "openid",
    "member_card": "member_card",
    "card": "member_card",
}
TRAIT_FIELDS = {
    "gender": "sex",
    "birthday": "birth_date",
    "birthdate": "birth_date",
    "created_at": "joined_on",
    "baby_birthday": "child_birth_date",
    "baby_birth_date": "child_birth_date",
    "child_birthday": "child_birth_date",
    "baby_name": "child_name",
}
TRAITS_LEFT_BEHIND = frozenset({"name", "first_name", "last_name", "address", "id", "avatar", "username"})
"""Well-known traits that the product never takes; they are not news to an integrator, so they are not counted."""

SEX = {"m": "male", "man": "male", "男": "male", "男性": "male", "f": "female", "woman": "female", "女": "female", "女性": "female"} | {
    word: word for word in ("male", "female", "other", "unknown")
}

MAX_LINES = 1000
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}
_LARGEST = Decimal(10) ** 15


class Unreadable(Exception):
    """A rule of form that a message breaks at `path`. It never leaves the adapter and never carries a value."""

    def __init__(self, path: str, rule: FormRule) -> None:
        super().__init__(path)
        self.path = path
        self.rule = rule


def minor_units(value: Any, currency: Any, place: str) -> int:
    """An amount as whole minor units. A float that a sender added up is rounded to the nearest unit; written text must be exact."""
    return _units(value, Decimal(10) ** _DIGITS.get(currency if isinstance(currency, str) else "", 2), place)


def order_lines(word: str, properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of an order, with the order's own discount shared in proportion to the amounts."""
    products = properties["products"]
    if not isinstance(products, list):
        raise Unreadable("properties.products", FormRule.WRONG_TYPE)
    if len(products) > MAX_LINES:
        raise Unreadable("properties.products", FormRule.TOO_LARGE)
    currency = properties.get("currency")
    shared = {
        "order_id": properties.get("order_id"),
        "kind": ORDER_KINDS[word],
        "store_id": properties.get("store_id") or properties.get("store"),
        "channel": properties.get("channel"),
        "currency": currency,
    }
    lines: list[dict[str, Any]] = []
    for index, product in enumerate(products):
        place = f"properties.products[{index}]"
        if not isinstance(product, dict):
            raise Unreadable(place, FormRule.WRONG_TYPE)
        pieces = product.get("quantity", 1)
        milli = _units(1 if pieces is None else pieces, Decimal(1000), f"{place}.quantity")
        line = shared | {
            "line": index + 1,
            "product_id": product.get("product_id") or product.get("sku"),
            "quantity_milli": milli,
            "coupon_id": product.get("coupon") or properties.get("coupon"),
        }
        if product.get("price") is not None:
            price = minor_units(product["price"], currency, f"{place}.price")
            line["gross_minor"] = (price * milli + 500) // 1000
        lines.append(line)
    _share_discount(lines, properties)
    return [{name: value for name, value in line.items() if value is not None and value != ""} for line in lines]


def _share_discount(lines: list[dict[str, Any]], properties: Mapping[str, Any]) -> None:
    discount = minor_units(properties.get("discount") or 0, properties.get("currency"), "properties.discount")
    priced = [line for line in lines if "gross_minor" in line]
    whole = sum(line["gross_minor"] for line in priced)
    if discount < 0 or discount > max(whole, 0):
        raise Unreadable("properties.discount", FormRule.OUT_OF_RANGE)
    given = running = 0
    for line in priced:
        running += line["gross_minor"]
        share = discount * running // whole - given if whole > 0 else 0
        given += share
        line["discount_minor"] = share
        line["net_minor"] = line["gross_minor"] - share


def _units(value: Any, scale: Decimal, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    if isinstance(value, str) and (len(value) > 40 or not value.isascii() or "_" in value):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise Unreadable(place, FormRule.WRONG_TYPE) from None
    if not amount.is_finite() or not -_LARGEST < amount < _LARGEST:
        raise Unreadable(place, FormRule.OUT_OF_RANGE)
    scaled = amount * scale
    rounded = scaled.to_integral_value(ROUND_HALF_EVEN)
    if rounded != scaled and not isinstance(value, float):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    return int(rounded)
