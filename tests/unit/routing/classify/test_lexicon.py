"""The shipped lexicon on messages it was not written from, and on labelled samples when there are some."""

import os
from pathlib import Path

import pytest

from pointsman.contracts.document import SHIPPED_CATEGORIES
from pointsman_routing import classify_evaluation
from pointsman_routing.classify.normal import normalised
from pointsman_routing.classify.phrases import LANGUAGES, shipped_lexicon
from tests.unit.routing.classify.messages import a_classifier, a_message

SHIPPED = a_classifier(languages=["en", "it", "de", "ru", "zh-Hant", "es", "fr"])
SAMPLES = Path(os.environ.get("POINTSMAN_SAMPLES", "/nonexistent")) / "classify/seed_support/public.csv"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("My invoice for October shows a fee that I do not know", "billing"),
        ("La fattura di ottobre è sbagliata", "billing"),
        ("Ich brauche eine Rechnung mit Mehrwertsteuer", "billing"),
        ("Мне нужен счёт-фактура за октябрь", "billing"),
        ("十月的發票金額不對", "billing"),
        ("十月的发票金额不对", "billing"),
        ("Quiero devolver estos zapatos", "refund"),
        ("Je voudrais être remboursé", "refund"),
        ("Wann wird meine Sendung zugestellt?", "delivery"),
        ("El repartidor no vino y mi paquete no ha llegado", "delivery"),
        ("J'ai oublié mon mot de passe", "account_access"),
        ("The printer shows error code E-13 and won't print", "technical"),
        ("Le site est en panne depuis ce matin", "outage"),
        ("Quiero darme de baja del servicio", "cancellation"),
        ("Quanto costa la versione per aziende?", "presales"),
        ("Je souhaite déposer une réclamation, c'est inadmissible", "complaint"),
        ("Alguien ha hackeado mi cuenta", "security_fraud"),
        ("Supprimez mes données personnelles (RGPD)", "privacy"),
        ("¡Muchas gracias, ya funciona!", "thanks"),
        ("Vous avez été sélectionné, cliquez ici !", "spam"),
        ("Absence du bureau : je suis en congé jusqu'au 3 janvier", "auto_reply"),
    ],
)
def test_it_knows_fourteen_kinds_in_seven_languages(text: str, category: str) -> None:
    label = SHIPPED.classify(a_message(text))
    assert label.category == category
    assert "phrase" in {evidence.kind for evidence in label.evidence}


@pytest.mark.parametrize("text", ["The billboard is nice", "Die Rechnungslegungsstelle", "xyzzy plugh", "Ok"])
def test_a_part_of_a_word_is_no_word(text: str) -> None:
    assert SHIPPED.classify(a_message(text)).category == "other"


def test_urgent_words_only_raise() -> None:
    assert SHIPPED.classify(a_message("Please send the invoice immediately")).priority == "high"
    assert SHIPPED.classify(a_message("Your site is down, nobody can work")).priority == "urgent"
    assert SHIPPED.classify(a_message("Thank you so much, well done")).priority == "normal"
    rule = {"set": {"priority": "urgent"}}
    assert a_classifier(rule).classify(a_message("Please send the invoice immediately")).priority == "urgent"


def test_sentiment() -> None:
    assert SHIPPED.classify(a_message("Thank you, great work")).sentiment == "positive"
    assert SHIPPED.classify(a_message("This is terrible, I am so disappointed")).sentiment == "negative"
    assert SHIPPED.classify(a_message("Where is my parcel?")).sentiment == "neutral"


def test_every_language_has_phrases_for_every_category() -> None:
    found = shipped_lexicon()
    sections = {(phrase.language, phrase.section) for phrase in found._phrases}
    missing = [
        (one, category) for one in LANGUAGES for category in SHIPPED_CATEGORIES if (one, category) not in sections
    ]
    assert missing == []


@pytest.mark.parametrize("text", ["Can't  log-in!", "Größe ÉTÉ", "用App退款，謝謝", ""])
def test_normalised_text_is_stable(text: str) -> None:
    once = normalised(text)
    assert normalised(once).strip() == once.strip()


@pytest.mark.skipif(not SAMPLES.exists(), reason="POINTSMAN_SAMPLES names no folder of samples")
def test_labelled_samples() -> None:
    samples = classify_evaluation.read_samples(SAMPLES, labelled=True)
    figures = classify_evaluation.evaluate(samples, classify_evaluation.shipped_classifier())
    assert figures["accuracy"] >= 0.85
