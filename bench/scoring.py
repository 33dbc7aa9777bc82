"""How fast are solutions scored, and what do packing and shared prefixes bring?

    python bench/scoring.py [--device auto] [--seven-b] [--problems 16] [--from FILE…] [--budget 8192]

One run, one model with random weights (the Qwen PRM architecture), the same texts throughout: token ids drawn with
PRMBench's lengths and, since nine solutions of it change one original, its common beginnings; with `--from`, those
of PRMBench files. Rates are of useful tokens, each solution counted whole, so that rows can be compared:

* file order: padded batches of 8 as the texts come, which is what published code does; bound for the others.
* sorted, padded: batches by tokens, the longest first; padding under 2 %.
* packed: one row without padding; at least 1.8 times the first.
* shared: what solutions begin with alike computed once; at least 2.3 times the first.
* a forward a step: every step's prefix alone, as some published code does; shared is at least 10 times that.

`--seven-b` takes the size of Qwen2.5-Math-PRM-7B (a GPU of 24 GB or more) and says what share of the matrix rate,
measured in the same run, the weights' products reach on computed tokens (at least 60 %), and how many seconds a
million tokens of input take (at most 22).
"""

import argparse
import json
import random
import re
import statistics
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scoring.prm import batching, catalogue  # noqa: E402
from scoring.prm.engine import attention, forward, heads, loading, scoring  # noqa: E402
from scoring.prm.template import Built  # noqa: E402

# PRMBench in Math-Shepherd's format: half of its solutions have at most 410 tokens, the mean is 514.
MEDIAN, SPREAD, LEAST, MOST = 410, 0.672, 60, 4_022
NEIGHBOURS = (
    0.8  # PRMBench's neighbours are somewhat alike: 8 a batch in its order are padded by 92 %, not 130
)
STEP = 38  # tokens
TEMPLATE = 30  # tokens that all texts begin with
SAME_PROBLEM = 9  # the original and eight that change it
BOUNDS = {"packed": 1.8, "shared": 2.3, "step": 10.0, "padding": 0.02, "share": 0.60, "million": 22.0}
SMALL = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 2, "num_attention_heads": 8,
         "num_key_value_heads": 2, "vocab_size": 4_096}  # fmt: skip
SEVEN_B = {"hidden_size": 3_584, "intermediate_size": 18_944, "num_hidden_layers": 28, "num_attention_heads": 28,
           "num_key_value_heads": 4, "vocab_size": 152_064}  # fmt: skip


def main() -> None:
    asked = arguments()
    device, dtype = loading.where(asked.device, asked.dtype)
    size = SEVEN_B if asked.seven_b else SMALL
    problems = asked.problems or (90 if asked.seven_b else 16)
    on_threads(asked.threads)
    budget = asked.budget or (16_384 if device.type == "cuda" else 8_192)
    texts = from_files(asked.files) if asked.files else list(drawn(problems, size["vocab_size"]))
    built = [Built(one.ids, one.positions, len(one.positions), False, 0, len(one.ids)) for one in texts]
    model = random_model(size, device, dtype, budget)
    say_what(model, texts, size, asked)
    Table(model, texts, built, asked.repeat).print(asked)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", help="taken because `make bench` gives them, and ignored")
    parser.add_argument(
        "--from", dest="files", nargs="+", type=Path, help="PRMBench files to take texts from"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--seven-b", action="store_true")
    parser.add_argument("--problems", type=int)
    parser.add_argument("--budget", type=int, help="computed tokens a batch")
    parser.add_argument("--threads", type=int, default=1, help="on the CPU")
    parser.add_argument("--repeat", type=int, default=1, help="the median of so many runs is shown")
    parser.add_argument("--strict", action="store_true", help="fail where a bound is missed")
    return parser.parse_args()


@dataclass(frozen=True)
class Text:
    problem: int
    ids: list[int]
    positions: list[int]  # of the steps' ends


def drawn(n_problems: int, n_vocabulary: int) -> Iterator[Text]:
    """Solutions with PRMBench's lengths, in its order: one change of every problem, then the next change of each.
    Lengths are quantiles, so that few problems spread as many do."""
    chance = random.Random(1)
    normal = statistics.NormalDist()
    spread = [normal.inv_cdf((n + 0.5) / n_problems) for n in range(n_problems)]
    spread.sort(key=lambda z: z + chance.gauss(0, NEIGHBOURS))
    template = [chance.randrange(n_vocabulary) for _ in range(TEMPLATE)]
    lengths = [min(MOST, max(LEAST, int(MEDIAN * 2.718281828 ** (SPREAD * z)))) for z in spread]
    originals = [template + ids(chance, n - TEMPLATE, n_vocabulary) for n in lengths]
    for change in range(SAME_PROBLEM):
        for problem, original in enumerate(originals):
            # Where a change begins and how long what follows is, as PRMBench's solutions have it.
            kept = len(original) if not change else int(len(original) * chance.uniform(0.05, 0.67))
            rest = int((len(original) - kept) * chance.uniform(0.8, 1.2))
            text = original[:kept] + ids(chance, rest, n_vocabulary)
            yield Text(problem, text, list(range(len(text) - 1, TEMPLATE, -STEP))[::-1])


def ids(chance: random.Random, n: int, n_vocabulary: int) -> list[int]:
    return [chance.randrange(n_vocabulary) for _ in range(n)]


WORD = re.compile(r"\d| ?[A-Za-z]{1,6}| ?[^\sA-Za-z\d]|\s")


def from_files(files: Sequence[Path]) -> list[Text]:
    """Texts of PRMBench files, each piece of a word one made-up id: their lengths and beginnings, not their tokens."""
    found = []
    for row in (json.loads(line) for file in files for line in file.read_text().splitlines()):
        pairs = [(row["modified_question"], row["modified_process"])]
        if row["classification"] == "redundency":
            pairs.append((row["original_question"], row["original_process"]))
        for question, steps in pairs:
            text, positions = [1] * TEMPLATE + words(question), []
            for step in steps:
                text += [*words(step), 2]
                positions.append(len(text) - 1)
            found.append(Text(zlib.crc32(question[: scoring.ALIKE].encode()), text, positions))
    return found


def words(text: str) -> list[int]:
    return [3 + zlib.crc32(piece.encode()) % 4_000 for piece in WORD.findall(text)]


def random_model(size: dict[str, int], device, dtype, budget: int) -> loading.Model:
    """A model of this size in the Qwen PRM's architecture, random weights, made on the device."""
    import torch
    from transformers import AutoModel, Qwen2Config

    spec = catalogue.load()["qwen2.5-math-prm-7b"].variant()
    attention.register()
    torch.manual_seed(1)
    config = Qwen2Config(**size, max_position_embeddings=4_096, pad_token_id=0, dtype=dtype)
    with torch.device(device):
        backbone = AutoModel.from_config(config, attn_implementation=attention.NAME, dtype=dtype)
        width = size["hidden_size"]
        tensors = (torch.randn(width, width) / width**0.5, torch.zeros(width))
        tensors += (torch.randn(2, width) / width**0.5, torch.zeros(2))
    net = loading.Net(backbone.eval().requires_grad_(False))
    net.columns = heads.columns(spec.head, heads.Named(tensors, frozenset()), (), device, dtype)
    return loading.ready(spec, None, net, device, dtype, budget=budget)


def on_threads(n: int) -> None:
    """As many threads as asked for: what others do on the machine then moves no row against another."""
    import torch

    torch.set_num_threads(n)


def say_what(model: loading.Model, texts: Sequence[Text], size: dict[str, int], asked) -> None:
    import torch

    lengths = sorted(len(one.ids) for one in texts)
    name = (
        torch.cuda.get_device_name() if model.device.type == "cuda" else f"{torch.get_num_threads()} threads"
    )
    print(f"{model.device.type} ({name}), {model.dtype}, torch {torch.__version__}; "
          f"{weights(size) / 1e6:,.1f} M weights besides embeddings")  # fmt: skip
    print(f"{len(texts):,} solutions, {sum(lengths):,} tokens: mean {statistics.mean(lengths):.0f}, "
          f"median {lengths[len(lengths) // 2]}, most {lengths[-1]}; batches of {model.budget:,}")  # fmt: skip
    how = "one kernel for all segments" if model.fused else f"a call a segment ({model.why_not_fused})"
    print(f"attention: {how}")


def weights(size: dict[str, int]) -> int:
    """Weights that each token meets in a product, embeddings left out."""
    h, heads_, keys = size["hidden_size"], size["num_attention_heads"], size["num_key_value_heads"]
    a_layer = 2 * h * h + 2 * h * (h * keys // heads_) + 3 * h * size["intermediate_size"]
    return size["num_hidden_layers"] * a_layer


@dataclass(frozen=True)
class Measured:
    """n_useful: tokens of the solutions; n_computed: what the backbone was given, padding included."""

    seconds: float
    n_useful: int
    n_computed: int

    @property
    def rate(self) -> float:
        return self.n_useful / self.seconds


@dataclass
class Table:
    model: loading.Model
    texts: Sequence[Text]
    built: Sequence[Built]
    repeat: int

    def print(self, asked: argparse.Namespace) -> None:
        budget, ids_ = self.model.budget, [one.ids for one in self.built]
        groups = [one.problem for one in self.texts]
        self.warm_up()
        base = self.measured(batching.in_file_order(ids_, 8), "padded")
        padded = self.measured(batching.padded(ids_, budget), "padded")
        packed = self.measured(batching.packed(ids_, groups, budget, share=False), "packed")
        shared = self.measured(batching.packed(ids_, groups, budget), "shared")
        step = self.a_forward_a_step()
        print(f"\n{'':26}{'tokens/s':>10}{'computed/s':>12}{'times':>8}{'bound':>8}{'padding':>9}")
        good = [
            line("file order, 8 a batch", base, base),
            line("sorted, padded", padded, base, padding=BOUNDS["padding"]),
            line("packed", packed, base, BOUNDS["packed"]),
            line("shared", shared, base, BOUNDS["shared"]),
            line("a forward a step", step, base),
        ]
        times = shared.rate / step.rate
        good.append(times >= BOUNDS["step"])
        print(
            f"\nshared over a forward a step: {times:.1f} times, bound {BOUNDS['step']:.0f}{missed(good[-1])}"
        )
        gain = base.n_computed / base.n_useful
        once = shared.n_useful / shared.n_computed
        print(f"the ideal for these texts: {gain:.2f} x {once:.2f} = {gain * once:.2f} times")
        good += self.device(shared, asked.seven_b)
        if asked.strict and not all(good):
            raise SystemExit("A bound was missed.")

    def warm_up(self) -> None:
        for layout in ("padded", "packed", "shared"):
            self.once(batching.in_file_order([one.ids for one in self.built[:8]], 8), layout)

    def measured(self, batches: Sequence[batching.Batch], layout: forward.Layout) -> Measured:
        seconds = statistics.median(timed(lambda: self.once(batches, layout)) for _ in range(self.repeat))
        useful = sum(batch.n_useful for batch in batches)
        computed = sum(batch.n_computed for batch in batches)
        if layout == "shared":
            mine = [[self.built[k].ids for k in batch.members] for batch in batches]
            computed = sum(batching.forest(each).n_computed for each in mine)
        return Measured(seconds, useful, computed)

    def once(self, batches: Sequence[batching.Batch], layout: forward.Layout) -> None:
        """As the engine does it: a batch is started before the one before it is waited for."""
        waiting: Callable[[], list] | None = None
        for batch in batches:
            started = forward.launch(self.model, [self.built[k] for k in batch.members], layout)
            if waiting:
                waiting()
            waiting = started
        if waiting:
            waiting()

    def a_forward_a_step(self) -> Measured:
        """On a few solutions, of all lengths: each prefix that ends a step alone, its last position read."""
        by_length = sorted(self.built, key=lambda one: len(one.ids))
        some = by_length[len(by_length) // 24 :: len(by_length) // 12]
        prefixes = [
            Built(one.ids[: at + 1], [at], 1, False, 0, at + 1) for one in some for at in one.positions
        ]
        seconds = timed(lambda: [forward.launch(self.model, [one], "padded")() for one in prefixes])
        useful = sum(len(one.ids) for one in some)
        return Measured(seconds, useful, sum(len(one.ids) for one in prefixes))

    def device(self, shared: Measured, is_bound: bool) -> list[bool]:
        """What the run says of the device: the share of its matrix rate, seconds a million tokens, memory."""
        import torch

        peak = matrix_rate(self.model)
        done = 2 * weights(self.model.net.backbone.config.to_dict()) * shared.n_computed / shared.seconds
        million = 1e6 / shared.rate
        good = [done / peak >= BOUNDS["share"], million <= BOUNDS["million"]] if is_bound else [True, True]
        told = (
            (f"; bound {BOUNDS['share']:.0%}", f"; bound {BOUNDS['million']:.0f}") if is_bound else ("", "")
        )
        print(f"matrix rate {peak / 1e12:.3g} TFLOP/s, of which the weights' products on computed tokens reach "
              f"{done / peak:.1%}{told[0]}{missed(good[0])}")  # fmt: skip
        print(f"{million:.1f} s a million tokens of input{told[1]}{missed(good[1])}")
        if self.model.device.type == "cuda":
            print(f"most memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
        return good


def timed(work: Callable[[], object]) -> float:
    """Seconds: of the clock on a GPU, all its work done before and after; of the processor on a CPU, which others
    may use at the same time."""
    import torch

    if not torch.cuda.is_available():
        started = process_time()
        work()
        return (process_time() - started) / torch.get_num_threads()
    torch.cuda.synchronize()
    started = perf_counter()
    work()
    torch.cuda.synchronize()
    return perf_counter() - started


def matrix_rate(model: loading.Model) -> float:
    """Operations a second of a product of two random matrices large enough for the device, the median of twenty."""
    import torch

    dtype = getattr(torch, model.dtype)
    n = 8_192 if model.device.type == "cuda" else 1_024
    one, other = (torch.randn(n, n, device=model.device, dtype=dtype) for _ in range(2))
    for _ in range(3):
        one @ other
    return 2 * n**3 / statistics.median(timed(lambda: one @ other) for _ in range(20))


def missed(is_good: bool) -> str:
    return "" if is_good else "  MISSED"


def line(
    what: str, it: Measured, base: Measured, bound: float | None = None, padding: float | None = None
) -> bool:
    """Print a row; False where a bound is missed."""
    times, filled = it.rate / base.rate, it.n_computed / it.n_useful - 1
    is_good = (bound is None or times >= bound) and (padding is None or filled < padding)
    shown = f"{bound:.1f}" if bound else f"{padding:.0%}" if padding else ""
    print(f"{what:26}{it.rate:10,.0f}{it.n_computed / it.seconds:12,.0f}{times:8.2f}{shown:>8}"
          f"{max(filled, 0):9.1%}{missed(is_good)}", flush=True)  # fmt: skip
    return is_good


if __name__ == "__main__":
    main()
