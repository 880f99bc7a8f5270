"""celer's path (working sets, extrapolated dual points), one of the peers of compare.py.

`celer_path` centres sparse columns implicitly through `X_offset` and `X_scale`; the columns are scaled beforehand.
Setting "dense" centres a dense copy. The limit of 20 working sets a lambda is raised, so that the tolerance alone
decides when it stops.
"""

import peer_task
from celer import celer_path


def solve(X, y, task):
    data = peer_task.Prepared(X, y, task)
    centring = {} if data.dense or not task.intercept else dict(X_offset=data.mean, X_scale=data.scale)
    _, coefficients, _ = celer_path(data.X, data.y, pb="lasso", alphas=task.lambdas, l1_ratio=task.alpha, tol=task.tol,
                                    max_iter=1000, max_epochs=10**6, **centring)
    return peer_task.Solution(coefficients, data)


if __name__ == "__main__":
    peer_task.run(solve)
