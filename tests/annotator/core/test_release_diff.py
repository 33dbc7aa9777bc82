"""What changed between two releases, on a handful of solutions by hand."""

from annotator.core.release_diff import Labelled, compare, rule_changes


def one(
    digest: str, labels: str, kind: str = "circular", split: str = "train", **types: list[str]
) -> Labelled:
    return Labelled(digest, f"id-{digest}", split, kind, labels, types)


def test_by_hand() -> None:
    before = [one("a", "+-+"), one("b", "++"), one("c", "-."), one("d", "+-", split="test")]
    after = [one("a", "++-"), one("b", "++"), one("d", "+-"), one("e", "-", "deception")]
    found = compare(before, after)
    assert (found.n_a, found.n_b, found.same, found.added, found.removed) == (4, 4, 2, 1, 1)
    assert (found.relabelled, found.moved, found.retyped) == (1, 1, 0)
    assert found.changes == {"- +": 1, "+ -": 1}
    assert found.positions == {1: 1, 2: 1}
    assert found.added_kinds == {"deception": 1}
    assert found.first == {
        "added": ["id-e"],
        "relabelled": [{"id": "id-a", "kind": "circular", "before": "+-+", "after": "++-"}],
        "removed": ["id-c"],
    }


def test_the_same_content_twice_is_matched_one_by_one() -> None:
    found = compare([one("a", "+"), one("a", "-")], [one("a", "+"), one("a", "-"), one("a", "-")])
    assert (found.same, found.added, found.relabelled) == (2, 1, 0)


def test_other_error_types_alone_are_no_other_labels() -> None:
    found = compare([one("a", "-", **{"0": ["x"]})], [one("a", "-", **{"0": ["y"]})])
    assert (found.same, found.retyped, found.relabelled) == (0, 1, 0)


def test_a_release_and_itself_are_the_same() -> None:
    rows = [one(str(n), "+-") for n in range(5)]
    found = compare(rows, rows)
    assert (found.same, found.added, found.removed, found.relabelled, found.moved) == (5, 0, 0, 0, 0)


def test_members_of_rules_that_differ() -> None:
    assert rule_changes({"which": "gold", "seed": 1}, {"which": "gold", "kinds": []}) == {
        "seed": [1, None],
        "kinds": [None, []],
    }
