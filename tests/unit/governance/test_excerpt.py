"""What a row keeps of the input."""

import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_governance.excerpt import EXCERPT_CHARS, excerpt_of
from axonflow_policy import Content, Part


@pytest.fixture
def excerpt(catalogue_set):
    def made(*texts):
        content = Content(tuple(Part(f"messages[{index}].content", text) for index, text in enumerate(texts)))
        return excerpt_of(content, catalogue_set.evaluate(content, Phase.REQUEST))

    return made


def test_what_was_found_is_masked_before_the_text_is_cut(excerpt):
    text = "x" * (EXCERPT_CHARS - 6) + " 123-45-6789 and more"
    kept, masked = excerpt(text)
    assert len(kept) == EXCERPT_CHARS
    assert "123-" not in kept
    assert masked == 1


def test_a_number_in_a_later_part_is_counted_though_it_is_not_kept(excerpt):
    kept, masked = excerpt("y" * 600, "123-45-6789")
    assert kept == "y" * EXCERPT_CHARS
    assert masked == 1


def test_also_what_only_warns_is_masked_in_the_record(excerpt):
    kept, masked = excerpt("Write to ann.lee@bank.example today")
    assert "ann.lee@bank.example" not in kept
    assert masked == 1


def test_an_attack_stays_readable_for_whoever_reviews_it(excerpt):
    attack = "'; DROP TABLE users;--"
    kept, masked = excerpt(attack)
    assert kept == attack
    assert masked == 0


def test_parts_stand_on_lines_of_their_own(excerpt):
    assert excerpt("one", "two") == ("one\ntwo", 0)
