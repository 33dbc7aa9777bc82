"""Everything an action may refuse. middleware.py and api/errors.py turn these into HTTP, once each."""

from collections.abc import Sequence


class PlumblineError(Exception):
    """A refusal with a sentence that says what to do. `status` is the HTTP status, `code` the API's word."""

    status = 400
    code = "refused"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(PlumblineError):
    """Input that cannot be used; `field` says where."""

    code = "invalid"


class SignInNeeded(PlumblineError):
    status = 401
    code = "sign_in_needed"


class Forbidden(PlumblineError):
    status = 403
    code = "forbidden"


class Missing(PlumblineError):
    """Not there, or not for this person: the two look the same from outside."""

    status = 404
    code = "missing"


class MethodRefused(PlumblineError):
    status = 405
    code = "method_refused"


class Conflict(PlumblineError):
    """The row has moved on since the sender looked."""

    status = 409
    code = "conflict"


class ExamNeeded(Conflict):
    """The project has an exam that this reviewer has not passed."""

    code = "exam_needed"


class Paused(Conflict):
    """A lead has paused this member: they get no work."""

    code = "paused"


class Incomplete(Invalid):
    """Steps or questions without an answer; `positions` are 0-based."""

    status = 422
    code = "incomplete"

    def __init__(self, message: str, *, positions: Sequence[int] = (), field: str = "") -> None:
        super().__init__(message, field=field)
        self.positions = list(positions)
