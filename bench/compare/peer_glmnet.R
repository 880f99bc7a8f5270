# glmnet's gaussian path, one of the peers of compare.py; the R counterpart of peer_task.py with its one peer.
#
#     Rscript --vanilla peer_glmnet.R < paths of task files (DCF), one a line
#
# For each task it reads the problem, if it is not the last one (load), solves a tiny one, if it has not yet (warm-up),
# writes the file `started` and times glmnet, with glmnet's own choice between the covariance and the naive algorithm
# (covariance below 500 columns).
#
# glmnet centres and standardises sparse columns implicitly. It divides y by its deviation s before it fits, so for
# alpha < 1 lambda and alpha are converted first: lambda_g = lambda alpha + lambda (1 - alpha) s, and
# alpha_g = lambda alpha / lambda_g. The path is wanted whole, so its early ends are switched off.

now <- function() as.numeric(Sys.time())
began <- now()
suppressPackageStartupMessages({library(Matrix); library(glmnet)})
glmnet.control(fdev = 0, devmax = 1)
imports <- now() - began

read_task <- function(path) {
  task <- as.list(read.dcf(path)[1, ])
  for (name in c("n", "p", "nnz", "K", "alpha", "tol")) task[[name]] <- as.numeric(task[[name]])
  for (name in c("dense", "intercept")) task[[name]] <- task[[name]] == "1"
  task
}

load_problem <- function(task) {
  read <- function(name, what, count) readBin(file.path(task$problem, paste0(name, ".bin")), what, count)
  X <- new("dgCMatrix", x = read("data", "double", task$nnz), i = read("indices", "integer", task$nnz),
           p = read("indptr", "integer", task$p + 1), Dim = as.integer(c(task$n, task$p)))
  list(X = if (task$dense) as.matrix(X) else X, y = read("y", "double", task$n))
}

tiny_problem <- function(task) {
  set.seed(1)
  X <- matrix(rnorm(600), 40, 15)
  list(X = if (task$dense) X else as(Matrix(X, sparse = TRUE), "CsparseMatrix"), y = X[, 1] + rnorm(40))
}

solve_path <- function(data, lambdas, task) {
  s <- sqrt(mean((if (task$intercept) data$y - mean(data$y) else data$y)^2))
  l1 <- task$alpha
  l2 <- (1 - task$alpha) * s
  glmnet(data$X, data$y, alpha = l1 / (l1 + l2), lambda = lambdas * (l1 + l2), intercept = task$intercept,
         standardize = task$intercept, thresh = task$tol, maxit = 1e9)
}

input <- file("stdin", open = "r")
loaded <- NULL
warm <- character()
while (length(path <- readLines(input, n = 1)) > 0) {
  task <- read_task(path)
  out <- function(name) file.path(task$out, name)
  told <- '"status": "ok"'
  if (!identical(loaded, task$problem)) {
    begin <- now()
    data <- load_problem(task)
    loaded <- task$problem
    told <- c(told, sprintf('"load": %.6f', now() - begin))
  }
  kind <- paste(task$dense, task$intercept, task$alpha)
  if (!(kind %in% warm)) {
    begin <- now()
    invisible(solve_path(tiny_problem(task), c(0.5, 0.2, 0.1), task))
    told <- c(told, sprintf('"warm_up": %.6f', now() - begin + if (length(warm)) 0 else imports))
    warm <- c(warm, kind)
  }
  lambdas <- readBin(task$lambdas, "double", task$K)
  invisible(file.create(out("started")))
  begin <- now()
  fit <- solve_path(data, lambdas, task)
  told <- c(told, sprintf('"solve": %.6f', now() - begin))
  B <- as(fit$beta, "CsparseMatrix")
  writeBin(as.double(B@x), out("data.bin"))
  writeBin(as.integer(B@i), out("indices.bin"))
  writeBin(as.integer(B@p), out("indptr32.bin"))
  writeBin(as.double(fit$a0), out("intercepts.bin"))
  writeLines(paste0("{", paste(told, collapse = ", "), "}"), out("result.new"))
  invisible(file.rename(out("result.new"), out("result.json")))
}
