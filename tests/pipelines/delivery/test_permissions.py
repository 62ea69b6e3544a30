"""Permissions: country rules, refusals of all channels, suppressions by channel, addresses. All people are made up."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery.permissions import consent, external_ids, reachable_on, suppressed
from pipelines.errors import ShopError
from pipelines.settings import Consent
from pipelines.shop import Shop
from tests.pipelines.published_shops import rows_of
from tests.pipelines.small_shops import write_shop

SEEN = datetime(2024, 1, 1, tzinfo=UTC)
RULES = """
[consent]
when_not_delivered = "allow"
[[consent.rules]]
countries = ["DE", "AT"]
channels = ["email", "sms"]
when_not_delivered = "deny"
[[consent.rules]]
channels = ["ads"]
when_not_delivered = "deny"
"""
PEOPLE = pl.LazyFrame(
    {
        "customer_key": ["de", "germany", "gb", "unknown", "elsewhere"],
        "country": ["DE", "Germany", "United Kingdom", None, "Atlantis"],
    }
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path, more=RULES)


def told(shop: Shop, channel: str, consents: pl.DataFrame | None = None) -> dict[str, str]:
    rows = rows_of("consents", []) if consents is None else consents
    found = consent(PEOPLE, rows.lazy(), channel, shop).collect()
    return dict(found.select("customer_key", "consent").iter_rows())


def test_a_missing_consent_means_what_the_country_and_the_channel_say_and_the_stricter_where_unknown(
    shop: Shop,
) -> None:
    assert told(shop, "email") == {
        "de": "not_delivered",
        "germany": "not_delivered",
        "gb": "allowed",
        "unknown": "not_delivered",
        "elsewhere": "not_delivered",
    }
    assert set(told(shop, "ads").values()) == {"not_delivered"}


def test_a_yes_of_a_channel_is_none_of_another_and_a_refusal_of_all_is_one_of_each(shop: Shop) -> None:
    consents = rows_of(
        "consents",
        [
            {"customer_key": "de", "channel": "email", "is_granted": True, "recorded_at": SEEN},
            {"customer_key": "gb", "channel": "all", "is_granted": False, "recorded_at": SEEN},
            {"customer_key": "gb", "channel": "email", "is_granted": True, "recorded_at": SEEN},
            {"customer_key": "germany", "channel": "email", "is_granted": None, "recorded_at": SEEN},
        ],
    )
    email, sms = told(shop, "email", consents), told(shop, "sms", consents)
    assert (email["de"], sms["de"]) == ("granted", "not_delivered")
    assert (email["gb"], sms["gb"]) == ("refused", "refused")
    assert email["germany"] == "refused"


@settings(max_examples=50, deadline=None)
@given(
    rules=st.lists(
        st.fixed_dictionaries(
            {
                "countries": st.lists(st.sampled_from(["DE", "GB", "FR"]), max_size=2, unique=True),
                "channels": st.lists(st.sampled_from(["email", "sms", "ads"]), max_size=3, unique=True),
                "when_not_delivered": st.sampled_from(["allow", "deny"]),
            }
        ),
        max_size=4,
    ),
    general=st.sampled_from(["allow", "deny"]),
    channel=st.sampled_from(["email", "sms", "ads"]),
)
def test_nobody_of_an_unknown_country_is_let_through_where_an_earlier_rule_may_forbid_it(
    rules: list[dict[str, object]], general: str, channel: str
) -> None:
    settings_ = Consent.model_validate({"when_not_delivered": general, "rules": rules})
    if settings_.when_missing(channel, None) == "allow":
        before_the_first_yes_for_all = []
        for rule in settings_.rules:
            if channel in rule.channels and not rule.countries:
                break
            before_the_first_yes_for_all.append(rule)
        assert all(
            channel not in rule.channels or rule.when_not_delivered == "allow"
            for rule in before_the_first_yes_for_all
        )


def test_a_country_that_is_none_is_refused(tmp_path: Path) -> None:
    wrong = RULES.replace('"AT"', '"Germany"')
    with pytest.raises(ShopError, match="no country has the two-letter code Germany"):
        write_shop(tmp_path, more=wrong)


def test_objection_closes_every_channel_and_the_gravest_reason_is_told() -> None:
    rows = rows_of(
        "suppressions",
        [
            {"customer_key": "a", "kind": "objection", "channel": "email", "recorded_at": SEEN},
            {"customer_key": "b", "kind": "unsubscribed", "channel": "email", "recorded_at": SEEN},
            {"customer_key": "b", "kind": "bounced", "channel": "all", "recorded_at": SEEN},
            {"customer_key": "c", "kind": "bounced", "channel": "sms", "recorded_at": SEEN},
        ],
    ).lazy()
    by_channel = {
        channel: dict(suppressed(rows, channel).collect().iter_rows()) for channel in ("email", "sms", "ads")
    }
    assert by_channel == {
        "email": {"a": "objection", "b": "unsubscribed"},
        "sms": {"a": "objection", "b": "bounced", "c": "bounced"},
        "ads": {"a": "objection", "b": "bounced"},
    }


def test_of_several_own_numbers_the_one_seen_last_counts_and_a_shared_one_is_nobodys() -> None:
    later = datetime(2024, 2, 1, tzinfo=UTC)
    rows = [
        ("a", "1", SEEN),
        ("a", "2", later),
        ("b", "3", later),
        ("c", "3", None),
        ("c", "5", None),
        ("c", "4", None),
    ]
    contacts = rows_of(
        "contacts",
        [{"customer_key": k, "kind": "external_id", "address": n, "last_seen_at": at} for k, n, at in rows],
    ).lazy()
    assert dict(external_ids(contacts).collect().iter_rows()) == {"a": "2", "c": "4"}
    # No address of the channel is delivered at all: the shop hands out its own numbers.
    assert reached(contacts, "email") == {"a", "c"}
    one = rows_of("contacts", [{"customer_key": "b", "kind": "email", "address": "b@example.org"}]).lazy()
    both = pl.concat([contacts, one])
    assert (reached(both, "email"), reached(both, "sms"), reached(both, "ads")) == ({"b"}, {"a", "c"}, {"b"})


def reached(contacts: pl.LazyFrame, channel: str) -> set[str]:
    found = reachable_on(contacts, ["sms", channel]) if channel != "sms" else reachable_on(contacts, ["sms"])
    return set(found.filter(f"reachable:{channel}").collect()["customer_key"])
