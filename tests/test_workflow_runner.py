"""The tests' own runner of workflows does as GitHub's documentation says: needs, conditions, matrices, permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.workflow_runner.composite import Machine
from support.workflow_runner.engine import BadFile, Engine
from support.workflow_runner.workflow import Run, Settings, Site, run

SAY = 'echo "said=%s" >>"$GITHUB_OUTPUT"'
JOB = "runs-on: x, permissions: {}"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


class Runner:
    """Runs the text of a workflow's jobs for a push to main, and remembers which tokens were asked for."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.tokens: list[Mapping[str, str]] = []
        self._engine, self._folder = engine, folder

    def __call__(self, jobs: str, ref: str = "refs/heads/main") -> Run:
        definition = self._engine.workflow("w.yml", f"name: w\non: push\njobs:\n{jobs}")
        settings = Settings(
            variables={"NAME": "churn"},
            secrets={"guarded": {"KEY": "hunter2"}},
            limited={"guarded": "refs/heads/main"},
            token=self._token,
        )
        (self._folder / "jobs").mkdir()
        site = Site(
            machine=Machine(engine=self._engine, temporary=self._folder),
            actions=self._folder,
            owner="acme",
            stands={"other/action": lambda _, inputs: {"given": inputs["with"]}},
            variables={},
            folder=self._folder / "jobs",
        )
        return run(definition, {"event_name": "push", "event": {}, "ref": ref}, settings, site)

    def _token(self, permissions: Mapping[str, str]) -> str:
        self.tokens.append(permissions)
        return "a-token"


@pytest.fixture
def runner(engine: Engine, tmp_path: Path) -> Runner:
    return Runner(engine, tmp_path)


def test_outputs_reach_the_jobs_that_need_them_and_make_a_matrix(runner: Runner) -> None:
    done = runner(f"""
  last: {{{JOB}, needs: first, strategy: {{matrix: {{n: "${{{{ fromJSON(needs.first.outputs.all) }}}}"}}}},
         name: "do ${{{{ matrix.n }}}}", steps: [{{run: echo $N, env: {{N: "${{{{ matrix.n }}}}"}}}}]}}
  first: {{{JOB}, outputs: {{all: "${{{{ steps.s.outputs.said }}}}"}}, steps: [{{id: s, run: '{SAY % "[1,2]"}'}}]}}
""")
    assert [(job.name, job.said) for job in done.jobs["last"]] == [("do 1", "1\n"), ("do 2", "2\n")]


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        pytest.param("", "skipped", id="nothing-runs-behind-a-failure"),
        pytest.param("if: always(),", "success", id="but-what-always-does"),
        pytest.param("if: failure(),", "success", id="or-waits-for-it"),
        pytest.param("if: \"vars.NAME == 'churn'\",", "skipped", id="a-condition-alone-asks-for-success-too"),
        pytest.param("if: \"!cancelled() && vars.NAME == 'churn'\",", "success", id="unless-it-says-otherwise"),
    ],
)
def test_a_job_behind_a_failed_one(runner: Runner, condition: str, result: str) -> None:
    done = runner(f"""
  bad: {{{JOB}, steps: [{{run: "false"}}, {{run: echo never}}, {{if: always(), run: echo cleaned}}]}}
  next: {{{JOB}, needs: bad, {condition} steps: [{{run: "true"}}]}}
""")
    assert (done.result("bad"), done.jobs["bad"][0].said) == ("failure", "cleaned\n")
    assert done.result("next") == result


def test_a_step_may_fail_where_it_says_so(runner: Runner) -> None:
    done = runner(f'  a: {{{JOB}, steps: [{{run: "false", continue-on-error: true}}, {{run: echo on}}]}}\n')
    assert (done.result("a"), done.jobs["a"][0].said) == ("success", "on\n")


def test_a_job_gets_a_token_with_its_permissions_and_the_secrets_of_its_environment(runner: Runner) -> None:
    key = "${{ secrets.KEY }}"
    done = runner(f"""
  a: {{runs-on: x, environment: {{name: another}}, permissions: {{contents: read}}, steps: [{{run: 'echo "<{key}>"'}}]}}
  b: {{runs-on: x, environment: {{name: guarded}}, permissions: {{}}, steps: [{{run: 'echo "<{key}>"'}}]}}
""")
    assert [done.jobs[name][0].said for name in "ab"] == ["<>\n", "<hunter2>\n"]
    assert runner.tokens == [{"contents": "read"}, {}]


def test_an_environment_is_closed_to_other_branches(runner: Runner) -> None:
    with pytest.raises(AssertionError, match="guarded is not for"):
        runner("  a: {runs-on: x, environment: {name: guarded}, steps: [{run: 'true'}]}\n", "refs/pull/1/merge")


def test_actions_of_others_are_stood_in_for_and_must_be_pinned(runner: Runner, engine: Engine, tmp_path: Path) -> None:
    said = "${{ steps.o.outputs.given }}"
    step = "{id: o, uses: other/action@%s, with: {with: this}}"
    done = runner(f"  a: {{{JOB}, steps: [{step % ('0' * 40)}, {{run: 'echo {said}'}}]}}\n")
    assert done.jobs["a"][0].said == "this\n"
    (tmp_path / "again").mkdir()
    with pytest.raises(AssertionError, match="is not pinned"):
        Runner(engine, tmp_path / "again")(f"  a: {{{JOB}, steps: [{step % 'v1'}]}}\n")


def test_what_github_would_refuse_is_refused(runner: Runner) -> None:
    with pytest.raises(BadFile):
        runner("  a: {runs-on: x, stepz: []}\n")
    with pytest.raises(AssertionError, match="empty matrix"):
        runner(
            f"  a: {{{JOB}, strategy: {{matrix: {{n: \"${{{{ fromJSON('[]') }}}}\"}}}}, steps: [{{run: 'true'}}]}}\n"
        )
