"""scikit-learn's Ridge, the peer of compare.py for alpha 0; the setting names its solver.

Ridge has no path: each lambda is a solve from the start. The intercept of sparse columns is left to scikit-learn, which
centres implicitly, but not for its direct solver (cholesky). There the centred matrix X'X, or XX' where rows are fewer,
is made once and SciPy's Cholesky solves with it; the smaller side of X may have 10,000 entries at most. Ridge does not
divide its loss by n, so its alpha is n lambda.
"""

import peer_task
import numpy as np
import scipy.linalg
from sklearn.linear_model import Ridge


def centred_kernel(data):
    """XX' of the centred columns."""
    K = (data.X @ data.X.T).toarray()
    along = data.X @ data.shift
    return K - along[:, None] - along + data.shift @ data.shift


def solve_directly(data, ridge):
    """One column of coefficients for each entry of `ridge`."""
    n, p = data.X.shape
    tall = n >= p
    G = data.gram() if tall else centred_kernel(data)
    right = data.X.T @ data.y if tall else data.y  # y is centred, so the columns need not be
    diagonal, columns = G.diagonal().copy(), []
    for value in ridge:
        np.fill_diagonal(G, diagonal + value)
        u = scipy.linalg.solve(G, right, assume_a="pos", check_finite=False)
        columns.append(u if tall else data.X.T @ u - data.shift * u.sum())
    return np.array(columns).T


def solve(X, y, task):
    direct = task.setting == "cholesky"
    if direct and min(X.shape) > 10_000:
        raise peer_task.NotSupported("both sides of X exceed 10,000")
    data = peer_task.Prepared(X, y, task)
    fit_intercept = bool(task.intercept and not task.dense)
    ridge = len(y) * np.asarray(task.lambdas)
    if direct and fit_intercept:
        return peer_task.Solution(solve_directly(data, ridge), data)
    coefficients, intercepts = np.zeros((X.shape[1], len(ridge)), order="F"), np.zeros(len(ridge))
    for k, value in enumerate(ridge):
        model = Ridge(alpha=value, solver=task.setting, tol=task.tol, max_iter=10**6, fit_intercept=fit_intercept,
                      random_state=0)
        model.fit(data.X, data.y)
        coefficients[:, k], intercepts[k] = model.coef_, data.y_mean + model.intercept_
        peer_task.note_progress(task, k + 1)
    return peer_task.Solution(coefficients, data, intercepts if fit_intercept else None)


if __name__ == "__main__":
    peer_task.run(solve)
