"""How much a request asks for."""

from tributary.api.size import Size

PARAMS = {"status": "all", "expand[]": ["data.discounts"]}


def test_half_is_asked_for_until_nothing_is_left_to_leave_out() -> None:
    size = Size(100, dropping="expand[]")
    asked = list(size.lighter(PARAMS))
    assert [params["limit"] for params in asked] == [50, 25, 12, 6, 3, 1, 1]
    assert [("expand[]" in params) for params in asked] == [True] * 6 + [False]
    assert all(params["status"] == "all" for params in asked)
    assert size.delivered(), "it came without what is expanded"
    assert size.of(PARAMS) == {**PARAMS, "limit": 1}, "the next one may come with it"
    assert not size.delivered()


def test_what_went_well_for_a_while_is_tried_with_twice_as_much() -> None:
    size = Size(100)
    next(size.lighter({}))
    next(size.lighter({}))
    assert [(size.of({})["limit"], size.delivered())[0] for _ in range(25)] == [25] * 10 + [50] * 10 + [100] * 5
