"""Machine methods: plain Python that says what to ask a language model and what its replies amount to.

A method is a generator (asks.Steps): it yields a batch of requests and answer checks, is sent what came back in the
same order, and returns its outcome, a frozen dataclass. It knows no HTTP, no Django, no clock and no chance: seeds
come in. So a unit of work that was killed is replayed from the replies that were stored, and asks for nothing twice.
No reply, whatever its bytes, makes a method raise: what cannot be read is an outcome that says so and keeps the text.
"""
