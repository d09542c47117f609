"""What members say, in their own words; one in twenty adds a number or an address that the scrubber has to find."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ingestion.sources.synthetic import words
from ingestion.sources.synthetic.members import Members
from ingestion.sources.synthetic.orders import SKU_IDS, STORE_IDS
from ingestion.sources.synthetic.plan import Retailer, padded, stamps

IDENTIFYING = 0.05


def said(retailer: Retailer, members: Members) -> tuple[pa.Table, np.ndarray, int]:
    """Ratings and sentences; whose are counted; how many carry an identifier."""
    chance = retailer.chance("feedback")
    number = retailer.scaled(6_000, 20)
    who = chance.randint(0, retailer.members, number)
    rating = chance.choice((1, 2, 3, 4, 4, 5, 5, 5), number)
    good, bad = np.array(words.PRAISE), np.array(words.BLAME)
    text = np.where(rating > 3, good[chance.randint(0, len(good), number)], bad[chance.randint(0, len(bad), number)])
    planted = np.sort(chance.permutation(number)[: max(1, int(number * IDENTIFYING))])
    tails = [
        words.CONTACTS[one % len(words.CONTACTS)].format(phone=members.mobile[who[one]], mail=members.mail[who[one]]) for one in planted
    ]
    full = text.astype("U80")
    full[planted] = np.char.add(text[planted], tails)
    table = pa.table(
        {
            "id": padded(np.arange(number), 6, "f-"),
            "at": stamps(retailer.days[chance.randint(0, len(retailer.days), number)], 36_000 + chance.randint(0, 36_000, number)),
            "card": members.card[who],
            "topic": np.array(words.TOPICS)[chance.randint(0, len(words.TOPICS), number)],
            "rating": rating.astype("U1"),
            "text": full,
            "store": STORE_IDS[members.home[who]],
            "sku": SKU_IDS[chance.randint(0, len(SKU_IDS), number)],
        }
    )
    return table, members.admitted[who], len(planted)
