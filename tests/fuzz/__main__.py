"""``python -m tests.fuzz``: many trials of damaged inputs; each failure with the seed to repeat it.

Example:
    python -m tests.fuzz --trials 2000 --seed 7
    python -m tests.fuzz --kind bank --seed 7 --only 113
"""

import argparse
import sys
import traceback

from tests.fuzz.running import kinds, run_trials


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--trials", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", help="one kind alone, such as 'bank'")
    parser.add_argument("--only", type=int, help="one trial alone, by its number")
    asked = parser.parse_args()
    failed = 0
    for name, trial in kinds().items():
        if asked.kind in (None, name):
            report = run_trials(name, trial, trials=asked.trials, seed=asked.seed, only=asked.only)
            failed += len(report.failures)
            for number, error in report.failures:
                print(f"\n{name}: trial {number} of seed {asked.seed} failed; repeat it with")
                print(f"  python -m tests.fuzz --kind {name} --seed {asked.seed} --only {number}")
                print("".join(traceback.format_exception(error)[-12:]).rstrip())
            print(f"{name}: {report.trials} trials, {len(report.failures)} failed, "
                  f"{report.seconds:.0f} s, memory grew by {report.grown_mb:.0f} MB")  # fmt: skip
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
