"""What is told of deliveries is what their registers show."""

from __future__ import annotations

from app.answers.deliveries import BoardLineOut, DeliveryOut, RemovalOut, TakenOutOut
from privacy.delivery import register, suppressions


def test_the_shapes_name_what_the_registers_show() -> None:
    assert set(DeliveryOut().fields) == set(register.SHOWN)
    assert set(RemovalOut().fields) == set(suppressions.SuppressionDeltaRow.__table__.columns.keys())
    assert set(TakenOutOut().fields) == set(suppressions.NOTHING)
    assert set(BoardLineOut().fields) >= {"recipient", "way", "parts", "pause", "removals", "overdue", "blocked"}
