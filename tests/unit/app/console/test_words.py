from __future__ import annotations

import pytest
from flask import Flask

from app.access import matrix
from app.console import icons, languages
from app.console.words import ROLES, STATES, explanation
from privacy.dictionary import catalogue

TONES = {"good", "bad", "warn", "info", "quiet"}


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    languages.register(app)
    return app


def test_every_role_and_every_class_of_the_dictionary_has_a_word() -> None:
    assert ROLES.keys() == matrix().keys()
    assert set(catalogue.CLASSES) <= STATES.keys()


def test_a_state_has_word_icon_and_tone() -> None:
    for name, state in STATES.items():
        assert state.label, name
        assert state.tone in TONES, name
        assert "<path" in icons.icon(state.icon), name


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 429, 500, 503, 418])
def test_every_status_is_explained(app: Flask, status: int) -> None:
    with app.test_request_context("/"):
        said = explanation(status, "something_else")
    assert said.title
    assert said.text


def test_a_code_with_words_of_its_own_says_more_than_its_status(app: Flask) -> None:
    with app.test_request_context("/"):
        assert explanation(403, "budget_exhausted") != explanation(403, "permission_missing")


def test_an_icon_is_hidden_from_readers_of_text_and_an_unknown_one_is_a_fault() -> None:
    assert 'aria-hidden="true"' in icons.icon("check-circle")
    with pytest.raises(KeyError):
        icons.icon("no-such-icon")
