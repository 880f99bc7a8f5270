// Products of what two sequences are off their extrapolations, Σ a ΔX ΔY for every column of the batch; steers steps
// and restarts. Reads 6 r k sizeof(T) bytes.

#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

template <class T>
struct extrapolation_term {
    iterates<T> X;
    iterates<T> Y;
    const double* theta;
    const double* a;

    __device__ static double difference(const iterates<T>& of, std::int64_t i, std::int64_t c, double momentum)
    {
        const double now = cell(of.now, i, c);
        const double previous = cell(of.previous, i, c);
        return cell(of.next, i, c) - now - momentum * (now - previous);
    }
    __device__ void operator()(std::int64_t i, std::int64_t c, double* sum) const
    {
        sum[0] += row_factor(a, i) * difference(X, i, c, theta[c]) * difference(Y, i, c, theta[c]);
    }
};

} // namespace

template <class T>
void extrapolation_dots(const iterates<T>& X, const iterates<T>& Y, const double* theta, const double* a,
                        double* result, double* scratch, stream_view stream)
{
    row_sums<1>("extrapolation_dots", X.now.rows, X.now.cols, extrapolation_term<T>{X, Y, theta, a}, result, scratch,
                stream);
}

template void extrapolation_dots<float>(const iterates<float>&, const iterates<float>&, const double*, const double*,
                                        double*, double*, stream_view);
template void extrapolation_dots<double>(const iterates<double>&, const iterates<double>&, const double*, const double*,
                                         double*, double*, stream_view);

} // namespace proxpath::kernels
