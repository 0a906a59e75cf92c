"""What of a message its customer wrote this time."""

import pytest

from pointsman_routing.classify.cleaning import CHARACTERS_MAX, cleaned


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Where is it?", "Where is it?"),
        ("Hello Anna,\n\nwhere is it?", "where is it?"),
        ("Buongiorno,\ndov'è il pacco?\n\nCordiali saluti\nMario Rossi", "dov'è il pacco?"),
        ("It broke.\n\n-- \nJane Doe\nAcme Ltd", "It broke."),
        ("Still broken.\n\nOn Mon, 2 Nov 2026 at 10:00, Help <h@x> wrote:\n> Try again.\n", "Still broken."),
        ("Noch kaputt.\n\nAm 02.11.2026 um 10:00 schrieb Hilfe:\n> Neu starten\n", "Noch kaputt."),
        ("> quoted\nanswer\n> quoted\nmore", "answer\nmore"),
        ("It broke.\n\nSent from my iPhone", "It broke."),
        ("> only quoted", "> only quoted"),
        ("Ciao!", "Ciao!"),
        ("", ""),
    ],
)
def test_quotes_signature_and_greeting_go(text: str, kept: str) -> None:
    assert cleaned(text) == kept


def test_it_is_capped() -> None:
    assert len(cleaned("word " * 10_000)) == CHARACTERS_MAX


def test_a_long_answer_after_a_closing_word_stays() -> None:
    text = "Best\n" + "I want my money back. " * 30
    assert "money back" in cleaned(text)
