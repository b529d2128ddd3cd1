"""The command that repeats a probe, rebuilt from its result and checked against its id."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.errors import FeatbankError
from featbank.probes import PROBES
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.probe.options import ProbeOptions
from featbank.stages.probe.probe_run import ProbeRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.bank.bank import Bank
    from featbank.result import Result
    from featbank.store.reader import Store


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How to make a result again.

    Attributes:
        command: For a shell.
        is_same: Whether it is known to make a result of the same id; otherwise an option that
            results do not keep (such as ``--resamples``) may have been set.
    """

    command: str
    is_same: bool


def repeat_probe(bank: Bank, rows: tuple[Result, ...], store: Store | None) -> Repeat:
    """The command that made a result.

    Args:
        bank: Its bank.
        rows: Its rows, the headline first.
        store: The one store that was probed, to check the command against the result's id; None
            where several were joined or the store is gone.
    """
    options = _options(bank, rows)
    swept = _swept(rows[0])
    tries = (options, replace(options, params={**options.params, **swept}))
    if store is not None and not rows[0].test_store:
        for each in tries:
            if _id(each, store) == rows[0].result:
                return Repeat(command=_shell(each, rows[0]), is_same=True)
    return Repeat(command=_shell(options, rows[0]), is_same=False)


def _id(options: ProbeOptions, store: Store) -> str:
    try:
        run = ProbeRun(PROTOCOLS[str(options.protocol)], store, options)
    except FeatbankError:
        return ""
    return run.result_id


def _options(bank: Bank, rows: tuple[Result, ...]) -> ProbeOptions:
    head = rows[0]
    shots = sorted({row.shots for row in rows if row.shots is not None})
    return ProbeOptions(
        protocol=head.protocol,
        labels=head.label_set,
        split_scheme=head.split_scheme,
        params=_fixed(head),
        shots=tuple(shots),
        tries=head.seeds if shots else ProbeOptions().tries,
        by=tuple(dict.fromkeys(row.by for row in rows if row.by is not None)),
        seed=head.seed,
        seeds=head.seeds if head.seeds > 1 and not shots else ProbeOptions().seeds,
        bank=bank.root,
        **_place(head),
    )


def _place(head: Result) -> dict[str, Any]:
    """Feature and layer, where the protocol does not fix them."""
    protocol = PROTOCOLS.get(head.protocol)
    if protocol is None or protocol.parts:
        return {}
    return {"layer": head.layer} | ({"features": head.feature} if head.feature else {})


def _swept(head: Result) -> dict[str, Any]:
    grid = PROTOCOLS[head.protocol].grid if head.protocol in PROTOCOLS else ()
    names = {name for candidate in grid for name in candidate}
    return {name: value for name, value in _params(head).items() if name in names}


def _fixed(head: Result) -> dict[str, Any]:
    """Parameters that are neither the protocol's nor swept by it."""
    if head.protocol not in PROTOCOLS or head.probe not in PROBES:
        return {}
    own: Mapping[str, Any] = {**PROBES[head.probe].defaults, **PROTOCOLS[head.protocol].params}
    swept = _swept(head)
    return {
        name: value
        for name, value in _params(head).items()
        if name not in swept and name in own and own[name] != value
    }


def _params(head: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(head.params or "{}")
    return found


def _shell(options: ProbeOptions, head: Result) -> str:
    words = ["featbank", "probe", "--protocol", str(options.protocol), *_stores(options, head)]
    named = {
        "--features": options.features,
        "--layer": options.layer,
        "--labels": options.labels,
        "--split-scheme": options.split_scheme,
        "--shots": ",".join(map(str, options.shots)) or None,
        "--by": ",".join(options.by) or None,
        "--seed": options.seed or None,
        "--seeds": options.seeds if options.seeds != ProbeOptions().seeds else None,
    }
    for option, value in named.items():
        words += [] if value is None else [option, str(value)]
    for name, value in options.params.items():
        text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
        words += ["--param", f"{name}={text}"]
    return shlex.join([*words, "--bank", options.bank.name])


def _stores(options: ProbeOptions, head: Result) -> list[str]:
    paths = [_in_bank(options.bank, path) for path in head.store.split(" + ")]
    words = ["--store", paths[0]] if len(paths) == 1 else []
    for other in paths[1:]:
        words += ["--concat", paths[0], other]
    return words + (["--test-store", _in_bank(options.bank, head.test_store)]
                    if head.test_store else [])  # fmt: skip


def _in_bank(bank: Path, store: str) -> str:
    """A store's path from beside the bank: pages travel, folders of one machine do not."""
    path = Path(store)
    return str(Path(bank.name, "stores", path.parent.name, path.name))
