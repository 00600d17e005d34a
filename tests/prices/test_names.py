"""What a meter's name means: every word is understood, or the meter has no price."""

from __future__ import annotations

import json
import re

import pytest

from chargeback.prices.meters import Cause, Meter, Unmapped, read_meter
from chargeback.prices.rows import ModelName, model_name
from chargeback.prices.vocabulary import vocabulary
from tests.prices.service import DATA

WORDS = vocabulary()
NAMES = [json.loads(line) for line in (DATA / "names.jsonl").read_text().splitlines()]
LABELLED = [json.loads(line) for line in (DATA / "infracost.jsonl").read_text().splitlines()]


def read(name: str, product: str = "Azure OpenAI", unit: str = "1K") -> Meter | Unmapped:
    return read_meter(name, product, unit, WORDS)


def said(read: Meter | Unmapped) -> str:
    """Say in words what was read, as tests/data/prices/names.jsonl does."""
    if isinstance(read, Unmapped):
        return read.cause.value
    tier = "batch" if read.batch else read.service_tier.replace("standard", "")
    how = [read.deployment_type or "any deployment", tier, read.context_band]
    return f"{read.part.value} of {' and '.join(map(str, read.models))}, {' '.join(filter(None, how))}"


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name['product']}: {name['meter']}")
def test_a_meters_name_means_what_a_person_reads_in_it(name: dict[str, str]) -> None:
    assert said(read(name["meter"], name["product"], name["unit"])) == name["is"]


@pytest.mark.parametrize("label", LABELLED, ids=lambda label: f"{label['skuName']} as {label['role']}")
def test_names_that_others_labelled_are_read_as_they_label_them(label: dict[str, str]) -> None:
    meter = read(f"{label['skuName']} Tokens")
    assert isinstance(meter, Meter)
    role = label["role"].lower()
    kind = "audio" if "audio" in role else ""
    direction = "cached" if "cached" in role else "completion" if "output" in role else "prompt"
    assert meter.part.value.lower() == f"{kind}{direction}"
    assert meter.batch is ("batch" in role)
    assert meter.deployment_type == re.sub(".*sku", "", role)
    assert label["model"].replace("gpt-35", "gpt-3.5") in {name.model for name in meter.models}
    # Where the name says no version the price is for every version.
    assert {name.version for name in meter.models} & {label["version"], "", f"turbo-{label['version']}"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("5.9 vega inp Gl 1M Tokens", "unknown words: 5.9 vega"),
        ("gpt 4o turbo Inp glbl Tokens", "unknown words: gpt 4o turbo"),
        ("gpt 4o mini 0718 special Inp glbl Tokens", "unknown words: gpt 4o mini 0718 special"),
        ("gpt-4o-mini-transcribe-inp-glbl Tokens", "unknown words: gpt 4o mini transcribe"),
        ("gpt 4o 0909 Inp glbl Tokens", "unknown words: gpt 4o 0909"),
        ("5.2 chat 0909 inp Gl 1M Tokens", "the year of 0909 is not in the vocabulary"),
        ("4.3 Inp L DZ Tokens", "unknown words: 4.3 l"),
        ("gpt 4.1 Inp Outp glbl Tokens", "says its direction twice"),
        ("gpt 4.1 Inp glbl Data Zone Tokens", "says its deployment twice"),
        ("gpt 4.1 Inp Tokens", "says no deployment type"),
        ("gpt 4.1 glbl Tokens", "says neither prompt nor completion"),
        ("5.4 pp Batch inp Gl 1M Tokens", "is of batch and of priority both"),
        ("5.6 sol Cd Opt Gl 1M Tokens", "is of cached tokens and of completions both"),
        ("Inp Gl Tokens", "unknown words: (no model)"),
        ("gpt 4.1 Inp glbl", "does not end with a known unit"),
        ("gpt 4.1 Inp glbl 1M Tokens", "ends with 1m tokens, but its unit is 1K"),
    ],
)
def test_a_name_with_a_word_too_many_or_too_few_is_listed_with_the_reason(name: str, why: str) -> None:
    product, unit = ("Azure Grok Models", "1K") if name.startswith("4.3") else ("Azure OpenAI", "1K")
    unit = "1M" if "1M Tokens" in name and "4.1" not in name else unit
    assert read(name, product, unit) == Unmapped(Cause.UNKNOWN, why)


def test_a_product_that_nobody_knows_is_listed() -> None:
    assert read("gpt 4.1 Inp glbl Tokens", "Azure OpenAI GPT9") == Unmapped(
        Cause.UNKNOWN, "product Azure OpenAI GPT9 is not in the vocabulary"
    )


@pytest.mark.parametrize("unit", ["100", "1 Hour", "1/Hour", "10K", ""])
def test_tokens_by_a_unit_that_nobody_knows_are_listed(unit: str) -> None:
    assert said(read("gpt 4.1 Inp glbl Tokens", unit=unit)) == "unknown"


def test_pages_by_the_thousand_are_no_tokens() -> None:
    assert said(read("Doc AI glbl 2505 Pages", "Azure Mistral Models")) == "no token price"


@pytest.mark.parametrize(("unit", "factor"), [("1K", 1000), ("1M", 1), ("1K Tokens", 1000), ("1M Tokens", 1)])
def test_a_price_becomes_one_of_a_million_tokens(unit: str, factor: int) -> None:
    meter = read("gpt 4.1 Inp glbl Tokens", unit=unit)
    assert isinstance(meter, Meter)
    assert meter.per_million == factor


def test_the_case_and_the_marks_between_words_do_not_matter() -> None:
    assert read("GPT-4.1_mini cached-INP  Data zone Tokens") == read("gpt 4.1 mini cached Inp DataZone Tokens")


def test_the_same_name_is_another_model_in_another_product() -> None:
    openai, microsoft = (
        read("Image 2 Text Input glbl Tokens", "Azure OpenAI Media"),
        read("Image 2 Text Input glbl Tokens", "MAI Models"),
    )
    assert isinstance(openai, Meter)
    assert isinstance(microsoft, Meter)
    assert (openai.models, microsoft.models) == ((ModelName("gpt-image-2"),), (ModelName("mai-image-2"),))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("gpt-4o-2024-11-20", ModelName("gpt-4o", "2024-11-20")),
        ("gpt-35-turbo-0125", ModelName("gpt-3.5-turbo", "0125")),
        ("gpt-3.5-turbo", ModelName("gpt-3.5-turbo")),
        ("DeepSeek-V3-0324", ModelName("deepseek-v3", "0324")),
        ("claude-sonnet-4-5-20250929", ModelName("claude-sonnet-4-5", "20250929")),
        ("claude-opus-5", ModelName("claude-opus-5")),
        ("text-embedding-ada-002", ModelName("text-embedding-ada-002")),
        ("gpt-4-32k", ModelName("gpt-4-32k")),
        (" Llama-3.3-70B-Instruct ", ModelName("llama-3.3-70b-instruct")),
        ("2024-11-20", ModelName("2024-11-20")),
    ],
)
def test_a_models_name_is_read_whoever_writes_it(written: str, name: ModelName) -> None:
    assert model_name(written) == name


def test_the_vocabulary_says_nothing_that_is_not_read() -> None:
    for family in set(WORDS.families.values()):
        texts = [pattern.words.pattern for pattern in family.patterns]
        assert len(texts) == len(set(texts))
        for pattern in family.patterns:
            assert set(pattern.words.groupindex) <= {"kind", "date", "version", "v", "variant"}
            assert {pattern.native, pattern.completion} <= {"text", "audio", "image"}
            assert pattern.models
            assert all(name == name.lower() for name in pattern.models)
