"""A text too short to tell is in the language that the customer is known to speak."""

from tests.unit.routing.classify.messages import a_classifier, a_message


def test_the_known_language_stands_in() -> None:
    label = a_classifier().classify(a_message("4711", speaks="it"))
    assert (label.language, label.requires) == ("it", {"lang-it": 1})
    assert label.evidence[0].kind == "person"


def test_a_text_that_tells_goes_before_it() -> None:
    assert a_classifier().classify(a_message("Das Paket ist noch nicht angekommen", speaks="it")).language == "de"


def test_a_language_that_the_workspace_does_not_speak_is_passed_over() -> None:
    assert a_classifier().classify(a_message("4711", speaks="sw")).language == "und"
