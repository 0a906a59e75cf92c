"""Which language a message is in."""

from collections import Counter

import pytest

from pointsman_routing.classify import language
from pointsman_routing.classify.language import speaker

HERE = speaker(("en", "it", "de", "ru", "zh-Hant", "fr", "es"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("My parcel has not arrived yet", "en"),
        ("Il pacco non è ancora arrivato", "it"),
        ("Das Paket ist noch nicht angekommen", "de"),
        ("Посылка ещё не пришла", "ru"),
        ("包裹還沒有到，請幫我查一下", "zh-Hant"),
        ("Le colis n'est pas encore arrivé", "fr"),
        ("El paquete todavía no ha llegado", "es"),
        ("订单 ABC-123 的 iPhone 還沒有到貨", "zh-Hant"),
        ("DAS PAKET IST NOCH NICHT ANGEKOMMEN", "de"),
    ],
)
def test_it_is_told(text: str, language: str) -> None:
    spoken = HERE.guess(text)
    assert spoken.language == language
    assert spoken.confidence > 0.55
    assert spoken.evidence is not None


@pytest.mark.parametrize("text", ["", "12345", "👍👍", "???", "https://acme.example/x", "a@b.example", "שלום לכולם"])
def test_unsure_is_undetermined(text: str) -> None:
    assert HERE.guess(text).language == "und"


def test_traditional_and_simplified_are_apart() -> None:
    both = speaker(("zh-Hans", "zh-Hant"))
    assert both.guess("請問這個訂單什麼時候會到？").language == "zh-Hant"
    assert both.guess("请问这个订单什么时候会到？").language == "zh-Hans"


def test_one_chinese_is_any_chinese() -> None:
    assert speaker(("en", "zh-Hans")).guess("請問這個訂單").language == "zh-Hans"


def test_traditional_chinese_is_not_korean_nor_japanese() -> None:
    """Reported of langdetect: Traditional Chinese taken for Korean."""
    east = speaker(("ko", "ja", "zh-Hant"))
    assert east.guess("外套太小想要退貨").language == "zh-Hant"
    assert east.guess("荷物はまだ届いていません").language == "ja"
    assert east.guess("소포가 아직 도착하지 않았습니다").language == "ko"


def test_languages_that_the_model_does_not_know_do_no_harm() -> None:
    assert speaker(("xx", "yy")).guess("My parcel has not arrived").language in ("xx", "und")


@pytest.mark.parametrize(
    "text", ["", "a", "où", "Where is my order? Ou est ma commande ?", "Возврат денег, bitte!", "æøå " * 90]
)
def test_all_places_at_once_find_what_one_after_another_finds(text: str) -> None:
    model, encoded = language._model(), text.encode()
    state, found = 0, []
    for byte in encoded:
        state = model._next[model._row[state] + byte]
        if model._output[state] >= 0:
            found.append(int(model._output[state]))
    assert model.features(encoded) == Counter(found)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ordine A12 del 3.4, grazie", "Ordine   del  . , grazie"),
        ("abc٣def scrive ada@acme.example da x9", "  scrive   da  "),
        ("vedi https://acme.example/a?b=1 oggi", "vedi   oggi"),
        ("a_b c-d é", "a_b c-d é"),
    ],
)
def test_addresses_and_words_with_a_digit_are_in_no_language(text: str, left: str) -> None:
    assert language._without_noise(text) == left
