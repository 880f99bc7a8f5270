"""adelie's elastic net path (pivot screening, coordinate descent in C++), one of the peers of compare.py.

Columns are scaled beforehand, which keeps them sparse and is cheaper for adelie than its own standardising view; its
intercept centres implicitly. Early exit is off, for the path is wanted whole. Setting "gram" is its covariance method
on X'X/n and X'y/n.
"""

import peer_task
import adelie
import numpy as np


def solve(X, y, task):
    data = peer_task.Prepared(X, y, task)
    common = dict(alpha=task.alpha, lmda_path=task.lambdas, tol=task.tol, n_threads=task.threads, early_exit=False,
                  max_iters=10**8, progress_bar=False)
    if task.setting == "gram":
        n = X.shape[0]
        A = np.asfortranarray(data.gram())
        A /= n
        state = adelie.solver.gaussian_cov(A=A, v=data.X.T @ data.y / n, **common)
        intercepts = None
    else:
        matrix = adelie.matrix.dense if task.dense else adelie.matrix.sparse
        state = adelie.grpnet(X=matrix(data.X, method="naive", n_threads=task.threads),
                              glm=adelie.glm.gaussian(y=np.asfortranarray(data.y)),
                              intercept=bool(task.intercept and not task.dense), **common)
        intercepts = None
        if task.intercept and not task.dense:
            # adelie's intercept belongs to the scaled, uncentred columns and the centred response.
            intercepts = data.y_mean + np.asarray(state.intercepts)
    return peer_task.Solution(state.betas.T, data, intercepts)


if __name__ == "__main__":
    peer_task.run(solve)
