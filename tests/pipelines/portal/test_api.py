"""The JSON API: what it tells, and that no request that its own description allows breaks it."""

import warnings
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pipelines.records.users import Role
from tests.pipelines.portal.running_page import RunningPage

pytestmark = pytest.mark.xdist_group("published_small_shop")
LIST = "/api/lists/thank_you"
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


def test_lists_tell_what_the_tables_hold(page: RunningPage) -> None:
    program = page.program(Role.VIEWER)
    cards = {card["name"]: card for card in program.get("/api/lists").json()["cards"]}
    tables = page.published.lake.scan("campaign_lists").collect()
    assert {name: card["people"] for name, card in cards.items()} == dict(
        tables.select("name", "deliverable").rows()
    )
    one = program.get(LIST).json()
    assert one["card"]["list_id"] == page.list_id
    assert one["everyone"] == sum(stop["customers"] for stop in one["stops"]) + cards["thank_you"]["people"]
    assert program.get(f"{LIST}/stops").json() == one["stops"]
    assert program.get(f"{LIST}/overlaps").json() == one["overlaps"]


def test_viewers_see_counts_and_nobody_by_name(page: RunningPage) -> None:
    marketer, viewer = page.program(Role.MARKETER), page.program(Role.VIEWER)
    marketer.get(f"{LIST}/files/external_id")
    marketer.post(f"{LIST}/not-used")
    seen = {who: program.get(LIST).text for who, program in (("marketer", marketer), ("viewer", viewer))}
    assert ("Max" in seen["marketer"], "Max" in seen["viewer"]) == (True, False)
    assert "Max" not in viewer.get("/api/lists").text


def test_notes_are_taken_of_days_that_can_be(page: RunningPage) -> None:
    program = page.program(Role.MARKETER)
    for day, status in (("2024-05-28", 422), ("2024-05-31", 201), ("2024-06-01", 201), ("2024-06-02", 422)):
        page.clock.now += timedelta(seconds=1)
        assert program.post(f"{LIST}/sent", json={"sent_on": day}).status_code == status, day
    page.clock.now += timedelta(seconds=1)
    assert program.post(f"{LIST}/not-used").status_code == 201
    assert program.post("/api/lists/nothing/not-used").status_code == 404
    notes = page.app.state.ledger.sendings().select("list_id", "state", "sent_on", "who").rows()
    assert notes == [
        (page.list_id, "sent", date(2024, 5, 31), "Max"),
        (page.list_id, "sent", date(2024, 6, 1), "Max"),
        (page.list_id, "not_used", None, "Max"),
    ]


def test_an_admin_manages_users_and_tokens(page: RunningPage) -> None:
    admin = page.program(Role.ADMIN)
    made = admin.post("/api/users", json={"name": "New", "role": "marketer"}).json()
    users = page.app.state.users
    assert users.check("New", made["password"]).role is Role.MARKETER
    assert admin.post("/api/users", json={"name": "new", "role": "viewer"}).status_code == 422
    assert admin.post("/api/users", json={"name": "Other", "role": "root"}).status_code == 422
    again = admin.post("/api/users/New/reset").json()
    assert users.check("New", made["password"]) is None
    assert users.check("New", again["password"])
    assert admin.post("/api/users/New/disable").json()["is_disabled"]
    assert users.check("New", again["password"]) is None
    assert {person["name"] for person in admin.get("/api/users").json()} == {"Vera", "Max", "Ada", "New"}
    page.program(Role.VIEWER)
    (own, other) = sorted(admin.get("/api/tokens").json(), key=lambda token: token["user"])
    assert admin.delete(f"/api/tokens/{other['token_id']}").status_code == 204
    assert admin.delete(f"/api/tokens/{own['token_id']}").status_code == 204
    assert admin.get("/api/users").status_code == 401


def test_an_admin_reads_the_ledger(page: RunningPage) -> None:
    page.program(Role.MARKETER).get(f"{LIST}/files/external_id")
    (row,) = page.program(Role.ADMIN).get("/api/ledger").json()
    assert (row["who"], row["list_id"], row["via"]) == ("Max", page.list_id, "api")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic YTpi", "bearer é"])
def test_what_is_no_token_lets_nobody_in(page: RunningPage, header: str) -> None:
    answer = page.program().get("/api/lists", headers={b"authorization": header.encode()})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_its_page_tells_every_operation(page: RunningPage) -> None:
    browser = page.browser()
    described, told = browser.get("/api/openapi.json").json(), browser.get("/api/docs").text
    for path, operations in described["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {path}</code>" in told


@pytest.mark.parametrize("role", [None, Role.ADMIN])
def test_no_request_that_the_description_allows_breaks_it(page: RunningPage, role: Role | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
        from schemathesis.checks import not_a_server_error
        from schemathesis.core.result import Ok

    program = page.program(role)
    token = {name: program.headers[name] for name in ("authorization",) if name in program.headers}
    schema = schemathesis.openapi.from_dict(program.get("/api/openapi.json").json())
    tried: set[str] = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()

        @settings(max_examples=20, deadline=None, database=None, suppress_health_check=SLOW)
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            # Its own tokens would let nobody in, and nothing behind the door would be tried.
            kept = {
                name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"
            }
            case.headers = kept
            answer = case.call(base_url=page.address, headers=token)
            case.validate_response(answer, checks=[not_a_server_error])

        run()
        tried.add(operation.label)
    assert len(tried) > 15
