"""A short, seeded form of ``make fuzz``; each kind's share of a minute."""

import pytest

from tests.fuzz.running import kinds, run_trials

TRIALS, SECONDS = 60, 15.0


@pytest.mark.parametrize("kind", kinds())
def test_no_damaged_input_gives_a_trace_or_a_silent_row(kind):
    report = run_trials(kind, kinds()[kind], trials=TRIALS, seed=0, seconds=SECONDS)
    said = [f"trial {number}: {type(e).__name__}: {e}" for number, e in report.failures]
    assert not said, f"{kind}:\n" + "\n".join(said)
    assert report.trials > 0
