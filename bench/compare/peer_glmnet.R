# glmnet's gaussian path, one of the peers of compare.py; the R counterpart of peer_task.py with its one peer.
#
#     Rscript --vanilla peer_glmnet.R TASK.dcf
#
# Reads the problem (load), solves a tiny one of the same type (warm-up), writes the file `started` and times glmnet on
# the real one, with glmnet's own choice between the covariance and the naive algorithm (covariance below 500 columns).
# glmnet centres and standardises sparse columns implicitly. It divides y by its deviation s before it fits, so for
# alpha < 1 lambda and alpha are converted first: lambda_g = lambda alpha + lambda (1 - alpha) s, and
# alpha_g = lambda alpha / lambda_g. The path is wanted whole, so its early ends are switched off.

began <- proc.time()[["elapsed"]]
suppressPackageStartupMessages({library(Matrix); library(glmnet)})
now <- function() proc.time()[["elapsed"]]
task <- as.list(read.dcf(commandArgs(trailingOnly = TRUE)[1])[1, ])
for (name in c("n", "p", "nnz", "K", "alpha", "tol")) task[[name]] <- as.numeric(task[[name]])
for (name in c("dense", "intercept")) task[[name]] <- task[[name]] == "1"
out <- function(name) file.path(task$out, name)
read <- function(name, what, count) readBin(file.path(task$problem, paste0(name, ".bin")), what, count)
glmnet.control(fdev = 0, devmax = 1)

imported <- now()
X <- new("dgCMatrix", x = read("data", "double", task$nnz), i = read("indices", "integer", task$nnz),
         p = read("indptr", "integer", task$p + 1), Dim = as.integer(c(task$n, task$p)))
if (task$dense) X <- as.matrix(X)
y <- read("y", "double", task$n)
lambdas <- readBin(task$lambdas, "double", task$K)
loaded <- now()

fit <- function(X, y, lambdas, tol) {
  s <- sqrt(mean((if (task$intercept) y - mean(y) else y)^2))
  l1 <- task$alpha
  l2 <- (1 - task$alpha) * s
  glmnet(X, y, alpha = l1 / (l1 + l2), lambda = lambdas * (l1 + l2), intercept = task$intercept,
         standardize = task$intercept, thresh = tol, maxit = 1e9)
}

set.seed(1)
small <- matrix(rnorm(600), 40, 15)
small_y <- small[, 1] + rnorm(40)
if (!task$dense) small <- as(Matrix(small, sparse = TRUE), "CsparseMatrix")
invisible(fit(small, small_y, c(0.5, 0.2, 0.1), 1e-7))
warm <- now()

invisible(file.create(out("started")))
begin <- Sys.time()
found <- fit(X, y, lambdas, task$tol)
seconds <- as.numeric(difftime(Sys.time(), begin, units = "secs"))
B <- as(found$beta, "CsparseMatrix")
writeBin(as.double(B@x), out("data.bin"))
writeBin(as.integer(B@i), out("indices.bin"))
writeBin(as.integer(B@p), out("indptr32.bin"))
writeBin(as.double(found$a0), out("intercepts.bin"))
writeLines(sprintf(paste('{"status": "ok", "load": %.6f, "warm_up": %.6f, "solve": %.6f, "reached": %d,',
                         '"versions": {"glmnet": "%s", "R": "%s"}}'),
                   loaded - imported, imported - began + warm - loaded, seconds, ncol(B),
                   packageVersion("glmnet"), getRversion()), out("result.json"))
