"""What every forge must do, as one suite: a test class inherits `ForgeContract` and provides the `world` fixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from support.repositories import NOON, OURS, PERSON, Clone
from tidegate.core.observed import Check, CheckState, Proposal, ProposalState
from tidegate.errors import MergeConflict, Raced, Refused, TidegateError
from tidegate.ports import Draft, Forge, Repository

LATER = NOON + timedelta(hours=1)
PIN = "models/churn/production.yaml"
FIRST_FILES = {PIN: "stable: 1\n", "models/churn/model.yaml": "kind: Model\n", "README.md": "models\n"}
BRANCH = "tidegate/churn/production/promote-k0123456789abcdef"


@dataclass(frozen=True)
class World:
    """A forge, the repository behind it, and a person with a clone. main holds FIRST_FILES.

    `merged_by` are author and committer of a merge commit; `it_is` tells a forge with a clock of its own the time, and
    lets it see what was pushed past it.
    """

    forge: Forge
    repository: Repository
    person: Clone
    merged_by: tuple[str, str] = (OURS, OURS)
    it_is: Callable[[datetime], None] = lambda _: None

    def branch(self, name: str = BRANCH, content: str = "stable: 2\n", path: str = PIN) -> str:
        """A branch of ours with one commit; returns its head."""
        main = self.repository.head()
        assert main is not None
        head = self.repository.write_commit(main, {path: content}, f"set {path}", NOON)
        self.repository.move_branch(name, head, None)
        return head

    def draft(self, name: str = BRANCH, content: str = "stable: 2\n", path: str = PIN) -> Draft:
        head = self.branch(name, content, path)
        return Draft(branch=name, head=head, title="Promote churn 2", body="the evidence ✓", author="tidegate")

    def proposed(self, name: str = BRANCH, content: str = "stable: 2\n", path: str = PIN) -> Proposal:
        return self.forge.create(self.draft(name, content, path), NOON)

    def merged(self, proposal: Proposal, message: str) -> str:
        """The merge commit of a proposal that nothing stands in the way of."""
        commit = self.forge.merge(proposal.number, proposal.head, message, LATER)
        assert isinstance(commit, str)
        return commit

    def main(self) -> str:
        main = self.repository.head()
        assert main is not None
        return main

    def main_says(self, path: str) -> str | None:
        return self.repository.read(self.main(), path)


class ForgeContract:
    """Needs a fixture `world`."""

    def test_there_are_no_proposals_at_first(self, world: World) -> None:
        assert world.forge.proposals() == ()

    def test_a_created_proposal_is_read_back_as_it_was_drafted(self, world: World) -> None:
        draft = world.draft()
        created = world.forge.create(draft, NOON)
        assert (created.branch, created.head, created.title, created.body) == (
            draft.branch,
            draft.head,
            draft.title,
            draft.body,
        )
        assert (created.state, created.author, created.created_at) == (ProposalState.OPEN, "tidegate", NOON)
        assert world.forge.proposals() == (created,)
        assert world.forge.proposal(created.number) == created

    def test_I2_creating_a_proposal_for_the_same_branch_adopts_the_open_one(self, world: World) -> None:
        draft = world.draft()
        first = world.forge.create(draft, NOON)
        assert world.forge.create(replace(draft, title="again"), LATER) == first
        assert len(world.forge.proposals()) == 1

    def test_numbers_grow_and_the_list_is_oldest_first(self, world: World) -> None:
        numbers = [world.proposed(f"tidegate/{place}", path=f"{place}.yaml").number for place in range(3)]
        assert numbers == sorted(set(numbers))
        assert [each.number for each in world.forge.proposals()] == numbers

    def test_a_branch_that_main_contains_already_is_no_proposal(self, world: World) -> None:
        world.repository.move_branch("tidegate/nothing", world.main(), None)
        draft = Draft(branch="tidegate/nothing", head=world.main(), title="t", body="", author="tidegate")
        with pytest.raises(Refused, match="main contains"):
            world.forge.create(draft, NOON)

    def test_a_draft_whose_branch_moved_on_is_not_created(self, world: World) -> None:
        draft = world.draft()
        with pytest.raises(Raced):
            world.forge.create(replace(draft, head=world.main()), NOON)
        assert world.forge.proposals() == ()

    def test_what_may_not_merge_any_more_is_not_merged(self, world: World) -> None:
        proposal, main = world.proposed(), world.main()
        with pytest.raises(Raced, match="may not merge"):
            world.forge.merge(proposal.number, proposal.head, "no", LATER, still=lambda: False)
        assert world.main() == main
        assert world.forge.proposal(proposal.number).state is ProposalState.OPEN

    def test_a_number_that_does_not_exist_is_said_so(self, world: World) -> None:
        with pytest.raises(TidegateError, match="99"):
            world.forge.proposal(99)

    def test_title_and_body_can_be_described_anew(self, world: World) -> None:
        proposal = world.proposed()
        world.forge.describe(proposal.number, "another title", "another body", LATER)
        seen = world.forge.proposal(proposal.number)
        assert (seen.title, seen.body, seen.updated_at) == ("another title", "another body", LATER)
        assert seen.created_at == NOON

    def test_a_comment_with_the_same_marker_is_edited_in_place(self, world: World) -> None:
        number = world.proposed().number
        world.forge.comment(number, "tidegate", "10 %", "progress", NOON)
        world.forge.comment(number, "@dana", "looks fine", "", NOON)
        world.forge.comment(number, "tidegate", "50 %", "progress", LATER)
        said = [(each.author, each.text) for each in world.forge.proposal(number).comments]
        assert said == [("tidegate", "50 %"), ("@dana", "looks fine")]

    def test_comments_without_a_marker_are_all_kept(self, world: World) -> None:
        number = world.proposed().number
        world.forge.comment(number, "@dana", "first", "", NOON)
        world.forge.comment(number, "@dana", "second", "", NOON)
        assert [each.text for each in world.forge.proposal(number).comments] == ["first", "second"]

    def test_the_check_is_the_last_one_set(self, world: World) -> None:
        proposal = world.proposed()
        for state in (CheckState.PENDING, CheckState.PASSED):
            check = Check(head=proposal.head, state=state, summary="why")
            world.forge.set_check(proposal.number, check, NOON)
            assert world.forge.proposal(proposal.number).check == check
            assert world.forge.is_checked(proposal.head) is (state is CheckState.PASSED)

    def test_an_approval_counts_once_for_a_head_and_again_for_the_next(self, world: World) -> None:
        proposal = world.proposed()
        world.forge.approve(proposal.number, "@dana", proposal.head, NOON)
        world.forge.approve(proposal.number, "@dana", proposal.head, LATER)
        pushed = self._pushed(world)
        world.forge.approve(proposal.number, "@dana", pushed, LATER)
        approvals = world.forge.proposal(proposal.number).approvals
        assert [(each.handle, each.head, each.at) for each in approvals] == [
            ("@dana", proposal.head, NOON),
            ("@dana", pushed, LATER),
        ]

    def test_I4_an_approval_of_another_commit_than_the_head_is_none(self, world: World) -> None:
        proposal = world.proposed()
        pushed = self._pushed(world)
        with pytest.raises(Raced, match=f"is at {pushed} by now"):
            world.forge.approve(proposal.number, "@dana", proposal.head, LATER)
        assert world.forge.proposal(proposal.number).approvals == ()

    def test_I5_what_a_person_pushes_to_the_branch_is_the_head_at_once(self, world: World) -> None:
        proposal = world.proposed()
        pushed = self._pushed(world)
        seen = world.forge.proposal(proposal.number)
        assert (seen.head, seen.state) == (pushed, ProposalState.OPEN)
        assert [each.author for each in world.repository.commits(world.main(), seen.head)] == [OURS, PERSON]

    @staticmethod
    def _pushed(world: World) -> str:
        world.person.git("fetch", "--quiet")
        world.person.checkout(BRANCH)
        head = world.person.commit({"models/churn/note.md": "mine\n"}, "a person's commit")
        world.person.push()
        return head

    def test_I4_merging_makes_one_merge_commit_of_main_and_the_judged_head(self, world: World) -> None:
        proposal, before = world.proposed(), world.main()
        commit = world.merged(proposal, "Promote churn\n\nKey: k1\n")
        info = world.repository.commit_info(commit)
        assert world.main() == commit
        assert info.parents == (before, proposal.head)
        assert info.message.rstrip("\n") == f"Promote churn\n\nKey: k1\nTidegate-Proposal: {proposal.number}"
        assert (info.author, info.committer, info.at) == (*world.merged_by, LATER)
        assert world.main_says(PIN) == "stable: 2\n"

    def test_a_message_of_one_line_gets_its_trailer_as_a_paragraph(self, world: World) -> None:
        proposal = world.proposed()
        commit = world.merged(proposal, "Promote: churn")
        message = world.repository.commit_info(commit).message.rstrip("\n")
        assert message == f"Promote: churn\n\nTidegate-Proposal: {proposal.number}"

    def test_a_merged_proposal_says_so_and_its_branch_is_gone(self, world: World) -> None:
        proposal = world.proposed()
        commit = world.forge.merge(proposal.number, proposal.head, "m", LATER)
        seen = world.forge.proposal(proposal.number)
        assert (seen.state, seen.merge_commit, seen.merged_at) == (ProposalState.MERGED, commit, LATER)
        assert seen.head == proposal.head
        assert world.repository.head(proposal.branch) is None

    def test_F17_merging_what_is_merged_returns_the_same_commit(self, world: World) -> None:
        proposal = world.proposed()
        first = world.forge.merge(proposal.number, proposal.head, "m", NOON)
        assert world.forge.merge(proposal.number, proposal.head, "m", LATER) == first
        assert world.main() == first

    def test_I4_a_head_that_moved_is_not_merged(self, world: World) -> None:
        proposal, before = world.proposed(), world.main()
        self._pushed(world)
        with pytest.raises(Raced):
            world.forge.merge(proposal.number, proposal.head, "m", LATER)
        assert world.main() == before
        assert world.forge.proposal(proposal.number).state is ProposalState.OPEN

    def test_what_main_got_meanwhile_is_kept_by_the_merge(self, world: World) -> None:
        proposal = world.proposed()
        world.person.commit({"README.md": "models of ours\n"})
        world.person.push("main")
        world.forge.merge(proposal.number, proposal.head, "m", LATER)
        assert world.main_says("README.md") == "models of ours\n"
        assert world.main_says(PIN) == "stable: 2\n"

    def test_a_conflict_names_the_files_and_changes_nothing(self, world: World) -> None:
        proposal = world.proposed()
        world.person.commit({PIN: "stable: 7\n"})
        world.person.push("main")
        before = world.main()
        with pytest.raises(MergeConflict, match=PIN):
            world.forge.merge(proposal.number, proposal.head, "m", LATER)
        assert world.main() == before
        assert world.forge.proposal(proposal.number).state is ProposalState.OPEN

    def test_I5_a_closed_proposal_is_not_merged_and_counts_as_vetoed(self, world: World) -> None:
        proposal, before = world.proposed(), world.main()
        world.forge.close(proposal.number, "@dana", LATER)
        seen = world.forge.proposal(proposal.number)
        assert (seen.state, seen.closed_by, seen.closed_by_us) == (ProposalState.CLOSED, "@dana", False)
        with pytest.raises(Refused, match="closed"):
            world.forge.merge(proposal.number, proposal.head, "m", LATER)
        assert world.main() == before

    def test_our_closing_carries_the_marker(self, world: World) -> None:
        number = world.proposed().number
        world.forge.close(number, "tidegate", LATER, ours=True)
        assert world.forge.proposal(number).closed_by_us

    def test_our_closing_takes_the_branch_away_and_leaves_what_was_proposed_to_be_seen(self, world: World) -> None:
        proposal = world.proposed()
        diff = world.forge.diff(proposal.number)
        world.forge.close(proposal.number, "tidegate", LATER, ours=True)
        assert world.repository.head(proposal.branch) is None
        assert world.forge.proposal(proposal.number).head == proposal.head
        assert world.forge.diff(proposal.number) == diff

    def test_I5_a_person_s_closing_leaves_the_branch(self, world: World) -> None:
        proposal = world.proposed()
        world.forge.close(proposal.number, "@dana", NOON)
        world.forge.close(proposal.number, "tidegate", LATER, ours=True)
        assert world.repository.head(proposal.branch) == proposal.head

    def test_our_closing_of_what_somebody_deleted_the_branch_of_is_a_closing(self, world: World) -> None:
        proposal = world.proposed()
        world.repository.move_branch(proposal.branch, None, proposal.head)
        world.forge.close(proposal.number, "tidegate", LATER, ours=True)
        assert world.forge.proposal(proposal.number).closed_by_us

    def test_I5_our_closing_keeps_a_person_s_last_commit_for_reopening(self, world: World) -> None:
        proposal = world.proposed()
        pushed = self._pushed(world)
        world.forge.close(proposal.number, "tidegate", NOON, ours=True)
        world.forge.reopen(proposal.number, "@dana", LATER)
        assert world.forge.proposal(proposal.number).head == pushed
        assert world.repository.head(proposal.branch) == pushed

    def test_what_was_closed_and_reopened_can_be_closed_again(self, world: World) -> None:
        proposal = world.proposed()
        for _ in range(2):
            world.forge.close(proposal.number, "tidegate", NOON, ours=True)
            world.forge.reopen(proposal.number, "@dana", LATER)
        assert world.forge.proposal(proposal.number).state is ProposalState.OPEN
        assert world.repository.head(proposal.branch) == proposal.head

    def test_I5_our_closing_after_a_person_s_leaves_the_veto(self, world: World) -> None:
        number = world.proposed().number
        world.forge.close(number, "@dana", NOON)
        world.forge.close(number, "tidegate", LATER, ours=True)
        seen = world.forge.proposal(number)
        assert (seen.closed_by, seen.closed_by_us) == ("@dana", False)

    def test_a_veto_can_be_lifted_and_an_open_proposal_has_none(self, world: World) -> None:
        number = world.proposed().number
        with pytest.raises(Refused):
            world.forge.lift(number, "@dana", NOON)
        world.forge.close(number, "@dana", NOON)
        world.forge.lift(number, "@dana", LATER)
        assert world.forge.proposal(number).lifted

    def test_a_reopened_proposal_is_open_as_if_it_had_never_been_closed(self, world: World) -> None:
        proposal = world.proposed()
        world.forge.close(proposal.number, "tidegate", NOON, ours=True)
        world.forge.reopen(proposal.number, "@dana", NOON)
        assert world.forge.proposal(proposal.number) == proposal

    def test_reopening_brings_a_deleted_branch_back(self, world: World) -> None:
        proposal = world.proposed()
        world.forge.close(proposal.number, "@dana", NOON)
        world.repository.move_branch(proposal.branch, None, proposal.head)
        world.forge.reopen(proposal.number, "@dana", LATER)
        assert world.repository.head(proposal.branch) == proposal.head

    def test_F17_a_merged_proposal_is_neither_closed_nor_reopened(self, world: World) -> None:
        proposal = world.proposed()
        world.forge.merge(proposal.number, proposal.head, "m", NOON)
        with pytest.raises(Refused):
            world.forge.close(proposal.number, "@dana", LATER)
        with pytest.raises(Refused):
            world.forge.reopen(proposal.number, "@dana", LATER)

    def test_a_closed_proposal_makes_room_for_the_next_on_its_branch(self, world: World) -> None:
        draft = world.draft()
        first = world.forge.create(draft, NOON)
        world.forge.close(first.number, "tidegate", NOON, ours=True)
        second = world.forge.create(world.draft(content="stable: 3\n"), LATER)
        assert second.number > first.number
        with pytest.raises(Refused, match=str(second.number)):
            world.forge.reopen(first.number, "@dana", LATER)

    def test_the_diff_shows_the_change_before_and_after_the_merge(self, world: World) -> None:
        proposal = world.proposed()
        world.person.commit({"README.md": "not part of it\n"})
        world.person.push("main")
        diff = world.forge.diff(proposal.number)
        assert "-stable: 1\n+stable: 2\n" in diff
        assert "README" not in diff
        world.forge.merge(proposal.number, proposal.head, "m", NOON)
        assert world.forge.diff(proposal.number) == diff

    def test_F17_a_merge_by_a_person_s_hand_shows_as_merged(self, world: World) -> None:
        proposal = world.proposed()
        world.person.commit({"README.md": "earlier work\n"})
        world.person.git("fetch", "--quiet")
        world.it_is(LATER)
        world.person.git("merge", "--quiet", "--no-ff", "-m", "by hand", f"origin/{BRANCH}", at=LATER)
        world.person.push("main")
        world.it_is(LATER)
        world.person.commit({"README.md": "later work\n"})
        world.person.push("main")
        seen = world.forge.proposal(proposal.number)
        by_hand = world.person.git("rev-parse", "HEAD^")
        assert (seen.state, seen.merge_commit, seen.merged_at) == (ProposalState.MERGED, by_hand, LATER)
