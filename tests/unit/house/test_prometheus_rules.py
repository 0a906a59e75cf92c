"""The alerting rules speak of metrics that there are, and operations' guide of each of them."""

import re

import prometheus_client
import yaml
from tests.unit.house.checkout import ROOT

import pointsman.runtime.restarts  # and what counts restarts
import pointsman.runtime.telemetry  # registers the runtime's metrics
import pointsman.runtime.zone_editions  # noqa: F401  # and the edition of the zone data
import pointsman_routing.audit  # noqa: F401  # and the auditor's

RULES = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"][0]["rules"]
SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def test_each_rule_is_about_a_metric_that_there_is() -> None:
    known = {metric.name for metric in prometheus_client.REGISTRY.collect()}
    guide = (ROOT / "docs/operations.md").read_text()
    for rule in RULES:
        for name in re.findall(r"pointsman_\w+", rule["expr"]):
            plain = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
            assert plain in known, f"{rule['alert']}: there is no metric {name}"
            assert re.sub("_(bucket|count)$", "", name) in guide, f"{name} is not in docs/operations.md"
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
