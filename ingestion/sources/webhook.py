"""Orders that a shop pushes, as Shopify and its kin write them: a sale, its cancellation, each of its refunds.

Promise: what a body is, is read from the body, which is signed, and never from a header, which is not. An order tells up to three kinds of
acts; each is an item with a message id of its own (`order:<id>:sale`, `order:<id>:cancel`, `refund:<id>`), so that the same act told by two
bodies is stored once. An act older than the window in which repeats are known is refused: it could not be told from its repetition.
`buyer_accepts_marketing` is a shop's word about advertising and no consent to analytics; it is left behind. Receivers' addresses and
telephones belong to whoever gets the parcel and name nobody here. Stores nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingestion import strictjson, surplus
from ingestion.commerce import MAX_LINES, Unreadable, minor_units
from ingestion.source import Reading, Row
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

WINDOW = timedelta(days=29)
"""An act older than this is not taken: message ids are forgotten after thirty days. History comes as a file."""
MAX_ORDERS = 1_000
CHANNELS = {"web": "web", "pos": "pos", "iphone": "app", "android": "app"}
"""`source_name` → channel; anything else names an app by a number and is `other`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

ORDER_FIELDS = frozenset(
    {
        "id", "created_at", "processed_at", "cancelled_at", "currency", "customer", "email", "contact_email", "phone", "source_name",
        "location_id", "line_items", "refunds", "test", "order_id", "refund_line_items",
    }
)  # fmt: skip
LINE_FIELDS = frozenset({"id", "sku", "product_id", "quantity", "price", "total_discount", "discount_allocations"})
LEFT_BEHIND = frozenset(
    {
        "admin_graphql_api_id", "app_id", "billing_address", "browser_ip", "buyer_accepts_marketing", "cart_token", "checkout_id",
        "checkout_token", "client_details", "closed_at", "confirmed", "current_subtotal_price", "current_subtotal_price_set",
        "current_total_price", "current_total_price_set", "customer_locale", "device_id", "discount_applications", "discount_codes",
        "financial_status", "fulfillment_status", "fulfillments", "landing_site", "name", "note", "note_attributes", "number", "order_number",
        "order_status_url", "payment_gateway_names", "presentment_currency", "reference", "referring_site", "shipping_address",
        "shipping_lines", "subtotal_price", "subtotal_price_set", "tags", "tax_lines", "taxes_included", "token", "total_discounts",
        "total_discounts_set", "total_line_items_price", "total_line_items_price_set", "total_outstanding", "total_price",
        "total_price_set", "total_tax", "total_tax_set", "total_weight", "updated_at", "user_id",
    }
)  # fmt: skip
"""What every shop sends and the product never takes: no news to an integrator, so it is not counted. The line's own beside it."""
LINE_LEFT_BEHIND = frozenset(
    {
        "admin_graphql_api_id", "fulfillable_quantity", "fulfillment_service", "fulfillment_status", "gift_card", "grams", "name",
        "price_set", "product_exists", "properties", "requires_shipping", "tax_lines", "taxable", "title", "total_discount_set", "variant_id",
        "variant_inventory_management", "variant_title", "vendor", "current_quantity", "duties",
    }
)  # fmt: skip


def packed(body: bytes) -> bytes:
    """A body (one document, or an array of them) as the batch that the strict gate looks at document by document."""
    text = body.strip()
    return b'{"batch":' + (text if text[:1] == b"[" else b"[" + text + b"]") + b"}"


def read(parsed: strictjson.Parsed, source: SourceFacts, catalogue: Catalogue, *, received_at: datetime, request_id: str) -> RawBatch:
    """Reads one request as `packed` made it: each document is an order, a refund, or an act that was held."""
    documents = parsed.value.get("batch") if isinstance(parsed.value, dict) else None
    if not isinstance(documents, list):
        raise Invalid("the body has no batch", code="batch_missing")
    if len(documents) > MAX_ORDERS:
        raise Invalid("the batch has more items than this endpoint takes", code="too_many_items")
    faulty = {fault.index: fault for fault in parsed.faults}
    items: list[Reading] = []
    for index, document in enumerate(documents):
        if index in faulty:
            items.append(Reading(None, path=faulty[index].path, rule=faulty[index].rule, original=document))
        else:
            items += _acts(document, catalogue, received_at)
    return RawBatch(source=source, received_at=received_at, items=items, request_id=request_id)


def _acts(document: Any, catalogue: Catalogue, received_at: datetime) -> Iterator[Reading]:
    """The acts that a document tells. Where it is one act held before (`{"act", "order"}`), only that one."""
    if not isinstance(document, dict):
        yield Reading(None, rule=FormRule.NOT_AN_OBJECT, original=document)
        return
    if set(document) == {"act", "order"} and isinstance(document["order"], dict):
        acts, document = [document["act"]], document["order"]
    elif isinstance(document.get("line_items"), list):
        refunds = document.get("refunds")
        count = len(refunds) if isinstance(refunds, list) else 0
        acts = ["sale", *(["cancel"] if document.get("cancelled_at") else []), *(f"return:{place}" for place in range(count))]
    else:
        acts = ["return"]
    dropped, forbidden = _beside(document, catalogue)
    for place, act in enumerate(acts):
        reading = _act(str(act), document, dropped if place == 0 else {}, received_at)
        yield _forbidden(reading, received_at) if forbidden else reading


def _forbidden(reading: Reading, received_at: datetime) -> Reading:
    """Law before form: what carries a forbidden category is refused, also where it could not be read, and never kept."""
    row = Row("order_line", (received_at - _EPOCH) // _MICROSECOND, {}, {}, refuse=Reason.FORBIDDEN_CATEGORY.value)
    return Reading(reading.message_id, rows=(row,), dropped=reading.dropped)


def _act(act: str, document: Mapping[str, Any], dropped: Mapping[str, int], received_at: datetime) -> Reading:
    original = {"act": act, "order": document}
    try:
        if document.get("test") is True:
            return Reading(None, dropped=dropped, original=original)
        kind, _, place = act.partition(":")
        if kind == "return":
            message_id, at, lines = _refund(document, int(place) if place.isdigit() else None)
        else:
            message_id, at, lines = _order(kind, document)
        identifiers = _who(document)
    except Unreadable as fault:
        return Reading(None, path=fault.path, rule=fault.rule, dropped=dropped, original=original)
    refuse = None if at >= (received_at - WINDOW - _EPOCH) // _MICROSECOND else Reason.PAST_WINDOW.value
    rows = tuple(Row("order_line", at, line, identifiers, refuse=refuse) for line in lines)
    return Reading(message_id, rows=rows, dropped=dropped, original=original)


# ── an order and its cancellation ──────────────────────────────────────────────────────────────────────────────────────────────


def _order(kind: str, order: Mapping[str, Any]) -> tuple[str, int, list[dict[str, Any]]]:
    if kind not in ("sale", "cancel"):
        raise Unreadable("act", FormRule.UNKNOWN_TYPE)
    number = _number(order, "id", "id")
    place = "cancelled_at" if kind == "cancel" else "processed_at" if order.get("processed_at") else "created_at"
    at = _instant(order.get(place), place)
    shared = _shared(order) | {"order_id": number, "kind": kind}
    lines = []
    for index, item in enumerate(_list(order, "line_items", "line_items")):
        where = f"line_items[{index}]"
        pieces, gross, discount = _amounts(item, order.get("currency"), where)
        lines.append(shared | _product(item) | _line(index + 1, pieces, gross, gross - discount))
    return f"order:{number}:{kind}", at, [_tidy(line) for line in lines]


def _amounts(item: Mapping[str, Any], currency: Any, where: str) -> tuple[int, int, int]:
    """Pieces, amount before and share of the discounts, exactly. Allocations hold the order's own discounts, `total_discount` may not."""
    pieces = _pieces(item.get("quantity"), f"{where}.quantity")
    gross = pieces * minor_units(_told(item, "price", where), currency, f"{where}.price")
    allocated = item.get("discount_allocations")
    if isinstance(allocated, list) and allocated:
        discount = sum(
            minor_units(_told(_object(one, f"{where}.discount_allocations"), "amount", where), currency, f"{where}.discount_allocations")
            for one in allocated
        )
    else:
        discount = minor_units(item.get("total_discount") or 0, currency, f"{where}.total_discount")
    if not 0 <= discount <= max(gross, 0):
        raise Unreadable(f"{where}.discount_allocations" if allocated else f"{where}.total_discount", FormRule.OUT_OF_RANGE)
    return pieces, gross, discount


# ── a refund, inside its order or alone ────────────────────────────────────────────────────────────────────────────────────────


def _refund(document: Mapping[str, Any], place: int | None) -> tuple[str, int, list[dict[str, Any]]]:
    """The lines that came back. A refund alone tells its order's number and the lines that it is about; inside an order both are there."""
    order: Mapping[str, Any] = {} if place is None else document
    where = "" if place is None else f"refunds[{place}]."
    refunds = [document] if place is None else _list(document, "refunds", "refunds")
    if place is not None and place >= len(refunds):
        raise Unreadable("act", FormRule.UNKNOWN_TYPE)
    refund = refunds[place or 0]
    if place is None and "refund_line_items" not in refund:
        raise Unreadable("line_items", FormRule.MISSING)
    number = _number(refund, "id", f"{where}id")
    order_number = _number(order, "id", "id") if order else _number(refund, "order_id", "order_id")
    at = _instant(refund.get("processed_at") or refund.get("created_at"), f"{where}created_at")
    sold = {str(item.get("id")): (index, item) for index, item in enumerate(_list(order, "line_items", "line_items") if order else [])}
    shared = _shared(document) | {"order_id": order_number, "kind": "return"}
    lines = []
    for index, entry in enumerate(_list(refund, "refund_line_items", f"{where}refund_line_items")):
        spot = f"{where}refund_line_items[{index}]"
        line, item = sold.get(str(entry.get("line_item_id")), (index, entry.get("line_item") or {}))
        item = _object(item, f"{spot}.line_item")
        currency = document.get("currency")
        pieces = _pieces(entry.get("quantity"), f"{spot}.quantity")
        net = minor_units(_told(entry, "subtotal", spot), currency, f"{spot}.subtotal")
        gross = pieces * minor_units(item["price"], currency, f"{spot}.line_item.price") if item.get("price") is not None else net
        lines.append(shared | _product(item) | _line(line + 1, pieces, max(gross, net), net))
    return f"refund:{number}", at, [_tidy(line) for line in lines]


# ── small parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _shared(order: Mapping[str, Any]) -> dict[str, Any]:
    name = order.get("source_name")
    return {
        "currency": order.get("currency"),
        "channel": CHANNELS.get(name, "other") if isinstance(name, str) and name else None,
        "store_id": order.get("location_id"),
    }


def _product(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"product_id": item.get("sku") or item.get("product_id")}


def _line(number: int, pieces: int, gross: int, net: int) -> dict[str, Any]:
    return {"line": number, "quantity_milli": pieces * 1000, "gross_minor": gross, "discount_minor": gross - net, "net_minor": net}


def _who(order: Mapping[str, Any]) -> dict[str, str]:
    """Who bought: the customer's own number, e-mail and phone first, then those the order was placed with."""
    customer = order.get("customer") if isinstance(order.get("customer"), dict) else {}
    assert isinstance(customer, dict)
    told = {
        IdentifierType.CUSTOMER_NO.value: customer.get("id"),
        IdentifierType.EMAIL.value: customer.get("email") or order.get("email") or order.get("contact_email"),
        IdentifierType.PHONE.value: customer.get("phone") or order.get("phone"),
    }
    for kind, value in told.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, (str, int))):
            raise Unreadable(f"customer.{kind}", FormRule.WRONG_TYPE)
    return {kind: str(value) for kind, value in told.items() if value is not None and value != ""}


def _beside(document: Mapping[str, Any], catalogue: Catalogue) -> tuple[dict[str, int], bool]:
    """Unknown fields of the order and its lines by path, and whether one anywhere names a forbidden category."""
    unknown: Counter[str] = Counter()
    for key, value in document.items():
        if key not in ORDER_FIELDS and key not in LEFT_BEHIND and value is not None:
            unknown[strictjson.safe_path([key])] += 1
    lines = document.get("line_items")
    for item in lines if isinstance(lines, list) else ():
        for key, value in item.items() if isinstance(item, dict) else ():
            if key not in LINE_FIELDS and key not in LINE_LEFT_BEHIND and value is not None:
                unknown[strictjson.safe_path(["line_items", key])] += 1
    return dict(unknown), surplus.nested_forbidden(catalogue.forbidden, document)


def _number(holder: Mapping[str, Any], key: str, place: str) -> str:
    value = holder.get(key)
    if value is None or value == "":
        raise Unreadable(place, FormRule.MISSING)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    if len(str(value)) > 100:
        raise Unreadable(place, FormRule.TOO_LONG)
    return str(value)


def _pieces(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(place, FormRule.MISSING if value is None else FormRule.WRONG_TYPE)
    if not 0 <= value <= 1_000_000:
        raise Unreadable(place, FormRule.OUT_OF_RANGE)
    return value


def _told(holder: Mapping[str, Any], key: str, where: str) -> Any:
    if holder.get(key) is None:
        raise Unreadable(f"{where}.{key}", FormRule.MISSING)
    return holder[key]


def _list(holder: Mapping[str, Any], key: str, place: str) -> Sequence[Mapping[str, Any]]:
    value = holder.get(key)
    if not isinstance(value, list):
        raise Unreadable(place, FormRule.MISSING if value is None else FormRule.WRONG_TYPE)
    if len(value) > MAX_LINES:
        raise Unreadable(place, FormRule.TOO_LARGE)
    return [_object(one, f"{place}[{index}]") for index, one in enumerate(value)]


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    return value


def _instant(value: Any, place: str) -> int:
    """Microseconds of a time that says its zone; a shop's local time without one is a fault."""
    if value is None or value == "":
        raise Unreadable(place, FormRule.MISSING)
    if not isinstance(value, str) or len(value) > 40:
        raise Unreadable(place, FormRule.BAD_TIME)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(place, FormRule.BAD_TIME) from None
    if moment.tzinfo is None:
        raise Unreadable(place, FormRule.ZONE_MISSING)
    try:
        return (moment - _EPOCH) // _MICROSECOND
    except OverflowError:
        raise Unreadable(place, FormRule.BAD_TIME) from None


def _tidy(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value is not None and value != ""}
