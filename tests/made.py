"""Problems of our own, with money, mathematics and a changed question."""

from typing import NamedTuple


class Made(NamedTuple):
    """A problem, its right solution and a corrupted one; `wrong` is the claim, 1-based as in PRMBench."""

    question: str
    answer: str
    steps: list[str]
    kind: str
    changed_steps: list[str]
    wrong: list[int]
    reason: str
    changed_question: str = ""


DIVISOR = (
    "A divisor is $2^a \\cdot 3^b \\cdot 5^c$ with $0 \\le a \\le 3$, $0 \\le b \\le 2$, $0 \\le c \\le 1$."
)

MADE = (
    Made(
        "Three pencils and a jumbo eraser cost $1.24. Five pencils and a jumbo eraser cost $1.82. No prices "
        "include tax. In cents, what is the cost of a pencil?",
        "29",
        [
            "1. Let $p$ be the price of a pencil and $e$ the price of an eraser, in dollars.",
            "2. We have $3p + e = 1.24$ and $5p + e = 1.82$.",
            "3. Subtract the first equation from the second, which removes $e$.",
            "4. \\[5p + e - 3p - e = 1.82 - 1.24\\]",
            "5. This is $2p = 0.58$, so $p = 0.29$.",
            "6. A pencil costs 29 cents.",
        ],
        "circular",
        [
            "1. Let $p$ be the price of a pencil and $e$ the price of an eraser, in dollars.",
            "2. We have $3p + e = 1.24$ and $5p + e = 1.82$.",
            "3. Assume that a pencil costs 29 cents, and check this with the equations.",
            "4. With $p = 0.29$ the first equation is $3(0.29) + e = 1.24$.",
            "5. This is $e = 0.37$, so \\(5p + e = 1.82\\) has to hold.",
            "6. Indeed \\[5(0.29) + 0.37 = 1.45 + 0.37 = 1.82.\\]",
            "7. A pencil costs 29 cents.",
        ],
        [3, 4],
        "Steps 3 to 6 assume the answer and derive it again.",
    ),
    Made(
        "For which $x$ is $\\frac{x^2 - 9}{x - 3} = 7$?",
        "4",
        [
            "The left side is defined for $x \\neq 3$.",
            "There $\\frac{x^2 - 9}{x - 3} = \\frac{(x-3)(x+3)}{x-3} = x + 3$.",
            "So $x + 3 = 7$, which gives $x = 4$.",
            "Since $4 \\neq 3$, the solution is $x = \\boxed{4}$.",
        ],
        "counterfactual",
        [
            "The left side is defined for $x \\neq 3$.",
            "There $\\frac{x^2 - 9}{x - 3} = \\frac{(x-3)^2}{x-3} = x - 3$, because $x^2 - 9 = (x-3)^2$.",
            "So $x - 3 = 7$, which gives $x = 10$.",
            "Since $10 \\neq 3$, the solution is $x = \\boxed{10}$.",
        ],
        [2],
        "Step 2 factors a difference of squares as a square.",
    ),
    Made(
        "A shop sells tea at $4 a box, and at $3 a box from ten boxes on. Ada buys twelve boxes. "
        "What does she pay?",
        "36",
        [
            "Twelve is at least ten, so each box costs $3.",
            "She pays $12 \\cdot 3 = 36$ dollars.",
        ],
        "missing_condition",
        [
            "Each box costs $3.",
            "She pays $12 \\cdot 3 = 36$ dollars.",
            "With a tax of 0 % that is still \\$36.",
        ],
        [1],
        "Nothing in the changed question says why a box costs $3.",
        "A shop sells tea at $4 a box. Ada buys twelve boxes. What does she pay?",
    ),
    Made(
        "How many positive divisors does $360$ have?",
        "24",
        [
            "First, $360 = 2^3 \\cdot 3^2 \\cdot 5$.",
            DIVISOR,
            "That makes $4 \\cdot 3 \\cdot 2 = 24$ choices.",
            "So $360$ has $24$ positive divisors.",
        ],
        "redundancy",
        [
            "First, $360 = 2^3 \\cdot 3^2 \\cdot 5$.",
            DIVISOR,
            "Note also that $2^3 \\cdot 3^2 \\cdot 5 = 8 \\cdot 45 = 360$, as it has to be.",
            "That makes $4 \\cdot 3 \\cdot 2 = 24$ choices.",
            "So $360$ has $24$ positive divisors.",
        ],
        [3],
        "Step 3 says step 1 backwards.",
    ),
)
