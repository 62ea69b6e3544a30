"""Platforms: headings, cells and hashes are the platforms' own published ones; a row that fails is not in the file.

Expected hashes are either the platform's published examples or SHA-256 of a text that is normalised by hand here.
"""

import csv
import hashlib
import io
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import table
from pipelines.delivery.platforms import PLATFORMS, platforms_for
from pipelines.delivery.platforms.addresses import E164
from pipelines.errors import ShopError
from tests.pipelines.delivery.composed_people import FORMULAS, QUOTED, file_rows, regular

HEADERS = {
    "klaviyo": "Email,Phone Number,First Name,Last Name,Email Marketing Consent,Email Marketing Consent Timestamp",
    "mailchimp": "Email Address,First Name,Last Name,Address,Phone Number,Birthday,Tags",
    "google_customer_match": "Email,Phone,First Name,Last Name,Country,Zip",
    "meta": "email,email,email,phone,phone,phone,madid,fn,ln,zip,ct,st,country,dob,doby,gen,age,uid,value",
    "tiktok": "Email_SHA256,Phone_SHA256",
    "tiktok_without_plus": "Email_SHA256,Phone_SHA256",
}
"""Header lines of the platforms' own import templates (help.klaviyo.com 115005078967, mailchimp.com/help "Format
Guidelines for Your Import File", support.google.com/google-ads/answer/7659867, facebook.com/business/help/
2082575038703844, ads.tiktok.com/help "List of supported IDs and formats for a customer file")."""
UPLOADS = [name for name, platform in PLATFORMS.items() if platform.is_upload]
IN_THE_CLEAR = ["klaviyo", "mailchimp", "hubspot"]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def one(platform: str, **person: Any) -> dict[str, str | None]:
    """The only row of a platform's file of one person."""
    (row,) = (
        file_rows(platform, [person], channel=PLATFORMS[platform].channels[0]).drop("customer_key").to_dicts()
    )
    return row


@pytest.mark.parametrize("name", HEADERS)
def test_headings_are_the_platforms_own_in_their_order_and_hold_no_consent(name: str) -> None:
    known = list(dict.fromkeys(HEADERS[name].split(",")))
    mine = list(PLATFORMS[name].headings)
    assert [heading for heading in known if heading in mine] == mine
    assert not [heading for heading in mine if "consent" in heading.lower()]
    for channel in PLATFORMS[name].channels:
        in_file = file_rows(name, [regular(1)], channel=channel).columns[1:]
        assert [heading for heading in mine if heading in in_file] == in_file


def test_a_list_for_email_hands_no_phones_out_and_one_for_sms_no_emails() -> None:
    assert file_rows("klaviyo", [regular(1)], channel="email").columns[1:] == [
        "Email",
        "First Name",
        "Last Name",
    ]
    by_phone = file_rows("klaviyo", [regular(1)], channel="sms")
    assert by_phone.columns[1:] == ["Phone Number", "First Name", "Last Name"]
    assert by_phone["Phone Number"].to_list() == ["+4915110000001"]


def test_meta_hashes_are_the_published_examples() -> None:
    # developers.facebook.com, "Customer Information Parameters", expected SHA256 outputs.
    row = one(
        "meta", email=" John_Smith@gmail.com ", phone="+16505551212", first_name="Mary", last_name="Valéry"
    )
    assert row["email"] == "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
    assert row["phone"] == "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
    assert row["fn"] == "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"
    assert row["ln"] == "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"
    korean = one("meta", email="a@example.com", first_name="정")
    assert korean["fn"] == "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"
    assert korean["ln"] is None


@pytest.mark.parametrize(
    ("country", "code", "zip_code", "bare_zip"),
    [
        ("United States", "us", "94035-1234", "94035"),
        ("GB", "gb", "SW1A 1AA", "sw1a1"),
        ("United Kingdom", "gb", "M1 1AE", "m11"),
        ("Netherlands", "nl", " 1234 AB ", "1234ab"),
        ("PL", "pl", "00-950", "00950"),
    ],
)
def test_meta_places_are_written_as_its_page_says(
    country: str, code: str, zip_code: str, bare_zip: str
) -> None:
    row = one("meta", email="a@example.com", city="St. Gallen-West 9", zip=zip_code, country=country)
    assert row["ct"] == sha256("stgallenwest")
    assert row["zip"] == sha256(bare_zip)
    assert row["country"] == sha256(code)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1234.5, "1234.50"),
        (0.0, "0.00"),
        (-3.0, None),
        (None, None),
        (float("nan"), None),
        (1e15, "1000000000000000.00"),
    ],
)
def test_metas_value_is_a_plain_number_or_nothing(value: float | None, written: str | None) -> None:
    assert one("meta", email="a@example.com", predicted_clv_365d=value)["value"] == written


@pytest.mark.parametrize(
    ("address", "normalised"),
    [
        # Examples of developers.google.com/data-manager/api/devguides/concepts/formatting.
        ("cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com"),
        ("user.name+NYC@Example.com", "user.name+nyc@example.com"),
        (" J.O.E@GoogleMail.com", "joe@googlemail.com"),
        ("j.oe@notgmail.com", "j.oe@notgmail.com"),
        ("j.oe@gmail.com.example.com", "j.oe@gmail.com.example.com"),
    ],
)
def test_google_drops_dots_and_suffixes_at_its_own_domains_only(address: str, normalised: str) -> None:
    assert one("google_customer_match", email=address)["Email"] == sha256(normalised)


def test_only_google_drops_dots_and_suffixes() -> None:
    assert one("meta", email="j.oe+x@gmail.com")["email"] == sha256("j.oe+x@gmail.com")
    assert one("tiktok", email="j.oe+x@gmail.com")["Email_SHA256"] == sha256("j.oe+x@gmail.com")
    assert one("klaviyo", email="j.oe+x@gmail.com")["Email"] == "j.oe+x@gmail.com"


def test_google_hashes_phones_with_plus_and_names_but_neither_country_nor_zip() -> None:
    row = one(
        "google_customer_match",
        email="a@example.com",
        phone="+18005550100",
        first_name=" Mary  Ann ",
        last_name="O'Neill-Smith",
        country="Germany",
        zip=" 10115 ",
    )
    assert row == {
        "Email": sha256("a@example.com"),
        "Phone": sha256("+18005550100"),
        "First Name": sha256("mary ann"),
        "Last Name": sha256("oneillsmith"),
        "Country": "DE",
        "Zip": "10115",
    }


@pytest.mark.parametrize("missing", ["first_name", "last_name", "country", "zip"])
def test_google_gets_a_postal_address_whole_or_not_at_all(missing: str) -> None:
    row = one("google_customer_match", **(regular(1) | {missing: None}))
    assert [row[heading] for heading in ("First Name", "Last Name", "Country", "Zip")] == [None] * 4
    assert row["Email"] and row["Phone"]


def test_tiktok_has_both_of_its_rules_for_phones() -> None:
    # The e-mail is an example of ads.tiktok.com/help, "List of supported IDs and formats for a customer file".
    with_plus = one("tiktok", email="JaneDoe@gmail.com", phone="+37493828222")
    assert with_plus == {
        "Email_SHA256": "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69",
        "Phone_SHA256": sha256("+37493828222"),
    }
    assert one("tiktok_without_plus", phone="+37493828222")["Phone_SHA256"] == sha256("37493828222")


def test_properties_are_typed_plain_text_and_come_after_the_platforms_own_columns() -> None:
    columns = ("historic_clv", "churn_probability_90d", "last_order_day", "valid_orders", "tier", "last_nps")
    person = regular(1) | {
        "historic_clv": 1234567.891,
        "churn_probability_90d": 0.00001,
        "last_order_day": date(2024, 5, 1),
        "valid_orders": 1200,
        "tier": " gold ",
        "last_nps": None,
    }
    for name in ("klaviyo", "mailchimp", "hubspot", "braze"):
        rows = file_rows(name, [person], columns=columns)
        assert tuple(rows.columns[-6:]) == columns
        assert rows.row(0)[-6:] == ("1234567.89", "0.0000", "2024-05-01", "1200", "gold", None)
    for name in ("google_customer_match", "meta", "tiktok", "external_id"):
        assert not set(columns) & set(file_rows(name, [person], columns=columns).columns)


@pytest.mark.parametrize("name", ["klaviyo", "mailchimp", "hubspot", "braze"])
def test_every_column_that_may_be_handed_out_becomes_text(name: str) -> None:
    columns = tuple(
        column for column in table("customer_profile").schema if column not in ("as_of", "customer_key")
    )
    rows = file_rows(name, [regular(1)], columns=columns)
    assert set(rows.schema.values()) == {pl.String()}
    assert rows.height == 1


@pytest.mark.parametrize(
    "address",
    [
        None, "", "nobody", "a@b", "a@@example.com", "a b@example.com", "a,b@example.com", '"a"@example.com',
        "a@example.com\n", "a@exam\nple.com", "a\t@example.com", "=a@example.com", "+a@example.com", "-a@example.com",
        "@example.com", "a@-example.com", "a@example.c", "a..b@example.com", ".a@example.com", "a.@example.com",
        "ä@example.com", "x" * 65 + "@example.com", "a@" + "x" * 250 + ".com", "a@example.com,b@example.com",
        "＝a@example.com", "'a@example.com", "a@example.com;", "<a@example.com>",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["klaviyo", "mailchimp", "hubspot", "google_customer_match", "meta", "tiktok"]
)
def test_a_row_without_a_strict_email_is_not_in_a_file(name: str, address: str | None) -> None:
    # Blanks around an address are trimmed; everything else stops the row.
    expected = 1 if address and address.strip() == "a@example.com" else 0
    assert file_rows(name, [{"email": address}]).height == expected


def test_letters_beyond_ascii_stand_after_the_at_for_mailchimp_only() -> None:
    person = {"email": "Anna@Müller.example"}
    assert one("mailchimp", **person) == {
        "Email Address": "anna@müller.example",
        "First Name": None,
        "Last Name": None,
    }
    assert file_rows("klaviyo", [person]).is_empty()
    assert file_rows("google_customer_match", [person]).is_empty()


@pytest.mark.parametrize(
    "number",
    [
        None,
        "",
        "+",
        "123456789",
        "+0123456789",
        "+123456",
        "+1234567890123456",
        "+49 151 1",
        "+49151a",
        "٠+4915110000001",
    ],
)
def test_a_phone_is_e164_or_none(number: str | None) -> None:
    assert file_rows("klaviyo", [{"phone": number}], channel="sms").is_empty()
    assert file_rows("meta", [{"phone": number}]).is_empty()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=8) | st.from_regex(E164, fullmatch=True), min_size=1, max_size=8))
def test_what_stands_in_a_phone_column_is_e164_whatever_was_there(numbers: list[str]) -> None:
    kept = file_rows("klaviyo", [{"phone": number} for number in numbers], channel="sms")["Phone Number"]
    assert kept.str.contains(E164).all()
    assert kept.to_list() == sorted({text for number in numbers if _is_e164(text := number.strip())})


def _is_e164(text: str) -> bool:
    digits = text[1:]
    return (
        text[:1] == "+"
        and digits.isascii()
        and digits.isdigit()
        and digits[0] != "0"
        and 7 <= len(digits) <= 15
    )


@pytest.mark.parametrize("name", IN_THE_CLEAR)
@pytest.mark.parametrize("column", ["first_name", "last_name"])
def test_hostile_names_stop_their_row_and_no_cell_is_altered(name: str, column: str) -> None:
    hostile = [regular(n) | {column: text} for n, text in enumerate(FORMULAS)]
    # Blanks around a name go, as around any name; none of these is a name after that.
    assert file_rows(name, hostile).is_empty()
    harmless = [regular(n) | {column: text} for n, text in enumerate(QUOTED)]
    rows = file_rows(name, harmless)
    assert set(rows["First Name" if column == "first_name" else "Last Name"]) == set(QUOTED)


@pytest.mark.parametrize("name", IN_THE_CLEAR)
def test_hostile_properties_stop_their_row(name: str) -> None:
    hostile = [regular(n) | {"tier": text} for n, text in enumerate(FORMULAS)]
    assert file_rows(name, hostile, columns=("tier",)).is_empty()
    # What is not handed out cannot stop anybody.
    assert file_rows(name, hostile).height == len(FORMULAS)


@pytest.mark.parametrize("text", ["-", ".", "?", "123", "  ", ""])
def test_a_name_without_a_letter_is_no_name_and_a_dash_stops_nobody(text: str) -> None:
    rows = file_rows("klaviyo", [regular(1) | {"last_name": text}])
    assert rows["Last Name"].to_list() == [None]
    assert rows["Email"].to_list() == ["person00001@example.com"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=6) | st.sampled_from([*FORMULAS, *QUOTED]), min_size=1, max_size=6))
def test_names_reach_the_file_unaltered_or_not_at_all(names: list[str]) -> None:
    given_names = {
        f"person{n:05}@example.com": " ".join(name.strip().split(" ")) for n, name in enumerate(names)
    }
    rows = file_rows("klaviyo", [regular(n) | {"first_name": name} for n, name in enumerate(names)])
    for email, name in rows.select("Email", "First Name").iter_rows():
        if name is not None:
            assert " ".join(part for part in given_names[email].split(" ") if part) == name
            assert not name.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


@pytest.mark.parametrize(
    "number", ["=1", "-3", "@x", "+1", "a,b", "a\nb", "a\rb", "", " ", "x" * 101, 'a"b', "1;2"]
)
def test_a_hostile_customer_number_is_not_in_a_file(number: str) -> None:
    assert file_rows("external_id", [{"external_id": number}]).is_empty()
    assert file_rows("braze", [{"external_id": number}]).is_empty()


@pytest.mark.parametrize(
    "number", ["1", "C00016034", "gid://shop/Customer/77", "#1001", "A-1 b", "10.5", "Ü_1"]
)
def test_customer_numbers_stand_as_they_are(number: str) -> None:
    assert one("external_id", external_id=number) == {"external_id": number}


@pytest.mark.parametrize("name", UPLOADS)
def test_nobody_without_an_address_is_in_a_file_and_no_key_is_empty(name: str) -> None:
    rows = file_rows(name, [{"first_name": "Ann", "country": "DE"}, regular(2), {"email": None, "phone": ""}])
    assert rows["customer_key"].to_list() == ["key 00002"]


@pytest.mark.parametrize("name", UPLOADS)
def test_of_people_with_the_same_address_the_first_of_the_list_stays(name: str) -> None:
    same = [regular(1), regular(2), regular(1), regular(1) | {"email": " PERSON00001@example.com "}]
    rows = file_rows(name, same)
    assert sorted(rows["customer_key"]) == ["key 00001", "key 00002"]
    # Who stands where in the frame decides nothing, the list's order does.
    turned = [row | {"position": 9 - n} for n, row in enumerate(same)]
    assert sorted(file_rows(name, turned)["customer_key"]) == ["key 00002", "key 00004"]


def test_a_shared_phone_stays_with_the_first_and_the_other_is_found_by_email() -> None:
    rows = file_rows("meta", [regular(1), regular(2) | {"phone": regular(1)["phone"]}]).sort("customer_key")
    assert rows["phone"].is_null().to_list() == [False, True]
    assert rows["email"].null_count() == 0


def test_addresses_that_are_one_to_google_are_one_person_there_and_two_elsewhere() -> None:
    two = [{"email": "jo.e@gmail.com"}, {"email": "joe+news@gmail.com"}]
    assert file_rows("google_customer_match", two)["customer_key"].to_list() == ["key 00001"]
    assert file_rows("meta", two).height == 2


@pytest.mark.parametrize("name", UPLOADS)
def test_the_order_of_a_file_is_its_first_columns_and_tells_no_rank(name: str) -> None:
    rows = [regular(n) for n in range(30)]
    made = file_rows(name, rows)
    first = made[made.columns[1]].to_list()
    assert first == sorted(first)
    turned = [row | {"position": 30 - n, "customer_key": f"key {n + 1:05}"} for n, row in enumerate(rows)]
    assert file_rows(name, turned).equals(made)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "email": st.none()
                | st.sampled_from(["a@example.com", "b.c@gmail.com", "bc@gmail.com", "=x@example.com"]),
                "phone": st.none() | st.sampled_from(["+4915110000001", "+4915110000002", "0151"]),
                "external_id": st.none() | st.sampled_from(["1", "2", "=3"]),
                "first_name": st.none() | st.sampled_from(["Ann", *FORMULAS[:3], *QUOTED[:2]]),
            }
        ),
        max_size=8,
    )
)
def test_every_row_has_an_identifier_and_no_identifier_stands_twice(
    rows: list[dict[str, str | None]],
) -> None:
    for name in UPLOADS:
        made = file_rows(name, rows)
        identifiers = [
            heading for heading in made.columns if heading.lower().startswith(("email", "phone", "external"))
        ]
        assert made.filter(pl.all_horizontal(pl.col(identifiers).is_null())).is_empty()
        for heading in identifiers:
            assert made[heading].drop_nulls().is_unique().all()
        assert made["customer_key"].is_unique().all()
        text = made.write_csv()
        read = list(csv.reader(io.StringIO(text)))
        assert [tuple(cell or None for cell in row) for row in read[1:]] == made.rows()


@pytest.mark.parametrize("name", list(PLATFORMS))
def test_a_list_of_nobody_is_a_file_of_nobody(name: str) -> None:
    assert file_rows(name, []).is_empty()


def test_a_shop_without_contacts_still_gets_customer_numbers_and_a_reading_file() -> None:
    for channel in ("email", "sms", "ads"):
        assert [one.name for one in platforms_for(channel, None, {"external_id"})] == [
            "external_id",
            "reading",
        ]
    assert [one.name for one in platforms_for("email", None, set())] == ["reading"]
    assert [one.name for one in platforms_for("email", ("klaviyo",), {"external_id"})] == ["reading"]


def test_a_list_gets_the_platforms_that_serve_its_channel_or_those_it_names() -> None:
    every = {"email", "phone", "external_id"}
    named = {
        channel: [one.name for one in platforms_for(channel, None, every)]
        for channel in ("email", "sms", "ads")
    }
    assert named == {
        "email": ["external_id", "klaviyo", "mailchimp", "reading"],
        "sms": ["external_id", "klaviyo", "reading"],
        "ads": ["external_id", "google_customer_match", "meta", "reading"],
    }
    assert [one.name for one in platforms_for("ads", ("tiktok", "meta"), every)] == [
        "meta",
        "tiktok",
        "reading",
    ]


def test_wrong_platforms_are_told_with_near_ones() -> None:
    with pytest.raises(ShopError, match=r"no platform 'klavyo'. Did you mean klaviyo\?"):
        platforms_for("email", ("klavyo",), {"email"})
    with pytest.raises(ShopError, match="meta takes no lists of channel 'email', only ads"):
        platforms_for("email", ("meta",), {"email"})


def test_limits_of_platforms_are_told_with_the_remedy() -> None:
    assert PLATFORMS["klaviyo"].remarks(1000, 50_000_000) == ()
    (too_large,) = PLATFORMS["klaviyo"].remarks(1_000_000, 100_000_000)
    assert "at most 50 MB; this one has 100 MB. Set limit = 490000 for the list" in too_large
    (too_few,) = PLATFORMS["meta"].remarks(99, 1000)
    assert "fewer than 100 people; this one has 99" in too_few
    assert PLATFORMS["meta"].remarks(100, 1000) == ()
