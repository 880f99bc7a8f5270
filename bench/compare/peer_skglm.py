"""skglm's path by AndersonCD (working sets, Anderson acceleration), one of the peers of compare.py.

skglm does not centre. Sparse columns are scaled beforehand and the intercept is fitted as one more coordinate, which is
the same problem; dense columns are centred too, and setting "dense" makes them so. Its limit of 50 working sets a lambda
is raised. The tolerance is an absolute one, on the gradient.
"""

import peer_task
import numpy as np
from skglm.datafits import Quadratic
from skglm.penalties import L1, L1_plus_L2
from skglm.solvers import AndersonCD


def solve(X, y, task):
    data = peer_task.Prepared(X, y, task)
    fit_intercept = bool(task.intercept and not data.dense)
    solver = AndersonCD(tol=task.tol, max_iter=1000, max_epochs=10**6, fit_intercept=fit_intercept)
    # What AndersonCD.path does, with the input checked once, and with a note of how far it is: a path that is cut off
    # can say so. The solver changes `fitted` in place.
    p, K = X.shape[1], len(task.lambdas)
    coefficients, w, fitted = np.zeros((p + fit_intercept, K), order="F"), np.zeros(p + fit_intercept), np.zeros(len(y))
    for k, value in enumerate(task.lambdas):
        penalty = L1(value) if task.alpha == 1 else L1_plus_L2(value, task.alpha)
        w = solver.solve(data.X, data.y, Quadratic(), penalty, w, fitted, run_checks=k == 0)[0]
        coefficients[:, k] = w
        peer_task.note_progress(task, k + 1)
    intercepts = None
    if fit_intercept:
        intercepts = data.y_mean + coefficients[p]
    return peer_task.Solution(coefficients[:p], data, intercepts)


if __name__ == "__main__":
    peer_task.run(solve)
