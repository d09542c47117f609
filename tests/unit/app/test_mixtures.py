"""Settings that are right alone and wrong together (the others are in `test_settings`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import mixtures
from app.settings import load
from privacy.errors import Invalid


def test_networks_are_networks(tmp_path: Path) -> None:
    (tmp_path / "piying.toml").write_text('[delivery]\nnetworks = ["10.1.0.0/16", "fd00::/8"]\n', encoding="utf-8")
    mixtures.check(load(tmp_path, {}))
    (tmp_path / "piying.toml").write_text('[delivery]\nnetworks = ["10.1.0.1/16"]\n', encoding="utf-8")
    with pytest.raises(Invalid) as caught:
        load(tmp_path, {})
    assert (caught.value.code, caught.value.field) == ("setting_invalid", "delivery.networks")
    assert "10.1.0.1" not in caught.value.message
