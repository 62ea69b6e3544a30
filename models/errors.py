"""Named errors and warnings of everything in `models`, each with a remedy in plain words.

Belongs here: exception classes, nothing else. Which numbers trigger one is decided where the numbers are.
Does not belong here: errors of deliveries, contracts or lists; those are not statistics.
"""


class ModelError(Exception):
    """Base class: catch it to handle any refusal of an estimator."""


class InvalidSummaryError(ModelError, ValueError):
    """The customer summary holds values that no purchase history can have.

    Remedy: build it with `models.summary.customer_summary`; the message counts rows by broken rule.
    """


class NotEnoughDataError(ModelError, ValueError):
    """The data hold no information on the parameters, e.g. nobody has come back yet.

    Remedy: wait for repeat purchases or widen the window; the readiness gate says how many are wanted.
    """


class NotFittedError(ModelError, AttributeError):
    """A prediction was asked of an estimator without parameters.

    Remedy: call `fit(summary)` first, or build it with `from_json` or `from_parameters`.
    """


class ConvergenceError(ModelError, RuntimeError):
    """The optimiser stopped where the likelihood still rises; the estimates must not be used.

    Remedy: check the unit of time, look for outliers, or set `prior_precision`; the message has the numbers.
    """


class UnreadableModelError(ModelError, ValueError):
    """A JSON text is not a model that this version can read.

    Remedy: refit and save again, or read it with the version that wrote it.
    """


class MismatchedModelError(ModelError, ValueError):
    """A stored model was fitted on another kind of data than it is to score.

    Remedy: fit it again; the message says what differs.
    """


class DisqualifiedError(ModelError):
    """A model broke the rules of the back-test: it knows more than it was told, or says something else each time.

    Remedy: the message says what it did and where; it is out at every origin until that is mended.
    """


class ApproximationWarning(UserWarning):
    """The result stands, but less firmly than its digits suggest; the message says how much less."""


class FlatLikelihoodWarning(ApproximationWarning):
    """Some parameter is hardly determined by the data (at a bound, or with a huge standard error).

    Predictions inside the observed range usually hold; the parameters themselves mean little.
    """


class UnitWarning(UserWarning):
    """Values that cannot occur in the stated unit of time, e.g. more repeat order days than days."""
