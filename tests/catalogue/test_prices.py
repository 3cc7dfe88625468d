"""Prices: each with region, option, source and date; what is not believed is never used."""

import datetime
from decimal import Decimal

import pytest
import yaml
from pydantic import ValidationError

from corral.catalogue import _read
from corral.catalogue.gpus import gpus
from corral.catalogue.instances import instances
from corral.catalogue.models import models
from corral.catalogue.prices import _Prices, apis, currency, exchange, offers, regions
from corral.catalogue.throughput import _Rows, rows, source, throughput
from corral.catalogue.vocabulary import Currency, Purchase


def raw(name: str) -> dict:
    return yaml.safe_load((_read.FOLDER / name).read_text())


def priced() -> list[tuple[str, str]]:
    return [(name, region) for name in instances() for region in regions(name)]


def test_every_price_has_a_source_and_a_date():
    assert len(priced()) > 150
    for name, region in priced():
        for option, price in offers(name, region).items():
            assert price.source.name and price.source.date <= datetime.date.today(), (name, region, option)
            assert price.currency is currency() is Currency.USD


def test_known_prices_are_as_published():
    assert offers("p5.48xlarge", "us-east-1")[Purchase.ON_DEMAND].per_hour == Decimal("55.04")
    assert offers("p5en.48xlarge", "eu-north-1")[Purchase.ON_DEMAND].per_hour == Decimal("67.727")
    assert offers("a3-highgpu-8g", "us-central1")[Purchase.ON_DEMAND].per_hour == Decimal("88.49")


def test_what_nobody_published_is_not_derived():
    assert offers("p5.48xlarge", "eu-central-1") == {}, "there are none on demand in Frankfurt"
    assert offers("p5.48xlarge", "embedded") == {}
    assert not [name for name, region in priced() if Purchase.RESERVED in offers(name, region)]


def test_a_spot_price_that_cannot_be_true_is_never_used():
    stated = [one for one in raw("prices.yaml")["tables"] if "suspect" in one]
    assert {name for one in stated for name in one["suspect"]} >= {"a3-highgpu-8g"}
    for one in stated:
        for name in one["suspect"]:
            assert Purchase(one["purchase"]) not in offers(name, one["region"]), (name, one["region"])
    spot = [place for place in priced() if Purchase.SPOT in offers(*place)]
    assert len(spot) > 20
    for place in spot:
        found = offers(*place)
        assert found[Purchase.SPOT].per_hour >= found[Purchase.ON_DEMAND].per_hour / 5, place


@pytest.mark.parametrize("families", [("p5.", "p5en."), ("g6e.",), ("a3-highgpu",), ("g2-",)])
def test_eight_gpus_cost_about_eight_times_one_wherever_both_are_priced(families: tuple[str, ...]):
    per_gpu = {
        region: [
            offers(name, region)[Purchase.ON_DEMAND].per_hour / entry.gpus
            for name, entry in instances().items()
            if name.startswith(families) and Purchase.ON_DEMAND in offers(name, region)
        ]
        for region in {region for _name, region in priced()}
    }
    compared = {region: prices for region, prices in per_gpu.items() if len(prices) > 1}
    assert compared
    for region, prices in compared.items():
        assert max(prices) / min(prices) < Decimal("4.3"), f"{families} {region}: a price slipped"


def test_the_exchange_rate_is_dated_and_says_which_way_it_goes():
    rate, read = exchange()
    assert (rate.currency, rate.per_unit) == (Currency.EUR, Decimal("0.8684")), "EUR for one USD"
    assert read.date == datetime.date(2026, 6, 30) and "Federal Reserve" in read.name


def test_apis_ask_less_for_prompts_than_for_answers_and_some_serve_our_models():
    served = [key for key in models() if apis(key)]
    assert {"llama-3.1-8b", "gpt-oss-20b", "qwen3-32b"} <= set(served)
    for key in served:
        assert all(one.input <= one.output for one in apis(key)), key
    assert apis("bge-m3") == ()


def test_throughput_is_known_for_a_model_in_its_precision_alone():
    assert len(rows()) == 17
    assert all(source(row).date <= datetime.date.today() for row in rows())
    assert throughput("gpt-oss-20b", "mxfp4", "H100-80GB").tokens == 11557  # type: ignore[union-attr]
    assert throughput("qwen3-32b", models()["qwen3-32b"].dtype, "H100-80GB") is None, "that row is fp8"
    assert all(row.gpu in gpus() for row in rows())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["tables"][0].update(source="hearsay"), "no source 'hearsay'"),
        (lambda c: c["tables"][0]["per-hour"].update({"p9.48xlarge": 1}), "no instance 'p9.48xlarge'"),
        (lambda c: c["tables"].append(c["tables"][0]), "a price stands once"),
        (lambda c: c["tables"][0]["per-hour"].update({"g5.xlarge": 0}), "greater than 0"),
    ],
)
def test_a_price_that_refers_to_nothing_or_stands_twice_is_refused(change, says: str):
    content = raw("prices.yaml")
    change(content)
    with pytest.raises(ValidationError, match=says):
        _Prices.model_validate(content)


def test_a_throughput_stands_once():
    content = raw("throughput.yaml")
    content["rows"].append(dict(content["rows"][0], tokens=99))
    with pytest.raises(ValidationError, match="stands twice"):
        _Rows.model_validate(content)
