# The glmnet side of compare_cv.py: cross-validates the jobs it is handed on the folds it is handed.
# Arguments: a folder with design.bin (n x p by columns), response.bin, folds.bin, weights.bin, and jobs.txt, one job a
# line: name n p alpha standardize weighted positive count measure relax; the lambdas of a job are in <name>.lambda. For each job
# <name>.result: cvm, cvsd, nzero of every lambda, then lambda.min and lambda.1se, all as raw doubles; of relaxed fits cvm
# and cvsd of every lambda for each gamma in turn, then lambda.min and gamma.min.

suppressPackageStartupMessages(library(glmnet))
folder <- commandArgs(trailingOnly = TRUE)[1]
doubles <- function(name, count) readBin(file.path(folder, name), "double", count)
# The path is wanted whole, not only until it stops improving.
glmnet.control(fdev = 0, devmax = 1)

jobs <- read.table(file.path(folder, "jobs.txt"), stringsAsFactors = FALSE,
                   col.names = c("name", "n", "p", "alpha", "standardize", "weighted", "positive", "count", "measure",
                                 "relax"))
for (at in seq_len(nrow(jobs))) {
  job <- jobs[at, ]
  X <- matrix(doubles("design.bin", job$n * job$p), job$n, job$p)
  y <- doubles("response.bin", job$n)
  weights <- if (job$weighted == 1) doubles("weights.bin", job$n) else rep(1, job$n)
  blends <- c(0, 0.25, 0.5, 0.75, 1)
  fit <- cv.glmnet(X, y, weights = weights, lambda = doubles(paste0(job$name, ".lambda"), job$count),
                   foldid = doubles("folds.bin", job$n), type.measure = job$measure, alpha = job$alpha,
                   standardize = job$standardize == 1, lower.limits = if (job$positive == 1) 0 else -Inf,
                   thresh = 1e-20, maxit = 1e7, relax = job$relax == 1, gamma = blends)
  if (job$relax == 1) {
    curves <- unlist(lapply(fit$relaxed$statlist, function(blend) c(blend$cvm, blend$cvsd)))
    writeBin(c(as.numeric(curves), fit$relaxed$lambda.min, fit$relaxed$gamma.min),
             file.path(folder, paste0(job$name, ".result")))
    next
  }
  # Fewer columns than lambdas: glmnet gave up on the rest.
  writeBin(c(fit$cvm, fit$cvsd, as.numeric(fit$nzero), fit$lambda.min, fit$lambda.1se),
           file.path(folder, paste0(job$name, ".result")))
}
