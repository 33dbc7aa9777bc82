"""How long does a release take, and how much memory?

    python bench/bench_release.py [PATH…] [--records N] [--database sqlite|postgres] [--format F …]

PRMBench records are repeated with fresh ids up to N, imported, and released with their own labels, in splits, as
records (JSON Lines and Parquet) and in the formats named, by the command as a user would run it. A count alone is
timed beside it.
"""

import argparse
import json
import resource
import tempfile
from pathlib import Path

from bench_import import FULL_SET_TEN_TIMES, OURS, manage
from serving import database as database_at
from serving import environment
from tiling import tile

FORMATS = ["prmbench", "trl"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", metavar="path", default=[str(OURS)], help="PRMBench files")
    parser.add_argument("--records", type=int, default=FULL_SET_TEN_TIMES)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    parser.add_argument(
        "--format", action="append", help=f"as well as records (usually {', '.join(FORMATS)})"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-release-") as folder:
        source = Path(folder) / "records.jsonl"
        tile([Path(path) for path in asked.paths], asked.records, source)
        print(f"{asked.records:,} records, {source.stat().st_size / 2**20:.0f} MiB")
        print(f"{'':<12}{'count':>8}{'release':>9}{'of CPU':>8}{'MiB':>6}{'written':>12}  digest")
        for database in asked.database or ["sqlite", "postgres"]:
            show(database, source, Path(folder) / database, asked.format or FORMATS)


def show(database: str, source: Path, folder: Path, formats: list[str]) -> None:
    folder.mkdir()
    rule = json.dumps({"which": "all", "formats": formats, "splits": {"train": 0.9, "test": 0.1}})
    with database_at(database, folder) as url:
        env = environment(folder, url)
        manage(["migrate", "--verbosity", "0"], env)
        manage(["import_solutions", "bench", str(source), "--format", "prmbench", "--create"], env)
        counted = manage(["release", "bench", "--rule", rule, "--count"], env)
        before = cpu()
        made = manage(["release", "bench", "--rule", rule, "-o", str(folder / "out"), "--json"], env)
        busy = cpu() - before
    manifest = json.loads(made.output)
    written = sum(file["bytes"] for file in manifest["files"]) / 2**20
    print(
        f"{database:<12}{counted.seconds:>7.1f}s{made.seconds:>8.1f}s{busy:>7.1f}s{made.mib:>6.0f}{written:>8,.0f} MiB"
        f"  {manifest['digest'][:12]}"
    )


def cpu() -> float:
    """Seconds of processor that ended children have had: what a busy machine does not change."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
