// Small dense algebra that several tests take their exact answers from. It is compiled once, apart from the tests:
// under sanitizers each of these decompositions costs a test file half a minute.
#pragma once

#include <Eigen/Core>

namespace proxpath::test {

/// Of a symmetric matrix, ascending.
Eigen::VectorXd eigenvalues(const Eigen::MatrixXd& symmetric);

/// x in A x = b, A positive definite.
Eigen::VectorXd solve(const Eigen::MatrixXd& A, const Eigen::VectorXd& b);

} // namespace proxpath::test
