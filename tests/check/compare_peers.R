# The glmnet side of compare_peers.py: solves the jobs it is handed and writes coefficients as raw doubles.
# Arguments: a folder with design.bin (n x p by columns), response.bin, and jobs.txt, one job a line:
# name n p intercept standardize alpha number-of-lambdas; the lambdas of a job are in <name>.lambda.

suppressPackageStartupMessages(library(glmnet))
folder <- commandArgs(trailingOnly = TRUE)[1]
doubles <- function(name, count) readBin(file.path(folder, name), "double", count)
# The path is wanted whole, not only until it stops improving.
glmnet.control(fdev = 0, devmax = 1)

jobs <- read.table(file.path(folder, "jobs.txt"), stringsAsFactors = FALSE,
                   col.names = c("name", "n", "p", "intercept", "standardize", "alpha", "count"))
for (at in seq_len(nrow(jobs))) {
  job <- jobs[at, ]
  X <- matrix(doubles("design.bin", job$n * job$p), job$n, job$p)
  y <- doubles("response.bin", job$n)
  # alpha travels as text and would lose its last digits.
  alpha <- doubles(paste0(job$name, ".alpha"), 1)
  fit <- glmnet(X, y, alpha = alpha, lambda = doubles(paste0(job$name, ".lambda"), job$count),
                intercept = job$intercept == 1, standardize = job$standardize == 1, thresh = 1e-22, maxit = 1e7)
  # Fewer columns than lambdas: glmnet gave up on the rest.
  writeBin(c(rbind(as.numeric(fit$a0), as.matrix(fit$beta))), file.path(folder, paste0(job$name, ".result")))
}
writeLines(as.character(packageVersion("glmnet")), file.path(folder, "version.txt"))
