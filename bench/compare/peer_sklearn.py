"""scikit-learn's path by coordinate descent, one of the peers of compare.py.

`enet_path` centres sparse columns implicitly when it is given `X_offset` and `X_scale`, as its own estimators do; the
columns are scaled beforehand, which keeps them sparse. Setting "gram" hands it X'X and X'y, the fastest form where rows
are many and columns few. For sparse X `enet_path` ignores a Gram matrix, and with one it reads nothing of a dense X but
its shape; so an array of zeros that takes no memory stands in for X.
"""

import peer_task
import numpy as np
from sklearn.linear_model import enet_path


def solve(X, y, task):
    data = peer_task.Prepared(X, y, task)
    given = dict(l1_ratio=task.alpha, alphas=task.lambdas, tol=task.tol, max_iter=10**7, check_input=False)
    if task.setting == "gram":
        stand_in = np.broadcast_to(0.0, X.shape)
        _, coefficients, _ = enet_path(stand_in, data.y, precompute=data.gram(), Xy=data.X.T @ data.y, copy_X=False,
                                       **given)
    elif task.dense:
        _, coefficients, _ = enet_path(data.X, data.y, precompute=False, **given)
    else:
        _, coefficients, _ = enet_path(data.X, data.y, precompute=False, X_offset=data.mean, X_scale=data.scale, **given)
    return peer_task.Solution(coefficients, data)


if __name__ == "__main__":
    peer_task.run(solve)
