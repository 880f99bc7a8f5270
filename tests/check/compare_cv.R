# The glmnet side of compare_cv.py: cross-validates the jobs it is handed on the folds it is handed.
# Arguments: a folder with design.bin (n x p by columns), response.bin, folds.bin, weights.bin, and jobs.txt, one job a
# line: name n p standardize weighted positive dfmax measure; the lambdas of a job are in <name>.lambda. For each job
# <name>.result: cvm, cvsd, nzero of every lambda, then lambda.min and lambda.1se, all as raw doubles.

suppressPackageStartupMessages(library(glmnet))
folder <- commandArgs(trailingOnly = TRUE)[1]
doubles <- function(name, count) readBin(file.path(folder, name), "double", count)
# The path is wanted whole, not only until it stops improving.
glmnet.control(fdev = 0, devmax = 1)

jobs <- read.table(file.path(folder, "jobs.txt"), stringsAsFactors = FALSE,
                   col.names = c("name", "n", "p", "standardize", "weighted", "positive", "count", "measure"))
for (at in seq_len(nrow(jobs))) {
  job <- jobs[at, ]
  X <- matrix(doubles("design.bin", job$n * job$p), job$n, job$p)
  y <- doubles("response.bin", job$n)
  weights <- if (job$weighted == 1) doubles("weights.bin", job$n) else rep(1, job$n)
  fit <- cv.glmnet(X, y, weights = weights, lambda = doubles(paste0(job$name, ".lambda"), job$count),
                   foldid = doubles("folds.bin", job$n), type.measure = job$measure, alpha = 1,
                   standardize = job$standardize == 1, lower.limits = if (job$positive == 1) 0 else -Inf,
                   thresh = 1e-20, maxit = 1e7)
  # Fewer columns than lambdas: glmnet gave up on the rest.
  writeBin(c(fit$cvm, fit$cvsd, as.numeric(fit$nzero), fit$lambda.min, fit$lambda.1se),
           file.path(folder, paste0(job$name, ".result")))
}
