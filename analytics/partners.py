"""What a partner's pseudonymous table may say of the people of an audience: words of their profile, their bands, their stage.

Promise: read under the purpose of the audience, at the moment of asking, of those alone who allow it then; who deleted one of the tags has nothing
said of them. One row for each virtual ID given, in that order; what nobody knows is empty. It must never learn an identifier, or whom a
partner knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from analytics.lake.reader import PERSON
from analytics.segments import vocabulary
from analytics.segments.compiled import Compiled, Moment, Needs

if TYPE_CHECKING:
    from analytics.lake.reader import LakeReader
    from privacy.records import Audience

_QUASI = "quasi_identifier"
BOUGHT: Final = (*vocabulary.BANDS.values(), "stage")
COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("sex", "age_band", "occupation", "region", "city_tier", "tier", *BOUGHT), _QUASI)
)
"""Column → its class. What a partner could find a person by is a quasi-identifier, whatever the dictionary calls it where it comes in."""
Readers = Callable[[Needs], "LakeReader"]


class PartnerColumns:
    """Reads them. `readers` opens the lake without those whom a column leaves out."""

    def __init__(self, readers: Readers, zone: str) -> None:
        self._readers, self._zone = readers, zone

    def of(self, audience: Audience, columns: Sequence[str]) -> pa.Table:
        """The columns, one row for each virtual ID of the audience."""
        plain = self._readers(Needs((), (), youth_signal=False))
        moment = Moment(audience.as_of, self._zone, plain.open_table("products"), plain.months_held("profiles"))
        wanted = _needs(columns, moment)
        with self._readers(wanted).open(audience.purpose, wanted.months) as view:
            known = Compiled(view, moment, {}).described(columns)
            names = view.identifiers(audience.month).select("virtual_id", PERSON)
            found = view.run(names.inner_join(known, PERSON).select("virtual_id", *columns))
        places = pc.index_in(audience.virtual_ids, value_set=found["virtual_id"].combine_chunks().cast(pa.int64()))
        return pa.table({one: found[one].combine_chunks().cast(pa.string()).take(places) for one in columns})


def _needs(columns: Sequence[str], moment: Moment) -> Needs:
    """The months that the columns stand in and the tags that they are."""
    months, tags = {moment.month}, set[str]()
    for one in columns:
        months.update(moment.look_back() if one in BOUGHT else moment.stated())
        tags.update(vocabulary.TAGS.get(one, ("stage",) if one == "stage" else (one,) if one in BOUGHT else ()))
    return Needs(tuple(sorted(months)), tuple(sorted(tags)), youth_signal=False)
