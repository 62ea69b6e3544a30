"""The purchase models by name: each joins a process with its likelihood.

Does not belong here: anything shared (`_estimator`), any formula.
"""

from collections.abc import Sequence

from models._maximum_likelihood import LogLikelihood
from models.purchases._beta_geometric import BetaGeometricProcess
from models.purchases._beta_geometric_likelihood import beta_geometric_log_likelihood
from models.purchases._estimator import PurchaseModel
from models.purchases._histories import FloatArray, Histories
from models.purchases._pareto import ParetoProcess
from models.purchases._pareto_likelihood import pareto_log_likelihood


class BetaGeo(PurchaseModel):
    """BG/NBD: customers buy at random at their own rate and may leave after each repeat purchase.

    A one-time buyer has had no chance to leave, so `probability_alive` is 1.0 for all of them: for "will come
    back" use `purchase_probability`.

    Parameters
    ----------
    time_unit
        Unit of recency, T and horizon ("days", "weeks", "months" of 365/12 days, "years" of 365 days); kept
        with the model so that nobody reads weeks as days. Estimates do not depend on it.
    solver
        "lbfgs" (analytic gradients, own scaling of time) or "lifetimes", the package, as a second opinion.
    prior_precision
        Precision of normal priors on the log-parameters around 1, with time counted in mean ages: 0 for plain
        maximum likelihood, 1 to steady a small shop. The same in every unit of time.

    Attributes
    ----------
    params_ : dict
        r, alpha (in `time_unit`), a, b.
    standard_errors_ : dict
        On the same scale, by the delta method.
    log_covariance_ : (4, 4) array
        Of the log-parameters, in the order of `params_`.
    log_likelihood_ : float
    convergence_ : Convergence
        Evaluations, gradient, condition number; `None` where the model was not fitted here.
    n_customers_, n_repeaters_, n_uninformative_ : float
        Customers the fit used, those of them who came back, and those left out because T = 0.
    n_distinct_ : int
        Distinct histories behind them.

    Notes
    -----
    Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
    Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    >>> import polars as pl
    >>> model = BetaGeo.from_parameters(dict(r=0.243, alpha=4.414, a=0.793, b=2.426), time_unit="weeks")
    >>> customer = pl.DataFrame({"frequency": [2.0], "recency": [30.43], "T": [38.86]})
    >>> model.expected_purchases(customer, 39).round(3)
    array([1.226])
    """

    parameter_names = ("r", "alpha", "a", "b")
    time_parameters = ("alpha",)
    starts = ((0.0, 0.0, 0.0, 0.0), (-1.0, -1.0, -1.0, 1.0), (0.0, 0.0, -2.0, 2.0))

    def process_at(self, parameters: Sequence[float] | FloatArray) -> BetaGeometricProcess:
        """Build the process at (r, alpha, a, b)."""
        r, alpha, a, b = (float(value) for value in parameters)
        return BetaGeometricProcess(r, alpha, a, b, first_chance=0)

    def _log_likelihood(self, histories: Histories) -> LogLikelihood:
        return beta_geometric_log_likelihood(histories, first_chance=0)


class ModifiedBetaGeo(PurchaseModel):
    """MBG/NBD: as BG/NBD, but a customer may leave after the first purchase too.

    So one-time buyers can be gone, as they often are. Parameters and attributes as in `BetaGeo`.

    Notes
    -----
    Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24 (3), 201-209;
    erratum by Wagner & Hoppe (2008), 25 (3), 225-226.
    """

    parameter_names = ("r", "alpha", "a", "b")
    time_parameters = ("alpha",)
    starts = ((0.0, 0.0, 0.0, 0.0), (-1.0, -1.0, -1.0, 1.0), (0.0, 0.0, -2.0, 2.0))

    def process_at(self, parameters: Sequence[float] | FloatArray) -> BetaGeometricProcess:
        """Build the process at (r, alpha, a, b)."""
        r, alpha, a, b = (float(value) for value in parameters)
        return BetaGeometricProcess(r, alpha, a, b, first_chance=1)

    def _log_likelihood(self, histories: Histories) -> LogLikelihood:
        return beta_geometric_log_likelihood(histories, first_chance=1)


class ParetoNBD(PurchaseModel):
    """Pareto/NBD: customers buy at random at their own rate and may leave at any moment.

    The benchmark of the family, and the slowest to fit. Parameters and attributes as in `BetaGeo`, with
    `params_` r, alpha, s, beta (alpha and beta in `time_unit`).

    Notes
    -----
    Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do
    Next?", Management Science 33 (1), 1-24.
    """

    parameter_names = ("r", "alpha", "s", "beta")
    time_parameters = ("alpha", "beta")
    starts = ((0.0, 0.0, 0.0, 0.0), (-1.0, -1.0, -1.0, 0.0), (0.0, 0.0, 1.0, 2.0))

    def process_at(self, parameters: Sequence[float] | FloatArray) -> ParetoProcess:
        """Build the process at (r, alpha, s, beta)."""
        r, alpha, s, beta = (float(value) for value in parameters)
        return ParetoProcess(r, alpha, s, beta)

    def _log_likelihood(self, histories: Histories) -> LogLikelihood:
        return pareto_log_likelihood(histories)
