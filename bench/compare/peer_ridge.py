"""scikit-learn's Ridge, the peer of compare.py for alpha 0; the setting names its solver.

Ridge has no path: each lambda is a solve from the start. The intercept of sparse columns is left to scikit-learn, which
centres implicitly where the solver can; the direct solver (cholesky) cannot, so it is given dense, centred columns or
the problem without intercept, and only where the smaller side of X has at most 10,000 entries. Its loss is not divided
by n, so its alpha is n lambda.
"""

import peer_task
import numpy as np
from sklearn.linear_model import Ridge


def solve(X, y, task):
    if task.setting == "cholesky":
        if task.intercept and not task.dense:
            raise peer_task.NotSupported("no direct solver for sparse columns with an intercept")
        if min(X.shape) > 10_000:
            raise peer_task.NotSupported("both sides of X exceed 10,000")
    data = peer_task.Prepared(X, y, task)
    fit_intercept = bool(task.intercept and not task.dense)
    coefficients, intercepts = np.zeros((X.shape[1], len(task.lambdas)), order="F"), np.zeros(len(task.lambdas))
    for k, value in enumerate(task.lambdas):
        model = Ridge(alpha=len(y) * value, solver=task.setting, tol=task.tol, max_iter=10**6,
                      fit_intercept=fit_intercept, random_state=0)
        model.fit(data.X, data.y)
        coefficients[:, k], intercepts[k] = model.coef_, data.y_mean + model.intercept_
        peer_task.note_progress(task, k + 1)
    return peer_task.Solution(coefficients, data, intercepts if fit_intercept else None)


if __name__ == "__main__":
    peer_task.run(solve)
